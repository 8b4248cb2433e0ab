"""via: projects and exports of the VGG Image Annotator, versions 1 to 3, as JSON or CSV."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from tessella.core.annotation import Drawing, Shape
from tessella.core.errors import FormatError, InputError
from tessella.files.paths import relative_name
from tessella.files.text import parse_json, read_csv, read_head
from tessella.files.values.numbers import number
from tessella.formats.listing import Listing, Match, Record
from tessella.formats.tools.entries import UNLABELLED, Entry, Found, json_trees, listing_of, names_in_url
from tessella.formats.tools.geometry import box_points, ellipse_points
from tessella.formats.tools.plain import attributes, rows, table, words

if TYPE_CHECKING:
    from pathlib import Path

    from tessella.core.annotation import Annotation
    from tessella.core.classes import LabelCoding
    from tessella.formats.source import Source

NAME: Final = "via"
_LOOK_AT: Final = 20
_HEADER: Final = ("filename", "file_size", "region_shape_attributes", "region_attributes")
_USUAL: Final = ("class", "label", "labels", "name", "category", "type", "object", "object_name")
"""What the class is mostly called; decides where two attributes are given equally often."""

_THIRD: Final = {
    1: ("point", ("cx", "cy")), 2: ("rect", ("x", "y", "width", "height")), 3: ("circle", ("cx", "cy", "r")),
    4: ("ellipse", ("cx", "cy", "rx", "ry", "theta")), 5: ("polyline", ()), 6: ("polyline", ()), 7: ("polygon", ()),
}  # fmt: skip
"""Shapes of version 3 by number, and what their numbers are; none for a list of x, y."""


class _Photo(NamedTuple):
    """One photo of a file.

    Args:
        name: Its name.
        size: The byte size that the file states, -1 for none.
        regions: Its regions.
        said: How many attributes the photo as a whole has.
    """

    name: str
    size: int
    regions: list[dict[str, Any]]
    said: int = 0


class _Content(NamedTuple):
    """What `load` needs: photos by file and key, and the attribute that is the class."""

    photos: dict[str, _Photo]
    attribute: str


def detect(source: Source) -> Match | None:
    """Say whether VIA's JSON or CSV is there; about eight JSON files and the heads of CSV files are read."""
    found = sum(bool(_photos(outline.tree, at_most=_LOOK_AT)) for outline in source.outlines)
    if found:
        return Match(88, f"{found} of {len(source.outlines)} JSON files looked at are VIA's", "shapes")
    tables = [path for path in source.files(".csv") if _is_table(path)]
    return Match(88, f"{tables[0].name} is VIA's table of regions", "shapes") if tables else None


def _is_table(path: Path) -> bool:
    try:
        head = read_head(path, max_bytes=4096).partition("\n")[0]
    except OSError:
        return False
    return all(name in head for name in _HEADER)


def read(source: Source, coding: LabelCoding | None) -> Listing:
    """List the photos that VIA files name; a CSV file beside a JSON file is the same export again and is not read.

    The class of a region is the attribute that most regions give, said in a note.

    Raises:
        FormatError: No VIA file lies here, two describe one photo, or a table has a broken cell.
    """
    broken: dict[Path, str] = {}
    notes: list[str] = []
    photos: dict[str, tuple[Path, str, _Photo]] = {}
    taken = set()
    for path, tree in json_trees(source, broken):
        for key, photo in _photos(tree):
            photos[f"{path}#{key}"] = (path, key, photo)
            taken.add(path.parent)
    for path in filter(_is_table, source.files(".csv")):
        if path.parent in taken:
            notes.append(f"{relative_name(path, source.root)} is not read: a JSON export lies beside it")
            continue
        for key, photo in _photos_of_table(path):
            photos[f"{path}#{key}"] = (path, key, photo)
    counts: Counter[str] = Counter()
    attribute = _class_attribute([region for _, _, photo in photos.values() for region in photo.regions])
    entries = [_entry(path, key, photo, attribute, counts=counts) for path, key, photo in photos.values()]
    if attribute:
        notes.append(f"the class of a region is its attribute {attribute!r}")
    content = _Content({place: photo for place, (_, _, photo) in photos.items()}, attribute)
    found = Found(entries, notes=notes, left_out=counts, content=content, broken=broken)
    return listing_of(NAME, source, coding, found)


def _photos(tree: object, *, at_most: int | None = None) -> list[tuple[str, _Photo]]:
    """Return key and content of every photo of a JSON file of any version; nothing where it is no file of VIA."""
    if isinstance(tree, dict) and isinstance(tree.get("metadata"), dict) and isinstance(tree.get("file"), dict):
        return _photos_of_third(tree)
    images = table(tree).get("_via_img_metadata", tree)
    listed = list(table(images).items())[:at_most]
    found = []
    for key, image in listed:
        if not isinstance(image, dict) or "filename" not in image or "regions" not in image or "size" not in image:
            continue
        held = image["regions"]
        values = list(held.values()) if isinstance(held, dict) else rows(held)
        size = number(image["size"])
        stated = int(size) if size >= 0 and size.is_integer() else -1
        regions = [table(value) for value in values]
        found.append((words(key), _Photo(words(image["filename"]), stated, regions, _given(image))))
    return found


def _photos_of_third(tree: dict[str, Any]) -> list[tuple[str, _Photo]]:
    """Read version 3: files, views that show one of them each, and shapes as lists of numbers by view."""
    attribute_names = {key: words(table(one).get("aname")) or key for key, one in table(tree.get("attribute")).items()}
    options = {key: table(table(one).get("options")) for key, one in table(tree.get("attribute")).items()}
    shown = {
        key: [words(one) for one in rows(table(view).get("fid_list"))] for key, view in table(tree.get("view")).items()
    }
    found: dict[str, _Photo] = {}
    for one in map(table, tree["metadata"].values()):
        files = shown.get(words(one.get("vid")), [])
        file = table(tree["file"].get(files[0])) if len(files) == 1 else {}
        shape = rows(one.get("xy"))
        kind = number(shape[0]) if shape else math.nan
        if not file:
            continue
        photo = found.get(files[0]) or _Photo(words(file.get("src")) or words(file.get("fname")), -1, [])
        if not shape:  # about the photo as a whole
            found[files[0]] = photo._replace(said=photo.said + len(table(one.get("av"))))
            continue
        found[files[0]] = photo
        if kind not in _THIRD:
            photo.regions.append({"shape_attributes": {}, "region_attributes": {}})
            continue
        name, keys = _THIRD[int(kind)]
        outline: dict[str, Any] = {"name": name, **dict(zip(keys, shape[1:], strict=False))}
        if not keys:
            outline |= {"all_points_x": shape[1::2], "all_points_y": shape[2::2]}
        said = {
            attribute_names.get(key, key): options.get(key, {}).get(words(value), value)
            for key, value in table(one.get("av")).items()
        }
        photo.regions.append({"shape_attributes": outline, "region_attributes": said, "z": rows(one.get("z"))})
    return [(key, photo) for key, photo in found.items() if photo.regions]


def _photos_of_table(path: Path) -> list[tuple[str, _Photo]]:
    found: dict[str, _Photo] = {}
    for place, cells_by_name in enumerate(read_csv(path), start=2):
        row = {name.lstrip("#"): cell for name, cell in cells_by_name.items()}  # version 1 begins with a hash
        if not set(_HEADER) <= row.keys():
            raise FormatError("a column is missing", where=path, expected=", ".join(_HEADER))
        cells = [parse_json(row[name] or "{}", where=f"{path}: row {place}: {name}") for name in _HEADER[2:]]
        size = number(row["file_size"])
        stated = int(size) if size >= 0 and size.is_integer() else -1
        given = parse_json(row.get("file_attributes") or "{}", where=f"{path}: row {place}: file_attributes")
        photo = _Photo(row["filename"], stated, [], _given({"file_attributes": given}))
        photo = found.setdefault(f"{row['filename']}{row['file_size']}", photo)
        if table(cells[0]):  # a photo without regions has one empty row
            photo.regions.append({"shape_attributes": table(cells[0]), "region_attributes": table(cells[1])})
    return list(found.items())


def _class_attribute(regions: list[dict[str, Any]]) -> str:
    """Return the attribute that most regions give; of equals one that is mostly called so; "" where none is given."""
    counts = Counter(
        name for region in regions for name, value in table(region.get("region_attributes")).items() if _said(value)
    )
    usual = {name: -place for place, name in enumerate(_USUAL)}
    return max(counts, key=lambda name: (counts[name], usual.get(name.casefold(), -len(_USUAL)), name), default="")


def _said(value: object) -> list[str]:
    """Return the answers of an attribute: one for text and radio buttons, any number for check boxes."""
    if isinstance(value, dict):
        return [words(name) for name, ticked in value.items() if ticked and words(name).strip()]
    return [words(value, whole=True)] if words(value).strip() else []


def _given(photo: dict[str, Any]) -> int:
    return sum(bool(_said(value)) for value in table(photo.get("file_attributes")).values())


def _label(region: dict[str, Any], attribute: str) -> str:
    return words(next(iter(_said(table(region.get("region_attributes")).get(attribute))), UNLABELLED))


def _entry(path: Path, key: str, photo: _Photo, attribute: str, *, counts: Counter[str]) -> Entry:
    names, boxes = [], 0
    counts["attributes of photos"] += photo.said
    for region in photo.regions:
        kind = words(table(region.get("shape_attributes")).get("name"))
        if rows(region.get("z")):
            counts["regions of video times"] += 1
        elif kind:
            names.append(_label(region, attribute))
            boxes += kind == "rect"
            counts["further labels of a region"] += len(
                _said(table(region.get("region_attributes")).get(attribute))[1:]
            )
        else:
            counts["regions without outline"] += 1
    return Entry(path, names_in_url(photo.name), key, None, tuple(names), boxes, size_bytes=photo.size)


def load(record: Record, listing: Listing) -> Annotation:
    """Return the regions of one photo as shapes.

    Raises:
        InputError: VIA names no such photo.
        FormatError: A region has an unknown shape.
    """
    content = listing.content
    if record.label is None or not isinstance(content, _Content):
        raise InputError("this photo has no labels", where=listing.root / record.name)
    photo = content.photos[f"{record.label}#{record.key}"]
    shapes = []
    for place, region in enumerate(photo.regions):
        outline = table(region.get("shape_attributes"))
        kind = words(outline.get("name"))
        if rows(region.get("z")) or not kind:
            continue
        further = attributes(
            (name, ", ".join(_said(value)) if isinstance(value, dict) else value)
            for name, value in table(region.get("region_attributes")).items()
            if name != content.attribute
        )
        where = f"{listing.place(record)}: region {place}"
        label = _label(region, content.attribute)
        shapes.append(replace(_shape(outline, kind, where), label=label, attributes=further))
    return Drawing(tuple(shapes), None, "centre")


def _shape(outline: dict[str, Any], kind: str, where: str) -> Shape:
    if kind in {"polygon", "polyline"}:
        x, y = rows(outline.get("all_points_x")), rows(outline.get("all_points_y"))
        if len(x) != len(y):
            raise FormatError("a region has more x than y, or less", where=where, got=f"{len(x)} and {len(y)}")
        points = np.array([[number(one), number(two)] for one, two in zip(x, y, strict=True)]).reshape(-1, 2)
        return Shape("", "polygon" if kind == "polygon" else "linestrip", points)
    values = {key: number(outline.get(key)) for key in ("x", "y", "width", "height", "cx", "cy", "r", "rx", "ry")}
    if kind == "rect":
        return Shape("", "rectangle", box_points(values["x"], values["y"], values["width"], values["height"]))
    centre = (values["cx"], values["cy"])
    if kind == "point":
        return Shape("", "point", np.array([centre]))
    if kind == "circle":
        return Shape("", "circle", np.array([centre, (centre[0] + values["r"], centre[1])]))
    if kind == "ellipse":
        turned = math.degrees(number(outline.get("theta", 0) or 0))
        return Shape("", "ellipse", ellipse_points(centre, (values["rx"], values["ry"]), turned))
    known = "polygon, polyline, rect, circle, ellipse, point"
    raise FormatError("a region has an unknown shape", where=where, got=repr(kind[:40]), expected=known)
