"""Maps of object numbers: how they are told from maps of classes, and read as one class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tessella.core.annotation import Shape
from tessella.core.classes import ClassTable, LabelCoding
from tessella.formats.raster.labels import BACKGROUND_NAMES

if TYPE_CHECKING:
    from numpy.typing import NDArray

OBJECTS: Final = LabelCoding(ClassTable.from_names(("background", "object")), ignore_values=())
"""What a map of object numbers says as classes."""

_FEWEST: Final = {1: 40, 2: 8}
"""Numbers that must occur, by the bytes of a pixel: a face has 18 parts in one piece each, but no one stores it with 16
bits."""

_MOST: Final = 4096
_ONE_PIECE: Final = 0.9
_LARGEST: Final = 1 << 24
"""Pixels of a map that detection looks at."""


def object_name(coding: LabelCoding, *, usual: str = OBJECTS.table.names[1]) -> str:
    """Return the class of every object: the only class that is not the background, else the usual name."""
    names = [name for name in coding.table.names if name.casefold() not in BACKGROUND_NAMES]
    return names[0] if len(names) == 1 else usual


def objects_of(numbers: NDArray[Any], label: str) -> tuple[Shape, ...]:
    """Return every object of a map of object numbers as a mask of its own.

    Args:
        numbers: (H, W) whole numbers from 0 to 65,535; 0 is background.
        label: The class of the objects.
    """
    from scipy import ndimage

    boxes = ndimage.find_objects(numbers.astype(np.int32), int(numbers.max(initial=0)))
    return tuple(
        one_object(numbers[box] == value, label, str(value), corner=(box[1].start, box[0].start))
        for value, box in enumerate(boxes, start=1)
        if box is not None
    )


def one_object(mask: NDArray[np.bool_], label: str, group: str, *, corner: tuple[int, int] = (0, 0)) -> Shape:
    """Return a mask as an object, cut to the rows and columns that it covers.

    Args:
        mask: (h, w) bool.
        label: Its class.
        group: What tells it from others.
        corner: Where the mask's first pixel lies: x, y.
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return Shape(label, "mask", np.array([corner], np.float64), group, mask[:1, :1])
    cut = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].copy()  # a view would keep the whole mask
    place = np.array([(corner[0] + columns[0], corner[1] + rows[0])], np.float64)
    return Shape(label, "mask", place, group, cut)


def numbers_objects(pixels: NDArray[Any], *, page: bool = False) -> bool:
    """Whether the values of a mask look like object numbers: 1 to N without large gaps, each in one piece.

    Classes occur in several places of a photo. Where each lies in one piece, as the parts of a face do, there are fewer
    than forty, and they are stored with 8 bits; so eight numbers are enough only in a mask of 16 bits.

    Args:
        pixels: (H, W) whole numbers.
        page: Whether this is one page of a stack, which shows some of the numbers only.
    """
    if pixels.ndim != 2 or not pixels.size or pixels.size > _LARGEST or pixels.dtype.kind not in "ui":
        return False
    values = np.unique(pixels)
    values = values[values > 0]
    fewest = _FEWEST.get(pixels.dtype.itemsize, _FEWEST[1])
    if not fewest <= values.size <= _MOST or (values[-1] > 2 * values.size and not page):
        return False
    return _in_one_piece(pixels, int(values[-1])) >= _ONE_PIECE * values.size


def _in_one_piece(pixels: NDArray[Any], largest: int) -> int:
    """Count the values whose pixels all touch."""
    import cv2
    from scipy import ndimage

    whole = 0
    for value, box in enumerate(ndimage.find_objects(pixels.astype(np.int32), largest), start=1):
        if box is not None:
            pieces, _ = cv2.connectedComponents((pixels[box] == value).astype(np.uint8), connectivity=8)
            whole += pieces == 2
    return whole
