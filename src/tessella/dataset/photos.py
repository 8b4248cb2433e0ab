"""The photo of a record: a file of its own, or a picture inside another file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tessella.core.errors import InputError
from tessella.files.images import read_hw, read_image
from tessella.formats import format_named

if TYPE_CHECKING:
    from tessella.core.image import Image
    from tessella.formats.listing import Listing, Record


def read_photo(record: Record, listing: Listing) -> Image:
    """Decode the photo of a record, upright.

    Raises:
        InputError: It is missing or cannot be read.
    """
    if record.image is not None:
        return read_image(record.image, max_pixels=listing.max_pixels)
    return _without_file(record, listing)


def photo_hw(record: Record, listing: Listing) -> tuple[int, int]:
    """Return the height and width of a photo after EXIF orientation, from its header alone where it has a file.

    Raises:
        InputError: It is missing, cannot be read, or is larger than the budget.
    """
    if record.image is not None:
        return read_hw(record.image, max_pixels=listing.max_pixels)
    return _without_file(record, listing).hw


def _without_file(record: Record, listing: Listing) -> Image:
    photo = format_named(listing.format).photo
    if photo is None:
        raise InputError(
            "the photo is missing",
            where=record.name,
            fix="put it where the annotation names it, or give its folder with --photos",
        )
    return photo(record, listing)
