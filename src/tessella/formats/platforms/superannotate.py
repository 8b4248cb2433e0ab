"""superannotate: vector projects (shapes in JSON) and pixel projects (JSON and a mask with a colour per part)."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final, TypeGuard

import numpy as np

from tessella.core.annotation import Drawing, Shape
from tessella.core.errors import FormatError, InputError, LabelError
from tessella.files.images import read_header
from tessella.files.masks import read_mask
from tessella.files.paths import IMAGE_SUFFIXES
from tessella.files.text import read_json
from tessella.files.values.numbers import flat, number, size_hw
from tessella.formats.listing import TRACK, Listing, Match, Record
from tessella.formats.raster.labels import colour_keys
from tessella.formats.tools.entries import Entry, Found, json_trees, listing_of, named_label
from tessella.formats.tools.geometry import ellipse_points, mask_shape
from tessella.formats.tools.plain import attributes, hex_colour, required_rows, rows, table, words

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from tessella.core.annotation import Annotation
    from tessella.core.classes import Colour, LabelCoding
    from tessella.formats.source import Source

NAME: Final = "superannotate"
_VECTOR: Final = "___objects.json"
_PIXEL: Final = "___pixel.json"
_MASK: Final = "___save.png"
_PICTURES: Final = (_MASK, "___fuse.png", "___lores.jpg", "___thumb.jpg")
"""Endings of pictures that exports hold beside the photos."""

_DRAWN: Final = frozenset({"polygon", "bbox", "rbbox", "polyline", "ellipse", "point"})
_NO_AREA: Final = {"template": "keypoints", "cuboid": "cuboids", "tag": "tags of photos"}
_CORNERS: Final = (("x1", "y1"), ("x2", "y2"), ("x3", "y3"), ("x4", "y4"))


def detect(source: Source) -> Match | None:
    """Say whether JSON files with SuperAnnotate's instances are there; about eight, spread over the list, are read."""
    found = sum(_is_annotation(_settled(outline.tree)) for outline in source.outlines)
    if not found:
        return None
    pictures = any(path.name.endswith(_PICTURES) for path in source.files(".png"))
    why = f"{found} of {len(source.outlines)} JSON files looked at hold SuperAnnotate instances"
    return Match(92, why, "masks" if pictures else "shapes")  # its pictures show the very same labels


_NOTES: Final = frozenset({"meta", "comment", "tag"})


def _settled(tree: object) -> object:
    """Return a file of the first version, a list of instances and notes about the photo, as a later one."""
    if not isinstance(tree, list) or not any({"classId", "className"} & table(one).keys() for one in tree[:8]):
        return tree
    notes = [one for one in map(table, tree) if one.get("type") == "meta"]
    size = next((one for one in notes if one.get("name") == "imageAttributes"), {})
    instances = [one for one in map(table, tree) if words(one.get("type")) not in _NOTES]
    return {"metadata": {"name": "", "width": size.get("width"), "height": size.get("height")}, "instances": instances}


def _is_annotation(tree: object) -> TypeGuard[dict[str, Any]]:
    return (
        isinstance(tree, dict)
        and isinstance(tree.get("instances"), list)
        and isinstance(tree.get("metadata"), dict)
        and "name" in tree["metadata"]
    )


def read(source: Source, coding: LabelCoding | None) -> Listing:
    """List the annotation files and their photos.

    The photo of `a.jpg___objects.json`, `a.jpg___pixel.json` or `a.jpg.json` is `a.jpg`, as `metadata` names it too.

    Raises:
        FormatError: No annotation file lies here, or two describe one photo.
    """
    counts: Counter[str] = Counter()
    entries: list[Entry] = []
    broken: dict[Path, str] = {}
    for path, tree in json_trees(source, broken):
        settled = _settled(tree)
        if _is_annotation(settled):
            entries.append(_entry(path, settled, counts))
    lost = [path for path in broken if path.name.endswith((_VECTOR, _PIXEL)) or _stem(path).endswith(_SUFFIXES)]
    entries += [Entry(path, (_stem(path),)) for path in lost]  # `tessella check` names the fault, as loading does
    classes, origin = _classes(source)
    found = Found(entries, classes, origin, left_out=counts, broken=broken, not_photos=_PICTURES)
    return listing_of(NAME, source, coding, found)


_SUFFIXES: Final = tuple(sorted(IMAGE_SUFFIXES))


def _stem(path: Path) -> str:
    for ending in (_VECTOR, _PIXEL):
        if path.name.endswith(ending):
            return path.name[: -len(ending)]
    return path.stem


def _classes(source: Source) -> tuple[list[tuple[str, Colour | None]], str]:
    """Return the classes of `classes/classes.json`, here or beside the annotation files."""
    stated: dict[str, Colour | None] = {}
    folders = dict.fromkeys([source.root, *sorted({path.parent for path in source.files(".json")})])
    for path in (folder / "classes" / "classes.json" for folder in folders):
        if path.is_file():
            for one in map(table, rows(read_json(path, allow_nan=True))):
                stated.setdefault(words(one.get("name")), hex_colour(one.get("color")))
    return list(stated.items()), "classes/classes.json"


def _entry(path: Path, tree: dict[str, Any], counts: Counter[str]) -> Entry:
    names, boxes = [], 0
    counts["comments"] += len(rows(tree.get("comments")))
    counts["tags of photos"] += len(rows(tree.get("tags")))
    for one in map(table, tree["instances"]):
        kind = words(one.get("type"))
        counts["names of points"] += len(table(one.get("pointLabels")))
        if "parts" in one or kind in _DRAWN:
            names.append(_label(one))
            boxes += kind == "bbox"
        else:
            counts[_NO_AREA.get(kind, f"instances of type {kind or 'unknown'}")] += 1
    mask = path.with_name(_stem(path) + _MASK)
    hw = _size(tree, path, lenient=True)
    parts: tuple[Path, ...] = ()
    if any("parts" in table(one) for one in tree["instances"]) and mask.is_file():
        parts = (mask,)
        hw = hw or _size_of(mask)
    listed = (words(tree["metadata"].get("name")), _stem(path))
    return Entry(path, tuple(filter(None, listed)), "", hw, tuple(names), boxes, parts)


def _size_of(mask: Path) -> tuple[int, int] | None:
    try:
        return read_header(mask).hw
    except InputError:
        return None


def _size(tree: dict[str, Any], path: Path, *, lenient: bool = False) -> tuple[int, int] | None:
    stated = table(tree.get("metadata"))
    try:
        return size_hw(stated.get("height"), stated.get("width"), where=f"{path}: metadata")
    except FormatError:
        if lenient:
            return None
        raise


def _label(one: dict[str, Any]) -> str:
    return named_label(one.get("className"))


def _group(one: dict[str, Any]) -> str:
    return "" if one.get("groupId") in (0, None) else words(one["groupId"])


def _said(one: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    listed = [(table(said).get("groupName"), table(said).get("name")) for said in rows(one.get("attributes"))]
    return attributes([(TRACK, one.get("trackingId")), *listed])


def load(record: Record, listing: Listing) -> Annotation:
    """Return the instances of one photo as shapes.

    Raises:
        InputError: The photo has no labels, or a file cannot be read.
        FormatError: The file has another form, or the mask of a pixel project is missing.
        LabelError: The mask has a colour that is no part of an instance.
    """
    path = listing.label_of(record)
    tree = table(_settled(read_json(path, allow_nan=True)))
    instances = [table(one) for one in required_rows(tree, "instances", where=path)]
    hw = _size(tree, path)
    if any("parts" in one for one in instances):
        if not record.parts:
            raise FormatError(
                "the mask of this pixel project is missing", where=path, expected=f"{_stem(path)}{_MASK} beside it"
            )
        shapes, mask_hw = _cut_out(instances, record.parts[0], listing.max_pixels)
        if hw not in (None, mask_hw):
            raise FormatError(
                "the mask is of another size than its JSON file states",
                where=record.parts[0],
                got=f"{mask_hw[1]}x{mask_hw[0]}",
                expected=f"{tree['metadata']['width']}x{tree['metadata']['height']}",
                fix="export the project again",
            )
        return Drawing(tuple(shapes), hw or mask_hw, "centre")
    drawn = [
        _shape(one, f"{path}: instances[{place}]")
        for place, one in enumerate(instances)
        if words(one.get("type")) in _DRAWN
    ]
    return Drawing(tuple(drawn), hw, "centre")


def _shape(one: dict[str, Any], where: str) -> Shape:
    kind, points = words(one["type"]), one.get("points")
    label, group, said = _label(one), _group(one), _said(one)
    if kind == "polygon":
        holes = tuple(flat(ring, where=where) for ring in rows(one.get("exclude")))
        return Shape(label, "polygon", flat(points, where=where), group, holes=holes, attributes=said)
    if kind == "polyline":
        return Shape(label, "linestrip", flat(points, where=where), group, attributes=said)
    if kind == "ellipse":
        cx, cy, rx, ry = (number(one.get(key)) for key in ("cx", "cy", "rx", "ry"))
        turned = ellipse_points((cx, cy), (rx, ry), number(one.get("angle", 0) or 0))
        return Shape(label, "ellipse", turned, group, attributes=said)
    if kind == "point":
        return Shape(label, "point", np.array([[number(one.get("x")), number(one.get("y"))]]), group, attributes=said)
    corners = _CORNERS[:2] if kind == "bbox" else _CORNERS
    listed = [[number(table(points).get(key)) for key in pair] for pair in corners]
    return Shape(label, "rectangle" if kind == "bbox" else "polygon", np.array(listed), group, attributes=said)


def _cut_out(
    instances: list[dict[str, Any]], path: Path, max_pixels: int | None
) -> tuple[list[Shape], tuple[int, int]]:
    """Return the pixels of every instance of a pixel project."""
    mask = read_mask(path, max_pixels=max_pixels)
    if not mask.is_colour:
        raise FormatError("the mask of a pixel project holds no colours", where=path, got=f"mode {mask.mode}")
    keys = colour_keys(mask)
    if mask.pixels.shape[2] == 4:
        keys = np.where(mask.pixels[..., 3] > 0, keys, np.uint32(0))
    colours = [[hex_colour(table(part).get("color")) for part in rows(one.get("parts"))] for one in instances]
    owned = [[red << 16 | green << 8 | blue for red, green, blue in filter(None, parts)] for parts in colours]
    _refuse_strays(keys, {0, *(key for parts in owned for key in parts)}, path)
    shapes = [
        mask_shape(_label(one), np.isin(keys, parts), group=_group(one), attributes=_said(one))
        for one, parts in zip(instances, owned, strict=True)
        if parts
    ]
    return shapes, mask.hw


def _refuse_strays(keys: NDArray[np.uint32], known: set[int], path: Path) -> None:
    strays = ~np.isin(keys, np.array(sorted(known), np.uint32))
    if strays.any():
        row, column = (int(value) for value in np.argwhere(strays)[0])
        raise LabelError(
            f"colour #{int(keys[row, column]):06x} belongs to no instance (first at row {row}, column {column})",
            where=path,
            got=f"{int(strays.sum())} pixels of such colours",
            fix="export the project again: mask and JSON are of different states",
        )
