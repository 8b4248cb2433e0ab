"""Photos that look the same: the same file twice, saved again, or one still scene; they must not straddle a split."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import numpy as np

from tessella.core.errors import InputError
from tessella.files.thumbnails import thumbnail

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tessella.formats.listing import Record

SIDE: Final = 32
"""Thumbnails are SIDE x SIDE grey pixels."""

TOLERANCE: Final = 2.0
"""Root mean square difference of two thumbnails, in grey levels of 255, up to which photos look alike."""

_MOST_PHOTOS: Final = 20_000
_ROWS: Final = 1024


def lookalikes(records: Sequence[Record]) -> list[tuple[int, int]]:
    """Find pairs of photos that look alike.

    Args:
        records: The photos; those that cannot be read are left out.

    Returns:
        Pairs of positions, the smaller first; none for more than 20,000 photos, where comparing all takes minutes.
    """
    if len(records) > _MOST_PHOTOS:
        return []

    def small(record: Record) -> NDArray[np.float32] | None:
        try:
            return None if record.image is None else thumbnail(record.image, side=SIDE)
        except InputError:
            return None  # named by `tessella check`

    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        found = list(pool.map(small, records))
    places = [place for place, one in enumerate(found) if one is not None]
    if len(places) < 2:
        return []
    table = np.stack([one.ravel() for one in found if one is not None])
    return [(places[one], places[other]) for one, other in _near_pairs(table)]


def _near_pairs(table: NDArray[np.float32]) -> list[tuple[int, int]]:
    squares = (table.astype(np.float64) ** 2).sum(axis=1)
    limit = TOLERANCE**2 * table.shape[1]
    pairs: list[tuple[int, int]] = []
    for top in range(0, len(table), _ROWS):
        rows = table[top : top + _ROWS]
        far = squares[top : top + _ROWS, None] + squares[None] - 2.0 * (rows @ table.T)
        # float32 products are off by about 1e-6 of the squares: candidates here, the exact distance below
        for one, other in np.argwhere(far <= limit + 1e-4 * squares.max()):
            first, second = top + int(one), int(other)
            if first < second and float(((table[first] - table[second]) ** 2).sum()) <= limit:
                pairs.append((first, second))
    return pairs
