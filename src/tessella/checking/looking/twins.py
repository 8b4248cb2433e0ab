"""Compares photos that may be identical, and the labels of those that are; the few concerned are decoded once more."""

from __future__ import annotations

import contextlib
import zlib
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from tessella.checking.measures.thumbs import digest_of
from tessella.core.annotation import StoredMask
from tessella.core.errors import TessellaError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from tessella.checking.survey import Trace
    from tessella.core.annotation import Annotation
    from tessella.dataset.index import Index


def compare_twins(index: Index, traces: Iterable[Trace]) -> tuple[Trace, ...]:
    """Fill in the digests of photos that look identical, and of the labels of those that are.

    Args:
        index: The data set.
        traces: One per record.
    """
    compared = list(traces)
    for group in _groups(compared, lambda trace: trace.glance):
        for trace in group:
            with contextlib.suppress(TessellaError):  # the disk may have changed since the photo was read
                digest = digest_of(index.image(trace.position))
                compared[trace.position] = replace(trace, photo_digest=digest)
    for group in _groups(compared, lambda trace: trace.photo_digest):
        labelled = [_with_label(index, trace) for trace in group if trace.label_where]
        for trace in labelled:
            compared[trace.position] = replace(trace, agreement=_agreement(index, labelled[0], trace))
    return tuple(compared)


def _groups(traces: list[Trace], key: Callable[[Trace], Hashable]) -> list[list[Trace]]:
    found: dict[Hashable, list[Trace]] = defaultdict(list)
    for trace in traces:
        if key(trace):
            found[key(trace)].append(trace)
    return [group for group in found.values() if len(group) > 1]


def _with_label(index: Index, trace: Trace) -> Trace:
    digest = ""
    with contextlib.suppress(TessellaError):  # F101 names a label that cannot be read
        digest = label_digest(index.annotation(trace.position))
    return replace(trace, label_digest=digest)


def _agreement(index: Index, first: Trace, other: Trace) -> float | None:
    """Return the share of pixels in which two labels agree; None for equal labels and those that have no ids."""
    if first is other or first.label_digest == other.label_digest:
        return None
    with contextlib.suppress(TessellaError):
        one, two = (index.labels(trace.position) for trace in (first, other))
        if one is not None and two is not None and one.hw == two.hw:
            return float((one.ids == two.ids).mean())
    return None


def label_digest(annotation: Annotation | None) -> str:
    """Return text that is equal for equal annotations, "" for none.

    CRC-32 is enough: it is asked of the labels of identical photos only, and for all photos it would cost a tenth of
    the decoding.
    """
    if annotation is None:
        return ""
    if isinstance(annotation, StoredMask):
        return f"{annotation.pixels.shape} {zlib.crc32(np.ascontiguousarray(annotation.pixels).data):08x}"
    checksum = 0
    for shape in annotation.shapes:
        parts = [
            f"{shape.label}\0{shape.kind}\0".encode(),
            shape.points_xy.tobytes(),
            *(h.tobytes() for h in shape.holes),
        ]
        if shape.mask is not None:
            parts.append(np.packbits(shape.mask).tobytes())
        for part in parts:
            checksum = zlib.crc32(part, checksum)
    return f"{len(annotation.shapes)} shapes {checksum:08x}"
