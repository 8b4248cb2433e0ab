"""What a path is: a picture, an annotation, a class file, an archive or an annotated folder, said in a few facts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tessella.core.annotation import Drawing
from tessella.core.errors import InputError
from tessella.core.wording import counted
from tessella.dataset.index import list_source, open_source
from tessella.files.archives import is_archive
from tessella.files.classes import read_classes
from tessella.files.images import read_header
from tessella.files.masks import read_mask
from tessella.files.paths import IMAGE_SUFFIXES
from tessella.formats import detect, format_named
from tessella.formats.layout.class_files import CLASS_FILES
from tessella.formats.raster.labels import count_values
from tessella.formats.tools.not_masks import explain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tessella.core.classes import LabelCoding
    from tessella.formats.listing import Listing

_MOST_VALUES = 64
_CLASS_SUFFIXES = frozenset({".toml", ".csv", ".txt", ".json"})


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a path is.

    Args:
        path: The path.
        kind: `picture`, `annotation`, `classes`, `data set`; `bundle`, `exported model`.
        facts: What it says of itself, as plain JSON values.
    """

    path: str
    kind: str
    facts: dict[str, object]

    def to_json(self) -> dict[str, object]:
        """Return the answer of `inspect --json`."""
        return {"path": self.path, "kind": self.kind, **self.facts}


def inspect(
    path: str | Path,
    *,
    format: str | None = None,  # noqa: A002 - the name of the flag and of the field in the JSON answer
    classes: LabelCoding | Path | None = None,
    photos: str | Path | None = None,
    options: Mapping[str, str] | None = None,
    max_pixels: int | None = None,
) -> Inspection:
    """Say what a file or folder is.

    Args:
        path: A picture, an annotation file, a class file, an archive, or an annotated folder.
        format: The annotation format, or None to detect it.
        classes: The class table or class file, or None.
        photos: A further folder where photos may lie, or None.
        options: What is asked of the format, such as `{"annotator": "majority"}`, as for `open_dataset`.
        max_pixels: Most pixels of a mask whose values are counted, as for `open_dataset`.

    Returns:
        Its kind and facts.

    Raises:
        InputError: It does not exist or cannot be read.
        FormatError: It is none of these, or the format knows no such option.
    """
    place = Path(path)
    if not place.exists():
        raise InputError("there is no such file or folder", where=place, fix="check the spelling")
    if place.is_file() and not is_archive(place):
        if place.suffix.lower() in IMAGE_SUFFIXES:
            return Inspection(str(place), "picture", _picture(place, max_pixels))
        source = open_source(place, photos=photos, max_pixels=max_pixels, options=options)
        if format is None and _is_class_file(place) and not detect(source) and explain(source) is None:
            return Inspection(str(place), "classes", {"classes": coding_rows(read_classes(place))})
        listing = list_source(source, format=format, classes=classes)
        return Inspection(str(place), "annotation", _facts(listing) | _shapes(listing))
    source = open_source(place, photos=photos, max_pixels=max_pixels, options=options)
    return Inspection(str(place), "data set", _facts(list_source(source, format=format, classes=classes)))


def _is_class_file(path: Path) -> bool:
    return path.name in CLASS_FILES or path.suffix.lower() in _CLASS_SUFFIXES


def coding_rows(coding: LabelCoding) -> list[dict[str, object]]:
    """Return the classes as rows: name, colour, stored values."""
    return [
        {"name": info.name, "colour": list(info.colour), "values": list(values)}
        for info, values in zip(coding.table, coding.values, strict=True)
    ]


def _picture(path: Path, max_pixels: int | None) -> dict[str, object]:
    header = read_header(path)
    facts: dict[str, object] = {
        "format": header.format,
        "width": header.hw[1],
        "height": header.hw[0],
        "mode": header.mode,
        "bits": header.bits,
        "bands": header.channels,
        "orientation": header.orientation,
        "frames": header.frames,
        "bytes": path.stat().st_size,
    }
    if header.mode in {"P", "L", "1"} or header.mode.startswith("I"):
        mask = read_mask(path, max_pixels=max_pixels)
        counts = count_values(mask.pixels)
        values = [int(value) for value in counts.nonzero()[0]]
        facts["values"] = {str(value): int(counts[value]) for value in values[:_MOST_VALUES]}
        facts["different_values"] = len(values)
    return facts


def _shapes(listing: Listing) -> dict[str, object]:
    """Return the size that an annotation of one photo states, and its shapes by kind and label."""
    if len(listing.records) != 1 or listing.records[0].label is None:
        return {}
    drawing = format_named(listing.format).load(listing.records[0], listing)
    if not isinstance(drawing, Drawing):
        return {}
    height, width = drawing.declared_hw or (None, None)
    kinds = Counter(f"{shape.kind} {shape.label}" for shape in drawing.shapes)
    return {"width": width, "height": height, "shapes": dict(kinds)}


def _facts(listing: Listing) -> dict[str, object]:
    sizes: Counter[str] = Counter()
    unreadable = 0
    for record in listing.records:
        if record.image is None:
            continue
        try:
            height, width = read_header(record.image).upright_hw
            sizes[f"{width}x{height}"] += 1
        except InputError:
            unreadable += 1
    stated = Counter(record.split for record in listing.records)
    embeds = format_named(listing.format).photo is not None
    return {
        "format": listing.format,
        "samples": len(listing.records),
        "labelled": sum(record.label is not None for record in listing.records),
        "without_photo": sum(record.image is None and (record.absent or not embeds) for record in listing.records),
        "splits": {name: count for name, count in sorted(stated.items()) if name},
        "classes": coding_rows(listing.coding),
        "classes_discovered": listing.discovered,
        "sizes": dict(sizes.most_common(8)),
        "different_sizes": len(sizes),
        "unreadable_photos": unreadable,
        "labels_without_photo": len(listing.orphan_labels),
        "left_out": dict(listing.left_out),
        "notes": [*_absent(listing), *listing.notes],
    }


def _absent(listing: Listing) -> list[str]:
    """Say which labels have no photo here."""
    if not listing.orphan_labels:
        return []
    lone = counted(len(listing.orphan_labels), "label lacks its photo", "labels lack their photo")
    said = f"{lone}, such as {listing.orphan_labels[0]}"
    return [f"{said if listing.records else f'no photo is here: {said}'}; --photos names where to look"]
