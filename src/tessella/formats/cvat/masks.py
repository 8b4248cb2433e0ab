"""cvat-mask: CVAT's "Segmentation mask 1.1": PASCAL VOC's folders with RGB masks, and the colours in labelmap.txt."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final

import numpy as np

from tessella.core.classes import IGNORE, LabelCoding, voc_colour
from tessella.files.classes import write_classes
from tessella.files.masks import write_picture
from tessella.files.paths import relative_name
from tessella.files.write import write_text
from tessella.formats.folders import voc
from tessella.formats.folders.colour_mask import with_ignore_colour
from tessella.formats.layout.export import flat, plain_coding, write_photo
from tessella.formats.listing import Listing, Match, Writer
from tessella.formats.tools.objects import numbers_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from tessella.core.classes import Colour
    from tessella.formats.listing import Item, Written
    from tessella.formats.source import Source

NAME: Final = "cvat-mask"
load = voc.load


def detect(source: Source) -> Match | None:
    """Say whether SegmentationClass and CVAT's labelmap.txt lie here."""
    home = None if source.file is not None else voc.home_of(source)
    if home is None or not (home / voc.LABELMAP).is_file():
        return None
    return Match(92, f"SegmentationClass and {voc.LABELMAP} in {relative_name(home, source.root)}")


def read(source: Source, coding: LabelCoding | None) -> Listing:
    """List the photos that ImageSets/Segmentation names, or all of them where there are no lists.

    Photos lie in JPEGImages where the export has them ("save images"), else anywhere below the folder or in `--photos`;
    without any, the masks stand alone.

    Raises:
        FormatError: The folders are missing, or labelmap.txt is damaged.
        ClassTableError: labelmap.txt contradicts itself.
    """
    return voc.read_as(NAME, source, coding)


def write_one(item: Item, coding: LabelCoding, dst: Path) -> None:
    """Write JPEGImages, RGB masks into SegmentationClass, and into SegmentationObject where objects are told apart."""
    from PIL import Image

    stem = flat(item.stem)
    write_photo(item, dst / "JPEGImages", stem)
    if item.labels is not None:
        coding = with_ignore_colour(plain_coding(coding))
        palette = coding.table.palette()
        palette[IGNORE] = coding.ignore_colours[0]
        picture = Image.fromarray(np.ascontiguousarray(palette[item.labels.ids]))
        write_picture(dst / "SegmentationClass" / f"{stem}.png", picture)
        if item.drawing is not None:
            numbers = numbers_of(item.drawing, item.labels.ids, coding, lost=item.lost)
            colours = _colours_of_objects(int(numbers.max(initial=0)), coding.ignore_colours[0])
            write_picture(dst / voc.OBJECTS / f"{stem}.png", Image.fromarray(np.ascontiguousarray(colours[numbers])))


def _colours_of_objects(count: int, void: Colour) -> NDArray[np.uint8]:
    """Return black, a colour for each object as CVAT chooses them, and at last that of what is ignored."""
    spare = (colour for colour in map(voc_colour, itertools.count(1)) if colour != void)
    return np.array([(0, 0, 0), *itertools.islice(spare, count), void], np.uint8)


def close(written: Sequence[Written], coding: LabelCoding, dst: Path) -> None:
    """Write ImageSets/Segmentation, labelmap.txt and classes.toml."""
    voc.write_lists(written, dst)
    coding = with_ignore_colour(plain_coding(coding))
    rows = [(info.name, info.colour) for info in coding.table]
    rows.append((next(iter(coding.ignore_names), "__ignore__"), coding.ignore_colours[0]))
    lines = [f"{_one_field(name)}:{','.join(map(str, colour))}::" for name, colour in rows]
    write_text(dst / voc.LABELMAP, "\n".join(["# label:color_rgb:parts:actions", *lines]) + "\n")
    write_classes(dst / "classes.toml", coding)


def _one_field(name: str) -> str:
    """Return a name that leaves the line its four fields; `classes.toml` has it in full."""
    return " ".join(name.replace(":", "_").split())


WRITER: Final = Writer(write_one, close, one_folder=True)
