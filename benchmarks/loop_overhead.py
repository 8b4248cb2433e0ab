"""What the training loop costs beside the steps themselves: data, averages, events, checkpoints.

    OMP_WAIT_POLICY=PASSIVE THP_MEM_ALLOC_ENABLE=1 python benchmarks/loop_overhead.py [DATA]

The same steps (forward, loss, backward, clipping, update) in turns: bare, on one batch that stays in memory, and in the
real loop, with crops from real photos, moving average, events and progress. CPU time of the whole process is compared,
because it does not change with the neighbours; wall time stands beside it. The cost of a checkpoint is measured apart
and spread over its interval; that of the running score is bounded by its share of the time (`train.validate.SHARE`).
DATA is CamVid by default. Writes benchmarks/results/loop_overhead.json.
"""

import json
import os
import platform
import resource
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import torch

from tessella.dataset import Index, open_dataset
from tessella.recipe.plan import Plan
from tessella.recipe.starter import starter_plan
from tessella.training import checkpoint
from tessella.training.budget import Budget
from tessella.training.events import EventLog
from tessella.training.feed import CropSource, Feed
from tessella.training.loop import Course, Surroundings, take_step, train_loop
from tessella.training.process import settled_process
from tessella.training.run import make_learner
from tessella.training.validate import SHARE

ROUNDS, STEPS = 4, 8
BAR = 0.03
CHECKPOINT_SECONDS = 300
HERE = Path(__file__).parent


def make_plan(index: Index, *, workers: int) -> Plan:
    """Settle a CamVid-like plan: 8 crops of 320x400 in bf16, every usual augmentation, rare classes favoured."""
    data = starter_plan(index.table, crop_hw=(320, 400), steps=10**6).to_json()
    data["training"] |= {"batch": 8, "precision": "bf16", "threads": 2, "workers": workers}
    data["training"] |= {"evaluate_every": 10**6, "checkpoint_minutes": 1e6}
    data["optimiser"] |= {"ema_decay": 0.999, "warmup_steps": 0}
    return Plan.from_json(data, where="benchmark")


def clocks() -> tuple[float, float]:
    """Return CPU seconds of the process and wall seconds."""
    return time.process_time(), time.perf_counter()


def since(start: tuple[float, float]) -> tuple[float, float]:
    """Return CPU and wall seconds per step since `start`."""
    now = clocks()
    return (now[0] - start[0]) / STEPS, (now[1] - start[1]) / STEPS


def measure(index: Index, *, workers: int) -> dict[str, float]:
    """Run bare steps and the loop in turns."""
    plan = make_plan(index, workers=workers)
    source = CropSource(index, plan, max_bytes=2 << 30, threads=2)
    pairs = []
    with tempfile.TemporaryDirectory() as folder, settled_process(plan):
        learner, optimiser = make_learner(plan)
        course = Course()
        log = EventLog(Path(folder), resumed_step=None)
        for round_number in range(ROUNDS + 1):
            first = course.step * plan.training.batch
            feed = Feed(source, seed=0, workers=workers, first_batch=0, first_crop=first, settle=lambda _: (8, 1.0))
            resident = feed.next()
            feed.close()
            around = Surroundings(plan, ["photo"] * len(index), feed, Budget(1, 0), log, None, lambda: 0.0)
            start = clocks()
            for _ in range(STEPS):
                take_step(learner, [resident], rate=1e-3, around=around, step=0)
            bare = since(start)
            feed = Feed(source, seed=0, workers=workers, first_batch=0, first_crop=first, settle=lambda _: (8, 1.0))
            budget = Budget(course.step + STEPS, 0)
            around = Surroundings(plan, around.files, feed, budget, log, None, lambda: 0.0, progress=lambda _: None)
            start = clocks()
            train_loop(learner, course, around)
            looped = since(start)
            feed.close()
            if round_number:  # the first round fills caches and allocators
                pairs.append((bare, looped))
        log.close()
        start = clocks()
        tensors = checkpoint.snapshot(learner.network, learner.average.network(), optimiser)
        checkpoint.save(Path(folder), checkpoint.Checkpoint(1, tensors, {}))
        saved = since(start)[1] * STEPS
    return {
        "bare_cpu_seconds": round(median(bare[0] for bare, _ in pairs), 4),
        "loop_cpu_seconds": round(median(looped[0] for _, looped in pairs), 4),
        "overhead_cpu": round(median(looped[0] / bare[0] - 1 for bare, looped in pairs), 4),
        "bare_wall_seconds": round(median(bare[1] for bare, _ in pairs), 4),
        "loop_wall_seconds": round(median(looped[1] for _, looped in pairs), 4),
        "overhead_wall": round(median(looped[1] / bare[1] - 1 for bare, looped in pairs), 4),
        "checkpoint_seconds": round(saved, 3),
        "overhead_checkpoints": round(saved / CHECKPOINT_SECONDS, 4),
    }


def main() -> None:
    """Measure with one feed thread, as planned for two cores; print, and write the results."""
    data = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE.parents[1] / "shared" / "data" / "camvid"
    index = open_dataset(data).split("train").labelled()
    results = {f"workers={workers}": measure(index, workers=workers) for workers in (1,)}
    answer = {
        "command": "OMP_WAIT_POLICY=PASSIVE THP_MEM_ALLOC_ENABLE=1 python benchmarks/loop_overhead.py",
        "what": "time per step in the real loop against the same step on a batch that stays in memory",
        "bar": BAR,
        "ok": results["workers=1"]["overhead_cpu"] + results["workers=1"]["overhead_checkpoints"] <= BAR,
        "step": "mosaic, 8 crops of 320x400, bf16 autocast, channels-last, adamw, 2 threads",
        "rounds": ROUNDS,
        "steps_per_round": STEPS,
        "running_score_share": SHARE,
        "results": results,
        "load_average": round(os.getloadavg()[0], 1),
        "peak_memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "machine": {"cpu": platform.processor() or platform.machine(), "torch": torch.__version__},
    }
    (HERE / "results" / "loop_overhead.json").write_text(json.dumps(answer, indent=2) + "\n")
    print(json.dumps(answer, indent=2))


if __name__ == "__main__":
    main()
