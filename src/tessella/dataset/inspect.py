"""What a path is: a picture, a LabelMe file, a class file or an annotated folder, said in a few facts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tessella.core.errors import FormatError, InputError
from tessella.dataset.index import open_dataset
from tessella.files.classes import read_classes
from tessella.files.images import read_header
from tessella.files.masks import read_mask
from tessella.files.paths import IMAGE_SUFFIXES
from tessella.files.text import read_json
from tessella.formats import labelme
from tessella.formats.layout.class_files import CLASS_FILES
from tessella.formats.raster.labels import count_values

if TYPE_CHECKING:
    from tessella.core.classes import LabelCoding
    from tessella.dataset.index import Index

_MOST_VALUES = 64


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
    max_pixels: int | None = None,
) -> Inspection:
    """Say what a file or folder is.

    Args:
        path: A picture, a LabelMe JSON file, a class file, or an annotated folder.
        format: The folder's annotation format, or None to detect it.
        classes: The folder's class table or class file, or None.
        max_pixels: Most pixels of a mask whose values are counted, as for `open_dataset`.

    Returns:
        Its kind and facts.

    Raises:
        InputError: It does not exist or cannot be read.
        FormatError: It is none of these.
    """
    place = Path(path)
    if place.is_dir():
        index = open_dataset(place, format=format, classes=classes, max_pixels=max_pixels)
        return Inspection(str(place), "data set", _folder(index))
    if not place.exists():
        raise InputError("there is no such file or folder", where=place, fix="check the spelling")
    if place.suffix.lower() in IMAGE_SUFFIXES:
        return Inspection(str(place), "picture", _picture(place, max_pixels))
    if place.name in CLASS_FILES or place.suffix.lower() in {".toml", ".csv", ".txt"}:
        return Inspection(str(place), "classes", {"classes": coding_rows(read_classes(place))})
    if place.suffix.lower() == ".json":
        return Inspection(str(place), *_json(place, max_pixels))
    raise FormatError(
        "Tessella does not know this kind of file",
        where=place,
        expected="a picture, a LabelMe JSON file, a class file, a folder of annotated photos, a bundle, an .onnx file",
    )


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


def _json(path: Path, max_pixels: int | None) -> tuple[str, dict[str, object]]:
    tree = read_json(path, allow_nan=True)
    if not isinstance(tree, dict) or "shapes" not in tree:
        return "classes", {"classes": coding_rows(read_classes(path))}
    drawing = labelme.read_drawing(path, max_pixels=max_pixels)
    height, width = drawing.declared_hw or (None, None)
    kinds = Counter(f"{shape.kind} {shape.label}" for shape in drawing.shapes)
    return "annotation", {"format": "labelme", "width": width, "height": height, "shapes": dict(kinds)}


def _folder(index: Index) -> dict[str, object]:
    sizes: Counter[str] = Counter()
    unreadable = 0
    for record in index.records:
        if record.image is None:
            continue
        try:
            height, width = read_header(record.image).upright_hw
            sizes[f"{width}x{height}"] += 1
        except InputError:
            unreadable += 1
    stated = Counter(record.split for record in index.records)
    return {
        "format": index.format,
        "samples": len(index),
        "labelled": sum(record.label is not None for record in index.records),
        "splits": {name: count for name, count in sorted(stated.items()) if name},
        "classes": coding_rows(index.coding),
        "classes_discovered": index.listing.discovered,
        "sizes": dict(sizes.most_common(8)),
        "different_sizes": len(sizes),
        "unreadable_photos": unreadable,
        "labels_without_photo": len(index.listing.orphan_labels),
        "notes": list(index.listing.notes),
    }
