"""open-images: the masks of Open Images, a table that names a picture and a class for every object."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from tessella.core.annotation import Drawing
from tessella.core.errors import FormatError, InputError
from tessella.files.images import read_header
from tessella.files.masks import read_mask
from tessella.files.text import read_csv, read_head, read_text_lines
from tessella.formats.listing import Listing, Match, Record
from tessella.formats.tools.entries import Entry, Found, listing_of
from tessella.formats.tools.geometry import mask_shape

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from tessella.core.annotation import Annotation
    from tessella.core.classes import LabelCoding
    from tessella.formats.source import Source

NAME: Final = "open-images"
_HEADER: Final = ("MaskPath", "ImageID", "LabelName")
_NAMES: Final = "class-descriptions"
_HEAD: Final = 4096


class _Object(NamedTuple):
    """A mask of a photo: its picture, or else None and what the table calls it, and its class."""

    path: Path | None
    listed: str
    label: str


def detect(source: Source) -> Match | None:
    """Say whether a table of masks lies here; the heads of CSV files are read."""
    tables = [path for path in source.files(".csv") if _is_table(path)]
    return Match(94, f"{tables[0].name} is Open Images' table of masks") if tables else None


def _is_table(path: Path) -> bool:
    try:
        head = read_head(path, max_bytes=_HEAD).partition("\n")[0]
    except OSError:
        return False
    return set(_HEADER) <= {cell.strip(' "\r\n') for cell in head.split(",")}


def read(source: Source, coding: LabelCoding | None) -> Listing:
    """List the photos of the tables of masks; the masks may lie anywhere here, under the names that the tables give.

    Boxes and labels of whole photos, which lie beside in tables of their own, are not read.

    Raises:
        FormatError: There is no table of masks, or two describe one photo.
    """
    folder = source if source.file is None else type(source)(source.root)
    pictures = {path.name: path for path in folder.files(".png")}
    names = _class_names(folder.files(".csv"))
    entries: list[Entry] = []
    content: dict[str, list[_Object]] = {}
    counts: Counter[str] = Counter()
    for path in filter(_is_table, source.files(".csv")):
        by_photo: dict[str, list[_Object]] = {}
        for row in read_csv(path):
            mask = pictures.get(row["MaskPath"].replace("\\", "/").rpartition("/")[2])
            label = names.setdefault(row["LabelName"], row["LabelName"])
            one = _Object(mask, "" if mask else row["MaskPath"], label)
            by_photo.setdefault(row["ImageID"], []).append(one)
        for photo, objects in by_photo.items():
            content[f"{path}#{photo}"] = objects
            counts["masks that are not here"] += sum(one.path is None for one in objects)
            parts = tuple(one.path for one in objects if one.path is not None)
            labels = tuple(one.label for one in objects)
            entries.append(Entry(path, (photo,), photo, _size_of(parts), labels, parts=parts))
    masks = tuple(sorted({one.path.name for held in content.values() for one in held if one.path is not None}))
    found = Found(entries, left_out=counts, content=content, not_photos=masks)
    return listing_of(NAME, source, coding, found)


def _class_names(tables: list[Path]) -> dict[str, str]:
    """Return names for the codes of classes, such as `/m/01g317`."""
    found = {}
    for path in tables:
        if _NAMES in path.name:
            for line in read_text_lines(path):
                code, _, name = line.partition(",")
                found[code.strip(' "')] = name.strip(' "') or code
    return found


def _size_of(parts: tuple[Path, ...]) -> tuple[int, int] | None:
    try:
        return read_header(parts[0]).hw if parts else None
    except InputError:
        return None


def load(record: Record, listing: Listing) -> Annotation:
    """Return the masks of one photo, the earlier ones below the later ones.

    Open Images stores masks smaller or larger than their photos; they are scaled to the photo without smoothing.

    Raises:
        InputError: The photo has no masks.
        FormatError: A mask is not here, or has another aspect than its photo.
    """
    content = listing.content
    if record.label is None or not isinstance(content, dict):
        raise InputError("this photo has no labels", where=listing.root / record.name)
    objects: list[_Object] = content[f"{record.label}#{record.key}"]
    hw = None if record.image is None else read_header(record.image).upright_hw
    shapes = []
    for one in objects:
        if one.path is None:
            raise FormatError("a mask is not here", where=listing.place(record), expected=one.listed)
        stored = read_mask(one.path, max_pixels=listing.max_pixels)
        pixels = np.asarray(stored.pixels.any(axis=2) if stored.is_colour else stored.pixels > 0)
        hw = hw or stored.hw
        shapes.append(mask_shape(one.label, _scaled(pixels, hw, one.path)))
    return Drawing(tuple(shapes), hw, "centre")


def _scaled(mask: NDArray[np.bool_], hw: tuple[int, int], path: Path) -> NDArray[np.bool_]:
    """Return a mask at the size of its photo: each pixel is that of the mask under its centre."""
    height, width = mask.shape
    if (height, width) == hw:
        return mask
    # rounding to whole pixels moves the shorter side by up to half a pixel
    if abs(height * hw[1] - width * hw[0]) > max(hw[0] + height, hw[1] + width):
        raise FormatError(
            "a mask has another aspect than its photo", where=path, got=f"{width}x{height}", expected=f"{hw[1]}x{hw[0]}"
        )
    rows = ((np.arange(hw[0]) + 0.5) * height / hw[0]).astype(np.intp)
    columns = ((np.arange(hw[1]) + 0.5) * width / hw[1]).astype(np.intp)
    return np.ascontiguousarray(mask[rows][:, columns])
