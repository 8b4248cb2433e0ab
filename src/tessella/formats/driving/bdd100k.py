"""bdd100k: BDD100K's masks of semantic, drivable, panoptic and instance segmentation, and its colour maps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from tessella.core.annotation import StoredMask
from tessella.core.classes import IGNORE, ClassInfo, ClassTable, LabelCoding
from tessella.core.errors import FormatError
from tessella.files.masks import read_mask
from tessella.formats.driving.labels import BY_TRAIN_ID
from tessella.formats.layout.places import PICTURE, Place
from tessella.formats.layout.published import Kind, Published

if TYPE_CHECKING:
    from pathlib import Path

PANOPTIC: Final = LabelCoding(
    ClassTable.from_names(
        (
            "dynamic", "ego vehicle", "ground", "static", "parking", "rail track", "road", "sidewalk", "bridge",
            "building", "fence", "garage", "guard rail", "tunnel", "wall", "banner", "billboard", "lane divider",
            "parking sign", "pole", "polegroup", "street light", "traffic cone", "traffic device", "traffic light",
            "traffic sign", "traffic sign frame", "terrain", "vegetation", "sky", "person", "rider", "bicycle", "bus",
            "car", "caravan", "motorcycle", "trailer", "train", "truck",
        )
    ),
    tuple((value,) for value in range(1, 41)),
    (0, IGNORE),
)  # fmt: skip
"""The 40 panoptic categories by their ids; 0 is unlabelled."""

OBJECTS: Final = LabelCoding(
    ClassTable.from_names(
        ("background", "pedestrian", "rider", "car", "truck", "bus", "train", "motorcycle", "bicycle")
    )
)
"""The 8 categories of instance segmentation and of segmentation tracking, 0 is background."""

DRIVABLE: Final = LabelCoding(
    ClassTable(
        (
            ClassInfo("direct", (219, 94, 86)),
            ClassInfo("alternative", (86, 211, 219)),
            ClassInfo("background", (0, 0, 0)),
        )
    )
)
"""The drivable area: the own lane, other lanes, and all else."""

_SPLIT: Final = r"(?P<split>train|val|test)"
_PHOTOS: Final = Place.of(
    rf"(?:.+/)?images/(?:10k|100k|[^/]*track[^/]*)/{_SPLIT}(?:/(?P<group>.+))?", r"(?P<stem>.+)\.jpg"
)
_NEW: Final = r"(?:.+/)?labels/"
_OLD_PHOTOS: Final = Place.of(rf"(?:.+/)?(?:bdd100k/)?seg/images/{_SPLIT}", r"(?P<stem>.+)\.jpg")


def _new(task: str, form: str) -> Place:
    return Place.of(rf"{_NEW}{task}/{form}/{_SPLIT}(?:/(?P<group>.+))?", rf"(?P<stem>.+){PICTURE}")


def read_bitmask(path: Path, /, *, max_pixels: int | None = None) -> StoredMask:
    """Read a bitmask: red is the category, the lowest bit of green says ignore, blue and alpha count objects.

    Raises:
        InputError: The file cannot be read.
        FormatError: Not RGBA: the category would be another thing.
    """
    mask = read_mask(path, max_pixels=max_pixels)
    if mask.mode != "RGBA":
        raise FormatError("a bitmask of BDD100K has four channels", where=path, got=mask.mode, expected="RGBA")
    flags, categories = mask.pixels[..., 1], mask.pixels[..., 0]
    return StoredMask(np.where(flags & 1, IGNORE, categories).astype(np.uint8), "L")


_BITS: Final = "red is the category; pixels flagged as ignored are ignored; object numbers are not read"
_TRAIN_IDS: Final = "Cityscapes' 19 train ids, 255 is ignore"
BDD100K: Final = Published(
    "bdd100k",
    90,
    (
        Kind("semantic masks", _PHOTOS, _new("sem_seg", "masks"), BY_TRAIN_ID, _TRAIN_IDS),
        Kind(
            "semantic masks (`seg`)", _OLD_PHOTOS,
            Place.of(rf"(?:.+/)?seg/labels/{_SPLIT}", rf"(?P<stem>.+)_train_id{PICTURE}"), BY_TRAIN_ID,
            _TRAIN_IDS,
        ),
        Kind(
            "panoptic bitmasks", _PHOTOS, _new("pan_seg", "bitmasks"), PANOPTIC, _BITS, read=read_bitmask, whole=False
        ),
        Kind("drivable area", _PHOTOS, _new("drivable", "masks"), DRIVABLE),
        Kind(
            "instance bitmasks", _PHOTOS, _new("(?:ins_seg|seg_track(?:_20)?)", "bitmasks"), OBJECTS, _BITS,
            read=read_bitmask, whole=False,
        ),
        Kind(
            "colour maps", _PHOTOS, _new("sem_seg", "colormaps"), BY_TRAIN_ID, "Cityscapes' colours, black is ignored"
        ),
        Kind(
            "colour maps (`seg`)", _OLD_PHOTOS,
            Place.of(rf"(?:.+/)?seg/color_labels/{_SPLIT}", rf"(?P<stem>.+)_train_color{PICTURE}"), BY_TRAIN_ID,
            "Cityscapes' colours, black is ignored",
        ),
    ),
    "images/10k/train/x.jpg and labels/sem_seg/masks/train/x.png",
    beside=(
        ("lane masks (bits of direction, style and kind, no class per pixel)", _new("lane", "masks")),
        ("maps of object numbers", _new("(?:ins_seg|pan_seg|seg_track(?:_20)?)", "bitmasks")),
    ),
)  # fmt: skip
