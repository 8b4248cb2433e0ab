"""instances-png: one mask per object, `<id>/images/x.png` beside `<id>/masks/*.png`, as in the nuclei of DSB 2018."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tessella.core.annotation import Drawing
from tessella.core.errors import FormatError
from tessella.core.wording import counted
from tessella.files.paths import IMAGE_SUFFIXES, relative_name
from tessella.formats.layout.binary import yes_of_each
from tessella.formats.layout.instances import OBJECTS, object_name, one_object
from tessella.formats.layout.pairing import MASK_FOLDERS, PHOTO_FOLDERS, split_of
from tessella.formats.layout.photos import named_apart
from tessella.formats.layout.places import tree
from tessella.formats.listing import Listing, Match, Record

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tessella.core.annotation import Annotation
    from tessella.core.classes import LabelCoding
    from tessella.formats.source import Source

NAME: Final = "instances-png"


def detect(source: Source) -> Match | None:
    """Say whether folders with one photo lie beside folders with a mask per object."""
    if source.file is not None:
        return None
    several = same = 0
    for photo, masks in _homes(source):
        several += len(masks) > 1
        same += any(mask.stem == photo.stem for mask in masks)
    if not several or same:
        return None
    return Match(
        90, f"{counted(several, 'folder holds', 'folders hold')} one photo in images/ and several masks in masks/"
    )


def _homes(source: Source) -> Iterator[tuple[Path, list[Path]]]:
    """Yield the only photo of each folder of photos that has a folder of masks as its neighbour, and the masks."""
    files = source.once(tree)
    masks: dict[str, list[Path]] = {}
    photos: dict[str, list[Path]] = {}
    for folder, members in files.items():
        above, _, last = folder.rpartition("/")
        kinds = (masks, MASK_FOLDERS), (photos, PHOTO_FOLDERS)
        for found, names in kinds:
            if last.casefold() in names and above not in found:
                found[above] = [path for path in members if path.suffix.lower() in IMAGE_SUFFIXES]
    for above, taken in sorted(photos.items()):
        if len(taken) == 1:
            yield taken[0], masks.get(above, [])


def read(source: Source, coding: LabelCoding | None) -> Listing:
    """List every photo with the masks of its objects.

    Raises:
        FormatError: No photo has a folder of masks beside its own.
    """
    records = [_record(source, photo, masks) for photo, masks in _homes(source)]
    if not any(record.label for record in records):
        raise FormatError(
            "no photo has masks of single objects", where=source.root, expected="<id>/images/x.png and <id>/masks/*.png"
        )
    objects = sum(1 + len(record.parts) for record in records if record.label)
    many = counted(objects, "mask of a single object", "masks of single objects")
    notes = (
        f"{many}; an object's class is not stated, so all are the class object",
        "classes are background and object",
    )
    ordered = named_apart(records)
    chosen = OBJECTS if coding is None else coding
    return Listing(NAME, source.root, ordered, chosen, False, notes, _orphans(source), source.max_pixels)


def _record(source: Source, photo: Path, masks: list[Path]) -> Record:
    name = relative_name(photo.with_suffix(""), source.root)
    split = split_of(name.split("/")[:-1])
    return Record(name, photo, masks[0] if masks else None, split, parts=tuple(masks[1:]))


def _orphans(source: Source) -> tuple[str, ...]:
    """Name the first mask of folders whose photo is missing."""
    files = source.once(tree)
    found = []
    for folder, members in sorted(files.items()):
        above, _, last = folder.rpartition("/")
        if last.casefold() in MASK_FOLDERS and not any(
            f"{above}/{name}".strip("/") in _folded(files) for name in PHOTO_FOLDERS
        ):
            found.append(relative_name(members[0], source.root))
    return tuple(found)


def _folded(files: dict[str, list[Path]]) -> set[str]:
    return {folder.casefold() for folder in files}


def load(record: Record, listing: Listing) -> Annotation:
    """Read the mask of every object of a photo.

    Raises:
        InputError: The photo has no masks, or one cannot be read.
        LabelError: Two masks of one photo differ in size.
    """
    label = object_name(listing.coding)
    shapes = []
    hw: tuple[int, int] | None = None
    for path, yes in yes_of_each(record, listing):
        hw = (yes.shape[0], yes.shape[1])
        shapes.append(one_object(yes, label, path.stem))
    return Drawing(tuple(shapes), hw, "centre")
