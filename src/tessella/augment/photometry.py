"""The photometry of a crop: brightness, contrast, gamma, saturation, hue, noise and blur for any dtype and bands."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tessella.core.image import Pixels
    from tessella.recipe.plan import AugmentPlan

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
        pixels = _mix(pixels, draw.colour * factor, offset=offset)
        factor, offset = 1.0, 0.0
    gains = np.array([factor]) if draw.gains is None else factor * draw.gains
    if draw.gamma != 1 or offset or (gains != 1).any():
        pixels = _curve(pixels, gains, offset=offset, gamma=draw.gamma, low=low, high=high)
    if draw.blur_px:
        pixels = _blur(pixels, draw.blur_px)
    return _add_noise(pixels, draw.noise, rng) if draw.noise else pixels


def _line(pixels: Pixels, draw: Photometry, *, low: float) -> tuple[float, float]:
    """Return factor and offset of brightness and contrast: new = low + factor (old - low) + offset."""
    if draw.contrast == 1:
        return draw.brightness, 0.0
    mean = float(pixels[::_LOOK_EVERY, ::_LOOK_EVERY].mean())
    return draw.brightness * draw.contrast, draw.brightness * (mean - low) * (1 - draw.contrast)


def _mix(pixels: Pixels, matrix: NDArray[np.float64], *, offset: float) -> Pixels:
    """Multiply each pixel by a (3, 3) matrix and add `offset`, rounding and clipping integers."""
    import cv2

    return cv2.transform(pixels, np.column_stack([matrix, np.full(3, offset)]))


def _curve(
    pixels: Pixels, gains: NDArray[np.float64], *, offset: float, gamma: float, low: float, high: float
) -> Pixels:
    """Apply low + span * ((gain (v - low) + offset) / span) ** gamma band by band: by table for integers."""
    import cv2

    span = max(high - low, 1e-12)

    def bend(values: NDArray[np.float32], gain: float) -> NDArray[np.float32]:
        line = (values - np.float32(low)) * np.float32(gain) + np.float32(offset)
        if gamma != 1:
            line = np.float32(span) * (np.maximum(line, 0) / np.float32(span)) ** np.float32(gamma)
        return np.asarray(line + np.float32(low), np.float32)

    if pixels.dtype == np.float32:
        return np.concatenate([bend(part, gain) for part, gain in _bands(pixels, gains)], axis=2)
    top = np.iinfo(pixels.dtype).max
    values = np.arange(top + 1, dtype=np.float32)
    parts = []
    for part, gain in _bands(pixels, gains):
        table = np.clip(bend(values, gain).round(), 0, top).astype(pixels.dtype)
        # OpenCV 4 has no table for uint16
        parts.append(cv2.LUT(part, table).reshape(part.shape) if top == 255 else table[part])
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=2)


def _bands(pixels: Pixels, gains: NDArray[np.float64]) -> list[tuple[Pixels, float]]:
    """Split into bands with their gains, or give all of them together where there is one gain."""
    if len(gains) == 1:
        return [(pixels, float(gains[0]))]
    return [(np.ascontiguousarray(pixels[..., band : band + 1]), float(gain)) for band, gain in enumerate(gains)]


def _blur(pixels: Pixels, sigma_px: float) -> Pixels:
    import cv2

    return cv2.GaussianBlur(pixels, (0, 0), sigma_px, borderType=cv2.BORDER_REPLICATE).reshape(pixels.shape)


def _add_noise(pixels: Pixels, share: float, rng: np.random.Generator) -> Pixels:
    """Add Gaussian noise, whose standard deviation is a share of the crop's own."""
    import cv2

    sigma = share * float(pixels[::_LOOK_EVERY, ::_LOOK_EVERY].std())
    if pixels.dtype == np.uint8:
        # a random byte picks one of 256 quantiles: ten times as fast as drawing normal numbers
        quantile = np.frombuffer(rng.bytes(pixels.size), np.uint8).reshape(pixels.shape)
        steps = np.rint(_quantiles() * sigma).astype(np.int16)
        return cv2.add(pixels, steps[quantile], dtype=cv2.CV_8U).reshape(pixels.shape)
    noisy = pixels + np.float32(sigma) * rng.standard_normal(pixels.shape, np.float32)
    if pixels.dtype == np.uint16:
        return np.clip(noisy.round(), 0, 65535).astype(np.uint16)
    return noisy.astype(np.float32)


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
