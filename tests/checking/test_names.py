import pytest

from tessella.checking.rules.labels.names import sure_name

CLASSES = ("background", "building", "road", "tree", "car", "cat")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("bulding", "building"),  # lost
        ("buildding", "building"),  # added
        ("buikding", "building"),  # changed
        ("raod", "road"),  # swapped
        ("Building", "building"),  # case
        (" building ", "building"),  # blanks
        ("back_ground", "background"),  # between words
        ("CAR", "car"),  # short, but the same word
    ],
)
def test_a_name_that_is_surely_a_slip_is_understood(name: str, meant: str) -> None:
    assert sure_name(name, CLASSES) == meant


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("cap", "short names are a letter apart and all true"),
        ("bildng", "two slips"),
        ("water", "another word"),
        ("", "no word at all"),
        ("rod", "shorter than four letters"),
    ],
)
def test_a_name_that_may_mean_something_else_is_left_to_a_person(name: str, why: str) -> None:
    assert sure_name(name, CLASSES) is None, why


def test_two_classes_that_are_equally_near_leave_it_to_a_person() -> None:
    assert sure_name("lane_c", ("lane_a", "lane_b")) is None


def test_two_classes_that_differ_by_case_leave_it_to_a_person() -> None:
    assert sure_name("ROAD", ("Road", "road")) is None
