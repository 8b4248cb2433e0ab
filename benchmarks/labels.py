"""How fast labels are read, checked and converted, each figure beside what people use today, in turn in one run.

    python benchmarks/labels.py                      every section
    python benchmarks/labels.py colours polygons     these only; the others keep their last figures

A section is a function that returns its figures with `ok`, whether its bars are met. Figures are of one core (CPU time
of the process) unless they say otherwise; rivals and we take turns, so that a busy neighbour slows both, and a ratio is
the median over rounds. Writes benchmarks/results/labels.json; exits 1 when a bar is missed.
"""

import argparse
import contextlib
import io
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import numpy as np
from check_speed import cpu_name, decode_all, paired, write_set
from label_sets import SEED, blobs, coco_like, write_coco, write_stamps, write_street
from numpy.typing import NDArray

from tessella.checking import check
from tessella.core.annotation import Drawing, Shape, StoredMask
from tessella.core.classes import ClassTable, LabelCoding
from tessella.core.cores import cores
from tessella.dataset.convert import convert
from tessella.dataset.index import open_dataset
from tessella.formats.raster.colours import look_up
from tessella.formats.raster.labels import resolve
from tessella.formats.raster.tracing import regions

RESULTS = Path(__file__).parent / "results" / "labels.json"
Figures = dict[str, Any]


def colours() -> Figures:
    """Colour mask to ids: 2048 x 1024, 19 colours in blobs, against a loop over a dictionary of colours in NumPy.

    Bars: 300 megapixels per second and core whatever the type of the table; 20 times the loop.
    """
    rng, hw = np.random.default_rng(SEED), (1024, 2048)
    ids = blobs(rng, hw, 19)
    table = ClassTable.from_names([f"class_{index}" for index in range(19)])
    coding, palette = LabelCoding(table), table.palette()[:19]
    known = {tuple(colour): index for index, colour in enumerate(palette.tolist())}
    masks = {"RGB": palette[ids], "RGBA": np.dstack([palette[ids], rng.integers(0, 256, hw, dtype=np.uint8)])}

    def loop(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
        found = np.zeros(hw, np.uint8)
        for colour, index in known.items():
            found[(mask[..., :3] == colour).all(axis=-1)] = index
        return found

    ways = {f"{mode}: resolve": lambda mask=mask, mode=mode: resolve(StoredMask(mask, mode), coding).ids
            for mode, mask in masks.items()}  # fmt: skip
    for mode, mask in masks.items():
        for dtype in (np.uint8, np.uint16, np.int32, np.int64):
            values = np.arange(19).astype(dtype)
            ways[f"{mode}: to {np.dtype(dtype)}"] = lambda mask=mask, values=values: look_up(mask, palette, values)
    rival = "RGB: loop over a dictionary in NumPy"
    ways[rival] = lambda: loop(masks["RGB"])
    for way in ways.values():
        assert np.array_equal(way(), ids)
    seconds = in_turn(ways, rounds=9, repeats={rival: 1}, usual=10)
    speed = {name: round(ids.size / 1e6 / median(times), 1) for name, times in seconds.items()}
    against_loop = ratio(seconds[rival], seconds["RGB: resolve"])
    return {
        "ok": against_loop >= 20 and min(value for name, value in speed.items() if name != rival) >= 300,
        "bars": {"megapixels_per_second_and_core": 300, "times_the_loop": 20},
        "megapixels_per_second_and_core": speed,
        "times_the_loop": against_loop,
    }


def polygons() -> Figures:
    """Polygons to ids: 1,000 COCO images of 640 x 480 with 8 shapes, against `COCO.annToMask` painted in order.

    The annotations are as JSON holds them; what is timed begins there and ends with the ids. Sizes of objects spread as
    COCO states of itself: 41 % below 32 x 32 pixels, 24 % above 96 x 96. Bar: 5 times `annToMask`.
    """
    from pycocotools.coco import COCO

    table = ClassTable.from_names(["background", *(f"class_{index}" for index in range(80))])
    coding, names, photos = LabelCoding(table), table.names, coco_like(np.random.default_rng(SEED), 1000)
    coco = COCO()
    coco.dataset = {
        "images": [{"id": number, "height": 480, "width": 640} for number in range(len(photos))],
        "categories": [{"id": index, "name": name} for index, name in enumerate(table.names)],
        "annotations": [entry for photo in photos for entry in photo],
    }
    with contextlib.redirect_stdout(io.StringIO()):
        coco.createIndex()

    def theirs(photo: list[Figures]) -> NDArray[np.uint8]:
        ids = np.zeros((480, 640), np.uint8)
        for entry in photo:
            ids[coco.annToMask(entry) == 1] = entry["category_id"]
        return ids

    def masks_only(photo: list[Figures]) -> None:
        for entry in photo:
            coco.annToMask(entry)

    def ours(photo: list[Figures], tool: str) -> NDArray[np.uint8]:
        shapes = tuple(
            Shape(names[entry["category_id"]], "polygon", np.array(part).reshape(-1, 2))
            for entry in photo
            for part in entry["segmentation"]
        )
        return resolve(Drawing(shapes, (480, 640), tool), coding).ids

    assert all(np.array_equal(ours(photo, "coco"), theirs(photo)) for photo in photos)
    ways = {
        "annToMask painted in order": lambda: [theirs(photo) for photo in photos],
        "annToMask alone, nothing painted": lambda: [masks_only(photo) for photo in photos],
        "Tessella, by COCO's rule": lambda: [ours(photo, "coco") for photo in photos],
        "Tessella, by pixel centres": lambda: [ours(photo, "centre") for photo in photos],
    }
    seconds = in_turn(ways, rounds=7)
    rival = seconds["annToMask painted in order"]
    times = {name: ratio(rival, found) for name, found in seconds.items() if name.startswith("Tessella")}
    return {
        "ok": min(times.values()) >= 5,
        "bars": {"times_annToMask": 5},
        "identical_to_pycocotools": "all 1000 images",
        "milliseconds_per_image": {
            name: round(median(found) * 1000 / len(photos), 3) for name, found in seconds.items()
        },
        "times_annToMask": times,
    }


def tracing() -> Figures:
    """Ids to polygons with holes: a map of 2048 x 1024 with 19 classes. Bar: one second."""
    rng = np.random.default_rng(SEED)
    coarse = blobs(rng, (1024, 2048), 19, cells=(14, 28), detail=0.03)
    found = regions(coarse)
    seconds = in_turn({"regions": lambda: regions(coarse)}, rounds=9)["regions"]
    return {
        "ok": median(seconds) <= 1,
        "bars": {"seconds": 1},
        "regions": len(found),
        "corners": sum(len(ring) for region in found for ring in (region.outer, *region.holes)),
        "seconds": round(median(seconds), 3),
    }


def coco_file() -> Figures:
    """COCO JSON of 500 MB: 120,000 photos, 1.2 million polygons, opened as `tessella.open` does; 1,000 photos painted.

    Bars: 15 seconds of the clock and 2.5 GiB, each time in a process of its own.
    """
    code = "import sys, labels; labels.open_coco(sys.argv[1])"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "instances_train.json"
        write_coco(path, photos=120_000, annotations=1_200_000)
        megabytes = round(path.stat().st_size / 1e6)
        rounds = [
            json.loads(subprocess.check_output([sys.executable, "-c", code, path], cwd=Path(__file__).parent))
            for _ in range(3)
        ]
    seconds, gibibytes = (median(figures[name] for figures in rounds) for name in ("seconds", "gibibytes"))
    return {
        "ok": megabytes >= 500 and seconds <= 15 and gibibytes <= 2.5,
        "bars": {"seconds": 15, "gibibytes": 2.5},
        "megabytes": megabytes,
        "seconds": seconds,
        "gibibytes": gibibytes,
        "milliseconds_to_read_and_paint_a_photo": median(figures["milliseconds"] for figures in rounds),
    }


def open_coco(path: str) -> None:
    """Open a COCO file, paint 1,000 photos of it, and print how long both took and the most memory."""
    start = time.perf_counter()
    index = open_dataset(path)
    seconds = time.perf_counter() - start
    start = time.perf_counter()
    for position in range(0, len(index), len(index) // 1000):
        index.labels(position)
    milliseconds = time.perf_counter() - start
    figures = {"seconds": seconds, "gibibytes": peak_mebibytes() / 1024, "milliseconds": milliseconds}
    print(json.dumps({name: round(value, 2) for name, value in figures.items()}))


def check_photos() -> Figures:
    """Check of 1,000 index masks of 2048 x 1024 with their photos, against Pillow decoding the same files on all cores.

    Bar: 60 % of the speed of decoding alone, by the clock.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        coding = write_set(folder, (1024, 2048), 1000)
        index = open_dataset(folder, classes=coding)
        files = sorted(folder.glob("*/*"))
        figures = paired(lambda: decode_all(files), lambda: check(index), rounds=3)
        assert check(index).samples == 1000
    return {
        "ok": figures["speed_against_pillow"] >= 0.6,
        "bars": {"speed_against_pillow": 0.6},
        "cores": cores(),
        **figures,
    }


def check_memory() -> Figures:
    """Check of 100,000 photos and masks, tiny but real files, in a process of its own; and of 10,000 beside it.

    Bar: 400 MiB at most.
    """
    code = "import sys, labels; labels.check_folder(sys.argv[1])"
    found = {}
    for count in (10_000, 100_000):
        with tempfile.TemporaryDirectory() as folder:
            write_stamps(Path(folder), count)
            answer = subprocess.check_output([sys.executable, "-c", code, folder], cwd=Path(__file__).parent)
        found[str(count)] = json.loads(answer)
    return {"ok": found["100000"]["mebibytes"] <= 400, "bars": {"mebibytes": 400}, "samples": found}


def check_folder(folder: str) -> None:
    """Check a folder, and print how long it took and the most memory."""
    start = time.perf_counter()
    samples = check(open_dataset(folder)).samples
    seconds = round(time.perf_counter() - start, 1)
    print(json.dumps({"checked": samples, "seconds": seconds, "mebibytes": round(peak_mebibytes())}))


def peak_mebibytes() -> float:
    """Return the most memory that this process has held; `ru_maxrss` would begin with its parent's peak."""
    status = Path("/proc/self/status").read_text()
    return float(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) / 1024


def conversion() -> Figures:
    """Conversion of 240 index masks of 1024 x 512 with photos, on one core and on all, by the clock; killed half-way.

    Bars: all cores at least 1.5 times as fast as one, for pixels and for shapes; no photo that was done is done again.
    """
    all_cores = os.sched_getaffinity(0)
    speeds: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:
        source, out = Path(name, "source"), Path(name, "out")
        write_street(source, 240, (512, 1024))

        def convert_on(cores: set[int], to: str) -> float:
            shutil.rmtree(out, ignore_errors=True)
            os.sched_setaffinity(0, cores)
            start = time.perf_counter()
            convert(source, out, to=to)
            seconds = time.perf_counter() - start
            os.sched_setaffinity(0, all_cores)
            return seconds

        for to in ("colour-mask", "class-masks", "coco", "labelme", "cvat"):
            rounds = [(convert_on({min(all_cores)}, to), convert_on(all_cores, to)) for _ in range(3)]
            speeds[to] = {
                "seconds_on_one_core": round(median(one for one, _ in rounds), 2),
                "seconds": round(median(other for _, other in rounds), 2),
                "times_one_core": round(median(one / other for one, other in rounds), 2),
            }
        shutil.rmtree(out)
        resumed = killed_half_way(source, out)
    kept = resumed["resumed"] == resumed["done_when_killed"] > 0
    return {
        "ok": kept and min(speed["times_one_core"] for speed in speeds.values()) >= 1.5,
        "bars": {"times_one_core": 1.5, "resumed": "done_when_killed"},
        "cores": len(all_cores),
        "formats": speeds,
        "killed": resumed,
    }


def killed_half_way(source: Path, out: Path) -> Figures:
    """Kill a conversion to LabelMe when half of the photos are done, and give the same command again."""
    command = [sys.executable, "-m", "tessella", "convert", str(source), str(out), "--to", "labelme", "--json"]
    journal = out.with_name(f".{out.name}.unfinished") / ".journal.jsonl"
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and not (journal.exists() and journal.read_bytes().count(b"\n") >= 120):
        time.sleep(0.01)
    process.kill()
    process.wait()
    done = journal.read_bytes().count(b"\n")
    assert not out.exists()
    answer = json.loads(subprocess.check_output(command, stderr=subprocess.DEVNULL))
    return {"done_when_killed": done, "resumed": answer["resumed"], "samples": answer["samples"]}


SECTIONS: dict[str, Callable[[], Figures]] = {
    "colours": colours, "polygons": polygons, "tracing": tracing, "coco_file": coco_file, "check_photos": check_photos,
    "check_memory": check_memory, "conversion": conversion,
}  # fmt: skip


def in_turn(
    ways: dict[str, Callable[[], Any]], *, rounds: int, repeats: dict[str, int] | None = None, usual: int = 1
) -> dict[str, list[float]]:
    """Time every way once per round; return CPU seconds of one call by way and round."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for way in ways.values():
        way()
    for _ in range(rounds):
        for name, way in ways.items():
            times = (repeats or {}).get(name, usual)
            start = time.process_time()
            for _ in range(times):
                way()
            seconds[name].append((time.process_time() - start) / times)
    return seconds


def ratio(rival: list[float], ours: list[float]) -> float:
    """Return how many times faster we are: the median over rounds of paired ratios."""
    return round(median(theirs / own for theirs, own in zip(rival, ours, strict=True)), 2)


def main() -> None:
    """Measure the sections that are asked for and write them beside the others' last figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sections", nargs="*", choices=[*SECTIONS, []], help="sections to measure; all by default")
    chosen = parser.parse_args().sections or list(SECTIONS)
    cv2.setNumThreads(1)  # figures are of one core
    report = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    results = report.get("results", {})
    for name in chosen:
        results[name] = {"what": (SECTIONS[name].__doc__ or "").splitlines()[0], **SECTIONS[name]()}
        print(json.dumps({name: results[name]}, indent=2))
    report = {
        "command": "python benchmarks/labels.py",
        "seed": SEED,
        "ok": all(figures["ok"] for figures in results.values()),
        "results": {name: results[name] for name in SECTIONS if name in results},
        "machine": {
            "cpu": cpu_name(),
            "python": platform.python_version(),
            "numpy": np.__version__,
            "opencv": cv2.__version__,
        },
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(report, indent=2) + "\n")
    sys.exit(0 if all(results[name]["ok"] for name in chosen) else 1)


if __name__ == "__main__":
    main()
