"""Elements of CVAT files as shapes: boxes, ellipses and polygons with their rotation, masks by runs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from tessella.core.annotation import Shape, ShapeKind
from tessella.core.errors import FormatError
from tessella.files.images import PHOTO_BUDGET, check_hw
from tessella.files.values.numbers import SIDE_BUDGET, number, spelled, whole
from tessella.formats.cvat.scan import SHAPES
from tessella.formats.raster.rle import decode_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from xml.etree.ElementTree import Element

    from numpy.typing import NDArray

POINT_KINDS: Final[dict[str, ShapeKind]] = {"polygon": "polygon", "polyline": "linestrip", "points": "points"}
"""Elements that are lists of points, and what they become."""


def drawn(elements: Iterable[Element], *, where: object, max_pixels: int | None = None) -> tuple[Shape, ...]:
    """Return the shapes of an `<image>` in the order in which they paint: by `z_order`, then as in the file.

    Args:
        elements: Its children; what is no shape is passed over.
        where: File and image, for messages.
        max_pixels: Most pixels of a mask, or None for the usual budget.

    Raises:
        FormatError: A mask whose runs do not fill its box, points that are none, or masks beyond the pixel budget.
        ImageError: A mask larger than `max_pixels`.
    """
    listed = list(elements)
    found: dict[int, Shape] = {}
    masked = 0
    for place, element in enumerate(listed):
        here = f"{where}: {element.tag} {place + 1}"
        geometry = geometry_of(element.tag, element.attrib, where=here, max_pixels=max_pixels)
        if geometry is None:
            continue
        kind, points, mask = geometry
        masked += 0 if mask is None else mask.size
        check_masks(masked, where=here)
        found[place] = Shape(
            element.get("label", ""),
            kind,
            points,
            group_of(element.attrib),
            mask,
            attributes=attributes_of(element.attrib, texts_of(element)),
        )
    return tuple(found[place] for place in painting_order(listed))


def painting_order(elements: Iterable[Element]) -> list[int]:
    """Return the places of the shapes among the children of an `<image>`: by `z_order`, then as in the file."""
    depths = []
    for place, element in enumerate(elements):
        if element.tag in SHAPES:
            depth = number(element.get("z_order", 0))
            depths.append((0.0 if math.isnan(depth) else depth, place))
    return [place for _, place in sorted(depths)]


def check_masks(pixels: int, *, where: object) -> None:
    """Refuse the masks of one photo when they hold more pixels together than a photo may: runs are short, masks not.

    Raises:
        FormatError: Too many pixels.
    """
    if pixels > PHOTO_BUDGET:
        raise FormatError("the masks of one photo hold too many pixels", where=where, expected=PHOTO_BUDGET)


def geometry_of(
    tag: str, attributes: Mapping[str, str], *, where: object, max_pixels: int | None = None
) -> tuple[ShapeKind, NDArray[np.float64], NDArray[np.bool_] | None] | None:
    """Return kind, points (N, 2) and mask of a shape's element; None for an element that is no shape.

    A coordinate that is no finite number becomes NaN, which `tessella check` reports and painting refuses.

    Raises:
        FormatError: As `drawn`.
        ImageError: As `drawn`.
    """
    if tag in POINT_KINDS:
        return POINT_KINDS[tag], spelled(attributes.get("points"), where=where), None
    if tag == "box":
        corners = [number(attributes.get(name)) for name in ("xtl", "ytl", "xbr", "ybr")]
        return (*turned_box(np.array(corners), turn_of(attributes)), None)
    if tag == "ellipse":
        values = [number(attributes.get(name)) for name in ("cx", "cy", "rx", "ry")]
        return "ellipse", turned_ellipse(np.array(values), turn_of(attributes)), None
    if tag == "mask":
        return _mask(attributes, where=where, max_pixels=max_pixels)
    return None


def turn_of(attributes: Mapping[str, str]) -> float:
    """Return the rotation of an element in degrees, clockwise on the screen; NaN where it is no number."""
    return number(attributes.get("rotation", 0))


def turned_box(corners: NDArray[np.float64], degrees: float) -> tuple[ShapeKind, NDArray[np.float64]]:
    """Return a box as a rectangle of two corners, or turned about its centre as a polygon of four.

    Args:
        corners: (4,) left, top, right, bottom.
        degrees: The rotation, clockwise on the screen.
    """
    points = corners.reshape(2, 2)
    if degrees % 360 == 0:
        return "rectangle", points
    (left, top), (right, bottom) = points
    centre = points.mean(axis=0)
    ring = np.array([[left, top], [right, top], [right, bottom], [left, bottom]]) - centre
    return "polygon", centre + ring @ _turn(degrees)


def turned_ellipse(values: NDArray[np.float64], degrees: float) -> NDArray[np.float64]:
    """Return an ellipse as (3, 2): its centre and the ends of two half axes.

    Args:
        values: (4,) centre x, centre y, half width, half height.
        degrees: The rotation, clockwise on the screen.
    """
    centre, (across, down) = values[:2], values[2:]
    axes = np.array([[0.0, 0.0], [across, 0.0], [0.0, down]])
    return np.asarray(centre + (axes if degrees % 360 == 0 else axes @ _turn(degrees)))


def _turn(degrees: float) -> NDArray[np.float64]:
    """Return what turns rows of (x, y) clockwise on the screen, where y runs down."""
    angle = math.radians(degrees)
    cos, sin = math.cos(angle), math.sin(angle)
    return np.array([[cos, sin], [-sin, cos]])


def _mask(
    attributes: Mapping[str, str], *, where: object, max_pixels: int | None
) -> tuple[ShapeKind, NDArray[np.float64], NDArray[np.bool_]]:
    left, top = (
        whole(attributes.get(side), where=f"{where}: {side}", low=-SIDE_BUDGET, high=SIDE_BUDGET)
        for side in ("left", "top")
    )
    height, width = (
        whole(attributes.get(side), where=f"{where}: {side}", low=1, high=SIDE_BUDGET) for side in ("height", "width")
    )
    check_hw((height, width), where=where, max_pixels=max_pixels)
    pixels = decode_rows(attributes.get("rle"), (height, width), where=where)
    return "mask", np.array([[left, top], [left + width - 1, top + height - 1]], np.float64), pixels


def group_of(attributes: Mapping[str, str]) -> str:
    """Return the group of a shape; CVAT writes 0 for none."""
    group = attributes.get("group_id", "")
    return "" if group == "0" else group


def texts_of(element: Element) -> list[tuple[str, str]]:
    """Return the `<attribute>` elements of a shape as (name, value)."""
    return [(one.get("name", ""), one.text or "") for one in element.iterfind("attribute")]


def attributes_of(attributes: Mapping[str, str], texts: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Return what CVAT says of a shape besides its geometry: `occluded`, a `source` that is not by hand, its texts."""
    found = []
    if attributes.get("occluded") == "1":
        found.append(("occluded", "1"))
    if attributes.get("source", "manual") not in ("", "manual"):
        found.append(("source", attributes["source"]))
    return (*found, *texts)
