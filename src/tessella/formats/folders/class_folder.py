"""class-folder: masks of one class whose folder is the class, as in sets of defects (magnetic tiles, MVTec AD)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tessella.core.annotation import StoredMask
from tessella.core.classes import ClassTable, LabelCoding, nearest_hint
from tessella.core.errors import FormatError, LabelError
from tessella.files.masks import read_mask
from tessella.formats.layout.binary import is_yes, says_yes_or_no, stored_type, value_of, with_ignore_value
from tessella.formats.layout.class_files import find_classes
from tessella.formats.layout.pairing import SPLIT_NAMES, pair, paired, role_of
from tessella.formats.layout.places import PICTURE, Place, meet, tree
from tessella.formats.listing import Listing, Match, Record
from tessella.formats.raster.labels import background_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tessella.core.annotation import Annotation
    from tessella.formats.source import Source

NAME: Final = "class-folder"
_MOST_CLASSES: Final = 64
_FAULTLESS: Final = frozenset({"good", "free", "ok", "normal", "none", "clean", "nodefect", "defectfree", "faultless"})
"""Folder names that say there is nothing to find: with one of them, the others are kinds of faults."""

_PHOTOS: Final = Place.of(r"(?P<above>.+/)?(?:test|default)/(?P<fault>[^/]+)", rf"(?P<stem>[^/]+){PICTURE}")
_LABELS: Final = Place.of(r"(?P<above>.+/)?ground_truth/(?P<fault>[^/]+)", rf"(?P<stem>[^/]+)_mask{PICTURE}")


def detect(source: Source) -> Match | None:
    """Say whether folders of masks are named after classes.

    Folders may be anything: cities, patients, days. They are taken for classes where the layout is that of MVTec AD,
    or where masks are binary, no name has a digit, and one of them says that nothing is to be found (`good`,
    `MT_Free` beside `MT_Crack`): then the others are kinds of faults.
    """
    if source.file is not None:
        return None
    files = source.once(tree)
    if _LABELS.look(files) and _PHOTOS.look(files):
        return Match(89, "ground_truth/ holds a folder of masks for each kind of fault")
    by_class = _by_class(source)
    if not 2 <= len(by_class) <= _MOST_CLASSES or not _say_classes(list(by_class)):
        return None
    if not all(
        says_yes_or_no(record.label) for found in by_class.values() for record in _spread(found) if record.label
    ):
        return None
    return Match(70, f"the masks are binary and lie in folders named {', '.join(sorted(by_class)[:3])}, ...")


def _by_class(source: Source) -> dict[str, list[Record]]:
    """Return the pairs of each folder that may be a class; empty where some pair lies in none or in a split."""
    pairs = paired(source)
    found: dict[str, list[Record]] = defaultdict(list)
    for record in () if pairs is None else pairs.records:
        if record.label is None:
            continue
        folders = record.label.parts[len(source.root.parts) : -1]
        kept = [folder for folder in folders if not role_of(folder)[0]]
        if len(kept) > 1:
            return {}
        if kept:
            found[kept[0]].append(record)
            if len(found) > _MOST_CLASSES:
                return {}
    return found


def _say_classes(names: Sequence[str]) -> bool:
    folded = [name.casefold() for name in names]
    if any(character.isdigit() for name in folded for character in name) or set(folded) & SPLIT_NAMES.keys():
        return False
    start = _common_start(folded)
    return any(_word(name.removeprefix(start)) in _FAULTLESS for name in folded)


def _word(name: str) -> str:
    return "".join(letter for letter in name if letter.isalpha())


def _common_start(names: Sequence[str]) -> str:
    first, last = min(names), max(names)
    return first[: next((place for place, letter in enumerate(first) if last[place : place + 1] != letter), len(first))]


def _spread(records: list[Record]) -> list[Record]:
    return records[:: max(1, len(records) // 2)][:2]


def read(source: Source, coding: LabelCoding | None) -> Listing:
    """List photos and masks; the class of a mask is its folder.

    Raises:
        FormatError: No mask lies in a folder that names a class.
        LabelError: A folder is called as no class of the given table.
    """
    met = meet(source, _PHOTOS, _LABELS)
    by_class: dict[str, list[Record]] = defaultdict(list)
    if met.labels:
        records = list(met.records)
        for record in records:
            if record.label is not None:
                by_class[record.label.parent.name].append(record)
        orphans = met.orphans
    else:
        by_class |= _by_class(source)
        pairs = pair(source)
        records = [record for record in pairs.records if _parent_is(record, by_class, source)]
        orphans = pairs.orphans
    if not by_class:
        raise FormatError(
            "no mask lies in a folder that names a class", where=source.root, expected="crack/x.jpg, crack/x.png"
        )
    start = _common_start([name.casefold() for name in by_class]) if len(by_class) > 1 else ""
    faultless = {name for name in by_class if _word(name.casefold().removeprefix(start)) in _FAULTLESS}
    coding, notes = _classes(source, coding, sorted(by_class.keys() - faultless))
    ground = coding.table.names[background_id(coding)] if background_id(coding) < len(coding.table) else ""
    keys = {r.name: ground if name in faultless else name for name, found in by_class.items() for r in found}
    records = [replace(record, key=keys.get(record.name, "")) for record in records]
    notes = [
        "the class of a mask is the name of its folder; where folders mean something else, pass --format index-mask",
        *notes,
        "smooth edges are cut at half: greys of 128 and more are the class",
    ]
    lone = tuple(f"{name}#{_folder_of(name)}" for name in orphans if "/" in name)
    return Listing(NAME, source.root, tuple(records), coding, False, tuple(notes), lone, source.max_pixels)


def _folder_of(name: str) -> str:
    """Return the folder nearest a file that says more than that it holds masks."""
    return next((part for part in reversed(name.split("/")[:-1]) if not role_of(part)[0]), "")


def _parent_is(record: Record, by_class: dict[str, list[Record]], source: Source) -> bool:
    return any(part in by_class for part in record.name.split("/")[:-1]) or (
        record.image is not None and source.photos is not None and record.image.is_relative_to(source.photos)
    )


def _classes(source: Source, coding: LabelCoding | None, names: list[str]) -> tuple[LabelCoding, list[str]]:
    notes = []
    if coding is None and (beside := find_classes(source.root)):
        coding, notes = beside[0], [f"classes from {beside[1]}"]
    if coding is None:
        kept = [name for name in names if name.casefold() != "background"]
        return LabelCoding(ClassTable.from_names(("background", *kept)), ignore_values=()), ["classes from the folders"]
    meaning = coding.name_to_id()
    for name in names:
        if name not in meaning:
            raise LabelError(
                f"the folder {name!r} is no class", where=source.root, expected=", ".join(coding.table.names),
                fix=nearest_hint(name, list(meaning)) or "add it to the class table, perhaps as an alias",
            )  # fmt: skip
    return with_ignore_value(coding), notes


def load(record: Record, listing: Listing) -> Annotation:
    """Read a mask: the stored value of its folder's class where it is set, of the background elsewhere.

    Raises:
        InputError: The photo has no mask, or it cannot be read.
        LabelError: The folder is no class.
    """
    path = listing.label_of(record)
    coding = listing.coding
    meaning = coding.name_to_id() | {"": background_id(coding)}
    if record.key not in meaning:
        raise LabelError(f"the folder {record.key!r} is no class", where=path)
    yes = is_yes(read_mask(path, max_pixels=listing.max_pixels))
    value, ground = value_of(coding, meaning[record.key]), value_of(coding, background_id(coding))
    pixels: NDArray[Any] = np.full(yes.shape, ground, stored_type(coding))
    pixels[yes] = value
    return StoredMask(pixels, "L")
