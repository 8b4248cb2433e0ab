"""mots: multi-object tracking and segmentation, 16-bit maps of 1,000 times the class and a track number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from tessella.core.annotation import StoredMask
from tessella.core.classes import ClassTable, LabelCoding
from tessella.core.errors import FormatError, InputError
from tessella.files.images import read_header
from tessella.files.masks import read_mask
from tessella.files.text import CLASSES_BUDGET, read_text_lines
from tessella.formats.layout.places import PICTURE, Place
from tessella.formats.layout.published import Classes, Kind, Published

if TYPE_CHECKING:
    from pathlib import Path

    from tessella.formats.layout.places import Met
    from tessella.formats.source import Source

_NAME: Final = rf"(?P<stem>[^/]+){PICTURE}"
_SPLIT: Final = r"(?:(?P<above>.+/)?(?P<split>train|training|val|validation|test|testing)/)?"
_SEQUENCE: Final = r"(?:/(?P<group>.+))?"
_LABELS: Final = Place.of(rf"{_SPLIT}instances{_SEQUENCE}", _NAME)
_STEP: Final = 1000
_CLASSES: Final = ("car", "pedestrian")
_REGION: Final = 10
"""KITTI MOTS: 10,000 are regions that are neither."""


def decode_tracks(path: Path, /, *, max_pixels: int | None = None) -> StoredMask:
    """Read the class of every pixel: 2,003 is track 3 of class 2, 0 is background.

    Raises:
        InputError: The file cannot be read.
        FormatError: A colour mask, or numbers that belong to no class.
    """
    mask = read_mask(path, max_pixels=max_pixels)
    if mask.is_colour:
        raise FormatError("track numbers are not stored as colours", where=path, got=mask.mode, expected="16 bits")
    numbers = mask.pixels.astype(np.uint16)
    if (lost := (numbers > 0) & (numbers < _STEP)).any():
        raise FormatError(
            "numbers below 1000 belong to no class", where=path, got=f"{int(numbers[lost][0])} and the like",
            expected="1000 times the class and a counter; 0 is background",
        )  # fmt: skip
    return StoredMask((numbers // _STEP).astype(np.uint8), "L")


def _is_tracks(source: Source, path: Path) -> bool:
    """Whether the numbers are those of classes that a list beside them names, or of KITTI MOTS."""
    try:
        if read_header(path).bits != 16:
            return False
        names = _names(path)
        numbers = np.unique(decode_tracks(path, max_pixels=source.max_pixels).pixels)
    except InputError:
        return False
    return set(numbers.tolist()) <= {0, *range(1, len(names) + 1), _REGION} and (numbers.size > 1 or names != _CLASSES)


def _names(path: Path) -> tuple[str, ...]:
    beside = _list_beside(path)
    return _CLASSES if beside is None else tuple(read_text_lines(beside, max_bytes=CLASSES_BUDGET))


def _list_beside(path: Path) -> Path | None:
    return next((beside for folder in path.parents[:2] if (beside := folder / "labels.txt").is_file()), None)


def _settle(_: Source, met: Met, coding: LabelCoding | None) -> Classes:
    if coding is not None:
        return Classes(coding)
    lists = [found for path in met.labels if (found := _list_beside(path)) is not None]
    names = tuple(read_text_lines(lists[0], max_bytes=CLASSES_BUDGET)) if lists else _CLASSES
    where = "labels.txt beside the maps" if lists else "KITTI MOTS, for nothing here names them"
    table = ClassTable.from_names(("background", *names))
    ignored = (_REGION,) if len(names) < _REGION else ()
    return Classes(LabelCoding(table, ignore_values=ignored), (f"classes from {where}",))


MOTS: Final = Published(
    "mots",
    88,
    (
        Kind(
            "track numbers", Place.of(rf"{_SPLIT}(?:images|image_02){_SEQUENCE}", _NAME), _LABELS, _settle,
            "a track's number is 1000 times its class and a counter; only the class is read, 0 is background",
            read=decode_tracks, whole=False, evidence=_is_tracks,
        ),
        Kind(
            "track numbers", Place.of(rf"(?P<above>.+/)?(?P<split>training|testing)/image_02{_SEQUENCE}", _NAME),
            Place.of(rf"(?P<above>.+/)?instances{_SEQUENCE}", _NAME), _settle,
            "a track's number is 1000 times its class and a counter; only the class is read, 0 is background",
            read=decode_tracks, whole=False, evidence=_is_tracks,
        ),
    ),
    "train/images/x.jpg and train/instances/x.png",
    beside=(("maps of track numbers", Place.of(rf"(?:.+/)?instances{_SEQUENCE}", _NAME)),),
    own_classes=False,
)  # fmt: skip
