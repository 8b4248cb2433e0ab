"""Writing YOLO's label files: a line per object, with holes and parts joined into one ring by lines of no width."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import numpy as np

from tessella.core.classes import IGNORE
from tessella.files.write import write_text
from tessella.formats.coco.catalogue import IGNORE_NAME
from tessella.formats.layout.export import in_split, write_classes_beside, write_photo
from tessella.formats.listing import Writer
from tessella.formats.raster.labels import background_id
from tessella.formats.raster.rasterise import draw, polygon_mask
from tessella.formats.raster.tracing import regions
from tessella.formats.tools.objects import WITHOUT_PIXELS, boxes_of, corners_of, meeting, objects_of
from tessella.formats.tools.painting import kept_drawing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from tessella.core.annotation import Drawing, Shape
    from tessella.core.classes import LabelCoding
    from tessella.core.labelmap import LabelMap
    from tessella.formats.listing import Item, Written

Line = tuple[int, "NDArray[np.float64]"]
"""A class id, and a ring (N, 2) float64 in pixels."""

_DIGITS: Final = 12
_OVERLAPPING: Final = "outlines that overlap within their object, kept as the outline of the pixels they cover"


def write_one(item: Item, coding: LabelCoding, dst: Path) -> dict[str, list[int]]:
    """Write the photo below `images/`, its lines below `labels/`, and return the class ids that occur.

    Polygons that were drawn are kept; other shapes and label maps become polygons along pixel edges.
    """
    write_photo(item, in_split(item, dst / "images"))
    if item.labels is None:
        return {"used": []}
    drawing = kept_drawing(item, coding)
    lines = list(traced(item.labels, coding) if drawing is None else drawn(item, drawing, coding))
    numbers = class_numbers(coding)
    scale = np.array([item.hw[1], item.hw[0]], np.float64)
    text = "".join(f"{numbers[value]} {_spelled(ring / scale)}\n" for value, ring in lines)
    write_text(in_split(item, dst / "labels") / f"{item.stem}.txt", text)
    return {"used": sorted({value for value, _ in lines})}


def _spelled(ring: NDArray[np.float64]) -> str:
    return " ".join(f"{value:.{_DIGITS}g}" for value in ring.ravel().tolist())


def traced(labels: LabelMap, coding: LabelCoding) -> Iterator[Line]:
    """Yield a ring per connected region but those of the background."""
    ground = background_id(coding)
    for region in regions(labels.ids):
        if region.value != ground:
            yield region.value, joined([region.outer, *region.holes])


def drawn(item: Item, drawing: Drawing, coding: LabelCoding) -> Iterator[Line]:
    """Yield a ring per drawn object, in drawing order."""
    for one in objects_of(drawing, coding, item.hw, rule="centre", lost=item.lost):
        rings = [ring for shape in one.shapes for ring in _rings(shape, item.hw)]
        if len(one.shapes) > 1 and not _is_covered(one.shapes, rings, item.hw):
            item.lost[_OVERLAPPING] += len(one.shapes)
            rings = _outlines(draw(one.shapes, [1] * len(one.shapes), item.hw, ground=0))
        if rings:
            yield one.value, joined(rings)
        else:
            item.lost[WITHOUT_PIXELS] += 1


def _is_covered(shapes: Sequence[Shape], rings: Sequence[NDArray[np.float64]], hw: tuple[int, int]) -> bool:
    """Whether the rings of an object's parts cover by the even-odd rule what the parts cover, one after the other."""
    boxes = boxes_of(shapes)
    apart = not any(meeting(boxes[place], boxes[:place]).any() for place in range(1, len(boxes)))
    return apart or np.array_equal(
        polygon_mask(rings, hw), draw(shapes, [1] * len(shapes), hw, ground=0).view(np.bool_)
    )


def _rings(shape: Shape, hw: tuple[int, int]) -> list[NDArray[np.float64]]:
    if shape.kind == "polygon":
        return [shape.points_xy, *shape.holes]
    if shape.kind == "rectangle":
        return [corners_of(shape.points_xy)]
    return _outlines(draw([shape], [1], hw, ground=0))


def _outlines(mask: NDArray[np.uint8]) -> list[NDArray[np.float64]]:
    return [ring for region in regions(mask) if region.value for ring in (region.outer, *region.holes)]


def joined(rings: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Join rings into one by lines there and back: by the even-odd rule it covers what they cover.

    Args:
        rings: (N, 2) float64 each; parts and holes, none crossing another.

    Returns:
        (M, 2) float64.
    """
    whole = rings[0]
    for ring in rings[1:]:
        near = int(np.argmin(((whole - ring[0]) ** 2).sum(axis=1)))
        whole = np.concatenate([whole[: near + 1], ring, ring[:1], whole[near:]])
    return whole


def class_numbers(coding: LabelCoding) -> dict[int, int]:
    """Return YOLO's number of every class id: in order without the background, which comes last, then IGNORE."""
    ground = background_id(coding)
    order = [value for value in range(len(coding.table)) if value != ground]
    return {value: number for number, value in enumerate([*order, IGNORE, *([ground] if ground != IGNORE else [])])}


def close(written: Sequence[Written], coding: LabelCoding, dst: Path) -> None:
    """Write `data.yaml` and `classes.toml`; background and ignore are among the names only where they were drawn."""
    numbers = class_numbers(coding)
    called = dict(enumerate(coding.table.names)) | {IGNORE: next(iter(coding.ignore_names), IGNORE_NAME)}
    most = max((numbers[value] for one in written for value in one.entry["used"]), default=-1)
    plain = len(coding.table) - (background_id(coding) != IGNORE)
    names = [called[value] for value, number in numbers.items() if number < max(plain, most + 1)]
    splits = [split for split in ("train", "val", "test") if any(one.split == split for one in written)]
    folders = {split: f"images/{split}" for split in splits} or {"train": "images", "val": "images"}
    lines = ["path: .", *(f"{split}: {folder}" for split, folder in folders.items()), "names:"]
    lines += [f"  {number}: {json.dumps(name, ensure_ascii=False)}" for number, name in enumerate(names)]
    write_text(dst / "data.yaml", "\n".join(lines) + "\n")
    write_classes_beside(coding, dst)


WRITER: Final = Writer(write_one, close)
