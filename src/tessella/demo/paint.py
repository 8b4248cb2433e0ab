"""From outlines to a photo: textures, shadows, haze and sensor noise, the same for the same seed."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from tessella.demo.scene import CLOUD

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.random import Generator
    from numpy.typing import NDArray

    from tessella.demo.scene import Region, Scene

_SCALE: Final = 2
"""The photo is painted at twice its size and shrunk, which softens edges as a lens does."""

_FIELDS: Final = ((112, 128, 62), (148, 140, 82), (92, 116, 58), (168, 152, 104), (126, 104, 72), (104, 138, 74))
_ROOFS: Final = ((158, 82, 64), (128, 122, 120), (186, 176, 164), (108, 72, 62), (140, 100, 84))
_ROADS: Final = ((118, 118, 120), (134, 132, 130), (150, 134, 112))
_WATERS: Final = ((48, 72, 84), (58, 88, 82), (40, 62, 92))
_PAINT: Final = (214, 212, 204)
_CROWNS: Final = ((44, 78, 40), (58, 90, 44), (38, 66, 44), (74, 98, 48))


@dataclass(frozen=True, slots=True)
class _Window:
    """The part of the canvas that a region can touch, in canvas pixels."""

    top: int
    left: int
    hw: tuple[int, int]

    @classmethod
    def around(cls, outline_xy: NDArray[np.float64], canvas_hw: tuple[int, int], margin: float) -> _Window:
        low = np.floor(outline_xy.min(axis=0) * _SCALE - margin)
        high = np.ceil(outline_xy.max(axis=0) * _SCALE + margin)
        left, top = (int(v) for v in np.clip(low, 0, (canvas_hw[1] - 1, canvas_hw[0] - 1)))
        right, bottom = (int(v) for v in np.clip(high, (left + 1, top + 1), canvas_hw[::-1]))
        return cls(top, left, (bottom - top, right - left))

    def of(self, canvas: NDArray[np.float32]) -> NDArray[np.float32]:
        return canvas[self.top : self.top + self.hw[0], self.left : self.left + self.hw[1]]

    def points(self, points_xy: NDArray[np.float64]) -> NDArray[np.float64]:
        return points_xy * _SCALE - (self.left, self.top)

    def along(self, angle: float, centre_xy: NDArray[np.float64] | None = None) -> NDArray[np.float32]:
        """Return the (H, W) distance along a direction, in canvas pixels from `centre_xy` (or the canvas corner)."""
        x0, y0 = (0.0, 0.0) if centre_xy is None else centre_xy * _SCALE
        x = np.arange(self.left, self.left + self.hw[1], dtype=np.float32) - np.float32(x0)
        y = np.arange(self.top, self.top + self.hw[0], dtype=np.float32) - np.float32(y0)
        return np.asarray(x * np.float32(np.cos(angle)) + y[:, None] * np.float32(np.sin(angle)), np.float32)


def paint(scene: Scene) -> NDArray[np.uint8]:
    """Paint a scene.

    Args:
        scene: What to paint; its seed decides the textures.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    import cv2

    rng = np.random.default_rng([scene.seed, 2])
    canvas_hw = (scene.hw[0] * _SCALE, scene.hw[1] * _SCALE)
    canvas = np.zeros((*canvas_hw, 3), np.float32)
    for region in scene.regions:
        if region.height > 0:
            _cast_shadow(canvas, region, scene.sun)
        soft = 7.0 if region.label == CLOUD else 0.0
        window = _Window.around(region.outline_xy, canvas_hw, margin=4 + 3 * soft)
        part = window.of(canvas)
        look = _LOOKS[region.label](rng, region, window)
        part += _cover(window, region.outline_xy, blur_px=soft)[..., None] * (look - part)
    small = cv2.resize(canvas, scene.hw[::-1], interpolation=cv2.INTER_AREA)
    return _photograph(rng, np.asarray(small, np.float32))


def _field(rng: Generator, region: Region, window: _Window) -> NDArray[np.float32]:
    rows = np.sin(window.along(region.axis) * np.float32(0.35 + 0.5 * region.style))
    strength = 9.0 * (region.style > 0.4)
    return _tint(
        _pick(_FIELDS, region.style),
        strength * rows + 14 * _cloudy(rng, window.hw, 34) + 6 * _cloudy(rng, window.hw, 6),
    )


def _road(rng: Generator, region: Region, window: _Window) -> NDArray[np.float32]:
    import cv2

    look = _tint(_pick(_ROADS, region.style), 6 * _cloudy(rng, window.hw, 12) + 4 * _cloudy(rng, window.hw, 3))
    if region.style < 0.6 and region.centreline_xy is not None:  # asphalt carries a dashed line, gravel does not
        line = window.points(region.centreline_xy)
        for start, stop in itertools.pairwise(line):
            for share in (0.0, 0.5):
                first, last = start + (stop - start) * share, start + (stop - start) * (share + 0.28)
                cv2.line(look, np.round(first).astype(int).tolist(), np.round(last).astype(int).tolist(), _PAINT, 2)
    return look


def _roof(rng: Generator, region: Region, window: _Window) -> NDArray[np.float32]:
    across = window.along(region.axis + np.pi / 2, region.outline_xy.mean(axis=0))
    tiles = np.sin(window.along(region.axis) * np.float32(1.4))
    return _tint(_pick(_ROOFS, region.style), 13 * np.sign(across) + 4 * tiles + 5 * _cloudy(rng, window.hw, 4))


def _crown(rng: Generator, region: Region, window: _Window) -> NDArray[np.float32]:
    light = -window.along(0.8, region.outline_xy.mean(axis=0)) / np.float32(4 * region.height + 1)
    return _tint(_pick(_CROWNS, region.style), 9 * np.clip(light, -1.5, 1.5) + 15 * _cloudy(rng, window.hw, 4))


def _water(rng: Generator, region: Region, window: _Window) -> NDArray[np.float32]:
    ripple = np.sin(window.along(0.6) * np.float32(0.8) + 3 * _cloudy(rng, window.hw, 14))
    return _tint(_pick(_WATERS, region.style), 2.5 * ripple + 7 * _cloudy(rng, window.hw, 40))


def _cloud(rng: Generator, region: Region, window: _Window) -> NDArray[np.float32]:
    return _tint((228, 230, 234), 10 * _cloudy(rng, window.hw, 16) + np.float32(4 * region.style))


_LOOKS: Final[dict[str, Callable[[Generator, Region, _Window], NDArray[np.float32]]]] = {
    "field": _field,
    "road": _road,
    "building": _roof,
    "tree": _crown,
    "water": _water,
    CLOUD: _cloud,
}


def _pick(colours: tuple[tuple[int, int, int], ...], style: float) -> tuple[int, int, int]:
    return colours[int(style * 997) % len(colours)]


def _tint(colour: tuple[int, int, int], light: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.array(colour, np.float32) + light[..., None].astype(np.float32, copy=False)


def _cloudy(rng: Generator, hw: tuple[int, int], grain: int) -> NDArray[np.float32]:
    """Return smooth (H, W) noise of about unit strength whose patches are some `grain` canvas pixels wide."""
    import cv2

    # white noise on a grid twice as fine as the patches, then blurred: cubic interpolation alone shows its lattice
    step = max(1, grain // 2)
    coarse = rng.standard_normal((hw[0] // step + 4, hw[1] // step + 4), np.float32)
    smooth = cv2.GaussianBlur(coarse, (0, 0), 1.1) * np.float32(3.9)
    return np.asarray(cv2.resize(smooth, (hw[1], hw[0]), interpolation=cv2.INTER_LINEAR), np.float32)


def _cover(window: _Window, outline_xy: NDArray[np.float64], *, blur_px: float = 0) -> NDArray[np.float32]:
    """Return how much of each pixel of the window an outline covers, 0..1, softened by `blur_px`."""
    import cv2

    cover = np.zeros(window.hw, np.uint8)
    # 4 fractional bits: outlines fall between pixels, and OpenCV's pixel centres are at whole numbers
    corners = np.round((window.points(outline_xy) - 0.5) * 16).astype(np.int32)
    cv2.fillPoly(cover, [corners], 255, lineType=cv2.LINE_AA, shift=4)
    soft = cv2.GaussianBlur(cover, (0, 0), blur_px) if blur_px else cover
    return soft.astype(np.float32) / np.float32(255)


def _cast_shadow(canvas: NDArray[np.float32], region: Region, sun: float) -> None:
    import cv2

    away = np.array([np.cos(sun), np.sin(sun)]) * region.height
    both = np.concatenate([region.outline_xy, region.outline_xy + away]).astype(np.float32)
    hull = cv2.convexHull(both).reshape(-1, 2).astype(np.float64)
    window = _Window.around(hull, (canvas.shape[0], canvas.shape[1]), margin=8)
    part = window.of(canvas)
    part *= (1 - 0.5 * _cover(window, hull, blur_px=1.6))[..., None]


def _photograph(rng: Generator, scene: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Give the picture what a camera adds: uneven light, a colour cast, haze, exposure and noise."""
    import cv2

    hw = (scene.shape[0], scene.shape[1])
    light = 1 + 0.05 * _cloudy(rng, hw, 180)[..., None]
    cast = rng.normal(1, 0.03, 3).astype(np.float32)
    haze = np.float32(rng.uniform(0, 0.12))
    seen = scene * light * cast * np.float32(rng.uniform(0.88, 1.14))
    seen = seen * (1 - haze) + np.array((176, 186, 198), np.float32) * haze
    seen = np.asarray(cv2.GaussianBlur(seen, (0, 0), 0.5), np.float32)
    seen += rng.normal(0, 3.2, seen.shape).astype(np.float32)
    return np.asarray(np.clip(seen, 0, 255).round(), np.uint8)
