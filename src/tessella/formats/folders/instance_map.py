"""instance-map: masks whose values are object numbers (cells, nuclei); every object is the one class `object`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tessella.core.annotation import Drawing
from tessella.core.errors import FormatError, InputError
from tessella.core.wording import counted
from tessella.files.images import read_header
from tessella.files.masks import read_mask
from tessella.formats.folders.index_mask import require_pairs
from tessella.formats.layout.class_files import CLASS_FILES
from tessella.formats.layout.instances import OBJECTS, numbers_objects, object_name, objects_of
from tessella.formats.layout.pairing import paired
from tessella.formats.layout.places import tree
from tessella.formats.listing import Listing, Match

if TYPE_CHECKING:
    from pathlib import Path

    from tessella.core.annotation import Annotation
    from tessella.core.classes import LabelCoding
    from tessella.formats.listing import Record
    from tessella.formats.source import Source

NAME: Final = "instance-map"
_LOOK_AT: Final = 3
_LARGEST: Final = 1 << 24


def detect(source: Source) -> Match | None:
    """Say whether masks hold object numbers: 1 to N, eight or more in 16 bits, nearly each of them in one piece.

    A class file says that the values are classes.
    """
    if source.file is not None or any(path.name in CLASS_FILES for path in source.once(tree).get("", ())):
        return None
    pairs = paired(source)
    masks = [] if pairs is None else pairs.masks
    looked = [
        found for path in masks[:: max(1, len(masks) // _LOOK_AT)][:_LOOK_AT] if (found := _looks(path)) is not None
    ]
    if not looked or sum(looked) * 2 <= len(looked):
        return None
    return Match(75, f"in {sum(looked)} of {len(looked)} masks looked at the values are 1 to N, each in one piece")


def _looks(path: Path) -> bool | None:
    """Whether a mask numbers objects; None for one that cannot say: empty, or a stack of pages."""
    try:
        header = read_header(path)
        if header.channels != 1 or header.frames > 1 or header.hw[0] * header.hw[1] > _LARGEST:
            return None
        pixels = read_mask(path).pixels
    except InputError:
        return None
    return numbers_objects(pixels) if pixels.any() else None


def read(source: Source, coding: LabelCoding | None) -> Listing:
    """List photos and maps of object numbers.

    Raises:
        FormatError: Nothing pairs.
    """
    pairs = require_pairs(source)
    stacks = {record.name for record in pairs.records if record.label is not None and _is_stack(record.label)}
    records = tuple(
        replace(record, key="object") if record.label is not None else record
        for record in pairs.records
        if record.name not in stacks
    )
    notes = [
        pairs.how,
        "the masks hold object numbers: every number above 0 is an object of the class object",
        "classes are background and object; where values are classes, pass --format index-mask",
    ]
    if stacks:
        many = counted(len(stacks), "mask of several pages is", "masks of several pages are")
        notes.append(f"{many} left out, which --format tiff-stack reads")
    orphans = tuple(f"{name}#object" for name in pairs.orphans)
    coding = OBJECTS if coding is None else coding
    return Listing(NAME, source.root, records, coding, False, tuple(notes), orphans, source.max_pixels)


def _is_stack(path: Path) -> bool:
    if path.suffix.lower() not in (".tif", ".tiff"):
        return False
    try:
        return read_header(path).frames > 1
    except InputError:
        return False


def load(record: Record, listing: Listing) -> Annotation:
    """Read every object of a map of object numbers as a mask.

    Raises:
        InputError: The photo has no mask, or it cannot be read.
        FormatError: A colour mask.
    """
    path = listing.label_of(record)
    mask = read_mask(path, max_pixels=listing.max_pixels)
    if mask.is_colour:
        raise FormatError("object numbers are not stored as colours", where=path, got=mask.mode)
    return Drawing(objects_of(mask.pixels, object_name(listing.coding)), mask.hw, "centre")
