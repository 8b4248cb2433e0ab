"""Photos that show the same ground, found by a sweep over their footprints, not by comparing all with all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

TOUCH_PX: Final = 1.5
"""Footprints that overlap by less, in pixels of the coarser photo, only touch: borders are rounded."""

_WINDOW: Final = 4096
"""Most neighbours along the sweep that one photo is compared with: more lie there only where photos are stacked."""

_MOST_CLIPPED: Final = 64
"""Most neighbours of one turned photo whose outlines are cut with its own."""


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
    if len(affines) < 2:
        return [], []
    return _Plane(affines, hw, ranks).sweep()


class _Plane:
    """All footprints as arrays, in the order of the sweep."""

    def __init__(self, affines: NDArray[np.float64], hw: NDArray[np.float64], ranks: NDArray[np.intp]) -> None:
        corners = _corners(affines, hw)
        low, high = corners.min(axis=1), corners.max(axis=1)
        windows = [int(np.searchsorted(np.sort(low[:, axis]), high[:, axis]).sum()) for axis in (0, 1)]
        self.along = int(windows[1] < windows[0])  # along a strip a photo has fewer neighbours than across it
        self.order = np.argsort(low[:, self.along], kind="stable")
        self.affines, self.hw, self.ranks = affines[self.order], hw[self.order], ranks[self.order]
        self.low, self.high, self.corners = low[self.order], high[self.order], corners[self.order]
        self.pixel_area = np.abs(self.affines[:, 0] * self.affines[:, 4] - self.affines[:, 1] * self.affines[:, 3])
        self.side = np.sqrt(self.pixel_area)
        self.upright = (self.affines[:, 1] == 0) & (self.affines[:, 3] == 0)
        self.best = np.zeros((2, len(affines)))
        self.partner = np.full((2, len(affines)), -1, np.intp)

    def sweep(self) -> tuple[list[Overlap], list[Overlap]]:
        starts = np.ascontiguousarray(self.low[:, self.along])
        ends = np.searchsorted(starts, self.high[:, self.along])
        across = 1 - self.along
        low, high = np.ascontiguousarray(self.low[:, across]), np.ascontiguousarray(self.high[:, across])
        for one, end in enumerate(ends.tolist()):
            last = min(end, one + 1 + _WINDOW)
            near = (low[one + 1 : last] < high[one]) & (high[one + 1 : last] > low[one])
            if near.any():
                self._meet(one, one + 1 + np.flatnonzero(near))
        return self._found(0), self._found(1)

    def _meet(self, one: int, others: NDArray[np.intp]) -> None:
        deep = np.minimum(self.high[one], self.high[others]) - np.maximum(self.low[one], self.low[others])
        area = deep.prod(axis=1)
        kept = (deep > TOUCH_PX * np.maximum(self.side[one], self.side[others])[:, None]).all(axis=1)
        others, area = others[kept], area[kept]
        if not (self.upright[one] and self.upright[others].all()):
            largest = np.argsort(-area, kind="stable")[:_MOST_CLIPPED]
            others = others[largest]
            area = np.array([self._clipped(one, int(other)) for other in others])
            others, area = others[area > 0], area[area > 0]
        if not len(others):
            return
        for column, mine, theirs in (
            (0, self.ranks[others] == self.ranks[one], self.ranks[others] == self.ranks[one]),
            (1, self.ranks[others] < self.ranks[one], self.ranks[others] > self.ranks[one]),
        ):
            if mine.any():
                first = int(np.argmax(np.where(mine, area, 0)))
                self._keep(column, np.array([one]), np.array([others[first]]), area[[first]])
            if theirs.any():
                self._keep(column, others[theirs], np.full(int(theirs.sum()), one), area[theirs])

    def _keep(self, column: int, ones: NDArray[Any], partners: NDArray[Any], area: NDArray[Any]) -> None:
        pixels = area / self.pixel_area[ones]
        better = pixels > self.best[column, ones]
        self.best[column, ones[better]] = pixels[better]
        self.partner[column, ones[better]] = partners[better]

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

    def _found(self, column: int) -> list[Overlap]:
        ones = np.flatnonzero(self.partner[column] >= 0)
        found = [
            Overlap(int(self.order[one]), int(self.order[self.partner[column, one]]), float(self.best[column, one]))
            for one in ones
        ]
        return sorted(found)


def _corners(affines: NDArray[np.float64], hw: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the corners of each photo in coordinates: (N, 4, 2), the first pixel's first."""
    a, b, c, d, e, f = affines.T[..., None]
    columns = hw[:, 1, None] * np.array([0, 1, 1, 0])
    rows = hw[:, 0, None] * np.array([0, 0, 1, 1])
    return np.stack([a * columns + b * rows + c, d * columns + e * rows + f], axis=2)
