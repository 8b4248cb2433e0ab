"""The page of formats says what the table of formats says."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from data.layouts import box, index_mask, labelme, labelme_file
from tessella.core.errors import FormatError

BOXES = "they say where objects are, not which pixels belong to them"
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


def test_every_data_set_has_a_row_however_deep_and_a_refused_folder_one_of_its_own(
    script: ModuleType, tmp_path: Path
) -> None:
    deep = tmp_path / "set/a/b/c/d/e"
    index_mask(deep / "masks")
    labelme(deep / "json")
    (deep / "boxes").mkdir()
    (deep / "boxes/gt.txt").write_text("1,-1,0,4,4,8,1,3,1.0\n")
    (deep / "again").symlink_to(deep, target_is_directory=True)
    rows = [row.split(" | ") for row in script.real_rows(tmp_path)[2:]]
    assert [row[:3] for row in rows] == [
        ["| set", "–", "3 folders, of which 2 open"],
        ["| set/a/b/c/d/e/boxes", "–", f"these are MOT boxes: {BOXES}: 1 .txt"],
        ["| set/a/b/c/d/e/json", "labelme", "4"],
        ["| set/a/b/c/d/e/masks", "index-mask", "4"],
    ]


def test_folders_that_say_no_more_than_the_folder_that_holds_them_have_no_row(
    script: ModuleType, tmp_path: Path
) -> None:
    index_mask(tmp_path / "set")
    labelme_file(tmp_path / "set/0.json", [box("x", 0, 0, 4, 4)], photo="images/0.jpg")
    (row,) = script.real_rows(tmp_path)[2:]
    assert row.startswith("| set | – | labels of two formats lie here: labelme")
