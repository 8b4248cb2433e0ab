"""drive, isic: vessels of the retina within a field of view, and outlines of skin lesions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from tessella.core.annotation import StoredMask
from tessella.core.classes import IGNORE, ClassTable, LabelCoding
from tessella.core.errors import LabelError
from tessella.files.masks import read_mask
from tessella.formats.layout.binary import is_yes, read_binary
from tessella.formats.layout.places import PICTURE, Place
from tessella.formats.layout.published import Kind, Published

if TYPE_CHECKING:
    from pathlib import Path

_VESSELS: Final = LabelCoding(ClassTable.from_names(("background", "vessel")))
_SPLIT: Final = r"(?P<above>.+/)?(?P<split>training|test)"


def read_vessels(path: Path, /, *, max_pixels: int | None = None) -> StoredMask:
    """Read a manual segmentation of DRIVE; outside the field of view (`mask/`) pixels are IGNORE.

    Raises:
        InputError: A file cannot be read.
        LabelError: The field of view has another size.
    """
    pixels = read_binary(path, max_pixels=max_pixels).pixels.astype(np.uint8)
    if (view := field_of_view(path)) is not None:
        inside = is_yes(read_mask(view, max_pixels=max_pixels))
        if inside.shape != pixels.shape:
            raise LabelError("the field of view has another size", where=view, got=inside.shape, expected=pixels.shape)
        pixels = np.where(inside, pixels, IGNORE).astype(np.uint8)
    return StoredMask(pixels, "L")


def field_of_view(path: Path) -> Path | None:
    """Return the mask of the field of view beside a manual segmentation, `mask/21_training_mask.gif`, or None."""
    number, split = path.name.split("_")[0], path.parent.parent.name
    folder = path.parent.parent / "mask"
    return next(
        (file for end in ("gif", "png", "tif") if (file := folder / f"{number}_{split}_mask.{end}").is_file()), None
    )


_EYE: Final = rf"(?P<stem>\d+)_(?:training|test){PICTURE}"
DRIVE: Final = Published(
    "drive",
    92,
    tuple(
        Kind(
            f"manual segmentations (`{which}_manual`)", Place.of(rf"{_SPLIT}/images", _EYE),
            Place.of(rf"{_SPLIT}/{which}_manual", rf"(?P<stem>\d+)_manual{which[0]}{PICTURE}"), _VESSELS,
            "outside the field of view (mask/) pixels are ignored, as DRIVE's own score does",
            read=read_vessels, whole=False,
        )
        for which in ("1st", "2nd")
    ),
    "training/images/21_training.tif and training/1st_manual/21_manual1.gif",
    beside=(("segmentations of a second observer", Place.of(rf"{_SPLIT}/2nd_manual", r".+")),),
)  # fmt: skip

_LESION: Final = LabelCoding(ClassTable.from_names(("background", "lesion")), ((0,), (255,)), ())
ISIC: Final = Published(
    "isic",
    92,
    (
        Kind(
            "masks of lesions",
            Place.of(r"(?:.+/)?[^/]*?(?:(?P<split>train|val|test)[^/]*)?", r"(?P<stem>ISIC_\d+)\.jpe?g"),
            Place.of(r".*", r"(?P<stem>ISIC_\d+)_segmentation\.png"), _LESION,
        ),
    ),
    "ISIC2018_Task1-2_Training_Input/ISIC_1.jpg and ISIC2018_Task1_Training_GroundTruth/ISIC_1_segmentation.png",
    beside=(
        ("maps of superpixels", Place.of(r".*", r"ISIC_\d+_superpixels\.png")),
        ("maps of lesion attributes", Place.of(r".*", r"ISIC_\d+_attribute_.+\.png")),
    ),
)  # fmt: skip
