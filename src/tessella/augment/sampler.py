"""Where the classes are: a few remembered pixels per class and photo, and draws that favour rare classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

LOOK_AT_PX: Final = 2_000_000
"""Larger photos are looked at on a coarser grid, and in full only for classes that the grid misses."""


class _Places(NamedTuple):
    """What is remembered of one photo: its width, its classes and (classes, points) uint32 flat pixel numbers."""

    width: int
    classes: NDArray[np.uint8]
    pixels: NDArray[np.uint32]


class Sampler:
    """Remembers a few pixels of each class in each photo, and draws focus points for `augment` from them.

    A class is drawn in proportion to 1 / sqrt(its share of the pixels learnt so far): one that covers a hundredth of
    another is drawn a tenth as often as that, not a hundredth.

    Args:
        classes: K.
        points: Pixels remembered per class and photo, 4 bytes each, spread evenly over the class in raster order.

    Example:
        >>> sampler = Sampler(classes=2)
        >>> sampler.learn(0, np.eye(4, dtype=np.uint8))
        >>> photo, (row, column) = sampler.pick(np.random.default_rng(0))
    """

    def __init__(self, *, classes: int, points: int = 16) -> None:
        self._points = points
        self._counts = np.zeros(classes, np.int64)
        self._photos: dict[int, _Places] = {}
        self._photos_of: list[list[int]] = [[] for _ in range(classes)]

    def learn(self, photo: int, ids: NDArray[np.uint8]) -> None:
        """Remember where the classes of a photo are; a second call for the same photo changes nothing.

        Args:
            photo: Its number in the data set.
            ids: (H, W) uint8 class ids or IGNORE.
        """
        if photo in self._photos:
            return
        counts = np.bincount(ids.ravel(), minlength=256)[: len(self._counts)]
        present = np.flatnonzero(counts).astype(np.uint8)
        step = max(1, int(np.ceil(np.sqrt(ids.size / LOOK_AT_PX))))
        pixels = np.empty((len(present), self._points), np.uint32)
        coarse = np.ascontiguousarray(ids[::step, ::step])
        # numpy sorts bytes by counting: 2 ms for a megapixel
        order = np.argsort(coarse, axis=None, kind="stable")
        ends = np.bincount(coarse.ravel(), minlength=256).cumsum()
        for row, index in enumerate(present):
            first, last = int(ends[index - 1]) if index else 0, int(ends[index])
            if first < last:
                rows, columns = np.divmod(_spread(order[first:last], self._points), coarse.shape[1])
                pixels[row] = rows * step * ids.shape[1] + columns * step
            else:
                pixels[row] = _spread(np.flatnonzero(ids == index), self._points)
            self._photos_of[index].append(photo)
        self._counts += counts
        self._photos[photo] = _Places(ids.shape[1], present, pixels)

    def pick(self, rng: np.random.Generator) -> tuple[int, tuple[int, int]] | None:
        """Draw a class, rare ones favoured, then one of the photos that show it, then one of its pixels.

        Args:
            rng: Source of chance.

        Returns:
            The photo's number and (row, column), or None before anything was learnt.
        """
        present = np.flatnonzero(self._counts)
        if not len(present):
            return None
        index = int(rng.choice(present, p=self._rarity(present)))
        photos = self._photos_of[index]
        photo = photos[int(rng.integers(len(photos)))]
        places = self._photos[photo]
        return photo, self._point(places, int(np.searchsorted(places.classes, index)), rng)

    def _rarity(self, classes: NDArray[np.uint8] | NDArray[np.int64]) -> NDArray[np.float64]:
        rarity = 1 / np.sqrt(self._counts[classes])
        return np.asarray(rarity / rarity.sum(), np.float64)

    def _point(self, places: _Places, row: int, rng: np.random.Generator) -> tuple[int, int]:
        pixel = int(places.pixels[row, rng.integers(self._points)])
        return divmod(pixel, places.width)


def _spread(pixels: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Return `count` of the pixels at even distances, with repeats where there are fewer."""
    return pixels[((np.arange(count) + 0.5) * len(pixels) / count).astype(np.int64)]
