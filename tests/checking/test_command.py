import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from data import faulty
from data.faulty import house, labelme, labelme_set, mask_set, save
from tessella.cli.commands.check import check
from tessella.core.errors import OutputError, RecipeError


def _run(*arguments: str | Path) -> tuple[int, str]:
    app = typer.Typer()
    app.command()(check)
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout


@pytest.fixture
def faulty_set(tmp_path: Path) -> Path:
    labelme_set(tmp_path / "data")
    labelme(tmp_path / "data/1.json", house("bulding"))
    return tmp_path / "data"


def test_clean_data_exits_0(tmp_path: Path) -> None:
    code, text = _run(labelme_set(tmp_path / "data"))
    assert code == 0
    assert "Nothing found." in text


def test_errors_exit_1(faulty_set: Path) -> None:
    code, text = _run(faulty_set)
    assert code == 1
    assert "'bulding'" in text


def test_warnings_alone_exit_0(tmp_path: Path) -> None:
    labelme_set(tmp_path)
    (tmp_path / "1.json").unlink()
    assert _run(tmp_path)[0] == 0


def test_json_is_the_only_thing_on_stdout(faulty_set: Path) -> None:
    code, text = _run(faulty_set, "--json")
    assert code == 1
    assert json.loads(text)["counts"]["error"] == 1


def test_a_repair_that_leaves_nothing_to_a_person_exits_0(faulty_set: Path, tmp_path: Path) -> None:
    code, text = _run(faulty_set, "--fix", "--out", tmp_path / "out", "--json")
    assert code == 0
    assert [change["code"] for change in json.loads(text)["fix"]["changes"]] == ["L110"]
    assert _run(tmp_path / "out")[0] == 0


def test_a_repair_that_leaves_errors_to_a_person_exits_1(faulty_set: Path, tmp_path: Path) -> None:
    (faulty_set / "2.json").write_text("{")
    assert _run(faulty_set, "--fix", "--out", tmp_path / "out")[0] == 1


@pytest.mark.parametrize("flags", [["--fix"], ["--out", "somewhere"]])
def test_half_a_repair_is_refused(faulty_set: Path, flags: list[str]) -> None:
    with pytest.raises(RecipeError, match="needs both flags"):
        _run(faulty_set, *flags)


def test_an_existing_copy_is_refused_before_anything_is_checked(faulty_set: Path, tmp_path: Path) -> None:
    save(tmp_path / "out/x.png", faulty.ids())
    with pytest.raises(OutputError, match="exists already"):
        _run(faulty_set, "--fix", "--out", tmp_path / "out")


def test_only_and_classes_are_passed_on(tmp_path: Path) -> None:
    mask_set(tmp_path / "data")
    grid = faulty.ids()
    grid[0, 0] = 7
    save(tmp_path / "data/masks/1.png", grid)
    (tmp_path / "table.toml").write_text("".join(f'[[classes]]\nname = "{name}"\n' for name in faulty.NAMES))
    assert _run(tmp_path / "data", "--classes", tmp_path / "table.toml")[0] == 1
    assert _run(tmp_path / "data", "--classes", tmp_path / "table.toml", "--only", "G")[0] == 0


def test_a_copy_in_the_data_set_is_refused_before_anything_is_checked(
    faulty_set: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tessella.checking import engine

    monkeypatch.setattr(engine, "look_at", lambda *_: pytest.fail("a photo was looked at"))
    with pytest.raises(OutputError, match="cannot lie in the data set or hold it"):
        _run(faulty_set, "--fix", "--out", faulty_set / "fixed")


def test_a_baseline_is_written_and_then_accepts_what_was_found(faulty_set: Path, tmp_path: Path) -> None:
    known = tmp_path / "known.json"
    assert _run(faulty_set, "--write-baseline", known)[0] == 0
    assert _run(faulty_set, "--baseline", known)[0] == 0
    labelme(faulty_set / "2.json", house("pond"))
    code, text = _run(faulty_set, "--baseline", known, "--json")
    assert code == 1
    answer = json.loads(text)
    assert [finding["where"] for finding in answer["findings"] if finding["severity"] == "error"] == ["2.json"]
    assert answer["accepted"] >= 1
    with pytest.raises(OutputError, match="exists already"):
        _run(faulty_set, "--write-baseline", known)


def test_a_baseline_inside_the_data_set_does_not_disturb_it(faulty_set: Path) -> None:
    known = faulty_set / "known.json"
    assert _run(faulty_set, "--write-baseline", known)[0] == 0
    assert _run(faulty_set, "--baseline", known)[0] == 0


def test_settings_from_elsewhere_replace_those_of_the_data_set(faulty_set: Path, tmp_path: Path) -> None:
    (faulty_set / "tessella.toml").write_text('[check]\nignore = ["L"]')
    assert _run(faulty_set)[0] == 0
    (tmp_path / "strict.toml").write_text('[check.severity]\nL110 = "warning"')
    code, text = _run(faulty_set, "--config", tmp_path / "strict.toml", "--json")
    assert (code, json.loads(text)["counts"]["warning"]) == (0, 1)


def test_a_page_is_written_and_only_replaced_when_asked(faulty_set: Path, tmp_path: Path) -> None:
    page = tmp_path / "check.html"
    assert _run(faulty_set, "--html", page)[0] == 1
    assert "bulding" in page.read_text(encoding="utf-8")
    with pytest.raises(OutputError, match="exists already"):
        _run(faulty_set, "--html", page)
    assert _run(faulty_set, "--html", page, "--overwrite")[0] == 1
