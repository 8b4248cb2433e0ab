"""Reading the classes off the labels themselves, where nothing states them; always said in a note."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

import numpy as np

from tessella.core.classes import IGNORE, MAX_CLASSES, ClassInfo, ClassTable, LabelCoding, voc_colour
from tessella.core.cores import cores
from tessella.core.errors import InputError, LabelError
from tessella.files.masks import read_mask
from tessella.formats.layout.class_files import find_classes
from tessella.formats.raster.labels import BACKGROUND_NAMES, count_colours, count_values, uncovered_note

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

_MOST_COLOURS: Final = 1 << 16
"""With more colours than this, the search for classes ends."""


class Discover(Protocol):
    """Finds classes in masks, as `discover_values` and `discover_colours` do."""

    def __call__(
        self, paths: Sequence[Path], /, *, max_pixels: int | None = None
    ) -> tuple[LabelCoding, tuple[str, ...]]:
        """Return the classes, and notes."""


def discover_values(
    paths: Sequence[Path], *, max_pixels: int | None = None, read: Read = read_mask
) -> tuple[LabelCoding, tuple[str, ...]]:
    """Find the classes of index masks: every value found becomes the class `class_<value>`.

    Values 0 and 255 alone are background and foreground. Greys spread evenly over 0..255 (0, 128, 255) are classes too,
    and the few pixels between them are left out as strays. Otherwise 255 is IGNORE.

    Args:
        paths: The masks; all are decoded, because a value that occurs in one file only is a class as well.
        max_pixels: Larger masks are left out; None for the usual budget.
        read: How a mask is read, where it is no picture.

    Returns:
        The coding, and notes that say what was found.

    Raises:
        InputError: No mask can be read; the first reason is given.
        LabelError: No mask holds class ids, or more than 255 values that are no greys.
    """
    counts = np.zeros(65536, np.int64)
    palettes: set[bytes] = set()
    for found in _counted(paths, max_pixels, read):
        if not found.is_colour:
            counts[found.values] += found.pixels
            palettes.add(found.palette)
    values = [int(value) for value in np.flatnonzero(counts)]
    if not values:
        raise LabelError("no mask holds class ids, so no class can be discovered", fix="pass --classes FILE")
    palette = np.frombuffer(palettes.pop(), np.uint8).reshape(-1, 3) if len(palettes) == 1 else None
    greys = _even_greys(counts, values)
    if greys is not None:
        return _greys_coding(greys, counts)
    return _ids_coding(values, palette)


def discover_colours(paths: Sequence[Path], *, max_pixels: int | None = None) -> tuple[LabelCoding, tuple[str, ...]]:
    """Find the classes of colour masks: every colour found becomes the class `colour_<rrggbb>`, black first.

    Args:
        paths: The masks.
        max_pixels: Larger masks are left out; None for the usual budget.

    Raises:
        InputError: No mask can be read; the first reason is given.
        LabelError: No mask holds colours, or more than 255 of them.
    """
    total: dict[int, int] = {}
    for found in _counted(paths, max_pixels, read_mask):
        if not found.is_colour:
            continue
        for key, number in zip(found.values.tolist(), found.pixels.tolist(), strict=True):
            total[key] = total.get(key, 0) + number
        if len(total) > _MOST_COLOURS:
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
    """Make classes of the label names of shapes: background first, however it is spelled, the rest sorted."""
    given = set(names) - set(ignore)
    ground = sorted(name for name in given if name.casefold() in BACKGROUND_NAMES)
    found = sorted(given - set(ground))
    aliases = sorted({"_background_", *ground} - {"background"})
    coding = LabelCoding(
        ClassTable.from_names(["background", *found]),
        ignore_names=tuple(ignore),
        aliases=tuple((alias, "background") for alias in aliases),
    )
    notes = [f"classes discovered from the labels found: {', '.join(['background', *found])}"]
    if spelled := [repr(name) for name in ground if name not in ("background", "_background_")]:
        notes.append(f"labels that mean background too: {', '.join(spelled)}")
    return coding, tuple(notes)


def classes_by_name(
    root: Path, names: Iterable[str], coding: LabelCoding | None
) -> tuple[LabelCoding, list[str], bool]:
    """Return the classes of drawn shapes: those given, else those of a class file in the folder, else the labels found.

    Args:
        root: The data set's folder.
        names: The labels of all shapes.
        coding: What the caller gave, or None.

    Returns:
        The classes, notes on where they come from and what becomes of the rest, and whether they were discovered.

    Raises:
        ClassTableError: The class file contradicts itself.
    """
    notes: list[str] = []
    discovered = False
    if coding is None and (beside := find_classes(root)):
        coding, notes = beside[0], [f"classes from {beside[1]}"]
    if coding is None:
        coding, found = discover_names(names)
        notes, discovered = list(found), True
    return coding, [*notes, *uncovered_note(coding)], discovered


class _Found(NamedTuple):
    """What discovery keeps of one mask: a few numbers, so that its memory does not grow with the pixels.

    Args:
        values: The stored values or the colours (0xRRGGBB) that occur: (N,) integers, ascending.
        pixels: How many pixels have each: (N,) int64.
        palette: The bytes of its palette, b"" for none.
        is_colour: Whether the mask holds colours.
    """

    values: NDArray[np.intp] | NDArray[np.uint32]
    pixels: NDArray[np.int64]
    palette: bytes
    is_colour: bool


class Read(Protocol):
    """Reads a mask, as `read_mask` does."""

    def __call__(self, path: Path, /, *, max_pixels: int | None = None) -> StoredMask:
        """Read one file."""


def _counted(paths: Sequence[Path], max_pixels: int | None, read: Read) -> Iterable[_Found]:
    def count(path: Path) -> _Found | InputError:
        try:
            mask = read(path, max_pixels=max_pixels)
        except InputError as error:
            return error  # `tessella check` names every unreadable file; discovery takes what it can read
        if mask.is_colour:
            keys, pixels = count_colours(mask)
            most = _MOST_COLOURS + 1  # more are no classes anyway
            return _Found(keys[:most].copy(), pixels[:most].copy(), b"", is_colour=True)
        counts = count_values(mask.pixels)
        values = np.flatnonzero(counts)
        return _Found(values, counts[values], b"" if mask.palette is None else mask.palette.tobytes(), is_colour=False)

    # Pillow decodes outside the interpreter lock
    with ThreadPoolExecutor(min(4, cores())) as pool:
        errors: list[InputError] = []
        for found in pool.map(count, paths):
            if isinstance(found, InputError):
                errors.append(found)
            else:
                yield found
    if errors and len(errors) == len(paths):
        raise errors[0]


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
