"""How fast pixels are counted: ours, cv2.calcHist alone, numpy.bincount and scikit-learn, on the same arrays in turn.

Run:  python benchmarks/confusion_speed.py [--repeats 15] [--out benchmarks/results/confusion_speed.json]

Four pairs of 2048 x 1024 uint8 arrays with 19 classes and ignored pixels in the truth: `random` (every pixel drawn),
`smooth` (blobs, as predictions look), `constant` (one class everywhere) and `stripes` (runs of 16 pixels). Each round
times every method once on every pair, so that a busy machine is unfair to none; a figure is the median over the rounds
of megapixels per second of the process's CPU time (one core). All answers must be equal.
"""

import argparse
import json
import os
import platform
import statistics
import time
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix

from tessella.core.classes import IGNORE
from tessella.core.labelmap import Ids
from tessella.metrics import confusion

Counts = NDArray[np.int64]

CLASSES = 19
HEIGHT, WIDTH = 1024, 2048


def make_pairs(seed: int) -> dict[str, tuple[Ids, Ids]]:
    """Return (truth, prediction) by name."""
    rng = np.random.default_rng(seed)

    def blobs(size: tuple[int, int]) -> NDArray[np.float32]:
        coarse = rng.random((*size, CLASSES)).astype(np.float32)
        return cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)

    field = blobs((24, 48))
    noisy = field + 0.15 * blobs((100, 200))
    stripes = np.repeat(rng.integers(0, CLASSES, (HEIGHT, WIDTH // 16), dtype=np.uint8), 16, axis=1)
    pairs = {
        "random": tuple(rng.integers(0, CLASSES, (2, HEIGHT, WIDTH), dtype=np.uint8)),
        "smooth": (field.argmax(2).astype(np.uint8), noisy.argmax(2).astype(np.uint8)),
        "constant": (np.full((HEIGHT, WIDTH), 3, np.uint8), np.full((HEIGHT, WIDTH), 3, np.uint8)),
        "stripes": (stripes, np.roll(stripes, 3, axis=1)),
    }
    ignored = {
        "random": rng.random((HEIGHT, WIDTH)) < 0.05,
        "smooth": blobs((24, 48))[..., 0] > 0.8,
        "constant": np.arange(HEIGHT)[:, None] >= np.full((1, WIDTH), HEIGHT - 50),
        "stripes": rng.random((HEIGHT, WIDTH)) < 0.05,
    }
    return {name: (np.where(ignored[name], np.uint8(IGNORE), truth), guess) for name, (truth, guess) in pairs.items()}


def ours(truth: Ids, guess: Ids) -> Counts:
    """Count as Tessella does."""
    return confusion(truth, guess, classes=CLASSES)


def calc_hist(truth: Ids, guess: Ids) -> Counts:
    """Count with the joint histogram of OpenCV alone; exact below 2**24 pixels only."""
    return cv2.calcHist([truth, guess], [0, 1], None, [CLASSES] * 2, [0, CLASSES] * 2).astype(np.int64)


def bincount(truth: Ids, guess: Ids) -> Counts:
    """Count as most evaluation scripts do."""
    kept = truth != IGNORE
    keys = truth[kept].astype(np.int64) * CLASSES + guess[kept]
    return np.bincount(keys, minlength=CLASSES**2).reshape(CLASSES, CLASSES)


def sklearn(truth: Ids, guess: Ids) -> Counts:
    """Count with scikit-learn."""
    kept = truth != IGNORE
    return confusion_matrix(truth[kept], guess[kept], labels=np.arange(CLASSES))


METHODS = {"tessella": ours, "cv2.calcHist": calc_hist, "numpy.bincount": bincount, "sklearn": sklearn}


def measure(pairs: dict[str, tuple[Ids, Ids]], repeats: int, slow_repeats: int) -> dict[tuple[str, str], list[float]]:
    """Return the CPU seconds of every call by (pair, method); scikit-learn is timed `slow_repeats` times."""
    seconds: dict[tuple[str, str], list[float]] = {(name, method): [] for name in pairs for method in METHODS}
    for number in range(repeats):
        for name, (truth, guess) in pairs.items():
            answers = []
            for method, count in METHODS.items():
                if method == "sklearn" and number >= slow_repeats:
                    continue
                started = time.process_time()
                answers.append(count(truth, guess))
                seconds[name, method].append(time.process_time() - started)
            assert all(np.array_equal(answers[0], answer) for answer in answers[1:]), name
    return seconds


def main() -> None:
    """Time, print and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "confusion_speed.json")
    asked = parser.parse_args()
    cv2.setNumThreads(1)
    seconds = measure(make_pairs(asked.seed), asked.repeats, slow_repeats=2)
    megapixels = HEIGHT * WIDTH / 1e6
    speed: dict[str, dict[str, float]] = {}
    for (name, method), taken in seconds.items():
        speed.setdefault(name, {})[method] = round(megapixels / statistics.median(taken), 1)
    result = {
        "what": "megapixels per second of CPU time, 19 classes, 2048x1024 uint8, median of paired rounds",
        "command": f"python benchmarks/confusion_speed.py --repeats {asked.repeats} --seed {asked.seed}",
        "megapixels_per_second": speed,
        "slowest": min(row["tessella"] for row in speed.values()),
        "bar": 800,
        "hardware": {
            "machine": platform.machine(),
            "cores": os.cpu_count(),
            "load_average": round(os.getloadavg()[0], 1),
        },
        "versions": {"python": platform.python_version(), "numpy": np.__version__, "opencv": cv2.__version__},
    }
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    asked.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    for name, row in speed.items():
        print(f"{name:9}", "  ".join(f"{method} {value:7.0f}" for method, value in row.items()))
    print(f"written to {asked.out}")


if __name__ == "__main__":
    main()
