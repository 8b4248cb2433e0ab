"""colour-mask: folders of photos and of RGB masks whose colours are classes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from tessella.core.classes import IGNORE, LabelCoding, voc_colour
from tessella.core.errors import FormatError
from tessella.files.classes import write_classes
from tessella.files.masks import write_picture
from tessella.formats.folders.index_mask import load, require_pairs, share_of_colour
from tessella.formats.layout.class_files import find_classes
from tessella.formats.layout.discover import discover_colours
from tessella.formats.layout.export import plain_coding, write_photo, write_stems
from tessella.formats.layout.pairing import pair
from tessella.formats.listing import Export, Listing, Match

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tessella.core.sample import Sample

__all__ = ["detect", "load", "read", "write"]

NAME: Final = "colour-mask"


def detect(root: Path) -> Match | None:
    """Say whether photos and RGB masks can be paired below `root`."""
    try:
        pairs = pair(root)
    except FormatError:
        return None
    if not pairs.masks or share_of_colour(pairs.masks) <= 0.5:
        return None
    return Match(60, f"{len(pairs.masks)} photos have an RGB mask")


def read(root: Path, coding: LabelCoding | None, *, max_pixels: int | None = None) -> Listing:
    """List photos and colour masks.

    Args:
        root: The data set's folder.
        coding: The classes, or None to take them from a class file beside the data or else from the colours found.
        max_pixels: Most pixels of a mask that is decoded, or None for the usual budget.

    Raises:
        FormatError: Nothing pairs, or two masks claim one photo.
        LabelError: Classes cannot be discovered.
    """
    pairs = require_pairs(root)
    notes: tuple[str, ...] = (pairs.how,)
    discovered = False
    if coding is None and (beside := find_classes(root)):
        coding, name = beside
        notes += (f"classes from {name}",)
    if coding is None:
        coding, found = discover_colours(pairs.masks, max_pixels=max_pixels)
        notes, discovered = notes + found, True
    return Listing(NAME, root, pairs.records, coding, discovered, notes, pairs.orphans, max_pixels)


def write(samples: Iterable[Sample], coding: LabelCoding, dst: Path, export: Export) -> None:
    """Write `images/`, RGB PNG in `masks/` and `classes.toml`, below a folder per split where there are splits."""
    from PIL import Image

    coding = with_ignore_colour(plain_coding(coding))
    palette = coding.table.palette()
    palette[IGNORE] = coding.ignore_colours[0]
    stems = write_stems(export)
    for sample in samples:
        folder = dst / export.splits[sample.name] if export.splits.get(sample.name) else dst
        stem = stems(sample.name)
        write_photo(sample, folder / "images", stem, export)
        if sample.labels is not None:
            picture = Image.fromarray(np.ascontiguousarray(palette[sample.labels.ids]))
            write_picture(folder / "masks" / f"{stem}.png", picture)
    write_classes(dst / "classes.toml", coding)


def with_ignore_colour(coding: LabelCoding) -> LabelCoding:
    """Return a coding that has a colour for IGNORE: its own, else the last free one of VOC's palette."""
    if coding.ignore_colours:
        return coding
    free = next(colour for colour in map(voc_colour, range(IGNORE, -1, -1)) if colour not in coding.table.colours)
    return replace(coding, ignore_colours=(free,))
