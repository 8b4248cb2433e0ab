"""What all writers share: names for the files, photos copied where that is safe, the class file."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

from tessella.core.classes import IGNORE, LabelCoding
from tessella.core.errors import InputError
from tessella.files.classes import write_classes
from tessella.files.images import read_header
from tessella.files.masks import write_image
from tessella.files.write import explain
from tessella.formats.layout.pairing import SPLIT_NAMES, role_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tessella.core.sample import Sample
    from tessella.formats.listing import Export


def write_stems(export: Export) -> Callable[[str], str]:
    """Return the function that names a sample's files: its name without folders that only say role or split.

    `train/images/street/7` becomes `street/7`. Should two samples of one split come out the same, the later keeps its
    whole name, in one piece.
    """
    taken: dict[tuple[str, str], str] = {}

    def stem(name: str) -> str:
        *folders, last = name.split("/")
        kept = [folder for folder in folders if not role_of(folder)[0] and folder.casefold() not in SPLIT_NAMES]
        short = "/".join([*kept, last])
        place = (export.splits.get(name, ""), short.casefold())
        if taken.setdefault(place, name) != name:
            return name.replace("/", "__")
        return short

    return stem


def flat(stem: str) -> str:
    """Return a stem without folders, for formats that have a single folder of photos."""
    return stem.replace("/", "__")


def write_photo(sample: Sample, folder: Path, stem: str, export: Export) -> Path:
    """Write the photo of a sample, and return its path.

    The original file is copied byte for byte where it is upright as stored; a photo that EXIF turns is written anew as
    PNG, because not every reader turns it and its labels would then lie across it.

    Raises:
        OutputError: The file cannot be written.
        ImageError: Neither a copy is safe nor PNG can hold the photo.
    """
    original = export.photos.get(sample.name)
    if original is not None and _is_upright(original):
        path = folder / f"{stem}{original.suffix.lower()}"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(original, path)
        except OSError as error:
            raise explain(error, path) from error
        return path
    path = folder / f"{stem}.png"
    write_image(path, sample.image)
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
