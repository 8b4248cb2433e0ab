"""For writers that keep objects whole: the parts of each put together, with what is said of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from tessella.formats.raster.rasterise import draw
from tessella.formats.tools.geometry import mask_shape

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tessella.core.annotation import Drawing, Shape, Tool
    from tessella.core.classes import LabelCoding

WITHOUT_PIXELS: Final = "objects that cover no pixel"
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
    meaning = coding.name_to_id()
    found: list[list[Shape]] = []
    places: dict[tuple[str, str], int] = {}
    crossed: list[int] = []
    for shape in drawing.shapes:
        place = places.get((shape.label, shape.group), -1) if shape.group else -1
        if place < 0:
            places[shape.label, shape.group] = len(found)
            found.append([shape])
            continue
        between = (other for one in found[place + 1 :] for other in one)
        if place not in crossed and any(overlap(shape, other) for other in between):
            crossed.append(place)
        found[place].append(shape)
    kept = [Object(one[0].label, meaning[one[0].label], one, _said(one, lost)) for one in found]
    for place in crossed:
        lost[_CROSSED] += len(kept[place].shapes)
        kept.append(kept[place]._replace(shapes=[_seen(kept[place].shapes, drawing, hw, rule)]))
    return [one for place, one in enumerate(kept) if place not in crossed]


def _said(parts: Sequence[Shape], lost: Counter[str]) -> dict[str, str]:
    said: dict[str, str] = {}
    for name, value in (pair for part in parts for pair in part.attributes):
        lost[_AT_ODDS] += said.setdefault(name, value) != value
    return said


def _seen(parts: Sequence[Shape], drawing: Drawing, hw: tuple[int, int], rule: Tool) -> Shape:
    own = {id(part) for part in parts}
    seen = draw(drawing.shapes, [int(id(shape) in own) for shape in drawing.shapes], hw, ground=0, rule=rule)
    return mask_shape(parts[0].label, seen.view(np.bool_), group=parts[0].group)


def overlap(one: Shape, other: Shape) -> bool:
    """Whether the boxes around what two shapes paint meet."""
    (left, top, right, bottom), (west, north, east, south) = box_of(one), box_of(other)
    return west <= right and east >= left and north <= bottom and south >= top


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
