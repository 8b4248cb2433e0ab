"""Maps of segment numbers: numbers spread over red, green and blue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tessella.core.errors import FormatError, LabelError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def segment_ids(pixels: NDArray[Any], *, where: object = None) -> NDArray[np.uint32]:
    """Return the segment numbers of a panoptic mask: red + 256 green + 65,536 blue (COCO panoptic).

    Args:
        pixels: (H, W, 3 or 4) uint8; alpha is not part of the number.
        where: The file, for messages.

    Returns:
        (H, W) uint32.

    Raises:
        FormatError: Not colours.
    """
    if pixels.ndim != 3 or pixels.shape[2] not in (3, 4) or pixels.dtype != np.uint8:
        raise FormatError(
            "a panoptic mask is not red, green and blue of 8 bits",
            where=where,
            got=f"{pixels.dtype} {pixels.shape}",
            fix="export the mask again as an RGB PNG",
        )
    import cv2

    # four bytes are a little-endian number as they lie
    four = np.ascontiguousarray(pixels) if pixels.shape[2] == 4 else cv2.cvtColor(pixels, cv2.COLOR_RGB2RGBA)
    return np.asarray(np.asarray(four, np.uint8).view("<u4")[..., 0] & np.uint32(0xFFFFFF), np.uint32)


def segment_colours(ids: NDArray[Any]) -> NDArray[np.uint8]:
    """Return segment numbers below 2**24 as (H, W, 3) uint8 red, green and blue.

    Raises:
        LabelError: A number that three bytes cannot hold.
    """
    if ids.size and (ids.min() < 0 or ids.max() >= 1 << 24):
        raise LabelError("a segment number does not fit into a colour", got=int(ids.max()), expected="0 to 16,777,215")
    four = np.ascontiguousarray(ids, "<u4")[..., None].view(np.uint8)
    return np.ascontiguousarray(four[..., :3])
