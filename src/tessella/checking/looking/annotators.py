"""Compares what several people drew in the same photo; only formats that keep more than one opinion are asked."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING, Final

import numpy as np

from tessella.checking.survey import Dispute
from tessella.core.errors import TessellaError
from tessella.formats import format_named

if TYPE_CHECKING:
    from tessella.checking.survey import Trace
    from tessella.dataset.index import Index

MOST_COMPARED: Final = 16
"""People of one photo that are compared with each other, the first of the file: 120 pairs."""


def compare_annotators(index: Index, traces: tuple[Trace, ...], *, threads: int) -> tuple[Trace, ...]:
    """Fill in how far the people who annotated a photo disagree.

    Args:
        index: The data set.
        traces: One per record.
        threads: How many photos are compared at once.
    """
    if format_named(index.format).opinions is None:
        return traces
    with ThreadPoolExecutor(threads) as pool:
        try:
            found = list(pool.map(lambda trace: dispute_of(index, trace.position), traces))
        finally:
            pool.shutdown(wait=True, cancel_futures=True)  # Ctrl-C must not wait for the rest of the data set
    return tuple(
        trace if dispute is None else replace(trace, dispute=dispute)
        for trace, dispute in zip(traces, found, strict=True)
    )


def dispute_of(index: Index, position: int) -> Dispute | None:
    """Return the two people whose class ids of a photo differ most; None where none do, or somebody's have no meaning.

    Args:
        index: The data set.
        position: Which record.
    """
    opinions, record = format_named(index.format).opinions, index.records[position]
    if opinions is None or record.label is None:
        return None
    with contextlib.suppress(TessellaError):  # F101 and L110 name what cannot be read
        drawn = opinions(record, index.listing)
        maps = [(name, index.resolve(record, drawing, None).ids) for name, drawing in drawn[:MOST_COMPARED]]
        pairs = [(float((maps[a][1] == maps[b][1]).mean()), a, b) for a, b in combinations(range(len(maps)), 2)]
        share, *places = min(pairs, default=(1.0, 0, 0))
        if share < 1:
            (one, ids), (other, others) = (maps[place] for place in places)
            row, column = np.unravel_index(int((ids != others).argmax()), ids.shape)
            return Dispute(share, (one, other), len(drawn), (int(row), int(column)))
    return None
