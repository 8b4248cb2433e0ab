"""Whether labels survive: every data set written in every writable format, read again, compared pixel by pixel.

    python benchmarks/round_trips.py [--only voc,coco] [--sets noise,camvid] [--most 12]

The sets: the small one of every readable format that the tests write, a few awkward ones painted here, and the real
annotation sets that lie beside the checkout, where they do; of those, photos whose labels can be read, spread evenly.
Classes are compared by name, ignore with ignore, photos by their pixels. A drawing that one rule of painting fills and
the next format's rule fills otherwise is compared under the rule of the format that was written; such pixels are
counted apart. Writes benchmarks/results/round_trips.json, and exits 1 when a pixel is lost, or a photo, or its split.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

HERE: Final = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests"))

from data.layouts import WRITERS, photo_of, save  # noqa: E402
from tessella.core.annotation import Drawing  # noqa: E402
from tessella.core.errors import TessellaError  # noqa: E402
from tessella.dataset.convert import convert  # noqa: E402
from tessella.dataset.index import Index, open_dataset  # noqa: E402
from tessella.files.geo.frame import has_frame  # noqa: E402
from tessella.formats import FORMATS  # noqa: E402
from tessella.formats.layout.export import flat, write_stems  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tessella.core.labelmap import Ids, LabelMap

RESULTS: Final = HERE / "results" / "round_trips.json"
REAL: Final = HERE.parents[1] / "shared" / "data"
WRITABLE: Final = tuple(name for name, row in FORMATS.items() if row.write is not None)
ON_THE_MAP: Final = ("geojson", "shapefile", "geopackage")
LOST: Final = ("pixels_that_differ", "photos_lost", "photos_changed")

REAL_SETS: Final[dict[str, tuple[str, str | None, int]]] = {
    "camvid": ("camvid", None, 40),
    "wbc_cells": ("wbc_cells", None, 40),
    "facade_coco": ("facade_coco", None, 12),
    "dhcn_png": ("dhcn_png", None, 20),
    "supervisely_lemons": ("supervisely_lemons", None, 6),
    "labelme_examples": ("labelme_examples/examples/semantic_segmentation", "labelme", 3),
    "roboflow_coco": ("roboflow_coco", "coco", 10),
    "yolo_seg_sample": ("yolo_seg_sample", None, 8),
    "via_roof": ("via_roof", None, 11),
    "cwfid_plants": ("cwfid_plants", None, 4),
    "isbi2012_membrane": ("isbi2012_membrane", None, 8),
    "dsb2018_instances": ("dsb2018_instances", None, 8),
    "ade20k_150": ("ade20k_150", None, 8),
    "labelbox_panoptic": ("labelbox_panoptic", "coco", 8),
}
"""Folder below the real sets, its format where it is not detected, and the most photos taken."""


def painted(root: Path, ids: dict[str, np.ndarray], names: list[str]) -> Path:
    """Write index masks and photos of the same names, and a class table."""
    for number, (stem, pixels) in enumerate(ids.items()):
        save(root / "images" / f"{stem}.png", photo_of(number, pixels.shape))
        save(root / "masks" / f"{stem}.png", pixels)
    (root / "classes.toml").write_text("".join(f'[[classes]]\nname = "{name}"\n' for name in names), encoding="utf-8")
    return root


def noise(root: Path) -> Path:
    """Five classes and ignore, each pixel by itself: every region touches others at its corners."""
    draw = np.random.default_rng(0)
    ids = {f"p{number}": draw.choice([0, 1, 2, 3, 4, 255], (40, 56)).astype(np.uint8) for number in range(3)}
    return painted(root, ids, ["background", "a", "b", "c", "d"])


def nested(root: Path) -> Path:
    """Rings in rings, whose holes hold other classes, background and ignore; no class is called background."""
    away = np.hypot(*np.mgrid[-30:30, -40:40])
    ids = {f"p{step}": np.array([0, 1, 255, 2], np.uint8)[(away / step).astype(int) % 4] for step in (2, 3, 7)}
    return painted(root, ids, ["sky", "road", "tree"])


def many(root: Path) -> Path:
    """As many classes as there can be."""
    ids = (np.arange(34 * 60, dtype=np.int64).reshape(34, 60) // 4 % 256).astype(np.uint8)
    return painted(root, {"all": ids, "turned": np.ascontiguousarray(ids.T)}, [f"class {n}" for n in range(255)])


def named(root: Path) -> Path:
    """Photos and classes with names that separators, shells and spreadsheets trip over; one mask is ignored whole."""
    stems = ["a b", "north/7", "south/7", "smörgås", "7.tile.1", "x__y", "#1, 50%", "empty", "blind"]
    ids = {stem: np.full((12, 16), 1 + number % 3, np.uint8) for number, stem in enumerate(stems)}
    for pixels in ids.values():
        pixels[2:5, 3:9] = 0
    ids["empty"][:] = 0
    ids["blind"][:] = 255
    return painted(root, ids, ["background", "traffic light, red", "Straße; 50 %", "car"])


PAINTED: Final[dict[str, Callable[[Path], Path]]] = {"noise": noise, "nested": nested, "many": many, "named": named}


def main() -> None:
    """Go through sets and formats, write the figures, exit 1 when something is lost."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="formats to write, by comma")
    parser.add_argument("--sets", default="", help="sets to read, by comma; `tests`, `painted`, `real` for groups")
    parser.add_argument("--most", type=int, default=1000, help="most photos of a real set")
    asked = parser.parse_args()
    formats = [name for name in asked.only.split(",") if name] or list(WRITABLE)
    wanted = [name for name in asked.sets.split(",") if name]
    rows: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        for group, name, make in sets(Path(folder), asked.most):
            if wanted and name not in wanted and group not in wanted:
                continue
            rows[name] = {"group": group, **table(make, formats, Path(folder, "out"))}
            print(name, summary(rows[name]), flush=True)
    ok = all(row["ok"] for row in rows.values())
    report = {
        "command": "python benchmarks/round_trips.py",
        "what": "data sets written in every format and read again: what differs",
        "ok": ok,
        "real_sets_beside_the_checkout": REAL.is_dir(),
        "sets": rows,
    }
    if not (asked.only or asked.sets):
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print("ok" if ok else "NOT ok")
    sys.exit(0 if ok else 1)


def sets(folder: Path, most: int) -> Iterator[tuple[str, str, Callable[[], Index]]]:
    """Yield group, name and opener of every set."""
    for name in FORMATS:
        yield "tests", f"tests: {name}", lambda name=name: open_dataset(WRITERS[name](folder / f"tests-{name}"))
    for name, write in PAINTED.items():
        yield "painted", name, lambda name=name, write=write: open_dataset(write(folder / name))
    for name, (place, form, count) in REAL_SETS.items():
        if (REAL / place).is_dir():
            few = min(count, most)
            yield "real", name, lambda p=REAL / place, f=form, n=few: readable(open_dataset(p, format=f), n)


def readable(index: Index, most: int) -> Index:
    """Return photos of a set spread evenly, without those whose labels cannot be read."""
    usual = [position for position, record in enumerate(index.records) if record.label and record.image]
    step = max(len(usual) // most, 1)
    kept: list[int] = []
    for position in usual[::step]:
        try:
            index.labels(position)
        except TessellaError:
            continue
        kept.append(position)
    return index.subset(kept[:most])


def table(make: Callable[[], Index], formats: list[str], out: Path) -> dict[str, Any]:
    """Return the figures of one set for every format."""
    index = make()
    photo = index.records[0].image
    rows: dict[str, Any] = {}
    for to in formats:
        if to in ON_THE_MAP and (photo is None or not has_frame(photo)):
            continue
        place = out / to
        try:
            left_out = convert(index, place, to=to).left_out
            rows[to] = compared(index, open_dataset(place), to) | ({"left_out": left_out} if left_out else {})
        except TessellaError as error:
            rows[to] = {"error": str(error).replace(str(out.parent), "")}
        shutil.rmtree(place, ignore_errors=True)
    classes, photos = len(index.table), len(index)
    ok = not any("error" in row or any(row.get(key) for key in LOST) for row in rows.values())
    return {"format": index.format, "photos": photos, "classes": classes, "ok": ok, "written": rows}


def compared(index: Index, again: Index, to: str) -> dict[str, Any]:
    """Count what a data set and what was written of it do not share; a photo in another split counts as lost."""
    pairs = paired(keys(index), keys(again))
    figures: dict[str, Any] = dict.fromkeys(("pixels", *LOST, "pixels_painted_by_another_rule"), 0)
    if again.format != to:
        figures["read_as"] = again.format
    for mine in range(len(index)):
        theirs = pairs.get(mine)
        if theirs is None:
            figures["photos_lost"] += 1
            continue
        figures["photos_changed"] += not same_photo(index, mine, again, theirs)
        labels, found = index.labels(mine), again.labels(theirs)
        if labels is None or found is None:
            figures["photos_lost"] += labels is not found
            continue
        figures["pixels"] += labels.ids.size
        wrong = differing(labels, found)
        if wrong and (by_rule := repainted(index, mine, again, theirs)) is not None:
            figures["pixels_painted_by_another_rule"] += wrong
            wrong = differing(by_rule, found)
        figures["pixels_that_differ"] += wrong
    return {key: value for key, value in figures.items() if value}


def keys(index: Index) -> list[tuple[str, str]]:
    """Return split and name of every photo, as a format with a single folder writes it, without Supervisely's own."""
    named = [flat(stem) for stem in write_stems((record.name, record.split) for record in index.records)]
    plain = ["__".join(part for part in stem.split("__") if part not in {"data", "datasets"}) for stem in named]
    return [(record.split, stem) for record, stem in zip(index.records, plain, strict=True)]


def paired(mine: list[tuple[str, str]], theirs: list[tuple[str, str]]) -> dict[int, int]:
    """Pair photos by split and name, else by split and the last part of the name where it is the only one."""
    places = {key: place for place, key in enumerate(theirs)}
    pairs = {place: places[key] for place, key in enumerate(mine) if key in places}
    mine_last, theirs_last = ([(split, stem.split("__")[-1]) for split, stem in keys] for keys in (mine, theirs))
    for place, key in enumerate(mine_last):
        if mine_last.count(key) == theirs_last.count(key) == 1:
            pairs.setdefault(place, theirs_last.index(key))
    return pairs


def same_photo(index: Index, mine: int, again: Index, theirs: int) -> bool:
    """Whether two photos are the same bytes, or at least the same pixels."""
    if not index.has_photo(index.records[mine]) or not again.has_photo(again.records[theirs]):
        return index.has_photo(index.records[mine]) == again.has_photo(again.records[theirs])
    files = index.records[mine].image, again.records[theirs].image
    if files[0] and files[1] and files[0].read_bytes() == files[1].read_bytes():
        return True
    return np.array_equal(index.image(mine).pixels, again.image(theirs).pixels)


def differing(labels: LabelMap, found: LabelMap) -> int:
    """Count the pixels whose classes have different names."""
    if labels.hw != found.hw:
        return labels.ids.size
    numbers = {name: number for number, name in enumerate(found.table.names)}
    lookup = np.full(256, 255, np.int64)
    for number, name in enumerate(labels.table.names):
        lookup[number] = numbers.get(name, -1)
    meant: Ids = lookup[labels.ids]
    return int(np.count_nonzero(meant != found.ids))


def repainted(index: Index, mine: int, again: Index, theirs: int) -> LabelMap | None:
    """Return the labels as the rule of the written drawing paints the one that was read; None without two rules."""
    drawn, written = index.annotation(mine), again.annotation(theirs)
    if not isinstance(drawn, Drawing) or not isinstance(written, Drawing) or "coco" not in {drawn.tool, written.tool}:
        return None
    if drawn.tool == written.tool:
        return None
    record = index.records[mine]
    return index.resolve(record, replace(drawn, tool=written.tool), index.labels(mine).hw)


def summary(row: dict[str, Any]) -> str:
    """Say in a line what of a set is lost."""
    faults = {
        to: figures.get("error") or {key: figures[key] for key in LOST if key in figures}
        for to, figures in row["written"].items()
    }
    lost = {to: fault for to, fault in faults.items() if fault}
    return f"{row['photos']} photos, {len(row['written'])} formats: {lost or 'nothing lost'}"


if __name__ == "__main__":
    main()
