"""index-mask: folders of photos and of single-channel masks whose pixel values are class ids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tessella.core.errors import FormatError, InputError
from tessella.core.wording import counted
from tessella.files.images import read_header
from tessella.files.masks import read_mask, write_mask
from tessella.formats.layout.class_files import find_classes
from tessella.formats.layout.discover import discover_values
from tessella.formats.layout.export import in_split, write_classes_beside, write_photo
from tessella.formats.layout.pairing import Pairs, pair
from tessella.formats.listing import Listing, Match, Writer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tessella.core.annotation import Annotation
    from tessella.core.classes import LabelCoding
    from tessella.formats.layout.discover import Discover
    from tessella.formats.listing import Item, Record, Written
    from tessella.formats.source import Source

NAME: Final = "index-mask"
_LOOK_AT: Final = 12


def detect(source: Source) -> Match | None:
    """Say whether photos and single-channel masks can be paired below the folder."""
    if source.file is not None:
        return None
    try:
        pairs = pair(source)
    except FormatError as error:
        return Match(50, error.what)  # another format may know better; reading as this one says it in full
    if not pairs.masks:
        return None
    colour = share_of_colour(pairs.masks)
    if colour > 0.5:
        return None
    return Match(60, f"{counted(len(pairs.masks), 'photo has', 'photos have')} a single-channel mask")


def share_of_colour(masks: Sequence[Path]) -> float:
    """Return how many of some masks, spread over the list, are RGB: 0..1, by their headers."""
    step = max(1, len(masks) // _LOOK_AT)
    seen = []
    for path in masks[::step]:
        try:
            seen.append(read_header(path).channels >= 3)
        except InputError:
            continue
    return sum(seen) / len(seen) if seen else 0.0


def read(source: Source, coding: LabelCoding | None) -> Listing:
    """List photos and masks.

    Args:
        source: The data set's folder.
        coding: The classes, or None to take them from a class file beside the data or else from the values found.

    Raises:
        FormatError: Nothing pairs, or two masks claim one photo.
        LabelError: Classes cannot be discovered.
    """
    return list_pairs(source, coding, name=NAME, discover=discover_values)


def list_pairs(source: Source, coding: LabelCoding | None, *, name: str, discover: Discover) -> Listing:
    """List photos and masks of a folder.

    Args:
        source: The data set's folder.
        coding: The classes, or None to take them from a class file beside the data or else from the masks.
        name: Of the format.
        discover: Finds classes in masks.

    Raises:
        FormatError: Nothing pairs, or two masks claim one photo.
        LabelError: Classes cannot be discovered.
    """
    pairs = require_pairs(source)
    notes: tuple[str, ...] = (pairs.how,)
    discovered = False
    if coding is None and (beside := find_classes(source.root)):
        coding, file = beside
        notes += (f"classes from {file}",)
    if coding is None:
        coding, found = discover(pairs.masks, max_pixels=source.max_pixels)
        notes, discovered = notes + found, True
    return Listing(name, source.root, pairs.records, coding, discovered, notes, pairs.orphans, source.max_pixels)


def require_pairs(source: Source) -> Pairs:
    """Pair photos and masks, and raise when nothing pairs."""
    pairs = pair(source)
    if not pairs.masks:
        raise FormatError(
            "no photo here has a mask",
            where=source.root,
            got=f"{counted(len(pairs.records), 'photo')} and {counted(len(pairs.orphans), 'mask')} without a partner",
            expected="images/ and masks/ with the same stems, or masks beside the photos named x_mask.png",
            fix="rename the folders or files so that each mask has its photo's stem",
        )
    return pairs


def load(record: Record, listing: Listing) -> Annotation:
    """Read the mask of one record, values as stored."""
    return read_mask(listing.label_of(record), max_pixels=listing.max_pixels)


def write_one(item: Item, coding: LabelCoding, dst: Path) -> None:
    """Write `images/` and `masks/`, below a folder per split: the photo as it is, a palette PNG with value = id."""
    folder = in_split(item, dst)
    write_photo(item, folder / "images")
    if item.labels is not None:
        write_mask(folder / "masks" / f"{item.stem}.png", item.labels)


def close(written: Sequence[Written], coding: LabelCoding, dst: Path) -> None:
    """Write `classes.toml`."""
    write_classes_beside(coding, dst)


WRITER: Final = Writer(write_one, close)
