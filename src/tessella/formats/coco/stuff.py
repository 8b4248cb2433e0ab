"""coco-stuff: the pixel maps of COCO-Stuff, whose values are its label numbers less one, 255 for unlabelled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tessella.core.classes import IGNORE, ClassInfo, ClassTable, LabelCoding, voc_colour
from tessella.core.errors import FormatError
from tessella.files.paths import relative_name
from tessella.formats.folders.index_mask import load
from tessella.formats.layout.pairing import split_of
from tessella.formats.layout.photos import PhotoFinder, named_apart
from tessella.formats.layout.places import tree
from tessella.formats.listing import Listing, Match, Record

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tessella.formats.source import Source

__all__ = ["COCO_STUFF", "TRAIN_IDS", "detect", "load", "read"]

NAME: Final = "coco-stuff"
_FOLDER: Final = "stuffthingmaps"
_TRAIN_IDS: Final = "_labelTrainIds"

_THINGS: Final = (
    "person, bicycle, car, motorcycle, airplane, bus, train, truck, boat, traffic light, fire hydrant, -, stop "
    "sign, parking meter, bench, bird, cat, dog, horse, sheep, cow, elephant, bear, zebra, giraffe, -, backpack, "
    "umbrella, -, -, handbag, tie, suitcase, frisbee, skis, snowboard, sports ball, kite, baseball bat, baseball "
    "glove, skateboard, surfboard, tennis racket, bottle, -, wine glass, cup, fork, knife, spoon, bowl, banana, "
    "apple, sandwich, orange, broccoli, carrot, hot dog, pizza, donut, cake, chair, couch, potted plant, bed, -, "
    "dining table, -, -, toilet, -, tv, laptop, mouse, remote, keyboard, cell phone, microwave, oven, toaster, "
    "sink, refrigerator, -, book, clock, vase, scissors, teddy bear, hair drier, toothbrush, -"
)
"""COCO's things, numbers 1 to 91 in order; those marked - were never annotated."""

_STUFF: Final = (
    "banner, blanket, branch, bridge, building-other, bush, cabinet, cage, cardboard, carpet, ceiling-other, "
    "ceiling-tile, cloth, clothes, clouds, counter, cupboard, curtain, desk-stuff, dirt, door-stuff, fence, "
    "floor-marble, floor-other, floor-stone, floor-tile, floor-wood, flower, fog, food-other, fruit, furniture-other, "
    "grass, gravel, ground-other, hill, house, leaves, light, mat, metal, mirror-stuff, moss, mountain, mud, napkin, "
    "net, paper, pavement, pillow, plant-other, plastic, platform, playingfield, railing, railroad, river, road, rock, "
    "roof, rug, salad, sand, sea, shelf, sky-other, skyscraper, snow, solid-other, stairs, stone, straw, "
    "structural-other, table, tent, textile-other, towel, tree, vegetable, wall-brick, wall-concrete, wall-other, "
    "wall-panel, wall-stone, wall-tile, wall-wood, water-other, waterdrops, window-blind, window-other, wood"
)
"""COCO-Stuff's classes, numbers 92 to 182 in order (github.com/nightrome/cocostuff, labels.txt)."""

_NAMED: Final = tuple(
    (number, name) for number, name in enumerate(f"{_THINGS}, {_STUFF}".split(", "), start=1) if name != "-"
)

COCO_STUFF: Final = LabelCoding(
    ClassTable(tuple(ClassInfo(name, voc_colour(number)) for number, name in _NAMED)),
    values=tuple((number - 1,) for number, _ in _NAMED),
    ignore_values=(IGNORE,),
)
"""The 171 classes of COCO-Stuff: 80 things and 91 stuffs. A map holds a class's number less one."""

TRAIN_IDS: Final = LabelCoding(COCO_STUFF.table)
"""The same, numbered without gaps, as in maps named `_labelTrainIds`."""


def detect(source: Source) -> Match | None:
    """Say whether maps lie in a folder stuffthingmaps, or maps named _labelTrainIds in one that says stuff."""
    if source.file is not None:
        return None
    if _maps(source):
        return Match(93, f"maps in {_FOLDER}")
    return Match(93, f"maps named {_TRAIN_IDS} of COCO-Stuff") if _train_maps(source) else None


def _maps(source: Source) -> list[Path]:
    return [
        path
        for folders, paths in _by_folder(source)
        if any(part.startswith(_FOLDER) for part in folders)
        for path in paths
        if not path.stem.endswith(_TRAIN_IDS)
    ]


def _by_folder(source: Source) -> Iterator[tuple[list[str], list[Path]]]:
    """Yield the PNG files of each folder, with the names of the folders that they lie in."""
    top = source.root.resolve().name
    for folder, paths in source.once(tree).items():
        yield [top, *folder.split("/")], [path for path in paths if path.suffix.lower() == ".png"]


def _train_maps(source: Source) -> list[Path]:
    # Cityscapes has masks of this name, too
    return [
        path
        for folders, paths in _by_folder(source)
        if any("stuff" in part.casefold() for part in folders)
        for path in paths
        if path.stem.endswith(_TRAIN_IDS)
    ]


def read(source: Source, coding: LabelCoding | None) -> Listing:
    """List maps and photos of the same stem, those of one split together.

    Args:
        source: The data set's folder.
        coding: The classes, or None for the 171 of COCO-Stuff.

    Raises:
        FormatError: No map lies here.
    """
    maps = _maps(source)
    own = COCO_STUFF
    if not maps:
        maps, own = _train_maps(source), TRAIN_IDS
    if not maps:
        raise FormatError("no map of COCO-Stuff lies here", where=source.root, expected=f"{_FOLDER}/<split>/*.png")
    photos = PhotoFinder(source)
    taken = set(_maps(source)) | set(_train_maps(source))
    by_stem: dict[str, list[Path]] = {}
    for path in photos.paths:
        if path not in taken:
            by_stem.setdefault(path.stem, []).append(path)
    records, orphans = [], []
    for mask in maps:
        image = _photo(mask, by_stem.get(mask.stem.removesuffix(_TRAIN_IDS), []))
        if image is None:
            orphans.append(relative_name(mask, source.root))
            continue
        record = photos.record(image, mask)
        split = record.split or split_of(folder.rstrip("0123456789") for folder in mask.parts)
        records.append(Record(record.name, image, mask, split))
    lone = [record for record in photos.unlabelled(records) if record.image not in taken]
    notes = ("classes of COCO-Stuff: 80 things and 91 stuffs; 255 is ignored",) if coding is None else ()
    everything = named_apart([*records, *lone])
    return Listing(
        NAME, source.root, everything, coding or own, False, notes, tuple(orphans), source.max_pixels,
        published=coding is None,
    )  # fmt: skip


def _photo(mask: Path, found: list[Path]) -> Path | None:
    """Return the photo of a map: of several, the one in a folder of the same name."""
    if len(found) > 1:
        found = [path for path in found if path.parent.name == mask.parent.name]
    return found[0] if len(found) == 1 else None
