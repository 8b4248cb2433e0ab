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

    radius = 0.0
    if shape.kind == "circle":
        radius = math.dist(shape.points_xy[0], shape.points_xy[1])
    elif shape.kind in {"point", "points"}:
        radius = _LABELME_POINT_PX
    (left, top), (right, bottom) = _window(shape, ids.shape, max(radius, _LABELME_LINE_PX))
    if left >= right or top >= bottom:
        return
    picture = Image.new("1", (right - left, bottom - top))
    draw = ImageDraw.Draw(picture)
    rings = [[(float(x) - left, float(y) - top) for x, y in ring] for ring in (shape.points_xy, *shape.holes)]
    points = rings[0]
    if shape.kind == "polygon":
        draw.polygon(points, outline=1, fill=1)
        for hole in rings[1:]:
            draw.polygon(hole, outline=0, fill=0)
    elif shape.kind == "rectangle":
        (low_x, high_x), (low_y, high_y) = (sorted(axis) for axis in zip(points[0], points[1], strict=True))
        draw.rectangle([low_x, low_y, high_x, high_y], outline=1, fill=1)
    elif shape.kind in {"line", "linestrip"}:
        draw.line(points, fill=1, width=_LABELME_LINE_PX)
    else:
        for x, y in points[:1] if shape.kind == "circle" else points:
            draw.ellipse([x - radius, y - radius, x + radius, y + radius], outline=1, fill=1)
    ids[top:bottom, left:right][np.asarray(picture)] = value


def _window(shape: Shape, hw: tuple[int, ...], margin: float) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the part of the picture that a shape can reach: left, top; right, bottom.

    Pillow truncates coordinates to whole numbers, towards 0. Moved by whole pixels, none below 0, a shape covers the
    same pixels; a part of a large photo takes a hundredth of the time.
    """
    points = np.concatenate([shape.points_xy, *shape.holes])
    low, high = np.floor(points.min(axis=0) - margin - 2), np.ceil(points.max(axis=0) + margin + 2)
    left, top = (int(v) for v in np.clip(low, 0, [hw[1], hw[0]]))
    right, bottom = (int(v) for v in np.clip(high, 0, [hw[1], hw[0]]))
    return (left, top), (right, bottom)


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
    middle = [round(round(float(value), 6)) for value in centre]
    (left, right), (top, bottom) = (
        [min(max(middle[axis] + side * (max(axes) + 2), 0), ids.shape[1 - axis]) for side in (-1, 1)] for axis in (0, 1)
    )
    if left >= right or top >= bottom:
        return
    picture = np.zeros((bottom - top, right - left), np.uint8)
    cv2.ellipse(picture, (middle[0] - left, middle[1] - top), axes, angle, 0, 360, 1, thickness=-1)
    ids[top:bottom, left:right][picture.view(np.bool_)] = value
