import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tessella.core.classes import IGNORE, ClassTable
from tessella.core.errors import LabelError
from tessella.core.labelmap import LabelMap

TABLE = ClassTable.from_names(["a", "b", "c"])


@given(
    ids=hnp.arrays(
        np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, max_side=9), elements=st.sampled_from([0, 1, 2, 255])
    )
)
def test_ids_of_the_table_and_ignore_are_carried_unchanged(ids: np.ndarray) -> None:
    labels = LabelMap(ids.copy(), TABLE)
    assert np.array_equal(labels.ids, ids)
    assert labels.hw == ids.shape
    assert labels.counts().sum() == ids.size
    assert labels.counts()[IGNORE] == np.count_nonzero(ids == IGNORE)


@pytest.mark.parametrize(("stored", "says"), [(3, r"ids \[3\] .* row 1, column 2"), (254, r"ids \[254\]")])
def test_a_value_without_a_class_is_named_with_its_place(stored: int, says: str) -> None:
    ids = np.zeros((3, 4), np.uint8)
    ids[1, 2] = stored
    with pytest.raises(LabelError, match=says):
        LabelMap(ids, TABLE)


@pytest.mark.parametrize("ids", [np.zeros((2, 2), np.int64), np.zeros((2, 2, 1), np.uint8), np.zeros((0, 2), np.uint8)])
def test_what_is_no_grid_of_ids_is_refused(ids: np.ndarray) -> None:
    with pytest.raises(LabelError, match="not a grid of ids"):
        LabelMap(ids, TABLE)


def test_a_label_map_cannot_be_changed_but_its_source_array_stays_writable() -> None:
    ids = np.zeros((2, 2), np.uint8)
    labels = LabelMap(ids, TABLE)
    with pytest.raises(ValueError, match="read-only"):
        labels.ids[0, 0] = 1
    ids[0, 0] = 1


def test_the_picture_keeps_ids_as_pixel_values() -> None:
    ids = np.array([[0, 1], [2, 255]], np.uint8)
    picture = LabelMap(ids, TABLE).to_pillow()
    assert picture.mode == "P"
    assert np.array_equal(np.asarray(picture), ids)
    assert picture.convert("RGB").getpixel((1, 0)) == (128, 0, 0)
