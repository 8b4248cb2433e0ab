"""The frame a label lies in: the photo as it is shown, as it is stored, or of the size that the annotation states."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from tessella.checking.looking.shapes import fills, fits, reach_xy

if TYPE_CHECKING:
    from tessella.checking.looking.look import Look

Hw = tuple[int, int]


def stated_hw(look: Look) -> Hw | None:
    """Return the size of the mask, or the size that the annotation file states."""
    return look.mask.hw if look.mask is not None else look.drawing.declared_hw if look.drawing is not None else None


def follows_stored(look: Look) -> bool:
    """Whether the label surely lies as the photo is stored, not as it is shown."""
    photo = look.photo
    if photo is None or photo.orientation == 1:
        return False
    if look.mask is not None:
        if photo.hw == photo.stored_hw:
            # the mask was turned by the same mark and both would be shown alike, but stored masks are read as they are
            return look.mask.hw == photo.hw and look.mask.orientation == photo.orientation
        return look.mask.hw == photo.stored_hw
    drawing = look.drawing
    if drawing is None or photo.hw == photo.stored_hw or drawing.declared_hw != photo.stored_hw:
        return False
    reach = reach_xy(drawing)
    return reach is None or fits(reach, photo.stored_hw) or not fits(reach, photo.hw)


def turns_into(look: Look) -> bool:
    """Whether a mask has the photo's size only when its own EXIF mark is obeyed."""
    mask, photo = look.mask, look.photo
    if mask is None or photo is None or mask.orientation < 5 or follows_stored(look):
        return False
    return mask.hw != photo.hw and mask.hw[::-1] == photo.hw


def frame_of_points(look: Look) -> Literal["photo", "stated"] | None:
    """Say whether the shapes were drawn on the photo as it is or on the size that the file states.

    Shapes fit a frame when none leaves it by more than a pixel, and fill it when they reach nine tenths of both its
    sides. The one frame that fits, or else the one that is filled, is the right one; otherwise nobody can tell. The
    stated frame must also have the photo's aspect.
    """
    drawing = look.drawing
    if drawing is None or look.photo is None or drawing.declared_hw is None:
        return None
    reach = reach_xy(drawing)
    if reach is None:
        return None
    frames: dict[Literal["photo", "stated"], Hw] = {"photo": look.photo.hw, "stated": drawing.declared_hw}
    right = [name for name, hw in frames.items() if fits(reach, hw)]
    if len(right) > 1:
        right = [name for name in right if fills(reach, frames[name])]
    if len(right) != 1 or (right[0] == "stated" and not same_aspect(drawing.declared_hw, look.photo.hw)):
        return None
    return right[0]


def frame_hw(look: Look) -> Hw | None:
    """Return the size that the shapes were drawn on: the photo's, unless they follow another that the file states."""
    if look.drawing is None:
        return None
    stated = look.drawing.declared_hw
    if look.photo is None:
        return stated
    if stated is None or stated == look.photo.hw or frame_of_points(look) == "photo":
        return look.photo.hw
    return stated if follows_stored(look) or frame_of_points(look) == "stated" else None


def same_aspect(first: Hw, second: Hw) -> bool:
    """Whether one size is the other scaled, up to the rounding of one pixel."""
    (h, w), (height, width) = sorted((first, second))
    return abs(height * w / h - width) <= height / h and abs(width * h / w - height) <= width / w
