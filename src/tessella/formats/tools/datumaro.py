"""datumaro: Datumaro's own JSON, a file per subset: polygons, run-length masks and ellipses of every item."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tessella.core.annotation import Drawing, Shape, ShapeKind
from tessella.core.errors import FormatError
from tessella.files.paths import relative_name
from tessella.files.sections import Rows, Sections, read_sections
from tessella.files.text import read_head
from tessella.files.values.numbers import flat, number, size_hw
from tessella.formats.coco.catalogue import IGNORE_NAME, Category, classes_of
from tessella.formats.coco.fields import key_of
from tessella.formats.coco.instances import BOXES_NOTE, with_ignore
from tessella.formats.coco.photos import FileFinder, refuse_twins, split_of_file
from tessella.formats.coco.shapes import attributes_of, cropped
from tessella.formats.layout.photos import PhotoFinder, absent_note, named_apart
from tessella.formats.listing import Listing, Match, Record
from tessella.formats.raster.labels import uncovered_note
from tessella.formats.raster.rle import decode_coco

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from tessella.core.annotation import Annotation
    from tessella.core.classes import LabelCoding
    from tessella.formats.source import Source

NAME: Final = "datumaro"
_UNCOVERED: Final = "pixels that no shape covers are background"
_AREAS: Final = frozenset({"polygon", "mask", "ellipse"})
_LEFT_OUT: Final = {
    "bbox": "boxes without outline", "rotated_bbox": "boxes without outline", "polyline": "lines",
    "points": "sets of keypoints", "skeleton": "sets of keypoints", "caption": "captions",
    "label": "labels of whole photos", "cuboid_3d": "cuboids",
}  # fmt: skip
_AT_ONCE: Final = 256
"""Items that are parsed at a time."""

_ENDINGS: Final = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp")


@dataclass(frozen=True, slots=True, eq=False)
class _Page:
    """What stays in memory of a file: where its items lie, and its labels by number."""

    rows: Rows
    labels: tuple[str, ...]


def detect(source: Source) -> Match | None:
    """Say whether JSON files with Datumaro's items and categories are there."""
    found = [outline for outline in source.outlines if _is_datumaro(outline.tree)]
    if not found:
        return None
    why = f"{len(found)} of {len(source.outlines)} JSON files looked at hold Datumaro's items and categories"
    return Match(90 if any(_has_area(outline.tree) for outline in found) else 5, why, "shapes")


def _is_datumaro(tree: object) -> bool:
    return isinstance(tree, dict) and isinstance(tree.get("items"), list) and isinstance(tree.get("categories"), dict)


def _has_area(tree: dict[str, Any]) -> bool:
    return any(str(one.get("type")) in _AREAS for item in tree["items"] for one in _annotations(item))


def _annotations(item: object) -> list[dict[str, Any]]:
    listed = item.get("annotations") if isinstance(item, dict) else None
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


def read(source: Source, coding: LabelCoding | None) -> Listing:
    """List the items of all subsets with their photos.

    An item without annotations is all background. Photos that are not here stay where the file states their size.

    Args:
        source: The folder, or one JSON file of it.
        coding: The classes, or None to take them from the label categories.

    Raises:
        FormatError: No Datumaro file lies here, or none holds areas.
        LabelError: The label categories cannot become classes.
        ClassTableError: `classes.toml` contradicts itself.
    """
    root, photos = source.root, PhotoFinder(source)
    files = [read_sections(path) for path in source.files(".json") if _may_be_ours(path, source)]
    pages: dict[Path, _Page] = {}
    records: list[Record] = []
    orphans: list[str] = []
    facts: Counter[str] = Counter()
    sets = []
    for sections in files:
        page, used, items = _page(sections, facts)
        pages[sections.path] = page
        sets.append(([Category(name, name) for name in dict.fromkeys(page.labels)], used))
        for record, known in _records(page, items, photos, root):
            if record.image is not None or known:
                records.append(record)
            else:
                orphans.append(f"{relative_name(sections.path, root)}#{record.key}")
    refuse_twins(records, root)
    if not facts["areas"]:
        raise _no_areas(source, facts)
    notes: list[str] = []
    discovered = False
    if coding is None:
        coding, found, discovered = classes_of(sets, root, uncovered=_UNCOVERED, origin="the label categories")
        notes += found
    notes += uncovered_note(coding)
    if boxes := facts["boxes without outline"]:
        notes.append(BOXES_NOTE)
    notes += absent_note(records)
    lone = photos.unlabelled(records) if source.file is None else []
    return Listing(
        NAME,
        root,
        named_apart([*records, *lone]),
        with_ignore(coding) if boxes else coding,
        discovered,
        tuple(notes),
        tuple(orphans),
        source.max_pixels,
        {what: count for what, count in facts.items() if count and what != "areas"},
        pages,
    )


def _may_be_ours(path: Path, source: Source) -> bool:
    try:
        head = read_head(path, max_bytes=1 << 16)
    except OSError:
        return source.file is not None
    return '"items"' in head or '"categories"' in head or source.file is not None


def _page(sections: Sections, facts: Counter[str]) -> tuple[_Page, frozenset[str], list[Any]]:
    """Read a file once: count its annotations by kind, and return its items without them.

    Raises:
        FormatError: No items or categories, or an item that is no object.
    """
    if not sections.is_list("items"):
        raise FormatError("this is not a Datumaro file", where=sections.path, expected='"items": [...]')
    labels = _labels(sections)
    rows, _ = sections.rows("items")
    used: set[str] = set()
    items = []
    for place, item in enumerate(_each(rows)):
        if not isinstance(item, dict):
            raise FormatError("an item is not an object", where=f"{sections.path}: items[{place}]")
        for one in _annotations(item):
            kind = str(one.get("type"))
            label = _label(one, labels)
            if kind in _AREAS and label is not None:
                facts["areas"] += 1
                used.add(label)
            else:
                said = _LEFT_OUT.get(kind, "annotations of unknown kind")
                facts["shapes without label" if kind in _AREAS else said] += 1
        items.append({key: item.get(key) for key in ("id", "image", "media", "path")})
    return _Page(rows, labels), frozenset(used), items


def _each(rows: Rows) -> Iterator[Any]:
    for start in range(0, len(rows), _AT_ONCE):
        yield from rows.parse(range(start, min(start + _AT_ONCE, len(rows))))


def _labels(sections: Sections) -> tuple[str, ...]:
    categories = sections.parse("categories") if "categories" in sections.names else None
    label = categories.get("label") if isinstance(categories, dict) else None
    listed = label.get("labels") if isinstance(label, dict) else None
    if not isinstance(listed, list):
        return ()
    names = [one.get("name") if isinstance(one, dict) else None for one in listed]
    return tuple(
        name.strip()[:200] if isinstance(name, str) and name.strip() else f"label_{place}"
        for place, name in enumerate(names)
    )


def _label(row: dict[str, Any], labels: tuple[str, ...]) -> str | None:
    key = row.get("label_id")
    if isinstance(key, bool) or not isinstance(key, int) or key < 0:
        return None
    return labels[key] if key < len(labels) else f"label_{key}"


def _records(
    page: _Page, items: list[dict[str, Any]], photos: PhotoFinder, root: Path
) -> Iterator[tuple[Record, bool]]:
    """Yield the record of every item, and whether its size is known without the photo."""
    path = page.rows.path
    split = split_of_file(path, root)
    names = [_photo_name(item) for item in items]
    finder = FileFinder(photos.paths, photos)
    home = finder.home(path, [name for name in names if name], split=split, hint=path.stem)
    for place, (item, name) in enumerate(zip(items, names, strict=True)):
        given = key_of(item.get("id")) or f"item_{place}"
        candidates = [name] if name else [f"{given}{ending}" for ending in _ENDINGS]
        images = [finder.find(home, path, candidate) for candidate in candidates]
        image = next((one for one in images if one is not None), None)
        record = photos.record(image, path, name=given if image is None else "", key=str(place))
        known = _hw(item, where=f"{path}: items[{place}]") is not None
        yield Record(record.name, image, path, split or record.split, key=str(place)), known


def _photo_name(item: dict[str, Any]) -> str:
    """Return the photo's path as the file has it: absolute on the disk of whoever exported it, or below images/."""
    for key in ("image", "media"):
        found = item.get(key)
        path = found.get("path") if isinstance(found, dict) else None
        if isinstance(path, str) and path:
            given = key_of(item.get("id"))
            below = path.replace("\\", "/")
            # the item's id is its path without suffix, relative to the subset's photos
            at = below.rfind(given) if given else -1
            return below[at:] if at >= 0 and not below[at + len(given) :].count("/") else below.rsplit("/", 1)[-1]
    return ""


def _hw(item: dict[str, Any], *, where: str) -> tuple[int, int] | None:
    for key in ("image", "media"):
        found = item.get(key)
        size = found.get("size") if isinstance(found, dict) else None
        if isinstance(size, list) and len(size) == 2:
            return size_hw(size[0], size[1], where=where)
    return None


def _no_areas(source: Source, facts: Counter[str]) -> FormatError:
    held = ", ".join(f"{count} {what}" for what, count in sorted(facts.items()) if count)
    return FormatError(
        "these Datumaro files hold no areas, so they say nothing of pixels",
        where=source.file or source.root,
        got=held or "no annotations",
        expected="polygons, masks or ellipses with labels",
        fix="annotate outlines, or give the files that hold them",
    )


def load(record: Record, listing: Listing) -> Annotation:
    """Read the shapes of one item by z-order, boxes without outline as ignored regions below all others.

    Raises:
        InputError: The photo has no labels, or the file cannot be read any more.
        FormatError: An annotation breaks the format.
    """
    content: Any = listing.content
    path = listing.label_of(record)
    page: _Page = content[path]
    item = page.rows.parse([int(record.key)])[0]
    where = listing.place(record)
    ignore = next(iter(listing.coding.ignore_names), IGNORE_NAME)
    hw = _hw(item, where=where)
    boxes, shapes = [], []
    for place, row in enumerate(_annotations(item)):
        kind = str(row.get("type"))
        if kind in _BOXES and (box := _box(row)) is not None:
            boxes.append(Shape(ignore, "polygon", box))
        label = _label(row, page.labels)
        if kind in _AREAS and label is not None:
            found = _area(row, hw, where=f"{where}: annotations[{place}]")
            level = number(row.get("z_order", 0))
            shapes += [(0.0 if np.isnan(level) else level, _shape(label, row, one)) for one in found]
    shapes.sort(key=lambda one: one[0])
    return Drawing((*boxes, *(shape for _, shape in shapes)), hw, "centre")


_BOXES: Final = frozenset({"bbox", "rotated_bbox"})
_Area = tuple[ShapeKind, "NDArray[np.float64]", "NDArray[np.bool_] | None"]


def _shape(label: str, row: dict[str, Any], area: _Area) -> Shape:
    kind, points, mask = area
    group = key_of(row.get("group"))
    return Shape(label, kind, points, "" if group == "0" else group, mask, (), tuple(attributes_of(row)))


def _area(row: dict[str, Any], hw: tuple[int, int] | None, *, where: str) -> list[_Area]:
    if row["type"] == "polygon":
        return [("polygon", flat(row.get("points"), where=where), None)]
    if row["type"] == "ellipse":
        corners = flat(row.get("points"), where=where)
        if corners.shape != (2, 2):
            raise FormatError("an ellipse is not two corners", where=where, got=f"{len(corners)} points")
        (left, top), (right, bottom) = corners
        centre = np.array([(left + right) / 2, (top + bottom) / 2])
        return [("ellipse", np.array([centre, [right, centre[1]], [centre[0], bottom]]), None)]
    mask = decode_coco(row.get("rle"), where=where)
    if hw is not None and mask.shape != hw:
        raise FormatError(
            "a run-length mask is of another size than its photo", where=where, got=mask.shape, expected=hw
        )
    return [("mask", *found)] if (found := cropped(mask)) is not None else []


def _box(row: dict[str, Any]) -> NDArray[np.float64] | None:
    """Return the corners of [x, y, width, height], or of a turned box [centre x, centre y, width, height, degrees]."""
    listed = row.get("bbox") if isinstance(row.get("bbox"), list) else row.get("points")
    values = [number(value) for value in listed] if isinstance(listed, list) else []
    if len(values) not in (4, 5) or not np.isfinite(values).all() or min(values[2:4]) <= 0:
        return None
    x, y, width, height = values[:4]
    signs = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) / 2 * [width, height]
    if row["type"] == "bbox":
        return np.asarray(signs + np.array([x + width / 2, y + height / 2]))
    turn = np.deg2rad(values[4] if len(values) == 5 else 0.0)
    spin = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    return np.asarray(signs @ spin + np.array([x, y]))
