"""What all writers share: names for the files, photos copied where that is safe, the class file."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tessella.core.classes import IGNORE, LabelCoding
from tessella.core.errors import InputError, OutputError
from tessella.files.classes import write_classes
from tessella.files.images import read_header
from tessella.files.masks import write_image
from tessella.files.write import explain
from tessella.formats.layout.pairing import SPLIT_NAMES, role_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tessella.formats.listing import Item


def write_stems(named: Iterable[tuple[str, str]], *, one_folder: bool = False) -> list[str]:
    """Return what the files of some photos are called: their names without folders that only say role or split.

    `train/images/street/7` becomes `street/7`. Should two photos of one split come out the same, the later keeps its
    whole name, in one piece.

    Args:
        named: Name and split of each photo; names are unique.
        one_folder: Whether all splits share a folder, and folders become a part of the name (`flat`).

    Raises:
        OutputError: A name that leads out of the folder, or that is no text.
    """
    taken: dict[tuple[str, str], str] = {}
    stems = []
    for name, split in named:
        *folders, last = _inside(name).split("/")
        kept = [folder for folder in folders if not role_of(folder)[0] and folder.casefold() not in SPLIT_NAMES]
        stem = "/".join([*kept, last])
        place = ("", flat(stem).casefold()) if one_folder else (split, stem.casefold())
        if taken.setdefault(place, name) != name:
            stem = flat(name)
        stems.append(stem)
    return stems


def _inside(name: str) -> str:
    path = Path(name)
    if ".." in path.parts or path.anchor:
        raise OutputError("the name of a photo leads out of the folder to write", got=name, expected="a name below it")
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise OutputError(
            "the name of a photo is no text", got=ascii(name), expected="UTF-8", fix="rename the file"
        ) from error
    return name


def in_split(item: Item, dst: Path) -> Path:
    """Return the folder of an item's split below `dst`; `dst` itself where it has none."""
    return dst / item.split if item.split else dst


def flat(stem: str) -> str:
    """Return a stem without folders, for formats that have a single folder of photos."""
    return stem.replace("/", "__")


def write_photo(item: Item, folder: Path, stem: str | None = None) -> Path | None:
    """Write the photo of an item, and return its path; None where there is no photo.

    The original file is copied byte for byte where it is upright as stored; a photo that EXIF turns is written anew as
    PNG, because not every reader turns it and its labels would then lie across it. What PNG cannot hold (floats, many
    bands) becomes a TIFF.

    Args:
        item: The photo.
        folder: Where to write it.
        stem: What to call it, by default the item's own stem.

    Raises:
        OutputError: The file cannot be written.
        ImageError: The photo cannot be decoded.
    """
    stem = item.stem if stem is None else stem
    if item.photo is not None and _is_upright(item.photo):
        path = folder / f"{stem}{item.photo.suffix.lower()}"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(item.photo, path)
        except OSError as error:
            raise explain(error, path) from error
        return path
    if item.image is None:
        return None
    image = item.image()
    plain = image.channels in (1, 3, 4) and image.dtype != "float32"
    path = folder / f"{stem}{'.png' if plain else '.tif'}"
    write_image(path, image)
    return path


def _is_upright(path: Path) -> bool:
    try:
        return read_header(path).orientation == 1
    except InputError:
        return False


def plain_coding(coding: LabelCoding) -> LabelCoding:
    """Return the coding of files that Tessella writes: value = id, 255 = ignore, the same classes and names."""
    kept = tuple(colour for colour in coding.ignore_colours if colour not in coding.table.colours)
    return replace(coding, values=(), ignore_values=(IGNORE,), ignore_colours=kept)


def write_classes_beside(coding: LabelCoding, dst: Path) -> None:
    """Write `classes.toml` into a new data set."""
    write_classes(dst / "classes.toml", plain_coding(coding))
