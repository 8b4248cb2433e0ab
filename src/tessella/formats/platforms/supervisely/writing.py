"""Writing Supervisely projects: shapes as they were drawn, label maps as one bitmap per class."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from tessella.files.write import write_json, write_text
from tessella.formats.labelme.writing import with_ignore_name
from tessella.formats.layout.export import write_classes_beside, write_photo
from tessella.formats.listing import Writer
from tessella.formats.platforms.supervisely.reading import META
from tessella.formats.raster.bitmap import encode_bitmap
from tessella.formats.tools.painting import as_mask, drawing_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tessella.core.annotation import Shape
    from tessella.core.classes import LabelCoding
    from tessella.formats.listing import Item, Written

DATASET: Final = "data"
"""The data set of photos that have neither a split nor a folder."""

_KINDS: Final = {
    "polygon": "polygon", "rectangle": "rectangle", "line": "line", "linestrip": "line", "mask": "bitmap",
}  # fmt: skip


def write_one(item: Item, coding: LabelCoding, dst: Path) -> dict[str, Any]:
    """Write the photo and its annotation file, and return the names of the tags in it.

    Polygons with their holes, boxes and lines stay what they are; circles, ellipses and points become bitmaps of
    their pixels. Attributes become tags.
    """
    folder, stem = _place(item, dst)
    photo = write_photo(item, folder / "img", stem)
    name = f"{stem}.png" if photo is None else photo.name
    drawing = drawing_of(item, with_ignore_name(coding))
    if drawing is None:
        return {"tags": []}
    objects = [_object(shape, item.hw) for shape in drawing.shapes]
    tree = {
        "description": "",
        "tags": [],
        "size": {"height": item.hw[0], "width": item.hw[1]},
        "objects": objects,
    }
    write_text(folder / "ann" / f"{name}.json", json.dumps(tree, ensure_ascii=False, allow_nan=False) + "\n")
    return {"tags": sorted({tag["name"] for one in objects for tag in one["tags"]})}


def close(written: Sequence[Written], coding: LabelCoding, dst: Path) -> None:
    """Write `meta.json` and `classes.toml`."""
    coding = with_ignore_name(coding)
    colours = [(info.name, "#{:02X}{:02X}{:02X}".format(*info.colour)) for info in coding.table]
    colours += [(name, "#E0E0C0") for name in coding.ignore_names]
    tags = sorted({name for one in written for name in one.entry["tags"]})
    write_json(
        dst / META,
        {
            "classes": [
                {"id": number, "title": name, "shape": "any", "color": colour, "geometry_config": {}, "hotkey": ""}
                for number, (name, colour) in enumerate(colours, start=1)
            ],
            "tags": [{"name": name, "value_type": "any_string", "color": "#808080"} for name in tags],
            "projectType": "images",
        },
    )
    write_classes_beside(coding, dst)


WRITER: Final = Writer(write_one, close)


def _place(item: Item, dst: Path) -> tuple[Path, str]:
    """Return the data set of a photo, which its split and its folders name, and what the photo is called there."""
    *folders, name = item.stem.split("/")
    nested = [item.split, *folders] if item.split else folders or [DATASET]
    return dst.joinpath("/datasets/".join(nested)), name


def _object(shape: Shape, hw: tuple[int, int]) -> dict[str, Any]:
    if shape.kind not in _KINDS or (shape.kind == "mask" and (shape.points_xy % 1).any()):
        shape = as_mask(shape, hw)
    tree: dict[str, Any] = {
        "classTitle": shape.label,
        "geometryType": _KINDS[shape.kind],
        "description": "",
        "tags": [{"name": name, "value": value} for name, value in shape.attributes],
    }
    if shape.mask is not None:
        origin = [int(value) for value in shape.points_xy[0]]
        return tree | {"bitmap": {"data": encode_bitmap(shape.mask), "origin": origin}}
    points = shape.points_xy
    if shape.kind == "rectangle":
        tree["points"] = {"exterior": [points.min(axis=0).tolist(), points.max(axis=0).tolist()], "interior": []}
    else:
        tree["points"] = {"exterior": points.tolist(), "interior": [ring.tolist() for ring in shape.holes]}
    return tree
