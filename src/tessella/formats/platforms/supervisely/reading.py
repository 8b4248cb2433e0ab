"""Reading Supervisely projects: an annotation file per photo in `ann` beside `img`, the classes in `meta.json`."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tessella.core.annotation import Drawing, Shape
from tessella.core.errors import FormatError
from tessella.files.paths import IMAGE_SUFFIXES
from tessella.files.text import read_json
from tessella.files.values.numbers import finite, number, pairs, size_hw
from tessella.formats.listing import Listing, Match, Record
from tessella.formats.raster.bitmap import decode_bitmap
from tessella.formats.tools.entries import Entry, Found, json_trees, listing_of, named_label
from tessella.formats.tools.geometry import turned_around_centre
from tessella.formats.tools.plain import attributes, hex_colour, required_rows, rows, table, words

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tessella.core.annotation import Annotation, ShapeKind
    from tessella.core.classes import Colour, LabelCoding
    from tessella.formats.source import Source

NAME: Final = "supervisely"
META: Final = "meta.json"
_POINTS: Final[dict[str, ShapeKind]] = {
    "polygon": "polygon", "rectangle": "rectangle", "line": "linestrip", "polyline": "linestrip", "point": "points",
    "oriented_bbox": "polygon",
}  # fmt: skip
_BITMAPS: Final = ("bitmap", "alpha_mask")
_NO_AREA: Final = {"graph": "keypoints", "cuboid": "cuboids", "cuboid_2d": "cuboids"}


def detect(source: Source) -> Match | None:
    """Say whether JSON files with Supervisely objects are there; about eight, spread over the list, are read."""
    found = sum(_is_annotation(outline.tree) for outline in source.outlines)
    if not found:
        return None
    return Match(90, f"{found} of {len(source.outlines)} JSON files looked at hold Supervisely objects", "shapes")


def _is_annotation(tree: object) -> bool:
    if not isinstance(tree, dict) or not isinstance(tree.get("objects"), list) or {"figures", "frames"} & tree.keys():
        return False  # of point clouds and videos
    if {"height", "width"} <= table(tree.get("size")).keys():
        return True
    return any("classTitle" in table(one) for one in tree["objects"])


def _is_meta(tree: object) -> bool:
    listed = table(tree).get("classes")
    return isinstance(listed, list) and all("title" in table(one) and "shape" in table(one) for one in listed)


def read(source: Source, coding: LabelCoding | None) -> Listing:
    """List the annotation files and their photos.

    The photo of `ds/ann/a.jpg.json` (or `ds/ann/a.json`) is `ds/img/a.jpg`, else a photo of that name anywhere here.

    Raises:
        FormatError: No annotation file lies here, or two describe one photo.
    """
    counts: Counter[str] = Counter()
    entries: list[Entry] = []
    broken: dict[Path, str] = {}
    stated: dict[str, Colour | None] = {}
    for path, tree in json_trees(source, broken):
        if _is_meta(tree):
            for one in tree["classes"]:
                stated.setdefault(words(one["title"]), hex_colour(one.get("color")))
        elif _is_annotation(tree):
            entries.append(_entry(path, tree, counts))
    if source.file is not None:
        stated = _meta_above(source.file)
    lost = [path for path in broken if path.parent.name == "ann"]
    entries += [Entry(path, _listed(path)) for path in lost]  # `tessella check` names the fault, as loading does
    found = Found(entries, tuple(stated.items()), META, left_out=counts, broken=broken)
    return listing_of(NAME, source, coding, found)


def _meta_above(file: Path) -> dict[str, Colour | None]:
    for folder in file.parents[:4]:
        if (folder / META).is_file() and _is_meta(tree := read_json(folder / META)):
            return {words(one["title"]): hex_colour(one.get("color")) for one in tree["classes"]}
    return {}


def _listed(path: Path) -> tuple[str, ...]:
    """Return what the photo of an annotation file is called: `a.jpg` for `a.jpg.json`, a stem for `a.json`."""
    name = path.name[: -len(path.suffix)]
    beside = (f"../img/{name}", name)
    if path.parent.name != "ann":
        return beside[1:]
    if name.lower().endswith(tuple(IMAGE_SUFFIXES)):
        return beside
    return (*(f"../img/{name}{suffix}" for suffix in (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp", ".webp")), name)


def _entry(path: Path, tree: dict[str, Any], counts: Counter[str]) -> Entry:
    names, boxes = [], 0
    counts["tags of photos"] += len(rows(tree.get("tags")))
    for one in map(table, tree["objects"]):
        kind = _kind(one)
        if kind in _POINTS or kind in _BITMAPS:
            names.append(_label(one))
            boxes += kind == "rectangle"
        else:
            counts[_NO_AREA.get(kind, f"objects of kind {kind or 'unknown'}")] += 1
    return Entry(path, _listed(path), "", _lenient_size(tree), tuple(names), boxes)


def _lenient_size(tree: dict[str, Any]) -> tuple[int, int] | None:
    try:
        return _size(tree, "")
    except FormatError:
        return None


def _size(tree: dict[str, Any], where: object) -> tuple[int, int] | None:
    size = table(tree.get("size"))
    return size_hw(size.get("height"), size.get("width"), where=f"{where}: size")


def _kind(one: dict[str, Any]) -> str:
    """Return the kind of an object; files before 2019 do not say it."""
    if said := words(one.get("geometryType")):
        return said
    return "bitmap" if isinstance(one.get("bitmap"), dict) else "polygon" if "points" in one else ""


def _label(one: dict[str, Any]) -> str:
    return named_label(one.get("classTitle"))


def load(record: Record, listing: Listing) -> Annotation:
    """Return the objects of one photo as shapes.

    Raises:
        InputError: The photo has no labels, or its file cannot be read.
        FormatError: The file has another form, or a bitmap cannot be unpacked.
    """
    path = listing.label_of(record)
    tree = read_json(path, allow_nan=True)
    objects = required_rows(tree, "objects", where=path)
    shapes: list[Shape] = []
    for place, one in enumerate(map(table, objects)):
        where = f"{path}: objects[{place}]"
        kind = _kind(one)
        tags = [(table(tag).get("name"), _value(tag)) for tag in rows(one.get("tags"))]
        said = attributes([("description", one.get("description")), *tags])
        if kind in _BITMAPS:
            shapes.append(replace(_bitmap(one, kind, where, listing.max_pixels), label=_label(one), attributes=said))
        elif kind in _POINTS:
            rings = table(one.get("points"))
            outer = pairs(rings.get("exterior"), where=where)
            if kind == "oriented_bbox":
                outer = turned_around_centre(outer, number(one.get("angle", 0) or 0), where=where)
            holes = tuple(pairs(ring, where=where) for ring in rows(rings.get("interior")))
            shapes.append(Shape(_label(one), _POINTS[kind], outer, holes=holes, attributes=said))
    return Drawing(tuple(shapes), _size(tree, path), "centre")


def _value(tag: object) -> object:
    value = table(tag).get("value")
    return "yes" if value is None else value


def _bitmap(one: dict[str, Any], kind: str, where: str, max_pixels: int | None) -> Shape:
    packed = table(one.get("bitmap" if kind == "bitmap" else kind, one.get("bitmap")))
    origin: Sequence[object] = rows(packed.get("origin"))
    if len(origin) != 2:
        raise FormatError("a bitmap has no origin", where=where, expected='"origin": [x, y]')
    mask = decode_bitmap(packed.get("data"), where=where, max_pixels=max_pixels)
    corner = [finite(origin[0], where=where), finite(origin[1], where=where)]
    return Shape("", "mask", np.array([corner], np.float64), mask=mask)
