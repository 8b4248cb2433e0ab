"""scalabel: JSON of Scalabel and BDD100K, frames with polygons (straight and Bézier edges) or run lengths."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tessella.core.annotation import Drawing, Shape
from tessella.core.errors import FormatError, InputError
from tessella.files.paths import relative_name
from tessella.files.text import read_json
from tessella.files.values.numbers import pairs, size_hw
from tessella.formats.layout.discover import classes_by_name
from tessella.formats.layout.pairing import SPLIT_NAMES
from tessella.formats.layout.photos import PhotoFinder, named_apart, unreadable
from tessella.formats.listing import TRACK, Listing, Match, Record
from tessella.formats.raster.rle import decode_coco

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from tessella.core.annotation import Annotation
    from tessella.core.classes import LabelCoding
    from tessella.formats.source import Source

NAME: Final = "scalabel"
_OUTLINED: Final = ("poly2d", "rle")
_TELLING: Final = (*_OUTLINED, "box2d", "box3d")
_BEND: Final = 16
"""Straight pieces of one Bézier curve: at 100 pixels its chords leave the curve by less than a tenth of a pixel."""

_LEFT_OUT: Final = {"box2d": "boxes without outline", "box3d": "boxes in space", "graph": "graphs of key points"}


def detect(source: Source) -> Match | None:
    """Say whether JSON files with Scalabel's frames lie here."""
    for outline in source.outlines:
        frames = _frames(outline.tree)
        if frames is not None and any(_tells(label) for frame in frames[:50] for label in _labels(frame)):
            return Match(88, f"{outline.path.name} holds frames with labels as Scalabel writes them", "shapes")
    return None


def _frames(tree: object) -> list[dict[str, Any]] | None:
    """Return the frames of a file of any version, or None where it has none."""
    if isinstance(tree, dict) and isinstance(tree.get("frames"), list):
        frames = _sized(tree["frames"], tree.get("config"))
        if frames and isinstance(tree.get("name"), str) and "name" not in _dict(frames[0]):
            # the first version: one file per photo, its objects in the only frame
            frames = [{**_dict(frames[0]), "name": tree["name"], "labels": _dict(frames[0]).get("objects")}]
    elif isinstance(tree, list):
        frames = tree
    else:
        return None
    good = [frame for frame in frames if isinstance(frame, dict) and isinstance(frame.get("name"), str)]
    return good if good and len(good) == len(frames) else None


def _sized(frames: list[Any], config: object) -> list[Any]:
    """Add the size that the file states for all photos to the frames that state none."""
    size = _dict(config).get("imageSize")
    if not isinstance(size, dict):
        return frames
    return [{**frame, "size": frame.get("size") or size} if isinstance(frame, dict) else frame for frame in frames]


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _labels(frame: dict[str, Any]) -> list[dict[str, Any]]:
    labels = frame.get("labels")
    return [label for label in labels if isinstance(label, dict)] if isinstance(labels, list) else []


def _tells(label: dict[str, Any]) -> bool:
    return isinstance(label.get("category"), str) and any(key in label for key in _TELLING)


def read(source: Source, coding: LabelCoding | None) -> Listing:
    """List the frames of all files, and the photos beside theirs that have none.

    Args:
        source: The data set's folder, or one JSON file of it.
        coding: The classes, or None to take them from a class file or else from the categories found.

    Raises:
        FormatError: No frame with an outline lies here, or two frames describe one photo.
        ClassTableError: The class file contradicts itself.
    """
    finder = PhotoFinder(source)
    records: list[Record] = []
    orphans: list[str] = []
    content: dict[str, list[dict[str, Any]]] = {}
    names: Counter[str] = Counter()
    left: Counter[str] = Counter()
    broken: dict[Path, str] = {}
    for path in source.files(".json"):
        try:
            frames = _frames(read_json(path, allow_nan=True))
        except InputError as error:
            broken[path] = error.fault
            continue
        if frames is None or not any(_tells(label) for frame in frames for label in _labels(frame)):
            continue
        content[relative_name(path, source.root)] = frames
        for number, frame in enumerate(frames):
            found = _count(frame, names, left)
            record = _record(finder, path, frame, number, labelled=found)
            if record.image is None and size_hw_of(_size(frame), where=path) is None:
                orphans.append(f"{relative_name(path, source.root)}#{number}")
            else:
                records.append(record)
    if not names:
        raise FormatError(
            "no frame with an outline lies here", where=source.file or source.root,
            got=", ".join(f"{count} {what}" for what, count in left.items()) or "no frames",
            expected="labels with poly2d or rle; boxes say nothing of pixels",
        )  # fmt: skip
    _refuse_twins(records, source.root)
    coding, notes, discovered = classes_by_name(source.root, names, coding)
    lone = finder.unlabelled(records) if source.file is None else []
    ordered = named_apart([*records, *lone])
    return Listing(
        NAME, source.root, ordered, coding, discovered, tuple(notes), tuple(orphans), source.max_pixels, dict(+left),
        content, unreadable=unreadable(broken, records, source.root),
    )  # fmt: skip


def _count(frame: dict[str, Any], names: Counter[str], left: Counter[str]) -> bool:
    """Count the categories that have an outline, and what has none; whether the frame was labelled at all."""
    left["attributes of photos"] += len(_dict(frame.get("attributes")))
    for label in _labels(frame):
        category = label.get("category")
        if isinstance(category, str) and category.strip() and any(label.get(key) for key in _OUTLINED):
            names[category] += 1
        else:
            kind = next((key for key in _LEFT_OUT if label.get(key)), "")
            left[_LEFT_OUT.get(kind, "labels without outline")] += 1
    return isinstance(frame.get("labels"), list)


def _size(frame: dict[str, Any]) -> dict[str, Any]:
    """Return the size that a frame states, else that of its first run-length mask."""
    if isinstance(frame.get("size"), dict):
        return _dict(frame["size"])
    sizes = (_dict(label.get("rle")).get("size") for label in _labels(frame))
    size = next((size for size in sizes if isinstance(size, list) and len(size) == 2), None)
    return {} if size is None else {"height": size[0], "width": size[1]}


def size_hw_of(size: dict[str, Any], *, where: object) -> tuple[int, int] | None:
    """Return the height and width that a frame states, or None."""
    return size_hw(size.get("height"), size.get("width"), where=where)


def _record(finder: PhotoFinder, path: Path, frame: dict[str, Any], number: int, *, labelled: bool) -> Record:
    image = finder.find(path, frame["name"])
    record = finder.record(image, path if labelled else None, name=frame["name"], key=str(number) if labelled else "")
    video = frame.get("videoName")
    split = record.split or next((SPLIT_NAMES[w] for w in path.stem.casefold().split("_") if w in SPLIT_NAMES), "")
    return Record(record.name, image, record.label, split, video if isinstance(video, str) else "", record.key)


def _refuse_twins(records: list[Record], root: Path) -> None:
    seen: dict[Path, Record] = {}
    for record in records:
        if record.image is not None and (other := seen.setdefault(record.image, record)) is not record:
            raise FormatError(
                f"two frames describe the photo {record.name}",
                where=root,
                got=f"{other.label}#{other.key} and {record.label}#{record.key}",
                fix="keep one of the two files: the tasks of BDD100K lie in files of their own",
            )


def load(record: Record, listing: Listing) -> Annotation:
    """Read the shapes of one frame.

    Raises:
        InputError: The photo has no labels.
        FormatError: The frame is not in its file any more, or a polygon or mask is broken.
    """
    path = listing.label_of(record)
    content = listing.content if isinstance(listing.content, dict) else {}
    frames = content.get(relative_name(path, listing.root))
    if not isinstance(frames, list) or not record.key.isdecimal() or int(record.key) >= len(frames):
        raise FormatError("the file does not hold this frame", where=listing.place(record))
    frame, where = frames[int(record.key)], listing.place(record)
    shapes = [
        shape
        for number, label in enumerate(_labels(frame))
        for shape in shapes_of(label, where=f"{where}: labels[{number}]", film=bool(frame.get("videoName")))
    ]
    return Drawing(tuple(shapes), size_hw_of(_size(frame), where=where), "centre")


def shapes_of(label: dict[str, Any], *, where: str, film: bool = False) -> Iterator[Shape]:
    """Yield the shapes of one label: its polygons and lines, or its mask.

    Args:
        label: The label, parsed.
        where: For messages.
        film: Whether the photo is a frame of a video, on whose frames an object has one id.

    Raises:
        FormatError: A polygon or mask is broken.
    """
    category = label.get("category")
    if not isinstance(category, str) or not category.strip():
        return
    listed = label.get("id")
    group = str(listed) if isinstance(listed, str | int) else ""
    said = tuple((str(key), str(value)) for key, value in _dict(label.get("attributes")).items())
    said = ((TRACK, group), *said) if film and group else said
    for number, entry in enumerate(_polygons(label.get("poly2d"))):
        closed = entry.get("closed") is not False
        points = outline(entry, where=f"{where}: poly2d[{number}]")
        yield Shape(category, "polygon" if closed else "linestrip", points, group, attributes=said)
    if label.get("rle"):
        mask = decode_coco(label["rle"], where=f"{where}: rle")
        yield Shape(category, "mask", np.zeros((1, 2)), group, mask, attributes=said)


def _polygons(listed: object) -> list[dict[str, Any]]:
    if not isinstance(listed, list):
        return []
    if listed and all(isinstance(item, list) and len(item) == 3 for item in listed):  # the first version
        types = "".join(str(item[2])[:1] for item in listed)
        return [{"vertices": [item[:2] for item in listed], "types": types}]
    return [item for item in listed if isinstance(item, dict)]


def outline(entry: dict[str, Any], *, where: str) -> NDArray[np.float64]:
    """Return the corners of one polygon, its Bézier edges as 16 straight pieces each.

    Args:
        entry: `vertices` and `types`: L is a corner; three C are two control points and the end of a cubic curve.
        where: For messages.

    Returns:
        (N, 2) float64.

    Raises:
        FormatError: The types do not fit the vertices.
    """
    vertices = pairs(entry.get("vertices"), where=where)
    types = entry.get("types") or "L" * len(vertices)
    if not isinstance(types, str) or len(types) != len(vertices) or set(types) - {"L", "C"}:
        raise FormatError("the types do not fit the vertices", where=where, got=repr(types)[:60], expected="L and C")
    pieces: list[NDArray[np.float64]] = []
    place = 0
    while place < len(vertices):
        curve = types[place : place + 3] == "CCC" and place > 0
        pieces.append(_bent(vertices[place - 1 : place + 3]) if curve else vertices[place : place + 1])
        place += 3 if curve else 1
    return np.concatenate(pieces) if pieces else vertices


def _bent(four: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return points of a cubic Bézier curve without its start: (4, 2) -> (16, 2)."""
    part = np.linspace(0.0, 1.0, _BEND + 1)[1:, None]
    rest = 1.0 - part
    start, one, two, end = four
    return np.asarray(rest**3 * start + 3 * rest**2 * part * one + 3 * rest * part**2 * two + part**3 * end)
