"""tiff-stack: TIFF files of several pages, one of photos and one of masks with as many pages; a page is a sample."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tessella.core.annotation import Drawing, StoredMask
from tessella.core.errors import FormatError, InputError
from tessella.files.values.pages import read_page, read_stack
from tessella.formats.arrays.stored import image_of, mask_of
from tessella.formats.layout.class_files import find_classes
from tessella.formats.layout.discover import discover_values
from tessella.formats.layout.instances import OBJECTS, numbers_objects, object_name, objects_of
from tessella.formats.layout.pairing import pair, paired
from tessella.formats.listing import Listing, Match, Record

if TYPE_CHECKING:
    import numpy as np

    from tessella.core.annotation import Annotation
    from tessella.core.classes import LabelCoding
    from tessella.core.image import Image
    from tessella.formats.source import Source

NAME: Final = "tiff-stack"
_SUFFIXES: Final = frozenset({".tif", ".tiff"})
_LOOK_AT: Final = 8


def detect(source: Source) -> Match | None:
    """Say whether most TIFF masks have several pages, and their photos as many."""
    if source.file is not None or not source.files(".tif", ".tiff"):
        return None
    pairs = paired(source)
    labelled = [] if pairs is None else [record for record in pairs.records if record.label is not None]
    looked = labelled[:: max(1, len(labelled) // _LOOK_AT)][:_LOOK_AT]
    stacks = [found for record in looked if (found := _pages(record)) is not None]
    if not looked or 2 * len(stacks) <= len(looked):
        return None
    return Match(80, f"{len(stacks)} pairs of TIFF files have the same number of pages, such as {stacks[0]}")


def _pages(record: Record) -> int | None:
    """Return how many pages both files of a pair have; None unless there are several, as many in both."""
    if record.image is None or record.label is None:
        return None
    if not {record.image.suffix.lower(), record.label.suffix.lower()} <= _SUFFIXES:
        return None
    try:
        photos, masks = read_stack(record.image), read_stack(record.label)
    except InputError:
        return None
    return masks.pages if photos.pages == masks.pages > 1 and masks.bands == 1 else None


def read(source: Source, coding: LabelCoding | None) -> Listing:
    """List every page of the stacks; the pages of one stack are a group.

    Args:
        source: The data set's folder.
        coding: The classes, or None to take them from a class file beside the data or else from the values found.

    Raises:
        FormatError: No two stacks pair.
        LabelError: Classes cannot be discovered.
    """
    records: list[Record] = []
    flat = 0
    stacks: list[Path] = []
    for record in pair(source).records:
        count = _pages(record)
        if record.image is None or record.label is None or count is None:
            flat += record.label is not None
            continue
        stacks.append(record.label)
        width = len(str(count - 1))
        for page in range(count):
            name = f"{record.name}/{page:0{width}d}"
            records.append(Record(name, None, record.label, record.split, record.name, str(page), (record.image,)))
    if not records:
        raise FormatError(
            "no two TIFF files of several pages pair", where=source.root,
            expected="photos and masks with the same number of pages, such as train-volume.tif and train-labels.tif",
        )  # fmt: skip
    notes = [f"{len(records)} pages of {len(stacks)} pairs of TIFF files; the pages of one file are a group"]
    if flat:
        notes.append(f"{flat} pairs without several pages, or with different numbers of them, are left out")
    coding, found, discovered, objects = _classes(source, coding, stacks)
    ordered = tuple(sorted(records, key=lambda record: record.name))
    return Listing(NAME, source.root, ordered, coding, discovered, (*notes, *found), (), source.max_pixels, {}, objects)


def _classes(
    source: Source, coding: LabelCoding | None, stacks: list[Path]
) -> tuple[LabelCoding, tuple[str, ...], bool, bool]:
    """Return the classes, notes, whether they were discovered, and whether values are object numbers."""
    if coding is not None:
        return coding, (), False, False
    if beside := find_classes(source.root):
        return beside[0], (f"classes from {beside[1]}",), False, False
    if _number_objects(stacks, source.max_pixels):
        said = "the masks hold object numbers: every number above 0 is the class object; else pass --classes"
        return OBJECTS, (said, "classes are background and object"), False, True
    pages = [Path(f"{path}#{page}") for path in stacks for page in range(read_stack(path).pages)]
    coding, found = discover_values(pages, max_pixels=source.max_pixels, read=_read_named_page)
    return coding, found, True, False


def _number_objects(stacks: list[Path], max_pixels: int | None) -> bool:
    looked = []
    for path in stacks[:2]:
        try:
            middle = read_page(path, read_stack(path).pages // 2, max_pixels=max_pixels)
            looked.append(numbers_objects(middle, page=True))
        except InputError:
            continue
    return any(looked)


def _read_named_page(path: Path, /, *, max_pixels: int | None = None) -> StoredMask:
    file, _, page = str(path).rpartition("#")
    return read_mask_page(Path(file), int(page), max_pixels=max_pixels)


def read_mask_page(path: Path, page: int, *, max_pixels: int | None = None) -> StoredMask:
    """Read one page of a stack of masks, values as stored.

    Raises:
        InputError: The file cannot be read, or the page cannot be a mask.
    """
    return mask_of(read_page(path, page, max_pixels=max_pixels), where=f"{path}: page {page}")


def load(record: Record, listing: Listing) -> Annotation:
    """Read the page of one record.

    Raises:
        InputError: The photo has no mask, or it cannot be read.
    """
    mask = read_mask_page(listing.label_of(record), _page(record), max_pixels=listing.max_pixels)
    if listing.content is True:
        return Drawing(objects_of(mask.pixels, object_name(listing.coding)), mask.hw, "centre")
    return mask


def photo(record: Record, listing: Listing) -> Image:
    """Read the photo's page.

    Raises:
        InputError: The file cannot be read, or the page can be no photo.
    """
    path = record.parts[0] if record.parts else None
    if path is None:
        raise InputError("the stack of photos is missing", where=listing.root / record.name)
    pixels: np.ndarray[Any, Any] = read_page(path, _page(record), max_pixels=listing.max_pixels)
    return image_of(pixels, where=f"{path}: page {record.key}")


def _page(record: Record) -> int:
    if not record.key.isdecimal():
        raise FormatError("this record names no page", where=record.name, got=record.key)
    return int(record.key)
