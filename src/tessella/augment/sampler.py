"""Where the rare classes are: a few remembered pixels per class and photo, and draws that favour rare classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tessella.core.classes import IGNORE

if TYPE_CHECKING:
    from numpy.typing import NDArray

LOOK_AT_PX = 1_000_000
"""Larger photos are looked at on a coarser grid, and in full only for classes that the grid misses."""


class Sampler:
    """Remembers for each photo a few pixels of each class, and draws focus points for `augment`.

    A class is drawn with a probability proportional to 1 / sqrt(its share of the pixels seen so far), so that one that
    covers a hundredth of another is drawn ten times as often as by chance.

    Args:
        classes: K.
        points: Pixels remembered per class and photo (4 bytes each).
        favour: Exponent of rarity: 0 draws the present classes evenly... as they come, 0.5 by 1 / sqrt(share).
    """

    def __init__(self, *, classes: int, points: int = 16) -> None:
        self._points = points
        self._pixels = np.zeros(classes, np.int64)
        self._places: dict[int, tuple[int, NDArray[np.uint8], NDArray[np.uint32]]] = {}
