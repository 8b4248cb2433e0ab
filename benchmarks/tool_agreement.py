"""What the exports of several annotation tools have in common, shape by shape, on the same photos.

Reads the folders of `annotation_tools_same_images` that hold segmentation, and for every photo and every two of them
says which objects both hold and how many of their pixels agree. Objects are paired by label and overlap; two are the
same by their coordinates when every corner of one lies within a pixel of a corner of the other. Writes
docs/tool-agreement.md and benchmarks/results/tool_agreement.json, and exits 1 when objects of the same coordinates
agree by less than 97 %.

Run: python benchmarks/tool_agreement.py DATA      (DATA holds annotation_tools_same_images/)
"""

from __future__ import annotations

import itertools
import json
import statistics
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from tessella.core.annotation import Drawing, Shape, StoredMask
from tessella.core.classes import IGNORE
from tessella.core.errors import TessellaError
from tessella.dataset.index import open_dataset
from tessella.formats.raster.labels import background_id
from tessella.formats.raster.rasterise import paint

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tessella.core.annotation import Tool
    from tessella.dataset.index import Index

HERE: Final = Path(__file__).resolve().parent
PAGE: Final = HERE.parent / "docs" / "tool-agreement.md"
RESULTS: Final = HERE / "results" / "tool_agreement.json"
BAR: Final = 0.97
NEAR_PX: Final = 1.0
LEAST_OVERLAP: Final = 0.3


@dataclass(frozen=True, eq=False)
class Thing:
    """One object of a photo.

    Args:
        label: Its label.
        kind: What was drawn: the kind of its first shape.
        corners: (N, 2) x, y in pixels: what fixes it, or the corners of its box where only pixels are known.
        pixels: (H, W) bool, by our rule; COCO's polygons by COCO's.
        by_tool: (H, W) bool, by the rule of the tool that drew it.
    """

    label: str
    kind: str
    corners: NDArray[np.float64]
    pixels: NDArray[np.bool_]
    by_tool: NDArray[np.bool_]


def things(index: Index, position: int) -> list[Thing]:
    """Return the objects of a photo: shapes of one group together, and regions of masks."""
    annotation, hw = index.annotation(position), index.photo_hw(position)
    if isinstance(annotation, StoredMask):
        return regions(index, position)
    meaning, ground = index.coding.name_to_id(), background_id(index.coding)
    parts: dict[object, list[Shape]] = {}
    for number, shape in enumerate(annotation.shapes):
        if meaning.get(shape.label, IGNORE) not in (ground, IGNORE):
            parts.setdefault((shape.label, shape.group) if shape.group else number, []).append(shape)
    return [thing(shapes, annotation, hw) for shapes in parts.values()]


def thing(shapes: list[Shape], drawing: Drawing, hw: tuple[int, int]) -> Thing:
    """Return the shapes of one object as a thing."""
    pixels = painted(shapes, hw, "coco" if drawing.tool == "coco" else "centre")
    first = shapes[0]
    corners = box_of(pixels) if first.kind == "mask" else np.concatenate([fixing(shape) for shape in shapes])
    return Thing(first.label, first.kind, corners, pixels, painted(shapes, hw, drawing.tool))


def painted(shapes: list[Shape], hw: tuple[int, int], rule: Tool) -> NDArray[np.bool_]:
    """Return the pixels of some shapes."""
    canvas = np.zeros(hw, np.uint8)
    for shape in shapes:
        paint(canvas, shape, value=1, rule=rule)
    return canvas.astype(bool)


def fixing(shape: Shape) -> NDArray[np.float64]:
    """Return points that fix a shape, the same for the same area however it is stored."""
    points = shape.points_xy
    if shape.kind == "rectangle":
        (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
        return np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
    if shape.kind == "circle":
        radius = float(np.hypot(*(points[1] - points[0])))
        return points[0] + np.array([[0, 0], [radius, 0], [0, radius]])
    return points


def box_of(pixels: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the corners of the box of some pixels."""
    rows, columns = np.flatnonzero(pixels.any(axis=1)), np.flatnonzero(pixels.any(axis=0))
    if rows.size == 0:
        return np.zeros((0, 2))
    top, left, bottom, right = rows[0], columns[0], rows[-1] + 1, columns[-1] + 1
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float64)


def regions(index: Index, position: int) -> list[Thing]:
    """Return the connected regions of a mask."""
    import cv2

    labels = index.labels(position)
    assert labels is not None
    ground = background_id(index.coding)
    found = []
    for value in sorted(set(np.unique(labels.ids).tolist()) - {ground, IGNORE}):
        count, parts = cv2.connectedComponents((labels.ids == value).view(np.uint8), connectivity=4)
        for number in range(1, count):
            pixels = np.asarray(parts == number)
            found.append(Thing(labels.table.names[value], "mask", box_of(pixels), pixels, pixels))
    return found


def overlap(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    """Return the intersection over union of two objects, 0..1."""
    union = int((one | other).sum())
    return int((one & other).sum()) / union if union else 0.0


def apart(first: Thing, second: Thing) -> float:
    """Return how far the farthest corner of one lies from the nearest of the other, in pixels."""
    one, other = first.corners, second.corners
    if "mask" in (first.kind, second.kind):
        one, other = box_of(first.pixels), box_of(second.pixels)
    if len(one) == 0 or len(other) == 0:
        return float("inf")
    distances = np.hypot(*(one[:, None] - other[None]).transpose(2, 0, 1))
    return float(max(distances.min(axis=0).max(), distances.min(axis=1).max()))


class Met(NamedTuple):
    """An object that two folders hold.

    Args:
        labels: Its label in each.
        kinds: What was drawn in each.
        iou: How many of their pixels agree, 0..1.
        how: `coordinates`: the same corners; `rule`: the same pixels by the rules of their tools; `anew`: neither.
    """

    labels: tuple[str, str]
    kinds: tuple[str, str]
    iou: float
    how: str


def meet(first: Thing, second: Thing, iou: float) -> Met:
    """Say what two objects have in common."""
    how = "anew"
    if apart(first, second) <= NEAR_PX:
        how = "coordinates"
    elif (first.by_tool == second.by_tool).all():
        how = "rule"
    return Met((first.label, second.label), (first.kind, second.kind), iou, how)


def paired(first: list[Thing], second: list[Thing]) -> list[Met]:
    """Pair objects: those of one label by overlap, the best first; then the rest whatever their labels."""
    table = sorted(
        ((one.label == other.label, overlap(one.pixels, other.pixels), place, there)
         for place, one in enumerate(first) for there, other in enumerate(second)),
        reverse=True,
    )  # fmt: skip
    taken: tuple[set[int], set[int]] = (set(), set())
    pairs = []
    for _, iou, place, there in table:
        if iou >= LEAST_OVERLAP and place not in taken[0] and there not in taken[1]:
            taken[0].add(place)
            taken[1].add(there)
            pairs.append(meet(first[place], second[there], iou))
    return pairs


def compare(data: Path) -> tuple[dict[str, str], list[dict[str, Any]]]:
    """Open every folder and compare their objects photo by photo.

    Returns:
        What each folder is, and a row for each photo and two folders that hold objects on it.
    """
    outcome: dict[str, str] = {}
    found: dict[tuple[str, str], list[Thing]] = {}
    for folder in sorted(path for path in data.iterdir() if path.is_dir()):
        try:
            index = open_dataset(folder)
        except TessellaError as error:
            outcome[folder.name] = error.what
            continue
        outcome[folder.name] = index.format
        labelled = index.labelled()
        for position, record in enumerate(labelled.records):
            found[Path(record.name).name, folder.name] = things(labelled, position)
    photos = Counter(photo for photo, _ in found)
    rows = []
    for photo in sorted(photo for photo, count in photos.items() if count > 1):
        folders = [name for name in sorted(outcome) if found.get((photo, name))]
        for one, other in itertools.combinations(folders, 2):
            first, second = found[photo, one], found[photo, other]
            met = paired(first, second)
            rows.append(
                {
                    "photo": photo,
                    "folders": [one, other],
                    "objects": [len(first), len(second)],
                    "met": [one._asdict() for one in met],
                }
            )
    return outcome, rows


def page(outcome: dict[str, str], rows: list[dict[str, Any]]) -> str:
    """Return the page as Markdown."""
    lines = [HEAD, "| folder | read as |", "|---|---|"]
    lines += [f"| `{name}` | {said} |" for name, said in outcome.items()]
    lines += ["", "## Photo by photo", ""]
    for photo, group in itertools.groupby(rows, key=lambda row: str(row["photo"])):
        lines += [f"### {photo}", "", COLUMNS]
        lines += [row_of(row) for row in group]
        lines.append("")
    lines += [EXPLAINED, "| drawn anew as | pairs | least | median | most |", "|---|---|---|---|---|"]
    anew = [one for row in rows for one in row["met"] if one["how"] == "anew"]
    for kind in sorted({kinds(one) for one in anew}):
        shares = sorted(one["iou"] for one in anew if kinds(one) == kind)
        middle = statistics.median(shares)
        lines.append(f"| {kind} | {len(shares)} | {percent(shares[0])} | {percent(middle)} | {percent(shares[-1])} |")
    return "\n".join([*lines, ""])


def kinds(met: dict[str, Any]) -> str:
    """Return what an object was drawn as in the two folders."""
    return " and ".join(sorted(set(met["kinds"])))


def row_of(row: dict[str, Any]) -> str:
    """Return one row of the table of a photo."""
    met = row["met"]
    (first, second), (many, others) = row["folders"], row["objects"]
    renamed = sum(one["labels"][0] != one["labels"][1] for one in met)
    both = f"{len(met)}" + (f" ({renamed} under another label)" if renamed else "")
    cells = [f"`{first}`, `{second}`", f"{many}, {others}", both]
    for how in ("coordinates", "rule", "anew"):
        shares = sorted(one["iou"] for one in met if one["how"] == how)
        if not shares:
            cells.append("")
        elif len(shares) == 1 or shares[0] == shares[-1]:
            cells.append(f"{len(shares)}: {percent(shares[0])}")
        else:
            cells.append(f"{len(shares)}: {percent(shares[0])} to {percent(shares[-1])}")
    return f"| {' | '.join(cells)} |"


def percent(share: float) -> str:
    """Return a share as people read it; 100 % only where every pixel agrees."""
    return "100 %" if share == 1 else f"{min(share, 0.9999):.2%}".replace("%", " %")


HEAD: Final = """# What the exports of several tools have in common

Made by `python benchmarks/tool_agreement.py DATA`; do not edit. The same four photos were annotated in LabelMe, in VIA
and in CVAT, and CVAT's project was exported in several formats. Every folder that holds segmentation is read, and for
each photo and each two folders the objects are paired by label and overlap. The figures are intersections over unions
of their pixels, by our rule (COCO's polygons by COCO's own).
"""

COLUMNS: Final = """| folders | objects | in both | same corners | same by the tools' rule | drawn anew |
|---|---|---|---|---|---|"""

EXPLAINED: Final = """## What explains the differences

- *Same corners*: every corner of one lies within a pixel of one of the other; for masks, the corners of their boxes.
  What is left of a difference is COCO's rule: pycocotools rounds polygons to a fifth of a pixel before it fills them,
  and takes a few pixels along outlines whose centres lie outside.
- *Same by the tools' rule*: ellipses. CVAT rounds their centre and half axes to whole pixels before it draws them into
  masks; its XML keeps two decimals, and our rule fills what was drawn. With `--match-tool` they are equal to the pixel.
- *Drawn anew*: somebody drew the object again in the other tool, with other corners. Of small boxes a few pixels are a
  large share, and of lines, which are painted 10 px wide, most pixels lie near the border; the table below says how
  much by what was drawn.
- *Objects that only one holds*: exports leave things out. CVAT's exports for LabelMe and VOC have no lines, that for
  VOC masks of ellipses only. Its COCO file has boxes without outline, which say nothing of pixels and are IGNORE here.
  VIA's file lists the boxes of one photo twice.
- *Under another label*: a circle is called `circle` in LabelMe and VIA, and `ellipse` in CVAT.
- Folders of boxes hold no segmentation; `grapes` holds other photos.
"""


def main() -> None:
    """Compare, write the page and the figures, and exit 1 when objects of the same coordinates differ."""
    data = Path(sys.argv[1]) / "annotation_tools_same_images" / "datasets"
    outcome, rows = compare(data)
    same = [one["iou"] for row in rows for one in row["met"] if one["how"] != "anew"]
    ok = bool(same) and min(same) >= BAR
    PAGE.write_text(page(outcome, rows), encoding="utf-8")
    report = {"command": "python benchmarks/tool_agreement.py DATA", "bar": BAR, "ok": ok, "same": len(same)}
    report |= {"least": min(same, default=0.0), "folders": outcome, "rows": rows}
    RESULTS.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(f"{len(same)} objects of the same coordinates, at least {min(same, default=0.0):.4f}; bar {BAR}")
    sys.exit(0 if ok else 1)


if __name__ == "__main__":
    main()
