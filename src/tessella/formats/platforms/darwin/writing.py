"""Writing Darwin JSON 2.0: shapes as they were drawn, label maps as a polygon with holes per region."""

from __future__ import annotations

import json
import math
from itertools import count
from typing import TYPE_CHECKING, Any, Final
from uuid import NAMESPACE_URL, uuid5

import numpy as np

from tessella.core.annotation import Shape
from tessella.core.classes import IGNORE
from tessella.files.write import write_json, write_text
from tessella.formats.labelme.writing import with_ignore_name
from tessella.formats.layout.export import in_split, write_classes_beside, write_photo
from tessella.formats.listing import Writer
from tessella.formats.platforms.darwin.reading import METADATA
from tessella.formats.raster.labels import background_id
from tessella.formats.raster.tracing import regions
from tessella.formats.tools.geometry import box_points, ellipse_points
from tessella.formats.tools.painting import ROUND, as_mask, covered, kept_drawing

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from tessella.core.classes import LabelCoding
    from tessella.formats.listing import Item, Written

_SLOT: Final = "0"
_DATASET: Final = {"name": "data", "slug": "data"}
_MOST_DIGITS: Final = 15
"""Of an instance number: a longer one is not exact to every reader of JSON."""

_TEXT: Final = "text"
_IGNORE_COLOUR: Final = (224, 224, 192)


def write_one(item: Item, coding: LabelCoding, dst: Path) -> dict[str, Any]:
    """Write the photo and its annotation file, and return the kinds and the properties of the classes in it.

    Polygons with their holes, boxes, circles, ellipses and lines stay shapes; points and masks become polygons of the
    pixels that they cover, one polygon of several paths for each. A label map becomes one polygon per region.
    """
    coding = with_ignore_name(coding)
    photo = write_photo(item, in_split(item, dst / "images"))
    shapes = _shapes(item, coding)
    if shapes is None:
        return {"kinds": [], "properties": []}
    place = f"{item.split}/{item.stem}" if item.split else item.stem
    annotations = _annotations(shapes, item, place)
    name = place.rpartition("/")[2] + (".png" if photo is None else photo.suffix)
    tree = {
        "version": "2.0",
        "item": {
            "name": name,
            "path": f"/{place.rpartition('/')[0]}",
            "source_info": {"dataset": _DATASET},
            "slots": [
                {
                    "type": "image",
                    "slot_name": _SLOT,
                    "width": item.hw[1],
                    "height": item.hw[0],
                    "source_files": [{"file_name": name}],
                }
            ],
        },
        "annotations": annotations,
        "properties": [],
    }
    content = json.dumps(tree, ensure_ascii=False, allow_nan=False)
    write_text(in_split(item, dst / "annotations") / f"{item.stem}.json", content + "\n")
    return {
        "kinds": sorted({(one["name"], _kind(one)) for one in annotations}),
        "properties": sorted({(one["name"], said["name"]) for one in annotations for said in one["properties"]}),
    }


def close(written: Sequence[Written], coding: LabelCoding, dst: Path) -> None:
    """Write `.v7/metadata.json` and `classes.toml`."""
    coding = with_ignore_name(coding)
    colours = {info.name: info.colour for info in coding.table} | dict.fromkeys(coding.ignore_names, _IGNORE_COLOUR)
    kinds = {(name, "polygon") for name in colours} | {
        (name, kind) for one in written for name, kind in _pairs(one, "kinds")
    }
    properties = sorted({pair for one in written for pair in _pairs(one, "properties")})
    classes = [
        {
            "name": name,
            "type": kind,
            "description": None,
            "color": "rgba({},{},{},1.0)".format(*colour),
            "sub_types": [],
            "properties": [
                {"name": said, "type": _TEXT, "required": False, "property_values": [], "granularity": "annotation"}
                for owner, said in properties
                if owner == name
            ],
        }
        for name, colour in colours.items()
        for kind in ("polygon", "bounding_box", "ellipse", "line")
        if (name, kind) in kinds
    ]
    write_json(dst / METADATA, {"version": "1.0", "classes": classes, "properties": []})
    write_classes_beside(coding, dst)


WRITER: Final = Writer(write_one, close)


def _pairs(one: Written, key: str) -> list[tuple[str, str]]:
    return [(first, second) for first, second in one.entry[key]]


def _shapes(item: Item, coding: LabelCoding) -> list[Shape] | None:
    """Return what was drawn, else every region of the label map as a polygon; None without labels."""
    drawing = kept_drawing(item, coding)
    if drawing is not None:
        return list(drawing.shapes)
    if item.labels is None:
        return None
    ground = background_id(coding)
    names = dict(enumerate(coding.table.names)) | {IGNORE: coding.ignore_names[0]}
    return [
        Shape(names[region.value], "polygon", region.outer, holes=region.holes)
        for region in regions(item.labels.ids)
        if region.value != ground
    ]


def _annotations(shapes: Sequence[Shape], item: Item, place: str) -> list[dict[str, Any]]:
    instances = _instances(shapes)
    found: list[dict[str, Any]] = []
    for shape in shapes:
        geometry = _geometry(shape, item.hw)
        if not geometry:
            item.lost["shapes that cover no pixel"] += 1
            continue
        item.lost[ROUND] += shape.kind in ("circle", "ellipse") and "polygon" in geometry
        item.lost["boxes whose width no float states, kept as outlines"] += (
            shape.kind == "rectangle" and "polygon" in geometry
        )
        tree = {"id": str(uuid5(NAMESPACE_URL, f"{place}#{len(found)}")), "name": shape.label} | geometry
        if shape.group:
            tree["instance_id"] = {"value": instances[shape.group]}
        texts = [value for name, value in shape.attributes if name == _TEXT]
        alone = len(texts) == 1
        if alone:
            tree[_TEXT] = {_TEXT: texts[0]}
        tree["properties"] = [
            {"frame_index": None, "name": name, "type": "string", "value": value}
            for name, value in shape.attributes
            if not alone or name != _TEXT
        ]
        found.append(tree | {"slot_names": [_SLOT]})
    return found


def _instances(shapes: Sequence[Shape]) -> dict[str, int]:
    """Return a number for every group: its own where it is one."""
    groups = dict.fromkeys(shape.group for shape in shapes if shape.group)
    numbers = {one: int(one) for one in groups if one.isdecimal() and len(one) <= _MOST_DIGITS}
    numbers = {one: number for one, number in numbers.items() if str(number) == one}
    taken = frozenset(numbers.values())
    spare = (number for number in count(1) if number not in taken)
    return {one: numbers[one] if one in numbers else next(spare) for one in groups}


def _kind(annotation: dict[str, Any]) -> str:
    return next(kind for kind in ("polygon", "ellipse", "line", "bounding_box") if kind in annotation)


def _geometry(shape: Shape, hw: tuple[int, int]) -> dict[str, Any]:
    """Return a shape as Darwin states it, and {} for one that covers no pixel; what it covers stays the same."""
    points = shape.points_xy
    if shape.kind == "polygon":
        return _polygon([points, *shape.holes])
    if shape.kind == "rectangle":
        return _box(points.min(axis=0), points.max(axis=0))
    if shape.kind in ("line", "linestrip"):
        return {"line": {"path": _path(points)}}
    if shape.kind in ("circle", "ellipse") and (tree := _ellipse(shape, hw)):
        return tree
    if shape.kind != "mask" or (points % 1).any():
        shape = as_mask(shape, hw)
    mask = shape.mask if shape.mask is not None else np.zeros((1, 1), np.bool_)
    rings = [ring for region in regions(mask) if region.value for ring in (region.outer, *region.holes)]
    return _polygon([ring + shape.points_xy[0] for ring in rings]) if rings else {}


def _polygon(rings: Sequence[NDArray[np.float64]]) -> dict[str, Any]:
    first, last = (
        np.min([ring.min(axis=0) for ring in rings], axis=0),
        np.max([ring.max(axis=0) for ring in rings], axis=0),
    )
    return {"polygon": {"paths": [_path(ring) for ring in rings]}} | _sides(first, last - first)


def _box(first: NDArray[np.float64], last: NDArray[np.float64]) -> dict[str, Any]:
    size = last - first
    if np.array_equal(box_points(first[0], first[1], size[0], size[1])[1], last):
        return _sides(first, size)
    (left, top), (right, bottom) = first, last  # the far corner is no sum that a float can hold
    return _polygon([np.array([[left, top], [right, top], [right, bottom], [left, bottom]])])


def _ellipse(shape: Shape, hw: tuple[int, int]) -> dict[str, Any]:
    """Return a circle or an ellipse; {} where centre, radii and angle give other pixels, as for half axes askew."""
    centre, first, *second = shape.points_xy.tolist()
    across = (first[0] - centre[0], first[1] - centre[1])
    radius = math.hypot(*across)
    radii = (radius, math.hypot(second[0][0] - centre[0], second[0][1] - centre[1]) if second else radius)
    angle = math.atan2(across[1], across[0]) if second else 0.0
    points = ellipse_points((centre[0], centre[1]), radii, math.degrees(angle))
    if not np.array_equal(covered(Shape(shape.label, "ellipse", points), hw), covered(shape, hw)):
        return {}
    return {
        "ellipse": {
            "angle": angle,
            "center": {"x": centre[0], "y": centre[1]},
            "radius": {"x": radii[0], "y": radii[1]},
        }
    }


def _sides(corner: NDArray[np.float64], size: NDArray[np.float64]) -> dict[str, Any]:
    (x, y), (width, height) = corner.tolist(), size.tolist()
    return {"bounding_box": {"h": height, "w": width, "x": x, "y": y}}


def _path(points: NDArray[np.float64]) -> list[dict[str, float]]:
    return [{"x": x, "y": y} for x, y in points.tolist()]
