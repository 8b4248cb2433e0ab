"""colour-mask: folders of photos and of RGB masks whose colours are classes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from tessella.core.classes import IGNORE, LabelCoding, voc_colour
from tessella.core.wording import counted
from tessella.files.classes import write_classes
from tessella.files.masks import write_picture
from tessella.formats.folders.index_mask import list_pairs, load, share_of_colour
from tessella.formats.layout.discover import discover_colours
from tessella.formats.layout.export import in_split, plain_coding, write_photo
from tessella.formats.layout.pairing import paired
from tessella.formats.listing import Listing, Match, Writer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tessella.formats.listing import Item, Written
    from tessella.formats.source import Source

__all__ = ["detect", "load", "read"]

NAME: Final = "colour-mask"


def detect(source: Source) -> Match | None:
    """Say whether photos and RGB masks can be paired below the folder."""
    if source.file is not None:
        return None
    pairs = paired(source)
    if pairs is None or not pairs.masks or share_of_colour(pairs.masks) <= 0.5:
        return None
    return Match(60, f"{counted(len(pairs.masks), 'photo has', 'photos have')} an RGB mask")


def read(source: Source, coding: LabelCoding | None) -> Listing:
    """List photos and colour masks.

    Args:
        source: The data set's folder.
        coding: The classes, or None to take them from a class file beside the data or else from the colours found.

    Raises:
        FormatError: Nothing pairs, or two masks claim one photo.
        LabelError: Classes cannot be discovered.
    """
    return list_pairs(source, coding, name=NAME, discover=discover_colours)


def write_one(item: Item, coding: LabelCoding, dst: Path) -> None:
    """Write `images/` and RGB PNG in `masks/`, below a folder per split."""
    from PIL import Image

    folder = in_split(item, dst)
    write_photo(item, folder / "images")
    if item.labels is not None:
        coding = with_ignore_colour(plain_coding(coding))
        palette = coding.table.palette()
        palette[IGNORE] = coding.ignore_colours[0]
        picture = Image.fromarray(np.ascontiguousarray(palette[item.labels.ids]))
        write_picture(folder / "masks" / f"{item.stem}.png", picture)


def close(written: Sequence[Written], coding: LabelCoding, dst: Path) -> None:
    """Write `classes.toml` with the colour of ignore."""
    write_classes(dst / "classes.toml", with_ignore_colour(plain_coding(coding)))


WRITER: Final = Writer(write_one, close)


def with_ignore_colour(coding: LabelCoding) -> LabelCoding:
    """Return a coding that has a colour for IGNORE: its own, else the last free one of VOC's palette."""
    if coding.ignore_colours:
        return coding
    free = next(colour for colour in map(voc_colour, range(IGNORE, -1, -1)) if colour not in coding.table.colours)
    return replace(coding, ignore_colours=(free,))
