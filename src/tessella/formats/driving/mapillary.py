"""mapillary, mapillary-1.2: Mapillary Vistas, whose `config.json` lists the classes in the order of their ids."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from tessella.core.annotation import Drawing, Shape
from tessella.core.classes import ClassInfo, ClassTable, Colour, LabelCoding, voc_colour
from tessella.core.errors import ClassTableError, FormatError, InputError
from tessella.core.wording import counted
from tessella.files.paths import relative_name
from tessella.files.text import read_json
from tessella.files.values.numbers import flat, pairs, size_hw, whole
from tessella.formats.driving.kitti import decode_high_byte
from tessella.formats.driving.objects import label_of, read_objects
from tessella.formats.layout.places import PICTURE, Place
from tessella.formats.layout.published import Classes, Kind, Published

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from tessella.formats.layout.places import Met
    from tessella.formats.source import Source

_SPLIT: Final = r"(?:.+/)?(?P<split>train|training|val|validation|test|testing)"
_NAME: Final = rf"(?P<stem>[^/]+){PICTURE}"
_PHOTOS: Final = Place.of(rf"{_SPLIT}/images", _NAME)
_MOST_CLASSES: Final = 255
_LARGEST_CONFIG: Final = 1 << 24


def _config(source: Source, version: str) -> Path | None:
    """Return `config_v2.0.json`, or `config.json`, that lists classes as Vistas does."""
    found = {path.name.casefold(): path for path in source.files(".json") if path.stem.casefold().startswith("config")}
    for name in (f"config_v{version}.json", "config.json"):
        if (path := found.get(name)) is not None and _rows(path):
            return path
    return None


def _rows(path: Path) -> list[dict[str, Any]]:
    try:
        tree = read_json(path, max_bytes=_LARGEST_CONFIG)
    except InputError:
        return []
    rows = tree.get("labels") if isinstance(tree, dict) else None
    if not isinstance(rows, list) or not 1 <= len(rows) <= _MOST_CLASSES:
        return []
    return rows if all(isinstance(row, dict) and isinstance(row.get("name"), str) for row in rows) else []


def _has_config(version: str, source: Source, _: Path) -> bool:
    return _config(source, version) is not None


def _settle(version: str, source: Source, _: Met, coding: LabelCoding | None) -> Classes:
    if coding is not None:
        return Classes(coding)
    path = _config(source, version)
    if path is None:
        raise FormatError(
            "config.json is missing, which names the classes",
            where=source.root,
            fix="copy it from the download, or pass --classes",
        )
    return coding_of(_rows(path), where=relative_name(path, source.root))


def coding_of(rows: Sequence[dict[str, Any]], *, where: str) -> Classes:
    """Make a coding of the rows of a config: classes that are not evaluated are IGNORE.

    Raises:
        FormatError: A colour is none.
        ClassTableError: A name occurs twice, or no class is evaluated.
    """
    infos: list[ClassInfo] = []
    values: list[tuple[int, ...]] = []
    ignored: list[tuple[int, str]] = []
    doubled = 0
    for number, row in enumerate(rows):
        name = str(row["name"])
        if row.get("evaluate") is False:
            ignored.append((number, name))
            continue
        colour = _colour(row.get("color"), where=f"{where}: labels[{number}]")
        taken = {info.colour for info in infos}
        if colour in taken:
            doubled += 1
            colour = next(spare for spare in map(voc_colour, range(255, -1, -1)) if spare not in taken)
        infos.append(ClassInfo(name, colour))
        values.append((number,))
    if not infos:
        raise ClassTableError("no class is evaluated", where=where, expected='"evaluate": true')
    coding = LabelCoding(
        ClassTable(tuple(infos)),
        tuple(values),
        tuple(number for number, _ in ignored),
        ignore_names=tuple(dict.fromkeys(name for _, name in ignored)),
    )
    notes = [f"classes from {where}"]
    if ignored:
        notes.append(f"not evaluated there and so ignored: {', '.join(name for _, name in ignored)}")
    if doubled:
        one = "class shares a colour with another and is shown in one of its own"
        notes.append(counted(doubled, one, "classes share a colour with another and are shown in one of their own"))
    return Classes(coding, tuple(notes), published=True)


def _colour(value: object, *, where: str) -> Colour:
    if not isinstance(value, list) or len(value) != 3:
        raise FormatError("a class has no colour", where=where, got=repr(value)[:60], expected='"color": [r, g, b]')
    red, green, blue = (whole(band, where=where, high=255) for band in value)
    return red, green, blue


def read_polygons(path: Path, /, *, max_pixels: int | None = None) -> Drawing:
    """Read a file of `v2.0/polygons`: objects in the order in which they are painted.

    Raises:
        InputError: The file cannot be read.
        FormatError: It has no list of objects, or an object without a label or a polygon.
    """
    tree, objects = read_objects(path, of="Vistas")
    shapes = tuple(
        Shape(label_of(entry, where), "polygon", _points(entry.get("polygon"), where)) for entry, where in objects
    )
    height = tree.get("height", tree.get("heigth"))  # some files spell it so
    return Drawing(shapes, size_hw(height, tree.get("width"), where=path))


def _points(listed: object, where: str) -> NDArray[np.float64]:
    if isinstance(listed, list) and len(listed) == 1 and isinstance(listed[0], list) and len(listed[0]) > 2:
        return flat(listed[0], where=where)
    return pairs(listed, where=where)


def _kinds(version: str, below: str) -> tuple[Kind, ...]:
    classes, evidence = partial(_settle, version), partial(_has_config, version)
    return (
        Kind(
            "maps of classes (`labels`)", _PHOTOS, Place.of(rf"{_SPLIT}/{below}labels", _NAME), classes,
            evidence=evidence,
        ),
        Kind(
            "object numbers (`instances`)", _PHOTOS, Place.of(rf"{_SPLIT}/{below}instances", _NAME), classes,
            "an object's number is 256 times its class and a counter; only the class is read",
            read=decode_high_byte, whole=False, evidence=evidence,
        ),
        Kind(
            "polygons", _PHOTOS, Place.of(rf"{_SPLIT}/{below}polygons", r"(?P<stem>[^/]+)\.json"), classes,
            read=read_polygons, evidence=evidence,
        ),
    )  # fmt: skip


def _beside(below: str) -> tuple[tuple[str, Place], ...]:
    return (
        ("maps of object numbers", Place.of(rf"{_SPLIT}/{below}instances", _NAME)),
        ("panoptic maps", Place.of(rf"{_SPLIT}/{below}panoptic", _NAME)),
    )


NEWEST: Final = Published(
    "mapillary", 96, _kinds("2.0", "v2.0/"), "config_v2.0.json, training/images and training/v2.0/labels",
    beside=_beside("v2.0/"), own_classes=False,
)  # fmt: skip
FIRST: Final = Published(
    "mapillary-1.2", 95, _kinds("1.2", "(?:v1.2/)?"), "config.json, training/images and training/labels",
    beside=_beside("(?:v1.2/)?"), own_classes=False,
)  # fmt: skip
