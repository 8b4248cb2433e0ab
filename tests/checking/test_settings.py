from pathlib import Path

import pytest

from data import faulty
from data.faulty import mask_set, save
from tessella.checking import check
from tessella.checking.settings import Settings, known_codes, read_settings, settings_of
from tessella.core.errors import FormatError, InputError, RecipeError
from tessella.dataset import open_dataset


def _spoilt(root: Path) -> Path:
    """A stray value, a photo without label, and two identical photos."""
    mask_set(root, count=6)
    grid = faulty.ids()
    grid[20, 30] = 7
    save(root / "masks/2.png", grid)
    (root / "masks/5.png").unlink()
    (root / "images/4.png").write_bytes((root / "images/1.png").read_bytes())
    return root


def _codes(root: Path) -> dict[str, str]:
    return {one.code: one.severity for one in check(open_dataset(root, classes=faulty.CODING)).findings}


def _write(root: Path, text: str) -> Path:
    path = root / "tessella.toml"
    path.write_text(text)
    return path


def test_rules_are_switched_off_by_code_and_by_family(tmp_path: Path) -> None:
    assert _codes(_spoilt(tmp_path)) == {"P101": "warning", "L101": "error", "D101": "warning"}
    _write(tmp_path, '[check]\nignore = ["P101", "D"]')
    assert _codes(tmp_path) == {"L101": "error"}


def test_severities_are_set_by_code_which_counts_more_than_by_family(tmp_path: Path) -> None:
    _write(_spoilt(tmp_path), '[check.severity]\nD = "info"\nD101 = "error"\nP = "info"')
    assert _codes(tmp_path) == {"P101": "info", "L101": "error", "D101": "error"}


def test_what_a_data_set_settles_by_itself_is_said(tmp_path: Path) -> None:
    _write(_spoilt(tmp_path), '[check]\nignore = ["D"]\n[check.severity]\nL101 = "info"')
    assert "tessella.toml: D not looked for; L101 counts as info" in check(open_dataset(tmp_path)).notes


def test_codes_that_are_asked_for_count_more_than_what_is_ignored(tmp_path: Path) -> None:
    _write(_spoilt(tmp_path), '[check]\nignore = ["D"]')
    found = check(open_dataset(tmp_path, classes=faulty.CODING), codes=["D101"]).findings
    assert [finding.code for finding in found] == ["D101"]


def test_settings_that_are_given_replace_those_of_the_data_set(tmp_path: Path) -> None:
    _write(_spoilt(tmp_path), '[check]\nignore = ["L", "D", "P"]')
    checked = check(open_dataset(tmp_path, classes=faulty.CODING), settings=Settings())
    assert {finding.code for finding in checked.findings} == {"P101", "L101", "D101"}


def test_a_folder_without_settings_changes_nothing(tmp_path: Path) -> None:
    assert settings_of(tmp_path) == Settings()
    assert Settings().note == ""


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[check]\nignore = ["L1O1"]', r"'L1O1'.*did you mean 'L1"),
        ('[check.severity]\nD10I = "error"', r"'D10I'.*did you mean 'D10"),
        ('[check.severity]\nD101 = "eror"', r"D101.*'eror'.*did you mean 'error'"),
        ('[check]\nignor = ["D"]', r"check\.ignor;.*did you mean 'ignore'"),
        ('[chek]\nignore = ["D"]', r"chek.*did you mean 'check'"),
        ('[check]\nignore = "D"', "is a list of codes"),
        ("[check]\nignore = [1]", "is a list of codes"),
        ("[check]\nseverity = 3", r"severity is a table"),
        ('[check.baseline]\npath = "x"', r"check\.baseline\.path.*check\.baseline\.file"),
    ],
)
def test_a_mistake_is_answered_with_the_nearest_word(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(RecipeError, match=says):
        read_settings(_write(tmp_path, text))


def test_no_toml_and_no_way_out_of_the_folder(tmp_path: Path) -> None:
    with pytest.raises(FormatError):
        read_settings(_write(tmp_path, "[check"))
    with pytest.raises(InputError):
        read_settings(_write(tmp_path, '[check.baseline]\nfile = "../../known.json"'))


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("D11", r"expected D101, D102, D103, D104, D105, D106, D107; did you mean 'D10"),
        ("d101", r"expected D101, .*; did you mean 'D101'"),
        ("L99", r"expected L101, L102, L103, .*, L118; or a whole family: A, C, D, F, G, L, N, P, S$"),
        ("Q101", r"expected A101, .*, C101, .*, S103; did you mean '[A-Z]101'"),
        ("Q1", r"expected A101, .*, C101, .*, S103; or a whole family: A, C, D, F, G, L, N, P, S$"),
    ],
)
def test_a_code_that_no_rule_has_is_answered_with_its_family_or_with_all_in_order(code: str, says: str) -> None:
    with pytest.raises(RecipeError, match=rf"no rule has the code '{code}'; {says}"):
        known_codes([code])
