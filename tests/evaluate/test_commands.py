"""`tessella score` as people and scripts run it: answers on stdout, words on stderr, exit codes that say what happened."""

import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image as Pillow


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


def tessella(folder, *arguments):
    code = "import sys; from tessella.cli.main import main; sys.argv[0] = 'tessella'; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False, cwd=folder
    )


def test_score_answers_in_json_and_writes_a_page(folders):
    done = tessella(folders, "score", "pred", "truth", "--classes", "labels.txt", "--json", "--out", "run")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["images"] == 2
    assert [row["iou"] for row in answer["classes"]] == [48 / 60, 36 / 48]
    assert answer["confusion"] == [[48, 0], [12, 36]]
    assert json.loads((folders / "run" / "report.json").read_text())["miou"] == answer["miou"]
    assert "report.html" in done.stderr
    again = tessella(folders, "score", "pred", "truth", "--classes", "labels.txt", "--out", "run")
    assert (again.returncode, again.stdout) == (2, "")
    assert "exists already" in again.stderr


def test_a_missed_threshold_exits_with_one_after_the_answer(folders):
    done = tessella(folders, "score", "pred", "truth", "--classes", "labels.txt", "--min-miou", "0.9")
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
def test_what_the_user_has_to_fix_exits_with_two_and_one_line(folders, arguments, says):
    done = tessella(folders, "score", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
