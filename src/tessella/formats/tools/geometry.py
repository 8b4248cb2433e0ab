"""Shapes as tools state them (boxes, ellipses, turned rectangles, masks) to the points and cut-outs of a `Shape`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from tessella.core.annotation import Shape
from tessella.core.errors import FormatError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def box_points(left: float, top: float, width: float, height: float) -> NDArray[np.float64]:
    """Return two opposite corners of a box, (2, 2) x, y."""
    return np.array([[left, top], [left + width, top + height]])


def ellipse_points(
    centre: tuple[float, float], radii: tuple[float, float], degrees: float = 0.0
) -> NDArray[np.float64]:
    """Return the points of an ellipse: centre, the ends of the first and of the second half axis, (3, 2) x, y.

    Args:
        centre: x, y.
        radii: The half axes in pixels, along x and along y before turning.
        degrees: How far it is turned, clockwise on the screen.
    """
    x, y = centre
    if not math.isfinite(degrees):
        return np.full((3, 2), np.nan)
    cos, sin = (1.0, 0.0) if degrees == 0 else (math.cos(math.radians(degrees)), math.sin(math.radians(degrees)))
    return np.array([[x, y], [x + radii[0] * cos, y + radii[0] * sin], [x - radii[1] * sin, y + radii[1] * cos]])


def turned_box(corner: tuple[float, float], size: tuple[float, float], degrees: float) -> NDArray[np.float64]:
    """Return the four corners of a box that is turned around its first corner, (4, 2) x, y.

    Args:
        corner: x, y of the corner that was the top left one.
        size: Width and height.
        degrees: How far it is turned, clockwise on the screen.
    """
    if not math.isfinite(degrees):
        return np.full((4, 2), np.nan)
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    across, down = np.array([cos, sin]) * size[0], np.array([-sin, cos]) * size[1]
    start = np.array(corner)
    return np.array([start, start + across, start + across + down, start + down])


def turned_around_centre(points: NDArray[np.float64], radians: float, *, where: object) -> NDArray[np.float64]:
    """Return the four corners of a box that is turned around its centre, (4, 2) x, y.

    Args:
        points: Two opposite corners of the box before turning.
        radians: How far it is turned, clockwise on the screen.
        where: File and key, for messages.

    Raises:
        FormatError: Not two corners.
    """
    if len(points) != 2:
        raise FormatError("a box has not two corners", where=where, got=f"{len(points)} points")
    if not math.isfinite(radians):
        return np.full((4, 2), np.nan)
    (left, top), (right, bottom) = points
    centre = points.mean(axis=0)
    cos, sin = math.cos(radians), math.sin(radians)
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]]) - centre
    return np.asarray(corners @ np.array([[cos, sin], [-sin, cos]]) + centre)


def mask_shape(
    label: str, mask: NDArray[np.bool_], *, group: str = "", attributes: tuple[tuple[str, str], ...] = ()
) -> Shape:
    """Return a mask over the whole photo, (H, W) bool, as a shape that keeps only the box around its pixels."""
    rows = np.flatnonzero(mask.any(axis=1))
    columns = np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return Shape(label, "mask", np.zeros((1, 2)), group, np.zeros((1, 1), np.bool_), attributes=attributes)
    part = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].copy()
    return Shape(label, "mask", np.array([[columns[0], rows[0]]], np.float64), group, part, attributes=attributes)
