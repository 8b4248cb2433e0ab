"""Masks that say yes or no, however they are stored: 0 and 1, 0 and 255, a palette, colours, smooth edges."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from tessella.core.annotation import StoredMask
from tessella.core.classes import IGNORE
from tessella.core.errors import InputError, LabelError
from tessella.files.images import read_header
from tessella.files.masks import read_mask

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from tessella.core.classes import LabelCoding
    from tessella.formats.listing import Listing, Record

_HALF: Final = 128
_PURE: Final = 0.9
"""Share of the pixels of a mask of one class that are 0 or its largest value; the rest are smooth edges."""


def read_binary(path: Path, /, *, max_pixels: int | None = None) -> StoredMask:
    """Read a mask of one class as 0 and 1.

    Yes is: what is not 0, where there is one other value (1, 100, 255); else greys and colours from half of the range
    on, so that a smooth edge is cut where it covers half a pixel; transparent pixels are no.

    Args:
        path: Any mask file.
        max_pixels: As for `read_mask`.

    Returns:
        (H, W) uint8, 0 and 1.

    Raises:
        InputError: The file cannot be read.
    """
    return StoredMask(is_yes(read_mask(path, max_pixels=max_pixels)).astype(np.uint8), "L")


def yes_of_each(record: Record, listing: Listing) -> Iterator[tuple[Path, NDArray[np.bool_]]]:
    """Yield the masks of a photo that has one for each class or object: the file, and which pixels belong to it.

    Raises:
        InputError: The photo has no masks, or one cannot be read.
        LabelError: Two of them differ in size.
    """
    first: tuple[int, ...] | None = None
    for path in (listing.label_of(record), *record.parts):
        yes = is_yes(read_mask(path, max_pixels=listing.max_pixels))
        if first is not None and yes.shape != first:
            raise LabelError(
                "two masks of one photo differ in size",
                where=path,
                got=f"{yes.shape[1]}x{yes.shape[0]}",
                expected=f"{first[1]}x{first[0]}",
            )
        first = yes.shape
        yield path, yes


def is_yes(mask: StoredMask) -> NDArray[np.bool_]:
    """Return which pixels of a mask of one class belong to it: (H, W) bool; see `read_binary`."""
    pixels = mask.pixels
    if mask.palette is not None and pixels.ndim != 3:
        if not mask.palette[0].any():
            return np.asarray(pixels > 0)
        pixels = mask.palette[np.minimum(pixels, len(mask.palette) - 1)]
    clear = pixels[..., 3] == 0 if pixels.ndim == 3 and pixels.shape[2] == 4 else None
    light = pixels[..., :3].max(axis=2) if pixels.ndim == 3 else pixels
    most = int(light.max(initial=0))
    least = int(np.min(light, where=light > 0, initial=most))
    half = _HALF if most <= np.iinfo(np.uint8).max else (most + 1) // 2
    yes = light > 0 if least == most else light >= half
    return np.asarray(yes if clear is None else yes & ~clear)


def says_yes_or_no(path: Path) -> bool:
    """Whether a mask holds 0 and one other value, save for smooth edges; an unreadable one does not say otherwise."""
    try:
        if read_header(path).channels != 1:
            return False
        pixels = read_mask(path).pixels
    except InputError:
        return True
    most = int(pixels.max(initial=0))
    return most in (0, 1) or (most == np.iinfo(np.uint8).max and float(np.isin(pixels, (0, most)).mean()) >= _PURE)


def with_ignore_value(coding: LabelCoding) -> LabelCoding:
    """Return a coding in which some stored value means IGNORE: 255, or the largest that is free."""
    if coding.ignore_values:
        return coding
    taken = {value for values in coding.values for value in values}
    free = next(value for value in (IGNORE, *range(65535, 0, -1)) if value not in taken)
    return replace(coding, ignore_values=(free,))


def value_of(coding: LabelCoding, index: int) -> int:
    """Return a stored value that means a class id, or IGNORE; the coding must have one (`with_ignore_value`)."""
    return coding.ignore_values[0] if index == IGNORE else coding.values[index][0]


def stored_type(coding: LabelCoding) -> type[np.uint8] | type[np.uint16]:
    """Return the smallest type that holds every stored value of a coding."""
    largest = max((*coding.ignore_values, *(value for values in coding.values for value in values)))
    return np.uint8 if largest <= np.iinfo(np.uint8).max else np.uint16
