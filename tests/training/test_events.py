"""Events: a JSON line each, TensorBoard beside it, and nothing twice after an interruption."""

import errno
import json
from types import SimpleNamespace

import numpy as np
import pytest

from data.small_disk import fill, needs_mount, small_disk
from tessella.core.errors import OutputError
from tessella.training.events import EventLog, read_events


def lines_of(folder):
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_every_event_is_a_line_of_json_as_soon_as_it_happens(tmp_path):
    log = EventLog(tmp_path, resumed_step=None)
    log.write("step", step=1, seconds=0.12345, loss=2.5)
    assert lines_of(tmp_path) == [{"event": "step", "step": 1, "seconds": 0.123, "loss": 2.5}] == log.history
    log.close()


def test_what_happened_after_the_checkpoint_is_removed_when_the_run_goes_on(tmp_path):
    log = EventLog(tmp_path, resumed_step=None)
    for step in range(5):
        log.write("step", step=step, seconds=step)
    log.close()
    with (tmp_path / "metrics.jsonl").open("a") as stream:
        stream.write('{"event": "step", "st')  # the kill came in the middle of a line
    log = EventLog(tmp_path, resumed_step=2)
    log.write("step", step=3, seconds=9)
    log.close()
    assert [event["step"] for event in lines_of(tmp_path)] == [0, 1, 2, 3]
    assert read_events(tmp_path / "metrics.jsonl") == log.history


def test_a_missing_log_has_no_events(tmp_path):
    assert read_events(tmp_path / "metrics.jsonl") == []


def test_tensorboard_gets_scalars_and_pictures(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    log = EventLog(tmp_path, resumed_step=None)
    log.write("step", step=3, seconds=1, loss=0.5, note="words are not scalars")
    log.write("warning", step=3, seconds=1, count=1)
    log.picture("a", np.zeros((4, 12, 3), np.uint8), step=3)
    log.close()
    board = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert board.Tags()["scalars"] == ["step/loss"]
    assert [(event.step, event.value) for event in board.Scalars("step/loss")] == [(3, 0.5)]
    assert board.Tags()["images"] == ["photo | truth | prediction/a"]


def test_without_tensorboard_only_the_lines_are_written(tmp_path, monkeypatch):
    monkeypatch.setattr("tessella.training.events.find_spec", lambda _: None)
    log = EventLog(tmp_path, resumed_step=None)
    log.write("step", step=1, seconds=1, loss=0.5)
    log.picture("a", np.zeros((4, 12, 3), np.uint8), step=1)
    log.close()
    assert [path.name for path in tmp_path.iterdir()] == ["metrics.jsonl"]


@needs_mount
def test_a_full_disk_is_said_by_whatever_meets_it_and_closing_hides_nothing(tmp_path):
    with small_disk(tmp_path / "disk", "size=64k") as disk:
        with pytest.raises(OutputError, match="disk is full") as met, EventLog(disk, resumed_step=None) as log:
            log.write("step", step=1, seconds=1, loss=0.5)
            fill(disk)
            for step in range(2, 2000):
                log.write("step", step=step, seconds=1, loss=0.5)
        assert met.value.where in {str(disk / "metrics.jsonl"), str(disk / "tensorboard")}
        with pytest.raises(OutputError, match="disk is full"):
            EventLog(disk, resumed_step=1)


@needs_mount
def test_a_picture_that_finds_no_room_is_said(tmp_path):
    pytest.importorskip("tensorboard")
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    with (
        small_disk(tmp_path / "disk", "size=64k") as disk,
        pytest.raises(OutputError, match=r"tensorboard: the disk is full"),
        EventLog(disk, resumed_step=None) as log,
    ):
        for step in range(20):
            log.picture("a", noise, step=step)


def test_closing_says_what_it_could_not_write_unless_another_error_is_on_its_way(tmp_path, monkeypatch):
    def full():
        raise OSError(errno.ENOSPC, "No space left on device")

    for ended_by in (None, KeyError):
        log = EventLog(tmp_path, resumed_step=None)
        log.close()
        monkeypatch.setattr(log, "_stream", SimpleNamespace(close=full))
        with pytest.raises(ended_by or OutputError), log:
            if ended_by:
                raise ended_by


def test_a_line_cut_within_a_letter_is_left_out(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_bytes('{"event": "step", "step": 1}\n{"photo": "gr\u00fc'.encode()[:-1])
    assert read_events(path) == [{"event": "step", "step": 1}]


def test_a_log_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "metrics.jsonl").mkdir()
    with pytest.raises(OutputError, match=r"metrics\.jsonl"):
        EventLog(tmp_path, resumed_step=None)
