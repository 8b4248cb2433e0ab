"""array-mask: NumPy arrays as masks, `.npy` beside or below photos, or photo and mask in one `.npz`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from tessella.core.errors import FormatError, InputError
from tessella.core.wording import counted
from tessella.files.paths import relative_name
from tessella.files.values.arrays import array_headers, read_array
from tessella.files.write import atomic_path
from tessella.formats.arrays.stored import image_of, mask_of, plain_shape
from tessella.formats.layout.class_files import find_classes
from tessella.formats.layout.discover import discover_values
from tessella.formats.layout.export import in_split, write_classes_beside, write_photo
from tessella.formats.layout.pairing import pair_with, split_of
from tessella.formats.layout.photos import named_apart
from tessella.formats.listing import Listing, Match, Record, Writer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tessella.core.annotation import Annotation, StoredMask
    from tessella.core.classes import LabelCoding
    from tessella.core.image import Image
    from tessella.files.values.npy import ArrayHeader
    from tessella.formats.layout.pairing import Pairs
    from tessella.formats.listing import Item, Written
    from tessella.formats.source import Source

NAME: Final = "array-mask"
_LOOK_AT: Final = 8
_MASK_KEYS: Final = ("mask", "masks", "label", "labels", "seg", "segmentation", "gt", "target", "annotation", "y")
_PHOTO_KEYS: Final = ("image", "images", "img", "photo", "rgb", "data", "input", "x")


class Keys(NamedTuple):
    """Which arrays of a file are meant.

    Args:
        mask: The name of the mask.
        photo: The name of the photo, or None where the file holds none.
    """

    mask: str
    photo: str | None


def keys_of(headers: Mapping[str, ArrayHeader]) -> Keys | None:
    """Return which array of a file is the mask, and which the photo; None where no array can be a mask."""
    folded = {name.casefold(): name for name in headers}
    mask = next((folded[key] for key in _MASK_KEYS if key in folded), None)
    photo = next((folded[key] for key in _PHOTO_KEYS if key in folded), None)
    if mask is None and len(headers) == 1:
        mask, photo = next(iter(headers)), None
    if mask is None or not _can_be_mask(headers[mask]):
        return None
    return Keys(mask, photo)


def _can_be_mask(header: ArrayHeader) -> bool:
    return len(plain_shape(header.shape)) == 2 and np.dtype(header.dtype).kind in "buif"


def detect(source: Source) -> Match | None:
    """Say whether NumPy arrays that can be masks have a photo: a file of its own, or an array beside them."""
    if source.file is not None:
        return None
    arrays = source.files(".npy", ".npz")
    if not arrays:
        return None
    found = _pairs(source)
    paired = {record.label for record in found.records if record.label is not None}
    looked = arrays[:: max(1, len(arrays) // _LOOK_AT)][:_LOOK_AT]
    good = sum(1 for path in looked if (keys := _keys(path)) and (keys.photo is not None or path in paired))
    if 2 * good <= len(looked):
        # reading says in full why none of them can be a mask
        called = 2 * len(arrays) > len(source.files()) and any(map(_called_mask, looked))
        return Match(30, "array files are called masks or labels") if called else None
    return Match(87, f"{good} of {len(looked)} array files looked at hold a mask of a photo")


def _called_mask(path: Path) -> bool:
    return any(word in path.name.casefold() for word in ("mask", "label", "seg"))


def _keys(path: Path) -> Keys | None:
    try:
        return keys_of(array_headers(path))
    except InputError:
        return None


def _pairs(source: Source) -> Pairs:
    return pair_with(source, source.files(".npy", ".npz"))


def read(source: Source, coding: LabelCoding | None) -> Listing:
    """List photos and the arrays that are their masks.

    Args:
        source: The data set's folder.
        coding: The classes, or None to take them from a class file beside the data or else from the values found.

    Raises:
        FormatError: No array is the mask of a photo, or two claim one photo.
        LabelError: Classes cannot be discovered.
    """
    pairs = _pairs(source)
    taken = {record.label for record in pairs.records}
    records = list(pairs.records)
    orphans = set(pairs.orphans)
    for path in source.files(".npz"):
        keys = _keys(path) if path not in taken else None
        if keys is not None and keys.photo is not None:
            name = relative_name(path.with_suffix(""), source.root)
            records.append(Record(name, None, path, split_of(name.split("/")[:-1]), key=keys.mask))
            orphans.discard(relative_name(path, source.root))
    labels = [record.label for record in records if record.label is not None]
    if not labels:
        raise FormatError(
            "no array here is the mask of a photo", where=source.root,
            got=f"{counted(len(orphans), 'array')} without a photo" if orphans else None,
            expected="images/x.jpg and masks/x.npy, or .npz files with the arrays image and mask",
        )  # fmt: skip
    # arrays in files of their own are told apart from pictures by a key as well, so that no repair writes a picture
    records = [replace(record, key="array") if record.label and not record.key else record for record in records]
    notes: tuple[str, ...] = (pairs.how,) if pairs.how else ()
    discovered = False
    if coding is None and (beside := find_classes(source.root)):
        coding, notes = beside[0], (*notes, f"classes from {beside[1]}")
    if coding is None:
        coding, found = discover_values(labels, max_pixels=source.max_pixels, read=read_mask_array)
        notes, discovered = notes + found, True
    ordered = named_apart(records)
    lone = tuple(f"{name}#array" for name in sorted(orphans))
    return Listing(NAME, source.root, ordered, coding, discovered, notes, lone, source.max_pixels)


def read_mask_array(path: Path, /, *, max_pixels: int | None = None) -> StoredMask:
    """Read the mask of an array file.

    Raises:
        InputError: The file cannot be read, or holds no mask.
    """
    keys = keys_of(array_headers(path))
    if keys is None:
        raise FormatError(
            "no array of this file can be a mask", where=path,
            got=", ".join(f"{name or 'array'} {header.shape}" for name, header in array_headers(path).items())[:200],
            expected=f"one array of height x width, or one called {', '.join(_MASK_KEYS[:4])}",
        )  # fmt: skip
    return mask_of(read_array(path, keys.mask, max_pixels=max_pixels), where=path)


def load(record: Record, listing: Listing) -> Annotation:
    """Read the mask of one record, values as stored."""
    return read_mask_array(listing.label_of(record), max_pixels=listing.max_pixels)


def photo(record: Record, listing: Listing) -> Image:
    """Read the photo that lies in the same file as its mask.

    Raises:
        InputError: The file cannot be read, or holds no photo.
    """
    keys = None if record.label is None else keys_of(array_headers(record.label))
    if record.label is None or keys is None or keys.photo is None:
        raise InputError("the file holds no photo", where=record.label or listing.root / record.name)
    return image_of(read_array(record.label, keys.photo, max_pixels=listing.max_pixels), where=record.label)


def write_one(item: Item, coding: LabelCoding, dst: Path) -> None:
    """Write `images/` and `masks/x.npy`, (H, W) uint8 with value = id and 255 for ignore."""
    folder = in_split(item, dst)
    write_photo(item, folder / "images")
    if item.labels is not None:
        ids: np.ndarray[Any, Any] = item.labels.ids
        with atomic_path(folder / "masks" / f"{item.stem}.npy") as temporary, temporary.open("wb") as stream:
            np.save(stream, np.ascontiguousarray(ids, np.uint8), allow_pickle=False)


def close(written: Sequence[Written], coding: LabelCoding, dst: Path) -> None:
    """Write `classes.toml`."""
    write_classes_beside(coding, dst)


WRITER: Final = Writer(write_one, close)
