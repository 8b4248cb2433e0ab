"""Reading V7's Darwin JSON: version 2 with its slots and raster layers, and version 1."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from tessella.core.annotation import Drawing, Shape
from tessella.core.errors import FormatError
from tessella.core.wording import counted
from tessella.files.images import check_hw
from tessella.files.text import read_json
from tessella.files.values.numbers import named, number, size_hw, whole
from tessella.formats.listing import Listing, Match, Record
from tessella.formats.raster.rle import whole_numbers
from tessella.formats.tools.entries import Entry, Found, json_trees, listing_of, named_label
from tessella.formats.tools.geometry import box_points, ellipse_points, mask_shape
from tessella.formats.tools.plain import attributes, required_rows, rgba_colour, rows, table, words

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from tessella.core.annotation import Annotation
    from tessella.core.classes import Colour, LabelCoding
    from tessella.formats.source import Source

NAME: Final = "darwin"
_AREAS: Final = frozenset({"polygon", "mask", "ellipse", "bounding_box", "line"})
_NO_AREA: Final = {
    "keypoint": "keypoints", "skeleton": "keypoints", "tag": "tags of photos", "cuboid": "cuboids",
    "frames": "annotations of video or volume frames", "string": "relations", "graph": "relations",
    "eye": "keypoints", "link": "relations",
}  # fmt: skip
METADATA: Final = ".v7/metadata.json"
"""Where a release states its classes."""


def detect(source: Source) -> Match | None:
    """Say whether Darwin JSON files are there; about eight, spread over the list, are read."""
    found = sum(_is_darwin(outline.tree) for outline in source.outlines)
    if not found:
        return None
    return Match(90, f"{found} of {len(source.outlines)} JSON files looked at are Darwin JSON", "shapes")


def _is_darwin(tree: object) -> bool:
    if not isinstance(tree, dict) or not isinstance(tree.get("annotations"), list):
        return False
    if isinstance(tree.get("item"), dict):  # version 2
        return "name" in tree["item"] and ("slots" in tree["item"] or "schema_ref" in tree or "version" in tree)
    image = table(tree.get("image"))
    return "dataset" in tree and "filename" in image and "width" in image  # version 1


def read(source: Source, coding: LabelCoding | None) -> Listing:
    """List the annotation files and their photos: one record per slot that holds a picture.

    Videos and volumes are left out and counted.

    Raises:
        FormatError: No Darwin file of a picture lies here, or two describe one photo.
    """
    counts: Counter[str] = Counter()
    entries: list[Entry] = []
    broken: dict[Path, str] = {}
    for path, tree in json_trees(source, broken):
        if _is_darwin(tree):
            entries += _entries(path, tree, counts)
    entries += [Entry(path, (path.stem,)) for path in broken]  # `tessella check` names the fault, as loading does
    if not entries and (frames := counts["items that are videos or volumes"]):
        raise FormatError(
            "these Darwin files describe videos or volumes, not photos",
            where=source.file or source.root,
            got=f"{counted(frames, 'item')} with frames",
            expected="items whose slots are images",
            fix="export the frames as images, or the volumes as NIfTI label volumes",
        )
    classes, origin = _classes(source)
    return listing_of(NAME, source, coding, Found(entries, classes, origin, left_out=counts, broken=broken))


def _classes(source: Source) -> tuple[list[tuple[str, Colour | None]], str]:
    """Return the classes with an area that `.v7/metadata.json` states, here or beside the annotation files."""
    folders = [source.root, *sorted({path.parent for path in source.files(".json")})]
    for path in (folder / name for folder in folders for name in (METADATA, "metadata.json")):
        if path.is_file():
            listed = [table(one) for one in rows(table(read_json(path, allow_nan=True)).get("classes"))]
            found = [one for one in listed if words(one.get("type")) in _AREAS and words(one.get("name")).strip()]
            if found:
                return [(words(one["name"]), rgba_colour(one.get("color"))) for one in found], path.name
    return [], ""


def _entries(path: Path, tree: dict[str, Any], counts: Counter[str]) -> list[Entry]:
    entries = []
    slots = _slots(tree)
    annotations = _by_slot(tree, next(iter(slots)))
    counts["properties of photos"] += len(rows(tree.get("properties")))
    for name, (slot, listed) in slots.items():
        if _moves(slot):
            counts["items that are videos or volumes"] += 1
            continue
        names, boxes = [], 0
        for one in annotations.get(name, ()):
            kind = _kind(one)
            if kind in _AREAS:
                names.append(_label(one))
                boxes += kind == "bounding_box"
            elif kind != "raster_layer":
                counts[_NO_AREA.get(kind, f"annotations of kind {kind or 'unknown'}")] += 1
        entries.append(Entry(path, listed, name, _size(slot, path, lenient=True), tuple(names), boxes))
    return entries


def _slots(tree: dict[str, Any]) -> dict[str, tuple[dict[str, Any], tuple[str, ...]]]:
    """Return content and photo names of every slot by its name; "" is the name of an only slot."""
    item = table(tree.get("item"))
    if not item:
        image = table(tree.get("image"))
        called = (*_called(image, "original_filename"), *_called(image, "filename"))
        return {"": (image, tuple(dict.fromkeys(filter(None, called))))}
    slots = [table(slot) for slot in rows(item.get("slots"))] or [{}]
    found: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {}
    for place, slot in enumerate(slots):
        files = [words(table(file).get("file_name")) for file in rows(slot.get("source_files"))]
        own = _called(item, "name") if len(slots) == 1 else ()
        listed = tuple(dict.fromkeys(filter(None, (*own, *files[:1]))))
        key = "" if len(slots) == 1 else words(slot.get("slot_name")) or str(place)
        found.setdefault(key, (slot, listed))
    return found


def _called(tree: dict[str, Any], key: str) -> tuple[str, ...]:
    """Return what a photo may be called: by its folder in the data set, as a release unpacks it, and by name alone."""
    folder, name = words(tree.get("path")).strip("/"), words(tree.get(key))
    return (f"{folder}/{name}", f"images/{folder}/{name}", name) if folder and name else (name,)


def _moves(slot: dict[str, Any]) -> bool:
    kind = words(slot.get("type"))
    return kind in {"video", "dicom", "nifti", "pdf"} or number(slot.get("frame_count", 1)) > 1


def _by_slot(tree: dict[str, Any], first: str) -> dict[str, list[dict[str, Any]]]:
    """Return the annotations by slot; those that name none belong to the first, and all to an only slot."""
    listed = [table(one) for one in rows(tree.get("annotations"))]
    if not first:
        return {"": listed}
    found: dict[str, list[dict[str, Any]]] = {}
    for one in listed:
        for name in dict.fromkeys(map(words, rows(one.get("slot_names")))) or {first: None}:
            found.setdefault(name, []).append(one)
    return found


def _kind(one: dict[str, Any]) -> str:
    if "complex_polygon" in one:
        return "polygon"
    for kind in ("raster_layer", "polygon", "ellipse", "mask", "line", *_NO_AREA, "bounding_box"):
        if kind in one:
            return kind  # a polygon has a bounding box, too
    return ""


def _label(one: dict[str, Any]) -> str:
    return named_label(one.get("name"))


def _size(slot: dict[str, Any], where: object, *, lenient: bool = False) -> tuple[int, int] | None:
    try:
        return size_hw(slot.get("height"), slot.get("width"), where=where)
    except FormatError:
        if lenient:
            return None
        raise


def load(record: Record, listing: Listing) -> Annotation:
    """Return the annotations of one photo as shapes, in the order of the file.

    Raises:
        InputError: The photo has no labels, or its file cannot be read.
        FormatError: The file has another form, or a raster layer does not fill its photo.
    """
    path = listing.label_of(record)
    tree = read_json(path, allow_nan=True)
    required_rows(tree, "annotations", where=path)
    slots = _slots(tree)
    if record.key not in slots:
        raise FormatError("the slot of this photo is gone", where=path, got=record.key)
    hw = _size(slots[record.key][0], path)
    annotations = _by_slot(tree, next(iter(slots))).get(record.key, [])
    layers = _layers(annotations, hw, path, listing.max_pixels)
    shapes = [
        shape
        for place, one in enumerate(annotations)
        if (shape := _shape(one, layers, f"{path}: annotations[{place}]")) is not None
    ]
    return Drawing(tuple(shapes), hw, "centre")


class _Layer(NamedTuple):
    """Where the pixels of a mask are: those of one value in (H, W) uint16."""

    values: NDArray[np.uint16]
    value: int


def _shape(one: dict[str, Any], layers: dict[str, _Layer], where: str) -> Shape | None:
    kind, label = _kind(one), _label(one)
    group = words(table(one.get("instance_id")).get("value"))
    said = attributes(
        [(table(said).get("name"), table(said).get("value")) for said in rows(one.get("properties"))]
        + [("text", table(one.get("text")).get("text"))]
        + [("attributes", ", ".join(map(words, rows(one.get("attributes")))))]
        + [("directional_vector", one.get("directional_vector"))]
    )
    if kind == "polygon":
        rings = [named(ring, where=where) for ring in _rings(one)]
        outer = rings[0] if rings else np.zeros((0, 2))
        return Shape(label, "polygon", outer, group, holes=tuple(rings[1:]), attributes=said)
    if kind == "mask":
        layer = layers.get(words(one.get("id")))
        if layer is None:
            raise FormatError("a mask is in no raster layer", where=where, fix="export the item again")
        return mask_shape(label, layer.values == layer.value, group=group, attributes=said)
    if kind == "line":
        points = named(table(one["line"]).get("path"), where=where)
        return Shape(label, "linestrip", points, group, attributes=said)
    if kind == "ellipse":
        return Shape(label, "ellipse", _ellipse(table(one["ellipse"])), group, attributes=said)
    if kind == "bounding_box":
        x, y, width, height = (number(table(one["bounding_box"]).get(key)) for key in ("x", "y", "w", "h"))
        return Shape(label, "rectangle", box_points(x, y, width, height), group, attributes=said)
    return None


def _rings(one: dict[str, Any]) -> list[Any]:
    """Return the rings of a polygon: an odd number of them around a pixel is inside."""
    polygon = table(one.get("polygon", one.get("complex_polygon")))
    if "paths" in polygon:
        return rows(polygon["paths"])
    path = rows(polygon.get("path"))
    if path and isinstance(path[0], list):
        return path
    return [path, *rows(polygon.get("additional_paths"))]


def _ellipse(tree: dict[str, Any]) -> NDArray[np.float64]:
    centre, radius = table(tree.get("center")), table(tree.get("radius"))
    x, y, rx, ry = (number(side.get(axis)) for side in (centre, radius) for axis in ("x", "y"))
    return ellipse_points((x, y), (rx, ry), math.degrees(number(tree.get("angle", 0) or 0)))


def _layers(
    annotations: list[dict[str, Any]], hw: tuple[int, int] | None, path: Path, max_pixels: int | None
) -> dict[str, _Layer]:
    """Return where the pixels of every mask are, by the id of its annotation."""
    found: dict[str, _Layer] = {}
    for one in annotations:
        layer = one.get("raster_layer")
        if not isinstance(layer, dict):
            continue
        where = f"{path}: raster_layer"
        if hw is None:
            raise FormatError("a raster layer stands on a photo without size", where=path, fix="export the item again")
        check_hw(hw, where=where, max_pixels=max_pixels)
        values = _dense(layer.get("dense_rle"), hw, where)
        for key, value in table(layer.get("mask_annotation_ids_mapping")).items():
            found[words(key)] = _Layer(values, whole(value, where=where, low=1, high=65535))
    return found


def _dense(listed: object, hw: tuple[int, int], where: str) -> NDArray[np.uint16]:
    """Decode value, length, value, length, ... along the rows."""
    numbers = whole_numbers(listed, where=where)
    values, lengths = numbers[0::2], numbers[1::2]
    if len(numbers) % 2 or values.max(initial=0) > 65535 or lengths.max(initial=0) > hw[0] * hw[1]:
        raise FormatError("a raster layer is no list of values and lengths", where=where, got=f"{len(numbers)} numbers")
    if (total := int(lengths.sum())) != hw[0] * hw[1]:
        raise FormatError("a raster layer does not fill its photo", where=where, got=total, expected=hw[0] * hw[1])
    return np.repeat(values.astype(np.uint16), lengths).reshape(hw)
