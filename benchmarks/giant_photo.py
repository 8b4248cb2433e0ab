"""Memory and time of predicting a giant photo, in fresh processes: with torch, and with onnxruntime alone.

    python benchmarks/giant_photo.py --side 10000 --out benchmarks/results/giant_photo.json

Makes an untrained bundle, exports it, paints a photo of side x side pixels by a seed, and runs `tessella predict` on it
with everything it can write. In the second process torch cannot be imported. Peak memory is `ru_maxrss` of that
process, imports included; on Linux a process inherits the peak of the one that started it, so equal figures are the
peak of this script and upper bounds.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from tessella.bundle.writing import write_bundle
from tessella.core.classes import ClassTable
from tessella.core.image import Image
from tessella.exporting.door import export
from tessella.files.masks import write_image
from tessella.files.write import write_json
from tessella.recipe.plan import ModelPlan
from tessella.recipe.starter import starter_plan

BAR_BYTES = 2 * 1024**3
CLASSES = 11

COMMAND = """
import sys
if sys.argv.pop(1) == "onnx":
    class Block:
        def find_spec(self, name, path=None, target=None):
            if name.split(".")[0] == "torch":
                raise ModuleNotFoundError(name)
    sys.meta_path.insert(0, Block())
import typer
from tessella.cli.commands.predict import predict
typer.run(predict)
"""


def paint(side: int, *, seed: int) -> Image:
    """Paint fields of 250 pixels with fine noise, band by band so that the painter stays small too."""
    rng = np.random.default_rng(seed)
    fields = rng.integers(30, 200, (side // 250 + 1, side // 250 + 1, 3), dtype=np.uint8)
    noise = rng.integers(0, 50, (1000, side, 3), dtype=np.uint8)
    pixels = np.empty((side, side, 3), np.uint8)
    columns = np.arange(side) // 250
    for top in range(0, side, 250):
        rows = pixels[top : top + 250]
        rows[:] = fields[top // 250, columns] + noise[top % 1000 : top % 1000 + len(rows)]
    return Image(pixels)


def make_models(folder: Path, *, model: str, seed: int) -> dict[str, Path]:
    """Seal an untrained network, and export it."""
    import torch

    from tessella.models import stride_of
    from tessella.models.network import network_of

    torch.manual_seed(seed)
    plan = starter_plan(ClassTable.from_names([f"class {index}" for index in range(CLASSES)]), model=model)
    plan = plan.model_copy(
        update={
            "model": ModelPlan(name=model, options={}, weights=""),
            "preprocess": plan.preprocess.model_copy(update={"stride": stride_of(model)}),
        }
    )
    state = network_of(plan).state_dict()
    write_bundle(folder / "bundle", plan=plan, state=state, scores={}, provenance={}, probe_image=paint(250, seed=seed))
    export(folder / "bundle", out=folder / "model.onnx")
    return {"torch": folder / "bundle", "onnx": folder / "model.onnx"}


def run(name: str, model: Path, photo: Path, out: Path, *, pictures: bool) -> dict[str, object]:
    """Predict in a fresh process; returns peak memory and time."""
    flags = ["--overlay", "--confidence"] if pictures else []
    arguments = ["-c", COMMAND, name, str(model), str(photo), "--out", str(out), *flags]
    start = time.perf_counter()
    process = os.posix_spawn(sys.executable, [sys.executable, *arguments], os.environ)
    _, status, usage = os.wait4(process, 0)
    seconds = time.perf_counter() - start
    assert status == 0, f"{name} failed"
    scale = 1 if sys.platform == "darwin" else 1024  # ru_maxrss is in bytes there, in KiB elsewhere
    peak = usage.ru_maxrss * scale
    return {
        "runtime": name,
        "overlay_and_confidence": pictures,
        "peak_rss_bytes": peak,
        "under_2_gib": peak < BAR_BYTES,
        "wall_seconds": round(seconds, 1),
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 1),
    }


def main() -> None:
    """Run the benchmark and print, or write, its figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--side", type=int, default=10_000, help="height and width of the photo in pixels")
    parser.add_argument("--model", default="mosaic", help="a row of the models table")
    parser.add_argument("--runtimes", nargs="+", default=["torch", "onnx"], choices=["torch", "onnx"])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="write the figures into this JSON file")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        models = make_models(folder, model=arguments.model, seed=arguments.seed)
        photo = folder / "giant.jpg"
        write_image(photo, paint(arguments.side, seed=arguments.seed))
        rows = [
            run(runtime, models[runtime], photo, folder / f"{runtime}-{pictures}", pictures=pictures)
            for runtime in arguments.runtimes
            for pictures in (False, True)
        ]
    figures = {
        "command": f"python benchmarks/giant_photo.py --side {arguments.side} --model {arguments.model}",
        "seed": arguments.seed,
        "hardware": f"{platform.machine()}, {len(os.sched_getaffinity(0))} cores, {platform.system()}",
        "photo": f"{arguments.side}x{arguments.side} RGB uint8 JPEG",
        "classes": CLASSES,
        "runs": rows,
    }
    print(json.dumps(figures, indent=2))
    if arguments.out:
        write_json(arguments.out, figures)


if __name__ == "__main__":
    main()
