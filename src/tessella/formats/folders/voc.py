"""voc: PASCAL VOC's folders and lists, palette masks whose values are class ids, 255 for ignore."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

import numpy as np

from tessella.core.classes import IGNORE, ClassTable, LabelCoding, voc_colour
from tessella.core.errors import FormatError, InputError
from tessella.core.wording import counted
from tessella.files.masks import read_mask, write_mask, write_picture
from tessella.files.paths import IMAGE_SUFFIXES, is_file, relative_name, walk
from tessella.files.text import read_bytes, read_text_lines
from tessella.files.write import write_text
from tessella.formats.folders.index_mask import load, share_of_colour
from tessella.formats.layout.class_files import find_classes, own_classes
from tessella.formats.layout.discover import discover_colours, discover_values
from tessella.formats.layout.export import flat, plain_coding, write_classes_beside, write_photo
from tessella.formats.layout.pairing import SPLIT_NAMES
from tessella.formats.listing import Listing, Match, Record, Writer
from tessella.formats.raster.labels import colour_counts
from tessella.formats.tools.objects import numbers_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from tessella.formats.listing import Item, Written
    from tessella.formats.source import Source

__all__ = ["VOC", "WRITER", "detect", "load", "read"]

NAME: Final = "voc"
_MASK_FOLDERS: Final = ("SegmentationClass", "SegmentationClassAug", "SegmentationClassPNG")
"""VOC's own, that of its extension by SBD, and that of LabelMe's conversion before version 4, with arrays in VOC's."""

LABELMAP: Final = "labelmap.txt"
"""CVAT's file of classes: where it lies, the masks are CVAT's."""

OBJECTS: Final = "SegmentationObject"
_MOST_OBJECTS: Final = 254
_TOO_MANY: Final = f"objects of photos with more than {_MOST_OBJECTS}, which a mask of bytes cannot tell apart"
_LOOK_AT: Final = 20
_LARGEST_SHEET: Final = 1 << 26

VOC: Final = LabelCoding(
    ClassTable.from_names(
        (
            "background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow",
            "diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor",
        )
    ),
    ignore_values=(IGNORE,),
    ignore_colours=(voc_colour(IGNORE),),
)  # fmt: skip
"""The 21 classes of PASCAL VOC 2012 (VOCdevkit, `VOCinit.m`); 255 is the void along outlines."""


def detect(source: Source) -> Match | None:
    """Say whether JPEGImages and SegmentationClass lie here, or in VOCdevkit/VOC2012 below, without CVAT's labelmap."""
    home = None if source.file is not None else home_of(source)
    if home is None or (home / LABELMAP).is_file():
        return None
    masks = (_masks(home) or home).name
    return Match(90, f"{_photo_folder(home)} and {masks} in {relative_name(home, source.root)}")


def home_of(source: Source) -> Path | None:
    """Return the folder with VOC's folders: SegmentationClass, and JPEGImages, lists or CVAT's labelmap beside it."""
    root = source.root
    below = [*root.glob("VOC*"), *root.glob("VOCdevkit/VOC*")]
    for home in (root, *sorted(below)):
        marks = (home / "JPEGImages", _lists(home), home / LABELMAP)
        if _masks(home) is not None and any(mark.exists() for mark in marks):
            return home
    return None


def _masks(home: Path) -> Path | None:
    """Return the folder of masks: SegmentationClass, unless it holds no picture and another of its names does."""
    folders = [home / name for name in _MASK_FOLDERS if (home / name).is_dir()]
    return next((folder for folder in folders if walk(folder, IMAGE_SUFFIXES)), folders[0] if folders else None)


def _lists(home: Path) -> Path:
    return home / "ImageSets" / "Segmentation"


def _photo_folder(home: Path) -> str:
    return "JPEGImages" if (home / "JPEGImages").is_dir() else "ImageSets/Segmentation"


def read(source: Source, coding: LabelCoding | None) -> Listing:
    """List the photos that ImageSets/Segmentation names, or all of JPEGImages where there are no lists.

    Raises:
        FormatError: The folders are missing.
        LabelError: Classes cannot be discovered.
    """
    return read_as(NAME, source, coding)


def read_as(name: str, source: Source, coding: LabelCoding | None) -> Listing:
    """List VOC's folders as the format of this name; otherwise like `read`."""
    root, max_pixels = source.root, source.max_pixels
    home = home_of(source)
    if home is None:
        raise FormatError("JPEGImages and SegmentationClass are not here", where=root, fix="give the folder above them")
    photos = _photos(home, source)
    masks = _by_stem(_masks(home) or home / "SegmentationClass")
    splits, notes = _listed(home, photos, masks)
    if not photos and masks:
        notes.append("there is no photo; give their folder with --photos")
    # without any photo the masks are all there is, and they have a size of their own
    members = sorted(stem for stem in splits if stem in photos or (not photos and stem in masks))
    records = tuple(_record(photos.get(stem), masks.get(stem), splits[stem], source) for stem in members)
    orphans = tuple(relative_name(mask, root) for stem, mask in sorted(masks.items()) if photos and stem not in photos)
    discovered = False
    if coding is None:
        labels = [record.label for record in records if record.label is not None]
        coding, found, discovered = _classes(root, home, labels, max_pixels=max_pixels)
        notes += found
    left_out = _left_out(home, members)
    return Listing(
        name, root, records, coding, discovered, tuple(notes), orphans, max_pixels, left_out, published=coding is VOC
    )


def _photos(home: Path, source: Source) -> dict[str, Path]:
    """Return the photos by stem: of JPEGImages, else those anywhere but in the folders of masks."""
    if (home / "JPEGImages").is_dir():
        return _by_stem(home / "JPEGImages")
    found: dict[str, Path] = {}
    for folder in (source.photos, home):
        if folder is None:
            continue
        for path in walk(folder, IMAGE_SUFFIXES):
            tail = path.relative_to(folder)
            if not tail.parts[0].startswith("Segmentation"):
                found.setdefault(tail.with_suffix("").as_posix(), path)
                found.setdefault(path.stem, path)
    return found


def _record(photo: Path | None, mask: Path | None, split: str, source: Source) -> Record:
    file = photo or mask or source.root
    return Record(relative_name(file.with_suffix(""), source.home(file)), photo, mask, split)


def _by_stem(folder: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in walk(folder, IMAGE_SUFFIXES):
        stem = relative_name(path.with_suffix(""), folder)
        if stem in found:
            raise FormatError(
                "two files have the same stem", where=folder, got=f"{found[stem].name} and {path.name}", fix="keep one"
            )
        found[stem] = path
    return found


def _listed(home: Path, photos: dict[str, Path], masks: dict[str, Path]) -> tuple[dict[str, str], list[str]]:
    """Return the split of every photo that belongs to the set, and notes."""
    folder = _lists(home)
    files = walk(folder, {".txt"}) if folder.is_dir() else []
    known = photos.keys() | masks.keys()
    splits: dict[str, str] = {}
    # trainval.txt and default.txt say what belongs to the set, train.txt and val.txt also which part
    for path in sorted(files, key=lambda path: bool(_split_of(path))):
        split = _split_of(path)
        for line in read_text_lines(path):
            stem = line if line in known else line.rsplit(maxsplit=1)[0]
            if split and splits.get(stem, split) not in ("", split):
                raise FormatError(
                    f"the lists name {stem} twice",
                    where=folder,
                    got=f"{splits[stem]}.txt and {path.name}",
                    fix="remove one of the two lines: a photo in two splits makes the score a lie",
                )
            splits[stem] = split or splits.get(stem, "")
    if not splits:
        return dict.fromkeys(photos or masks, ""), [
            "no lists in ImageSets/Segmentation: all photos of JPEGImages belong to it"
        ]
    notes = []
    if absent := sum(stem not in (photos or masks) for stem in splits):
        notes.append(f"{counted(absent, 'listed photo is', 'listed photos are')} missing")
    if left := sum(stem not in splits for stem in masks.keys() & photos.keys()):
        notes.append(f"{counted(left, 'photo with a mask is', 'photos with masks are')} in no list and left out")
    return splits, notes


def _split_of(path: Path) -> str:
    return SPLIT_NAMES.get(path.stem.casefold().removesuffix("_aug"), "")


def _left_out(home: Path, members: Iterable[str]) -> dict[str, int]:
    """Count the masks of single objects, and the boxes in the XML files, of the photos that belong to the set."""
    objects = boxes = 0
    masks, sheets = home / OBJECTS, home / "Annotations"
    for stem in members:
        objects += masks.is_dir() and is_file(masks / f"{stem}.png")
        if sheets.is_dir() and is_file(sheet := sheets / f"{stem}.xml"):
            with contextlib.suppress(InputError):  # nothing else is read of it
                boxes += read_bytes(sheet, max_bytes=_LARGEST_SHEET).count(b"<bndbox>")
    return {kind: count for kind, count in (("masks of single objects", objects), ("boxes", boxes)) if count}


def _classes(
    root: Path, home: Path, masks: list[Path], *, max_pixels: int | None
) -> tuple[LabelCoding, list[str], bool]:
    if beside := own_classes(root) or find_classes(home):
        return beside[0], [f"classes from {beside[1]}"], False
    if _has_voc_palette(masks[:_LOOK_AT], max_pixels):
        return VOC, ["no class file, but PASCAL VOC's palette: its 21 classes are assumed; else pass --classes"], False
    discover = discover_colours if share_of_colour(masks) > 0.5 else discover_values
    coding, found = discover(masks, max_pixels=max_pixels)
    return coding, list(found), True


def _has_voc_palette(masks: list[Path], max_pixels: int | None) -> bool:
    """Whether these masks have VOC's first 21 colours, as a palette or as RGB, and nothing outside its classes."""
    own = VOC.table.colours
    for path in masks:
        try:
            mask = read_mask(path, max_pixels=max_pixels)
        except InputError:
            continue  # named by `tessella check`
        if mask.is_colour:
            if not colour_counts(mask).keys() <= VOC.colour_to_id().keys():
                return False
            continue
        if mask.palette is None or [tuple(row) for row in mask.palette[: len(own)].tolist()] != list(own):
            return False
        if ((mask.pixels >= len(own)) & (mask.pixels != IGNORE)).any():
            return False
    return bool(masks)


def write_one(item: Item, coding: LabelCoding, dst: Path) -> None:
    """Write JPEGImages, SegmentationClass, and SegmentationObject of photos whose objects are told apart.

    Photos keep their file type where they are copied (the folder's name is VOC's, not a promise), else they are PNG.
    """
    stem = flat(item.stem)
    write_photo(item, dst / "JPEGImages", stem)
    if item.labels is not None:
        write_mask(dst / "SegmentationClass" / f"{stem}.png", item.labels)
        numbers = None if item.drawing is None else numbers_of(item.drawing, item.labels.ids, coding, lost=item.lost)
        if numbers is not None and numbers.max(initial=0) > _MOST_OBJECTS:
            item.lost[_TOO_MANY] += int(numbers.max())
        elif numbers is not None:
            _write_objects(dst / OBJECTS / f"{stem}.png", numbers)


def _write_objects(path: Path, numbers: NDArray[np.int32]) -> None:
    from PIL import Image

    picture = Image.fromarray(numbers.astype(np.uint8))  # -1 becomes 255, the void
    picture.putpalette(bytes(channel for value in range(256) for channel in voc_colour(value)))
    write_picture(path, picture)


def close(written: Sequence[Written], coding: LabelCoding, dst: Path) -> None:
    """Write ImageSets/Segmentation, class_names.txt and classes.toml."""
    write_lists(written, dst)
    write_text(dst / "class_names.txt", "\n".join(plain_coding(coding).table.names) + "\n")
    write_classes_beside(coding, dst)


def write_lists(written: Sequence[Written], dst: Path) -> None:
    """Write ImageSets/Segmentation: a list per split, or `default.txt`."""
    lists: dict[str, list[str]] = {}
    for one in written:
        lists.setdefault(one.split or "default", []).append(flat(one.stem))
    for name, members in lists.items():
        write_text(_lists(dst) / f"{name}.txt", "\n".join(members) + "\n")


WRITER: Final = Writer(write_one, close, one_folder=True)
