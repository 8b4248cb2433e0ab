"""G: drawn shapes that cannot be what was meant."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from tessella.checking.looking.frames import frame_hw
from tessella.checking.looking.shapes import extent, finite, is_broken, is_short
from tessella.checking.rule import Change, Mend, drawing_to_mend
from tessella.core.finding import Finding
from tessella.formats.raster.rasterise import FARTHEST_PX, MIN_POINTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from tessella.checking.looking.look import Look
    from tessella.core.annotation import Shape
    from tessella.core.finding import Severity

CLIPPED = frozenset({"polygon", "rectangle"})
"""Kinds whose outline can be cut at the border without changing a pixel inside."""

_ROUNDED_PX = 0.005
"""Less comes of rounding: six digits of a share of the photo are as coarse as that in photos of 10,000 pixels."""


def outside(look: Look) -> Iterator[Finding]:
    """G101: a shape reaches beyond the photo."""
    frame = frame_hw(look)
    if look.drawing is None or frame is None:
        return
    over = [(number, overshoot(shape, frame)) for number, shape in enumerate(look.drawing.shapes)]
    over = [(number, by) for number, by in over if by >= _ROUNDED_PX]
    if not over:
        return
    worst, by = max(over, key=lambda item: item[1])
    shapes = look.drawing.shapes
    gone = [number for number, _ in over if _is_outside(shapes[number], frame)]
    what = f"{_count(over)} beyond the photo ({frame[1]}x{frame[0]}), "
    what += f"shape {worst} ({shapes[worst].label!r}) by {by:.2f} px"
    if gone:
        what += f"; shape {gone[0]} lies wholly outside"
    severity: Severity = "error" if gone else "warning" if by >= 1 else "info"
    fixable = any(shapes[number].kind in CLIPPED for number, _ in over)
    yield Finding("G101", severity, look.label_where, what, "cut the shapes at the border (--fix does)", fixable)


def too_few_points(look: Look) -> Iterator[Finding]:
    """G102: a polygon with fewer than three points, or another shape with too few."""
    if look.drawing is None:
        return
    shapes, apart = look.drawing.shapes, look.drawing.short
    short = [(f"shape {number}", shape) for number, shape in enumerate(shapes) if is_short(shape)]
    short += [(f"object {shape.group}", shape) for shape in apart]
    if not short:
        return
    name, shape = short[0]
    points = f"{len(shape.points_xy)} point{'s' if len(shape.points_xy) != 1 else ''}"
    what = f"{name}, a {shape.kind} labelled {shape.label!r}, has {points} and covers nothing"
    if shape in apart:
        x, y = shape.points_xy[0].tolist()
        what += f", at x {x:.1f}, y {y:.1f}"
    # a part of an object whose other parts are sound is a slip; an object of nothing else is lost
    outlined = {shape.group for shape in shapes}
    is_lost = len(short) > len(apart) or any(shape.group not in outlined for shape in apart)
    yield Finding(
        "G102",
        "error" if is_lost else "warning",
        look.label_where,
        what + (f"; {len(short) - 1} more like it" if len(short) > 1 else ""),
        "delete the shape (--fix does), and draw the object again if there is one",
        True,
    )


def not_finite(look: Look) -> Iterator[Finding]:
    """G103: a coordinate that is NaN or infinite."""
    if look.drawing is None:
        return
    broken = [(number, shape) for number, shape in enumerate(look.drawing.shapes) if is_broken(shape)]
    if broken:
        number, shape = broken[0]
        missing = len(shape.points_xy) - len(finite(shape.points_xy))
        where = f"shape {number}, a {shape.kind} labelled {shape.label!r}"
        more = f"; {len(broken) - 1} more shapes like it" if len(broken) > 1 else ""
        fixable = all(_mendable(shape) for _, shape in broken)
        yield Finding(
            "G103",
            "error",
            look.label_where,
            f"{where}, has {missing} of {len(shape.points_xy)} points that are no numbers{more}",
            "delete these points (--fix does)" if fixable else "draw the shape again: too little of it is left",
            fixable,
        )


def clip_shapes(look: Look) -> Mend:
    """Cut polygons and rectangles at the border; delete those that lie wholly outside (G101)."""
    drawing, frame = drawing_to_mend(look), frame_hw(look)
    if frame is None:
        return Mend(drawing)
    shapes, changes, deleted = [], [], []
    for number, shape in enumerate(drawing.shapes):
        by = overshoot(shape, frame)
        cut = _clipped(shape, frame) if by > 0 and shape.kind in CLIPPED else shape
        if cut is None:
            deleted.append(number)
            changes.append(Change(f"{shape.label!r} lay wholly outside the photo and was deleted", number))
            continue
        shapes.append(cut)
        if cut is not shape:
            changes.append(Change(f"{shape.label!r} was cut at the border; it reached {by:.2f} px beyond", number))
    return Mend(replace(drawing, shapes=tuple(shapes)), tuple(changes), tuple(deleted))


def drop_short_shapes(look: Look) -> Mend:
    """Delete shapes that have too few points to cover anything (G102)."""
    drawing = drawing_to_mend(look)
    short = tuple(number for number, shape in enumerate(drawing.shapes) if is_short(shape))
    changes = []
    for number in short:
        shape = drawing.shapes[number]
        changes.append(Change(f"a {shape.kind} of {len(shape.points_xy)} points, {shape.label!r}, was deleted", number))
    for shape in drawing.short:
        what = f"a {shape.kind} of {len(shape.points_xy)} points, {shape.label!r}, of object {shape.group} was deleted"
        changes.append(Change(what))
    kept = tuple(shape for shape in drawing.shapes if not is_short(shape))
    return Mend(replace(drawing, shapes=kept, short=()), tuple(changes), short)


def drop_broken_points(look: Look) -> Mend:
    """Delete points that are no numbers where enough others are left (G103)."""
    drawing = drawing_to_mend(look)
    shapes, changes = [], []
    for number, shape in enumerate(drawing.shapes):
        if not is_broken(shape) or not _mendable(shape):
            shapes.append(shape)
            continue
        kept = finite(shape.points_xy)
        holes = tuple(ring for ring in map(finite, shape.holes) if len(ring) >= 3)
        shapes.append(replace(shape, points_xy=kept, holes=holes))
        lost = len(shape.points_xy) - len(kept)
        changes.append(Change(f"{shape.label!r} lost {lost} points that are no numbers", number))
    return Mend(replace(drawing, shapes=tuple(shapes)), tuple(changes))


def overshoot(shape: Shape, hw: tuple[int, int]) -> float:
    """Return by how many pixels a shape reaches beyond a frame; 0 when it does not, or has no finite point."""
    points = extent(shape)
    if not len(points):
        return 0.0
    low, high = points.min(axis=0), points.max(axis=0)
    return max(0.0, float(-low.min()), float((high - [hw[1], hw[0]]).max()))


def _is_outside(shape: Shape, hw: tuple[int, int]) -> bool:
    points = extent(shape)
    low, high = points.min(axis=0), points.max(axis=0)
    return bool((high <= 0).any() or low[0] >= hw[1] or low[1] >= hw[0])


def _clipped(shape: Shape, hw: tuple[int, int]) -> Shape | None:
    if shape.kind == "rectangle":
        points = np.clip(shape.points_xy, 0, [hw[1], hw[0]])
        return replace(shape, points_xy=points) if (np.ptp(points, axis=0) > 0).all() else None
    outer = clip_ring(shape.points_xy, hw)
    holes = tuple(ring for hole in shape.holes if len(ring := clip_ring(hole, hw)) >= 3)
    return replace(shape, points_xy=outer, holes=holes) if len(outer) >= 3 else None


def clip_ring(ring_xy: NDArray[np.float64], hw: tuple[int, int]) -> NDArray[np.float64]:
    """Cut a ring at the border of a frame (Sutherland and Hodgman, 1974).

    Args:
        ring_xy: (N, 2) float64, finite.
        hw: Height and width of the frame.

    Returns:
        (M, 2) float64; M is 0 when nothing is left inside.
    """
    ring = np.clip(ring_xy, -FARTHEST_PX, FARTHEST_PX)  # differences of larger ones overflow
    for axis, limit, keeps_below in (
        (0, 0.0, False),
        (0, float(hw[1]), True),
        (1, 0.0, False),
        (1, float(hw[0]), True),
    ):
        if not len(ring):
            break
        ring = _cut(ring, axis, limit, keeps_below=keeps_below)
    return ring


def _cut(ring: NDArray[np.float64], axis: int, limit: float, *, keeps_below: bool) -> NDArray[np.float64]:
    kept = ring[:, axis] <= limit if keeps_below else ring[:, axis] >= limit
    result = []
    for here in range(len(ring)):
        before = here - 1
        if kept[here] != kept[before]:
            # from the inner end always: an edge that two polygons share, walked both ways, must be cut at one point
            inner, outer = (ring[here], ring[before]) if kept[here] else (ring[before], ring[here])
            crossing = inner + (limit - inner[axis]) / (outer[axis] - inner[axis]) * (outer - inner)
            crossing[axis] = limit
            result.append(crossing)
        if kept[here]:
            result.append(ring[here])
    return np.array(result) if result else np.empty((0, 2))


def _mendable(shape: Shape) -> bool:
    return shape.kind in {"polygon", "linestrip", "points"} and len(finite(shape.points_xy)) >= MIN_POINTS[shape.kind]


def _count(over: list[tuple[int, float]]) -> str:
    return "1 shape reaches" if len(over) == 1 else f"{len(over)} shapes reach"
