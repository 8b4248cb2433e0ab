"""The geometry of a crop: one map from output to source coordinates, applied to pixels and labels alike.

Coordinates are continuous, (x, y) with (0, 0) the outer corner of the first pixel, so that pixel centres lie at
half-integers (the convention of `core/annotation.py`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tessella.augment.warp import resize_window, turn, warp

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tessella.core.image import Pixels
    from tessella.recipe.plan import AugmentPlan

ELASTIC_CELL_PX = 64
"""Distance of the control points of an elastic deformation, in pixels of the crop."""

ELASTIC_PX = 10.0
"""Largest shift of a control point. Neighbours differ by at most 20 px over 64, so that nothing folds over."""


@dataclass(frozen=True, slots=True, eq=False)
class Geometry:
    """One draw.

    Args:
        crop_hw: Height and width of the crop in pixels.
        linear: (2, 2) float64, output offset (x, y) from the crop's centre to source offset from `centre_xy`.
        centre_xy: Where the crop's centre lies in the source, in continuous coordinates.
        turns: Quarter turns of the crop, counter-clockwise, 0..3; part of `linear`.
        flip: Whether the crop is mirrored left-right after turning; part of `linear`.
        scale: Zoom: 2 shows source pixels twice as large.
        is_upright: Whether `linear` is made of scale, turns and flips alone.
        shifts_px: (rows, columns, 2) float32 elastic shifts (x, y) of control points in crop pixels, or None.
    """

    crop_hw: tuple[int, int]
    linear: NDArray[np.float64]
    centre_xy: tuple[float, float]
    turns: int
    flip: bool
    scale: float
    is_upright: bool
    shifts_px: NDArray[np.float32] | None


def draw_geometry(
    plan: AugmentPlan, rng: np.random.Generator, *, hw: tuple[int, int], focus: tuple[int, int] | None
) -> Geometry:
    """Draw where the crop lies and how it is scaled, turned and bent.

    Args:
        plan: Ranges and probabilities.
        rng: Source of chance.
        hw: Size of the photo.
        focus: (row, column) of a pixel that the crop shall contain, or None.
    """
    low, high = plan.scale
    scale = math.exp(rng.uniform(math.log(low), math.log(high)))
    mirrored, upside_down = rng.random() < plan.flip_horizontal, rng.random() < plan.flip_vertical
    turns = int(rng.integers(1, 4)) if rng.random() < plan.right_angles else 0
    angle = math.radians(rng.uniform(-1, 1) * plan.rotate_degrees)
    shear = math.tan(math.radians(rng.uniform(-1, 1) * plan.shear_degrees))
    bent = rng.random() < plan.elastic
    # upside down = mirrored and turned by 180 degrees, so that one flag and the turns say it all
    flip, turns = mirrored != upside_down, (turns + 2 * upside_down) % 4
    is_upright = plan.rotate_degrees == 0 and plan.shear_degrees == 0 and not bent
    crop_h, crop_w = plan.crop_hw
    extent_xy = np.array([crop_h, crop_w] if turns % 2 else [crop_w, crop_h]) / (2 * scale)
    centre = [
        _place(rng, length, extent, None if focus is None else focus[1 - axis] + 0.5)
        for axis, (length, extent) in enumerate(zip(hw[::-1], extent_xy, strict=True))
    ]
    cosine, sine = math.cos(angle), math.sin(angle)
    free = np.array([[cosine, -sine], [sine, cosine]]) @ np.array([[1.0, shear], [0.0, 1.0]])
    linear = free @ _quarter_turns(turns) @ np.diag([-1.0 if flip else 1.0, 1.0]) / scale
    if focus is not None and not is_upright:
        centre = _keep(focus, centre, linear, crop_hw=plan.crop_hw, margin=ELASTIC_PX if bent else 1.0)
    return Geometry(
        crop_hw=(crop_h, crop_w),
        linear=linear,
        centre_xy=(centre[0], centre[1]),
        turns=turns,
        flip=flip,
        scale=scale,
        is_upright=is_upright,
        shifts_px=_draw_shifts(rng, plan.crop_hw) if bent else None,
    )


def move(image: Pixels, ids: NDArray[np.uint8], geometry: Geometry) -> tuple[Pixels, NDArray[np.uint8]]:
    """Apply one draw to pixels and labels.

    Args:
        image: (H, W, C) pixels.
        ids: (H, W) uint8.
        geometry: The draw.

    Returns:
        (h, w, C) pixels and (h, w) ids of the crop's size.
    """
    if not geometry.is_upright:
        return warp(image, ids, geometry)
    return _cut(image, ids, geometry)


def _cut(image: Pixels, ids: NDArray[np.uint8], geometry: Geometry) -> tuple[Pixels, NDArray[np.uint8]]:
    """Scale, turn and flip without a general warp, which costs four times as much.

    The window is snapped to whole source pixels, so that both resizes map it exactly.
    """
    crop_h, crop_w = geometry.crop_hw
    # what is cut from the source before it is turned
    cut_hw = (crop_w, crop_h) if geometry.turns % 2 else (crop_h, crop_w)
    window_hw = [max(1, round(length / geometry.scale)) for length in cut_hw]
    x, y = geometry.centre_xy
    top, left = round(y - window_hw[0] / 2), round(x - window_hw[1] / 2)
    pixels, labels = resize_window(
        image, ids, window=(top, left, top + window_hw[0], left + window_hw[1]), out_hw=cut_hw
    )
    return turn(pixels, geometry).reshape(crop_h, crop_w, -1), turn(labels, geometry)


def _quarter_turns(turns: int) -> NDArray[np.float64]:
    """Return the map from output to source offsets of `np.rot90(array, turns)`."""
    # rot90 shows at its top the source's right column: output (x, y) lies at source (-y, x)
    return np.linalg.matrix_power(np.array([[0.0, -1.0], [1.0, 0.0]]), turns)


def _place(rng: np.random.Generator, length: int, extent: float, focus: float | None) -> float:
    """Draw the crop's centre along one axis.

    The crop stays inside the photo; one that is larger contains the whole photo. With a focus, it also contains that.

    Args:
        rng: Source of chance.
        length: Of the photo, in pixels.
        extent: Half of the crop, in source pixels.
        focus: Continuous coordinate to contain, or None.
    """
    low, high = sorted((extent, length - extent))
    if focus is not None:
        reach = max(0.0, extent - 1)
        low, high = (min(max(edge, low), high) for edge in (focus - reach, focus + reach))
    return float(rng.uniform(low, high)) if low < high else low


def _keep(
    focus: tuple[int, int],
    centre: list[float],
    linear: NDArray[np.float64],
    *,
    crop_hw: tuple[int, int],
    margin: float,
) -> list[float]:
    """Move the centre by as little as is needed for a rotated crop, whose corners look elsewhere, to see its focus."""
    point = np.array([focus[1] + 0.5, focus[0] + 0.5])
    half = np.array([crop_hw[1], crop_hw[0]]) / 2
    offset = np.linalg.solve(linear, point - centre)
    kept = np.clip(offset, np.minimum(margin - half, 0), np.maximum(half - margin, 0))
    moved = point - linear @ kept
    return [float(moved[0]), float(moved[1])]


def _draw_shifts(rng: np.random.Generator, crop_hw: tuple[int, int]) -> NDArray[np.float32]:
    rows, columns = (max(2, math.ceil(length / ELASTIC_CELL_PX) + 1) for length in crop_hw)
    return rng.uniform(-ELASTIC_PX, ELASTIC_PX, (rows, columns, 2)).astype(np.float32)
