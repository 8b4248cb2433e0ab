"""cityscapes: `leftImg8bit` and `gtFine`, a folder per split and city; ids, train ids, colours or polygons."""

from __future__ import annotations

import json
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

import numpy as np

from tessella.core.annotation import Drawing, Shape, StoredMask
from tessella.core.classes import IGNORE
from tessella.core.errors import FormatError
from tessella.files.classes import write_classes
from tessella.files.masks import read_mask, write_picture
from tessella.files.values.numbers import pairs, size_hw
from tessella.files.write import write_text
from tessella.formats.driving.labels import BY_ID, BY_TRAIN_ID, LABELS, UNLABELLED
from tessella.formats.driving.objects import label_of, read_objects
from tessella.formats.layout.export import flat, plain_coding, write_photo
from tessella.formats.layout.places import PICTURE, Place
from tessella.formats.layout.published import Kind, Published
from tessella.formats.listing import Writer
from tessella.formats.raster.tracing import outlines

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from tessella.core.classes import LabelCoding
    from tessella.core.labelmap import LabelMap
    from tessella.formats.listing import Item, Written

NAME: Final = "cityscapes"
_STEP: Final = 1000
_BELOW: Final = (
    r"(?:/(?P<split>train|val|test|train_extra|demoVideo)|/(?P<split_>[^/]+)(?=/))?"
    r"(?:/(?P<place>(?:photos|images)|(?P<group>.+)))?"
)
"""Below the top folder: the split, then the city; a folder called photos says nothing of where they were taken."""

_PHOTOS: Final = Place.of(rf"(?:.+/)?leftImg8bit{_BELOW}", rf"(?P<stem>.+)_leftImg8bit{PICTURE}")


def _labels(kind: str, ending: str) -> Place:
    return Place.of(rf"(?:.+/)?{kind}{_BELOW}", rf"(?P<stem>.+)_{kind}_{ending}")


def decode_instances(path: Path, /, *, max_pixels: int | None = None) -> StoredMask:
    """Read `instanceIds`: 26,003 is the third object of id 26, and numbers below 1,000 are ids themselves.

    Raises:
        InputError: The file cannot be read.
        FormatError: A colour mask.
    """
    mask = read_mask(path, max_pixels=max_pixels)
    if mask.is_colour:
        raise FormatError("instance numbers are not stored as colours", where=path, got=mask.mode, expected="16 bits")
    numbers = mask.pixels.astype(np.uint16)  # some tools write bytes
    ids = np.where(numbers < _STEP, numbers, numbers // _STEP)
    return StoredMask(ids.astype(np.uint8) if ids.max(initial=0) <= IGNORE else ids, "L")


def read_polygons(path: Path, /, *, max_pixels: int | None = None) -> Drawing:
    """Read a `_polygons.json`: its objects in the order in which they are painted, without those that were deleted.

    Raises:
        InputError: The file cannot be read.
        FormatError: It has no list of objects, or an object without a label or a polygon.
    """
    tree, objects = read_objects(path, of="Cityscapes")
    shapes = [
        Shape(label_of(entry, where), "polygon", pairs(entry.get("polygon"), where=where))
        for entry, where in objects
        if not (isinstance(entry, dict) and entry.get("deleted"))
    ]
    return Drawing(tuple(shapes), size_hw(tree.get("imgHeight"), tree.get("imgWidth"), where=path))


def _kinds() -> tuple[Kind, ...]:
    kinds = []
    for folder in ("gtFine", "gtCoarse"):
        colours = "colours cannot tell polegroup from pole, nor license plate from car"
        kinds += [
            Kind(
                f"labelIds of {folder}", _PHOTOS, _labels(folder, rf"labelIds{PICTURE}"), BY_ID,
                "of the 34 published ids the 19 that are trained on are classes, the others are ignored", certain=True,
            ),
            Kind(
                f"labelTrainIds of {folder}", _PHOTOS, _labels(folder, rf"labelTrainIds{PICTURE}"), BY_TRAIN_ID,
                certain=True,
            ),
            Kind(
                f"polygons of {folder}", _PHOTOS, _labels(folder, r"polygons\.json"), BY_TRAIN_ID,
                "painted by our rule of pixel centres; Cityscapes' own masks also cover the outlines", certain=True,
                read=read_polygons,
            ),
            Kind(
                f"color of {folder}", _PHOTOS, _labels(folder, rf"color{PICTURE}"), BY_TRAIN_ID, colours, certain=True
            ),
            Kind(
                f"instanceIds of {folder}", _PHOTOS, _labels(folder, rf"instanceIds{PICTURE}"), BY_ID,
                "an object's number is 1000 times its id and a counter; only the id is read", certain=True,
                read=decode_instances, whole=False,
            ),
        ]  # fmt: skip
    return tuple(kinds)


CITYSCAPES: Final = Published(
    NAME,
    94,
    _kinds(),
    "leftImg8bit/<split>/<city>/x_leftImg8bit.png and gtFine/<split>/<city>/x_gtFine_labelIds.png",
    called="{split}/{place}/{stem}",
    beside=(("maps of object numbers", _labels("gtFine", rf"instanceIds{PICTURE}")),),
)


def _named(coding: LabelCoding) -> dict[str, int] | None:
    """Return Cityscapes' own id of every class, where all classes are called as there."""
    ids = {label.name: label.id for label in LABELS}
    return {name: ids[name] for name in coding.table.names} if set(coding.table.names) <= ids.keys() else None


def _folder(item: Item) -> tuple[str, str]:
    """Return the folder below the top one and the stem of an item's files."""
    stem = PurePosixPath(item.stem)
    city = "photos" if stem.parent == PurePosixPath() else str(stem.parent)
    return (f"{item.split}/{city}" if item.split else flat(city)), stem.name


def write_one(item: Item, coding: LabelCoding, dst: Path) -> None:
    """Write the photo and its label map.

    Classes that are called as in Cityscapes are written as `labelIds` and `labelTrainIds` with the published numbers,
    as `color` with the published colours, and as polygons along pixel edges; other classes as `labelTrainIds` alone,
    value = id.
    """
    from PIL import Image

    folder, stem = _folder(item)
    write_photo(item, dst / "leftImg8bit" / folder, f"{stem}_leftImg8bit")
    if item.labels is None:
        return
    place = dst / "gtFine" / folder
    own = _named(coding)
    ids = item.labels.ids
    if own is not None:
        trained = {label.id: label.train_id for label in LABELS}
        unlabelled = IGNORE if 0 in own.values() else 0
        by_id, by_train = np.full(256, unlabelled, np.uint8), np.full(256, IGNORE, np.uint8)
        for index, number in enumerate(own.values()):
            by_id[index], by_train[index] = number, trained[number]
        write_picture(place / f"{stem}_gtFine_labelIds.png", Image.fromarray(by_id[ids]))
        write_picture(place / f"{stem}_gtFine_color.png", Image.fromarray(_colours(own)[ids]))
        content = json.dumps(_polygons(item.labels, tuple(own)), ensure_ascii=False)
        write_text(place / f"{stem}_gtFine_polygons.json", content + "\n")
        ids = by_train[ids]
    write_picture(place / f"{stem}_gtFine_labelTrainIds.png", Image.fromarray(ids))


def _colours(own: dict[str, int]) -> NDArray[np.uint8]:
    """Return the published colour of every class id; ignored pixels are black, as unlabelled ones there."""
    colours = np.zeros((256, 3), np.uint8)
    colours[: len(own)] = [next(label.colour for label in LABELS if label.name == name) for name in own]
    return colours


def _polygons(labels: LabelMap, names: Sequence[str]) -> dict[str, object]:
    """Return the content of a `_polygons.json`, which paints the label map again; what is ignored in none."""
    called = dict(enumerate(names)) | {IGNORE: UNLABELLED}
    objects = [
        {"label": called[outline.value], "polygon": outline.points_xy.astype(int).tolist()}
        for outline in outlines(labels.ids, ground=IGNORE)
    ]
    return {"imgHeight": labels.hw[0], "imgWidth": labels.hw[1], "objects": objects}


def close(written: Sequence[Written], coding: LabelCoding, dst: Path) -> None:
    """Write `classes.toml`: the classes, and the values of the maps that are read first."""
    own, plain = _named(coding), plain_coding(coding)
    if own is not None:
        ignored = tuple(value for value in (0, IGNORE) if value not in own.values())
        plain = type(plain)(
            plain.table, tuple((value,) for value in own.values()), ignored, plain.ignore_colours, plain.ignore_names,
            plain.aliases,
        )  # fmt: skip
    write_classes(dst / "classes.toml", plain)


WRITER: Final = Writer(write_one, close)
