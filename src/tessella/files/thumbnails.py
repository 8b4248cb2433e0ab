"""Thumbnails for comparing photos: small, grey, upright, and quick to make."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tessella.files.images import FILE_BUDGET, check_data, decode_header, decode_image, orient
from tessella.files.text import read_bytes

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from tessella.files.images import Header


def thumbnail(path: Path, *, side: int, max_pixels: int | None = None) -> NDArray[np.float32]:
    """Return a photo shrunk to a grey square.

    Args:
        path: The photo.
        side: Height and width of the result in pixels.
        max_pixels: Refuse larger pictures; by default as `read_image`.

    Returns:
        (side, side) float32, 0..255 as the photo is shown; each value the mean of the area it covers.

    Raises:
        InputError: The file cannot be read.
        ImageError: Not a picture, damaged, or larger than the budget.
    """
    import cv2

    data = read_bytes(path, max_bytes=FILE_BUDGET)
    header = decode_header(data, where=path)
    check_data(data, header, where=path, max_pixels=max_pixels)
    grey: Any = _reduced_jpeg(data, header, side) if header.format == "JPEG" else None
    if grey is None:
        image = decode_image(data, where=path, max_pixels=max_pixels)
        pixels = image.shown()
        # the weights of JPEG's own luma, so that a photo and its JPEG copy meet
        grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY) if pixels.shape[2] == 3 else pixels.mean(axis=2)
    small = cv2.resize(np.ascontiguousarray(grey), (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32)


def _reduced_jpeg(data: bytes, header: Header, side: int) -> NDArray[np.float32] | None:
    """Decode a JPEG at 1/2, 1/4 or 1/8 of its size, up to ten times as fast (its transform works on 8x8 blocks).

    At least eight pixels per side of a thumbnail's pixel are kept: with two, a photo and its PNG copy differ by up to
    12 grey levels, with eight by about one.
    """
    import cv2

    flags = {
        8: cv2.IMREAD_REDUCED_GRAYSCALE_8,
        4: cv2.IMREAD_REDUCED_GRAYSCALE_4,
        2: cv2.IMREAD_REDUCED_GRAYSCALE_2,
        1: cv2.IMREAD_GRAYSCALE,
    }
    by = next((by for by in (8, 4, 2) if min(header.hw) >= 8 * by * side), 1)
    stored = cv2.imdecode(np.frombuffer(data, np.uint8), flags[by] | cv2.IMREAD_IGNORE_ORIENTATION)
    return None if stored is None else orient(stored, header.orientation).astype(np.float32)
