"""Writing "CVAT for images 1.1": shapes as they were drawn, or polygons traced along pixel edges."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape, quoteattr

import numpy as np

from tessella.core.classes import IGNORE, LabelCoding
from tessella.files.write import atomic_path
from tessella.formats.labelme.writing import drawn, with_ignore_name
from tessella.formats.layout.export import write_classes_beside, write_photo
from tessella.formats.listing import Writer
from tessella.formats.raster.rle import encode_rows
from tessella.formats.tools.objects import boxes_of
from tessella.formats.tools.painting import ROUND, as_mask, kept_drawing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from numpy.typing import NDArray

    from tessella.core.annotation import Drawing, Shape
    from tessella.formats.listing import Item, Json, Written

_REACH_PX: Final = 2.0
"""No rule paints further beyond the points of an outline."""

_CLOSE: Final = 1e-6
"""Half axes whose cosine is larger are no ellipse's, and it is written as a mask."""

_NO_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ENDS: Final = {"\r": "&#13;"}
"""A carriage return that stands by itself would be read as the end of a line."""

Element = tuple[str, dict[str, str]]
"""Tag and attributes."""


def write_one(item: Item, coding: LabelCoding, dst: Path) -> Json:
    """Write the photo into `images/`, below a folder per split, and return its `<image>` as text."""
    coding = with_ignore_name(coding)
    folder = dst / "images" / item.split if item.split else dst / "images"
    photo = write_photo(item, folder)
    drawing = kept_drawing(item, coding) or drawn(item.labels, coding)
    if drawing is None:
        return None
    suffix = ".png" if photo is None else photo.suffix
    head = {"name": f"{item.stem}{suffix}", "width": str(item.hw[1]), "height": str(item.hw[0])}
    if item.split:
        head["subset"] = item.split
    return {
        "head": head,
        "shapes": "".join(_lines(drawing, item)),
        "labels": sorted({shape.label for shape in drawing.shapes}),
        "texts": sorted(_texts(drawing.shapes)),
    }


def _texts(shapes: Sequence[Shape]) -> set[tuple[str, str]]:
    return {(shape.label, _held(name)) for shape in shapes for name, _ in _said(shape)[1]}


def _held(text: str) -> str:
    return _NO_XML.sub("\N{REPLACEMENT CHARACTER}", text)


def _said(shape: Shape) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """Return what CVAT says of a shape in attributes of its element, and the rest, each in an element of its own."""
    said, texts = {"source": "manual", "occluded": "0"}, []
    for name, value in shape.attributes:
        if name == "occluded" and value in ("1", "true"):
            said[name] = "1"
        elif name == "source" and said[name] == "manual":
            said[name] = value
        else:
            texts.append((name, value))
    return said, texts


def _lines(drawing: Drawing, item: Item) -> Iterator[str]:
    groups = _numbered(drawing.shapes)
    for shape, depth in zip(drawing.shapes, depths(drawing.shapes), strict=True):
        tag, own = _element(shape, item.hw)
        item.lost[ROUND] += shape.kind == "ellipse" and tag == "mask"
        said, texts = _said(shape)
        attributes = {"label": shape.label, **said, **own, "z_order": str(depth)}
        if shape.group:
            attributes["group_id"] = groups[shape.group]
        yield f"    <{tag}{_spelled(attributes)}>\n"
        for name, value in texts:
            item.lost["characters that XML does not have"] += len(_NO_XML.findall(name + value))
            yield f"      <attribute name={quoteattr(_held(name))}>{escape(_held(value), _ENDS)}</attribute>\n"
        yield f"    </{tag}>\n"


def _numbered(shapes: Sequence[Shape]) -> dict[str, str]:
    """Return a number for each group, its own where it is one: CVAT knows no other names, and 0 means none."""
    names = dict.fromkeys(shape.group for shape in shapes if shape.group)
    groups = {name: name for name in names if name.isascii() and name.isdecimal() and int(name) > 0}
    following = max(map(int, groups), default=0)
    return groups | {
        name: str(following + place)
        for place, name in enumerate([name for name in names if name not in groups], start=1)
    }


def depths(shapes: Sequence[Shape]) -> list[int]:
    """Return a z for each shape: above every earlier shape whose box it touches, so that few layers are needed."""
    boxes = boxes_of(shapes, reach=_REACH_PX)
    found = np.zeros(len(shapes), np.int64)
    for place in range(1, len(shapes)):
        left, top, right, bottom = boxes[place]
        earlier = boxes[:place]
        under = (earlier[:, 0] < right) & (earlier[:, 2] > left) & (earlier[:, 1] < bottom) & (earlier[:, 3] > top)
        if under.any():
            found[place] = found[:place][under].max() + 1
    return found.tolist()


def _element(shape: Shape, hw: tuple[int, int]) -> Element:
    points = shape.points_xy
    if shape.kind == "mask" or shape.holes:
        return _runs(as_mask(shape, hw))
    if shape.kind == "rectangle":
        (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
        return "box", {"xtl": _plain(left), "ytl": _plain(top), "xbr": _plain(right), "ybr": _plain(bottom)}
    if shape.kind == "circle":
        radius = math.dist(points[0], points[1])
        return "ellipse", _ellipse(points[0], radius, radius, 0.0)
    if shape.kind == "ellipse":
        across, down = points[1] - points[0], points[2] - points[0]
        wide, high = math.hypot(*across), math.hypot(*down)
        if abs(float(across @ down)) > _CLOSE * wide * high:
            return _runs(as_mask(shape, hw))
        return "ellipse", _ellipse(points[0], wide, high, math.degrees(math.atan2(across[1], across[0])) % 360)
    tag = {"polygon": "polygon", "line": "polyline", "linestrip": "polyline"}.get(shape.kind, "points")
    numbers = map(_plain, points.ravel().tolist())
    return tag, {"points": ";".join(f"{x},{y}" for x, y in zip(numbers, numbers, strict=True))}


def _ellipse(centre: NDArray[np.float64], wide: float, high: float, degrees: float) -> dict[str, str]:
    values = {"cx": _plain(centre[0]), "cy": _plain(centre[1]), "rx": _plain(wide), "ry": _plain(high)}
    return values | ({"rotation": _plain(degrees)} if degrees else {})


def _runs(shape: Shape) -> Element:
    mask = shape.mask if shape.mask is not None else np.zeros((1, 1), np.bool_)
    left, top = (int(v) for v in np.floor(shape.points_xy[0]))
    place = {"left": left, "top": top, "width": mask.shape[1], "height": mask.shape[0]}
    return "mask", {"rle": ", ".join(map(str, encode_rows(mask)))} | {name: str(v) for name, v in place.items()}


def _plain(value: float) -> str:
    """Return a number as text that reads back as the same number."""
    value = float(value)
    return str(int(value)) if value.is_integer() else repr(value)


def _spelled(attributes: dict[str, str]) -> str:
    return "".join(f" {name}={quoteattr(value)}" for name, value in attributes.items())


def close(written: Sequence[Written], coding: LabelCoding, dst: Path) -> None:
    """Write `annotations.xml`, as of a project where there are splits, and `classes.toml`."""
    coding = with_ignore_name(coding)
    entries = [one.entry for one in written if one.entry is not None]
    path = dst / "annotations.xml"
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as stream:
        stream.write('<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n  <version>1.1</version>\n')
        stream.writelines(_meta(entries, coding, sorted({one.split for one in written if one.split})))
        for number, entry in enumerate(entries):
            head = {"id": str(number), **entry["head"]}
            stream.write(f"  <image{_spelled(head)}>\n{entry['shapes']}  </image>\n")
        stream.write("</annotations>\n")
    write_classes_beside(coding, dst)


def _meta(entries: Sequence[Json], coding: LabelCoding, splits: Sequence[str]) -> Iterator[str]:
    kind = "project" if splits else "task"
    yield f"  <meta>\n    <{kind}>\n      <name>tessella</name>\n"
    if splits:
        yield f"      <subsets>{escape(chr(10).join(splits))}</subsets>\n"
    else:
        yield f"      <size>{len(entries)}</size>\n      <mode>annotation</mode>\n"
    yield "      <labels>\n"
    used = {name for entry in entries for name in entry["labels"]}
    texts = {(label, text) for entry in entries for label, text in entry["texts"]}
    for name, colour in _colours(coding, used).items():
        yield f"        <label>\n          <name>{escape(name)}</name>\n          <color>{colour}</color>\n"
        yield "          <type>any</type>\n          <attributes>\n"
        for text in sorted(text for label, text in texts if label == name):
            yield f"            <attribute>\n              <name>{escape(text)}</name>\n"
            yield "              <mutable>False</mutable>\n              <input_type>text</input_type>\n"
            yield "              <default_value></default_value>\n              <values></values>\n"
            yield "            </attribute>\n"
        yield "          </attributes>\n        </label>\n"
    yield f"      </labels>\n    </{kind}>\n  </meta>\n"


def _colours(coding: LabelCoding, used: AbstractSet[str]) -> dict[str, str]:
    """Return the labels to declare, with their colours: every class, and the name of ignored regions if it is used."""
    palette = coding.table.palette()
    meaning = {name: place for place, name in enumerate(coding.table.names)}
    meaning |= dict.fromkeys((name for name in coding.ignore_names if name in used), IGNORE)
    return {name: "#" + bytes(palette[place].tolist()).hex() for name, place in meaning.items()}


WRITER: Final = Writer(write_one, close)
