"""Photos that show the same ground, found by a sweep over their footprints, not by comparing all with all."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from tessella.core.errors import InputError
from tessella.files.geo.ground import read_ground
from tessella.files.images import read_hw

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from tessella.files.geo.ground import Ground
    from tessella.formats.listing import Record

TOUCH_PX: Final = 1.5
"""Footprints that overlap by less, in pixels of the coarser photo, only touch: borders are rounded."""

_WINDOW: Final = 4096
"""Most neighbours along the sweep that a photo is compared with, on average: a large one over many tiles has more.

Only stacks of thousands have more on average; then each photo is compared with the next so many alone.
"""

_MOST_CLIPPED: Final = 64
"""Most neighbours of one turned photo whose outlines are cut with its own."""

_SUFFIXES: Final = (".tif", ".tiff", ".gtiff")


class Overlap(NamedTuple):
    """What a photo shares with the photo that it shares most with.

    Args:
        one: The photo, by its row.
        other: The one it is compared with.
        pixels: Pixels of `one` that lie on the ground of `other`.
    """

    one: int
    other: int
    pixels: float


def overlaps(
    affines: NDArray[np.float64], hw: NDArray[np.float64], ranks: NDArray[np.intp]
) -> tuple[list[Overlap], list[Overlap]]:
    """Find the photos whose ground another one shows, too.

    Args:
        affines: (N, 6) float64, pixels to coordinates of one system as (a, b, c, d, e, f); see `Ground`.
        hw: (N, 2) float64, heights and widths in pixels.
        ranks: (N,) which split each belongs to, by number.

    Returns:
        For photos that overlap others of the same rank, and for photos that overlap some of a lower rank: which of
        these shares most, in the order of the rows.
    """
    plane = _Plane(affines, hw)
    best = _Best(plane, ranks)
    for one, others, area in plane.meetings():
        best.keep_all(one, others, area)
    return best.found(0), best.found(1)


def on_shared_ground(records: Sequence[Record]) -> list[tuple[int, int]]:
    """Find pairs of photos that show the same ground, just enough of them to tell which photos belong together.

    Args:
        records: The photos; of each only the tags of a GeoTIFF are read.

    Returns:
        Pairs of positions, fewer than there are photos.
    """
    systems: dict[str, list[tuple[int, Ground, tuple[int, int]]]] = defaultdict(list)
    for position, record in enumerate(records):
        if record.image is not None and record.image.suffix.lower() in _SUFFIXES:
            with contextlib.suppress(InputError):  # named by `tessella check`
                if ground := read_ground(record.image):
                    systems[ground.crs].append((position, ground, read_hw(record.image)))
    pairs: list[tuple[int, int]] = []
    for photos in systems.values():
        plane = _Plane(np.array([ground.affine for _, ground, _ in photos]), np.array([hw for *_, hw in photos], float))
        above = np.arange(len(photos))
        for one, others, _ in plane.meetings():
            tops = _tops(above, np.append(one, others))
            apart = np.flatnonzero(tops != tops[0])
            joined, firsts = np.unique(tops[apart], return_index=True)
            above[joined] = tops[0]
            met = plane.order[others[apart[firsts] - 1]]
            pairs.extend((photos[plane.order[one]][0], photos[other][0]) for other in met)
    return pairs


def _tops(above: NDArray[np.intp], ones: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return by which photo the group of each goes; ways to it are halved as they are walked."""
    tops = ones
    while (above[tops] != tops).any():
        higher = above[above[tops]]
        above[tops] = higher
        tops = higher
    above[ones] = tops
    return tops


class _Plane:
    """All footprints as arrays, in the order of the sweep."""

    def __init__(self, affines: NDArray[np.float64], hw: NDArray[np.float64]) -> None:
        affines, hw = affines.reshape(-1, 6), hw.reshape(-1, 2)
        corners = _corners(affines, hw)
        low, high = corners.min(axis=1), corners.max(axis=1)
        windows = [int(np.searchsorted(np.sort(low[:, axis]), high[:, axis]).sum()) for axis in (0, 1)]
        self.along = int(windows[1] < windows[0])  # along a strip a photo has fewer neighbours than across it
        self.order = np.argsort(low[:, self.along], kind="stable")
        self.affines, self.hw = affines[self.order], hw[self.order]
        self.low, self.high, self.corners = low[self.order], high[self.order], corners[self.order]
        self.pixel_area = np.abs(self.affines[:, 0] * self.affines[:, 4] - self.affines[:, 1] * self.affines[:, 3])
        self.side = np.sqrt(self.pixel_area)
        self.upright = (self.affines[:, 1] == 0) & (self.affines[:, 3] == 0)

    def meetings(self) -> Iterator[tuple[int, NDArray[np.intp], NDArray[np.float64]]]:
        """Yield a photo, those behind it in the order that it overlaps, and the areas that they share."""
        starts = np.ascontiguousarray(self.low[:, self.along])
        ends = np.searchsorted(starts, self.high[:, self.along])
        behind = ends - np.arange(len(ends)) - 1
        most = _WINDOW if behind.sum() > _WINDOW * len(ends) else len(ends)
        across = 1 - self.along
        low, high = np.ascontiguousarray(self.low[:, across]), np.ascontiguousarray(self.high[:, across])
        for one, end in enumerate(ends.tolist()):
            last = min(end, one + 1 + most)
            near = (low[one + 1 : last] < high[one]) & (high[one + 1 : last] > low[one])
            if near.any():
                others, area = self._shared(one, one + 1 + np.flatnonzero(near))
                if len(others):
                    yield one, others, area

    def _shared(self, one: int, others: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        deep = np.minimum(self.high[one], self.high[others]) - np.maximum(self.low[one], self.low[others])
        kept = (deep > TOUCH_PX * np.maximum(self.side[one], self.side[others])[:, None]).all(axis=1)
        others, area = others[kept], deep[kept].prod(axis=1)
        turned = np.flatnonzero(~(self.upright[one] & self.upright[others]))
        turned = turned[np.argsort(-area[turned], kind="stable")]
        area[turned[_MOST_CLIPPED:]] = 0
        area[turned[:_MOST_CLIPPED]] = [self._clipped(one, int(others[at])) for at in turned[:_MOST_CLIPPED]]
        return others[area > 0], area[area > 0]

    def _clipped(self, one: int, other: int) -> float:
        """Return the area that two outlines share, in units of the coordinates; 0 where they only touch."""
        import cv2

        a, b, _, d, e, _ = self.affines[one]
        x, y = (self.corners[other] - self.corners[one, 0]).T
        (height, width), area = self.hw[one], a * e - b * d
        placed = np.stack([(e * x - b * y) / area, (a * y - d * x) / area], axis=1)
        own = np.array([(0, 0), (width, 0), (width, height), (0, height)])
        shared, outline = cv2.intersectConvexConvex(own.astype(np.float32), placed.astype(np.float32))
        if outline is None or not shared:
            return 0.0
        extent = outline.reshape(-1, 2).max(axis=0) - outline.reshape(-1, 2).min(axis=0)
        finest = TOUCH_PX * max(1.0, float(self.side[other] / self.side[one]))
        return float(shared) * float(self.pixel_area[one]) if extent.min() > finest else 0.0


class _Best:
    """For every photo the one that it shares most with: of its own rank, and of lower ranks."""

    def __init__(self, plane: _Plane, ranks: NDArray[np.intp]) -> None:
        self.plane, self.ranks = plane, ranks[plane.order]
        self.pixels = np.zeros((2, len(ranks)))
        self.partner = np.full((2, len(ranks)), -1, np.intp)

    def keep_all(self, one: int, others: NDArray[np.intp], area: NDArray[np.float64]) -> None:
        rank, theirs = self.ranks[one], self.ranks[others]
        for column, mine, other in ((0, theirs == rank, theirs == rank), (1, theirs < rank, theirs > rank)):
            if mine.any():
                first = int(np.argmax(np.where(mine, area, 0)))
                self._keep(column, np.array([one]), others[[first]], area[[first]])
            if other.any():
                self._keep(column, others[other], np.full(int(other.sum()), one), area[other])

    def _keep(self, column: int, ones: NDArray[Any], partners: NDArray[Any], area: NDArray[Any]) -> None:
        pixels = area / self.plane.pixel_area[ones]
        better = pixels > self.pixels[column, ones]
        self.pixels[column, ones[better]] = pixels[better]
        self.partner[column, ones[better]] = partners[better]

    def found(self, column: int) -> list[Overlap]:
        ones, order = np.flatnonzero(self.partner[column] >= 0), self.plane.order
        return sorted(
            Overlap(int(order[one]), int(order[self.partner[column, one]]), float(self.pixels[column, one]))
            for one in ones
        )


def _corners(affines: NDArray[np.float64], hw: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the corners of each photo in coordinates: (N, 4, 2), the first pixel's first."""
    a, b, c, d, e, f = affines.T[..., None]
    columns = hw[:, 1, None] * np.array([0, 1, 1, 0])
    rows = hw[:, 0, None] * np.array([0, 0, 1, 1])
    return np.stack([a * columns + b * rows + c, d * columns + e * rows + f], axis=2)
