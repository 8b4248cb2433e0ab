"""The photo of a record: a file, or bytes embedded in its annotation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tessella.core.errors import InputError
from tessella.files.images import decode_header, decode_image, read_header, read_image
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
    return decode_image(_embedded(record, listing), where=record.label, max_pixels=listing.max_pixels)


def photo_hw(record: Record, listing: Listing) -> tuple[int, int]:
    """Return the height and width of a photo after EXIF orientation, from its header alone.

    Raises:
        InputError: It is missing or cannot be read.
    """
    if record.image is not None:
        return read_header(record.image).upright_hw
    return decode_header(_embedded(record, listing), where=record.label).upright_hw


def _embedded(record: Record, listing: Listing) -> bytes:
    unpack = format_named(listing.format).photo
    if unpack is None or record.label is None:
        raise InputError("the photo is missing", where=record.name, fix="put it where the annotation names it")
    return unpack(record, listing)
