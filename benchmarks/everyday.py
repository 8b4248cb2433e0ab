"""What a user waits for: `tessella --help`, word of absent weights, the whole of `tessella demo`; by the commands.

    python benchmarks/everyday.py

Processor time of `--help` is the best of five fresh processes (bar: 0.35 s). Weights that are absent are asked for
without network and of a hub that never answers, wall-clock, the worst of five (bar: 2 s). The demonstration runs once,
wall-clock (bars: four minutes on two cores, every planted fault found and none invented, mIoU 0.80). For a quiet
machine.
"""

from __future__ import annotations

import json
import os
import resource
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from tessella.report import environment

RESULTS = Path(__file__).parent / "results"
TESSELLA = (sys.executable, "-m", "tessella")


def main() -> None:
    """Measure and write `results/everyday.json`."""
    help_seconds = min(help_time() for _ in range(5))
    absent = absent_weights()
    with tempfile.TemporaryDirectory() as scratch:
        demonstration = demo(Path(scratch) / "demo")
    result = {
        "command": "python benchmarks/everyday.py",
        "seed": 0,
        "environment": {key: value for key, value in environment().items() if key != "command"},
        "help_processor_seconds": round(help_seconds, 3),
        "absent_weights_seconds": absent,
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


def absent_weights() -> dict[str, float]:
    """Return the wall-clock seconds until `tessella plan` has answered that weights are absent, by kind and cause."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as hub, ExitStack() as callers:
        for _ in range(4):  # a full queue: further calls are neither taken nor refused
            caller = callers.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(hub.getsockname())
        causes = {
            "offline": {"HF_HUB_OFFLINE": "1"},
            "silent": {"HF_ENDPOINT": f"http://127.0.0.1:{hub.getsockname()[1]}"},
        }
        kinds = {"hub": "hub:someone/nets/a.safetensors", "timm": "timm:resnet18.a1_in1k"}
        return {
            f"{kind}, {cause}": round(max(absent_time(weights, settings) for _ in range(5)), 2)
            for kind, weights in kinds.items()
            for cause, settings in causes.items()
        }


def absent_time(weights: str, settings: dict[str, str]) -> float:
    """Return the wall-clock seconds of one `tessella plan` that is refused for its weights."""
    with tempfile.TemporaryDirectory() as cache:
        environ = {**os.environ, "XDG_CACHE_HOME": cache, "HF_HOME": cache, **settings}
        command = (*TESSELLA, "plan", cache, "--minutes", "1", "--set", f"model.weights={weights}")
        start = time.monotonic()
        done = subprocess.run(command, env=environ, check=False, stderr=subprocess.PIPE, text=True)
        seconds = time.monotonic() - start
    if "the weights are in no local cache" not in " ".join(done.stderr.split()):
        raise SystemExit(f"another answer than expected:\n{done.stderr}")
    return seconds


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
