"""A run that is killed again and again gives the very weights of a run that is left alone."""

import json
import multiprocessing
import os
import random
import signal
import time
from pathlib import Path

import pytest

from data.blobs import write_blobs
from data.training_job import train_and_write_hash

STEPS = 30
KILLS = 5
PATIENCE_SECONDS = 240

# a server that has torch loaded forks every run: starting Python anew would take longer than the runs
processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(["tessella.training.run", "accelerate", "torch.utils.tensorboard"])


def start(data: Path, run: Path, *, resume: bool = False):
    job = processes.Process(target=train_and_write_hash, args=(data, run, STEPS, resume))
    job.start()
    return job


def finish(job, run: Path) -> str:
    job.join(PATIENCE_SECONDS)
    assert job.exitcode == 0, run.with_suffix(".error")
    return run.with_suffix(".hash").read_text()


def steps_of(run: Path) -> int:
    path = run / "metrics.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    return sum('"event": "step"' in line for line in lines)


def wait_for_steps(job, run: Path, steps: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while steps_of(run) < steps:
        assert job.exitcode is None, "the run ended too early"
        assert time.monotonic() < deadline, "the run makes no steps"
        time.sleep(0.01)


def losses_of(run: Path) -> list[tuple[int, float]]:
    events = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [(event["step"], event["loss"]) for event in events if event["event"] == "step"]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> tuple[Path, Path, str]:
    folder = tmp_path_factory.mktemp("kill")
    data = write_blobs(folder / "data")
    run = folder / "undisturbed"
    return data, run, finish(start(data, run), run)


@pytest.mark.slow
def test_a_run_killed_five_times_ends_with_the_weights_of_one_left_alone(undisturbed, tmp_path):
    data, twin, expected = undisturbed
    run = tmp_path / "killed"
    rng = random.Random(20261120)  # noqa: S311 - moments of kills, not secrets
    for kill in range(KILLS):
        done = steps_of(run)
        job = start(data, run, resume=kill > 0)
        wait_for_steps(job, run, done + rng.randint(1, STEPS // (2 * KILLS)))
        time.sleep(rng.uniform(0, 0.1))
        job.kill()
        job.join()
        assert job.exitcode == -signal.SIGKILL
        assert steps_of(run) < STEPS
    assert finish(start(data, run, resume=True), run) == expected
    assert losses_of(run) == losses_of(twin)
    assert len(list((run / "checkpoints").iterdir())) == 2


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_finishes_the_step_saves_and_the_run_can_go_on(number, code, undisturbed, tmp_path):
    data, _, expected = undisturbed
    run = tmp_path / "stopped"
    job = start(data, run)
    wait_for_steps(job, run, 5)
    os.kill(job.pid, number)
    job.join(PATIENCE_SECONDS)
    assert job.exitcode == code
    assert f"stopped by {number.name}" in run.with_suffix(".error").read_text()
    newest = sorted((run / "checkpoints").iterdir())[-1]
    assert newest.name == f"step-{steps_of(run):08d}"
    if number is signal.SIGTERM:
        assert finish(start(data, run, resume=True), run) == expected
