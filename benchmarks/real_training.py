"""Trains real data sets by the command that users type, and records scores, wall time and memory.

    python benchmarks/real_training.py camvid DATA [--minutes 15] [--seed 0]
    python benchmarks/real_training.py isbi DATA [--minutes 5] [--seed 0]

`camvid DATA` is the folder with the SegNet lists (train.txt, val.txt, test.txt) at 480x360; `isbi DATA` the folder with
`image/` and `label/` of the ISBI 2012 membranes (foreground 0, so a class table says so). Networks start from scratch,
train on `train` alone and are scored once, at the photos' own size, without test-time augmentation. Quiet machine only:
the time limit is wall-clock time.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tessella.report import environment

RESULTS = Path(__file__).parent / "results"
ISBI_CLASSES = """
[[classes]]
name = "membrane"
colour = [0, 0, 0]
values = [0]
[[classes]]
name = "cell"
colour = [255, 255, 255]
values = [255]
[ignore]
values = []
"""


def main() -> None:
    """Run one benchmark and write its JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=("camvid", "isbi"))
    parser.add_argument("data", type=Path)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    minutes = asked.minutes or {"camvid": 15.0, "isbi": 5.0}[asked.name]
    with tempfile.TemporaryDirectory() as scratch:
        result = train(asked.name, asked.data, minutes=minutes, seed=asked.seed, scratch=Path(scratch))
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{asked.name}.json"
    path.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps({key: result[key] for key in ("wall_seconds", "peak_rss_gib", "scores")}, indent=2))


def train(name: str, data: Path, *, minutes: float, seed: int, scratch: Path) -> dict[str, object]:
    """Train by the command line and gather what came out."""
    run = scratch / "run"
    flags = ["--out", str(run), "--minutes", f"{minutes:g}", "--seed", str(seed)]
    if name == "isbi":
        (scratch / "classes.toml").write_text(ISBI_CLASSES)
        flags += ["--classes", str(scratch / "classes.toml")]
    start = time.monotonic()
    subprocess.run([sys.executable, "-m", "tessella", "train", str(data), *flags], check=True)
    wall = time.monotonic() - start
    events = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    plan = json.loads((run / "plan.json").read_text())
    return {
        "command": f"tessella train {name.upper()} --minutes {minutes:g} --seed {seed}",
        "environment": {key: value for key, value in environment().items() if key != "command"},
        "wall_seconds": round(wall, 1),
        "training_seconds": events[-1]["seconds"],
        "steps": events[-1]["step"],
        "peak_rss_gib": round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20, 2),
        "scores": {split: scores(path) for split, path in reports(run).items()},
        "plan": {key: plan[key] for key in ("model", "augment", "loss", "optimiser", "training")},
    }


def reports(run: Path) -> dict[str, Path]:
    """Return the JSON report of every split that was scored."""
    return {"val": run / "report.json"} | {path.parent.name: path for path in run.glob("*/report.json")}


def scores(path: Path) -> dict[str, object]:
    """Return the headline scores of a report."""
    report = json.loads(path.read_text())
    return {
        "images": report["images"],
        "miou": report["miou"],
        "mean_dice": report["mean_dice"],
        "pixel_accuracy": report["pixel_accuracy"],
        "iou": {row["name"]: row["iou"] for row in report["classes"]},
        "dice": {row["name"]: row["dice"] for row in report["classes"]},
    }


if __name__ == "__main__":
    main()
