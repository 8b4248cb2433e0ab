"""Which pixels a drawn shape covers: one stated rule, and beside it the rule of the tool that drew the shape.

The rule (`fill="centre"`): pixel (row r, column c) is the unit square with its centre at (x, y) = (c + 0.5, r + 0.5),
and it belongs to a shape when that centre lies inside. Inside a polygon means an odd number of edges to its left
(even-odd), and a centre exactly on an edge belongs to the side of larger x or y. So a square with the corners (10, 10)
and (20, 20) covers 100 pixels, and polygons that share an edge neither overlap nor leave a gap. Circles and ellipses
hold the centres within and on their rim, a line is LINE_WIDTH_PX wide with round ends, a point is a disc of
POINT_RADIUS_PX. Later shapes paint over earlier ones.

The tool's rule (`fill="tool"`) paints what LabelMe paints (`labelme.utils.shape_to_mask`): Pillow shapes with their
outline, which are about half a pixel larger on every side (121 pixels for that square).
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from tessella.core.errors import LabelError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tessella.core.annotation import Shape

LINE_WIDTH_PX: Final = 10
"""Width of a line or line strip, the default of `labelme.utils.shape_to_mask`."""

POINT_RADIUS_PX: Final = 5
"""Radius of a point, the default of `labelme.utils.shape_to_mask`."""

FARTHEST_PX: Final = 1e7
"""Coordinates beyond this are refused: their products lose the pixel, and those of 1e300 overflow."""

MIN_POINTS: Final = {
    "polygon": 3, "rectangle": 2, "circle": 2, "line": 2, "linestrip": 2, "point": 1, "points": 1, "mask": 1,
    "ellipse": 3,
}  # fmt: skip
"""How many points a shape needs, by kind."""


def paint(ids: NDArray[np.uint8], shape: Shape, *, value: int, fill: Literal["centre", "tool"] = "centre") -> None:
    """Paint one shape into a grid of ids, in place; what lies outside the grid is cut off.

    Args:
        ids: (H, W) uint8, changed.
        shape: What to paint.
        value: The id to paint.
        fill: The rule.

    Raises:
        LabelError: Too few points, or a coordinate that is not a number or lies further out than FARTHEST_PX.
    """
    points = shape.points_xy
    if len(points) < MIN_POINTS[shape.kind]:
        raise LabelError(
            f"a {shape.kind} labelled {shape.label!r} has too few points",
            got=len(points),
            expected=f"at least {MIN_POINTS[shape.kind]}",
            fix="run `tessella check --fix`, or delete the shape",
        )
    if not np.isfinite(points).all() or not all(np.isfinite(ring).all() for ring in shape.holes):
        raise LabelError(
            f"a {shape.kind} labelled {shape.label!r} has a coordinate that is not a number",
            fix="run `tessella check --fix`, or correct the shape",
        )
    if any(np.abs(ring).max(initial=0) > FARTHEST_PX for ring in (points, *shape.holes)):
        raise LabelError(
            f"a {shape.kind} labelled {shape.label!r} has a coordinate far outside any photo",
            got=f"{max(np.abs(ring).max(initial=0) for ring in (points, *shape.holes)):g}",
            expected=f"at most {FARTHEST_PX:g} pixels",
            fix="run `tessella check --fix`, or correct the shape",
        )
    if shape.kind == "mask":
        _paint_mask(ids, shape, value)
    elif fill == "tool" and shape.kind != "ellipse":
        _paint_as_tool(ids, shape, value)
    else:
        _paint_by_centres(ids, shape, value)


def polygon_mask(rings_xy: Sequence[NDArray[np.float64]], hw: tuple[int, int]) -> NDArray[np.bool_]:
    """Return the pixels whose centres lie inside rings, by the even-odd rule.

    Args:
        rings_xy: Closed rings, each (N, 2) float64 x, y in pixels; the last point joins the first.
        hw: Height and width of the grid.

    Returns:
        (H, W) bool.
    """
    mask = np.zeros(hw, np.uint8)
    _fill_rings(mask, rings_xy, 1)
    return mask.astype(bool)


def _fill_rings(ids: NDArray[np.uint8], rings_xy: Sequence[NDArray[np.float64]], value: int) -> None:
    height, width = ids.shape
    rows, columns = _crossings(rings_xy, height, width)
    if rows.size == 0:
        return
    top, bottom = int(rows.min()), int(rows.max()) + 1
    left, right = int(columns.min()), int(columns.max())
    if left == right:
        return
    flips = np.zeros((bottom - top, right - left + 1), np.uint8)
    np.bitwise_xor.at(flips, (rows - top, columns - left), np.uint8(1))
    inside = np.bitwise_xor.accumulate(flips, axis=1)[:, :-1]
    ids[top:bottom, left:right][inside.view(bool)] = value


def _crossings(
    rings_xy: Sequence[NDArray[np.float64]], height: int, width: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """List where edges cross the centre lines of rows: the row, and the first column whose centre is not left of it."""
    start = np.concatenate(list(rings_xy))
    end = np.concatenate([np.roll(ring, -1, axis=0) for ring in rings_xy])
    # From top to bottom always: an edge that two polygons share, walked either way, must round to the same crossings.
    swap = (start[:, 1] > end[:, 1])[:, None]
    high, low = np.where(swap, end, start), np.where(swap, start, end)
    first = np.clip(np.ceil(high[:, 1] - 0.5), 0, height).astype(np.int64)
    last = np.clip(np.ceil(low[:, 1] - 0.5), 0, height).astype(np.int64)
    count = np.maximum(last - first, 0)
    edge = np.repeat(np.arange(len(count)), count)
    rows = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + first[edge]
    down = rows + 0.5 - high[edge, 1]
    span = low[edge] - high[edge]
    x = high[edge, 0] + down * (span[:, 0] / span[:, 1])
    columns = np.clip(np.ceil(x - 0.5), -1, width) - 1.0
    # The division may round a centre on the edge to either side. Multiplied out, the comparison is exact wherever the
    # coordinates have at most 26 significant bits: any picture below 2**18 pixels, to 1/256 pixel.
    for _ in range(2):
        columns += (columns + 0.5 - high[edge, 0]) * span[:, 1] < span[:, 0] * down
    return rows, np.clip(columns, 0, width).astype(np.int64)


def _paint_by_centres(ids: NDArray[np.uint8], shape: Shape, value: int) -> None:
    points = shape.points_xy
    if shape.kind == "polygon":
        _fill_rings(ids, [points, *shape.holes], value)
    elif shape.kind == "rectangle":
        _fill_rings(ids, [_corners(points)], value)
    elif shape.kind == "circle":
        _fill_capsule(ids, np.stack([points[0], points[0]]), math.dist(points[0], points[1]), value)
    elif shape.kind == "ellipse":
        _fill_ellipse(ids, points, value)
    elif shape.kind in {"point", "points"}:
        for point in points:
            _fill_capsule(ids, np.stack([point, point]), POINT_RADIUS_PX, value)
    else:
        for segment in itertools.pairwise(points):
            _fill_capsule(ids, np.stack(segment), LINE_WIDTH_PX / 2, value)


def _corners(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the four corners of the box that encloses the points (LabelMe writes two, CVAT four)."""
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]])


def _fill_capsule(ids: NDArray[np.uint8], segment: NDArray[np.float64], radius: float, value: int) -> None:
    """Paint the pixels whose centres are at most `radius` from a segment; a segment of one point gives a disc."""
    height, width = ids.shape
    low = np.floor(segment.min(axis=0) - radius - 1)
    high = np.ceil(segment.max(axis=0) + radius + 1)
    left, right = (int(v) for v in np.clip([low[0], high[0]], 0, width))
    top, bottom = (int(v) for v in np.clip([low[1], high[1]], 0, height))
    if left >= right or top >= bottom:
        return
    x = np.arange(left, right) + 0.5 - segment[0, 0]
    y = (np.arange(top, bottom) + 0.5 - segment[0, 1])[:, None]
    along = segment[1] - segment[0]
    length = float(along @ along)
    if length > 0:
        at = np.clip((x * along[0] + y * along[1]) / length, 0.0, 1.0)
        x, y = x - at * along[0], y - at * along[1]
    ids[top:bottom, left:right][x * x + y * y <= radius * radius] = value


def _fill_ellipse(ids: NDArray[np.uint8], points: NDArray[np.float64], value: int) -> None:
    """Paint the pixels whose centres lie within the ellipse that two half axes span; a flat one covers nothing."""
    height, width = ids.shape
    centre, (ax, ay), (bx, by) = points[0], points[1] - points[0], points[2] - points[0]
    reach = np.array([math.hypot(ax, bx), math.hypot(ay, by)])
    left, top = (int(v) for v in np.clip(np.floor(centre - reach - 1), 0, [width, height]))
    right, bottom = (int(v) for v in np.clip(np.ceil(centre + reach + 1), 0, [width, height]))
    area = ax * by - ay * bx
    if left >= right or top >= bottom or area == 0:
        return
    x = np.arange(left, right) + 0.5 - centre[0]
    y = (np.arange(top, bottom) + 0.5 - centre[1])[:, None]
    # the map that makes the half axes the unit vectors makes the ellipse the unit disc; multiplied out, not divided
    inside = (x * by - y * bx) ** 2 + (y * ax - x * ay) ** 2 <= area * area
    ids[top:bottom, left:right][inside] = value


def _paint_mask(ids: NDArray[np.uint8], shape: Shape, value: int) -> None:
    if shape.mask is None:
        raise LabelError(f"a mask labelled {shape.label!r} holds no pixels", fix="delete the shape")
    left, top = (int(v) for v in np.floor(shape.points_xy[0]))
    cut_left, cut_top = max(0, -left), max(0, -top)
    part = shape.mask[cut_top : max(cut_top, ids.shape[0] - top), cut_left : max(cut_left, ids.shape[1] - left)]
    row, column = top + cut_top, left + cut_left
    ids[row : row + part.shape[0], column : column + part.shape[1]][part] = value


def _paint_as_tool(ids: NDArray[np.uint8], shape: Shape, value: int) -> None:
    from PIL import Image, ImageDraw

    picture = Image.new("1", (ids.shape[1], ids.shape[0]))
    draw = ImageDraw.Draw(picture)
    points = [(float(x), float(y)) for x, y in shape.points_xy]
    if shape.kind == "polygon":
        draw.polygon(points, outline=1, fill=1)
        for hole in shape.holes:
            draw.polygon([(float(x), float(y)) for x, y in hole], outline=0, fill=0)
    elif shape.kind == "rectangle":
        (left, top), (right, bottom) = shape.points_xy.min(axis=0), shape.points_xy.max(axis=0)
        draw.rectangle([float(left), float(top), float(right), float(bottom)], outline=1, fill=1)
    elif shape.kind in {"line", "linestrip"}:
        draw.line(points, fill=1, width=LINE_WIDTH_PX)
    else:
        radius = math.dist(points[0], points[1]) if shape.kind == "circle" else POINT_RADIUS_PX
        for x, y in points[:1] if shape.kind == "circle" else points:
            draw.ellipse([x - radius, y - radius, x + radius, y + radius], outline=1, fill=1)
    ids[np.asarray(picture)] = value
