"""Which pixels a drawn shape covers: one stated rule, and beside it the rules of the tools that draw shapes.

The rule ("centre"): pixel (row r, column c) is the unit square with its centre at (x, y) = (c + 0.5, r + 0.5), and it
belongs to a shape when that centre lies inside. Inside a polygon means an odd number of edges to its left (even-odd,
holes included), and a centre exactly on an edge belongs to the side of larger x or y. So a square with the corners
(10, 10) and (20, 20) covers 100 pixels, and polygons that share an edge neither overlap nor leave a gap. Circles and
ellipses hold the centres within and on their rim, a line is LINE_WIDTH_PX wide with round ends, a point is a disc of
POINT_RADIUS_PX. Later shapes paint over earlier ones.

"coco" paints polygons as pycocotools does, "cvat" as CVAT's export of segmentation masks does, "labelme" as
`labelme.utils.shape_to_mask` does; see `tools`.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Final

import numpy as np

from tessella.core.errors import LabelError
from tessella.formats.raster import tools
from tessella.formats.raster.scanline import LineRule, Rings, fill, filled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tessella.core.annotation import Shape, Tool

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

_LINES: Final[dict[Tool, LineRule | None]] = {"centre": "centre", "coco": "coco", "cvat": "coco", "labelme": None}
"""How each rule fills polygons and rectangles line by line; LabelMe leaves it to Pillow."""


def draw(
    shapes: Sequence[Shape], values: Sequence[int], hw: tuple[int, int], *, ground: int, rule: Tool = "centre"
) -> NDArray[np.uint8]:
    """Paint shapes in order onto a new grid; many polygons at once are far faster than one by one.

    Args:
        shapes: What to paint; what lies outside the grid is cut off.
        values: The id of each shape.
        hw: Height and width of the grid.
        ground: The id of pixels that no shape covers.
        rule: The rule.

    Returns:
        (H, W) uint8.

    Raises:
        LabelError: A shape with too few points, or a coordinate that is not a number or lies further out than
            FARTHEST_PX.
    """
    _require_sound(shapes)
    # COCO's rule goes down the columns: on a transposed grid those lie in one piece
    lines, turned = _LINES[rule], _LINES[rule] == "coco"
    height, width = hw
    inked = list(zip(shapes, values, strict=True))
    first = next((number for number, shape in enumerate(shapes) if not _goes_by_lines(shape, rule)), len(inked))
    canvas = filled(
        (width, height) if turned else hw,
        [Rings(_rings(shape), value) for shape, value in inked[:first]],
        rule=lines or "centre",
        ground=ground,
    )
    _paint(canvas, canvas.T if turned else canvas, inked[first:], rule)
    return _turned(canvas) if turned else canvas


def _turned(canvas: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the transpose in one piece; OpenCV goes through it in blocks and is five times as fast as NumPy."""
    import cv2

    return np.asarray(cv2.transpose(canvas), np.uint8)


def paint(ids: NDArray[np.uint8], shape: Shape, *, value: int, rule: Tool = "centre") -> None:
    """Paint one shape into a grid of ids, in place; what lies outside the grid is cut off.

    Args:
        ids: (H, W) uint8, changed.
        shape: What to paint.
        value: The id to paint.
        rule: The rule.

    Raises:
        LabelError: As `draw`.
    """
    _require_sound([shape])
    _paint(ids.T if _LINES[rule] == "coco" else ids, ids, [(shape, value)], rule)


def polygon_mask(rings_xy: Sequence[NDArray[np.float64]], hw: tuple[int, int]) -> NDArray[np.bool_]:
    """Return the pixels whose centres lie inside rings, by the even-odd rule.

    Args:
        rings_xy: Closed rings, each (N, 2) float64 x, y in pixels; the last point joins the first.
        hw: Height and width of the grid.

    Returns:
        (H, W) bool.
    """
    return filled(hw, [Rings(rings_xy, 1)], rule="centre", ground=0).view(np.bool_)


def _goes_by_lines(shape: Shape, rule: Tool) -> bool:
    return _LINES[rule] is not None and shape.kind in {"polygon", "rectangle"}


def _paint(canvas: NDArray[np.uint8], ids: NDArray[np.uint8], shapes: list[tuple[Shape, int]], rule: Tool) -> None:
    """Paint shapes in order; `canvas` is `ids`, or its transpose for rules that go down the columns."""
    lines = _LINES[rule] or "centre"
    waiting: list[Rings] = []
    for shape, value in shapes:
        if _goes_by_lines(shape, rule):
            waiting.append(Rings(_rings(shape), value))
            continue
        fill(canvas, waiting, rule=lines)
        waiting = []
        if shape.kind == "mask":
            _paint_mask(ids, shape, value)
        elif rule == "labelme" and shape.kind != "ellipse":
            tools.paint_as_labelme(ids, shape, value)
        elif rule == "cvat":
            tools.paint_as_cvat(ids, shape, value)
        else:
            _paint_by_centres(ids, shape, value)
    fill(canvas, waiting, rule=lines)


def _rings(shape: Shape) -> list[NDArray[np.float64]]:
    return [shape.points_xy, *shape.holes] if shape.kind == "polygon" else [_corners(shape.points_xy)]


def _corners(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the four corners of the box that encloses the points (LabelMe writes two, CVAT four)."""
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]])


def _require_sound(shapes: Sequence[Shape]) -> None:
    for shape in shapes:
        if len(shape.points_xy) < MIN_POINTS[shape.kind]:
            raise LabelError(
                f"a {shape.kind} labelled {shape.label!r} has too few points",
                got=len(shape.points_xy),
                expected=f"at least {MIN_POINTS[shape.kind]}",
                fix="run `tessella check --fix`, or delete the shape",
            )
    rings = [ring for shape in shapes for ring in (shape.points_xy, *shape.holes)]
    # all at once first: a test of each ring would cost more than filling it
    if rings and not np.abs(np.concatenate(rings)).max() <= FARTHEST_PX:
        for shape in shapes:
            _require_near(shape)


def _require_near(shape: Shape) -> None:
    rings = (shape.points_xy, *shape.holes)
    if not all(np.isfinite(ring).all() for ring in rings):
        raise LabelError(
            f"a {shape.kind} labelled {shape.label!r} has a coordinate that is not a number",
            fix="run `tessella check --fix`, or correct the shape",
        )
    farthest = max(np.abs(ring).max(initial=0) for ring in rings)
    if farthest > FARTHEST_PX:
        raise LabelError(
            f"a {shape.kind} labelled {shape.label!r} has a coordinate far outside any photo",
            got=f"{farthest:g}",
            expected=f"at most {FARTHEST_PX:g} pixels",
            fix="run `tessella check --fix`, or correct the shape",
        )


def _paint_by_centres(ids: NDArray[np.uint8], shape: Shape, value: int) -> None:
    points = shape.points_xy
    if shape.kind in {"polygon", "rectangle"}:
        fill(ids, [Rings(_rings(shape), value)], rule="centre")
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
