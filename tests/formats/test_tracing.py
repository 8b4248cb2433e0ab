import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tessella.core.classes import IGNORE, ClassTable, LabelCoding
from tessella.core.labelmap import LabelMap
from tessella.formats.labelme.writing import drawn
from tessella.formats.raster.labels import resolve
from tessella.formats.raster.tracing import outlines, trace

WITH_GROUND = LabelCoding(ClassTable.from_names(["background", "a", "b"]))
WITHOUT = LabelCoding(ClassTable.from_names(["x", "a", "b"]))
grids = hnp.arrays(
    np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, max_side=9), elements=st.sampled_from([0, 1, 2, IGNORE])
)


@given(ids=grids, coding=st.sampled_from([WITH_GROUND, WITHOUT]))
def test_drawn_and_painted_again_the_ids_are_the_same(ids, coding) -> None:
    drawing = drawn(LabelMap(ids, coding.table), coding)
    assert drawing is not None
    np.testing.assert_array_equal(resolve(drawing, coding).ids, ids)


def test_a_rectangle_has_four_corners() -> None:
    region = np.ones((3, 5), bool)
    assert sorted(map(tuple, trace(region).tolist())) == [(0, 0), (0, 3), (5, 0), (5, 3)]


def test_the_outline_ignores_holes() -> None:
    region = np.ones((5, 5), bool)
    region[2, 2] = False
    assert len(trace(region)) == 4


def test_pixels_that_touch_by_their_tips_are_two_regions() -> None:
    found = outlines(np.array([[1, 0], [0, 1]], np.uint8), ground=0)
    assert [outline.area_px for outline in found] == [1.0, 1.0]


def test_ground_is_drawn_only_inside_holes() -> None:
    ids = np.ones((5, 5), np.uint8)
    ids[0] = 0
    assert [outline.value for outline in outlines(ids, ground=0)] == [1]
    ids[3, 3] = 0
    assert [outline.value for outline in outlines(ids, ground=0)] == [1, 0]
