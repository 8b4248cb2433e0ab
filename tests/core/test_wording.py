import pytest

from tessella.core.wording import counted


@pytest.mark.parametrize(("count", "says"), [(0, "0 photos"), (1, "1 photo"), (2, "2 photos"), (11, "11 photos")])
def test_one_is_counted_in_the_singular_and_everything_else_in_the_plural(count: int, says: str) -> None:
    assert counted(count, "photo") == says


def test_what_takes_no_s_or_has_a_verb_is_given_in_both_forms() -> None:
    assert counted(1, "label lacks its photo", "labels lack their photo") == "1 label lacks its photo"
    assert counted(2, "label lacks its photo", "labels lack their photo") == "2 labels lack their photo"
