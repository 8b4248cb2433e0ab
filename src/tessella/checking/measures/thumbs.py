"""Small pictures of photos, for comparing them with each other and with their masks."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tessella.core.image import Image

GRID: Final = 256
"""The shorter side of a grey photo is this many pixels at least, where the photo has them."""

SMALL: Final = 64
"""Side of the small grey photo that every photo is shrunk to, and let go after the look."""

THUMB: Final = 16
"""Side of the thumbnail that stays in memory for every photo: 256 bytes."""


def step_of(hw: tuple[int, int], grid: int = GRID) -> int:
    """Return which pixels of a photo its grey copy keeps: every one, every second, ..."""
    return max(1, min(hw) // grid)


def small_of(image: Image) -> NDArray[np.uint8]:
    """Return a photo in grey, shrunk to SMALL x SMALL: means of areas over every n-th pixel."""
    import cv2

    grey = grey_of(image, SMALL * 2)
    return np.asarray(cv2.resize(grey, (SMALL, SMALL), interpolation=cv2.INTER_AREA), np.uint8)


def grey_of(image: Image, grid: int = GRID) -> NDArray[np.uint8]:
    """Return every n-th pixel of a photo in grey: (h, w) uint8; darkest to brightest where it has not 8 bits.

    Args:
        image: The photo.
        grid: The shorter side of the result, where the photo has as many pixels; less than twice as many are kept.
    """
    step = step_of(image.hw, grid)
    # green alone: it is most of what people see as brightness, and a third of the bytes
    kept: NDArray[Any] = np.ascontiguousarray(image.pixels[::step, ::step, 1 if image.channels >= 3 else 0])
    if kept.dtype == np.uint8:
        return np.asarray(kept, np.uint8)
    values = np.nan_to_num(kept.astype(np.float32), posinf=0.0, neginf=0.0)
    low, high = float(values.min()), float(values.max())
    return np.asarray(((values - low) * np.float32(255 / (high - low) if high > low else 0)), np.uint8)


def glance_of(image: Image, small: NDArray[np.uint8]) -> bytes:
    """Return a hash of a photo's small grey copy, b"" for a picture of a single colour.

    Two photos of the same pixels have the same one; those few are compared in full later. A black frame or an empty
    tile equals every other one, which says nothing.

    Args:
        image: The photo.
        small: Its small grey copy.
    """
    if (small == small[0, 0]).all() and (image.pixels == image.pixels[0, 0]).all():
        return b""
    digest = hashlib.blake2b(f"{image.pixels.shape} {image.dtype}".encode(), digest_size=8)
    digest.update(small.data)
    return digest.digest()


def digest_of(image: Image) -> str:
    """Return SHA-256 of the upright pixels, their size and dtype."""
    digest = hashlib.sha256(f"{image.pixels.shape} {image.dtype}".encode())
    digest.update(np.ascontiguousarray(image.pixels).data)
    return digest.hexdigest()


def thumb_of(small: NDArray[np.uint8]) -> bytes:
    """Shrink a small grey photo to THUMB x THUMB pixels, each the mean of its area."""
    import cv2

    return cv2.resize(small, (THUMB, THUMB), interpolation=cv2.INTER_AREA).tobytes()
