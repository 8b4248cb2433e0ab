"""roboflow-mask: Roboflow's export of PNG masks, `x.jpg` beside `x_mask.png` and the values in `_classes.csv`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tessella.core.errors import FormatError, InputError
from tessella.core.wording import counted
from tessella.files.text import CLASSES_BUDGET, read_csv
from tessella.formats.folders.index_mask import load, require_pairs
from tessella.formats.layout.class_files import find_classes
from tessella.formats.layout.pairing import paired
from tessella.formats.listing import Listing, Match

if TYPE_CHECKING:
    from pathlib import Path

    from tessella.core.classes import LabelCoding
    from tessella.formats.listing import Record
    from tessella.formats.source import Source

__all__ = ["detect", "load", "read"]

NAME: Final = "roboflow-mask"
_LIST: Final = "_classes.csv"
_VERSION: Final = ".rf."
"""Roboflow calls the versions of one photo `<photo>.rf.<hash>`; augmented copies differ in the hash."""


def detect(source: Source) -> Match | None:
    """Say whether `_classes.csv` with pixel values lies beside photos with masks."""
    lists = [path for path in source.files(".csv") if path.name == _LIST]
    if source.file is not None or not lists or not _has_values(lists[0]):
        return None
    pairs = paired(source)
    if pairs is None or not pairs.masks:
        return None
    return Match(91, f"{_LIST} gives the pixel values of {counted(len(pairs.masks), 'mask')}")


def _has_values(path: Path) -> bool:
    try:
        row = next(read_csv(path, max_bytes=CLASSES_BUDGET), {})
    except InputError:
        return False
    return {"pixel value", "class"} <= {name.casefold() for name in row}


def read(source: Source, coding: LabelCoding | None) -> Listing:
    """List photos and masks; copies of one photo form a group.

    Raises:
        FormatError: Nothing pairs, or no `_classes.csv` lies here.
        ClassTableError: The lists of two splits differ.
    """
    pairs = require_pairs(source)
    notes: tuple[str, ...] = (pairs.how,)
    if coding is None:
        found = find_classes(source.root)
        if found is None:
            raise FormatError(f"{_LIST} is missing, which names the classes", where=source.root)
        coding, notes = found[0], (*notes, f"classes from {found[1]}")
    records = tuple(replace(record, group=_group(record)) for record in pairs.records)
    copies = len(records) - len({record.group or record.name for record in records})
    if copies:
        many = counted(copies, "photo is a copy of another", "photos are copies of others")
        notes = (*notes, f"{many}, which Roboflow augments; copies form a group")
    return Listing(NAME, source.root, records, coding, False, notes, pairs.orphans, source.max_pixels)


def _group(record: Record) -> str:
    last = record.name.rsplit("/", 1)[-1]
    return last.split(_VERSION)[0] if _VERSION in last else ""
