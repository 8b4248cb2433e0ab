"""For writers: shapes that a format cannot draw, as the pixels that they cover; label maps as one mask per class."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tessella.core.annotation import Drawing, Shape
from tessella.core.classes import IGNORE
from tessella.formats.raster.labels import background_id
from tessella.formats.raster.rasterise import paint
from tessella.formats.tools.geometry import mask_shape

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tessella.core.classes import LabelCoding
    from tessella.formats.listing import Item


def drawing_of(item: Item, coding: LabelCoding) -> Drawing | None:
    """Return what a writer has to draw: the shapes where they are known, else a mask per class; None without labels.

    Args:
        item: The photo.
        coding: The classes; with a name for IGNORE.
    """
    meaning = coding.name_to_id()
    drawing = item.drawing
    if drawing is not None and drawing.tool != "coco" and all(shape.label in meaning for shape in drawing.shapes):
        return drawing
    if item.labels is None:
        return None
    ids, ground = item.labels.ids, background_id(coding)
    names = dict(enumerate(coding.table.names)) | {IGNORE: coding.ignore_names[0]}
    shapes = [mask_shape(names[value], ids == value) for value in np.unique(ids).tolist() if value != ground]
    return Drawing(tuple(shapes), item.labels.hw, "centre")


def covered(shape: Shape, hw: tuple[int, int]) -> NDArray[np.bool_]:
    """Return the pixels that a shape covers on a photo of a size, (H, W) bool."""
    ids = np.zeros(hw, np.uint8)
    paint(ids, shape, value=1)
    return ids.view(np.bool_)


def as_mask(shape: Shape, hw: tuple[int, int]) -> Shape:
    """Return the pixels that a shape covers on a photo of a size, as a shape of kind "mask"."""
    return mask_shape(shape.label, covered(shape, hw), group=shape.group, attributes=shape.attributes)
