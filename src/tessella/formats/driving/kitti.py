"""kitti: KITTI's semantic benchmark, `image_2` beside `semantic`, `instance` and `semantic_rgb`, in Cityscapes' ids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tessella.core.annotation import StoredMask
from tessella.core.errors import FormatError
from tessella.files.masks import read_mask
from tessella.formats.driving.labels import BY_ID
from tessella.formats.layout.places import PICTURE, Place
from tessella.formats.layout.published import Kind, Published

if TYPE_CHECKING:
    from pathlib import Path

_NAME: Final = rf"(?P<stem>[^/]+){PICTURE}"
_PHOTOS: Final = Place.of(r"(?P<above>.+/)?(?P<split>training|testing)/image_2", _NAME)
_NOTE: Final = "KITTI uses Cityscapes' ids: the 19 that are trained on are classes, the others are ignored"


def _labels(folder: str) -> Place:
    return Place.of(rf"(?P<above>.+/)?(?P<split>training|testing)/{folder}", _NAME)


def decode_high_byte(path: Path, /, *, max_pixels: int | None = None) -> StoredMask:
    """Read a map of instances whose numbers are 256 times the class id and a counter; the class id is kept.

    Raises:
        InputError: The file cannot be read.
        FormatError: Not 16 bits: the class would be lost.
    """
    mask = read_mask(path, max_pixels=max_pixels)
    if mask.is_colour or mask.pixels.dtype.itemsize != 2:
        raise FormatError("a map of object numbers has not 16 bits", where=path, got=mask.mode, expected="I;16")
    return StoredMask((mask.pixels >> 8).astype("uint8"), "L")


KITTI: Final = Published(
    "kitti",
    92,
    (
        Kind("semantic ids", _PHOTOS, _labels("semantic"), BY_ID, _NOTE),
        Kind(
            "object numbers (`instance`)", _PHOTOS, _labels("instance"), BY_ID,
            f"{_NOTE}; an object's number is 256 times its id and a counter, and only the id is read",
            read=decode_high_byte, whole=False,
        ),
        Kind("colours (`semantic_rgb`)", _PHOTOS, _labels("semantic_rgb"), BY_ID, _NOTE),
    ),
    "training/image_2/x.png and training/semantic/x.png",
    beside=(("maps of object numbers", _labels("instance")),),
)  # fmt: skip
