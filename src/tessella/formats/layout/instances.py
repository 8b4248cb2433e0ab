"""Maps of object numbers: how they are told from maps of classes, and read as one class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tessella.core.classes import ClassTable, LabelCoding

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
