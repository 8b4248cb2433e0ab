"""What a user waits for: `tessella --help`, and the whole of `tessella demo`, by the commands themselves.

    python benchmarks/everyday.py

Processor time of `--help` is the best of five fresh processes (bar: 0.35 s); the demonstration runs once, wall-clock
(bars: four minutes on two cores, every planted fault found and none invented, mIoU 0.80). Quiet machine only.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tessella.report import environment

RESULTS = Path(__file__).parent / "results"
TESSELLA = (sys.executable, "-m", "tessella")


def main() -> None:
    """Measure and write `results/everyday.json`."""
    help_seconds = min(help_time() for _ in range(5))
    with tempfile.TemporaryDirectory() as scratch:
        demonstration = demo(Path(scratch) / "demo")
    result = {
        "command": "python benchmarks/everyday.py",
        "seed": 0,
        "environment": {key: value for key, value in environment().items() if key != "command"},
        "help_processor_seconds": round(help_seconds, 3),
        "demo": demonstration,
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "everyday.json").write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


def help_time() -> float:
    """Return the processor seconds of one `tessella --help`."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([*TESSELLA, "--help"], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def demo(folder: Path) -> dict[str, object]:
    """Run the demonstration; its exit code says whether every planted fault was found and none invented."""
    start = time.monotonic()
    done = subprocess.run([*TESSELLA, "demo", "--out", str(folder)], check=True, stdout=subprocess.PIPE, text=True)
    wall = time.monotonic() - start
    report = json.loads((folder / "run" / "report.json").read_text())
    return {
        "wall_seconds": round(wall, 1),
        "peak_rss_gib": round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20, 2),
        "miou": report["miou"],
        "iou": {row["name"]: row["iou"] for row in report["classes"]},
        "lines": done.stdout.replace(str(folder), "tessella-demo").splitlines(),
    }


if __name__ == "__main__":
    main()
