"""For writers that keep objects whole: the parts of each put together, with what is said of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from tessella.core.classes import IGNORE
from tessella.formats.raster.labels import background_id
from tessella.formats.raster.rasterise import draw
from tessella.formats.tools.geometry import mask_shape

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tessella.core.annotation import Drawing, Shape, Tool
    from tessella.core.classes import LabelCoding
    from tessella.core.labelmap import Ids

WITHOUT_PIXELS: Final = "objects that cover no pixel"
HIDDEN: Final = "objects of which no pixel is seen"
_CROSSED: Final = "outlines of objects with another between their parts, kept as the pixels they show"
_AT_ODDS: Final = "attributes in which the parts of an object differ"
_REACH_PX: Final = 10.0


class Object(NamedTuple):
    """Shapes that are parts of one object.

    Args:
        label: The class.
        value: Its id.
        shapes: In drawing order.
        attributes: What its parts say, by name; of parts that differ what the first says.
    """

    label: str
    value: int
    shapes: list[Shape]
    attributes: dict[str, str]


def objects_of(
    drawing: Drawing, coding: LabelCoding, hw: tuple[int, int], *, rule: Tool, lost: Counter[str]
) -> list[Object]:
    """Return the objects of a drawing, so that painting them one after the other gives what the drawing gives.

    Parts of an object come together where its first part was drawn. Where another object was drawn between two parts
    that it may cover, the object is a mask of the pixels of it that are seen, after all others.

    Args:
        drawing: The shapes.
        coding: The classes.
        hw: Height and width of the photo in pixels.
        rule: How shapes are painted to tell what is seen.
        lost: Takes what objects cannot say, by kind.
    """
    meaning, shapes, boxes = coding.name_to_id(), drawing.shapes, boxes_of(drawing.shapes)
    found: list[list[int]] = []
    places: dict[tuple[str, str], int] = {}
    crossed: dict[int, None] = {}
    for number, shape in enumerate(shapes):
        place = places.get((shape.label, shape.group), -1) if shape.group else -1
        if place < 0:
            places[shape.label, shape.group] = len(found)
            found.append([number])
            continue
        between = [other for one in found[place + 1 :] for other in one]
        if meeting(boxes[number], boxes[between]).any():
            crossed[place] = None
        found[place].append(number)
    kept = []
    for one in found:
        parts = [shapes[number] for number in one]
        kept.append(Object(parts[0].label, meaning[parts[0].label], parts, _said(parts, lost)))
    for place in crossed:
        lost[_CROSSED] += len(kept[place].shapes)
        kept.append(kept[place]._replace(shapes=[_seen(kept[place].shapes, drawing, hw, rule)]))
    return [one for place, one in enumerate(kept) if place not in crossed]


def numbers_of(drawing: Drawing, ids: Ids, coding: LabelCoding, *, lost: Counter[str]) -> NDArray[np.int32]:
    """Return which object of a drawing each pixel shows.

    Objects are numbered in the order in which their first shapes were drawn; those of the background's class are none.

    Args:
        drawing: The shapes.
        ids: The class ids that are seen, (H, W).
        coding: The classes.
        lost: Takes how many objects cannot be seen.

    Returns:
        (H, W): 1, 2, 3, ... for objects, 0 for the background, and -1 for what is ignored and for the few pixels at
        borders that another rule of painting gave to another class.
    """
    meaning, ground, hw = coding.name_to_id(), background_id(coding), (ids.shape[0], ids.shape[1])
    places: dict[object, int] = {}
    values = [IGNORE]
    drawn = []
    for number, shape in enumerate(drawing.shapes):
        drawn.append(places.setdefault((shape.label, shape.group) if shape.group else number, len(values)))
        if drawn[-1] == len(values):
            values.append(meaning[shape.label])
    rule: Tool = "coco" if drawing.tool == "coco" else "centre"
    index = np.zeros(hw, np.int32)
    for shift in range(0, len(values).bit_length(), 8):  # a byte of the numbers at a time
        plane = draw(drawing.shapes, [number >> shift & 255 for number in drawn], hw, ground=0, rule=rule)
        index |= plane.astype(np.int32) << shift
    owners = np.array(values, np.uint8)
    index[(owners[index] != ids) | (ids == IGNORE) | (ids == ground)] = 0
    seen = np.bincount(index.ravel(), minlength=len(values)) > 0
    lost[HIDDEN] += int((~seen & (owners != IGNORE) & (owners != ground)).sum())
    seen[0] = False
    found = np.where(seen, np.cumsum(seen), -1).astype(np.int32)[index]
    found[(ids == ground) & (found < 0)] = 0
    return np.asarray(found, np.int32)


def _said(parts: Sequence[Shape], lost: Counter[str]) -> dict[str, str]:
    said: dict[str, str] = {}
    for name, value in (pair for part in parts for pair in part.attributes):
        lost[_AT_ODDS] += said.setdefault(name, value) != value
    return said


def _seen(parts: Sequence[Shape], drawing: Drawing, hw: tuple[int, int], rule: Tool) -> Shape:
    own = {id(part) for part in parts}
    seen = draw(drawing.shapes, [int(id(shape) in own) for shape in drawing.shapes], hw, ground=0, rule=rule)
    return mask_shape(parts[0].label, seen.view(np.bool_), group=parts[0].group)


def meeting(box: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which of some boxes a box meets.

    Args:
        box: (4,) left, top, right, bottom.
        others: (N, 4).

    Returns:
        (N,) bool.
    """
    left, top, right, bottom = box
    across = (others[:, 0] <= right) & (others[:, 2] >= left)
    return np.asarray(across & (others[:, 1] <= bottom) & (others[:, 3] >= top))


def boxes_of(shapes: Sequence[Shape], *, reach: float = 0.5) -> NDArray[np.float64]:
    """Return `box_of` every shape, (N, 4)."""
    return np.array([box_of(shape, reach=reach) for shape in shapes], np.float64).reshape(-1, 4)


def box_of(shape: Shape, *, reach: float = 0.5) -> tuple[float, float, float, float]:
    """Return left, top, right, bottom of all that a shape may paint, in pixels.

    Args:
        shape: Of any kind.
        reach: How far the rule of painting goes beyond an outline; COCO's rounds to the nearest pixel.
    """
    points = shape.points_xy
    if len(points) == 0:
        return 0.0, 0.0, 0.0, 0.0
    if shape.kind in {"line", "linestrip", "point", "points"}:
        reach = max(reach, _REACH_PX)
    if shape.kind in {"circle", "ellipse"}:
        reach += float(np.abs(points - points[0]).sum())
    if shape.mask is not None:
        points = np.stack([points[0], points[0] + shape.mask.shape[::-1]])
    low, high = points.min(axis=0) - reach, points.max(axis=0) + reach
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def corners_of(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the four corners of the box around some points: (4, 2) float64."""
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
