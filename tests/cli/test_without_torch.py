"""Labels need no torch: checked in a process in which torch and its friends cannot be imported."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from data.blobs import write_blobs

BLOCKED = """
import importlib.util, sys
class Absent:
    names = {"torch", "torchvision", "timm", "accelerate", "segmentation_models_pytorch", "onnx", "onnxruntime"}
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in self.names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Absent())
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name in Absent.names else found(name, *rest)
from tessella.cli.main import main
main()
"""


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", BLOCKED, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def blobs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_blobs(tmp_path_factory.mktemp("light") / "blobs")


def test_check_score_inspect_and_convert_work_without_torch(blobs: Path, tmp_path: Path) -> None:
    checked = run("check", blobs, "--json")
    assert checked.returncode == 0, checked.stderr
    assert json.loads(checked.stdout)["samples"] == 11
    (tmp_path / "copy").mkdir()
    for mask in (blobs / "val/masks").iterdir():
        (tmp_path / "copy" / mask.name).write_bytes(mask.read_bytes())
    # the first two rows are ignored in truth and in the copy: a prediction may abstain where nothing is scored
    scored = run("score", tmp_path / "copy", blobs / "val/masks", "--classes", blobs / "classes.toml", "--json")
    assert scored.returncode == 0, scored.stderr
    assert json.loads(scored.stdout)["miou"] == 1.0
    inspected = run("inspect", blobs, "--json")
    assert inspected.returncode == 0, inspected.stderr
    assert json.loads(inspected.stdout)["format"] == "index-mask"
    converted = run("convert", blobs, tmp_path / "voc", "--to", "voc")
    assert converted.returncode == 0, converted.stderr


@pytest.mark.parametrize("command", ["plan", "train", "demo", "predict"])
def test_what_needs_torch_answers_with_the_install_line(blobs: Path, tmp_path: Path, command: str) -> None:
    arguments = {
        "plan": [blobs, "--minutes", 1],
        "train": [blobs, "--minutes", 1, "--out", tmp_path / "run"],
        "demo": ["--out", tmp_path / "demo"],
        "predict": [tmp_path / "model.onnx", blobs, "--out", tmp_path / "masks"],
    }
    (tmp_path / "model.onnx").write_bytes(b"")
    done = run(command, *arguments[command])
    assert done.returncode == 2, done.stderr
    assert "pip install 'tessella[" in done.stderr
    assert "Traceback" not in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.onnx"]
