"""A: photos that EXIF turns, and labels that do not follow."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from tessella.checking.looking.frames import follows_stored
from tessella.checking.rule import Change, Mend
from tessella.core.annotation import StoredMask
from tessella.core.finding import Finding
from tessella.files.images import orient

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from tessella.checking.looking.look import Look
    from tessella.core.annotation import Shape


def turned_label(look: Look) -> Iterator[Finding]:
    """A101: the photo is turned by its EXIF orientation and the label lies as the pixels are stored."""
    if look.photo is None or look.photo.orientation == 1 or look.annotation is None:
        return
    turn = f"EXIF orientation {look.photo.orientation} turns the photo"
    if follows_stored(look):
        what = "the mask" if look.mask is not None else "the drawing"
        yield Finding(
            "A101",
            "error",
            look.label_where,
            f"{turn}, and {what} lies as the photo is stored ({look.photo.stored_hw[1]}x{look.photo.stored_hw[0]})",
            "turn the label with the photo (--fix does)",
            True,
        )
    elif look.photo.hw == look.photo.stored_hw and _may_follow_stored(look):
        yield Finding(
            "A101",
            "info",
            look.label_where,
            f"{turn} without changing its size, so the sizes do not tell whether the label follows",
            "look at the label over the photo",
        )


def turn_label(look: Look) -> Mend:
    """Turn a label that lies as the photo is stored (A101)."""
    photo, annotation = look.photo, look.annotation
    if photo is None or annotation is None:
        raise TypeError(f"{look.label_where} has no photo to follow")  # repairs run only where the rule fired
    change = Change(f"turned by the photo's EXIF orientation {photo.orientation}")
    if isinstance(annotation, StoredMask):
        pixels = np.ascontiguousarray(orient(annotation.pixels, photo.orientation))
        return Mend(replace(annotation, pixels=pixels, orientation=1), (change,))
    shapes = tuple(_turned(shape, photo.stored_hw, photo.orientation) for shape in annotation.shapes)
    return Mend(replace(annotation, shapes=shapes, declared_hw=photo.hw), (change,))


def turn_points(points_xy: NDArray[np.float64], stored_hw: tuple[int, int], orientation: int) -> NDArray[np.float64]:
    """Move points from the photo as stored to the photo upright.

    Args:
        points_xy: (N, 2) float64 pixels in the stored photo.
        stored_hw: Height and width as stored.
        orientation: EXIF orientation 1..8; the same turn as `files.images.orient` makes with pixels.

    Returns:
        (N, 2) float64 in the upright photo.
    """
    height, width = stored_hw
    x, y = points_xy[:, 0], points_xy[:, 1]
    if orientation >= 5:
        x, y, width, height = y, x, height, width
    if orientation in (2, 3, 6, 7):
        x = width - x
    if orientation in (3, 4, 7, 8):
        y = height - y
    return np.stack([x, y], axis=1)


def _turned(shape: Shape, stored_hw: tuple[int, int], orientation: int) -> Shape:
    if shape.kind == "mask" and shape.mask is not None:
        high, wide = shape.mask.shape
        corners = np.stack([shape.points_xy[0], shape.points_xy[0] + np.array([wide, high])])
        box = turn_points(corners, stored_hw, orientation)
        top_left = box.min(axis=0, keepdims=True)
        points = top_left if len(shape.points_xy) == 1 else np.concatenate([top_left, top_left + np.ptp(box, axis=0)])
        return replace(shape, points_xy=points, mask=np.ascontiguousarray(orient(shape.mask, orientation)))
    holes = tuple(turn_points(ring, stored_hw, orientation) for ring in shape.holes)
    return replace(shape, points_xy=turn_points(shape.points_xy, stored_hw, orientation), holes=holes)


def _may_follow_stored(look: Look) -> bool:
    if look.mask is not None:
        return look.mask.hw == look.photo.hw if look.photo is not None else False
    return look.drawing is not None and bool(look.drawing.shapes)
