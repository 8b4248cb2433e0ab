"""Reading YOLO's label files: which photo each belongs to, their class names, their polygons in pixels."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tessella.core.annotation import Drawing, Shape
from tessella.core.errors import FormatError, InputError
from tessella.core.wording import counted
from tessella.files.images import read_header
from tessella.files.paths import IMAGE_SUFFIXES, relative_name, walk
from tessella.files.text import CLASSES_BUDGET, read_text_lines
from tessella.formats.coco.catalogue import IGNORE_NAME, Category, classes_of
from tessella.formats.coco.instances import BOXES_NOTE, with_ignore
from tessella.formats.layout.photos import PhotoFinder, named_apart
from tessella.formats.listing import Listing, Match, Record
from tessella.formats.raster.labels import uncovered_note
from tessella.formats.tools.yolo.data_yaml import Value, read_data_yaml
from tessella.formats.tools.yolo.rows import Tally, read_rows, tally

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tessella.core.annotation import Annotation
    from tessella.core.classes import LabelCoding
    from tessella.formats.source import Source

NAME: Final = "yolo-seg"
_LOOK_AT: Final = 8
_NAME_FILES: Final = ("classes.txt", "obj.names", "_darknet.labels", "darknet.labels")
_LABEL_FOLDERS: Final = frozenset({"labels", "obj_train_data"})
_SPLITS: Final = {"train": "train", "val": "val", "valid": "val", "test": "test"}
_UNCOVERED: Final = "pixels that no polygon covers are background"
_MOST_CORNERS_BY_CHANCE: Final = 20
_DECIMALS: Final = 6
"""Of a pixel, to which coordinates are rounded: so whole and half pixels come back as they were divided."""


def detect(source: Source) -> Match | None:
    """Say whether text files of class numbers and coordinates belong to photos; about eight are read."""
    names = _name_file(source)
    if source.file is not None and source.file != names and not _is_ours(source.file):
        return None  # another file of the folder was asked for
    labels = _label_files(source)
    spread = labels[:: max(1, len(labels) // _LOOK_AT)][: _LOOK_AT + 1]
    kinds: Counter[str] = Counter()
    for path in spread:
        try:
            found = tally(path)
        except InputError:
            continue
        kinds += Counter() if found is None else found.kinds
    also = f", and {names.name}" if names else ""
    if kinds["polygons"]:
        return Match(92 if names else 85, f"label files of normalised polygons{also}", "shapes")
    if spread and names and not kinds["boxes"] and names.suffix.lower() in (".yaml", ".yml"):
        return Match(60, f"empty label files{also}", "shapes")
    return None  # boxes alone are explained where no format is found


def _is_ours(path: Path) -> bool:
    try:
        return path.suffix.lower() in (".yaml", ".yml") or (path.suffix == ".txt" and tally(path) is not None)
    except InputError:
        return False


def read(source: Source, coding: LabelCoding | None) -> Listing:
    """List the photos and their label files: `images/x.jpg` belongs to `labels/x.txt`, else the two lie side by side.

    A photo whose label file is empty is all background; one without is not labelled.

    Args:
        source: The data set's folder, or its YAML file.
        coding: The classes, or None to take them from data.yaml, classes.txt or obj.names.

    Raises:
        FormatError: No label file lies here, or none has a polygon.
        LabelError: There are more classes than a label map holds.
        ClassTableError: `classes.toml` contradicts itself.
    """
    root, photos = source.root, PhotoFinder(source)
    names = _name_file(source)
    content = _names(names, source)
    labels = _label_files(source)
    claimed = dict(_claims(photos, labels))
    tallies = _tallies(labels, claimed)
    kinds = sum((one.kinds for one in tallies.values()), Counter[str]())
    _refuse_what_says_nothing(source, tallies, kinds, names)
    notes: list[str] = []
    discovered = False
    if coding is None:
        used = frozenset(str(int(key[:9])) for one in tallies.values() for key in one.keys)
        categories = _categories(content, used)
        origin = names.name if names and content else "the numbers found"
        found = classes_of([(categories, used)], root, origin=origin, uncovered=_UNCOVERED)
        coding, discovered = found.coding, not content
        notes += found.notes
    notes += uncovered_note(coding, by="polygon")
    notes += _hints(kinds)
    coding = with_ignore(coding) if kinds["boxes"] else coding
    splits = _splits_by_yaml(names, photos) if names else {}
    paired = [photos.record(photo, label) for label, photo in claimed.items() if label in tallies]
    records = [_in_split(record, splits) for record in [*paired, *photos.unlabelled(paired)]]
    orphans = [relative_name(path, root) for path in labels if path in tallies and path not in claimed]
    return Listing(
        NAME,
        root,
        named_apart(records),
        coding,
        discovered,
        tuple(notes),
        tuple(orphans),
        source.max_pixels,
        {"boxes without outline": kinds["boxes"]} if kinds["boxes"] else {},
        {category.key: category.name for category in _categories(content, frozenset())},
    )


def _root_files(source: Source, *suffixes: str) -> list[Path]:
    return (
        [path for path in walk(source.root) if path.suffix.lower() in suffixes]
        if source.file
        else source.files(*suffixes)
    )


def _name_file(source: Source) -> Path | None:
    """Return the file of class names nearest to the root."""
    found = [path for path in _root_files(source, ".yaml", ".yml") if _has_names(path)]
    found += [path for path in _root_files(source, ".txt", ".names", ".labels") if path.name in _NAME_FILES]
    return min(found, key=lambda path: (len(path.parts), path.name != "data.yaml"), default=None)


def _has_names(path: Path) -> bool:
    try:
        return bool(read_data_yaml(path).get("names"))
    except InputError:
        return False


def _names(path: Path | None, source: Source) -> dict[str, str]:
    """Return class names by number.

    Raises:
        FormatError: The YAML file says that the labels are poses, or numbers a name by something else.
    """
    if path is None:
        return {}
    if path.suffix.lower() not in (".yaml", ".yml"):
        return {str(number): name for number, name in enumerate(read_text_lines(path, max_bytes=CLASSES_BUDGET))}
    content = read_data_yaml(path)
    if "kpt_shape" in content:
        raise FormatError(
            "these YOLO labels are poses: boxes with keypoints, without outlines", where=path, got="kpt_shape"
        )
    names = content.get("names")
    if isinstance(names, list):
        names = {str(number): name for number, name in enumerate(names)}
    if not isinstance(names, dict) or not all(key.isdecimal() for key in names):
        raise FormatError("names are not a list, nor numbered", where=path, expected="names: [a, b] or {0: a, 1: b}")
    return {str(int(key[:9])): name for key, name in names.items()}


def _label_files(source: Source) -> list[Path]:
    """Return the text files that may be labels: in a folder for them, or beside a photo of the same stem."""
    texts = _root_files(source, ".txt")
    pictures = {(path.parent, path.stem) for path in _root_files(source, *IMAGE_SUFFIXES)} if texts else set()
    return [
        path
        for path in texts
        if path.name not in _NAME_FILES
        and (not _LABEL_FOLDERS.isdisjoint(path.relative_to(source.root).parts) or (path.parent, path.stem) in pictures)
    ]


def _claims(photos: PhotoFinder, labels: Sequence[Path]) -> Iterator[tuple[Path, Path]]:
    """Yield label files with their photos: `labels` in the path for `images`, side by side, or of the same stem."""
    there = frozenset(labels)
    left = set(labels)
    for photo in photos.paths:
        for label in (_twin(photo), photo.with_suffix(".txt")):
            if label in there:
                left.discard(label)
                yield label, photo
                break
    for label in sorted(left):
        if photo_found := photos.find(label, label.stem):
            yield label, photo_found


def _twin(photo: Path) -> Path:
    parts = list(photo.parts)
    for place in range(len(parts) - 2, -1, -1):
        if parts[place] == "images":
            parts[place] = "labels"
            break
    return Path(*parts).with_suffix(".txt")


def _tallies(labels: Sequence[Path], claimed: dict[Path, Path]) -> dict[Path, Tally]:
    """Count the lines of every label file; one of a photo stays, even if it cannot be read, to be named later."""
    found = {}
    for path in labels:
        try:
            one = tally(path)
        except InputError:
            one = None
        if one is not None or path in claimed:
            found[path] = one or Tally(Counter(), frozenset())
    return found


def _refuse_what_says_nothing(
    source: Source, tallies: dict[Path, Tally], kinds: Counter[str], names: Path | None
) -> None:
    if not tallies:
        raise FormatError("no YOLO label file lies here", where=source.root, expected="labels/<photo>.txt")
    if kinds["boxes"] and not kinds["polygons"]:
        raise FormatError(
            "these YOLO labels are boxes, so they say nothing of pixels",
            where=source.root,
            got=f"{counted(kinds['boxes'], 'box', 'boxes')} in {counted(len(tallies), 'file')}",
            expected="polygons: a class number and at least 3 pairs of numbers per line",
            fix="annotate outlines, or export them: YOLO's form for segmentation has polygons",
        )
    if not kinds["polygons"] and names is None:
        raise FormatError("no YOLO label file with a polygon lies here", where=source.root)


def _categories(names: dict[str, str], used: Iterable[str]) -> list[Category]:
    """Return the classes by number: those that are named, and without any name those that occur."""
    if names:
        return [
            Category(key, name or f"class_{key}") for key, name in sorted(names.items(), key=lambda one: int(one[0]))
        ]
    return [Category(key, f"class_{key}") for key in sorted(used, key=int)]


def _hints(kinds: Counter[str]) -> Iterator[str]:
    if kinds["boxes"]:
        yield BOXES_NOTE
    if kinds["polygons"] == kinds["quads"] > _MOST_CORNERS_BY_CHANCE:
        yield "every polygon has four corners: these may be turned boxes rather than outlines"


def _splits_by_yaml(names: Path, photos: PhotoFinder) -> dict[Path, str]:
    """Return the split of photos whose folder or list data.yaml gives to one split; folders named so come first."""
    if names.suffix.lower() not in (".yaml", ".yml"):
        return {}
    content = read_data_yaml(names)
    wanted: dict[Path, set[str]] = {}
    for key, split in _SPLITS.items():
        for place in _places(content.get(key)):
            for photo in _meant(place, names, photos):
                wanted.setdefault(photo, set()).add(split)
    return {photo: found.pop() for photo, found in wanted.items() if len(found) == 1}


def _places(value: Value | None) -> list[str]:
    if isinstance(value, str):
        return [value]
    return value if isinstance(value, list) else []


def _meant(place: str, names: Path, photos: PhotoFinder) -> list[Path]:
    """Return the photos of a folder, list or file that data.yaml names, wherever the data set lay when it was made."""
    parts = tuple(part for part in place.replace("\\", "/").split("/") if part not in ("", ".", ".."))
    if not parts:
        return []
    if parts[-1].endswith(".txt"):
        path = names.parent.joinpath(*parts)
        if not path.is_file() or path.is_symlink():
            return []
        known = {photo.parts[-2:] for photo in photos.paths}
        listed = {tail for line in read_text_lines(path) if (tail := _tail(line)) in known}
        return [photo for photo in photos.paths if photo.parts[-2:] in listed]
    for cut in range(len(parts)):
        tail = parts[cut:]
        found = [photo for photo in photos.paths if _contains(photo.parts, tail)]
        if found:
            return found
    return []


def _tail(line: str) -> tuple[str, ...]:
    """Return the folder and the name that a line of a list ends with."""
    return tuple(line.replace("\\", "/").rsplit("/", 2)[-2:])


def _contains(path: tuple[str, ...], tail: tuple[str, ...]) -> bool:
    size = len(tail)
    return any(path[place : place + size] == tail for place in range(len(path) - size + 1))


def _in_split(record: Record, splits: dict[Path, str]) -> Record:
    if record.split or record.image is None or record.image not in splits:
        return record
    return Record(record.name, record.image, record.label, splits[record.image])


def load(record: Record, listing: Listing) -> Annotation:
    """Read the polygons of one photo in pixels of its upright size; boxes without outline are ignored regions below.

    Raises:
        InputError: The photo has no labels, or a file cannot be read.
        FormatError: A line that is neither a box nor a polygon.
    """
    if record.label is None or record.image is None:
        raise InputError("this photo has no labels", where=listing.root / record.name)
    names: Any = listing.content
    ignore = next(iter(listing.coding.ignore_names), IGNORE_NAME)
    hw = read_header(record.image).upright_hw
    scale = np.array([hw[1], hw[0]], np.float64)
    shapes, boxes = [], []
    for number, row in enumerate(read_rows(record.label)):
        if row.is_box:
            centre, size = row.values[:2], row.values[2:]
            corners = np.round(np.stack([centre - size / 2, centre + size / 2]) * scale, _DECIMALS)
            boxes.append(Shape(ignore, "rectangle", corners))
        else:
            label = names.get(row.key, f"class_{row.key}")
            shapes.append(Shape(label, "polygon", np.round(row.values * scale, _DECIMALS), str(number)))
    return Drawing((*boxes, *shapes), hw, "centre")
