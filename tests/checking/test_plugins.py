from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from data import faulty
from data.faulty import mask_set
from tessella.checking import RULES, Rule, check, plugins
from tessella.checking.looking.look import Look
from tessella.checking.table import check_table, plain_text
from tessella.core.errors import RecipeError
from tessella.core.finding import Finding
from tessella.dataset import open_dataset


def dark(look: Look) -> Iterator[Finding]:
    if look.photo_where.endswith("1.png"):
        yield Finding("XY101", "warning", look.photo_where, "dark at row 3, column 4", "take it again")


RULE = Rule("XY101", "warning", "a photo taken at night", dark)
TAKEN = Rule("L101", "warning", "a code in use", dark)
NOT_A_RULE = "XY102"


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    plugins.all_rules.cache_clear()
    yield monkeypatch
    plugins.all_rules.cache_clear()


def _install(monkeypatch: pytest.MonkeyPatch, rule: object) -> None:
    class Point(EntryPoint):
        def load(self) -> object:
            return rule

    monkeypatch.setattr(plugins, "entry_points", lambda group: [Point("dark", "here:RULE", group)])


def test_a_rule_of_another_package_is_run_listed_and_settled_like_ours(
    tmp_path: Path, installed: pytest.MonkeyPatch
) -> None:
    _install(installed, RULE)
    index = open_dataset(mask_set(tmp_path), classes=faulty.CODING)
    checked = check(index)
    assert [(finding.code, finding.where) for finding in checked.findings] == [("XY101", "images/1.png")]
    assert "a photo taken at night" in plain_text(check_table(checked))
    assert check(index, codes=["XY"]).findings == checked.findings
    (tmp_path / "tessella.toml").write_text('[check.severity]\nXY101 = "error"')
    assert check(index).counts["error"] == 1


@pytest.mark.parametrize(("rule", "says"), [(TAKEN, "code of its own.*got L101"), (NOT_A_RULE, "no rule.*got str")])
def test_a_plug_in_that_is_no_rule_or_takes_a_code_in_use_is_refused(
    rule: object, says: str, installed: pytest.MonkeyPatch
) -> None:
    _install(installed, rule)
    with pytest.raises(RecipeError, match=says):
        plugins.all_rules()


def test_our_own_table_stays_as_it_is() -> None:
    assert list(plugins.all_rules())[: len(RULES)] == list(RULES)
    assert len(RULES) >= 45
