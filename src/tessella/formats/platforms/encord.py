"""encord: label rows of Encord's JSON export, with coordinates between 0 and 1."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from tessella.core.annotation import Drawing, Shape
from tessella.core.errors import FormatError
from tessella.files.images import check_hw
from tessella.files.values.numbers import flat, named, number, size_hw, whole
from tessella.formats.listing import TRACK, Listing, Match, Record
from tessella.formats.raster.rle import decode_string
from tessella.formats.tools.entries import Entry, Found, json_trees, listing_of, named_label, names_in_url
from tessella.formats.tools.geometry import box_points
from tessella.formats.tools.plain import attributes, hex_colour, rows, table, words

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from tessella.core.annotation import Annotation
    from tessella.core.classes import Colour, LabelCoding
    from tessella.formats.source import Source

NAME: Final = "encord"
_AREAS: Final = frozenset({"polygon", "bounding_box", "rotatable_bounding_box", "polyline", "bitmask"})
_NO_AREA: Final = {"point": "keypoints", "skeleton": "keypoints", "cuboid": "cuboids"}


class _Unit(NamedTuple):
    """One picture of a label row: the tree of its data unit, its objects, and the answers by object.

    Args:
        tree: Its data unit.
        objects: What is drawn on it.
        answers: By object.
        in_group: Whether the row has further pictures, on which an object has the same hash.
    """

    tree: dict[str, Any]
    objects: list[dict[str, Any]]
    answers: dict[str, Any]
    in_group: bool


def detect(source: Source) -> Match | None:
    """Say whether Encord label rows are there."""
    found = sum(any(_is_row(row) for row in _rows_of(outline.tree)[:8]) for outline in source.outlines)
    if not found:
        return None
    return Match(90, f"{found} of {len(source.outlines)} JSON files looked at hold Encord label rows", "shapes")


def _rows_of(tree: object) -> list[Any]:
    return rows(tree) if isinstance(tree, list) else [tree]


def _is_row(row: object) -> bool:
    return isinstance(row, dict) and isinstance(row.get("data_units"), dict) and "object_answers" in row


def read(source: Source, coding: LabelCoding | None) -> Listing:
    """List the images of all label rows, those of image groups too, and their photos.

    Raises:
        FormatError: No label row of an image lies here, or two are of one photo.
    """
    broken: dict[Path, str] = {}
    counts: Counter[str] = Counter()
    entries: list[Entry] = []
    content: dict[str, _Unit] = {}
    colours: dict[str, Colour | None] = {}
    for path, tree in json_trees(source, broken):
        for row in filter(_is_row, _rows_of(tree)):
            for key, unit in _units(row, counts):
                content[f"{path}#{key}"] = unit
                drawn = [one for one in unit.objects if _kind(one) in _AREAS]
                colours |= {_label(one): hex_colour(one.get("color")) for one in drawn}
                for one in unit.objects:
                    if _kind(one) not in _AREAS:
                        counts[_NO_AREA.get(_kind(one), f"objects of shape {_kind(one) or 'unknown'}")] += 1
                entries.append(_entry(path, key, unit, drawn))
    if not entries and counts:
        said = ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()) if count)
        raise FormatError("these Encord label rows describe no photos", where=source.file or source.root, got=said)
    found = Found(
        entries,
        sorted(colours.items()) if any(colours.values()) else (),
        "the objects found, with the colours of the ontology",
        left_out=counts,
        content=content,
        broken=broken,
    )
    return listing_of(NAME, source, coding, found)


def _units(row: dict[str, Any], counts: Counter[str]) -> Iterator[tuple[str, _Unit]]:
    for key, unit in row["data_units"].items():
        labels = table(table(unit).get("labels"))
        kind = words(table(unit).get("data_type"))
        if kind.startswith(("video", "application")) or "objects" not in labels:
            frames = [one for one in labels.values() if isinstance(one, dict) and "objects" in one]
            counts["frames of videos and volumes" if frames else "data units without labels"] += max(1, len(frames))
            continue
        counts["answers about a whole photo"] += len(rows(labels.get("classifications")))
        objects = [table(one) for one in rows(labels["objects"])]
        in_group = len(row["data_units"]) > 1
        yield words(key), _Unit(table(unit), objects, table(row.get("object_answers")), in_group)


def _entry(path: Path, key: str, unit: _Unit, drawn: list[dict[str, Any]]) -> Entry:
    title = words(unit.tree.get("data_title"))
    listed = tuple(dict.fromkeys(filter(None, (title, *names_in_url(unit.tree.get("data_link"))))))
    boxes = sum(_kind(one) == "bounding_box" for one in drawn)
    return Entry(path, listed, key, _size(unit, path, lenient=True), tuple(map(_label, drawn)), boxes)


def _size(unit: _Unit, where: object, *, lenient: bool = False) -> tuple[int, int] | None:
    try:
        return size_hw(unit.tree.get("height"), unit.tree.get("width"), where=where)
    except FormatError:
        if lenient:
            return None
        raise


def _kind(one: dict[str, Any]) -> str:
    return words(one.get("shape"))


def _label(one: dict[str, Any]) -> str:
    return named_label(one.get("name"))


def load(record: Record, listing: Listing) -> Annotation:
    """Return the objects of one image as shapes, in the order of the file.

    Raises:
        InputError: The photo has no labels.
        FormatError: The image states no size, or an object has no outline.
    """
    unit: _Unit = listing.kept_of(record)
    where = listing.place(record)
    hw = _size(unit, where)
    if hw is None:
        raise FormatError("the image states no size, and its coordinates are shares of it", where=where)
    shapes = tuple(
        _shape(one, hw, f"{where}: object {place}", (unit, listing.max_pixels))
        for place, one in enumerate(unit.objects)
        if _kind(one) in _AREAS
    )
    return Drawing(shapes, hw, "centre")


def _shape(one: dict[str, Any], hw: tuple[int, int], where: str, more: tuple[_Unit, int | None]) -> Shape:
    unit, max_pixels = more
    scale = np.array([hw[1], hw[0]], np.float64)
    label, kind = _label(one), _kind(one)
    key = words(one.get("objectHash"))
    said = attributes([(TRACK, key if unit.in_group else ""), *_said(table(unit.answers.get(key)))])
    if kind == "polygon":
        rings = _rings(one, where)
        return Shape(
            label, "polygon", rings[0] * scale, holes=tuple(ring * scale for ring in rings[1:]), attributes=said
        )
    if kind == "polyline":
        points = _numbered(one.get("polyline"), where) * scale
        return Shape(label, "linestrip", points, attributes=said)
    if kind == "bitmask":
        packed = table(one.get("bitmask"))
        corner = np.array([[whole(packed.get(key, 0), where=where) for key in ("left", "top")]], np.float64)
        return Shape(label, "mask", corner, mask=_bitmask(packed, where, max_pixels), attributes=said)
    box = table(one.get("boundingBox", one.get("rotatableBoundingBox")))
    x, y, width, height = (number(box.get(key)) for key in ("x", "y", "w", "h"))
    corners = box_points(x, y, width, height) * scale
    theta = number(box.get("theta", 0) or 0)
    if theta % 360 != 0:
        raise FormatError(
            "a box is turned, and Encord does not document which way",
            where=where,
            got=f"theta {theta:g}",
            fix="redraw it as a polygon",
        )
    return Shape(label, "rectangle", corners, attributes=said)


def _rings(one: dict[str, Any], where: str) -> list[NDArray[np.float64]]:
    """Return the rings of a polygon, outer and inner alike: an odd number of them around a pixel is inside."""
    listed = [ring for polygon in rows(one.get("polygons")) for ring in rows(polygon)]
    if listed:
        return [flat(ring, where=where) for ring in listed]
    return [_numbered(one.get("polygon"), where)]


def _numbered(points: object, where: str) -> NDArray[np.float64]:
    """Read points of the form {"0": {"x": ..., "y": ...}, "1": ...}, or a list of them."""
    if isinstance(points, list):
        return named(points, where=where)
    if not isinstance(points, dict) or not all(key.isdecimal() and len(key) < 8 for key in points):
        raise FormatError("an object has no points", where=where, expected='{"0": {"x": 0.1, "y": 0.2}, ...}')
    return named([points[key] for key in sorted(points, key=int)], where=where)


def _bitmask(packed: dict[str, Any], where: str, max_pixels: int | None) -> NDArray[np.bool_]:
    """Decode COCO's letters, whose runs go along the rows here."""
    hw = size_hw(packed.get("height"), packed.get("width"), where=where)
    if hw is None:
        raise FormatError("a bitmask states no size", where=where)
    check_hw(hw, where=where, max_pixels=max_pixels)
    return np.ascontiguousarray(decode_string(packed.get("rleString"), (hw[1], hw[0]), where=where).T)


def _said(answers: dict[str, Any]) -> Iterator[tuple[object, object]]:
    for one in map(table, rows(answers.get("classifications"))):
        given = one.get("answers")
        texts = (
            [words(table(answer).get("name")) for answer in rows(given)]
            if isinstance(given, list)
            else [words(given, whole=True)]
        )
        yield one.get("name"), ", ".join(filter(None, texts))
