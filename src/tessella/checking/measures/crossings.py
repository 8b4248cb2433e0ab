"""Where the edges of a ring cross each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MOST_PAIRS: Final = 4_000_000


class Crossing(NamedTuple):
    """Two edges of a ring that cross.

    Args:
        x: In pixels.
        y: In pixels.
    """

    x: float
    y: float


def crossings(ring_xy: NDArray[np.float64], *, most: int = 200) -> list[Crossing]:
    """Find where edges of a ring cross in their inside; touching does not count.

    The edges are sorted by their left end, and each is compared with those that begin before it ends: for outlines
    that is a few per edge, so that 10,000 points take about 20 ms.

    Args:
        ring_xy: (N, 2) float64, finite; the last point joins the first.
        most: Stop after this many.

    Returns:
        In the order of the edges; nothing for rings so entangled that they cannot be compared.
    """
    ring = np.asarray(ring_xy, np.float64)
    if len(ring) < 4:
        return []
    start, end = ring, np.roll(ring, -1, axis=0)
    left = np.minimum(start[:, 0], end[:, 0])
    right = np.maximum(start[:, 0], end[:, 0])
    order = np.argsort(left, kind="stable")
    reach = np.searchsorted(left[order], right[order], side="right")
    counts = np.maximum(reach - np.arange(len(ring)) - 1, 0)
    if counts.sum() > _MOST_PAIRS:
        return []
    one = np.repeat(np.arange(len(ring)), counts)
    offset = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    first, second = order[one], order[one + 1 + offset]
    low, high = np.minimum(start[:, 1], end[:, 1]), np.maximum(start[:, 1], end[:, 1])
    apart = np.abs(first - second)
    meet = (low[first] <= high[second]) & (low[second] <= high[first]) & (apart > 1) & (apart < len(ring) - 1)
    first, second = first[meet], second[meet]
    found = _properly(start[first], end[first], start[second], end[second])
    pairs = sorted((min(i, j), max(i, j)) for i, j in zip(first[found].tolist(), second[found].tolist(), strict=True))
    return [_crossing(ring, i, j) for i, j in pairs[:most]]


def area_px(ring_xy: NDArray[np.float64]) -> float:
    """Return the area that a ring goes around (shoelace), counting turns in opposite directions against each other."""
    centred = ring_xy - ring_xy.mean(axis=0)
    x, y = centred[:, 0], centred[:, 1]
    return abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2


def _properly(
    a: NDArray[np.float64], b: NDArray[np.float64], c: NDArray[np.float64], d: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Whether the segments a-b and c-d cross, each end clearly on one side of the other segment."""

    def side(p: NDArray[np.float64], q: NDArray[np.float64], r: NDArray[np.float64]) -> NDArray[np.float64]:
        cross = (q[:, 0] - p[:, 0]) * (r[:, 1] - p[:, 1]) - (q[:, 1] - p[:, 1]) * (r[:, 0] - p[:, 0])
        length = np.hypot(q[:, 0] - p[:, 0], q[:, 1] - p[:, 1])
        # the distance of r from the line in pixels: a hundredth of a pixel is rounding
        away = cross / np.maximum(length, 1e-9)
        return np.where(np.abs(away) < 0.01, 0, np.sign(away))

    return (side(a, b, c) * side(a, b, d) < 0) & (side(c, d, a) * side(c, d, b) < 0)


def _crossing(ring: NDArray[np.float64], i: int, j: int) -> Crossing:
    a, b, c, d = ring[i], ring[i + 1], ring[j], ring[(j + 1) % len(ring)]
    along, other = b - a, d - c
    share = ((c - a)[0] * other[1] - (c - a)[1] * other[0]) / (along[0] * other[1] - along[1] * other[0])
    point = a + share * along
    return Crossing(float(point[0]), float(point[1]))
