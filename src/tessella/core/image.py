"""The image: upright pixels with named bands, checked once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from tessella.core.errors import ImageError

if TYPE_CHECKING:
    from PIL.Image import Image as PillowImage

Pixels = NDArray[np.uint8] | NDArray[np.uint16] | NDArray[np.float32]
"""(H, W, C); never BGR."""

FULL_SCALE: Final[dict[str, float]] = {"uint8": 255.0, "uint16": 65535.0, "float32": 1.0}
"""The value that means "white", by dtype; never guessed from the content."""


def default_bands(channels: int) -> tuple[str, ...]:
    """Name the bands of a photo with 1, 2, 3 or 4 channels as usual, and others by number."""
    usual = {1: ("grey",), 2: ("grey", "alpha"), 3: ("red", "green", "blue"), 4: ("red", "green", "blue", "alpha")}
    return usual.get(channels, tuple(f"band{number}" for number in range(1, channels + 1)))


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """An upright picture: EXIF orientation is already applied.

    Args:
        pixels: (H, W, C) uint8, uint16 or float32; C >= 1; the array is read-only.
        bands: C names; by default grey, red/green/blue, or band1...

    Raises:
        ImageError: Wrong dtype or number of axes, no pixels, or the wrong number of band names.
    """

    pixels: Pixels
    bands: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.pixels.ndim != 3 or self.pixels.size == 0 or self.pixels.dtype.name not in FULL_SCALE:
            raise ImageError(
                "an image is not a grid of pixels",
                got=f"{self.pixels.dtype} {self.pixels.shape}",
                expected=f"(H, W, C) {', '.join(FULL_SCALE)} with H, W, C >= 1",
            )
        if not self.bands:
            object.__setattr__(self, "bands", default_bands(self.pixels.shape[2]))
        if len(self.bands) != self.pixels.shape[2]:
            raise ImageError(
                "an image has the wrong number of band names", got=self.bands, expected=self.pixels.shape[2]
            )
        frozen = self.pixels.view()
        frozen.flags.writeable = False
        object.__setattr__(self, "pixels", frozen)

    @property
    def hw(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return int(self.pixels.shape[0]), int(self.pixels.shape[1])

    @property
    def channels(self) -> int:
        """Number of bands."""
        return int(self.pixels.shape[2])

    @property
    def dtype(self) -> str:
        """`uint8`, `uint16` or `float32`."""
        return self.pixels.dtype.name

    def to_rgb8(self) -> NDArray[np.uint8]:
        """Return (H, W, 3) uint8 for people to look at: first three bands, 8 bits by the dtype's full scale.

        One or two bands are shown as grey. This is for pictures only and never feeds a network.
        """
        shown = self.pixels[..., :3] if self.channels >= 3 else np.repeat(self.pixels[..., :1], 3, axis=2)
        if shown.dtype == np.uint8:
            return np.ascontiguousarray(shown)
        eight = np.clip(shown.astype(np.float32) * np.float32(255.0 / FULL_SCALE[self.dtype]), 0, 255)
        return np.asarray(eight.round(), np.uint8)

    def to_pillow(self) -> PillowImage:
        """Return the picture for people to look at (mode RGB)."""
        from PIL import Image as Pillow

        return Pillow.fromarray(self.to_rgb8())
