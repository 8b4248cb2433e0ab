from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from data import faulty
from data.faulty import mask_set, save
from tessella.checking import Rule
from tessella.checking.looking.look import Look
from tessella.core.finding import Finding
from tessella.testing import check_rule


def dark(look: Look) -> Iterator[Finding]:
    if look.photo is not None and look.photo.small is not None and look.photo.small.mean() < 20:
        yield Finding("XY101", "warning", look.photo_where, "this photo is nearly black", "take it again")


def graver(look: Look) -> Iterator[Finding]:
    yield from (Finding("XY101", "error", one.where, one.what, one.fix) for one in dark(look))


def wordless(look: Look) -> Iterator[Finding]:
    yield from (Finding("XY101", "info", one.where, one.what, " ") for one in dark(look))


def everywhere(look: Look) -> Iterator[Finding]:
    yield Finding("XY101", "info", look.photo_where, "a photo", "nothing")


def foreign(look: Look) -> Iterator[Finding]:
    yield Finding("L101", "info", look.photo_where, "a photo", "nothing")


@pytest.fixture
def sets(tmp_path: Path) -> tuple[Path, Path]:
    spoilt = mask_set(tmp_path / "faulty")
    save(spoilt / "images/2.png", np.full((*faulty.HW, 3), 3, np.uint8))
    return spoilt, mask_set(tmp_path / "clean")


def test_a_sound_rule_passes_and_its_findings_are_returned(sets: tuple[Path, Path]) -> None:
    (finding,) = check_rule(Rule("XY101", "warning", "a dark photo", dark), faulty=sets[0], clean=sets[1])
    assert finding.where == "images/2.png"


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        (Rule("xy1", "warning", "t", dark), "capital letters"),
        (Rule("XY101", "warning", "t"), "either `look` or `survey`"),
        (Rule("XY101", "grave", "t", dark), "severity 'grave'"),  # type: ignore[arg-type]
        (Rule("XY101", "warning", " ", dark), "no title"),
        (Rule("XY101", "warning", "t", lambda _: iter(())), "finds nothing"),
        (Rule("XY101", "warning", "t", graver), "graver than it says"),
        (Rule("XY101", "warning", "t", wordless), "without `fix`"),
        (Rule("XY101", "warning", "t", everywhere), "calls clean data faulty"),
        (Rule("XY101", "warning", "t", foreign), "with the code L101"),
    ],
)
def test_what_a_rule_does_wrong_is_said(rule: Rule, says: str, sets: tuple[Path, Path]) -> None:
    with pytest.raises(AssertionError, match=says):
        check_rule(rule, faulty=sets[0], clean=sets[1])
