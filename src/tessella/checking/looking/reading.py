"""Decodes each file of a record once, into what the rules look at."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tessella.checking.looking.declared import declared_colours, declared_values, undeclared
from tessella.checking.looking.look import Look, Photo, Strays
from tessella.checking.looking.peek import Peek, decoded, peek
from tessella.checking.measures.greys import smallest_gap, stray_kind
from tessella.checking.measures.thumbs import glance_of, grey_of, small_of
from tessella.core.annotation import Drawing, StoredMask
from tessella.core.classes import IGNORE, ClassTable, LabelCoding
from tessella.core.errors import TessellaError
from tessella.files.geo.ground import read_ground
from tessella.files.images import read_header
from tessella.files.masks import read_mask
from tessella.files.paths import relative_name
from tessella.formats.listing import CUT_AT_HALF
from tessella.formats.raster.labels import UNKNOWN, colour_counts, count_values, value_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from tessella.core.annotation import Annotation
    from tessella.core.classes import Colour
    from tessella.dataset.index import Index
    from tessella.files.geo.ground import Ground
    from tessella.files.images import Header
    from tessella.formats.listing import Record

YES_OR_NO: Final = LabelCoding(ClassTable.from_names(("no", "yes")), values=((0,), (255,)), ignore_values=())

MISSING: Final = "the photo is missing"


def look_at(index: Index, position: int, split: str, *, deep: bool = False) -> Look:
    """Decode the photo and the label of one record, each once.

    Args:
        index: The data set.
        position: Which record.
        split: Its split.
        deep: Whether to keep a larger grey copy of the photo.

    Returns:
        What the rules look at; a file that cannot be read is a fault in the look, not an exception.
    """
    record = index.records[position]
    photo, photo_fault = _photo(index, position, deep=deep)
    annotation, label_fault, fault_where = _annotation(index, position)
    label_peek = _label_peek(record, annotation)
    jpeg = isinstance(annotation, StoredMask) and label_peek is not None and label_peek.kind == "JPEG"
    counts, colours, strays = _values(annotation, index.coding, jpeg=jpeg)
    uncut = _uncut(record, index) if isinstance(annotation, StoredMask) else None
    if uncut is not None:
        _, _, strays = _values(uncut, YES_OR_NO, jpeg=jpeg)
    return Look(
        position=position,
        split=split,
        photo_where=_photo_where(record, index),
        label_where=_label_where(record, index),
        photo=photo,
        photo_fault=photo_fault,
        annotation=annotation,
        label_fault=label_fault,
        fault_where=fault_where,
        coding=index.coding,
        format=index.format,
        counts=counts,
        colours=colours,
        strays=strays,
        uncut=uncut,
        jpeg_label=jpeg,
        declared_bytes=index.listing.declared_bytes.get(record.name),
        photo_peek=None if record.image is None else peek(record.image),
        label_peek=label_peek,
    )


def look_at_unreadable(index: Index, where: str) -> Look:
    """Return what there is to see of a label file that cannot be read and that no record stands for.

    Args:
        index: The data set.
        where: One of `index.listing.unreadable`.
    """
    return Look(
        position=-1,
        split="",
        photo_where="",
        label_where=where,
        photo=None,
        photo_fault="",
        annotation=None,
        label_fault=index.listing.unreadable[where],
        fault_where=where,
        coding=index.coding,
        format=index.format,
        label_peek=peek(index.root / where),
    )


def _uncut(record: Record, index: Index) -> StoredMask | None:
    """Return a mask as it is stored where its format cuts it; None for others, and for colours and 0 and 1."""
    if index.format not in CUT_AT_HALF or record.label is None:
        return None
    try:
        mask = read_mask(record.label, max_pixels=index.listing.max_pixels)
    except TessellaError:
        return None  # F101
    grey = not mask.is_colour and mask.palette is None and mask.pixels.dtype == np.uint8
    return mask if grey and mask.pixels.max() > 1 else None


def _photo_where(record: Record, index: Index) -> str:
    if record.image is not None:
        return relative_name(record.image, index.root)
    return "" if record.label is not None else record.name  # a slice of a volume without labels


def _label_peek(record: Record, annotation: Annotation | None) -> Peek | None:
    if record.label is None or isinstance(annotation, Drawing):
        return None
    if annotation is not None and annotation.form and not record.parts:
        return decoded(record.label, annotation.form)
    return peek(record.label)


def _label_where(record: Record, index: Index) -> str:
    if record.label is None:
        return ""
    where = relative_name(record.label, index.root)
    # where masks are cut, the key is the class of the folder, which the place says already
    return f"{where}#{record.key}" if record.key and index.format not in CUT_AT_HALF else where


def _fault_where(where: str, record: Record, index: Index) -> str:
    """Return the place of an error as findings name it: one of the label's further files, or what of it is meant."""
    for path in record.parts:
        if where.startswith(str(path)):
            return relative_name(path, index.root) + where.removeprefix(str(path))
    place = index.listing.place(record)
    return _label_where(record, index) + (where.removeprefix(place) if where.startswith(place) else "")


def relook(look: Look, annotation: Annotation) -> Look:
    """Return the look with another annotation, its values counted anew; used between two repairs of one label."""
    coding = look.coding if look.uncut is None else YES_OR_NO
    counts, colours, strays = _values(annotation, coding, jpeg=look.jpeg_label)
    return replace(look, annotation=annotation, counts=counts, colours=colours, strays=strays)


def _photo(index: Index, position: int, *, deep: bool) -> tuple[Photo | None, str]:
    record = index.records[position]
    if record.image is None and (record.label is None or not index.has_photo(record)):
        return None, "" if record.label is None else MISSING
    try:
        image = index.image(position)
        header = None if record.image is None else read_header(record.image)
        ground = _ground(record, header)
    except TessellaError as error:
        return None, error.fault
    small = small_of(image)
    photo = Photo(
        hw=image.hw,
        stored_hw=image.hw,
        orientation=1,
        glance=glance_of(image, small),
        bands=f"{image.channels} x {image.dtype}",
        small=small,
        grey=grey_of(image) if deep else None,
        ground=ground,
    )
    if header is None:
        return photo, ""
    frames = 1 if record.key else header.frames  # a key may name one page of several
    return replace(photo, stored_hw=header.hw, orientation=header.orientation, mode=header.mode, frames=frames), ""


def _ground(record: Record, header: Header | None) -> Ground | None:
    """Return where the photo lies; of a stack of pages, and of one that is to be turned, its tags do not say."""
    if record.image is None or header is None or header.format != "TIFF":
        return None
    return read_ground(record.image) if header.orientation == 1 and header.frames == 1 else None


def _annotation(index: Index, position: int) -> tuple[Annotation | None, str, str]:
    """Read an annotation; without one, why, and where the fault lies: the label, one of its parts, or a shape of it."""
    record = index.records[position]
    if record.label is None:
        return None, "", ""
    try:
        return index.annotation(position), "", ""
    except TessellaError as error:
        return None, error.fault, _fault_where(error.where or "", record, index)


def _values(
    annotation: Annotation | None, coding: LabelCoding, *, jpeg: bool
) -> tuple[NDArray[np.int64] | None, dict[Colour, int] | None, Strays | None]:
    """Count the stored values or colours of a mask, and find what the class table does not explain."""
    if not isinstance(annotation, StoredMask):
        return None, None, None
    if annotation.is_colour:
        known = coding.colour_to_id()
        colours = colour_counts(annotation)
        found = {colour: count for colour, count in sorted(colours.items()) if colour not in known}
        return None, colours, _strays(annotation, coding, found, jpeg=jpeg)
    counts = count_values(annotation.pixels)
    unknown = np.flatnonzero((counts > 0) & (places_of(coding, len(counts)) > len(coding.table)))
    return counts, None, _strays(annotation, coding, {int(value): int(counts[value]) for value in unknown}, jpeg=jpeg)


def _strays(mask: StoredMask, coding: LabelCoding, found: Mapping[Any, int], *, jpeg: bool) -> Strays | None:
    if not found:
        return None
    stray = undeclared(mask, coding)
    row, column = divmod(int(stray.argmax()), stray.shape[1])
    pixels = mask.pixels[..., :3] if mask.is_colour else mask.pixels
    declared = declared_colours(coding) if mask.is_colour else declared_values(coding, mask.pixels.dtype)
    return Strays(stray_kind(pixels, stray, jpeg=jpeg), dict(found), (row, column), smallest_gap(declared))


@lru_cache(maxsize=8)
def places_of(coding: LabelCoding, values: int) -> NDArray[np.intp]:
    """Return where each stored value is counted: (values,), 0..K-1 for classes, K for ignore, K + 1 for no class."""
    classes = len(coding.table)
    ids = value_table(coding, np.uint8 if values == 256 else np.uint16)
    return np.where(ids == IGNORE, classes, np.where(ids == UNKNOWN, classes + 1, ids)).astype(np.intp)
