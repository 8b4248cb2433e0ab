"""Shapes as LabelMe and CVAT paint them, where that is not done line by line."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tessella.core.annotation import Shape

_LABELME_LINE_PX: Final = 10
_LABELME_POINT_PX: Final = 5


def paint_as_labelme(ids: NDArray[np.uint8], shape: Shape, value: int) -> None:
    """Paint what `labelme.utils.shape_to_mask` paints, in place.

    Pillow draws shapes with their outline, which are about half a pixel larger on every side than by centres.
    """
    from PIL import Image, ImageDraw

    picture = Image.new("1", (ids.shape[1], ids.shape[0]))
    draw = ImageDraw.Draw(picture)
    points = [(float(x), float(y)) for x, y in shape.points_xy]
    if shape.kind == "polygon":
        draw.polygon(points, outline=1, fill=1)
        for hole in shape.holes:
            draw.polygon([(float(x), float(y)) for x, y in hole], outline=0, fill=0)
    elif shape.kind == "rectangle":
        (left, top), (right, bottom) = shape.points_xy.min(axis=0), shape.points_xy.max(axis=0)
        draw.rectangle([float(left), float(top), float(right), float(bottom)], outline=1, fill=1)
    elif shape.kind in {"line", "linestrip"}:
        draw.line(points, fill=1, width=_LABELME_LINE_PX)
    else:
        radius = math.dist(points[0], points[1]) if shape.kind == "circle" else _LABELME_POINT_PX
        for x, y in points[:1] if shape.kind == "circle" else points:
            draw.ellipse([x - radius, y - radius, x + radius, y + radius], outline=1, fill=1)
    ids[np.asarray(picture)] = value


def paint_as_cvat(ids: NDArray[np.uint8], shape: Shape, value: int) -> None:
    """Paint what CVAT's export of segmentation masks paints of a shape that is no polygon, box or mask, in place.

    An ellipse is OpenCV's, with centre, half axes and angle rounded to whole numbers. Lines and points have no pixels
    there.
    """
    if shape.kind not in {"ellipse", "circle"}:
        return
    import cv2

    centre, along = shape.points_xy[0], shape.points_xy[1] - shape.points_xy[0]
    across = shape.points_xy[2] - shape.points_xy[0] if shape.kind == "ellipse" else along[::-1]
    # the file has two decimals; sums and sines of them must not turn 10.5 into another number before it is rounded
    axes = (round(round(math.hypot(*along), 6)), round(round(math.hypot(*across), 6)))
    angle = round(math.degrees(math.atan2(along[1], along[0])), 6)
    picture = np.zeros(ids.shape, np.uint8)
    middle = (round(round(float(centre[0]), 6)), round(round(float(centre[1]), 6)))
    cv2.ellipse(picture, middle, axes, angle, 0, 360, 1, thickness=-1)
    ids[picture.view(np.bool_)] = value
