from pathlib import Path

import pytest

from tessella.checking import RULES
from tessella.checking.fixing.amend import DRAWING_WRITERS, UNWRITTEN
from tessella.checking.meanings import meaning

SHAPES = [code for code, rule in RULES.items() if rule.repair and (code[0] == "G" or code in ("A101", "S101", "L110"))]
PAGES = Path(__file__).resolve().parents[2] / "docs" / "rules"


def test_every_rule_has_a_page_and_every_page_a_rule() -> None:
    assert {page.stem for page in PAGES.glob("*.md")} - {"README"} == set(RULES)


@pytest.mark.parametrize("code", RULES)
def test_a_page_says_what_its_rule_says(code: str) -> None:
    rule = RULES[code]
    page = (PAGES / f"{code}.md").read_text()
    assert page.startswith(f"# {code}: {rule.title}\n")
    assert f"Gravest severity: {rule.severity}." in page
    assert 10 <= page.count("\n") <= 30
    for heading in ("## What it means", "## How it looks", "## How to repair"):
        assert heading in page
    repairs = "Repaired by `--fix`: yes" in page
    assert repairs == rule.repairs


def test_the_overview_lists_every_rule() -> None:
    overview = (PAGES / "README.md").read_text()
    rows = [f"| [{code}]({code}.md) | {rule.severity} | {rule.title} |" for code, rule in RULES.items()]
    assert [row for row in rows if row not in overview] == []


def test_every_rule_looks_at_something_and_is_filed_under_its_own_code() -> None:
    for code, rule in RULES.items():
        assert rule.code == code
        assert (rule.look is None) != (rule.survey is None)


def test_the_page_of_a_check_tells_what_the_rules_pages_say() -> None:
    for code in RULES:
        text = (PAGES / f"{code}.md").read_text().split("## What it means\n\n")[1].split("\n\n")[0]
        assert meaning(code) == " ".join(text.split()).replace("`", "")
    assert meaning("XY101") == ""


def _writers(code: str) -> list[str]:
    return [name for name in DRAWING_WRITERS if code not in UNWRITTEN.get(name, ())]


def test_the_table_of_repairs_of_shapes_is_true() -> None:
    section = (PAGES / "README.md").read_text().partition("## Repairs of shapes\n")[2].partition("\n## ")[0]
    head, _, *rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("|")]
    assert head == ["code", *DRAWING_WRITERS]
    assert rows == [[code, *("yes" if name in _writers(code) else "no" for name in DRAWING_WRITERS)] for code in SHAPES]


@pytest.mark.parametrize("code", SHAPES)
def test_a_page_says_where_shapes_are_repaired(code: str) -> None:
    *first, last = _writers(code)
    named = f"{', '.join(first)} and {last}" if first else last
    said = f"Shapes are repaired in {named}; in other formats they are left to a person."
    assert said in (PAGES / f"{code}.md").read_text()
