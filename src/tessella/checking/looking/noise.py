"""Counts specks, holes and ragged borders of a mask: a second look at those whose run lengths hint at them."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from tessella.core.annotation import StoredMask
from tessella.core.errors import TessellaError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from tessella.checking.survey import Trace
    from tessella.dataset.index import Index

TINY_SHARE: Final = 2e-5
"""A patch of at most this share of a mask's pixels (6 px of 640x480), and at least 4 px, is a speck or a hole."""

MOST: Final = 64
"""Masks that are looked at a second time: at most 2 s on masks of 2048x1024 pixels."""

_HINT: Final = 0.05
_FEWEST_BORDERS: Final = 10
_MOST_CLASSES: Final = 64


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


def noise_of(index: Index, traces: Iterable[Trace]) -> dict[int, Noise]:
    """Look again at masks with many short runs, at most MOST of them, evenly spread.

    Args:
        index: The data set.
        traces: One per record.

    Returns:
        By position.
    """
    hinted = [trace.position for trace in traces if _is_hinted(trace)]
    found = {}
    for position in hinted[:: max(1, -(-len(hinted) // MOST))]:
        with contextlib.suppress(TessellaError):
            annotation = index.annotation(position)
            if isinstance(annotation, StoredMask) and not annotation.is_colour:
                found[position] = measure(annotation.pixels)
    return found


def measure(pixels: NDArray[Any]) -> Noise:
    """Count what is tiny or ragged in a mask.

    Args:
        pixels: (H, W) uint8 or uint16 stored values.
    """
    import cv2

    values, counts = np.unique(pixels, return_counts=True)
    largest = max(4, int(pixels.size * TINY_SHARE))
    if not 2 <= len(values) <= _MOST_CLASSES:
        return Noise(0, 0, largest, (0, 0), (0, 0), 0.0)
    main = values[counts.argmax()]
    specks: list[tuple[int, int]] = []
    holes: list[tuple[int, int]] = []
    for value in values:
        _, _, stats, _ = cv2.connectedComponentsWithStats((pixels == value).astype(np.uint8), connectivity=8)
        tiny = stats[1:][stats[1:, cv2.CC_STAT_AREA] <= largest]
        places = [(int(row), int(column)) for column, row in tiny[:, :2]]
        (holes if value == main else specks).extend(places)
    return Noise(
        len(specks),
        len(holes),
        largest,
        min(specks, default=(0, 0)),
        min(holes, default=(0, 0)),
        _ragged(pixels),
    )


def _ragged(pixels: NDArray[Any]) -> float:
    """Return the share of border pixels that differ from at least five of their eight neighbours."""
    inner = pixels[1:-1, 1:-1]
    height, width = pixels.shape
    if min(height, width) < 3:
        return 0.0
    others = np.zeros(inner.shape, np.uint8)
    border = np.zeros(inner.shape, bool)
    for down in range(3):
        for right in range(3):
            if (down, right) != (1, 1):
                differs = pixels[down : height - 2 + down, right : width - 2 + right] != inner
                others += differs
                border |= differs & bool(down == 1 or right == 1)
    total = int(border.sum())
    return float((others >= 5).sum()) / total if total else 0.0


def _is_hinted(trace: Trace) -> bool:
    runs = trace.runs
    if runs is None or runs.block > 1 or runs.borders < _FEWEST_BORDERS or not trace.explained:
        return False
    return runs.short >= _HINT * runs.borders
