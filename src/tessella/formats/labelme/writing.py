"""Writing LabelMe files: shapes as they were drawn, or polygons traced along pixel edges."""

from __future__ import annotations

import base64
import io
import json
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

import numpy as np

from tessella.core.annotation import Drawing, Shape
from tessella.core.classes import IGNORE, LabelCoding
from tessella.core.errors import LabelError
from tessella.files.write import write_text
from tessella.formats.layout.export import in_split, write_classes_beside, write_photo
from tessella.formats.listing import Writer
from tessella.formats.raster.labels import background_id
from tessella.formats.raster.tracing import outlines
from tessella.formats.tools.painting import as_mask, kept_drawing

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from tessella.core.labelmap import LabelMap
    from tessella.formats.listing import Item, Written

_LONGEST_NUMBER: Final = 16
VERSION: Final = "5.5.0"
"""The version of LabelMe whose file form is written."""


def write_one(item: Item, coding: LabelCoding, dst: Path) -> None:
    """Write a JSON file beside the photo, in a folder per split where there are splits.

    Shapes that were drawn are kept as they are. Label maps become polygons along pixel edges, which paint the very same
    ids again by our rule.
    """
    coding = with_ignore_name(coding)
    folder = in_split(item, dst)
    photo = write_photo(item, folder)
    drawing = kept_drawing(item, coding) or drawn(item.labels, coding)
    if drawing is not None:
        name = photo.name if photo is not None else f"{PurePosixPath(item.stem).name}.png"
        shapes = tuple(_as_held(shape, item) for shape in drawing.shapes)
        tree = document(replace(drawing, shapes=shapes), name, item.hw)
        content = json.dumps(tree, ensure_ascii=False, allow_nan=False)
        write_text(folder / f"{item.stem}.json", content + "\n")


def close(written: Sequence[Written], coding: LabelCoding, dst: Path) -> None:
    """Write `labels.txt` and `classes.toml`."""
    coding = with_ignore_name(coding)
    write_text(dst / "labels.txt", "\n".join([*coding.ignore_names, *coding.table.names]) + "\n")
    write_classes_beside(coding, dst)


WRITER: Final = Writer(write_one, close)


def with_ignore_name(coding: LabelCoding) -> LabelCoding:
    """Return a coding that has a label name for IGNORE: LabelMe's, where it has none of its own.

    Raises:
        LabelError: `__ignore__` is a class.
    """
    if coding.ignore_names:
        return coding
    if "__ignore__" in coding.name_to_id():
        raise LabelError("the name for ignored regions is a class here", got="__ignore__", fix="rename the class")
    return LabelCoding(
        coding.table, coding.values, coding.ignore_values, coding.ignore_colours, ("__ignore__",), coding.aliases
    )


def _as_held(shape: Shape, item: Item) -> Shape:
    """Return a shape as LabelMe can hold it; what it says twice under one name it says once."""
    item.lost["attributes of a name that a shape has twice"] += len(shape.attributes) - len(dict(shape.attributes))
    return as_mask(shape, item.hw) if shape.holes or shape.kind == "ellipse" else shape


def drawn(labels: LabelMap | None, coding: LabelCoding) -> Drawing | None:
    """Return a label map as polygons; None for None."""
    if labels is None:
        return None
    names = dict(enumerate(coding.table.names)) | {IGNORE: coding.ignore_names[0]}
    traced = outlines(labels.ids, ground=background_id(coding))
    return Drawing(tuple(Shape(names[outline.value], "polygon", outline.points_xy) for outline in traced), labels.hw)


def document(drawing: Drawing, photo: str, hw: tuple[int, int]) -> dict[str, object]:
    """Return the content of a LabelMe file.

    Args:
        drawing: The shapes, in drawing order.
        photo: The photo's file name, relative to the JSON file.
        hw: The photo's height and width in pixels.
    """
    return {
        "version": VERSION,
        "flags": {},
        "shapes": [_entry(shape) for shape in drawing.shapes],
        "imagePath": str(PurePosixPath(photo)),
        "imageData": None,
        "imageHeight": hw[0],
        "imageWidth": hw[1],
    }


def _entry(shape: Shape) -> dict[str, object]:
    points = shape.points_xy
    if shape.kind == "rectangle" and len(points) != 2:
        points = np.stack([points.min(axis=0), points.max(axis=0)])
    if shape.mask is not None:
        corner = np.floor(points[0])
        points = np.stack([corner, corner + shape.mask.shape[::-1] - 1])
    says = dict(shape.attributes)
    entry: dict[str, object] = {
        "label": shape.label,
        "points": points.tolist(),
        "group_id": _group(shape.group),
        "description": says.pop("description", ""),
        "shape_type": shape.kind,
        "flags": {name: value == "true" for name, value in says.items() if value in ("true", "false")},
    }
    # LabelMe keeps keys of a shape that it does not know; X-AnyLabeling shows these
    if texts := {name: value for name, value in says.items() if value not in ("true", "false")}:
        entry["attributes"] = texts
    if shape.mask is not None:
        entry["mask"] = encode_mask(shape.mask)
    return entry


def _group(group: str) -> int | str | None:
    return int(group) if group.isdecimal() and len(group) < _LONGEST_NUMBER else group or None


def encode_mask(mask: NDArray[np.bool_]) -> str:
    """Return a mask, (h, w) bool, as LabelMe stores it: a grey PNG in base64."""
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(mask.astype(np.uint8) * np.uint8(255)).save(stream, "PNG")
    return base64.b64encode(stream.getvalue()).decode("ascii")
