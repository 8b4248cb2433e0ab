import json
from pathlib import Path

import numpy as np
import pytest

from data.geo import spacenet
from data.layouts import camvid, ids_of, labelme, photo_of, save
from tessella.cli.commands.inspect import inspect as command
from tessella.core.errors import FormatError, InputError
from tessella.dataset.inspect import inspect


def test_a_photo_is_described_by_its_header(tmp_path: Path) -> None:
    answer = inspect(save(tmp_path / "a.jpg", photo_of(0))).to_json()
    assert answer["kind"] == "picture"
    assert (answer["format"], answer["width"], answer["height"], answer["bands"]) == ("JPEG", 16, 12, 3)
    assert "values" not in answer


def test_a_masks_values_are_counted(tmp_path: Path) -> None:
    ids = np.array([[0, 1, 1, 255]], np.uint8)
    answer = inspect(save(tmp_path / "m.png", ids)).to_json()
    assert answer["values"] == {"0": 1, "1": 2, "255": 1}


def test_a_labelme_file_is_described_by_its_shapes(tmp_path: Path) -> None:
    answer = inspect(labelme(tmp_path) / "p0.json").to_json()
    assert answer["kind"] == "annotation"
    assert answer["shapes"] == {"polygon road": 1, "polygon tree": 1, "polygon __ignore__": 1}


def test_a_class_file_is_described_by_its_classes(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("a\nb\n")
    (tmp_path / "classes.json").write_text('["a", "b"]')
    for name in ("labels.txt", "classes.json"):
        assert inspect(tmp_path / name).to_json()["classes"] == [
            {"name": "a", "colour": [0, 0, 0], "values": [0]},
            {"name": "b", "colour": [128, 0, 0], "values": [1]},
        ]


def test_a_folder_is_described_as_a_data_set(tmp_path: Path) -> None:
    root = camvid(tmp_path)
    save(root / "train" / "0001TP_006690.png", photo_of(0, (3, 5)))
    (root / "val" / "0001TP_006780.png").write_bytes(b"broken")
    answer = inspect(root).to_json()
    assert (answer["kind"], answer["format"], answer["samples"], answer["labelled"]) == ("data set", "camvid", 4, 4)
    assert answer["splits"] == {"train": 3, "val": 1}
    assert answer["sizes"] == {"16x12": 2, "5x3": 1}
    assert answer["unreadable_photos"] == 1
    assert answer["classes_discovered"] is False


def test_labels_without_any_photo_are_said_plainly(tmp_path: Path) -> None:
    root = spacenet(tmp_path, count=2)
    for photo in root.rglob("*.tif"):
        photo.unlink()
    answer = inspect(root).to_json()
    assert (answer["samples"], answer["labels_without_photo"]) == (0, 2)
    assert answer["notes"][0] == (
        "no photo is here: 2 labels lack their photo, such as summary.csv#p_0; --photos names where to look"
    )
    assert [one["name"] for one in answer["classes"]] == ["background", "road", "tree"]


@pytest.mark.parametrize(("name", "error"), [("nothing.png", InputError), ("film.mp4", FormatError)])
def test_what_is_not_there_or_not_known_is_one_clear_error(tmp_path: Path, name: str, error: type[Exception]) -> None:
    (tmp_path / "film.mp4").write_bytes(b"x")
    with pytest.raises(error):
        inspect(tmp_path / name)


def test_the_command_answers_in_json_and_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = save(tmp_path / "m.png", ids_of(0))
    command(path, json=True)
    assert json.loads(capsys.readouterr().out)["kind"] == "picture"
    command(path)
    assert "different values" in capsys.readouterr().out
