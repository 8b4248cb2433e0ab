"""Supervisely's bitmaps: a PNG in zlib in base64; only the pixels, for the origin stands beside them."""

from __future__ import annotations

import base64
import io
import zlib
from typing import TYPE_CHECKING, Final

import numpy as np

from tessella.core.errors import FormatError, ImageError
from tessella.files.masks import decode_mask
from tessella.files.values.packed import decode_base64, inflate

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BUDGET: Final = 1 << 26
"""Most bytes of a packed PNG."""


def decode_bitmap(data: object, *, where: object, max_pixels: int | None = None) -> NDArray[np.bool_]:
    """Decode `bitmap.data` of a Supervisely object.

    Args:
        data: The text.
        where: File and key, for messages.
        max_pixels: Refuse larger bitmaps; by default beyond 300 megapixels.

    Returns:
        (h, w) bool: alpha above 0 where there is alpha, else any value above 0.

    Raises:
        FormatError: Not base64, not zlib, more than 64 MiB unpacked, or no PNG within.
    """
    packed = inflate(decode_base64(data, where=where, max_bytes=_BUDGET), limit=_BUDGET, where=where)
    try:
        pixels = decode_mask(packed, where=where, max_pixels=max_pixels).pixels
    except ImageError as error:
        raise FormatError(
            "a bitmap holds no mask", where=where, got=error.what, fix="export the project again"
        ) from error
    if pixels.ndim == 2:
        return np.asarray(pixels > 0)
    return np.asarray(pixels[..., 3] > 0 if pixels.shape[2] == 4 else pixels.any(axis=2))


def encode_bitmap(mask: NDArray[np.bool_]) -> str:
    """Return a mask, (h, w) bool, as `bitmap.data`: a palette PNG of two colours, the first transparent."""
    from PIL import Image

    picture = Image.fromarray(mask.astype(np.uint8))
    picture.putpalette([0, 0, 0, 255, 255, 255])
    stream = io.BytesIO()
    picture.save(stream, format="PNG", transparency=0, bits=1)
    return base64.b64encode(zlib.compress(stream.getvalue())).decode("ascii")
