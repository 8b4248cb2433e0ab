"""Ids and confidence from logits, against NumPy's own argmax and scipy's softmax."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.special import softmax

from tessella.core.errors import ImageError
from tessella.predict.decide import confidence_of, decide, probabilities

logit_grids = hnp.arrays(
    np.float32,
    st.tuples(st.integers(1, 6), st.integers(1, 70), st.integers(1, 5)),
    # few different values, so that ties are common
    elements=st.sampled_from([-1e4, -2.5, 0.0, 0.5, 3.0, 88.0, 1e4]),
)


@given(logit_grids)
def test_ids_are_those_of_argmax_ties_included(logits):
    np.testing.assert_array_equal(decide(logits, where="photo"), logits.argmax(axis=0))


def test_255_classes_fit():
    logits = np.zeros((255, 1, 3), np.float32)
    logits[[0, 7, 254], 0, [0, 1, 2]] = 1
    assert decide(logits, where="photo").tolist() == [[0, 7, 254]]


def test_minus_infinity_is_a_class_that_is_ruled_out():
    logits = np.array([[[-np.inf]], [[0.0]]], np.float32)
    assert decide(logits, where="photo").tolist() == [[1]]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_an_answer_that_is_no_number_is_refused_with_the_photo_named(value):
    logits = np.zeros((3, 40, 5), np.float32)
    logits[1, 37, 2] = value
    with pytest.raises(ImageError, match=r"a\.jpg: the network gives no finite answer"):
        decide(logits, where="a.jpg")


@given(logit_grids)
def test_confidence_is_the_softmax_of_the_winner(logits):
    expected = softmax(logits.astype(np.float64), axis=0)
    np.testing.assert_allclose(confidence_of(logits), expected.max(axis=0), rtol=1e-5)
    np.testing.assert_allclose(probabilities(logits), expected, rtol=1e-5, atol=1e-30)
