"""Reading the classes off the labels themselves, where nothing states them; always said in a note."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import numpy as np

from tessella.core.classes import IGNORE, MAX_CLASSES, ClassInfo, ClassTable, LabelCoding, voc_colour
from tessella.core.errors import InputError, LabelError
from tessella.files.masks import read_mask
from tessella.formats.labels import colour_keys, count_values

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from tessella.core.annotation import StoredMask
    from tessella.core.classes import Colour

_LARGEST_ID: Final = 63
"""Stored values up to here are taken for ids, larger ones with 255 among them may be greys."""

_MOST_GREYS: Final = 9
_PEAK: Final = 5
"""A grey level is a class when it holds this many times the pixels of every level between the classes."""


def discover_values(paths: Sequence[Path]) -> tuple[LabelCoding, tuple[str, ...]]:
    """Find the classes of index masks: every value found becomes the class `class_<value>`.

    Values 0 and 255 alone are background and foreground. Greys spread evenly over 0..255 (0, 128, 255) are classes too,
    and the few pixels between them are left out as strays. Otherwise 255 is IGNORE.

    Args:
        paths: The masks; all are decoded, because a value that occurs in one file only is a class as well.

    Returns:
        The coding, and notes that say what was found.

    Raises:
        LabelError: No mask can be read, or more than 255 values that are no greys.
    """
    counts = np.zeros(65536, np.int64)
    palettes: set[bytes] = set()
    for mask in _decoded(paths):
        if mask.is_colour:
            continue
        found = count_values(mask.pixels)
        counts[: len(found)] += found
        palettes.add(b"" if mask.palette is None else mask.palette.tobytes())
    values = [int(value) for value in np.flatnonzero(counts)]
    if not values:
        raise LabelError("no mask holds class ids, so no class can be discovered", fix="pass --classes FILE")
    palette = np.frombuffer(palettes.pop(), np.uint8).reshape(-1, 3) if len(palettes) == 1 else None
    greys = _even_greys(counts, values)
    if greys is not None:
        return _greys_coding(greys, counts)
    return _ids_coding(values, palette)


def discover_colours(paths: Sequence[Path]) -> tuple[LabelCoding, tuple[str, ...]]:
    """Find the classes of colour masks: every colour found becomes the class `colour_<rrggbb>`, black first.

    Raises:
        LabelError: No mask can be read, or more than 255 colours.
    """
    total: dict[int, int] = {}
    for mask in _decoded(paths):
        if not mask.is_colour:
            continue
        keys, numbers = np.unique(colour_keys(mask), return_counts=True)
        for key, number in zip(keys.tolist(), numbers.tolist(), strict=True):
            total[key] = total.get(key, 0) + number
        if len(total) > 1 << 16:
            break
    if not 1 <= len(total) <= MAX_CLASSES:
        raise LabelError(
            "the colours of the masks are no classes",
            got=f"{len(total)} different colours",
            expected=f"1 to {MAX_CLASSES}",
            fix="pass --classes FILE with the true colours; then `tessella check` finds the smeared pixels",
        )
    # black first: it is the background in nearly every tool
    order = sorted(total, key=lambda key: (key != 0, -total[key], key))
    infos = tuple(ClassInfo(f"colour_{key:06x}", (key >> 16, key >> 8 & 255, key & 255)) for key in order)
    listed = ", ".join(f"{info.colour} {total[key]} px" for info, key in zip(infos, order, strict=True))
    return LabelCoding(ClassTable(infos)), (f"classes discovered from the colours found: {listed}",)


def discover_names(
    names: Iterable[str], ignore: Sequence[str] = ("__ignore__",)
) -> tuple[LabelCoding, tuple[str, ...]]:
    """Make classes of the label names of shapes: `_background_` first, the rest sorted."""
    found = sorted(set(names) - set(ignore) - {"_background_", "background"})
    coding = LabelCoding(
        ClassTable.from_names(["background", *found]),
        ignore_names=tuple(ignore),
        aliases=(("_background_", "background"),),
    )
    return coding, (f"classes discovered from the labels found: background, {', '.join(found)}",)


def _decoded(paths: Sequence[Path]) -> Iterable[StoredMask]:
    def read(path: Path) -> StoredMask | None:
        try:
            return read_mask(path)
        except InputError:
            return None  # `tessella check` names every unreadable file; discovery takes what it can read

    # Pillow decodes outside the interpreter lock
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        yield from (mask for mask in pool.map(read, paths) if mask is not None)


def _even_greys(counts: NDArray[np.int64], values: Sequence[int]) -> list[int] | None:
    """Return the grey levels, spread evenly over 0..255, that hold nearly all pixels; None when the values are ids."""
    ids = [value for value in values if value != IGNORE]
    if IGNORE not in values or max(values) > IGNORE or (ids != [0] and max(ids, default=0) <= _LARGEST_ID):
        return None
    for levels in range(2, _MOST_GREYS):
        found = [_nearest_found(counts, 255 * step / (levels - 1)) for step in range(levels)]
        between = np.delete(counts[:256], found)
        if min(counts[found]) > 0 and min(counts[found]) >= _PEAK * between.max():
            return found
    return None


def _nearest_found(counts: NDArray[np.int64], level: float) -> int:
    """Return the most frequent value within 1 of `level`: tools write the middle as 127 or as 128."""
    near = [value for value in range(256) if abs(value - level) <= 1]
    return max(near, key=lambda value: int(counts[value]))


def _greys_coding(greys: Sequence[int], counts: NDArray[np.int64]) -> tuple[LabelCoding, tuple[str, ...]]:
    binary = list(greys) == [0, 255]
    names = ["background", "foreground"] if binary else [f"class_{value}" for value in greys]
    coding = LabelCoding(ClassTable.from_names(names), tuple((value,) for value in greys), ignore_values=())
    notes = [f"classes discovered from the values found: {_listed(greys, names)}"]
    if binary:
        notes.append("the masks are binary, 0 and 255, so 255 is a class here and not ignore")
    if strays := int(counts.sum() - counts[list(greys)].sum()):
        kinds = int((counts > 0).sum()) - len(greys)
        notes.append(f"{kinds} further values ({strays} px) look like smeared edges and belong to no class")
    return coding, tuple(notes)


def _ids_coding(values: Sequence[int], palette: NDArray[np.uint8] | None) -> tuple[LabelCoding, tuple[str, ...]]:
    ids = [value for value in values if value != IGNORE] or [IGNORE]
    if len(ids) > MAX_CLASSES:
        raise LabelError(
            "the masks hold too many values for classes",
            got=f"{len(ids)} values, {ids[0]} to {ids[-1]}",
            expected=f"at most {MAX_CLASSES}",
            fix="these may be instance numbers or smeared greys: pass --classes FILE with the true values",
        )
    names = [f"class_{value}" for value in ids]
    table = ClassTable(tuple(map(ClassInfo, names, _colours(ids, palette))))
    coding = LabelCoding(table, tuple((value,) for value in ids), ignore_values=() if ids == [IGNORE] else (IGNORE,))
    notes = [f"classes discovered from the values found: {_listed(ids, names)}"]
    if IGNORE in values and ids != [IGNORE]:
        notes.append("255 is taken for ignore")
    return coding, tuple(notes)


def _colours(ids: Sequence[int], palette: NDArray[np.uint8] | None) -> list[Colour]:
    if palette is not None and ids[-1] < len(palette):
        own = [(int(red), int(green), int(blue)) for red, green, blue in palette[list(ids)]]
        if len(set(own)) == len(own):
            return own
    return [voc_colour(index) for index in range(len(ids))]


def _listed(values: Sequence[int], names: Sequence[str]) -> str:
    return ", ".join(f"{value} = {name}" for value, name in zip(values, names, strict=True))
