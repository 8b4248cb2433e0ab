from pathlib import Path

import pytest

from tessella.core.errors import OutputError, RecipeError
from tessella.demo import story
from tessella.files.write import MARKER, mark

pytest.importorskip("torch")


@pytest.fixture
def stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """End the story where it would begin to draw."""

    def stop(*_: object, **__: object) -> None:
        raise InterruptedError

    monkeypatch.setattr(story, "write_survey", stop)


def earlier(folder: Path) -> Path:
    """What a demonstration leaves, in small."""
    for name in ("photos/a.jpg", "run/bundle/plan.json", "predicted/new_0.png", "model.onnx", "model.parity.json"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("old")
    mark(folder)
    return folder


@pytest.mark.parametrize("minutes", [0, -1, float("nan"), float("inf")])
def test_minutes_that_are_no_time_are_refused_before_anything_is_drawn(tmp_path: Path, minutes: float) -> None:
    with pytest.raises(RecipeError, match="minutes must be above 0"):
        story.run(tmp_path / "demo", minutes=minutes)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("stopped")
def test_an_earlier_demonstration_is_removed_only_when_asked_for(tmp_path: Path) -> None:
    folder = earlier(tmp_path / "demo")
    with pytest.raises(OutputError, match="exists already"):
        story.run(folder)
    assert (folder / "model.onnx").is_file()
    with pytest.raises(InterruptedError):
        story.run(folder, overwrite=True)
    assert [path.name for path in folder.iterdir()] == [MARKER]


@pytest.mark.usefixtures("stopped")
def test_a_file_of_somebody_else_in_the_folder_keeps_all_of_it(tmp_path: Path) -> None:
    folder = earlier(tmp_path / "demo")
    (folder / "thesis.docx").write_text("mine")
    before = sorted(folder.rglob("*"))
    with pytest.raises(OutputError, match=r"more than a demonstration left there.*got thesis\.docx"):
        story.run(folder, overwrite=True)
    assert sorted(folder.rglob("*")) == before


@pytest.mark.usefixtures("stopped")
def test_photos_in_a_folder_that_no_demonstration_made_are_safe_although_they_have_its_names(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "holiday.jpg").write_text("mine")
    with pytest.raises(OutputError, match="only folders that Tessella made"):
        story.run(tmp_path, overwrite=True)
    assert (tmp_path / "photos" / "holiday.jpg").is_file()
