"""The photometry of a crop: brightness, contrast, gamma, saturation, hue, noise and blur for any dtype and bands."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from tessella.core.image import Pixels
    from tessella.recipe.plan import AugmentPlan

Array = NDArray[Any]
"""Any of the dtypes of an image; OpenCV's own types do not say which."""

BLUR_PX: Final = (0.3, 1.5)
"""Smallest and largest standard deviation of a blur, in pixels."""

LUMA: Final = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in grey (ITU-R BT.601)."""

_LOOK_EVERY: Final = 8
"""Mean and spread are taken from every eighth row and column: 4096 pixels of a 512 x 512 crop."""


@dataclass(frozen=True, slots=True, eq=False)
class Photometry:
    """One draw.

    Args:
        brightness: Factor, 1 = unchanged.
        contrast: Factor around the crop's mean, 1 = unchanged.
        gamma: Exponent on the crop's range, 1 = unchanged.
        colour: (3, 3) float64 saturation and hue of a three-band crop, or None.
        gains: (C,) float64 factor of each band of a crop that is not three-band, or None.
        noise: Standard deviation as a share of the crop's own; 0 = none.
        blur_px: Standard deviation in pixels; 0 = none.
    """

    brightness: float
    contrast: float
    gamma: float
    colour: NDArray[np.float64] | None
    gains: NDArray[np.float64] | None
    noise: float
    blur_px: float


def draw_photometry(plan: AugmentPlan, rng: np.random.Generator, *, channels: int) -> Photometry:
    """Draw how the colours change.

    Args:
        plan: Strengths; 0 switches an operation off.
        rng: Source of chance.
        channels: C. Three bands are taken for red, green, blue; saturation of others lets each band drift by itself.
    """
    brightness, contrast, saturation, hue, gamma = (
        rng.uniform(-strength, strength)
        for strength in (plan.brightness, plan.contrast, plan.saturation, plan.hue, plan.gamma)
    )
    noise = rng.uniform(0, plan.noise)
    blur_px = rng.uniform(*BLUR_PX) if rng.random() < plan.blur else 0.0
    colour = gains = None
    if channels == 3 and (plan.saturation or plan.hue):
        colour = _colour_matrix(1 + saturation, turn=2 * math.pi * hue)
    elif channels not in {1, 3} and plan.saturation:
        gains = 1 + rng.uniform(-0.5, 0.5, channels) * plan.saturation
    return Photometry(1 + brightness, 1 + contrast, 2.0**gamma, colour, gains, noise, blur_px)


def recolour(pixels: Pixels, draw: Photometry, rng: np.random.Generator) -> Pixels:
    """Apply one draw.

    Brightness, contrast and gamma work on the crop's range: the full scale of uint8, else the smallest to the largest
    value, because 11 bits of data in uint16 or a CT in float32 use a small part of their dtype's.

    Args:
        pixels: (h, w, C); may be written to.
        draw: The draw.
        rng: Source of the noise.

    Returns:
        (h, w, C) of the same dtype; integers are rounded and clipped to their dtype, float32 is not clipped.
    """
    low, high = (0.0, 255.0) if pixels.dtype == np.uint8 else (float(pixels.min()), float(pixels.max()))
    factor, offset = _line(pixels, draw, low=low)
    if draw.colour is not None:
        # the rows of the matrix sum to 1: it leaves grey, and therefore `low`, where it is
        pixels = _mix(pixels, draw.colour * factor, offset=offset + low * (1 - factor))
        factor, offset = 1.0, 0.0
    gains = np.array([factor]) if draw.gains is None else factor * draw.gains
    if draw.gamma != 1 or offset or (gains != 1).any():
        pixels = _curve(pixels, gains, offset=offset, gamma=draw.gamma, low=low, high=high)
    if draw.blur_px:
        pixels = _blur(pixels, draw.blur_px)
    return _add_noise(pixels, draw.noise, rng) if draw.noise else pixels


def _line(pixels: Array, draw: Photometry, *, low: float) -> tuple[float, float]:
    """Return factor and offset of brightness and contrast: new = low + factor (old - low) + offset."""
    if draw.contrast == 1:
        return draw.brightness, 0.0
    mean = float(pixels[::_LOOK_EVERY, ::_LOOK_EVERY].mean())
    return draw.brightness * draw.contrast, draw.brightness * (mean - low) * (1 - draw.contrast)


def _mix(pixels: Array, matrix: NDArray[np.float64], *, offset: float) -> Array:
    """Multiply each pixel by a (3, 3) matrix and add `offset`, rounding and clipping integers."""
    import cv2

    return cv2.transform(pixels, np.column_stack([matrix, np.full(3, offset)]))


def _curve(pixels: Array, gains: NDArray[np.float64], *, offset: float, gamma: float, low: float, high: float) -> Array:
    """Apply low + span * ((gain (v - low) + offset) / span) ** gamma, by table for integers.

    `gains` is (C,), or (1,) where all bands share it.
    """
    import cv2

    span = max(high - low, 1e-12)

    def bend(values: NDArray[np.float32]) -> NDArray[np.float32]:
        line = (values - np.float32(low)) * gains.astype(np.float32) + np.float32(offset)
        if gamma != 1:
            line = np.float32(span) * (np.maximum(line, 0) / np.float32(span)) ** np.float32(gamma)
        return np.asarray(line + np.float32(low), np.float32)

    if pixels.dtype == np.float32:
        return bend(np.asarray(pixels, np.float32))
    top = np.iinfo(pixels.dtype).max
    # one row per value, one column per band (or one for all)
    table = np.clip(bend(np.arange(top + 1, dtype=np.float32)[:, None]).round(), 0, top).astype(pixels.dtype)
    if top == 255:
        return cv2.LUT(pixels, table[None] if len(gains) > 1 else table[:, 0]).reshape(pixels.shape)
    if len(gains) == 1:
        return np.take(table[:, 0], pixels)  # OpenCV 4 has no table for uint16
    return np.stack([np.take(column, pixels[..., band]) for band, column in enumerate(table.T)], axis=2)


def _blur(pixels: Array, sigma_px: float) -> Array:
    import cv2

    return cv2.GaussianBlur(pixels, (0, 0), sigma_px, borderType=cv2.BORDER_REPLICATE).reshape(pixels.shape)


def _add_noise(pixels: Array, share: float, rng: np.random.Generator) -> Array:
    """Add Gaussian noise, whose standard deviation is a share of the crop's own."""
    import cv2

    sigma = share * float(pixels[::_LOOK_EVERY, ::_LOOK_EVERY].std())
    # a random byte picks one of 256 quantiles: ten times as fast as drawing normal numbers
    quantile = np.frombuffer(rng.bytes(pixels.size), np.uint8).reshape(pixels.shape)
    steps = _quantiles() * sigma
    if pixels.dtype == np.uint8:
        return cv2.add(pixels, np.take(np.rint(steps).astype(np.int16), quantile), dtype=cv2.CV_8U).reshape(
            pixels.shape
        )
    noisy = pixels + np.take(steps.astype(np.float32), quantile)
    return np.clip(noisy.round(), 0, 65535).astype(np.uint16) if pixels.dtype == np.uint16 else noisy


@cache
def _quantiles() -> NDArray[np.float64]:
    """Return the 256 mid-quantiles of the standard normal distribution."""
    from statistics import NormalDist

    normal = NormalDist()
    return np.array([normal.inv_cdf((step + 0.5) / 256) for step in range(256)])


def _colour_matrix(saturation: float, *, turn: float) -> NDArray[np.float64]:
    """Return the (3, 3) matrix that scales the distance from grey and turns colours around the grey axis."""
    grey = np.outer(np.ones(3), LUMA)
    cosine, sine = math.cos(turn), math.sin(turn) / math.sqrt(3)
    # Rodrigues' rotation around (1, 1, 1)
    cross = np.array([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]])
    around = cosine * np.eye(3) + sine * cross + (1 - cosine) / 3
    return (saturation * np.eye(3) + (1 - saturation) * grey) @ around
