"""hasty: Hasty JSON 1.0 and 1.1 (now CloudFactory), one file with all images of a project."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tessella.core.annotation import Drawing, Shape
from tessella.core.errors import FormatError
from tessella.files.images import check_hw
from tessella.files.values.numbers import number, pairs, size_hw, whole
from tessella.formats.listing import TRACK, Listing, Match, Record
from tessella.formats.raster.rle import whole_numbers
from tessella.formats.tools.entries import Entry, Found, json_trees, listing_of, named_label
from tessella.formats.tools.plain import attributes, hex_colour, rows, table, words

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from tessella.core.annotation import Annotation
    from tessella.core.classes import Colour, LabelCoding
    from tessella.formats.source import Source

NAME: Final = "hasty"


def detect(source: Source) -> Match | None:
    """Say whether Hasty JSON is there."""
    found = sum(_is_hasty(outline.tree) for outline in source.outlines)
    if not found:
        return None
    return Match(90, f"{found} of {len(source.outlines)} JSON files looked at are Hasty JSON", "shapes")


def _is_hasty(tree: object) -> bool:
    return (
        isinstance(tree, dict)
        and isinstance(tree.get("label_classes"), list)
        and isinstance(tree.get("images"), list)
        and all(isinstance(one, dict) and "image_name" in one for one in tree["images"][:8])
    )


def read(source: Source, coding: LabelCoding | None) -> Listing:
    """List the images that are neither new nor skipped, and their photos.

    Raises:
        FormatError: No Hasty JSON lies here, or two images are one photo.
    """
    broken: dict[Path, str] = {}
    counts: Counter[str] = Counter()
    entries: list[Entry] = []
    content: dict[str, dict[str, Any]] = {}
    classes: dict[str, Colour | None] = {}
    for path, tree in json_trees(source, broken):
        if not _is_hasty(tree):
            continue
        for one in map(table, tree["label_classes"]):
            classes.setdefault(words(one.get("class_name")), hex_colour(one.get("color")))
        for place, image in enumerate(map(table, tree["images"])):
            if words(image.get("image_status")) in {"NEW", "SKIPPED"} and not rows(image.get("labels")):
                counts["images that nobody labelled"] += 1
                continue
            key = words(image.get("image_id")) or f"{words(image.get('dataset_name'))}/{words(image.get('image_name'))}"
            key = key if f"{path}#{key}" not in content else f"{key}[{place}]"
            content[f"{path}#{key}"] = image
            counts["tags of photos"] += len(rows(image.get("tags")))
            counts["sets of keypoints"] += sum(bool(table(one).get("keypoints")) for one in rows(image.get("labels")))
            entries.append(_entry(path, key, image))
    found = Found(
        entries, tuple(classes.items()), "label_classes of the export", left_out=counts, content=content, broken=broken
    )
    return listing_of(NAME, source, coding, found)


def _entry(path: Path, key: str, image: dict[str, Any]) -> Entry:
    labels = [table(one) for one in rows(image.get("labels"))]
    name, folder = words(image.get("image_name")), words(image.get("dataset_name"))
    listed = tuple(filter(None, (f"{folder}/{name}" if folder and name else "", name)))
    boxes = sum(_kind(one) == "box" for one in labels)
    try:
        hw = size_hw(image.get("height"), image.get("width"), where=path)
    except FormatError:
        hw = None  # said when the image is read
    return Entry(path, listed, key, hw, tuple(_label(one) for one in labels), boxes)


def _kind(one: dict[str, Any]) -> str:
    return "mask" if rows(one.get("mask")) else "polygon" if rows(one.get("polygon")) else "box"


def _label(one: dict[str, Any]) -> str:
    return named_label(one.get("class_name"))


def load(record: Record, listing: Listing) -> Annotation:
    """Return the labels of one image as shapes, those of lower `z_index` first.

    Raises:
        InputError: The photo has no labels.
        FormatError: A label has no outline, or its mask does not fit its box.
    """
    image = listing.kept_of(record)
    where = listing.place(record)
    hw = size_hw(image.get("height"), image.get("width"), where=where)
    labels = [table(one) for one in rows(image.get("labels"))]
    heights = np.nan_to_num([number(one.get("z_index", 0) or 0) for one in labels])
    order = np.argsort(heights, kind="stable").tolist()
    shapes = tuple(_shape(labels[place], f"{where}: labels[{place}]", listing.max_pixels) for place in order)
    return Drawing(shapes, hw, "centre")


def _shape(one: dict[str, Any], where: str, max_pixels: int | None) -> Shape:
    label, kind = _label(one), _kind(one)
    said = attributes([(TRACK, one.get(TRACK)), *table(one.get("attributes")).items()])
    if kind == "polygon":
        return Shape(label, "polygon", pairs(one["polygon"], where=where), attributes=said)
    box = rows(one.get("bbox"))
    if len(box) != 4:
        raise FormatError("a label has no outline", where=where, expected="a bbox, a polygon or a mask")
    if kind == "box":
        corners = np.array([number(side) for side in box], np.float64).reshape(2, 2)
        return Shape(label, "rectangle", corners, attributes=said)
    left, top, right, bottom = (whole(side, where=where, high=1_000_000) for side in box)
    hw = (bottom - top, right - left)
    if min(hw) < 1:
        raise FormatError("the box of a mask is empty", where=where, got=box)
    check_hw(hw, where=where, max_pixels=max_pixels)
    corner = np.array([[left, top]], np.float64)
    return Shape(label, "mask", corner, mask=_mask(one["mask"], hw, where), attributes=said)


def _mask(listed: object, hw: tuple[int, int], where: str) -> NDArray[np.bool_]:
    """Decode start (from 1), length, start, length, ... along the rows of the box."""
    numbers = whole_numbers(listed, where=where)
    starts, lengths = numbers[0::2] - 1, numbers[1::2]
    size = hw[0] * hw[1]
    if len(numbers) % 2 or starts.min(initial=0) < 0 or (starts + lengths).max(initial=0) > size:
        raise FormatError(
            "a mask does not fit its box", where=where, got=f"{len(numbers)} numbers", expected=f"{size} px"
        )
    turns = np.zeros(size + 1, np.int32)
    np.add.at(turns, starts, 1)
    np.add.at(turns, starts + lengths, -1)
    return (np.cumsum(turns[:-1]) > 0).reshape(hw)
