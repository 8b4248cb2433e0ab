"""How the train command shows progress: a line that says everything, a bar on a terminal, lines elsewhere."""

import io

import pytest
from rich.console import Console

from tessella.cli.commands.train import describe, show_progress
from tessella.training.events import Progress


def progress(**changes):
    usual = {"step": 120, "steps": 2000, "share": 0.06, "seconds": 50.0, "seconds_left": 754.0, "score": None}
    usual |= {"photos_per_second": 19.62, "loss": 1.2345, "learning_rate": 0.001}
    return Progress(**(usual | changes))


def test_one_line_says_share_steps_time_speed_and_loss():
    assert describe(progress()) == "  6%  step 120 of 2000  12:34 left  19.6 photos/s  loss 1.234"


def test_the_score_is_shown_once_there_is_one():
    assert describe(progress(score=0.51234)).endswith("loss 1.234  mIoU 0.512")


def test_without_a_terminal_a_line_is_written_now_and_then(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("tessella.cli.commands.train.time.monotonic", lambda: now[0])
    stream = io.StringIO()
    with show_progress(Console(file=stream, width=200)) as (show, _):
        for seconds in (0, 10, 31):
            now[0] = 100.0 + seconds
            show(progress(step=seconds))
    assert [line.split()[2] for line in stream.getvalue().splitlines()] == ["0", "31"]


@pytest.mark.parametrize("scoring", [False, True])
def test_on_a_terminal_a_bar_is_drawn(scoring):
    stream = io.StringIO()
    with show_progress(Console(file=stream, width=200, force_terminal=True, color_system=None)) as (show, score):
        show(progress())
        if scoring:
            score(7, 101)
    assert "Training" in stream.getvalue()
    assert ("scored 7 of 101 photos" if scoring else "step 120 of 2000") in stream.getvalue()
