"""The two ways a crop is sampled: a resized window, and a general warp; pixels and labels by the same map."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tessella.core.classes import IGNORE

if TYPE_CHECKING:
    from collections.abc import Callable

    from tessella.augment.geometry import Geometry
    from tessella.core.image import Pixels

Array = NDArray[Any]
"""Any of the dtypes of an image; OpenCV's own types do not say which."""


def resize_window(
    image: Pixels, ids: NDArray[np.uint8], *, window: tuple[int, int, int, int], out_hw: tuple[int, int]
) -> tuple[Pixels, NDArray[np.uint8]]:
    """Cut a window of whole pixels, which may reach outside the photo, and resize it.

    Args:
        image: (H, W, C) pixels.
        ids: (H, W) uint8.
        window: Top, left, bottom, right in pixels, overlapping the photo.
        out_hw: Height and width of the answer.

    Returns:
        (h, w, C) pixels (edge repeated outside) and (h, w) ids (IGNORE outside).
    """
    import cv2

    top, left, bottom, right = window
    inside = (slice(max(top, 0), min(bottom, ids.shape[0])), slice(max(left, 0), min(right, ids.shape[1])))
    patch: Array = image[inside]
    labels: Array = ids[inside]
    beyond = (inside[0].start - top, bottom - inside[0].stop, inside[1].start - left, right - inside[1].stop)
    if any(beyond):
        patch = cv2.copyMakeBorder(patch, *beyond, cv2.BORDER_REPLICATE).reshape(bottom - top, right - left, -1)
        labels = cv2.copyMakeBorder(labels, *beyond, cv2.BORDER_CONSTANT, value=IGNORE)
    # bilinear sees two source pixels; shrinking by more than two needs an average over all of them
    shrinks = bottom - top > 2 * out_hw[0] + 1 or right - left > 2 * out_hw[1] + 1
    pixels: Array = _shrink(patch, out_hw) if shrinks else cv2.resize(patch, out_hw[::-1]).reshape(*out_hw, -1)
    moved: Array = cv2.resize(labels, out_hw[::-1], interpolation=cv2.INTER_NEAREST_EXACT)
    return pixels, moved


def turn(array: Array, geometry: Geometry) -> Array:
    """Turn by quarter turns, then mirror where the draw says so.

    Args:
        array: (h, w) or (h, w, C).
        geometry: The draw.
    """
    import cv2

    # cv2 copies several times as fast as a reversed numpy view; OpenCV cannot transpose most pixels of over four bands
    if geometry.turns and array.ndim == 3 and array.shape[2] > 4:
        array = np.ascontiguousarray(np.rot90(array, geometry.turns))
    elif geometry.turns:
        how = (cv2.ROTATE_90_COUNTERCLOCKWISE, cv2.ROTATE_180, cv2.ROTATE_90_CLOCKWISE)[geometry.turns - 1]
        array = cv2.rotate(array, how)
    return cv2.flip(array, 1) if geometry.flip else array


def warp(image: Pixels, ids: NDArray[np.uint8], geometry: Geometry) -> tuple[Pixels, NDArray[np.uint8]]:
    """Sample the crop through its affine map, bent by the elastic shifts where there are any.

    Args:
        image: (H, W, C) pixels.
        ids: (H, W) uint8.
        geometry: The draw.

    Returns:
        (h, w, C) pixels (edge repeated outside) and (h, w) ids (IGNORE outside).
    """
    crop_h, crop_w = geometry.crop_hw
    # source = matrix @ (x, y, 1) of continuous crop coordinates
    matrix = np.empty((2, 3))
    matrix[:, :2] = geometry.linear
    matrix[:, 2] = np.array(geometry.centre_xy) - geometry.linear @ np.array([crop_w / 2, crop_h / 2])
    reach = 0.0 if geometry.shifts_px is None else float(np.abs(geometry.shifts_px).max()) * 1.5
    factor = max(1, math.floor(1 / geometry.scale + 1e-6))
    rows, columns = _footprint(
        matrix, geometry.crop_hw, reach=reach, margin=2 * factor, photo_hw=(ids.shape[0], ids.shape[1])
    )
    patch, labels = image[rows, columns], ids[rows, columns]
    matrix[:, 2] -= (columns.start, rows.start)
    sample = _affine_sampler if geometry.shifts_px is None else _bent_sampler
    # bilinear sees two source pixels; shrinking by more needs averages, of whole blocks so that the map stays exact
    reduced, shrunk = (_average(patch, factor), matrix / factor) if factor > 2 else (patch, matrix)
    moved_ids = sample(geometry, matrix, nearest=True)(labels)
    return _by_fours(sample(geometry, shrunk, nearest=False), reduced), moved_ids


def _footprint(
    matrix: NDArray[np.float64], crop_hw: tuple[int, int], *, reach: float, margin: int, photo_hw: tuple[int, int]
) -> tuple[slice, slice]:
    """Return the rows and columns of the photo that the crop can see (crop first: the rest is never touched).

    Args:
        matrix: (2, 3), crop to photo coordinates.
        crop_hw: Size of the crop.
        reach: How far an elastic shift can go, in crop pixels.
        margin: Photo pixels to keep around, so that inner edges are never interpolated as the photo's edge.
        photo_hw: Size of the photo.
    """
    crop_h, crop_w = crop_hw
    xs, ys = (-reach, crop_w + reach), (-reach, crop_h + reach)
    corners = np.array([[x, y, 1.0] for x in xs for y in ys]) @ matrix.T
    seen = []
    for length, low, high in zip(photo_hw[::-1], corners.min(0), corners.max(0), strict=True):
        first = min(max(math.floor(low) - margin, 0), length - 1)
        seen.append(slice(first, min(max(math.ceil(high) + margin, first + 1), length)))
    return seen[1], seen[0]


def _affine_sampler(geometry: Geometry, matrix: NDArray[np.float64], *, nearest: bool) -> Callable[[Array], Array]:
    """Return a function that warps one array of up to four bands."""
    import cv2

    # from continuous coordinates to OpenCV's, where pixel centres are whole numbers
    indices = matrix.copy()
    indices[:, 2] += matrix[:, :2].sum(1) * 0.5 - 0.5
    size = geometry.crop_hw[::-1]
    if nearest:
        flags, border = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP, cv2.BORDER_CONSTANT
    else:
        flags, border = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, cv2.BORDER_REPLICATE
    return lambda part: cv2.warpAffine(part, indices, size, flags=flags, borderMode=border, borderValue=IGNORE)


def _bent_sampler(geometry: Geometry, matrix: NDArray[np.float64], *, nearest: bool) -> Callable[[Array], Array]:
    """Return a function that warps one array of up to four bands through the bent map."""
    import cv2

    if geometry.shifts_px is None:
        return _affine_sampler(geometry, matrix, nearest=nearest)
    crop_h, crop_w = geometry.crop_hw
    bend = cv2.resize(geometry.shifts_px, (crop_w, crop_h), interpolation=cv2.INTER_CUBIC)
    x = bend[..., 0] + (np.arange(crop_w, dtype=np.float32) + 0.5)
    y = bend[..., 1] + (np.arange(crop_h, dtype=np.float32) + 0.5)[:, None]
    (xx, xy, x0), (yx, yy, y0) = matrix.astype(np.float32)
    map_x, map_y = xx * x + xy * y + (x0 - np.float32(0.5)), yx * x + yy * y + (y0 - np.float32(0.5))
    how, border = (cv2.INTER_NEAREST, cv2.BORDER_CONSTANT) if nearest else (cv2.INTER_LINEAR, cv2.BORDER_REPLICATE)
    return lambda part: cv2.remap(part, map_x, map_y, how, borderMode=border, borderValue=IGNORE)


def _average(patch: Array, factor: int) -> Array:
    """Average blocks of `factor` x `factor` pixels; the edge is repeated up to a whole block."""
    import cv2

    height, width = patch.shape[:2]
    below, right = -height % factor, -width % factor
    if below or right:
        patch = cv2.copyMakeBorder(patch, 0, below, 0, right, cv2.BORDER_REPLICATE).reshape(
            height + below, width + right, -1
        )
    return _shrink(patch, (patch.shape[0] // factor, patch.shape[1] // factor))


def _shrink(patch: Array, out_hw: tuple[int, int]) -> Array:
    """Resize (H, W, C) pixels so that each new one is the mean of all those it covers."""
    import cv2

    return _by_fours(lambda part: cv2.resize(part, out_hw[::-1], interpolation=cv2.INTER_AREA), patch)


def _by_fours(sample: Callable[[Array], Array], pixels: Array) -> Array:
    """Apply a sampler to any number of bands; OpenCV 4 warps and averages at most four at a time."""
    bands = pixels.shape[2]
    parts = [sample(pixels[..., first : first + 4] if bands > 4 else pixels) for first in range(0, bands, 4)]
    whole = [part[..., None] if part.ndim == 2 else part for part in parts]
    return whole[0] if len(whole) == 1 else np.concatenate(whole, axis=2)
