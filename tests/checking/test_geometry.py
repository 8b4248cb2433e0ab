import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tessella.checking.rules.shapes.geometry import clip_ring, overshoot
from tessella.checking.rules.turned import turn_points
from tessella.core.annotation import Shape
from tessella.files.images import orient
from tessella.formats.raster.rasterise import polygon_mask

coordinate = st.floats(-30, 60, allow_nan=False)
rings = st.lists(st.tuples(coordinate, coordinate), min_size=3, max_size=9).map(lambda points: np.array(points, float))


def _shape(*points: tuple[float, float], kind: str = "polygon") -> Shape:
    return Shape("road", kind, np.array(points, float))  # type: ignore[arg-type]


def test_a_square_half_outside_is_cut_to_its_inner_half() -> None:
    ring = clip_ring(np.array([[-10.0, 5], [10, 5], [10, 15], [-10, 15]]), (40, 60))
    assert sorted(map(tuple, ring)) == [(0, 5), (0, 15), (10, 5), (10, 15)]


def test_a_ring_wholly_outside_leaves_nothing() -> None:
    assert len(clip_ring(np.array([[70.0, 5], [90, 5], [80, 20]]), (40, 60))) == 0


def _distance_to_outline(ring: np.ndarray, xy: np.ndarray) -> float:
    start, along = ring, np.roll(ring, -1, axis=0) - ring
    length = np.maximum((along**2).sum(axis=1), 1e-300)
    at = np.clip(((xy - start) * along).sum(axis=1) / length, 0, 1)[:, None]
    return float(np.hypot(*(start + at * along - xy).T).min())


@given(ring=rings)
def test_clipping_changes_no_pixel_inside_the_photo(ring: np.ndarray) -> None:
    clipped = clip_ring(ring, (24, 32))
    expected = polygon_mask([ring], (24, 32))
    got = polygon_mask([clipped], (24, 32)) if len(clipped) >= 3 else np.zeros((24, 32), bool)
    # a centre that lies on an edge may fall to either side by the last bit of a crossing
    off = [(column + 0.5, row + 0.5) for row, column in np.argwhere(got != expected)]
    assert all(_distance_to_outline(ring, np.array(centre)) < 1e-6 for centre in off)


@given(ring=rings)
def test_a_clipped_ring_lies_inside(ring: np.ndarray) -> None:
    clipped = clip_ring(ring, (24, 32))
    if len(clipped):
        assert clipped.min() >= 0
        assert (clipped <= [32, 24]).all()


@pytest.mark.parametrize(
    ("points", "by"),
    [
        (((0, 0), (60, 0), (60, 40)), 0),
        (((0, 0), (60.77, 0), (60, 40)), 0.77),
        (((-3, 0), (60, 0), (60, 41)), 3),
        (((float("nan"), 0), (60, 45), (1, 1)), 5),
    ],
)
def test_the_overshoot_is_the_farthest_point_beyond_the_border(points: tuple, by: float) -> None:
    assert overshoot(_shape(*points), (40, 60)) == pytest.approx(by)


def test_a_circle_at_the_border_does_not_count_as_outside() -> None:
    assert overshoot(_shape((58, 20), (70, 20), kind="circle"), (40, 60)) == 0


@pytest.mark.parametrize("orientation", range(1, 9))
def test_points_turn_as_pixels_do(orientation: int) -> None:
    stored = np.zeros((20, 30), np.uint8)
    stored[4:9, 6:17] = 1
    corners = np.array([[6.0, 4], [17, 4], [17, 9], [6, 9]])
    upright = orient(stored, orientation)
    turned = polygon_mask([turn_points(corners, (20, 30), orientation)], upright.shape)
    assert np.array_equal(turned, upright.astype(bool))


def test_a_circle_at_the_border_is_fine_and_one_with_an_absurd_rim_reaches_beyond() -> None:
    assert overshoot(_shape((1, 1), (9, 1), kind="circle"), (40, 60)) == 0
    assert overshoot(_shape((1, 1), (1e300, 1), kind="circle"), (40, 60)) > 1e299
