"""S: labels of another size than their photo."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from tessella.checking.looking.frames import follows_stored, frame_of_points, same_aspect, stated_hw, turns_into
from tessella.checking.rule import Change, Mend
from tessella.core.annotation import StoredMask
from tessella.core.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tessella.checking.looking.look import Look
    from tessella.core.annotation import Shape

Hw = tuple[int, int]


def size_mismatch(look: Look) -> Iterator[Finding]:
    """S101: the mask has another size than the photo, or the annotation file states one."""
    label_hw = stated_hw(look)
    if look.photo is None or label_hw is None or label_hw == look.photo.hw or follows_stored(look):
        return
    if is_sideways(look) or is_slightly_off(look) or turns_into(look):
        return  # S102, S103 and F109 say more
    photo_hw = look.photo.hw
    sizes = f"{_size(label_hw)} where the photo is {_size(photo_hw)}"
    aspect = "the same aspect" if same_aspect(label_hw, photo_hw) else "another aspect"
    if look.mask is not None:
        fixable = same_aspect(label_hw, photo_hw)
        fix = "scale the mask by nearest neighbour (--fix does)" if fixable else "find out which of the two was cropped"
        yield Finding("S101", "error", look.label_where, f"the mask is {sizes} ({aspect})", fix, fixable)
        return
    frame = frame_of_points(look)
    if frame == "photo":
        what, fix = f"the file states {sizes}, but the shapes fit the photo", "correct the stated size (--fix does)"
    elif frame == "stated":
        what, fix = (
            f"the file states {sizes} ({aspect}), and the shapes fit what it states",
            "scale the shapes (--fix does)",
        )
    else:
        what = f"the file states {sizes} ({aspect}), and the shapes do not tell which is meant"
        fix = "look at the shapes over the photo; correct imageHeight and imageWidth, or scale the shapes"
    yield Finding("S101", "error", look.label_where, what, fix, frame is not None)


def sideways(look: Look) -> Iterator[Finding]:
    """S102: height and width are exchanged, and no EXIF mark explains it."""
    label_hw = stated_hw(look)
    if look.photo is None or label_hw is None or not is_sideways(look):
        return
    sizes = f"{_size(label_hw)} where the photo is {_size(look.photo.hw)}"
    what = "the mask is" if look.mask is not None else "the file states"
    yield Finding(
        "S102",
        "error",
        look.label_where,
        f"{what} {sizes}: height and width are exchanged",
        "look which way it was turned and turn it back; a program swapped rows and columns, or dropped the EXIF mark",
    )


def slightly_off(look: Look) -> Iterator[Finding]:
    """S103: a mask whose sides differ from the photo's by a pixel or two: cropped, padded or rounded somewhere."""
    label_hw = stated_hw(look)
    if look.photo is None or label_hw is None or not is_slightly_off(look):
        return
    (height, width), (high, wide) = label_hw, look.photo.hw
    yield Finding(
        "S103",
        "error",
        look.label_where,
        f"the mask is {_size(label_hw)} where the photo is {_size(look.photo.hw)}: off by {wide - width:+d} columns "
        f"and {high - height:+d} rows",
        "find out which side was cropped or padded, and pad the mask with ignore there",
    )


def other_bytes(look: Look) -> Iterator[Finding]:
    """G109: the annotation states the photo's size in bytes, and the file has another."""
    stated, peek = look.declared_bytes, look.photo_peek
    if not stated or peek is None or peek.size == stated:
        return  # 0 is what some exports write where they do not know
    yield Finding(
        "G109",
        "warning",
        look.label_where,
        f"the annotation says that {look.photo_where} has {stated} bytes, and it has {peek.size}: it was annotated on "
        "another version of the photo",
        "look at the outlines over the photo; if they fit, it was only saved again",
    )


def is_sideways(look: Look) -> bool:
    """Whether height and width are exchanged; shapes that fit the photo all the same only have a wrong stated size."""
    label_hw = stated_hw(look)
    if look.photo is None or label_hw is None or label_hw != look.photo.hw[::-1] or label_hw == look.photo.hw:
        return False
    if turns_into(look) or follows_stored(look):
        return False
    return look.mask is not None or frame_of_points(look) is None


def is_slightly_off(look: Look) -> bool:
    """Whether a mask of more than 16 px a side is up to two pixels smaller or larger than its photo."""
    if look.photo is None or look.mask is None or look.mask.hw == look.photo.hw:
        return False
    off = [abs(one - other) for one, other in zip(look.mask.hw, look.photo.hw, strict=True)]
    return max(off) <= 2 and min(look.photo.hw) > 16 and not is_sideways(look) and not turns_into(look)


def match_size(look: Look) -> Mend:
    """Scale a mask or its shapes to the photo, or correct the size that the file states (S101)."""
    photo, annotation = look.photo, look.annotation
    if photo is None or annotation is None:
        raise TypeError(f"{look.label_where} has no photo to match")  # repairs run only where the rule fired
    hw = photo.hw
    if isinstance(annotation, StoredMask):
        old = annotation.hw
        pixels = annotation.pixels[np.ix_(_nearest(hw[0], old[0]), _nearest(hw[1], old[1]))]
        change = Change(f"the mask was scaled from {_size(old)} to {_size(hw)} by nearest neighbour")
        return Mend(replace(annotation, pixels=pixels), (change,))
    stated = annotation.declared_hw or hw
    if frame_of_points(look) == "photo":
        change = Change(f"the stated size {_size(stated)} became {_size(hw)}")
        return Mend(replace(annotation, declared_hw=hw), (change,))
    scale = np.array([hw[1] / stated[1], hw[0] / stated[0]])
    shapes = tuple(_scaled(shape, scale) for shape in annotation.shapes)
    change = Change(f"{len(shapes)} shapes were scaled from {_size(stated)} to {_size(hw)}")
    return Mend(replace(annotation, shapes=shapes, declared_hw=hw), (change,))


def _nearest(new: int, old: int) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    return ((2 * np.arange(new) + 1) * old // (2 * new)).astype(np.intp)


def _scaled(shape: Shape, scale: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Shape:
    if shape.kind == "mask" and shape.mask is not None:
        rows, columns = shape.mask.shape
        high, wide = max(1, round(rows * scale[1])), max(1, round(columns * scale[0]))
        mask = shape.mask[np.ix_(_nearest(high, rows), _nearest(wide, columns))]
        return replace(shape, points_xy=np.round(shape.points_xy * scale), mask=mask)
    return replace(shape, points_xy=shape.points_xy * scale, holes=tuple(ring * scale for ring in shape.holes))


def _size(hw: Hw) -> str:
    return f"{hw[1]}x{hw[0]}"
