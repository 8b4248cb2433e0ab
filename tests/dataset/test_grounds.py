"""The sweep over footprints against comparing all with all, by a clip of its own."""

from typing import NamedTuple

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from rasterio.transform import Affine

from tessella.dataset.grounds import TOUCH_PX, Overlap, overlaps


class Footprint(NamedTuple):
    affine: tuple[float, ...]
    hw: tuple[int, int]
    rank: int


def met(prints: list[Footprint]) -> tuple[list[Overlap], list[Overlap]]:
    affines, hw, ranks = ([one[column] for one in prints] for column in range(3))
    return overlaps(np.array(affines, np.float64), np.array(hw, np.float64), np.array(ranks))


def footprint(rng: np.random.Generator, *, turned: bool) -> Footprint:
    place = Affine.translation(*rng.uniform(0, 400, 2)) @ Affine.rotation(float(rng.uniform(0, 360)) * turned)
    scale = Affine.scale(float(rng.uniform(0.5, 2)), -float(rng.uniform(0.5, 2)))
    height, width = rng.integers(8, 120, 2).tolist()
    return Footprint(tuple(place @ scale)[:6], (height, width), int(rng.integers(0, 2)))


@given(st.integers(0, 2**32 - 1), st.booleans())
def test_the_sweep_finds_what_comparing_all_with_all_finds(seed: int, turned: bool) -> None:
    rng = np.random.default_rng(seed)
    prints = [footprint(rng, turned=turned) for _ in range(30)]
    shapes = [_outline(one) for one in prints]
    scales = [abs(a * e - b * d) for a, b, _, d, e, _ in (one.affine for one in prints)]
    inside, across = met(prints)
    for one, mine in enumerate(prints):
        for kind, kept, others in (
            ("inside", inside, [n for n, other in enumerate(prints) if other.rank == mine.rank and n != one]),
            ("across", across, [n for n, other in enumerate(prints) if other.rank < mine.rank]),
        ):
            areas = [_shared(shapes[one], shapes[other]) / scales[one] for other in others]
            (said,) = [overlap.pixels for overlap in kept if overlap.one == one] or [0.0]
            assert min(abs(said - area) for area in [0.0, *areas]) <= 1e-3 * said, kind
            # a pair that is a few pixels of the coarser photo wide may be taken for one that touches
            surely = [area for area in areas if area > 8 * TOUCH_PX * max(mine.hw)]
            assert said >= 0.999 * max(surely, default=0), kind


def _outline(one: Footprint) -> np.ndarray:
    """The corners, counterclockwise."""
    affine, (height, width) = Affine(*one.affine), one.hw
    corners = np.array([affine @ corner for corner in ((0, 0), (width, 0), (width, height), (0, height))])
    return corners if affine.determinant > 0 else corners[::-1]


def _shared(one: np.ndarray, other: np.ndarray) -> float:
    """The area of two convex outlines: one is cut along each side of the other (Sutherland and Hodgman, 1974)."""
    left = list(one)
    for start, end in zip(other, np.roll(other, -1, axis=0), strict=True):
        side = end - start
        height = [float(side[0] * (p[1] - start[1]) - side[1] * (p[0] - start[0])) for p in left]
        cut = []
        for place, (point, here) in enumerate(zip(left, height, strict=True)):
            before, there = left[place - 1], height[place - 1]
            if (here < 0) != (there < 0):
                cut.append(before + (point - before) * (there / (there - here)))
            if here >= 0:
                cut.append(point)
        left = cut
    if not left:
        return 0.0
    x, y = (np.array(left) - left[0]).T
    return float(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2


def test_nothing_and_one_photo_overlap_nothing() -> None:
    one = Footprint((1, 0, 0, 0, -1, 0), (9, 9), 0)
    assert met([]) == met([one]) == ([], [])
    assert met([one, one])[0] == [Overlap(0, 1, 81.0), Overlap(1, 0, 81.0)]
