"""A conversion that is killed leaves no half data set, and goes on where it stopped."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from data.layouts import ids_of, index_mask, photo_of, save, write_classes_toml
from tessella.core.errors import InputError, InterruptionError
from tessella.dataset import convert as door
from tessella.dataset.conversion import crew
from tessella.dataset.convert import convert
from tessella.dataset.index import open_dataset
from tessella.formats import FORMATS


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


class Stop(KeyboardInterrupt):
    """What Ctrl-C raises."""


def stop_after(count: int):
    def progress(done: int, _total: int) -> None:
        if done == count:
            raise Stop

    return progress


@pytest.mark.parametrize("to", ["index-mask", "voc", "colour-mask", "labelme"])
def test_an_interrupted_conversion_goes_on_where_it_stopped(tmp_path, to):
    root = index_mask(tmp_path / "set", count=9)
    convert(root, tmp_path / "whole", to=to)
    with pytest.raises(Stop):
        convert(root, tmp_path / "out", to=to, progress=stop_after(3))
    assert not (tmp_path / "out").exists()
    done = convert(root, tmp_path / "out", to=to)
    assert done.resumed >= 3
    assert files(tmp_path / "out") == files(tmp_path / "whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "set", "whole"]


def test_another_conversion_to_the_same_place_starts_anew(tmp_path):
    root = index_mask(tmp_path / "set")
    with pytest.raises(Stop):
        convert(root, tmp_path / "out", to="voc", progress=stop_after(2))
    assert convert(root, tmp_path / "out", to="labelme").resumed == 0
    assert open_dataset(tmp_path / "out").format == "labelme"


def test_a_label_that_changed_in_between_is_not_taken_from_before(tmp_path):
    root = index_mask(tmp_path / "set")
    with pytest.raises(Stop):
        convert(root, tmp_path / "out", to="index-mask", progress=stop_after(4))
    save(root / "masks" / "p0.png", np.zeros((12, 16), np.uint8))
    os.utime(root / "masks" / "p0.png", ns=(1, 1))
    assert convert(root, tmp_path / "out", to="index-mask").resumed == 0
    assert not open_dataset(tmp_path / "out").labels(0).ids.any()


def test_a_torn_last_line_of_the_journal_is_written_again(tmp_path):
    root = index_mask(tmp_path / "set")
    with pytest.raises(Stop):
        convert(root, tmp_path / "out", to="index-mask", progress=stop_after(4))
    journal = tmp_path / ".out.unfinished" / ".journal.jsonl"
    journal.write_bytes(journal.read_bytes()[:-9])
    assert convert(root, tmp_path / "out", to="index-mask").resumed == 3
    assert len(open_dataset(tmp_path / "out")) == 4


def test_an_error_leaves_nothing_to_resume(tmp_path):
    root = index_mask(tmp_path / "set")
    (root / "masks" / "p3.png").write_bytes(b"broken")
    with pytest.raises(InputError):
        convert(root, tmp_path / "out", to="voc", format="index-mask")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["set"]


def test_a_killed_process_leaves_no_half_file_and_is_resumed(tmp_path):
    root = tmp_path / "set"
    for seed in range(60):
        save(root / "images" / f"{seed:02}.png", photo_of(seed, (200, 300)))
        save(root / "masks" / f"{seed:02}.png", ids_of(seed, (200, 300), ignore=False))
    write_classes_toml(root)
    command = [sys.executable, "-m", "tessella", "convert", str(root), str(tmp_path / "out"), "--to", "voc"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    journal = tmp_path / ".out.unfinished" / ".journal.jsonl"
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        if journal.is_file() and journal.read_bytes().count(b"\n") >= 5:
            process.send_signal(signal.SIGKILL)
            break
        time.sleep(0.002)
    process.wait()
    assert not (tmp_path / "out").exists()
    written = journal.read_bytes().count(b"\n")
    done = door.convert(root, tmp_path / "out", to="voc")
    assert done.resumed == written
    convert(root, tmp_path / "twin", to="voc")
    assert files(tmp_path / "out") == files(tmp_path / "twin")


@pytest.fixture
def crew_at_once(monkeypatch):
    """Call the processes in after the first photos, and have two of them wherever the tests run."""
    monkeypatch.setattr(crew, "FIRST", 1)
    monkeypatch.setattr(crew, "WORTH_SECONDS", 0.0)
    monkeypatch.setattr(crew, "cores", lambda: 2)


@pytest.mark.parametrize("to", ["coco", "labelme", "voc"])
def test_processes_write_what_threads_write(tmp_path, to, request):
    root = index_mask(tmp_path / "set", count=30)
    told, seen = [], []
    convert(root, tmp_path / "threads", to=to, progress=lambda done, total: told.append((done, total)))
    request.getfixturevalue("crew_at_once")
    convert(root, tmp_path / "processes", to=to, progress=lambda done, total: seen.append((done, total)))
    assert files(tmp_path / "processes") == files(tmp_path / "threads")
    assert seen == told == [(done, 30) for done in range(1, 31)]


@pytest.mark.usefixtures("crew_at_once")
def test_a_label_that_a_process_cannot_read_is_named_and_leaves_nothing(tmp_path):
    root = index_mask(tmp_path / "set", count=12)
    (root / "masks" / "p9.png").write_bytes(b"broken")
    with pytest.raises(InputError, match=r"p9\.png"):
        convert(root, tmp_path / "out", to="labelme", format="index-mask")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["set"]


@pytest.mark.usefixtures("crew_at_once")
def test_processes_that_are_interrupted_are_resumed_by_threads(tmp_path, monkeypatch):
    root = index_mask(tmp_path / "set", count=12)
    with pytest.raises(Stop):
        convert(root, tmp_path / "out", to="voc", progress=stop_after(8))
    monkeypatch.setattr(crew, "WORTH_SECONDS", 1e9)
    assert convert(root, tmp_path / "out", to="voc").resumed >= 8
    convert(root, tmp_path / "twin", to="voc")
    assert files(tmp_path / "out") == files(tmp_path / "twin")


@pytest.mark.usefixtures("crew_at_once")
def test_a_process_that_is_killed_is_an_error_and_no_hang(tmp_path, monkeypatch):
    root = index_mask(tmp_path / "set", count=12)
    monkeypatch.setattr(crew, "_write_mine", end_at_once)
    with pytest.raises(InterruptionError, match="ended from outside"):
        convert(root, tmp_path / "out", to="voc")
    monkeypatch.setattr(crew, "WORTH_SECONDS", 1e9)
    assert convert(root, tmp_path / "out", to="voc").resumed >= 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "set"]


def end_at_once(_some: range) -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def test_a_crew_whose_caller_is_gone_writes_no_more(tmp_path):
    code = f"from tessella.dataset.conversion import crew; crew._mine.update(work=(1, [2], 3), caller={os.getpid()});"
    lost = "import os; os.getppid = lambda: 1; crew._write_mine(range(1))"
    done = subprocess.run([sys.executable, "-c", f"{code} {lost}"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "")


def test_separators_of_lines_within_a_text_do_not_tear_the_journal(tmp_path):
    root = tmp_path / "set"
    for number in range(4):
        save(root / f"p{number}.png", photo_of(number))
        shape = {"label": "cat", "points": [[1, 1], [9, 1], [9, 9]], "shape_type": "polygon", "flags": {}}
        shape["description"] = "one\u2028two\x85three"
        tree = {"version": "5.5.0", "shapes": [shape], "imagePath": f"p{number}.png", "flags": {}}
        (root / f"p{number}.json").write_text(json.dumps(tree))
    with pytest.raises(Stop):
        convert(root, tmp_path / "out", to="coco", progress=stop_after(3))
    assert convert(root, tmp_path / "out", to="coco").resumed == 3


def test_a_file_beside_the_label_that_changed_starts_anew(tmp_path):
    root = index_mask(tmp_path / "set")
    (root / "masks" / "p0.dbf").write_text("old")
    with pytest.raises(Stop):
        convert(root, tmp_path / "out", to="voc", progress=stop_after(2))
    (root / "masks" / "p0.dbf").write_text("changed")
    assert convert(root, tmp_path / "out", to="voc").resumed == 0


@pytest.mark.usefixtures("crew_at_once")
def test_a_writer_that_cannot_be_sent_elsewhere_stays_with_the_threads(tmp_path, monkeypatch):
    root = index_mask(tmp_path / "set", count=12)
    row, written = FORMATS["voc"], []

    def one(item, coding, dst):
        written.append(item.name)
        return row.write.one(item, coding, dst)

    monkeypatch.setitem(FORMATS, "voc", row._replace(write=row.write._replace(one=one)))
    assert convert(root, tmp_path / "out", to="voc").samples == len(written) == 12
