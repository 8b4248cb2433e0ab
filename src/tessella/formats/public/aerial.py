"""loveda, inria, massachusetts: aerial photos with masks of land cover, of buildings and of roads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tessella.core.classes import ClassInfo, ClassTable, LabelCoding
from tessella.files.paths import relative_name
from tessella.formats.layout.binary import read_binary
from tessella.formats.layout.places import PICTURE, Place
from tessella.formats.layout.published import Classes, Kind, Published

if TYPE_CHECKING:
    from tessella.formats.layout.places import Met
    from tessella.formats.source import Source

LAND_COVER: Final = LabelCoding(
    ClassTable(
        (
            ClassInfo("background", (255, 255, 255)),
            ClassInfo("building", (255, 0, 0)),
            ClassInfo("road", (255, 255, 0)),
            ClassInfo("water", (0, 0, 255)),
            ClassInfo("barren", (159, 129, 183)),
            ClassInfo("forest", (0, 255, 0)),
            ClassInfo("agriculture", (255, 195, 128)),
        )
    ),
    tuple((value,) for value in range(1, 8)),
    (0,),
)
"""LoveDA's 7 classes, stored as 1 to 7; 0 is no data."""

_SCENE: Final = r"(?P<above>.+/)?(?P<split>train|val|test)/(?P<scene>urban|rural)"
_NUMBERED: Final = r"(?P<stem>\d+)\.png"
LOVEDA: Final = Published(
    "loveda",
    92,
    (
        Kind(
            "masks of land cover", Place.of(rf"{_SCENE}/images_png", _NUMBERED),
            Place.of(rf"{_SCENE}/masks_png", _NUMBERED), LAND_COVER,
            "7 published classes stored as 1 to 7; 0 is no data and ignored",
        ),
    ),
    "Train/Urban/images_png/1.png and Train/Urban/masks_png/1.png",
)  # fmt: skip

_BUILDING: Final = LabelCoding(ClassTable.from_names(("background", "building")), ((0,), (255,)), ())
_CITY: Final = (
    r"(?P<stem>(?P<group>austin|chicago|kitsap|tyrol-w|vienna|bellingham|bloomington|innsbruck|sfo|tyrol-e)\d+)"
)
INRIA: Final = Published(
    "inria",
    92,
    (
        Kind(
            "masks of buildings",
            Place.of(r"(?P<above>.+/)?(?P<split>train|val|test)/images", rf"{_CITY}{PICTURE}"),
            Place.of(r"(?P<above>.+/)?(?P<split>train|val|test)/gt", rf"{_CITY}{PICTURE}"), _BUILDING,
            "the tiles of one city are a group",
        ),
    ),
    "train/images/austin1.tif and train/gt/austin1.tif",
)  # fmt: skip


def _one_class(source: Source, met: Met, coding: LabelCoding | None) -> Classes:
    """Name the class of a Massachusetts set by its folders: roads and buildings have the same layout."""
    if coding is not None:
        return Classes(coding)
    where = source.root.resolve().as_posix().casefold()
    where += "".join(relative_name(path.parent, source.root) for path in met.labels[:1]).casefold()
    name = "road" if "road" in where else "building" if "build" in where else "foreground"
    said = f"the class is {name}" + (
        "" if name != "foreground" else ", for no folder says whether it is road or building"
    )
    return Classes(LabelCoding(ClassTable.from_names(("background", name)), ignore_values=()), (said,))


_TILE: Final = rf"(?P<stem>\d{{8}}_\d{{2}}){PICTURE}"
_SPLIT: Final = r"(?P<above>.+/)?(?P<split>train|val|valid|test)"
MASSACHUSETTS: Final = Published(
    "massachusetts",
    91,
    (
        Kind(
            "masks of one class", Place.of(_SPLIT, _TILE), Place.of(rf"{_SPLIT}_labels", _TILE), _one_class,
            read=read_binary, whole=False,
        ),
        Kind(
            "masks of one class (`map`)", Place.of(rf"{_SPLIT}/sat", _TILE), Place.of(rf"{_SPLIT}/map", _TILE),
            _one_class, read=read_binary, whole=False,
        ),
    ),
    "train/22678915_15.tiff and train_labels/22678915_15.tif, or train/sat and train/map",
)  # fmt: skip
