"""Aerial scenes as outlines: parcels, a river or lake, roads, houses along them, trees, and a cloud now and then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

CLASSES: Final = {
    "field": (196, 186, 120),
    "road": (110, 110, 116),
    "building": (205, 80, 60),
    "tree": (30, 105, 45),
    "water": (60, 110, 190),
}
"""Names and colours, in id order."""

CLOUD: Final = "__ignore__"


@dataclass(frozen=True, slots=True)
class Region:
    """One outlined thing in a scene.

    Args:
        label: A name of `CLASSES`, or `CLOUD`.
        outline_xy: (N, 2) float64 pixels, x right, y down.
        height: How tall it is, in pixels of shadow; 0 for flat things.
        style: Which of several looks to paint it in, 0..1.
        axis: Direction of its texture (rows of a field, ridge of a roof), radians.
        centreline_xy: For roads, the (N, 2) middle line.
    """

    label: str
    outline_xy: NDArray[np.float64]
    height: float = 0.0
    style: float = 0.0
    axis: float = 0.0
    centreline_xy: NDArray[np.float64] | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """A scene in drawing order: later regions lie over earlier ones.

    Args:
        hw: Height and width in pixels.
        regions: What is seen, ground first.
        sun: Direction in which shadows fall, radians.
        seed: The seed of the picture's texture.
    """

    hw: tuple[int, int]
    regions: tuple[Region, ...]
    sun: float
    seed: int = 0


def compose(seed: int, *, hw: tuple[int, int] = (256, 320)) -> Scene:
    """Draw up a scene.

    Args:
        seed: The same seed gives the same scene.
        hw: Height and width in pixels.

    Returns:
        The scene; its first region is a field that covers everything, so no pixel is left without a class.
    """
    rng = np.random.default_rng([seed, 1])
    parcels = _parcels(rng, hw)
    water = _water(rng, hw)
    roads = _roads(rng, hw)
    # houses and trees keep off roads and water: their centres are drawn until they do
    blocked = [region.outline_xy for region in (*roads, *water)]
    houses = _houses(rng, hw, roads=roads, blocked=blocked)
    trees = _trees(rng, hw, blocked=[*blocked, *(house.outline_xy for house in houses)])
    clouds = [Region(CLOUD, _blob(rng, _anywhere(rng, hw), rng.uniform(18, 34)))] if rng.random() < 0.2 else []
    return Scene(hw, (*parcels, *water, *roads, *trees, *houses, *clouds), float(rng.uniform(0, 2 * np.pi)), seed)


def _parcels(rng: Generator, hw: tuple[int, int]) -> list[Region]:
    height, width = hw
    everything = np.array([(0, 0), (width, 0), (width, height), (0, height)], float)
    pieces = [everything]
    for _ in range(int(rng.integers(3, 7))):
        largest = max(range(len(pieces)), key=lambda index: _area(pieces[index]))
        piece = pieces.pop(largest)
        point = piece.mean(axis=0) + rng.normal(0, 12, 2)
        angle = rng.uniform(0, np.pi)
        normal = np.array([np.cos(angle), np.sin(angle)])
        pieces += [half for side in (1, -1) if len(half := _clip(piece, point, side * normal)) >= 3]
    grounds = [Region("field", everything, style=float(rng.random()))]
    return grounds + [Region("field", p, style=float(rng.random()), axis=rng.uniform(0, np.pi)) for p in pieces]


def _water(rng: Generator, hw: tuple[int, int]) -> list[Region]:
    if rng.random() < 0.45:
        river, middle = _strip(rng, hw, rng.uniform(22, 40), bend=46)
        return [Region("water", river, style=float(rng.random()), centreline_xy=middle)]
    size = rng.uniform(26, 52)
    return [Region("water", _blob(rng, _anywhere(rng, hw), size, wobble=0.2), style=float(rng.random()))]


def _roads(rng: Generator, hw: tuple[int, int]) -> list[Region]:
    roads = []
    for number in range(int(rng.integers(1, 4))):
        strip, middle = _strip(rng, hw, rng.uniform(9, 15) if number == 0 else rng.uniform(7, 10), bend=20)
        roads.append(Region("road", strip, style=float(rng.random()), centreline_xy=middle))
    return roads


def _houses(
    rng: Generator, hw: tuple[int, int], *, roads: list[Region], blocked: list[NDArray[np.float64]]
) -> list[Region]:
    houses: list[Region] = []
    for _ in range(int(rng.integers(60, 140))):
        if len(houses) >= 16:
            break
        middle = roads[int(rng.integers(len(roads)))].centreline_xy
        if middle is None:
            continue
        at = int(rng.integers(len(middle) - 1))
        along = middle[at + 1] - middle[at]
        angle = float(np.arctan2(along[1], along[0]))
        aside = rng.choice((-1, 1)) * rng.uniform(19, 36)
        centre = middle[at] + aside * np.array([-np.sin(angle), np.cos(angle)])
        outline = _house(rng, centre, angle + rng.normal(0, 0.05))
        taken = [*blocked, *(house.outline_xy for house in houses)]
        if _inside_frame(centre, hw) and not _touches(outline, taken):
            houses.append(Region("building", outline, rng.uniform(4, 9), float(rng.random()), angle))
    return houses


def _house(rng: Generator, centre: NDArray[np.float64], angle: float) -> NDArray[np.float64]:
    length, depth = rng.uniform(16, 30), rng.uniform(12, 18)
    corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)], float) * (length / 2, depth / 2)
    if rng.random() < 0.3:  # an L: one corner is cut out
        cut_x, cut_y = length * rng.uniform(0.1, 0.3), depth * rng.uniform(0.0, 0.2)
        x, y = length / 2, depth / 2
        corners = np.array([(-x, -y), (x, -y), (x, cut_y), (cut_x, cut_y), (cut_x, y), (-x, y)])
    turn = np.array([(np.cos(angle), np.sin(angle)), (-np.sin(angle), np.cos(angle))])
    return np.asarray(corners @ turn + centre, np.float64)


def _trees(rng: Generator, hw: tuple[int, int], *, blocked: list[NDArray[np.float64]]) -> list[Region]:
    trees: list[Region] = []
    groves = [_anywhere(rng, hw) for _ in range(int(rng.integers(2, 5)))]
    for _ in range(int(rng.integers(18, 42))):
        grove = groves[int(rng.integers(len(groves)))]
        centre = grove + rng.normal(0, 20, 2) if rng.random() < 0.8 else _anywhere(rng, hw)
        radius = rng.uniform(5, 12)
        crown = _blob(rng, centre, radius, wobble=0.12)
        if _inside_frame(centre, hw) and not _touches(crown, blocked):
            trees.append(Region("tree", crown, radius * 0.7, float(rng.random())))
    return trees


def _strip(
    rng: Generator, hw: tuple[int, int], width_px: float, *, bend: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the outline and the middle line of a band that crosses a good part of the scene."""
    height, width = hw
    frame = np.array([(0, 0), (width, 0), (width, height), (0, height)], float)
    while True:
        middle = np.array([width, height]) / 2 + rng.normal(0, (width / 5, height / 5))
        angle = rng.uniform(0, np.pi)
        along = np.array([np.cos(angle), np.sin(angle)])
        across = np.array([-along[1], along[0]])
        steps = np.linspace(-1.2, 1.2, 25)
        sway = bend * np.sin(steps * rng.uniform(1.0, 2.4) + rng.uniform(0, 2 * np.pi))
        line = middle + np.outer(steps * max(hw), along) + np.outer(sway, across)
        tangent = np.gradient(line, axis=0)
        tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
        normal = np.stack([-tangent[:, 1], tangent[:, 0]], axis=1) * width_px / 2
        outline = _clip_to(np.concatenate([line + normal, (line - normal)[::-1]]), frame)
        if len(outline) >= 3 and _area(outline) > min(hw) * width_px / 2:
            return outline, line


def _blob(rng: Generator, centre: NDArray[np.float64], radius: float, *, wobble: float = 0.15) -> NDArray[np.float64]:
    turns = np.linspace(0, 2 * np.pi, 22, endpoint=False)
    reach = np.full(len(turns), radius)
    for k in (2, 3, 5):
        reach += radius * rng.normal(0, wobble / k) * np.cos(k * turns + rng.uniform(0, 2 * np.pi))
    outline = centre + reach[:, None] * np.stack([np.cos(turns), np.sin(turns)], axis=1)
    return np.asarray(outline, np.float64)


def _anywhere(rng: Generator, hw: tuple[int, int]) -> NDArray[np.float64]:
    return rng.uniform((0.1, 0.1), (0.9, 0.9)) * (hw[1], hw[0])


def _inside_frame(centre: NDArray[np.float64], hw: tuple[int, int], margin: float = 18) -> bool:
    x, y = centre
    return bool(margin < x < hw[1] - margin and margin < y < hw[0] - margin)


def _touches(outline: NDArray[np.float64], others: list[NDArray[np.float64]], gap: float = 3.0) -> bool:
    import cv2

    points = [(float(x), float(y)) for x, y in outline]
    return any(
        cv2.pointPolygonTest(other.astype(np.float32), point, measureDist=True) > -gap
        for other in others
        if len(other) >= 3
        for point in points
    )


def _area(outline: NDArray[np.float64]) -> float:
    x, y = outline.T
    return abs(float(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1)))) / 2


def _clip(outline: NDArray[np.float64], point: NDArray[np.float64], normal: NDArray[np.float64]) -> NDArray[np.float64]:
    """Keep the part of a polygon on the side of a line that `normal` points to (Sutherland and Hodgman, 1974)."""
    if len(outline) == 0:
        return outline
    side = (outline - point) @ normal
    kept = []
    for index in range(len(outline)):
        here, there = outline[index - 1], outline[index]
        before, after = side[index - 1], side[index]
        if (before >= 0) != (after >= 0):
            kept.append(here + (there - here) * before / (before - after))
        if after >= 0:
            kept.append(there)
    return np.array(kept).reshape(-1, 2)


def _clip_to(outline: NDArray[np.float64], frame: NDArray[np.float64]) -> NDArray[np.float64]:
    for index in range(len(frame)):
        edge = frame[index] - frame[index - 1]
        outline = _clip(outline, frame[index], np.array([-edge[1], edge[0]]))
    return outline
