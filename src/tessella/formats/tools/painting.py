"""For writers: shapes that a format cannot draw, as the pixels that they cover; label maps as one mask per class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from tessella.core.annotation import Drawing, Shape
from tessella.core.classes import IGNORE
from tessella.formats.raster.labels import background_id
from tessella.formats.raster.rasterise import draw, paint
from tessella.formats.tools.geometry import mask_shape

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tessella.core.classes import LabelCoding
    from tessella.core.labelmap import Ids
    from tessella.formats.listing import Item

BORDERS: Final = "pixels on borders, which COCO's rule paints otherwise"
ROUND: Final = "circles and ellipses that no radii and angle state exactly, kept as the pixels they cover"
"""Names of what writers count."""


def drawing_of(item: Item, coding: LabelCoding) -> Drawing | None:
    """Return what a writer has to draw: the shapes where they are known, else a mask per class; None without labels.

    Args:
        item: The photo.
        coding: The classes; with a name for IGNORE.
    """
    if (drawing := kept_drawing(item, coding)) is not None:
        return drawing
    return None if item.labels is None else masks_of(item.labels.ids, coding)


def masks_of(ids: Ids, coding: LabelCoding) -> Drawing:
    """Return a mask per class but the background, and one for ignored pixels.

    Args:
        ids: (H, W) uint8 class ids.
        coding: The classes; with a name for IGNORE.
    """
    ground = background_id(coding)
    names = dict(enumerate(coding.table.names)) | {IGNORE: coding.ignore_names[0]}
    shapes = [mask_shape(names[value], ids == value) for value in np.unique(ids).tolist() if value != ground]
    return Drawing(tuple(shapes), (ids.shape[0], ids.shape[1]), "centre")


def kept_drawing(item: Item, coding: LabelCoding) -> Drawing | None:
    """Return the shapes of a photo for a format that is painted by centres, else None.

    Points stay as they were drawn. Where COCO's rule painted them, the pixels that ours paints otherwise are counted.

    Args:
        item: The photo.
        coding: The classes; with a name for IGNORE.
    """
    meaning = coding.name_to_id()
    drawing = item.drawing
    if drawing is None or any(shape.label not in meaning for shape in drawing.shapes):
        return None
    if drawing.tool == "coco" and item.labels is not None:
        values = [meaning[shape.label] for shape in drawing.shapes]
        ids = draw(drawing.shapes, values, item.hw, ground=background_id(coding))
        item.lost[BORDERS] += int(np.count_nonzero(ids != item.labels.ids))
    return drawing


def covered(shape: Shape, hw: tuple[int, int]) -> NDArray[np.bool_]:
    """Return the pixels that a shape covers on a photo of a size, (H, W) bool."""
    ids = np.zeros(hw, np.uint8)
    paint(ids, shape, value=1)
    return ids.view(np.bool_)


def as_mask(shape: Shape, hw: tuple[int, int]) -> Shape:
    """Return the pixels that a shape covers on a photo of a size, as a shape of kind "mask"."""
    return mask_shape(shape.label, covered(shape, hw), group=shape.group, attributes=shape.attributes)
