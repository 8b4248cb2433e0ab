"""synthia: `RGB` beside `GT`, `GT/LABELS`, `SemSeg` or `GTLeft`; the four releases have class tables of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from tessella.core.annotation import StoredMask
from tessella.core.classes import ClassInfo, ClassTable, Colour, LabelCoding
from tessella.files.images import read_header, read_image
from tessella.files.masks import read_mask
from tessella.formats.layout.places import PICTURE, Place
from tessella.formats.layout.published import Kind, Published

if TYPE_CHECKING:
    from pathlib import Path

_Rows = tuple[tuple[str, Colour], ...]


def _coding(rows: _Rows) -> LabelCoding:
    """Make a coding of rows in the order of their ids; the first is void, and of two of one colour the first has it."""
    (_, void), *rest = rows
    kept: dict[Colour, tuple[str, int]] = {}
    for value, (name, colour) in enumerate(rest, start=1):
        if not name:  # a number that no class has
            continue
        # Lanemarking has Wall's colour in one release, Train that of Truck in another: ids tell them apart
        spare = colour if colour not in kept else next(c for c in _spare_colours() if c not in dict(rest).values())
        kept[spare] = (name, value)
    table = ClassTable(tuple(ClassInfo(name, colour) for colour, (name, _) in kept.items()))
    return LabelCoding(table, tuple((value,) for _, value in kept.values()), (0,), (void,), ("void",))


def _spare_colours() -> tuple[Colour, ...]:
    return tuple((red, 1, 1) for red in range(1, 256))


CITYSCAPES_CLASSES: Final = _coding(
    (
        ("void", (0, 0, 0)), ("sky", (70, 130, 180)), ("building", (70, 70, 70)), ("road", (128, 64, 128)),
        ("sidewalk", (244, 35, 232)), ("fence", (64, 64, 128)), ("vegetation", (107, 142, 35)),
        ("pole", (153, 153, 153)), ("car", (0, 0, 142)), ("traffic sign", (220, 220, 0)),
        ("pedestrian", (220, 20, 60)), ("bicycle", (119, 11, 32)), ("motorcycle", (0, 0, 230)),
        ("parking slot", (250, 170, 160)), ("road work", (128, 64, 64)), ("traffic light", (250, 170, 30)),
        ("terrain", (152, 251, 152)), ("rider", (255, 0, 0)), ("truck", (0, 0, 70)), ("bus", (0, 60, 100)),
        ("train", (0, 80, 100)), ("wall", (102, 102, 156)), ("lanemarking", (102, 102, 156)),
    )
)  # fmt: skip
"""SYNTHIA-RAND-CITYSCAPES (its README.txt, June 2016)."""

RANDOM_CLASSES: Final = _coding(
    (
        ("void", (0, 0, 0)), ("sky", (128, 128, 128)), ("building", (128, 0, 0)), ("road", (128, 64, 128)),
        ("sidewalk", (0, 0, 192)), ("fence", (64, 64, 128)), ("vegetation", (128, 128, 0)), ("pole", (192, 192, 128)),
        ("car", (64, 0, 128)), ("traffic sign", (192, 128, 128)), ("pedestrian", (64, 64, 0)),
        ("bicycle", (0, 128, 192)), ("lanemarking", (0, 175, 0)), ("traffic light", (0, 128, 128)),
    )
)  # fmt: skip
"""SYNTHIA-RAND; the sequences (SYNTHIA-AL) have the same, but for the green of lane markings."""

SEQUENCE_CLASSES: Final = _coding(
    (
        ("void", (0, 0, 0)),
        *((info.name, info.colour) for info in RANDOM_CLASSES.table.classes[:11]),
        ("lanemarking", (0, 172, 0)), ("", (0, 0, 0)), ("", (0, 0, 0)), ("traffic light", (0, 128, 128)),
    )
)  # fmt: skip
"""The video sequences, SYNTHIA-SEQS and SYNTHIA-AL: lane markings in another green, traffic lights are 15."""

SAN_FRANCISCO_CLASSES: Final = _coding(
    (
        ("void", (0, 0, 0)), ("road", (128, 64, 128)), ("sidewalk", (244, 35, 232)), ("building", (70, 70, 70)),
        ("wall", (102, 102, 156)), ("fence", (190, 153, 153)), ("pole", (153, 153, 153)),
        ("traffic light", (250, 170, 30)), ("traffic sign", (220, 220, 0)), ("vegetation", (107, 142, 35)),
        ("terrain", (152, 251, 152)), ("sky", (70, 130, 180)), ("person", (220, 20, 60)), ("rider", (255, 0, 0)),
        ("car", (0, 0, 142)), ("truck", (0, 80, 100)), ("bus", (0, 60, 100)), ("train", (0, 80, 100)),
        ("motorcycle", (0, 0, 230)), ("bicycle", (119, 11, 31)), ("road lines", (157, 234, 50)), ("other", (72, 0, 98)),
        ("road works", (167, 106, 29)),
    )
)  # fmt: skip
"""SYNTHIA-SF."""


def read_first_channel(path: Path, /, *, max_pixels: int | None = None) -> StoredMask:
    """Read `GT/LABELS`: 16-bit pictures whose first channel is the class and whose second counts objects.

    Raises:
        InputError: The file cannot be read.
        ImageError: It is larger than the budget.
    """
    header = read_header(path)
    if header.channels < 3:
        return read_mask(path, max_pixels=max_pixels)
    pixels = read_image(path, max_pixels=max_pixels).pixels
    return StoredMask(np.ascontiguousarray(pixels[..., 0].astype(np.uint16)), "I;16")


def _is_colour(_: object, path: Path) -> bool:
    header = read_header(path)
    return header.channels >= 3 and header.bits == 8


_NAME: Final = rf"(?P<stem>[^/]+){PICTURE}"
_ABOVE: Final = r"(?P<above>.+/)?"


def _below(folder: str) -> Place:
    return Place.of(rf"{_ABOVE}{folder}", _NAME)


_VIEW: Final = r"/(?P<group>Stereo_(?:Left|Right)/Omni_[FBLR])"
SYNTHIA: Final = Published(
    "synthia",
    91,
    (
        Kind(
            "ids of a video sequence (`GT/LABELS/Stereo_Left/Omni_F`)", _below(f"RGB{_VIEW}"),
            _below(f"GT/LABELS{_VIEW}"), SEQUENCE_CLASSES,
            "13 published classes, 0 is void and ignored; the second channel, which counts objects, is not read",
            read=read_first_channel, whole=False,
        ),
        Kind(
            "colours of a video sequence (`GT/COLOR/Stereo_Left/Omni_F`)", _below(f"RGB{_VIEW}"),
            _below(f"GT/COLOR{_VIEW}"), SEQUENCE_CLASSES, "13 published classes, black is void and ignored",
        ),
        Kind(
            "ids of SYNTHIA-RAND-CITYSCAPES (`GT/LABELS`)", _below("RGB"), _below("GT/LABELS"), CITYSCAPES_CLASSES,
            "22 published classes, 0 is void and ignored; the second channel, which counts objects, is not read",
            read=read_first_channel, whole=False,
        ),
        Kind(
            "colours of SYNTHIA-RAND-CITYSCAPES (`GT/COLOR`)", _below("RGB"), _below("GT/COLOR"), CITYSCAPES_CLASSES,
            "colours cannot tell lane markings from walls: give the folder GT/LABELS where there is one",
        ),
        Kind(
            "colours of SYNTHIA-RAND (`GT`)", _below("RGB"), _below("GT"), RANDOM_CLASSES,
            "13 published classes, black is void and ignored", evidence=_is_colour,
        ),
        Kind(
            "colours of SYNTHIA-AL (`SemSeg`)", _below("RGB"), _below("SemSeg"), SEQUENCE_CLASSES,
            "13 published classes, black is void and ignored", evidence=_is_colour,
        ),
        Kind(
            "colours of SYNTHIA-SF (`GTLeft`)", _below("RGBLeft"), _below("GTLeft"), SAN_FRANCISCO_CLASSES,
            "22 published classes, black is void and ignored; truck and train have one colour there, read as truck",
            evidence=_is_colour,
        ),
    ),
    "RGB/x.png and GT/LABELS/x.png",
    beside=(
        ("maps of depth", _below("Depth(?:Left)?")),
        ("maps of object numbers", _below(rf"GT/LABELS(?:{_VIEW})?")),
        ("lists of object numbers", Place.of(r".*GTTXT", r".+\.txt")),
    ),
)  # fmt: skip
