"""Every flag that a page names exists."""

import re
from pathlib import Path

import pytest
import typer

from tessella.cli.main import application

ROOT = Path(__file__).resolve().parents[2]
PAGES = [*ROOT.glob("README*.md"), *(ROOT / "docs").glob("**/*.md")]
FLAG = re.compile(r"(?<![\w-])--[a-z][a-z-]*")


def flags() -> set[str]:
    group = typer.main.get_command(application())
    known = [group, *group.commands.values()]  # type: ignore[attr-defined]
    named = {flag for command in known for one in command.params for flag in (*one.opts, *one.secondary_opts)}
    return named | {"--help"}


@pytest.mark.parametrize("page", sorted(PAGES), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_flag_of_a_page_exists(page: Path) -> None:
    assert set(FLAG.findall(page.read_text(encoding="utf-8"))) - flags() == set()
