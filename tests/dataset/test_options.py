"""Options of formats: known ones reach the reader from every door, others are refused by name."""

import json
from pathlib import Path

import pytest

import tessella
from data.label_studio import annotation, box, export, task
from data.layouts import index_mask, photo_of, save
from tessella.cli.main import main
from tessella.core.errors import FormatError
from tessella.dataset.convert import convert
from tessella.dataset.index import open_dataset
from tessella.formats import FORMATS


@pytest.fixture
def two(tmp_path: Path) -> Path:
    """Return a task that two people annotated, 16 and 25 pixels large."""
    root = tmp_path / "two"
    save(root / "p.png", photo_of(0))
    done = [annotation(box("road", 0, 0, side, side), completed_by=side) for side in (4, 5)]
    export(root / "tasks.json", task(1, "p.png", *done))
    return root


def test_an_option_that_the_format_does_not_know_is_refused_with_the_nearest(two: Path) -> None:
    with pytest.raises(FormatError, match="label-studio has no option 'anotator'") as caught:
        open_dataset(two, options={"anotator": "4"})
    assert "did you mean 'annotator'" in str(caught.value)


def test_a_format_without_options_says_so(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="index-mask has no option") as caught:
        open_dataset(index_mask(tmp_path / "set"), options={"annotator": "4"})
    assert "no options" in str(caught.value)


def test_every_option_is_explained_in_one_line() -> None:
    said = [text for row in FORMATS.values() for text in row.options.values()]
    assert said
    assert all(0 < len(text) < 100 and "\n" not in text for text in said)


def test_every_door_takes_options(two: Path, tmp_path: Path) -> None:
    asked = {"annotator": "4"}
    assert tessella.open(two, options=asked).listing.options == asked
    assert "annotator=4 as asked" in tessella.inspect(two, options=asked).facts["notes"]
    assert "annotator=4 as asked" in tessella.check(two, options=asked).notes
    tessella.convert(two, tmp_path / "out", to="index-mask", options=asked)
    assert open_dataset(tmp_path / "out")[0].labels.ids.sum() == 16


def test_an_interrupted_conversion_with_another_option_starts_anew(two: Path, tmp_path: Path) -> None:
    def stop(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        convert(two, tmp_path / "out", to="index-mask", options={"annotator": "4"}, progress=stop)
    assert convert(two, tmp_path / "out", to="index-mask", options={"annotator": "5"}).resumed == 0
    assert open_dataset(tmp_path / "out")[0].labels.ids.sum() == 25


def command(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr("sys.argv", ["tessella", *map(str, arguments)])
    with pytest.raises(SystemExit) as caught:
        main()
    return int(caught.value.code or 0)


def test_the_commands_take_options(two: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    asked = ("--option", "annotator=4")
    assert command(monkeypatch, "inspect", two, *asked, "--json") == 0
    assert "annotator=4 as asked" in json.loads(capsys.readouterr().out)["notes"]
    command(monkeypatch, "check", two, *asked, "--json")
    assert "annotator=4 as asked" in json.loads(capsys.readouterr().out)["notes"]
    assert command(monkeypatch, "convert", two, tmp_path / "out", "--to", "index-mask", *asked) == 0
    assert open_dataset(tmp_path / "out")[0].labels.ids.sum() == 16


@pytest.mark.parametrize("pairs", [["annotator"], ["=4"], ["annotator=4", "annotator=5"]])
def test_what_is_no_pair_or_comes_twice_is_refused(
    two: Path, pairs: list[str], monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    assert command(monkeypatch, "inspect", two, *(word for pair in pairs for word in ("--option", pair))) == 2
    assert "expected KEY=VALUE" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("folder", "data", "photos"),
    [
        ("set", ".", "../photos"),
        ("set/sub", "..", "../../photos"),
        (".", "set", "set/../photos"),
        (".", "set", "photos"),
        ("set", ".", ".."),
        ("photos", "../set", "."),
    ],
)
def test_photos_beside_the_data_are_found_however_both_are_spelled(tmp_path, monkeypatch, folder, data, photos):
    root = index_mask(tmp_path / "set")
    whole = {name: open_dataset(root).labels(place).ids.tobytes() for place, name in enumerate(names(root))}
    (root / "images").rename(tmp_path / "photos")
    (root / "sub").mkdir()
    monkeypatch.chdir(tmp_path / folder)
    index = open_dataset(data, photos=photos)
    assert [record.image.exists() for record in index.records] == [True] * 4
    assert {record.name.split("/")[-1]: index.labels(place).ids.tobytes() for place, record in
            enumerate(index.records)} == whole  # fmt: skip
    before = sorted(path for path in tmp_path.rglob("*"))
    convert(data, tmp_path / "new" / "out", to="index-mask", photos=photos)
    made = [path for path in tmp_path.rglob("*") if path not in before]
    assert all(path.is_relative_to(tmp_path / "new") for path in made)
    assert len(open_dataset(tmp_path / "new" / "out")) == 4


def names(root):
    return [record.name.split("/")[-1] for record in open_dataset(root).records]
