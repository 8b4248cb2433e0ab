"""The page of formats says what the table of formats says."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from tessella.core.errors import FormatError

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def script() -> ModuleType:
    path = REPOSITORY / "benchmarks" / "format_table.py"
    spec = importlib.util.spec_from_file_location("format_table", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_table_of_formats_is_up_to_date(script: ModuleType) -> None:
    """Failing: run `python benchmarks/format_table.py --only-formats`."""
    page = script.PAGE.read_text(encoding="utf-8")
    assert script.replaced(page, "formats", script.format_rows()) == page


def test_rows_between_the_markers_are_replaced_and_nothing_else(script: ModuleType) -> None:
    start, end = "<!-- formats: made by benchmarks/format_table.py -->", "<!-- end of formats -->"
    assert script.replaced(f"a\n{start}\nold\n{end}\nb", "formats", ["new"]) == f"a\n{start}\nnew\n{end}\nb"


def test_a_reason_breaks_no_table_and_names_no_folder_of_this_machine(script: ModuleType, tmp_path: Path) -> None:
    error = FormatError("two | masks\nclaim one photo", got=f"{tmp_path}/a.png")
    assert script.reason(error, tmp_path) == "two \\| masks claim one photo: a.png"
