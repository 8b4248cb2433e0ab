"""Counts specks, holes and ragged borders of a mask: a second look at those whose run lengths hint at them."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from tessella.checking.measures.edges import borders
from tessella.core.annotation import StoredMask
from tessella.core.errors import TessellaError
from tessella.formats.raster.labels import count_values

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from tessella.checking.survey import Trace
    from tessella.dataset.index import Index

TINY_SHARE: Final = 2e-5
"""A patch of at most this share of a mask's pixels (6 px of 640x480), at least 4 and at most 12 px, is tiny."""

MOST: Final = 64
SHARE: Final = 50
"""Of SHARE masks one is looked at a second time, at least FEWEST and at most MOST: a per cent or two of the time."""

FEWEST: Final = 4

_HINT: Final = 0.05
_FEWEST_BORDERS: Final = 10
_LARGEST: Final = 12


class Noise(NamedTuple):
    """What is tiny or ragged in a mask.

    Args:
        specks: Tiny patches of a class other than the mask's most frequent one.
        holes: Tiny patches of the most frequent class.
        largest: The most pixels that count as tiny.
        first_speck: Row and column of the first.
        first_hole: Likewise.
        ragged: Share of the border pixels that a median of 3 x 3 pixels changes, 0..1.
    """

    specks: int
    holes: int
    largest: int
    first_speck: tuple[int, int]
    first_hole: tuple[int, int]
    ragged: float


def noise_of(index: Index, traces: Iterable[Trace], *, threads: int) -> dict[int, Noise]:
    """Look again at some masks with many short runs, evenly spread.

    Args:
        index: The data set.
        traces: One per record.
        threads: How many look at once.

    Returns:
        By position.
    """

    def look(position: int) -> tuple[int, Noise | None]:
        with contextlib.suppress(TessellaError):
            annotation = index.annotation(position)
            if isinstance(annotation, StoredMask) and not annotation.is_colour:
                return position, measure(annotation.pixels)
        return position, None

    hinted = [trace.position for trace in traces if _is_hinted(trace)]
    most = max(FEWEST, min(MOST, len(index) // SHARE))
    with ThreadPoolExecutor(threads) as pool:
        found = pool.map(look, hinted[:: max(1, -(-len(hinted) // most))])
        return {position: noise for position, noise in found if noise is not None}


def measure(pixels: NDArray[Any]) -> Noise:
    """Count what is tiny or ragged in a mask.

    Args:
        pixels: (H, W) uint8 or uint16 stored values.
    """
    largest = min(_LARGEST, max(4, int(pixels.size * TINY_SHARE)))
    if pixels.dtype != np.uint8 or min(pixels.shape) < 5:
        return Noise(0, 0, largest, (0, 0), (0, 0), 0.0)
    main = int(count_values(pixels).argmax())
    grid: NDArray[np.uint8] = np.ascontiguousarray(pixels, np.uint8)
    places, values = _tiny(grid, largest)
    specks = [place for place, value in zip(places, values, strict=True) if value != main]
    holes = [place for place, value in zip(places, values, strict=True) if value == main]
    ragged = _ragged(grid)
    return Noise(len(specks), len(holes), largest, min(specks, default=(0, 0)), min(holes, default=(0, 0)), ragged)


def _tiny(pixels: NDArray[np.uint8], largest: int) -> tuple[list[tuple[int, int]], list[int]]:
    """Find patches of at most `largest` pixels: the first row and column of each, and its value.

    A median of 5 x 5 pixels takes all of them away, in one pass for all classes. What it changes is split into patches;
    those count that have one value and no neighbour of that value that stayed.
    """
    import cv2

    changed = cv2.medianBlur(pixels, 5) != pixels
    total, patches = cv2.connectedComponents(changed.view(np.uint8), connectivity=8)
    flat = np.flatnonzero(changed)  # few, and looking up all pixels would take as long as all the rest
    patch = patches.reshape(-1)[flat]
    few = np.bincount(patch)[patch] <= largest
    patch = patch[few]
    rows, columns = np.divmod(flat[few], pixels.shape[1])
    value = pixels[rows, columns].astype(np.int64)
    linked = np.zeros(len(rows), bool)
    height, width = pixels.shape
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            beside_row, beside = np.clip(rows + down, 0, height - 1), np.clip(columns + right, 0, width - 1)
            linked |= (pixels[beside_row, beside] == value) & ~changed[beside_row, beside]
    bad = np.bincount(patch, linked, total) > 0
    sums, squares = np.bincount(patch, value, total), np.bincount(patch, value * value, total)
    pure = sums * sums == squares * np.bincount(patch, minlength=total)
    first = np.unique(patch, return_index=True)[1]  # pixels come row by row, so the first of a patch is its first
    kept = first[~bad[patch[first]] & pure[patch[first]]]
    return list(zip(rows[kept].tolist(), columns[kept].tolist(), strict=True)), value[kept].tolist()


def _ragged(pixels: NDArray[np.uint8]) -> float:
    """Return the share of border pixels (whose right or lower neighbour differs) that a median of 3 x 3 changes."""
    import cv2

    total = np.count_nonzero(borders(pixels))
    return np.count_nonzero(cv2.medianBlur(pixels, 3) != pixels) / total if total else 0.0


def _is_hinted(trace: Trace) -> bool:
    runs = trace.runs
    if runs is None or runs.block > 1 or runs.borders < _FEWEST_BORDERS or not trace.explained:
        return False
    return runs.short >= _HINT * runs.borders
