"""Photos that look the same: the same file twice, saved again, or one still scene; they must not straddle a split."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import numpy as np

from tessella.core.cores import cores
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

MOST_PHOTOS: Final = 20_000
"""Above this many photos, comparing all with all would take minutes."""

_MOST_PARTNERS: Final = 50
_ROWS: Final = 1024


def lookalikes(records: Sequence[Record], *, max_pixels: int | None = None) -> list[tuple[int, int]]:
    """Find pairs of photos that look alike, enough of them to tell which photos belong together.

    Args:
        records: The photos; those that cannot be read are left out.
        max_pixels: Most pixels of a photo that is decoded, or None for the usual budget.

    Returns:
        Pairs of positions, the smaller first, at most 50 per photo; none for more than MOST_PHOTOS.
    """
    if len(records) > MOST_PHOTOS:
        return []

    def small(record: Record) -> NDArray[np.float32] | None:
        try:
            return None if record.image is None else thumbnail(record.image, side=SIDE, max_pixels=max_pixels)
        except InputError:
            return None  # named by `tessella check`

    with ThreadPoolExecutor(min(4, cores())) as pool:
        found = list(pool.map(small, records))
    places = [place for place, one in enumerate(found) if one is not None]
    if len(places) < 2:
        return []
    table = np.stack([one.ravel() for one in found if one is not None])
    return [(places[one], places[other]) for one, other in _near_pairs(table)]


def _near_pairs(table: NDArray[np.float32]) -> list[tuple[int, int]]:
    # centred, the squares are small enough for float32 products to be right within a thousandth of the limit
    centred = table - table.mean(axis=0)
    squares = (centred**2).sum(axis=1)
    limit = TOLERANCE**2 * table.shape[1]
    pairs: set[tuple[int, int]] = set()
    for top in range(0, len(table), _ROWS):
        near = squares[top : top + _ROWS, None] + squares[None] - 2 * (centred[top : top + _ROWS] @ centred.T) <= limit
        near[np.arange(len(near)), np.arange(top, top + len(near))] = False
        # a fixed camera gives thousands of like frames, and every pair of them would fill the memory
        for row in np.flatnonzero(near.any(axis=1)):
            one = top + int(row)
            others = np.flatnonzero(near[row])[:_MOST_PARTNERS]
            pairs.update((min(one, int(other)), max(one, int(other))) for other in others)
    return sorted(pairs)
