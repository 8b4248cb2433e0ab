"""Writes a repaired annotation in the format of its file, keeping everything else that the file says."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tessella.core.annotation import Drawing, StoredMask
from tessella.files.masks import write_picture
from tessella.files.paths import IMAGE_SUFFIXES
from tessella.files.splicing import write_spliced
from tessella.files.text import read_text
from tessella.files.write import write_text
from tessella.formats import format_named
from tessella.formats.coco import amending as coco
from tessella.formats.cvat import amending as cvat
from tessella.formats.labelme.writing import encode_mask
from tessella.formats.listing import CUT_AT_HALF
from tessella.formats.tools.redrawn import Redrawn

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tessella.core.annotation import Annotation, Shape
    from tessella.dataset.index import Index
    from tessella.formats.listing import Record

_LOSSLESS = frozenset({".png", ".bmp", ".tif", ".tiff"})


def can_amend(record: Record, index: Index, code: str) -> bool:
    """Whether the repair that a rule asks for can be written in the data set's format.

    Args:
        record: One photo.
        index: The data set.
        code: The rule's.
    """
    if record.label is None or record.parts:
        return False
    if format_named(index.format).drawn:
        return index.format in DRAWING_WRITERS and code not in UNWRITTEN.get(index.format, ())
    return not (record.key and index.format not in CUT_AT_HALF) and _mask_path(record.label, index) is not None


def shared_files(index: Index) -> frozenset[Path]:
    """Return the photo and label files that several records need."""
    named = Counter(path for record in index.records for path in {record.image, record.label} if path is not None)
    return frozenset(path for path, count in named.items() if count > 1)


def can_leave_out(record: Record, index: Index, shared: frozenset[Path]) -> bool:
    """Whether a copy can do without a record: not where a file that stays would still describe it.

    Args:
        record: One photo.
        index: The data set.
        shared: What `shared_files` returned.
    """
    if not record.key or index.format in CUT_AT_HALF:
        return True
    return record.image not in shared and record.label not in shared


def amended_path(record: Record, annotation: Annotation, index: Index) -> Path | None:
    """Return where in the data set a repaired label goes, or None for a mask that becomes no picture file.

    A mask in a lossy file becomes a PNG of the same stem; shapes stay in their file.

    Args:
        record: The photo.
        annotation: What its label holds.
        index: The data set.
    """
    if record.label is None:
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
        record: The photo.
        target: Where it goes in the data set.
        annotation: The repaired annotation.
        before: The annotation as it was.
        origin: For each repaired shape its position before; () for masks.
    """

    record: Record
    target: Path
    annotation: Annotation
    before: Annotation
    origin: tuple[int, ...]


def write_amended(source: Path, target: Path, amendments: Sequence[Amendment], index: Index) -> None:
    """Write a label file with all that was repaired in it.

    Args:
        source: The label file as it is.
        target: Where to write.
        amendments: What changes: one, or several of a file that describes several photos.
        index: The data set.

    Raises:
        InputError: The file cannot be read any more.
        OutputError: The copy cannot be written.
    """
    if isinstance(amendments[0].annotation, StoredMask):
        write_stored(target, amendments[0].annotation)
    elif index.format in SHARED:
        changed = [_redrawn(one) for one in amendments]
        write_spliced(source, target, SHARED[index.format](source, changed, index.listing))
    else:
        write_labelme(source, target, amendments[0])


def _redrawn(one: Amendment) -> Redrawn:
    if not isinstance(one.before, Drawing) or not isinstance(one.annotation, Drawing):
        raise TypeError(f"{one.target} holds no shapes")  # the caller asks the format first
    return Redrawn(one.record, one.before, one.annotation, one.origin)


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


SHARED: Final = {"coco": coco.edits_of, "cvat": cvat.edits_of}
"""Formats whose files describe several photos, and what says which places of such a file change."""

DRAWING_WRITERS: Final = ("labelme", *SHARED)
"""Formats of shapes that a repair can be written in."""

UNWRITTEN: Final[dict[str, frozenset[str]]] = {
    "coco": frozenset({"A101", "S101"}),
    "cvat": frozenset({"A101", "S101"}),
}
"""Rules of shapes whose repair is not written in a format: A101 and S101 change the size that a file states and all
that is drawn, and these files hold more than shapes (keypoints, skeletons, cuboids)."""
