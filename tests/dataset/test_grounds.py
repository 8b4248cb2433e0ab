"""The sweep over footprints against comparing all with all, by a clip of its own."""

import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rasterio.transform import Affine

from data.geo import HERE, tiles
from tessella.dataset import grounds
from tessella.dataset.grounds import TOUCH_PX, Overlap, on_shared_ground, overlaps
from tessella.files.geo.ground import Ground
from tessella.formats.listing import Record


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


def pieces(pairs: list[tuple[int, int]], count: int) -> int:
    """How many groups are left once those of each pair are one; every pair must join two that were apart."""
    above = list(range(count))
    for pair in pairs:
        first, second = (above[one] for one in pair)
        assert first != second
        above = [first if top == second else top for top in above]
    return len(set(above))


def placed(monkeypatch: pytest.MonkeyPatch, prints: list[tuple[tuple, tuple]]) -> list[Record]:
    """Records whose photos are nowhere but in memory."""
    monkeypatch.setattr(grounds, "read_ground", lambda path: Ground("EPSG:32616", prints[int(path.stem)][0]))
    monkeypatch.setattr(grounds, "read_hw", lambda path: prints[int(path.stem)][1])
    return [Record(str(number), Path(f"{number}.tif"), None) for number in range(len(prints))]


def test_a_photo_that_lies_over_a_hundred_tiles_stays_with_all_of_them(tmp_path: Path) -> None:
    places = {f"set/t{row}{column}": (70 * column, 50 * row) for row in range(10) for column in range(10)}
    tiles(tmp_path, places)
    (tmp_path / "whole").mkdir()
    tiles(tmp_path / "whole", {"set/whole": (0, 0)}, transform=HERE @ Affine.scale(15))
    photos = [*sorted((tmp_path / "set/images").iterdir()), tmp_path / "whole/set/images/whole.tif"]
    pairs = on_shared_ground([Record(path.stem, path, None) for path in photos])
    assert (len(photos), len(pairs), pieces(pairs, 101)) == (101, 100, 1)
    assert on_shared_ground([Record(path.stem, path, None) for path in photos[:-1]]) == []


def test_one_turned_tile_among_them_hides_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    prints = [((1, 0, 110 * column, 0, -1, -110 * row), (100, 100)) for row in range(10) for column in range(10)]
    prints[37] = (tuple(Affine(*prints[37][0]) @ Affine.rotation(20))[:6], (60, 60))
    prints.append(((1, 0, 0, 0, -1, 0), (1100, 1100)))
    pairs = on_shared_ground(placed(monkeypatch, prints))
    assert pieces(pairs, 101) == 1


def test_a_photo_that_lies_over_thousands_of_tiles_is_compared_with_all_of_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tiles_xy = [((1, 0, 12 * column, 0, -1, -12 * row), (10, 10)) for row in range(80) for column in range(80)]
    prints = [*tiles_xy, ((1, 0, 0, 0, -1, 0), (960, 960))]
    pairs = on_shared_ground(placed(monkeypatch, prints))
    assert (len(pairs), pieces(pairs, 6401)) == (6400, 1)
    _, across = met([Footprint(*one, 1 - number // 6400) for number, one in enumerate(prints)])
    assert [(one.one, one.pixels) for one in across] == [(number, 100.0) for number in range(6400)]


@given(st.integers(0, 2**32 - 1))
def test_the_groups_are_those_of_all_pairs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    prints = [footprint(rng, turned=False) for _ in range(25)]
    with pytest.MonkeyPatch.context() as patch:
        pairs = on_shared_ground(placed(patch, [(one.affine, one.hw) for one in prints]))
    apart = [{number} for number in range(25)]
    for one in range(25):
        for other in range(one):
            if met([prints[one]._replace(rank=0), prints[other]._replace(rank=0)])[0]:
                mine, theirs = (next(group for group in apart if number in group) for number in (one, other))
                if mine is not theirs:
                    apart.remove(theirs)
                    mine |= theirs
    assert pieces(pairs, 25) == len(apart)


def test_thousands_of_photos_of_one_place_are_grouped_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    records = placed(monkeypatch, [((1, 0, 0, 0, -1, 0), (100, 100))] * 5000)
    started = time.perf_counter()
    pairs = on_shared_ground(records)
    assert time.perf_counter() - started < 10  # half a second; ten million pairs one by one take longer
    assert (len(pairs), pieces(pairs, 5000)) == (4999, 1)
