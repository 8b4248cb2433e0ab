"""How fast index masks are checked, against Pillow alone decoding the same files on the same cores in the same run.

    python benchmarks/check_speed.py

Palette PNGs of three sizes with 19 classes in blobs, written by a seed; every core; wall time. Pillow and the check
take turns, so that a busy neighbour slows both. The bar is on masks alone; beside it stands the whole check,
photos included, against Pillow decoding photos and masks. Writes benchmarks/results/check_speed.json.
"""

import json
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from statistics import median

import cv2
import numpy as np
from PIL import Image

from tessella.checking import check
from tessella.core.classes import ClassTable, LabelCoding
from tessella.core.cores import cores
from tessella.dataset import Index, open_dataset

SEED, CLASSES, ROUNDS = 0, 19, 7
BAR = 0.5
SETS = {"480x360": ((360, 480), 160), "1024x768": ((768, 1024), 48), "2048x1024": ((1024, 2048), 24)}
RESULTS = Path(__file__).parent / "results" / "check_speed.json"


def write_set(folder: Path, hw: tuple[int, int], count: int) -> LabelCoding:
    """Write photos and masks: smooth noise, cut into levels for the mask."""
    rng = np.random.default_rng(SEED)
    coding = LabelCoding(ClassTable.from_names([f"class_{index}" for index in range(CLASSES)]))
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    for number in range(count):
        small = rng.random((12, 16)).astype(np.float32)
        field = cv2.resize(small, (hw[1], hw[0]), interpolation=cv2.INTER_CUBIC)
        ids = np.clip(field * CLASSES, 0, CLASSES - 1).astype(np.uint8)
        mask = Image.fromarray(ids)
        mask.putpalette(coding.table.palette().tobytes())
        mask.save(folder / "masks" / f"{number:03d}.png")
        noise = rng.integers(-12, 13, (*hw, 3))
        photo = np.clip(field[..., None] * 200 + 20 + noise, 0, 255).astype(np.uint8)
        Image.fromarray(photo).save(folder / "images" / f"{number:03d}.jpg", quality=90)
    return coding


def decode_all(paths: list[Path]) -> None:
    """Decode files with Pillow on every core."""

    def decode(path: Path) -> None:
        with Image.open(path) as picture:
            picture.load()

    with ThreadPoolExecutor(cores()) as pool:
        list(pool.map(decode, paths))


def seconds(work: Callable[[], object]) -> float:
    """Return the wall time of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def paired(pillow: Callable[[], object], ours: Callable[[], object], rounds: int = ROUNDS) -> dict[str, float]:
    """Time two pieces of work in turns; the ratio is the median of the rounds' own ratios."""
    pillow(), ours()  # the files are in memory and the libraries loaded from here on
    times = [(seconds(pillow), seconds(ours)) for _ in range(rounds)]
    return {
        "pillow_seconds": round(median(one for one, _ in times), 4),
        "check_seconds": round(median(other for _, other in times), 4),
        "speed_against_pillow": round(median(one / other for one, other in times), 3),
    }


def without_photos(index: Index) -> Index:
    """Return the index with masks alone."""
    records = tuple(replace(record, image=None, split="train") for record in index.records)
    return replace(index, listing=replace(index.listing, records=records), records=records)


def measure(folder: Path, hw: tuple[int, int], count: int) -> dict[str, dict[str, float]]:
    """Time one set."""
    coding = write_set(folder, hw, count)
    index = open_dataset(folder, classes=coding)
    masks, photos = sorted((folder / "masks").iterdir()), sorted((folder / "images").iterdir())
    alone = without_photos(index)
    assert check(alone).samples == count
    figures = paired(lambda: decode_all(masks), lambda: check(alone))
    figures["megapixels_per_second"] = round(hw[0] * hw[1] * count / 1e6 / figures["check_seconds"], 1)
    staged = replace(index, records=tuple(replace(record, split="train") for record in index.records))
    return {"masks": figures, "photos_and_masks": paired(lambda: decode_all(photos + masks), lambda: check(staged))}


def main() -> None:
    """Measure, write the figures, and exit 1 when the bar is missed."""
    with tempfile.TemporaryDirectory() as folder:
        results = {name: measure(Path(folder, name), hw, count) for name, (hw, count) in SETS.items()}
    ok = all(figures["masks"]["speed_against_pillow"] >= BAR for figures in results.values())
    report = {
        "command": "python benchmarks/check_speed.py",
        "what": "check of index masks against Pillow alone decoding them: seconds of Pillow / seconds of the check",
        "bar": BAR,
        "ok": ok,
        "seed": SEED,
        "rounds": ROUNDS,
        "results": results,
        "machine": {
            "cpu": cpu_name(),
            "cores": cores(),
            "python": platform.python_version(),
            "pillow": Image.__version__,
        },
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(report, indent=2) + "\n")
    print(json.dumps(report, indent=2))
    sys.exit(0 if ok else 1)


def cpu_name() -> str:
    """Return the processor's name where the system tells it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.processor())


if __name__ == "__main__":
    main()
