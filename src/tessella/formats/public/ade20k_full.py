"""ade20k-full: the full releases of 2017 and 2021, thousands of object names, the class in red and green."""

from __future__ import annotations

import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tessella.core.annotation import StoredMask
from tessella.core.classes import MAX_CLASSES, ClassTable, LabelCoding
from tessella.core.errors import FormatError, InputError, LabelError
from tessella.files.images import read_header
from tessella.files.masks import read_mask
from tessella.files.text import read_json, read_text_lines
from tessella.formats.layout.places import Place
from tessella.formats.layout.published import Classes, Kind, Published

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from tessella.formats.layout.places import Met
    from tessella.formats.source import Source

_PHOTOS: Final = Place.of(r"(?P<above>.*)", r"(?P<stem>.+)\.jpe?g")
_LABELS: Final = Place.of(r"(?P<above>.*)", r"(?P<stem>.+)_seg\.png")
_ATTRIBUTES: Final = re.compile(r"^(\d+)\s*#\s*(\d+)\s*#\s*\d+\s*#\s*([^#]*)#")
_LARGEST_INDEX: Final = 25 * 256 + 255


def read_classes_of(path: Path, /, *, max_pixels: int | None = None) -> StoredMask:
    """Read the class index of every pixel of a `_seg.png`: 256 times a tenth of red, and green.

    Returns:
        (H, W) uint16 stored values; 0 is unlabelled.

    Raises:
        InputError: The file cannot be read.
        FormatError: Not colours.
    """
    return StoredMask(_class_index(_colours(path, max_pixels)), "I;16")


def _colours(path: Path, max_pixels: int | None) -> NDArray[np.uint8]:
    mask = read_mask(path, max_pixels=max_pixels)
    if not mask.is_colour:
        raise FormatError("the class lies in red and green, but this is no colour mask", where=path, got=mask.mode)
    return mask.pixels.astype(np.uint8)


def _class_index(pixels: NDArray[np.uint8]) -> NDArray[np.uint16]:
    return np.asarray(pixels[..., 0].astype(np.uint16) // 10 * 256 + pixels[..., 1], np.uint16)


def _has_objects(_: Source, path: Path) -> bool:
    """Whether a `_seg.png` is a colour mask beside the list of its objects."""
    try:
        return read_header(path).channels >= 3 and _objects_file(path) is not None
    except InputError:
        return False


def _objects_file(label: Path) -> Path | None:
    stem = label.name.removesuffix("_seg.png")
    beside = (label.with_name(f"{stem}{end}") for end in (".json", "_atr.txt"))
    return next((path for path in beside if path.is_file()), None)


def _settle(source: Source, met: Met, coding: LabelCoding | None) -> Classes:
    """Name the classes that occur by the lists of objects beside the photos."""
    names, nameless = _names(met.labels, source.max_pixels)
    if coding is not None:
        return _given(coding, names)
    if len(names) > MAX_CLASSES:
        usual = ", ".join(name for name, _ in Counter(names.values()).most_common(5))
        raise LabelError(
            "ADE20K's full release names more objects than a class table holds",
            where=source.root,
            got=f"{len(names)} names, such as {usual}",
            expected=f"at most {MAX_CLASSES}",
            fix="pass --classes FILE with the objects that you want; all others are ignored",
        )
    if not names:
        raise LabelError("no list of objects beside the masks names a class", where=source.root)
    order = sorted(names, key=lambda index: names[index])
    table = ClassTable.from_names([names[index] for index in order])
    notes = ["classes from the lists of objects beside the photos"]
    if nameless:
        notes.append(f"{nameless} lists of objects cannot be read")
    coding = LabelCoding(table, tuple((index,) for index in order), (0,), ignore_names=())
    return Classes(coding, tuple(notes), discovered=True)


def _given(coding: LabelCoding, names: Mapping[int, str]) -> Classes:
    """Fill in the stored values of classes that were given by name; other objects are ignored."""
    wanted = {name.casefold(): place for place, name in enumerate(coding.table.names)}
    for alias, name in coding.aliases:
        wanted[alias.casefold()] = coding.table.names.index(name)
    values: list[list[int]] = [[] for _ in coding.table]
    ignored = [0]
    for index, name in sorted(names.items()):
        spelled = [name.casefold(), *(part.strip().casefold() for part in name.split(","))]
        place = next((wanted[part] for part in spelled if part in wanted), None)
        (ignored if place is None else values[place]).append(index)
    if not any(values):
        raise LabelError(
            "no object of this data set has the name of a class", got=", ".join(sorted(names.values())[:8]),
            expected=", ".join(coding.table.names[:8]),
        )  # fmt: skip
    # a class without an object here keeps a value that no file can hold
    spare = iter(range(_LARGEST_INDEX + 1, 1 << 16))
    full = tuple(tuple(found) or (next(spare),) for found in values)
    note = f"{len(ignored) - 1} names of objects are not among the classes and ignored"
    return Classes(replace(coding, values=full, ignore_values=tuple(ignored)), (note,))


def _names(labels: Sequence[Path], max_pixels: int | None) -> tuple[dict[int, str], int]:
    """Return the name of every class index that occurs, and how many lists cannot be read."""
    names: dict[int, str] = {}
    broken = 0

    def one(label: Path) -> dict[int, str] | None:
        path = _objects_file(label)
        try:
            if path is None:
                return {}
            return _from_json(path) if path.suffix == ".json" else _from_attributes(path, label, max_pixels)
        except InputError:
            return None

    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(one, labels):
            broken += found is None
            for index, name in (found or {}).items():
                names.setdefault(index, name)
    return _told_apart(names), broken


def _told_apart(names: dict[int, str]) -> dict[int, str]:
    """Add the index to a name that several classes have."""
    counts = Counter(names.values())
    return {index: name if counts[name] == 1 else f"{name} ({index})" for index, name in names.items()}


def _from_json(path: Path) -> dict[int, str]:
    tree = read_json(path, allow_nan=True)
    annotation = tree.get("annotation") if isinstance(tree, dict) else None
    objects = annotation.get("object") if isinstance(annotation, dict) else None
    rows: list[Any] = objects if isinstance(objects, list) else [objects]
    found = {}
    for row in rows:
        if not isinstance(row, dict) or not _is_whole_object(row.get("parts")):
            continue
        index, name = row.get("name_ndx"), row.get("name")
        if isinstance(index, int) and 0 < index <= _LARGEST_INDEX and isinstance(name, str) and name.strip():
            found[index] = name.strip()
    return found


def _is_whole_object(parts: object) -> bool:
    """Whether an object is drawn in `_seg.png`; parts of objects are drawn in `_parts_1.png` and so on."""
    level = parts.get("part_level") if isinstance(parts, dict) else 0
    return level in (0, "0", None)


def _from_attributes(path: Path, label: Path, max_pixels: int | None) -> dict[int, str]:
    """Match the lines of `_atr.txt` to pixels: the n-th value of blue, from the smallest above 0, is object n."""
    pixels = _colours(label, max_pixels)
    blue, index = pixels[..., 2], _class_index(pixels)
    levels = [int(value) for value in np.unique(blue) if value]
    found = {}
    for line in read_text_lines(path):
        match = _ATTRIBUTES.match(line)
        if match is None or match[2] != "0" or not 1 <= int(match[1][:9]) <= len(levels):
            continue
        here = np.unique(index[blue == levels[int(match[1][:9]) - 1]])
        if here.size == 1 and here[0] and match[3].strip():
            found[int(here[0])] = match[3].strip()
    return found


ADE20K_FULL: Final = Published(
    "ade20k-full",
    93,
    (
        Kind(
            "classes in red and green (`_seg.png`)", _PHOTOS, _LABELS, _settle,
            "unlabelled pixels are ignored; blue, which counts objects, is not read",
            read=read_classes_of, whole=False, evidence=_has_objects,
        ),
    ),
    "x.jpg, x_seg.png and x_atr.txt or x.json",
    beside=(
        ("maps of object numbers", _LABELS),
        ("maps of object parts", Place.of(r".*", r".+_parts_\d+\.png")),
        ("masks of single objects", Place.of(r".*", r"instance_\d+_.+\.png")),
    ),
    own_classes=False,
)  # fmt: skip
