import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tessella.core.annotation import Shape
from tessella.core.classes import IGNORE, ClassTable, LabelCoding
from tessella.core.labelmap import LabelMap
from tessella.formats.labelme.writing import drawn
from tessella.formats.raster.labels import resolve
from tessella.formats.raster.rasterise import draw, polygon_mask
from tessella.formats.raster.tracing import outlines, regions

WITH_GROUND = LabelCoding(ClassTable.from_names(["background", "a", "b"]))
WITHOUT = LabelCoding(ClassTable.from_names(["x", "a", "b"]))
sides = hnp.array_shapes(min_dims=2, max_dims=2, max_side=11)
grids = hnp.arrays(np.uint8, sides, elements=st.sampled_from([0, 1, 2, IGNORE]))
flags = hnp.arrays(np.bool_, sides)


@given(ids=grids, coding=st.sampled_from([WITH_GROUND, WITHOUT]))
def test_drawn_and_painted_again_the_ids_are_the_same(ids, coding) -> None:
    drawing = drawn(LabelMap(ids, coding.table), coding)
    assert drawing is not None
    np.testing.assert_array_equal(resolve(drawing, coding).ids, ids)


@given(ids=st.one_of(grids, flags))
def test_regions_with_their_holes_tile_the_map_exactly(ids) -> None:
    again, covered = np.zeros_like(ids), np.zeros(ids.shape, int)
    for region in regions(ids):
        inside = polygon_mask([region.outer, *region.holes], ids.shape)
        assert inside.sum() == region.area_px
        again[inside] = region.value
        covered += inside
    assert (covered == 1).all()
    np.testing.assert_array_equal(again, ids)


@given(ids=grids)
def test_regions_are_the_connected_components_in_raster_order(ids) -> None:
    found = regions(ids)
    count = sum(cv2.connectedComponents((ids == v).view(np.uint8), connectivity=4)[0] - 1 for v in np.unique(ids))
    assert len(found) == count
    first = [tuple(region.outer[0][::-1]) for region in found]
    assert first == sorted(first)


def signed_area(ring) -> float:
    x, y = ring.T
    return float(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2


@given(ids=flags)
def test_outer_rings_run_clockwise_and_holes_the_other_way(ids) -> None:
    for region in regions(ids):
        assert signed_area(region.outer) > 0
        assert all(signed_area(ring) < 0 for ring in region.holes)


@given(ids=grids)
def test_rings_turn_at_every_corner_and_have_no_others(ids) -> None:
    for region in regions(ids):
        for ring in (region.outer, *region.holes):
            steps = np.roll(ring, -1, axis=0) - ring
            assert ((steps == 0).sum(axis=1) == 1).all()
            assert ((steps[:, 0] == 0) != (np.roll(steps, 1, axis=0)[:, 0] == 0)).all()


def test_a_rectangle_has_four_corners() -> None:
    (region,) = regions(np.full((3, 5), 7, np.uint8))
    assert region.outer.tolist() == [[0, 0], [5, 0], [5, 3], [0, 3]]
    assert (region.value, region.holes, region.area_px) == (7, (), 15)


def test_a_hole_is_a_ring_of_its_own() -> None:
    ids = np.ones((5, 5), np.uint8)
    ids[2, 2] = 0
    frame, island = regions(ids)
    assert (frame.area_px, island.area_px) == (24, 1)
    assert [ring.tolist() for ring in frame.holes] == [[[2, 2], [2, 3], [3, 3], [3, 2]]]


def test_nested_islands_belong_each_to_its_own_frame() -> None:
    ids = np.zeros((9, 9), np.uint8)
    for depth in range(1, 5):
        ids[depth : 9 - depth, depth : 9 - depth] = depth % 2
    found = regions(ids)
    assert [(region.value, len(region.holes), region.area_px) for region in found] == [
        (0, 1, 32), (1, 1, 24), (0, 1, 16), (1, 1, 8), (0, 0, 1)
    ]  # fmt: skip


def test_pixels_that_touch_by_their_tips_are_two_regions() -> None:
    found = outlines(np.array([[1, 0], [0, 1]], np.uint8), ground=0)
    assert [outline.area_px for outline in found] == [1.0, 1.0]
    assert [len(region.outer) for region in regions(np.array([[1, 0], [0, 1]]))] == [4, 4, 4, 4]


@pytest.mark.parametrize("dtype", [np.uint16, np.int32, np.uint32, np.int64])
def test_numbers_of_any_width_are_traced(dtype) -> None:
    top = np.iinfo(dtype).max
    found = regions(np.array([[0, top], [top, top]], dtype))
    assert [(region.value, region.area_px) for region in found] == [(0, 1), (top, 3)]


def test_a_map_without_pixels_has_no_regions() -> None:
    assert regions(np.zeros((0, 4), np.uint8)) == []


def test_ground_is_drawn_only_inside_holes() -> None:
    ids = np.ones((5, 5), np.uint8)
    ids[0] = 0
    assert [outline.value for outline in outlines(ids, ground=0)] == [1]
    ids[3, 3] = 0
    assert [outline.value for outline in outlines(ids, ground=0)] == [1, 0]


@given(ids=grids)
def test_rings_on_pixel_edges_cover_the_same_pixels_by_cocos_rule(ids) -> None:
    found = regions(ids)
    shapes = [Shape("a", "polygon", region.outer, holes=region.holes) for region in found]
    values = [region.value for region in found]
    for rule in ("centre", "coco", "cvat"):
        np.testing.assert_array_equal(draw(shapes, values, ids.shape, ground=7, rule=rule), ids)
