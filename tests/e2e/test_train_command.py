"""`tessella train` as a person uses it: killed, resumed, evaluated, replaced."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from data.blobs import write_blobs
from tessella.cli.main import main

pytest.importorskip("torch")

PATIENCE_SECONDS = 120
SETTINGS = (
    "model.name=unet",
    "model.options.width=4",
    "model.options.depth=2",
    "training.batch=2",
    "training.threads=1",
    "training.workers=1",
    "training.checkpoint_minutes=0.005",
    "augment.crop_hw=[32, 32]",
)


@pytest.fixture
def command(monkeypatch, capsys):
    def call(*arguments):
        monkeypatch.setattr("sys.argv", ["tessella", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as caught:
            main()
        said = capsys.readouterr()
        return int(caught.value.code or 0), said.out, said.err

    return call


def wait_for_checkpoint(job: subprocess.Popen, run: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not list((run / "checkpoints").glob("step-*")):
        assert job.poll() is None, "the run ended too early"
        assert time.monotonic() < deadline, "the run saves nothing"
        time.sleep(0.02)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
def test_a_killed_run_is_resumed_scored_evaluated_and_replaced(command, tmp_path):
    data = write_blobs(tmp_path / "data", test=2)
    run = tmp_path / "run"
    settings = [word for setting in SETTINGS for word in ("--set", setting)]
    train = ["train", data, "--out", run, "--classes", data / "classes.toml", *settings]
    job = subprocess.Popen([sys.executable, "-m", "tessella", *map(str, train), "--epochs", "100", "--seed", "3"])
    wait_for_checkpoint(job, run)
    job.kill()
    assert job.wait() == -signal.SIGKILL
    assert not (run / "bundle").exists()

    code, _, err = command(*train, "--epochs", 50, "--resume")
    assert (code, "training.epochs = 50" in err, "training.epochs = 100" in err) == (2, True, True)
    code, out, err = command(*train, "--epochs", 100, "--seed", 3, "--resume")
    assert code == 0, err
    assert "(val)" in out
    assert "(test)" in out
    assert "scoring all 3 val and 2 test photos after training takes about" in err
    events = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    steps = [event["step"] for event in events if event["event"] == "step"]
    assert steps == sorted(set(steps))
    assert steps[-1] == 100 * 8 // 2

    for split, report in (("val", run / "report.json"), ("test", run / "test" / "report.json")):
        found = ["--classes", data / "classes.toml", "--split", split, "--json"]
        code, out, err = command("evaluate", run / "bundle", data, *found)
        assert code == 0, err
        assert json.loads(out)["miou"] == pytest.approx(json.loads(report.read_text())["miou"], abs=1e-9)

    digest = (run / "bundle" / "manifest.json").read_text()
    code, _, err = command(*train, "--epochs", 2)
    assert (code, "exists already" in err) == (2, True)
    code, out, err = command(*train, "--epochs", 2, "--overwrite")
    assert code == 0, err
    assert (run / "bundle" / "manifest.json").read_text() != digest
    assert json.loads((run / "plan.json").read_text())["training"]["steps"] == 8
    assert [path.name for path in (run / "checkpoints").iterdir()][-1:] == ["step-00000008"]
