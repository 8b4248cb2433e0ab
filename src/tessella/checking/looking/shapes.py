"""Drawn shapes one by one: whether each can be painted, and how far it reaches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tessella.formats.raster.rasterise import FARTHEST_PX, MIN_POINTS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tessella.core.annotation import Drawing, Shape


def is_short(shape: Shape) -> bool:
    """Whether a shape has fewer points than its kind needs."""
    return len(shape.points_xy) < MIN_POINTS[shape.kind]


def is_broken(shape: Shape) -> bool:
    """Whether a coordinate of a shape is no number."""
    return not all(np.isfinite(points).all() for points in (shape.points_xy, *shape.holes))


def is_sound(shape: Shape) -> bool:
    """Whether a shape can be painted."""
    if is_short(shape) or is_broken(shape) or (shape.kind == "mask" and shape.mask is None):
        return False
    return all(np.abs(points).max(initial=0) <= FARTHEST_PX for points in (shape.points_xy, *shape.holes))


def finite(points_xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the points whose coordinates are both numbers: (M, 2)."""
    return points_xy[np.isfinite(points_xy).all(axis=1)]


def extent(shape: Shape) -> NDArray[np.float64]:
    """Return points between which a shape lies: (M, 2) float64, M is 0 when it has no finite point.

    Of a circle or an ellipse it is the centre alone: one at the border reaches beyond it by nature.
    """
    points = finite(shape.points_xy)
    if shape.kind in {"circle", "ellipse"}:
        # a rim that no photo can hold is a slip, and cannot be painted
        return points if np.abs(points).max(initial=0) > FARTHEST_PX else points[:1]
    if shape.kind == "mask" and shape.mask is not None and len(points):
        return np.stack([points[0], points[0] + np.array(shape.mask.shape[::-1])])
    return points


def reach_xy(drawing: Drawing) -> NDArray[np.float64] | None:
    """Return the largest x and the largest y of all shapes: (2,) float64, or None when there is no finite point."""
    points = [extent(shape) for shape in drawing.shapes]
    together = np.concatenate(points) if points else np.empty((0, 2))
    return np.asarray(together.max(axis=0)) if len(together) else None


def fits(reach: NDArray[np.float64], hw: tuple[int, int]) -> bool:
    """Whether shapes with this reach leave a frame by no more than a pixel."""
    return bool(reach[0] <= hw[1] + 1 and reach[1] <= hw[0] + 1)


def fills(reach: NDArray[np.float64], hw: tuple[int, int]) -> bool:
    """Whether shapes with this reach come to nine tenths of both sides of a frame."""
    return bool(reach[0] >= 0.9 * hw[1] and reach[1] >= 0.9 * hw[0])
