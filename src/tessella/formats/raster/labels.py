"""The one way from an annotation to class ids: stored values, colours or drawn shapes through the class table."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from tessella.core.annotation import StoredMask
from tessella.core.classes import IGNORE, LabelCoding, nearest_hint
from tessella.core.errors import LabelError
from tessella.core.labelmap import LabelMap
from tessella.formats.raster import colours
from tessella.formats.raster.rasterise import draw

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tessella.core.annotation import Annotation, Drawing
    from tessella.core.classes import Colour
    from tessella.core.labelmap import Ids

Fill = Literal["centre", "tool"]
"""centre: a pixel belongs to a shape when its centre lies inside; tool: the pixels that the drawing's own tool paints.

Drawings of COCO are painted by COCO's rule always: it is part of the format.
"""

UNKNOWN: Final = -1
"""Entry of a lookup for a stored value that the class table does not explain."""

_PIECE: Final = 1 << 18
"""Pixels counted at a time."""

BACKGROUND_NAMES: Final = frozenset({"_background_", "background"})


def resolve(
    annotation: Annotation,
    coding: LabelCoding,
    hw: tuple[int, int] | None = None,
    *,
    where: object = None,
    fill: Fill = "centre",
) -> LabelMap:
    """Turn an annotation into class ids.

    Args:
        annotation: A stored mask or a drawing.
        coding: What the values, colours and names mean.
        hw: Height and width of the photo in pixels; needed for drawings that state no size.
        where: The annotation file, for messages.
        fill: Which pixels a drawn shape covers.

    Returns:
        Ids at the size of the stored mask, or at `hw` for a drawing.

    Raises:
        LabelError: Values, colours or names that the table does not explain, with the first place of each.
    """
    if isinstance(annotation, StoredMask):
        ids = _ids_of_colours(annotation, coding, where) if annotation.is_colour else _ids(annotation, coding, where)
        return LabelMap(ids, coding.table)
    ids = _ids_of_drawing(annotation, coding, hw or annotation.declared_hw, where=where, fill=fill)
    return LabelMap(ids, coding.table)


def value_table(coding: LabelCoding, dtype: np.dtype[Any] | type) -> NDArray[np.int16]:
    """Return the lookup from stored value to id.

    Args:
        coding: What the values mean.
        dtype: uint8 or uint16, as stored.

    Returns:
        (256,) or (65536,) int16: a class id, IGNORE, or UNKNOWN.
    """
    lookup = np.full(int(np.iinfo(dtype).max) + 1, UNKNOWN, np.int16)
    for value, index in coding.value_to_id().items():
        if value < len(lookup):
            lookup[value] = index
    return lookup


def count_values(pixels: NDArray[np.uint8] | NDArray[np.uint16]) -> NDArray[np.int64]:
    """Count the stored values of a mask: (256,) or (65536,) int64.

    `numpy.bincount` first copies bytes to int64 and takes five times as long as OpenCV's histogram. Neighbours mostly
    have the same value, and a counter cannot be incremented again before its last increment has landed; where the
    values leave room in a byte, the pixels are dealt in turn to 2, 4 or 8 sets of counters: 2.1 against 1.1 gigapixels
    per second on 19 classes in blobs.
    """
    if pixels.dtype != np.uint8:
        if pixels.max(initial=0) > 255:
            return np.bincount(pixels.ravel(), minlength=65536).astype(np.int64, copy=False)
        return np.concatenate([count_values(pixels.astype(np.uint8)), np.zeros(65536 - 256, np.int64)])
    flat: NDArray[np.uint8] = np.ascontiguousarray(pixels, np.uint8).reshape(-1)
    by_width: dict[int, NDArray[np.int64]] = {}
    room = np.empty(min(flat.size, _PIECE), np.uint8)
    # pieces stay in the cache, and far below 2**24, up to where the histogram's float32 is exact
    for start in range(0, flat.size, _PIECE):
        some = flat[start : start + _PIECE]
        piece = np.add(some, 1, out=room[: some.size], dtype=np.uint8)  # 255, usually ignore, becomes 0
        width = max(32, 1 << int(piece.max()).bit_length())
        if width < 256:
            piece |= _lanes(width)[: piece.size]
        by_width[width] = by_width.get(width, 0) + _histogram(piece)
    counts = np.zeros(256, np.int64)
    for width, found in by_width.items():
        counts[:width] += found.reshape(-1, width).sum(axis=0)
    return np.append(counts[1:], counts[0])


@cache
def _lanes(width: int) -> NDArray[np.uint8]:
    """Return what moves each pixel of a piece into its set of counters: 0, width, 2 * width, ... in turn."""
    return np.tile(np.arange(0, 256, width, dtype=np.uint8), _PIECE * width // 256)


def _histogram(values: NDArray[np.uint8]) -> NDArray[np.int64]:
    import cv2

    return cv2.calcHist([values.reshape(1, -1)], [0], None, [256], [0, 256]).ravel().astype(np.int64)


def background_id(coding: LabelCoding) -> int:
    """Return the id of pixels that no shape covers: the class called background, else IGNORE."""
    return _background(coding.name_to_id())


def uncovered_note(coding: LabelCoding, *, by: str = "shape") -> tuple[str, ...]:
    """Say, for people, that pixels which nothing covers are ignored; nothing where a class is called background.

    Args:
        coding: The classes.
        by: What would cover them.
    """
    if background_id(coding) != IGNORE:
        return ()
    return (f"no class is called background, so pixels that no {by} covers are ignored",)


def _background(meaning: dict[str, int]) -> int:
    return next((index for name, index in meaning.items() if name.casefold() in BACKGROUND_NAMES), IGNORE)


def _ids(mask: StoredMask, coding: LabelCoding, where: object) -> Ids:
    lookup = value_table(coding, mask.pixels.dtype)
    counts = count_values(mask.pixels)
    strays = np.flatnonzero((counts > 0) & (lookup == UNKNOWN))
    if strays.size:
        raise _stray_values(mask.pixels, strays, counts, where)
    table, used = lookup.astype(np.uint8), np.flatnonzero(counts)
    if used.size and used[-1] > 255:
        return np.asarray(table[mask.pixels])
    if np.array_equal(table[used], used):
        return np.asarray(mask.pixels, np.uint8)
    import cv2

    # most masks of 16 bits hold small numbers; OpenCV looks bytes up ten times as fast as NumPy wider ones
    return np.asarray(cv2.LUT(np.ascontiguousarray(mask.pixels, np.uint8), table[:256]), np.uint8)


def _stray_values(
    pixels: NDArray[Any], strays: NDArray[np.intp], counts: NDArray[np.int64], where: object
) -> LabelError:
    row, column = (int(v) for v in np.argwhere(np.isin(pixels, strays))[0])
    named = ", ".join(f"{value} ({counts[value]} px)" for value in strays[:8])
    more = f" and {strays.size - 8} more" if strays.size > 8 else ""
    return LabelError(
        f"stored values {named}{more} have no class (first at row {row}, column {column})",
        where=where,
        fix="add them to the class table, map them to ignore, or run `tessella check --fix`",
    )


def colour_keys(mask: StoredMask) -> NDArray[np.uint32]:
    """Return (H, W) uint32: red, green and blue of each pixel in one number, 0xRRGGBB."""
    return colours.colour_keys(mask.pixels.astype(np.uint8, copy=False))


def count_colours(mask: StoredMask) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Count the pixels of each colour of a colour mask.

    Returns:
        The colours that occur as 0xRRGGBB, ascending: (N,) uint32; and their pixels: (N,) int64.
    """
    return colours.count_runs(mask.pixels.astype(np.uint8, copy=False))


def colour_counts(mask: StoredMask) -> dict[Colour, int]:
    """Count the pixels of each colour of a colour mask, as `(red, green, blue): pixels`."""
    keys, counts = count_colours(mask)
    return {(key >> 16, key >> 8 & 255, key & 255): n for key, n in zip(keys.tolist(), counts.tolist(), strict=True)}


def _ids_of_colours(mask: StoredMask, coding: LabelCoding, where: object) -> Ids:
    meaning = coding.colour_to_id()
    declared, values = np.array(list(meaning), np.uint8), np.array(list(meaning.values()), np.uint8)
    ids = colours.look_up(mask.pixels.astype(np.uint8, copy=False), declared, values)
    if ids is None:
        raise _stray_colours(mask, coding, where)
    return ids


def _stray_colours(mask: StoredMask, coding: LabelCoding, where: object) -> LabelError:
    meaning = coding.colour_to_id()
    counts = {colour: count for colour, count in colour_counts(mask).items() if colour not in meaning}
    keys = [red << 16 | green << 8 | blue for red, green, blue in counts]
    row, column = (int(v) for v in np.argwhere(np.isin(colour_keys(mask), keys))[0])
    strays = sorted(counts, key=lambda colour: -counts[colour])
    named = ", ".join(f"{colour} ({counts[colour]} px)" for colour in strays[:5])
    more = f" and {len(strays) - 5} more" if len(strays) > 5 else ""
    return LabelError(
        f"colours {named}{more} have no class (first at row {row}, column {column})",
        where=where,
        fix="add them to the class table, map them to ignore, or run `tessella check --fix`",
    )


def _ids_of_drawing(
    drawing: Drawing, coding: LabelCoding, hw: tuple[int, int] | None, *, where: object, fill: Fill
) -> Ids:
    if hw is None:
        raise LabelError("neither the annotation nor the caller states the photo's size", where=where)
    meaning = coding.name_to_id()
    for number, shape in enumerate(drawing.shapes):
        if shape.label not in meaning:
            raise LabelError(
                f"shape {number} has the label {shape.label!r}, which is not in the class table",
                where=where,
                expected=f"one of {', '.join(coding.table.names)}",
                fix=nearest_hint(shape.label, list(meaning)) or "add it to the class table, or to the ignored names",
            )
    values = [meaning[shape.label] for shape in drawing.shapes]
    rule = drawing.tool if fill == "tool" or drawing.tool == "coco" else "centre"
    return draw(drawing.shapes, values, hw, ground=_background(meaning), rule=rule)
