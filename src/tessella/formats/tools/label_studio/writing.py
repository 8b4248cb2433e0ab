"""Writing Label Studio's JSON: polygons, boxes and ellipses in percent, everything else as brush strokes."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import numpy as np

from tessella.files.write import write_text
from tessella.formats.labelme.writing import with_ignore_name
from tessella.formats.layout.export import in_split, write_classes_beside, write_photo
from tessella.formats.listing import Writer
from tessella.formats.raster.brush import encode_brush
from tessella.formats.tools.label_studio.regions import Region, shape_of
from tessella.formats.tools.painting import covered, drawing_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tessella.core.annotation import Shape
    from tessella.core.classes import LabelCoding
    from tessella.formats.listing import Item, Written

FILE: Final = "tasks.json"
"""The one file of tasks."""

CONFIG: Final = "label_config.xml"
"""The labelling interface, to be pasted into a new project."""

_TAGS: Final = {
    "brushlabels": "BrushLabels", "polygonlabels": "PolygonLabels", "rectanglelabels": "RectangleLabels",
    "ellipselabels": "EllipseLabels",
}  # fmt: skip


def write_one(item: Item, coding: LabelCoding, dst: Path) -> dict[str, Any]:
    """Write the photo, and return its task.

    Polygons, boxes and ellipses stay what they are where reading them again gives the same pixels; shapes that Label
    Studio does not have (holes, lines, points, masks) become brush strokes over their pixels. Attributes become texts.
    """
    coding = with_ignore_name(coding)
    photo = write_photo(item, in_split(item, dst))
    name = f"{item.stem}.png" if photo is None else photo.relative_to(in_split(item, dst)).as_posix()
    listed = f"{item.split}/{name}" if item.split else name
    drawing = drawing_of(item, coding)
    task: dict[str, Any] = {"data": {"image": f"/data/local-files/?d={quote(listed)}"}, "annotations": []}
    if drawing is not None:
        regions = [_region(shape, item, place) for place, shape in enumerate(drawing.shapes)]
        answers = [answer for place, shape in enumerate(drawing.shapes) for answer in _answers(shape, item.hw, place)]
        task["annotations"].append({"result": [*regions, *answers], "was_cancelled": False, "ground_truth": False})
        task["used"] = sorted({region["type"] for region in regions})
        task["asked"] = sorted({answer["from_name"] for answer in answers})
    return task


def close(written: Sequence[Written], coding: LabelCoding, dst: Path) -> None:
    """Write the tasks, the labelling interface and `classes.toml`."""
    coding = with_ignore_name(coding)
    used = {kind for one in written for kind in one.entry.get("used", ())} or {"brushlabels"}
    asked = {name for one in written for name in one.entry.get("asked", ())}
    tasks = [
        json.dumps({"id": number, "data": one.entry["data"], "annotations": one.entry["annotations"]})
        for number, one in enumerate(written, start=1)
    ]
    write_text(dst / FILE, "[\n" + ",\n".join(tasks) + "\n]\n")
    write_text(dst / CONFIG, _config(coding, sorted(used), sorted(asked)))
    write_classes_beside(coding, dst)


WRITER: Final = Writer(write_one, close)


def _config(coding: LabelCoding, used: Sequence[str], asked: Sequence[str]) -> str:
    from xml.sax.saxutils import quoteattr

    labels = [(info.name, "#{:02x}{:02x}{:02x}".format(*info.colour)) for info in coding.table]
    labels += [(name, "#e0e0c0") for name in coding.ignore_names]
    lines = ["<View>", '  <Image name="image" value="$image"/>']
    for kind in used:
        lines.append(f'  <{_TAGS[kind]} name="{kind.removesuffix("labels")}" toName="image">')
        lines += [f'    <Label value={quoteattr(name)} background="{colour}"/>' for name, colour in labels]
        lines.append(f"  </{_TAGS[kind]}>")
    lines += [f'  <TextArea name={quoteattr(name)} toName="image" perRegion="true" editable="true"/>' for name in asked]
    return "\n".join([*lines, "</View>", ""])


def _region(shape: Shape, item: Item, place: int) -> dict[str, Any]:
    drawn = _drawn(shape, item.hw)
    outlined = shape.kind in {"polygon", "rectangle", "circle", "ellipse"} and not shape.holes
    item.lost["outlines that no percentages state exactly, kept as the pixels they cover"] += outlined and drawn is None
    kind, value = drawn or _brush(shape, item.hw)
    control = kind.removesuffix("labels")
    return _result(place, kind, item.hw, control=control) | {"value": {**value, kind: [shape.label]}}


def _answers(shape: Shape, hw: tuple[int, int], place: int) -> Iterator[dict[str, Any]]:
    """Yield the attributes of a region as texts, each of a control that is called like the attribute."""
    for name, value in shape.attributes:
        control = f"{name} (attribute)" if f"{name}labels" in _TAGS else name
        yield _result(place, "textarea", hw, control=control) | {"value": {"text": [value]}}


def _result(place: int, kind: str, hw: tuple[int, int], *, control: str) -> dict[str, Any]:
    """Return what a region and the answers about it have in common."""
    return {
        "id": f"region{place:04d}",
        "type": kind,
        "from_name": control,
        "to_name": "image",
        "origin": "manual",
        "original_width": hw[1],
        "original_height": hw[0],
        "image_rotation": 0,
    }


def _brush(shape: Shape, hw: tuple[int, int]) -> tuple[str, dict[str, Any]]:
    return "brushlabels", {"format": "rle", "rle": encode_brush(covered(shape, hw))}


def _drawn(shape: Shape, hw: tuple[int, int]) -> tuple[str, dict[str, Any]] | None:
    """Return a shape as Label Studio draws it; None where it has no such shape or other pixels would come of it."""
    if shape.holes or not np.isfinite(shape.points_xy).all():
        return None
    if shape.kind == "polygon":
        kind, value = "polygonlabels", _polygon(shape, hw)
    elif shape.kind == "rectangle":
        kind, value = "rectanglelabels", _box(shape, hw)
    elif shape.kind in {"circle", "ellipse"}:
        kind, value = "ellipselabels", _ellipse(shape, hw)
    else:
        return None
    again = shape_of(Region(value), hw, where="", stated=True)
    if shape.kind == "polygon" and np.array_equal(again.points_xy, shape.points_xy):
        return kind, value
    return (kind, value) if np.array_equal(covered(again, hw), covered(shape, hw)) else None


def _polygon(shape: Shape, hw: tuple[int, int]) -> dict[str, Any]:
    return {"points": [[100 * x / hw[1], 100 * y / hw[0]] for x, y in shape.points_xy.tolist()], "closed": True}


def _box(shape: Shape, hw: tuple[int, int]) -> dict[str, Any]:
    (left, top), (right, bottom) = shape.points_xy.min(axis=0).tolist(), shape.points_xy.max(axis=0).tolist()
    return {
        "x": 100 * left / hw[1],
        "y": 100 * top / hw[0],
        "width": 100 * (right - left) / hw[1],
        "height": 100 * (bottom - top) / hw[0],
        "rotation": 0,
    }


def _ellipse(shape: Shape, hw: tuple[int, int]) -> dict[str, Any]:
    (x, y), first, *rest = shape.points_xy.tolist()
    radius = math.dist((x, y), first)
    return {
        "x": 100 * x / hw[1],
        "y": 100 * y / hw[0],
        "radiusX": 100 * radius / hw[1],
        "radiusY": 100 * (math.dist((x, y), rest[0]) if rest else radius) / hw[0],
        "rotation": math.degrees(math.atan2(first[1] - y, first[0] - x)) if rest else 0,
    }
