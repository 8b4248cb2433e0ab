"""segments-ai: releases of Segments.ai whose labels are segmentation bitmaps or vector shapes."""

from __future__ import annotations

from collections import Counter
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from tessella.core.annotation import Drawing, Shape
from tessella.core.errors import FormatError, InputError, LabelError
from tessella.files.images import read_header
from tessella.files.masks import read_mask
from tessella.files.values.numbers import number, pairs
from tessella.formats.listing import Listing, Match, Record
from tessella.formats.tools.entries import UNLABELLED, Entry, Found, json_trees, listing_of, names_in_url
from tessella.formats.tools.geometry import mask_shape
from tessella.formats.tools.plain import attributes, rows, table, words

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from tessella.core.annotation import Annotation, ShapeKind
    from tessella.core.classes import Colour, LabelCoding
    from tessella.formats.source import Source

NAME: Final = "segments-ai"
_SET: Final = "ground-truth"
_NUMBERS: Final = 1 << 24
"""As many numbers a bitmap of three bytes per pixel can hold."""

_ENDINGS: Final = ("_label_ground-truth", "_label")
_VECTORS: Final[dict[str, ShapeKind]] = {"polygon": "polygon", "bbox": "rectangle", "polyline": "linestrip"}


class _Sample(NamedTuple):
    """What `load` needs of a photo: its annotations, the names of their categories, and its bitmap's address."""

    annotations: list[dict[str, Any]]
    names: dict[str, str]
    bitmap: bool


def detect(source: Source) -> Match | None:
    """Say whether a release of Segments.ai is there."""
    found = sum(_is_release(outline.tree) for outline in source.outlines)
    if not found:
        return None
    return Match(92, f"{found} of {len(source.outlines)} JSON files looked at are Segments.ai releases", "masks")


def _is_release(tree: object) -> bool:
    held = table(table(tree).get("dataset"))
    return isinstance(held.get("samples"), list) and "task_type" in held


def read(source: Source, coding: LabelCoding | None) -> Listing:
    """List the labelled samples and their photos; the bitmaps lie behind addresses and have to be here, too.

    Raises:
        FormatError: No release lies here, or two samples are one photo.
    """
    broken: dict[Path, str] = {}
    counts: Counter[str] = Counter()
    entries: list[Entry] = []
    content: dict[str, _Sample] = {}
    classes: dict[str, Colour | None] = {}
    pictures: dict[str, list[Path]] = {}
    for picture in (source if source.file is None else type(source)(source.root)).files(".png"):
        pictures.setdefault(picture.stem, []).append(picture)
    for path, tree in json_trees(source, broken):
        if not _is_release(tree):
            continue
        categories = _categories(tree["dataset"])
        classes |= {name: colour for name, colour in categories.values() if name not in classes}
        names = {key: name for key, (name, _) in categories.items()}
        for place, sample in enumerate(map(table, tree["dataset"]["samples"])):
            label = table(table(sample.get("labels")).get(_SET))
            said = table(label.get("attributes"))
            if not isinstance(said.get("annotations"), list):
                counts["samples without label"] += 1
                continue
            counts["attributes of photos"] += len(table(said.get("image_attributes")))
            key = words(sample.get("uuid")) or f"[{place}]"
            annotations = [table(one) for one in said["annotations"]]
            bitmap = "segmentation_bitmap" in said
            content[f"{path}#{key}"] = _Sample(annotations, names, bitmap)
            mask = _bitmap(sample, said, pictures) if bitmap else None
            counts["bitmaps behind an address"] += bitmap and mask is None
            entries.append(_entry(path, key, sample, content[f"{path}#{key}"], mask=mask, counts=counts))
    found = Found(
        entries,
        tuple(classes.items()),
        "the categories of the release",
        left_out=counts,
        content=content,
        broken=broken,
        not_photos=tuple(sorted(part.name for entry in entries for part in entry.parts)),
    )
    return listing_of(NAME, source, coding, found)


def _categories(dataset: dict[str, Any]) -> dict[str, tuple[str, Colour | None]]:
    found: dict[str, tuple[str, Colour | None]] = {}
    for one in map(table, rows(table(dataset.get("task_attributes")).get("categories"))):
        channels = [number(channel) for channel in rows(one.get("color"))[:3]]
        whole = len(channels) == 3 and all(channel in range(256) for channel in channels)
        colour = (int(channels[0]), int(channels[1]), int(channels[2])) if whole else None
        found[words(one.get("id"))] = (words(one.get("name")), colour)
    return found


def _bitmap(sample: dict[str, Any], said: dict[str, Any], pictures: dict[str, list[Path]]) -> Path | None:
    stem = PurePosixPath(words(sample.get("name"))).stem
    address = table(said["segmentation_bitmap"]).get("url")
    stems = [*(PurePosixPath(name).stem for name in names_in_url(address)), *(stem + ending for ending in _ENDINGS)]
    return next((pictures[one][0] for one in stems if len(pictures.get(one, ())) == 1), None)


def _entry(
    path: Path, key: str, sample: dict[str, Any], held: _Sample, *, mask: Path | None, counts: Counter[str]
) -> Entry:
    image = table(table(sample.get("attributes")).get("image"))
    listed = tuple(filter(None, (words(sample.get("name")), *names_in_url(image.get("url")))))
    drawn = [one for one in held.annotations if held.bitmap or words(one.get("type")) in _VECTORS]
    counts["keypoints"] += len(held.annotations) - len(drawn)
    boxes = sum(one.get("type") == "bbox" for one in drawn)
    names = tuple(_label(one, held) for one in drawn)
    return Entry(path, listed, key, _size_of(mask), names, boxes, () if mask is None else (mask,))


def _size_of(mask: Path | None) -> tuple[int, int] | None:
    try:
        return None if mask is None else read_header(mask).hw
    except InputError:
        return None


def _label(one: dict[str, Any], held: _Sample) -> str:
    return held.names.get(words(one.get("category_id")), "") or UNLABELLED


def load(record: Record, listing: Listing) -> Annotation:
    """Return the annotations of one sample as shapes.

    Raises:
        InputError: The photo has no label.
        FormatError: Its bitmap lies behind an address and not here, or a shape has no points.
        LabelError: The bitmap has a number that no annotation has.
    """
    held: _Sample = listing.kept_of(record)
    where = listing.place(record)
    if held.bitmap:
        return _of_bitmap(held, record, where, listing.max_pixels)
    shapes = tuple(
        _shape(one, _label(one, held), f"{where}: annotation {place}")
        for place, one in enumerate(held.annotations)
        if words(one.get("type")) in _VECTORS
    )
    return Drawing(shapes, None, "centre")


def _shape(one: dict[str, Any], label: str, where: str) -> Shape:
    said = attributes(table(one.get("attributes")).items())
    return Shape(label, _VECTORS[words(one["type"])], pairs(one.get("points"), where=where), attributes=said)


def _of_bitmap(held: _Sample, record: Record, where: str, max_pixels: int | None) -> Drawing:
    if not record.parts:
        raise FormatError(
            "the bitmap of this sample lies behind an address, and nothing is fetched",
            where=where,
            expected=f"{PurePosixPath(record.name).name}{_ENDINGS[0]}.png in the folder",
            fix="download the release with segments-ai's own tool, which names the bitmaps so",
        )
    keys = _numbers(record.parts[0], max_pixels)
    own = {int(number(one.get("id"))): one for one in held.annotations if number(one.get("id")).is_integer()}
    strays = ~np.isin(keys, [0, *(key for key in own if abs(key) < _NUMBERS)])
    if strays.any():
        row, column = (int(value) for value in np.argwhere(strays)[0])
        raise LabelError(
            f"the bitmap holds the number {int(keys[row, column])}, which no annotation has (first at row {row}, "
            f"column {column})",
            where=record.parts[0],
            fix="export the release again: bitmap and JSON are of different states",
        )
    shapes = tuple(
        mask_shape(_label(one, held), keys == key, attributes=attributes(table(one.get("attributes")).items()))
        for key, one in own.items()
    )
    return Drawing(shapes, (keys.shape[0], keys.shape[1]), "centre")


def _numbers(path: Path, max_pixels: int | None) -> NDArray[np.int64]:
    """Return the numbers of a bitmap: red + 256 green + 65536 blue, or the grey value."""
    pixels = read_mask(path, max_pixels=max_pixels).pixels.astype(np.int64)
    return pixels if pixels.ndim == 2 else pixels[..., 0] | pixels[..., 1] << 8 | pixels[..., 2] << 16
