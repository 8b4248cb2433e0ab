"""COCO's rule against pycocotools, and the ways of filling against each other."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as pycoco

from tessella.core.annotation import Shape
from tessella.core.errors import LabelError
from tessella.formats.raster import scanline
from tessella.formats.raster.rasterise import draw, paint, polygon_mask
from tessella.formats.raster.scanline import Rings, fill, filled

# pycocotools' own arrays do not know NumPy 2's `copy`
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def by_pycocotools(rings, hw):
    flat = [ring.ravel().tolist() for ring in rings]
    return pycoco.decode(pycoco.merge(pycoco.frPyObjects(flat, *hw)))


def by_us(rings, hw):
    return draw([Shape("a", "polygon", ring) for ring in rings], [1] * len(rings), hw, ground=0, rule="coco")


def random_cases(count):
    """Polygons within, across and far outside the picture; whole, half and tenth pixels; twin points; several parts."""
    rng = np.random.default_rng(0)
    for number in range(count):
        hw = tuple(int(side) for side in rng.integers(1, 50, 2))
        reach = rng.choice([0.2, 3, 15, 60, 5000])
        rings = []
        for _ in range(rng.integers(1, 4)):
            ring = rng.uniform(-reach, reach, (rng.integers(3, 9), 2)) + rng.uniform(0, hw[::-1])
            ring = [ring, ring.round(), (ring * 2).round() / 2, ring.round(1)][number % 4]
            if number % 3 == 0:
                ring[1] = ring[0]
            rings.append(ring)
        yield rings, hw


def test_three_thousand_polygons_cover_the_pixels_of_pycocotools() -> None:
    for rings, hw in random_cases(3000):
        np.testing.assert_array_equal(by_us(rings, hw), by_pycocotools(rings, hw))


def test_polygons_of_coco_size_cover_the_pixels_of_pycocotools() -> None:
    rng = np.random.default_rng(1)
    for _ in range(60):
        angle = np.sort(rng.uniform(0, 2 * np.pi, rng.integers(8, 60)))
        radius = rng.uniform(5, 250) * rng.uniform(0.5, 1.5, angle.size)
        ring = np.stack([np.cos(angle), np.sin(angle)], axis=1) * radius[:, None] + rng.uniform(0, [640, 480])
        np.testing.assert_array_equal(by_us([ring.round(2)], (480, 640)), by_pycocotools([ring.round(2)], (480, 640)))


def test_the_corners_of_the_picture_are_as_in_pycocotools() -> None:
    for size in (1, 2, 5, 10):
        ring = np.array([[0, 0], [size, 0], [size, size], [0, size]], np.float64)
        for hw in ((size, size), (size + 3, size + 1), (max(size - 1, 1), size)):
            np.testing.assert_array_equal(by_us([ring], hw), by_pycocotools([ring], hw))


def test_a_hole_is_cut_out_by_cocos_rule_too() -> None:
    outer = np.array([[0, 0], [8, 0], [8, 8], [0, 8]], np.float64)
    hole = outer / 2 + 2
    ids = draw([Shape("a", "polygon", outer, holes=(hole,))], [1], (8, 8), ground=0, rule="coco")
    assert ids.sum() == 64 - 16
    np.testing.assert_array_equal(ids > 0, by_pycocotools([outer], (8, 8)) > by_pycocotools([hole], (8, 8)))


floats = st.floats(-4, 24, width=32)
ring_lists = st.lists(st.lists(st.tuples(floats, floats), min_size=3, max_size=6).map(np.array), min_size=1, max_size=6)


@given(rings=ring_lists, rule=st.sampled_from(["centre", "coco"]), seed=st.integers(0, 255))
def test_every_way_of_filling_gives_the_same_pixels(rings, rule, seed) -> None:
    shapes = [Rings([ring], value) for value, ring in enumerate(rings, start=1)]
    before = np.random.default_rng(seed).integers(0, 256, (18, 21)).astype(np.uint8)
    ways = []
    for dense, at_once, order in (
        (150, 1 << 20, "C"),
        (0, 1 << 20, "C"),
        (0, 1 << 20, "F"),
        (150, 4, "C"),
        (0, 4, "C"),
    ):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(scanline, "_DENSE", dense)
            patch.setattr(scanline, "_AT_ONCE", at_once)
            canvas = np.array(before, order=order)
            fill(canvas, shapes, rule=rule)
            ways.append(canvas)
    for canvas in ways[1:]:
        np.testing.assert_array_equal(canvas, ways[0])
    onto_ground = filled(before.shape, shapes, rule=rule, ground=99)
    untouched = np.full_like(before, 99)
    for shape in shapes:
        fill(untouched, [shape], rule=rule)
    np.testing.assert_array_equal(onto_ground, untouched)


def test_a_hundred_shapes_lie_over_each_other_in_order() -> None:
    rng = np.random.default_rng(0)
    shapes = [Shape("a", "rectangle", rng.uniform(0, 30, (2, 2))) for _ in range(100)]
    together = draw(shapes, range(100, 200), (30, 30), ground=7)
    one_by_one = np.full((30, 30), 7, np.uint8)
    for value, shape in enumerate(shapes, start=100):
        paint(one_by_one, shape, value=value)
    np.testing.assert_array_equal(together, one_by_one)


def test_kinds_lie_over_each_other_in_order_too() -> None:
    square = np.array([[0, 0], [12, 0], [12, 12], [0, 12]], np.float64)
    shapes = [
        Shape("a", "polygon", square),
        Shape("b", "point", np.array([[6.0, 6.0]])),
        Shape("c", "polygon", square / 3),
        Shape("d", "mask", np.array([[1.0, 1.0]]), mask=np.ones((2, 2), bool)),
    ]
    for rule in ("centre", "labelme", "coco"):
        ids = draw(shapes, [1, 2, 3, 4], (12, 12), ground=0, rule=rule)
        assert (ids[11, 11], ids[6, 6], ids[3, 3], ids[1, 1]) == (1, 2, 3, 4)
    assert draw(shapes, [1, 2, 3, 4], (12, 12), ground=0, rule="cvat")[6, 6] == 1, "CVAT's masks hold no points"


def test_a_scribble_is_filled_within_bounds_or_refused() -> None:
    count = 3000
    rng = np.random.default_rng(0)
    ring = np.stack([rng.uniform(0, 90, count), np.where(np.arange(count) % 2, 0.0, 400.0)], axis=1)
    assert 0.4 < polygon_mask([ring], (400, 90)).mean() < 0.6
    ring = np.stack([rng.uniform(0, 90, 40_000), np.where(np.arange(40_000) % 2, 0.0, 1000.0)], axis=1)
    with pytest.raises(LabelError, match="crosses more lines than any outline does; got 40000000 crossings"):
        polygon_mask([ring], (1000, 90))


def test_nothing_to_draw_leaves_the_ground() -> None:
    for rule in ("centre", "coco", "cvat", "labelme"):
        assert (draw([], [], (3, 4), ground=9, rule=rule) == 9).all()
        outside = Shape("a", "polygon", np.array([[50.0, 50], [60, 50], [60, 60]]))
        assert (draw([outside], [1], (3, 4), ground=9, rule=rule) == 9).all()
