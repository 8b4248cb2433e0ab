"""Decodes each file of a record once, into what the rules look at."""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from tessella.checking.looking.greys import smallest_gap, stray_kind
from tessella.checking.looking.look import Look, Photo, Strays
from tessella.checking.rules.labels.values import declared_colours, declared_values, undeclared
from tessella.checking.rules.shapes.geometry import frame_hw, is_sound
from tessella.checking.survey import Trace
from tessella.core.annotation import Drawing, StoredMask
from tessella.core.classes import IGNORE
from tessella.core.errors import TessellaError
from tessella.files.images import read_header
from tessella.files.paths import relative_name
from tessella.formats import format_named
from tessella.formats.raster.labels import UNKNOWN, colour_counts, count_values, resolve, value_table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from tessella.core.annotation import Annotation
    from tessella.core.classes import LabelCoding
    from tessella.core.image import Image
    from tessella.dataset.index import Index

_JPEG_SUFFIXES = frozenset({".jpg", ".jpeg"})


def look_at(index: Index, position: int, split: str) -> Look:
    """Decode the photo and the label of one record, each once.

    Args:
        index: The data set.
        position: Which record.
        split: Its split.

    Returns:
        What the rules look at; a file that cannot be read is a fault in the look, not an exception.
    """
    record = index.records[position]
    photo, photo_fault = _photo(index, position)
    annotation, label_fault = _annotation(index, position)
    jpeg = isinstance(annotation, StoredMask) and record.label is not None and _is_jpeg(record.label)
    counts, strays = _values(annotation, index.coding, jpeg=jpeg)
    return Look(
        position=position,
        split=split,
        photo_where="" if record.image is None else relative_name(record.image, index.root),
        label_where="" if record.label is None else relative_name(record.label, index.root),
        photo=photo,
        photo_fault=photo_fault,
        annotation=annotation,
        label_fault=label_fault,
        coding=index.coding,
        format=index.format,
        counts=counts,
        strays=strays,
        jpeg_label=jpeg,
    )


def relook(look: Look, annotation: Annotation) -> Look:
    """Return the look with another annotation, its values counted anew; used between two repairs of one label."""
    counts, strays = _values(annotation, look.coding, jpeg=look.jpeg_label)
    return replace(look, annotation=annotation, counts=counts, strays=strays)


def trace_of(look: Look) -> Trace:
    """Keep what the rules about the whole set need, and let the pixels go."""
    names: dict[str, int] = {}
    for shape in look.drawing.shapes if look.drawing is not None else ():
        names[shape.label] = names.get(shape.label, 0) + 1
    return Trace(
        position=look.position,
        split=look.split,
        photo_where=look.photo_where,
        label_where=look.label_where,
        photo_digest="" if look.photo is None else look.photo.digest,
        pixels=_class_pixels(look),
        explained=look.strays is None,
        stored=None if look.counts is None else frozenset(int(value) for value in np.flatnonzero(look.counts)),
        names=names,
    )


def _photo(index: Index, position: int) -> tuple[Photo | None, str]:
    record = index.records[position]
    if record.image is None and (record.label is None or format_named(index.format).photo is None):
        return None, ""
    try:
        image = index.image(position)
        hw, stored_hw, orientation = image.hw, image.hw, 1
        if record.image is not None:
            header = read_header(record.image)
            stored_hw, orientation = header.hw, header.orientation
    except TessellaError as error:
        return None, error.what
    return Photo(hw, stored_hw, orientation, _photo_digest(image)), ""


def _photo_digest(image: Image) -> str:
    pixels = image.pixels
    # a black frame or an empty tile equals every other one, which says nothing; the coarse look spares the full one
    if (pixels[::16, ::16] == pixels[0, 0]).all() and (pixels == pixels[0, 0]).all():
        return ""
    digest = hashlib.sha256(f"{pixels.shape} {image.dtype}".encode())
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.hexdigest()


def _annotation(index: Index, position: int) -> tuple[Annotation | None, str]:
    if index.records[position].label is None:
        return None, ""
    try:
        return index.annotation(position), ""
    except TessellaError as error:
        return None, error.what if error.got is None else f"{error.what}; got {error.got}"


def _is_jpeg(path: Path) -> bool:
    # the suffix first: opening every mask twice would cost a tenth of its decoding
    return path.suffix.lower() in _JPEG_SUFFIXES and read_header(path).format in ("JPEG", "MPO")


def _values(
    annotation: Annotation | None, coding: LabelCoding, *, jpeg: bool
) -> tuple[NDArray[np.int64] | None, Strays | None]:
    """Count the stored values of a mask of single values, and find what the class table does not explain."""
    if not isinstance(annotation, StoredMask):
        return None, None
    if annotation.is_colour:
        known = coding.colour_to_id()
        found = {colour: count for colour, count in sorted(colour_counts(annotation).items()) if colour not in known}
        return None, _strays(annotation, coding, found, jpeg=jpeg)
    counts = count_values(annotation.pixels)
    unknown = np.flatnonzero((counts > 0) & (_places(coding, len(counts)) > len(coding.table)))
    return counts, _strays(annotation, coding, {int(value): int(counts[value]) for value in unknown}, jpeg=jpeg)


def _strays(mask: StoredMask, coding: LabelCoding, found: Mapping[Any, int], *, jpeg: bool) -> Strays | None:
    if not found:
        return None
    stray = undeclared(mask, coding)
    row, column = divmod(int(stray.argmax()), stray.shape[1])
    pixels = mask.pixels[..., :3] if mask.is_colour else mask.pixels
    declared = declared_colours(coding) if mask.is_colour else declared_values(coding, mask.pixels.dtype)
    return Strays(stray_kind(pixels, stray, jpeg=jpeg), dict(found), (row, column), smallest_gap(declared))


@lru_cache(maxsize=8)
def _places(coding: LabelCoding, values: int) -> NDArray[np.intp]:
    """Return where each stored value is counted: (values,), 0..K-1 for classes, K for ignore, K + 1 for no class."""
    classes = len(coding.table)
    ids = value_table(coding, np.uint8 if values == 256 else np.uint16)
    return np.where(ids == IGNORE, classes, np.where(ids == UNKNOWN, classes + 1, ids)).astype(np.intp)


def _class_pixels(look: Look) -> NDArray[np.int64] | None:
    """Count pixels by class, ignore last; values in no class are left out. None when nothing can be counted."""
    classes = len(look.coding.table)
    if look.counts is not None:
        places = _places(look.coding, len(look.counts))
        # a float64 sum is exact up to 2**53 pixels
        return np.bincount(places, look.counts, classes + 2)[: classes + 1].astype(np.int64)
    pixels = np.zeros(classes + 1, np.int64)
    if look.mask is not None:
        meaning = look.coding.colour_to_id()
        for colour, count in colour_counts(look.mask).items():
            if colour in meaning:
                pixels[classes if meaning[colour] == IGNORE else meaning[colour]] += count
        return pixels
    if look.drawing is None or look.photo is None or frame_hw(look) != look.photo.hw:
        return None
    known = look.coding.name_to_id()
    sound = tuple(shape for shape in look.drawing.shapes if shape.label in known and is_sound(shape))
    counts = resolve(Drawing(sound), look.coding, look.photo.hw, where=look.label_where).counts()
    pixels[:classes], pixels[classes] = counts[:classes], counts[IGNORE]
    return pixels


def label_digest(annotation: Annotation | None) -> str:
    """Return text that is equal for equal annotations, "" for none.

    CRC-32 is enough: it is asked of the labels of identical photos only, and for all photos it would cost a tenth of
    the decoding.
    """
    if annotation is None:
        return ""
    if isinstance(annotation, StoredMask):
        return f"{annotation.pixels.shape} {zlib.crc32(np.ascontiguousarray(annotation.pixels).data):08x}"
    checksum = 0
    for shape in annotation.shapes:
        parts = [
            f"{shape.label}\0{shape.kind}\0".encode(),
            shape.points_xy.tobytes(),
            *(h.tobytes() for h in shape.holes),
        ]
        if shape.mask is not None:
            parts.append(np.packbits(shape.mask).tobytes())
        for part in parts:
            checksum = zlib.crc32(part, checksum)
    return f"{len(annotation.shapes)} shapes {checksum:08x}"
