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

_LEAST_USED: Final = 4
"""A picture of 16 bits uses their scale when its brightest value reaches a quarter of it: with less it has 14 bits."""

_MOST_SAMPLED: Final = 1_000_000
"""Pixels that the range of a picture is measured on, evenly spread."""


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
        window: The values that the file itself wants shown as black and as white (DICOM), finite and different, the
            larger first where the lowest is white; None where it says nothing.

    Raises:
        ImageError: Wrong dtype or number of axes, no pixels, the wrong number of band names, or a window of no width.
    """

    pixels: Pixels
    bands: tuple[str, ...] = ()
    window: tuple[float, float] | None = None

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
        if self.window is not None and (self.window[0] == self.window[1] or not np.isfinite(self.window).all()):
            raise ImageError(
                "an image's window has no width or no end",
                got=self.window,
                expected="two finite values that differ",
                fix="leave it out where the file says nothing of use",
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

    def shown_range(self) -> tuple[float, float]:
        """Return the values that are shown as black and as white, for people; what a network sees never depends on it.

        The file's own window, else 0 and the dtype's full scale. Numbers that leave that scale, or never come near its
        end, have none: Hounsfield units, reflectances, 12 bits in 16. Of these it is the first and the 99th percentile
        of the finite values, so that a few bright pixels do not make the rest black.
        """
        full = FULL_SCALE[self.dtype]
        if self.window is not None or self.dtype == "uint8":
            return self.window or (0.0, full)
        step = max(1, int((self.hw[0] * self.hw[1] / _MOST_SAMPLED) ** 0.5))
        values = self.pixels[::step, ::step, : 3 if self.channels >= 3 else 1].astype(np.float64).ravel()
        values = values[np.isfinite(values)]
        low, high = float(values.min(initial=full)), float(values.max(initial=0.0))
        fits = high >= full / _LEAST_USED if self.dtype == "uint16" else low >= 0 and high <= full
        if fits or low >= high:
            return 0.0, full
        black, white = np.percentile(values, (1, 99)).tolist()
        return (black, white) if black < white else (low, high)

    def shown(self) -> NDArray[np.float32]:
        """Return (H, W, C) float32 for people to look at: 0 is black, 255 white by `shown_range`; at most 3 bands."""
        black, white = self.shown_range()
        bands = self.pixels[..., : 3 if self.channels >= 3 else 1].astype(np.float32)
        with np.errstate(over="ignore", invalid="ignore"):
            eight = (bands - np.float32(black)) * np.float32(255.0 / (white - black))
        return np.asarray(np.nan_to_num(eight, nan=0.0, posinf=255.0, neginf=0.0).clip(0, 255), np.float32)

    def to_rgb8(self) -> NDArray[np.uint8]:
        """Return (H, W, 3) uint8 for people to look at: first three bands, black to white by `shown_range`.

        One or two bands are shown as grey. This is for pictures only and never feeds a network.
        """
        if self.dtype == "uint8" and self.window is None:
            plain = self.pixels[..., :3] if self.channels >= 3 else np.repeat(self.pixels[..., :1], 3, axis=2)
            return np.ascontiguousarray(plain, np.uint8)
        eight = self.shown().round().astype(np.uint8)
        return np.asarray(eight if eight.shape[2] == 3 else np.repeat(eight, 3, axis=2))

    def to_pillow(self) -> PillowImage:
        """Return the picture for people to look at (mode RGB)."""
        from PIL import Image as Pillow

        return Pillow.fromarray(self.to_rgb8())
