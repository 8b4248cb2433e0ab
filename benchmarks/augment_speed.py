"""Crops per second and core of the default augmentation, against a plain OpenCV resize and crop in the same run.

    python benchmarks/augment_speed.py

Photos of 1024 x 768 in memory, crops of 512 x 512; CPU time of one thread; the two are timed in alternating rounds, so
that a busy neighbour slows both. Writes benchmarks/results/augment_speed.json.
"""

import json
import platform
import time
import tomllib
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from statistics import median

import cv2
import numpy as np

from tessella.augment import augment
from tessella.recipe.plan import WHOLE_RUN, AugmentPlan

BAR_PER_SECOND = 500
ROUNDS, CROPS = 15, 100
RESULTS = Path(__file__).parent / "results" / "augment_speed.json"

OFF = {
    "flip_vertical": 0.0,
    "right_angles": 0.0,
    "rotate_degrees": 0.0,
    "shear_degrees": 0.0,
    "elastic": 0.0,
    "gamma": 0.0,
    "noise": 0.0,
    "blur": 0.0,
    "rare_class": 0.0,
}
OURS = set(AugmentPlan.model_fields) - {"crop_hw", "scale", "stages"}
GENERAL = AugmentPlan(
    crop_hw=(512, 512),
    scale=(0.5, 2.0),
    flip_horizontal=0.5,
    brightness=0.3,
    contrast=0.3,
    saturation=0.3,
    hue=0.05,
    stages=(WHOLE_RUN,),
    **OFF,
)
PRESET = tomllib.loads(files("tessella.recipe").joinpath("presets", "general.toml").read_text())["augment"]
PLANS = {
    "preset general": GENERAL.model_copy(update={key: value for key, value in PRESET.items() if key in OURS}),
    "general: scale, flip, jitter": GENERAL,
    "and gamma": GENERAL.model_copy(update={"gamma": 0.3}),
    "and rotation by 10 degrees": GENERAL.model_copy(update={"rotate_degrees": 10.0}),
    "and elastic": GENERAL.model_copy(update={"elastic": 1.0}),
    "and noise": GENERAL.model_copy(update={"noise": 0.1}),
    "and blur": GENERAL.model_copy(update={"blur": 1.0}),
}


def scenes(count: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Make smooth photos of 1024 x 768 with labels of 19 classes in blobs."""
    rng = np.random.default_rng(0)
    made = []
    for _ in range(count):
        coarse = rng.integers(0, 256, (24, 32, 3), np.uint8)
        photo = cv2.resize(coarse, (1024, 768), interpolation=cv2.INTER_CUBIC)
        ids = cv2.resize(coarse[..., 0] % 19, (1024, 768), interpolation=cv2.INTER_NEAREST)
        made.append((photo, ids))
    return made


def plain(photo: np.ndarray, ids: np.ndarray, rng: np.random.Generator) -> None:
    """Resize the whole photo and its labels, pad to the crop, cut: what the tutorials do, without any jitter."""
    scale = float(np.exp(rng.uniform(np.log(0.5), np.log(2))))
    photo = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
    ids = cv2.resize(ids, None, fx=scale, fy=scale, interpolation=cv2.INTER_NEAREST)
    below, right = max(0, 512 - ids.shape[0]), max(0, 512 - ids.shape[1])
    photo = cv2.copyMakeBorder(photo, 0, below, 0, right, cv2.BORDER_REPLICATE)
    ids = cv2.copyMakeBorder(ids, 0, below, 0, right, cv2.BORDER_CONSTANT, value=255)
    top, left = int(rng.integers(ids.shape[0] - 511)), int(rng.integers(ids.shape[1] - 511))
    np.ascontiguousarray(photo[top : top + 512, left : left + 512])
    np.ascontiguousarray(ids[top : top + 512, left : left + 512])


def cpu_seconds(crop: Callable[[int], object]) -> float:
    """Return the CPU time of one round."""
    start = time.process_time()
    for number in range(CROPS):
        crop(number)
    return time.process_time() - start


def main() -> None:
    """Time every plan against the plain way and write the figures."""
    cv2.setNumThreads(1)
    data = scenes(8)
    rows = []
    for name, plan in PLANS.items():
        rng = np.random.default_rng(0)
        ours: list[float] = []
        theirs: list[float] = []
        for _ in range(ROUNDS):
            ours.append(cpu_seconds(lambda number: augment(*data[number % 8], plan, rng)))  # noqa: B023
            theirs.append(cpu_seconds(lambda number: plain(*data[number % 8], rng)))  # noqa: B023
        rows.append(
            {
                "plan": name,
                "crops_per_second": round(CROPS / median(ours), 1),
                "plain_resize_and_crop_per_second": round(CROPS / median(theirs), 1),
                "times_as_fast": round(median(b / a for a, b in zip(ours, theirs, strict=True)), 2),
            }
        )
        print(rows[-1])
    facts = {
        "command": "python benchmarks/augment_speed.py",
        "what": "crops 512x512 per second of CPU time on one thread, photos 1024x768x3 uint8 in memory, median",
        "seed": 0,
        "rounds": ROUNDS,
        "crops_per_round": CROPS,
        "opencv": cv2.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "processor": _processor(),
        "bar_crops_per_second": BAR_PER_SECOND,
        "bar_met": all(row["crops_per_second"] >= BAR_PER_SECOND for row in rows[:2]),
        "rows": rows,
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(facts, indent=2) + "\n")


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")


if __name__ == "__main__":
    main()
