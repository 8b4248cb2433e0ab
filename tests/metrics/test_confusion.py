"""Pixel counts: equal to scikit-learn, exact, independent of order and batches, and strict about what is counted."""

import itertools
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix

from tessella.core.classes import IGNORE
from tessella.core.errors import LabelError
from tessella.metrics import PixelCounts, confusion, count_pixels


def grids(seed, classes, hw, *, abstain=False):
    rng = np.random.default_rng(seed)
    values = np.r_[np.arange(classes), IGNORE].astype(np.uint8)
    truth = rng.choice(values, hw)
    guess = rng.choice(values if abstain else values[:-1], hw)
    return truth, guess


def sklearn_counts(truth, guess, classes):
    kept = truth != IGNORE
    if not kept.any():
        return np.zeros((classes, classes), np.int64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # scikit-learn warns when only one class occurs
        return confusion_matrix(truth[kept], guess[kept], labels=np.arange(classes))


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    classes=st.integers(1, 255),
    height=st.integers(1, 40),
    width=st.integers(1, 40),
)
def test_counts_equal_those_of_scikit_learn(seed, classes, height, width):
    truth, guess = grids(seed, classes, (height, width))
    np.testing.assert_array_equal(confusion(truth, guess, classes=classes), sklearn_counts(truth, guess, classes))


@pytest.mark.parametrize("classes", [1, 2, 30, 31, 32, 62, 63, 64, 126, 127, 128, 254, 255])
def test_counts_are_right_on_both_sides_of_every_change_of_lanes(classes):
    truth, guess = grids(classes, classes, (37, 53))
    np.testing.assert_array_equal(confusion(truth, guess, classes=classes), sklearn_counts(truth, guess, classes))


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), cuts=st.lists(st.integers(0, 24), max_size=4))
def test_any_batches_in_any_order_add_up_to_the_same(seed, cuts):
    truth, guess = grids(seed, 7, (24, 11), abstain=True)
    whole = count_pixels(truth, guess, classes=7)
    edges = sorted({0, 24, *cuts})
    parts = [slice(a, b) for a, b in itertools.pairwise(edges)]
    added = PixelCounts.zero(7)
    for part in np.random.default_rng(seed).permutation(len(parts)):
        added = added + count_pixels(truth[parts[part]], guess[parts[part]], classes=7)
    np.testing.assert_array_equal(added.matrix, whole.matrix)
    np.testing.assert_array_equal(added.abstained, whole.abstained)
    assert added.ignored == whole.ignored


def test_a_photo_larger_than_a_chunk_is_counted_exactly():
    # 17 megapixels in one cell: float32 counters would stop at 2**24 = 16 777 216
    truth = np.zeros((4100, 4200), np.uint8)
    guess = np.ones_like(truth)
    guess[-1, -1] = 0
    counts = confusion(truth, guess, classes=2)
    assert counts.tolist() == [[1, 4100 * 4200 - 1], [0, 0]]


def test_ignored_truth_counts_nowhere_and_an_abstaining_prediction_counts_as_missed():
    truth = np.array([[0, 0, 1, 1, IGNORE, IGNORE]], np.uint8)
    guess = np.array([[0, IGNORE, 1, 0, 1, IGNORE]], np.uint8)
    counts = count_pixels(truth, guess, classes=2)
    assert counts.matrix.tolist() == [[1, 0], [1, 1]]
    assert counts.abstained.tolist() == [1, 0]
    assert (counts.ignored, counts.pixels) == (2, 4)


def test_a_prediction_that_abstains_is_refused_where_there_is_no_column_for_it():
    truth, guess = np.zeros((1, 2), np.uint8), np.array([[0, IGNORE]], np.uint8)
    with pytest.raises(LabelError, match=r"255 .* in 1 pixels whose truth is a class"):
        confusion(truth, guess, classes=1)


def test_an_abstaining_prediction_on_ignored_truth_is_fine():
    nothing = np.full((2, 2), IGNORE, np.uint8)
    assert confusion(nothing, nothing, classes=3).sum() == 0


@pytest.mark.parametrize(("stray", "classes"), [(3, 3), (40, 3), (254, 3), (200, 127), (200, 200)])
def test_an_id_without_a_class_is_named_on_either_side(stray, classes):
    fine, wrong = np.zeros((2, 2), np.uint8), np.array([[0, 0], [0, stray]], np.uint8)
    with pytest.raises(LabelError, match=rf"truth holds ids \[{stray}\]"):
        count_pixels(wrong, fine, classes=classes)
    with pytest.raises(LabelError, match=rf"prediction holds ids \[{stray}\]"):
        count_pixels(fine, wrong, classes=classes)


def test_other_shapes_dtypes_and_numbers_of_classes_are_refused():
    ids = np.zeros((2, 3), np.uint8)
    with pytest.raises(LabelError, match="differ in size"):
        count_pixels(ids, ids.T, classes=2)
    with pytest.raises(LabelError, match="truth uint8, prediction int64"):
        count_pixels(ids, ids.astype(np.int64), classes=2)
    with pytest.raises(LabelError, match="got 256"):
        count_pixels(ids, ids, classes=256)


def test_views_and_transposed_arrays_are_counted_like_copies():
    truth, guess = grids(5, 4, (40, 60))
    plain = confusion(truth[::2, ::3].copy(), guess[::2, ::3].copy(), classes=4)
    np.testing.assert_array_equal(confusion(truth[::2, ::3], guess[::2, ::3], classes=4), plain)
    np.testing.assert_array_equal(confusion(truth[::2, ::3].T, guess[::2, ::3].T, classes=4), plain)


def test_no_pixels_count_nothing():
    empty = np.zeros((0, 5), np.uint8)
    assert confusion(empty, empty, classes=2).tolist() == [[0, 0], [0, 0]]
