"""Arrays from files as masks and photos: which shapes and types can be one, and why others cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tessella.core.annotation import StoredMask
from tessella.core.classes import IGNORE
from tessella.core.errors import LabelError
from tessella.core.image import FULL_SCALE, Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MOST_BANDS: Final = 64
_BYTE: Final = 255


def plain_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return a shape without the sides of length 1 around height and width: (1, 12, 16, 1) is (12, 16)."""
    while len(shape) > 2 and 1 in (shape[0], shape[-1]):
        shape = shape[1:] if shape[0] == 1 else shape[:-1]
    return shape


def mask_of(array: NDArray[Any], *, where: object) -> StoredMask:
    """Take an array for a mask.

    Args:
        array: (H, W), or with sides of length 1 around it; bool, whole numbers 0 to 65,535, or floats that are such;
            -1 means what 255 means, as in many training scripts.
        where: The file, for messages.

    Returns:
        The mask, uint8 where no value exceeds 255.

    Raises:
        LabelError: Not two-dimensional, or values that are no class ids.
    """
    flat = array.reshape(plain_shape(array.shape))
    if flat.ndim != 2 or not flat.size:
        raise LabelError(
            "this array is no label map", where=where, got=f"shape {array.shape}, {array.dtype}",
            expected="height x width", fix="save one class id per pixel; of one-hot labels the position of the 1",
        )  # fmt: skip
    if flat.dtype.kind == "b":
        return StoredMask(np.ascontiguousarray(flat.astype(np.uint8)), "L")
    if flat.dtype.kind not in "uif":
        raise LabelError("this array holds no numbers", where=where, got=str(array.dtype), expected="class ids")
    if flat.dtype.kind == "f" and not (np.isfinite(flat).all() and (flat == np.floor(flat)).all()):
        raise LabelError(
            "the values are no class ids but fractions", where=where, got=str(array.dtype),
            expected="whole numbers", fix="these may be probabilities: save the class of each pixel",
        )  # fmt: skip
    low, high = float(flat.min()), float(flat.max())
    if low < -1 or high > 65535:
        raise LabelError("the values are no class ids", where=where, got=f"{low:g} to {high:g}", expected="-1 to 65535")
    if low < 0:
        flat = np.where(flat < 0, IGNORE, flat)
    return StoredMask(np.ascontiguousarray(flat.astype(np.uint8 if high <= _BYTE else np.uint16)), "L")


def image_of(array: NDArray[Any], *, where: object) -> Image:
    """Take an array for a photo.

    Args:
        array: (H, W), (H, W, C), or (C, H, W) with 1, 3 or 4 bands first; uint8, uint16 or float; other whole numbers
            from 0 to 65,535 become uint16.
        where: The file, for messages.

    Raises:
        LabelError: Another shape or type.
    """
    pixels = array[..., None] if array.ndim == 2 else array
    if pixels.ndim == 3 and pixels.shape[0] in (1, 3, 4) and pixels.shape[2] not in (1, 3, 4):
        pixels = np.moveaxis(pixels, 0, -1)
    if pixels.ndim != 3 or not pixels.size or pixels.shape[2] > _MOST_BANDS:
        raise LabelError(
            "this array is no photo", where=where, got=f"shape {array.shape}, {array.dtype}",
            expected="height x width x bands",
        )  # fmt: skip
    if pixels.dtype.kind == "f" and pixels.dtype != np.float32:
        pixels = pixels.astype(np.float32)
    if pixels.dtype.kind in "bui" and pixels.dtype.name not in FULL_SCALE:
        if int(pixels.min()) < 0 or int(pixels.max()) > 65535:
            raise LabelError("the numbers of this photo do not fit 16 bits", where=where, got=str(array.dtype))
        pixels = pixels.astype(np.uint16 if pixels.dtype.kind != "b" else np.uint8)
    if pixels.dtype.name not in FULL_SCALE:
        raise LabelError("this array holds no pixels", where=where, got=str(array.dtype), expected="uint8 or uint16")
    return Image(np.ascontiguousarray(pixels))
