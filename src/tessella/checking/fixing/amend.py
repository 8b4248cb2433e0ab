"""Writes a repaired annotation in the format of its file, keeping everything else that the file says."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tessella.core.annotation import StoredMask
from tessella.files.masks import write_picture
from tessella.files.paths import IMAGE_SUFFIXES
from tessella.files.text import read_text
from tessella.files.write import write_text
from tessella.formats import format_named
from tessella.formats.labelme.writing import encode_mask
from tessella.formats.listing import CUT_AT_HALF

if TYPE_CHECKING:
    from pathlib import Path

    from tessella.core.annotation import Annotation, Shape
    from tessella.dataset.index import Index
    from tessella.formats.listing import Record

_LOSSLESS = frozenset({".png", ".bmp", ".tif", ".tiff"})


def can_amend(record: Record, index: Index) -> bool:
    """Whether a repaired label of this record can be written in the data set's format.

    Args:
        record: One photo.
        index: The data set.
    """
    if record.label is None or record.parts or (record.key and index.format not in CUT_AT_HALF):
        return False
    if format_named(index.format).drawn:
        return index.format in DRAWING_WRITERS
    return _mask_path(record.label, index) is not None


def amended_path(record: Record, annotation: Annotation, index: Index) -> Path | None:
    """Return where in the data set a repaired label goes, or None when it cannot be written.

    A mask in a lossy file becomes a PNG of the same stem; shapes can be written for formats with one file per photo.

    Args:
        record: The photo.
        annotation: What its label holds.
        index: The data set.
    """
    if record.label is None or not can_amend(record, index):
        return None
    return _mask_path(record.label, index) if isinstance(annotation, StoredMask) else record.label


def _mask_path(path: Path, index: Index) -> Path | None:
    suffix = path.suffix.lower()
    if suffix not in IMAGE_SUFFIXES:
        return None  # an array or a volume
    if suffix in _LOSSLESS:
        return path
    png = path.with_suffix(".png")
    # list files of CamVid name masks with their suffix; and never write over a photo of the same stem
    return None if index.format == "camvid" or png.exists() else png


@dataclass(frozen=True, slots=True, eq=False)
class Amendment:
    """A label to be written anew.

    Args:
        target: Where it goes in the data set.
        annotation: The repaired annotation.
        before: The annotation as it was.
        origin: For each repaired shape its position before; () for masks.
    """

    target: Path
    annotation: Annotation
    before: Annotation
    origin: tuple[int, ...]


def write_amended(source: Path, target: Path, amendment: Amendment, *, format: str) -> None:  # noqa: A002
    """Write a repaired annotation.

    Args:
        source: The label file as it is.
        target: Where to write.
        amendment: What changes.
        format: The data set's format.

    Raises:
        OutputError: The file cannot be written.
    """
    if isinstance(amendment.annotation, StoredMask):
        write_stored(target, amendment.annotation)
    else:
        DRAWING_WRITERS[format](source, target, amendment)


def write_stored(path: Path, mask: StoredMask) -> None:
    """Write stored values exactly: palette, grey, 16-bit grey or colour, without EXIF.

    Raises:
        OutputError: The file cannot be written.
    """
    from PIL import Image as Pillow

    picture = Pillow.fromarray(mask.pixels)
    if mask.palette is not None and mask.pixels.ndim == 2 and mask.pixels.dtype == np.uint8:
        picture.putpalette(mask.palette.tobytes())
    write_picture(path, picture)


def write_labelme(source: Path, target: Path, amendment: Amendment) -> None:
    """Write a repaired LabelMe file: flags, descriptions, group ids and unknown keys stay as they are.

    Args:
        source: The LabelMe file.
        target: Where to write.
        amendment: The repaired shapes and where they come from.

    Raises:
        OutputError: The file cannot be written.
    """
    content: dict[str, Any] = json.loads(read_text(source))
    before, after = amendment.before, amendment.annotation
    if isinstance(before, StoredMask) or isinstance(after, StoredMask):
        raise TypeError(f"{source} is not a LabelMe file")  # the caller asks the format first
    if after.declared_hw is not None:
        content["imageHeight"], content["imageWidth"] = after.declared_hw
    content["shapes"] = [
        _labelme_shape(content["shapes"][place], before.shapes[place], shape)
        for place, shape in zip(amendment.origin, after.shapes, strict=True)
    ]
    # NaN survives only where a shape needs a person; LabelMe itself writes it this way
    write_text(target, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def _labelme_shape(stored: dict[str, Any], old: Shape, new: Shape) -> dict[str, Any]:
    changed = dict(stored)
    if new.label != old.label:
        changed["label"] = new.label
    if not np.array_equal(new.points_xy, old.points_xy, equal_nan=True):
        changed["points"] = [[round(float(x), 6), round(float(y), 6)] for x, y in new.points_xy]
    if new.mask is not None and new.mask is not old.mask:
        changed["mask"] = encode_mask(new.mask)
    return changed


DRAWING_WRITERS = {"labelme": write_labelme}
"""Formats of shapes that a repair can be written in."""
