"""`tessella score` as people and scripts run it: answers on stdout, words on stderr, telling exit codes."""

import json
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image as Pillow

from tessella.cli.main import main


@pytest.fixture
def folders(tmp_path):
    for folder in ("pred", "truth"):
        (tmp_path / folder).mkdir()
        for name in "ab":
            ids = np.zeros((6, 8), np.uint8)
            ids[:, 4 if folder == "truth" else 5 :] = 1
            Pillow.fromarray(ids).save(tmp_path / folder / f"{name}.png")
    (tmp_path / "labels.txt").write_text("ground\nroof\n")
    return tmp_path


class Done(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def tessella(folders, monkeypatch, capsys):
    """Return a function that runs the command line inside the folders."""

    def run(*arguments):
        monkeypatch.chdir(folders)
        monkeypatch.setattr("sys.argv", ["tessella", *arguments])
        with pytest.raises(SystemExit) as caught:
            main()
        return Done(caught.value.code or 0, *capsys.readouterr())

    return run


def test_score_answers_in_json_and_writes_a_page(folders, tessella):
    done = tessella("score", "pred", "truth", "--classes", "labels.txt", "--json", "--out", "run")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["images"] == 2
    assert [row["iou"] for row in answer["classes"]] == [48 / 60, 36 / 48]
    assert answer["confusion"] == [[48, 0], [12, 36]]
    assert json.loads((folders / "run" / "report.json").read_text())["miou"] == answer["miou"]
    assert "report.html" in done.stderr
    again = tessella("score", "pred", "truth", "--classes", "labels.txt", "--out", "run")
    assert (again.returncode, again.stdout) == (2, "")
    assert "exists already" in again.stderr


def test_a_missed_threshold_exits_with_one_after_the_answer(tessella):
    done = tessella("score", "pred", "truth", "--classes", "labels.txt", "--min-miou", "0.9")
    assert done.returncode == 1
    assert "mIoU 0.775" in done.stdout
    assert "below the threshold 0.9" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["pred", "truth", "--classes", "labels.txt", "--min-miou", "77"], "--min-miou: the threshold is not a share"),
        (["pred", "nowhere", "--classes", "labels.txt"], "nowhere: there is no such folder"),
        (["pred", "truth", "--classes", "nothing.toml"], "nothing.toml"),
    ],
)
def test_what_the_user_has_to_fix_exits_with_two_and_one_line(tessella, arguments, says):
    done = tessella("score", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
