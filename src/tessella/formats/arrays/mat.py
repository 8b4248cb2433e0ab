"""mat: MATLAB files as masks: SBD's `GTcls`, PASCAL-Context's `LabelMap`, `groundTruth` cells, a plain matrix."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from tessella.core.errors import FormatError, InputError
from tessella.files.text import read_text_lines
from tessella.files.values.arrays import array_headers, read_array
from tessella.formats.arrays.stored import mask_of
from tessella.formats.folders.voc import VOC
from tessella.formats.layout.class_files import find_classes
from tessella.formats.layout.discover import discover_values
from tessella.formats.layout.pairing import pair_with
from tessella.formats.listing import Listing, Match

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from tessella.core.annotation import Annotation, StoredMask
    from tessella.core.classes import LabelCoding
    from tessella.files.values.npy import ArrayHeader
    from tessella.formats.layout.pairing import Pairs
    from tessella.formats.listing import Record
    from tessella.formats.source import Source

NAME: Final = "mat"
_LOOK_AT: Final = 8
_SBD: Final = "GTcls.Segmentation"
_USUAL: Final = (
    re.compile(r"GTcls\.Segmentation"),
    re.compile(r"LabelMap"),
    re.compile(r"groundTruth\[0\]\.Segmentation"),
    re.compile(r"(?:label|labels|mask|gt|seg|segmentation|groundTruth|annotation)", re.IGNORECASE),
)
_INSTANCES: Final = re.compile(r"GTinst\..*")


def variable(headers: Mapping[str, ArrayHeader]) -> str | None:
    """Return which variable of a file is its mask, or None."""
    flat = [name for name, header in headers.items() if len(header.shape) == 2 and min(header.shape) > 1]
    flat = [name for name in flat if np.dtype(headers[name].dtype).kind in "buif" and not _INSTANCES.fullmatch(name)]
    for pattern in _USUAL:
        if found := [name for name in flat if pattern.fullmatch(name)]:
            return found[0]
    return flat[0] if len(flat) == 1 else None


def detect(source: Source) -> Match | None:
    """Say whether MATLAB files with a matrix that can be a mask have a photo."""
    if source.file is not None or not source.files(".mat"):
        return None
    labels = [record.label for record in _pairs(source).records if record.label is not None]
    looked = labels[:: max(1, len(labels) // _LOOK_AT)][:_LOOK_AT]
    good = sum(_variable(path) is not None for path in looked)
    if not looked or 2 * good <= len(looked):
        return None
    return Match(87, f"{good} of {len(looked)} MATLAB files looked at hold a mask of a photo")


def _variable(path: Path) -> str | None:
    try:
        return variable(array_headers(path))
    except InputError:
        return None


def _pairs(source: Source) -> Pairs:
    """Pair the photos with one MATLAB file each; of SBD's two folders `cls` holds the classes, `inst` the objects."""
    files = [path for path in source.files(".mat") if path.parent.name != "inst"]
    return pair_with(source, files)


def read(source: Source, coding: LabelCoding | None) -> Listing:
    """List photos and the MATLAB files that are their masks.

    Args:
        source: The data set's folder.
        coding: The classes, or None to take them from a class file beside the data, else PASCAL VOC's for SBD, else
            from the values found.

    Raises:
        FormatError: No MATLAB file is the mask of a photo, or two claim one photo.
        LabelError: Classes cannot be discovered.
    """
    pairs = _pairs(source)
    if not pairs.masks:
        raise FormatError(
            "no MATLAB file here is the mask of a photo", where=source.root,
            got=f"{len(pairs.orphans)} without a photo" if pairs.orphans else None, expected="img/x.jpg and cls/x.mat",
        )  # fmt: skip
    notes: tuple[str, ...] = (pairs.how,) if pairs.how else ()
    discovered = False
    if coding is None and (beside := find_classes(source.root)):
        coding, notes = beside[0], (*notes, f"classes from {beside[1]}")
    if coding is None and all(_variable(path) == _SBD for path in pairs.masks[:_LOOK_AT]):
        coding, notes = VOC, (*notes, "the masks are SBD's (GTcls): PASCAL VOC's 21 classes")
    if coding is None:
        coding, found = discover_values(pairs.masks, max_pixels=source.max_pixels, read=read_matrix)
        notes, discovered = notes + found, True
    splits = _splits(source)
    records = tuple(
        replace(
            record,
            split=record.split or splits.get(record.name.rsplit("/", 1)[-1], ""),
            key="" if record.label is None else "matrix",
        )
        for record in pairs.records
    )
    left = {"maps of object numbers": sum(path.parent.name == "inst" for path in source.files(".mat"))}
    orphans = tuple(f"{name}#matrix" for name in pairs.orphans)
    left = {what: count for what, count in left.items() if count}
    return Listing(NAME, source.root, records, coding, discovered, notes, orphans, source.max_pixels, left)


def _splits(source: Source) -> dict[str, str]:
    """Return the split of each stem that `train.txt` or `val.txt` lists, as SBD has them."""
    found: dict[str, str] = {}
    for split in ("train", "val", "test"):
        path = source.root / f"{split}.txt"
        if path.is_file():
            found.update((stem, split) for stem in _stems(read_text_lines(path)))
    return found


def _stems(lines: Iterable[str]) -> Iterable[str]:
    return (line.split()[0].rsplit("/", 1)[-1] for line in lines)


def read_matrix(path: Path, /, *, max_pixels: int | None = None) -> StoredMask:
    """Read the mask of a MATLAB file.

    Raises:
        InputError: The file cannot be read, or holds no mask.
    """
    headers = array_headers(path)
    name = variable(headers)
    if name is None:
        raise FormatError(
            "no variable of this file can be a mask", where=path,
            got=", ".join(f"{name} {header.shape}" for name, header in headers.items())[:200] or "none",
            expected="GTcls.Segmentation, LabelMap, groundTruth{1}.Segmentation, or one matrix",
        )  # fmt: skip
    return mask_of(read_array(path, name, max_pixels=max_pixels), where=path)


def load(record: Record, listing: Listing) -> Annotation:
    """Read the mask of one record, values as stored."""
    return read_matrix(listing.label_of(record), max_pixels=listing.max_pixels)
