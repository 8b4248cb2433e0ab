"""How close our reading of LabelMe files comes to LabelMe's own conversion, in pixels and per class.

Reads LabelMe's `examples/semantic_segmentation` (github.com/wkentaro/labelme): `data_annotated` by our reader, and
`data_dataset_voc`, which LabelMe's own script made of it. Also lists what a second data set holds, shape by shape.

Run: python benchmarks/labelme_parity.py [DATA]     (DATA holds labelme_examples/ and annotation_tools_same_images/)
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import get_args

import numpy as np

import tessella
from tessella.core.annotation import Drawing
from tessella.dataset.index import open_dataset
from tessella.formats.raster.labels import Fill

HERE = Path(__file__).resolve().parent
BARS = {"centre": 0.995, "tool": 0.9999}


def parity(example: Path, fill: Fill) -> dict[str, object]:
    """Compare ids pixel by pixel."""
    ours = open_dataset(example / "data_annotated", classes=example / "labels.txt", fill=fill)
    theirs = open_dataset(example / "data_dataset_voc")
    truth = {Path(record.name).name: position for position, record in enumerate(theirs.records)}
    equal = pixels = 0
    files = []
    for position, record in enumerate(ours.records):
        mine, tool = ours.labels(position), theirs.labels(truth[Path(record.name).name])
        assert mine is not None
        assert tool is not None
        same = int((mine.ids == tool.ids).sum())
        files.append({"name": record.name, "equal": same, "pixels": mine.ids.size, "share": same / mine.ids.size})
        equal, pixels = equal + same, pixels + mine.ids.size
    share = equal / pixels
    return {
        "equal": equal,
        "pixels": pixels,
        "share": share,
        "bar": BARS[fill],
        "ok": share >= BARS[fill],
        "files": files,
    }


def inventory(folder: Path) -> dict[str, object]:
    """List the shapes of every file, and the pixels of every class."""
    index = open_dataset(folder)
    counts = np.zeros(256, np.int64)
    shapes = {}
    for position, record in enumerate(index.records):
        drawing, labels = index.annotation(position), index.labels(position)
        assert isinstance(drawing, Drawing)
        assert labels is not None
        shapes[record.name] = dict(Counter(f"{shape.kind} {shape.label}" for shape in drawing.shapes))
        counts += labels.counts()
    pixels = {name: int(counts[number]) for number, name in enumerate(index.table.names)}
    return {"files": len(index), "shapes": shapes, "pixels": pixels, "ignore": int(counts[255])}


def main() -> None:
    """Measure, print and write the result."""
    data = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE.parent.parent / "shared" / "data"
    example = data / "labelme_examples" / "examples" / "semantic_segmentation"
    result = {
        "tessella": tessella.__version__,
        "parity": {fill: parity(example, fill) for fill in get_args(Fill)},
        "inventory": inventory(data / "annotation_tools_same_images" / "datasets" / "labelme"),
    }
    text = json.dumps(result, indent=2) + "\n"
    (HERE / "results" / "labelme_parity.json").write_text(text, encoding="utf-8")
    print(text, end="")


if __name__ == "__main__":
    main()
