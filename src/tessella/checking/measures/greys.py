"""Values between the declared ones: told apart as stray, anti-aliased or JPEG-compressed, and snapped back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tessella.checking.looking.look import StrayKind

BLUR_GAP = 16
"""Smallest distance between declared values at which the soft edge of a mask can be snapped back."""

JPEG_GAP = 32
"""The same for JPEG, whose ringing reaches up to about 15 at usual qualities, on both sides of a value."""

_REACH = 7


def stray_kind(pixels: NDArray[Any], stray: NDArray[np.bool_], *, jpeg: bool) -> StrayKind:
    """Tell what made the undeclared values of a mask.

    A soft edge has many different values, few pixels each, and each lies between two declared values that are found
    within 3 px. JPEG rings: many pixels are off by a little where there is no edge at all. A slip of a tool leaves a
    few values, often many pixels each. Measured on magnetic_tile (190 soft masks: 4 to 244 values, at most 7 px per
    value where they are fewer than 12; 73 to 100 % lie between; at most 26 % ring), on two sets compressed at
    qualities 60 to 95 (28 to 60 % ring) and on wbc_cells (5 masks with 1 to 6 stray values, up to 179 px each).

    Args:
        pixels: (H, W) or (H, W, C) uint8 or uint16 stored values.
        stray: (H, W) bool, where the value is not declared; at least one.
        jpeg: Whether the file is a JPEG.

    Returns:
        `compressed`, `blurred` or `stray`.
    """
    if jpeg:
        return "compressed"
    top, left, bottom, right = _window(stray, margin=_REACH)
    pixels, stray = pixels[top:bottom, left:right], stray[top:bottom, left:right]
    layers = pixels if pixels.ndim == 3 else pixels[..., None]
    values = layers[stray]
    distinct = _distinct(values)
    if distinct < 4 or (distinct < 12 and len(values) > 8 * distinct):
        return "stray"
    if _ringing(layers, stray) > 0.27:
        return "compressed"
    return "blurred" if _between(layers, stray) >= 0.6 else "stray"


def snap(pixels: NDArray[Any], stray: NDArray[np.bool_], declared: NDArray[Any]) -> NDArray[Any]:
    """Give every undeclared pixel the nearest declared value among those within 2 px of it.

    Looking only nearby keeps a soft edge between 0 and 255 from turning into a thin line of class 128.

    Args:
        pixels: (H, W) or (H, W, C) stored values.
        stray: (H, W) bool, the pixels to change.
        declared: (D,) or (D, C) declared values.

    Returns:
        A new array like `pixels`.
    """
    import cv2

    layers = pixels if pixels.ndim == 3 else pixels[..., None]
    choices = np.asarray(declared).reshape(len(declared), -1)
    values = layers[stray].astype(np.int32)
    best = np.full(len(values), np.iinfo(np.int64).max)
    winner = np.zeros(len(values), np.intp)
    kernel = np.ones((5, 5), np.uint8)
    for number, choice in enumerate(choices):
        here = (layers == choice.astype(layers.dtype)).all(axis=2).astype(np.uint8)
        near = cv2.dilate(here, kernel)[stray].astype(bool)
        distance = np.abs(values - choice.astype(np.int32)).sum(axis=1) + np.where(near, 0, 1 << 20)
        closer = distance < best
        best[closer], winner[closer] = distance[closer], number
    result = layers.copy()
    result[stray] = choices[winner].astype(layers.dtype)
    return result if pixels.ndim == 3 else result[..., 0]


def smallest_gap(declared: NDArray[Any]) -> int:
    """Return the smallest distance between two declared values, or colours by their largest channel difference.

    Args:
        declared: (D,) or (D, C) values; one alone has a gap of 65535.
    """
    choices = np.asarray(declared, np.int64).reshape(len(declared), -1)
    if len(choices) < 2:
        return 65535
    apart = np.abs(choices[:, None] - choices[None]).max(axis=2)
    return int(apart[np.triu_indices(len(choices), 1)].min())


def _window(stray: NDArray[np.bool_], *, margin: int) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero(stray.any(axis=1)), np.flatnonzero(stray.any(axis=0))
    height, width = stray.shape
    return (
        max(0, int(rows[0]) - margin),
        max(0, int(columns[0]) - margin),
        min(height, int(rows[-1]) + margin + 1),
        min(width, int(columns[-1]) + margin + 1),
    )


def _range(layers: NDArray[Any], stray: NDArray[np.bool_], size: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the lowest and highest declared value within a square, per channel; (N, C) each for the stray pixels."""
    import cv2

    kernel = np.ones((size, size), np.uint8)
    top = np.iinfo(layers.dtype).max
    low = cv2.erode(np.where(stray[..., None], top, layers).astype(layers.dtype), kernel)
    high = cv2.dilate(np.where(stray[..., None], 0, layers).astype(layers.dtype), kernel)
    return low.reshape(layers.shape)[stray], high.reshape(layers.shape)[stray]


def _between(layers: NDArray[Any], stray: NDArray[np.bool_]) -> float:
    low, high = _range(layers, stray, _REACH)
    values = layers[stray]
    # a channel that both colours share stays what it is; at least one must lie strictly between
    inside = (low <= values) & (values <= high)
    strictly = ((low < values) & (values < high)).any(axis=1)
    return float((inside.all(axis=1) & strictly).mean())


def _ringing(layers: NDArray[Any], stray: NDArray[np.bool_]) -> float:
    """Return the share of pixels that are off by a little in a neighbourhood without an edge: JPEG's 8 x 8 blocks."""
    low, high = _range(layers, stray, 5)
    flat = (low == high).all(axis=1)
    slightly = (np.abs(layers[stray].astype(np.int32) - low.astype(np.int32)) <= BLUR_GAP).all(axis=1)
    return float((flat & slightly).mean())


def _distinct(values: NDArray[Any]) -> int:
    # one number per colour: np.unique over rows sorts structured records, ten times slower
    keys = values.astype(np.int64) @ (1 << 16 * np.arange(values.shape[1], dtype=np.int64)[:3].clip(max=2))
    return len(np.unique(keys))
