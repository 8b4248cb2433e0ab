"""Numbers and points: whatever a file spells becomes a finite number, NaN, or one error."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tessella.core.errors import FormatError
from tessella.files.values.numbers import finite, flat, named, number, pairs, size_hw, spelled, whole


@pytest.mark.parametrize(
    ("value", "means"), [(7, 7.0), (-0.5, -0.5), ("7.5", 7.5), (" 1e3 ", 1000.0), (10**20, 1e20), ("-0", 0.0)]
)
def test_a_number_is_read_whatever_its_type(value, means):
    assert number(value) == finite(value, where="x") == means


@pytest.mark.parametrize(
    "value", [None, True, False, "", "wide", "1_0", "1" * 65, math.nan, math.inf, "nan", "inf", 10**400, [], {}, b"7"]
)
def test_what_is_no_finite_number_is_nan_or_refused(value):
    assert math.isnan(number(value))
    with pytest.raises(FormatError, match=r"^here: this is not a number; got .*; expected a finite number"):
        finite(value, where="here")


@pytest.mark.parametrize(("value", "means"), [(7, 7), (7.0, 7), ("7", 7), ("7.0", 7), (0, 0)])
def test_a_whole_number_may_be_spelled_in_many_ways(value, means):
    assert whole(value, where="x") == means


@pytest.mark.parametrize("value", [-1, 7.5, "7.5", None, True, 10**400, 2**60, math.nan, [7]])
def test_what_is_no_whole_number_within_bounds_is_refused(value):
    with pytest.raises(FormatError, match="not a whole number that fits here"):
        whole(value, where="x")
    with pytest.raises(FormatError, match="expected 3 to 4"):
        whole(5, where="x", low=3, high=4)


def test_an_integer_of_thousands_of_digits_does_not_break_the_message():
    with pytest.raises(FormatError, match="an integer of 33220 bits"):
        finite(10**10000, where="x")


@pytest.mark.parametrize("absent", [None, 0, "", "0"])
def test_a_size_that_is_not_stated_is_none(absent):
    assert size_hw(absent, 7, where="x") is None
    assert size_hw(7, absent, where="x") is None


def test_a_size_is_height_and_width_or_refused():
    assert size_hw("12", 16.0, where="x") == (12, 16)
    for bad in (-1, 10**7, 1.5, "wide", [], 10**400):
        with pytest.raises(FormatError, match="x: width: this is not a whole number"):
            size_hw(12, bad, where="x")


def test_points_of_every_form_are_the_same_points():
    expected = [[1.0, 2.5], [3.0, 4.0]]
    assert pairs([[1, 2.5], [3, 4, 0]], where="x").tolist() == expected
    assert flat([1, 2.5, 3, 4], where="x").tolist() == expected
    assert named([{"x": 1, "y": 2.5}, {"y": "4", "x": 3}], where="x").tolist() == expected
    assert spelled("1,2.5; 3,4", where="x").tolist() == expected


@pytest.mark.parametrize(("read", "empty"), [(pairs, []), (flat, []), (named, []), (spelled, ""), (spelled, "  ")])
def test_no_points_are_an_empty_array(read, empty):
    assert read(empty, where="x").shape == (0, 2)


def test_a_coordinate_that_is_no_number_is_nan_and_the_others_stay():
    got = pairs([[1, None], [10**400, 2], ["3", True], [math.inf, 1e308]], where="x")
    np.testing.assert_array_equal(got, [[1, np.nan], [np.nan, 2], [3, np.nan], [np.nan, 1e308]])
    np.testing.assert_array_equal(flat([1, 10**400], where="x"), [[1, np.nan]])
    np.testing.assert_array_equal(named([{"x": 1}], where="x"), [[1, np.nan]])
    np.testing.assert_array_equal(spelled("1,x", where="x"), [[1, np.nan]])


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (pairs, None), (pairs, "1,2"), (pairs, [1, 2]), (pairs, [[1]]), (pairs, [[1, 2, 3, 4]]), (pairs, {"a": 1}),
        (flat, None), (flat, [1]), (flat, "12"), (named, [1]), (named, {"x": 1, "y": 2}), (spelled, None),
        (spelled, "1,2,3"), (spelled, "1;2"), (spelled, "1,2;;3,4"), (spelled, [1, 2]),
    ],
)  # fmt: skip
def test_what_is_no_list_of_points_is_refused(read, value):
    with pytest.raises(FormatError, match=r"^here: a shape"):
        read(value, where="here")


def test_too_many_points_are_refused(monkeypatch):
    monkeypatch.setattr("tessella.files.values.numbers.POINT_BUDGET", 2)
    with pytest.raises(FormatError, match="too many points; got 3; expected 2"):
        flat([0] * 6, where="x")


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["x", "y", "z"]), inner, max_size=3),
    max_leaves=8,
)


@given(value=ANYTHING)
def test_whatever_json_holds_gives_points_or_our_error(value):
    for read in (pairs, flat, named, spelled):
        try:
            points = read(value, where="x")
        except FormatError:
            continue
        assert points.shape[1:] == (2,)
        assert points.dtype == np.float64
        assert not np.isinf(points).any()
    assert math.isnan(number(value)) or math.isfinite(number(value))
