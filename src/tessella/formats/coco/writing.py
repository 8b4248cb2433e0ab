"""Writing COCO: `annotations/instances_<split>.json` beside `images/<split>/`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tessella.core.classes import IGNORE
from tessella.files.paths import relative_name
from tessella.files.write import write_text
from tessella.formats.coco.catalogue import IGNORE_NAME
from tessella.formats.coco.shapes import cropped
from tessella.formats.layout.export import in_split, write_classes_beside, write_photo
from tessella.formats.listing import Writer
from tessella.formats.raster.labels import background_id
from tessella.formats.raster.rasterise import draw, polygon_mask
from tessella.formats.raster.rle import encode_string
from tessella.formats.raster.tracing import regions
from tessella.formats.tools.objects import WITHOUT_PIXELS, corners_of, objects_of
from tessella.formats.tools.painting import BORDERS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from tessella.core.annotation import Drawing, Shape, Tool
    from tessella.core.classes import LabelCoding
    from tessella.core.labelmap import LabelMap
    from tessella.formats.listing import Item, Written

_WITHIN: Final = frozenset({"polygon", "rectangle", "mask"})
"""Kinds of shapes that cover nothing beyond their points or their mask."""

_BESIDE: Final = "outlines beside other shapes of their object, kept as the pixels they cover"

Row = dict[str, Any]
"""An annotation as it is written, but for its id and that of its photo."""


def write_one(item: Item, coding: LabelCoding, dst: Path) -> Row:
    """Write the photo, and return what the JSON file says of it.

    Shapes that were drawn stay objects, polygons as they are; other labels become an object per connected region, a
    polygon along pixel edges, or run lengths where it has holes.
    """
    path = write_photo(item, in_split(item, dst / "images"))
    name = f"{item.stem}.png" if path is None else relative_name(path, in_split(item, dst / "images"))
    rows = None
    if item.drawing is not None:
        rows = drawn_rows(item, item.drawing, coding)
    elif item.labels is not None:
        rows = list(traced_rows(item.labels, coding))
    spelled = None if rows is None else [(row["value"], _spelled(row)) for row in rows]
    return {"file_name": name, "hw": list(item.hw), "annotations": spelled}


def _spelled(row: Row) -> str:
    """Return the JSON text of an annotation but for its beginning; `close` puts the numbers there.

    Spelled where the photo is written, that is on every core.
    """
    said = {key: value for key, value in row.items() if key != "value"}
    return json.dumps(said, ensure_ascii=False, allow_nan=False).removeprefix("{")


def traced_rows(labels: LabelMap, coding: LabelCoding) -> Iterator[Row]:
    """Yield an annotation per connected region; the regions do not overlap, so their order says nothing."""
    ground = background_id(coding)
    for region in regions(labels.ids):
        if region.value == ground:
            continue
        left, top = (int(side) for side in region.outer.min(axis=0))
        right, bottom = (int(side) for side in region.outer.max(axis=0))
        box = [left, top, right - left, bottom - top]
        if region.holes:
            mask = _region_mask(region.outer, region.holes, (left, top, right, bottom))
            outline: object = _run_lengths(mask, labels.hw, corner=(left, top))
        else:
            outline = [region.outer.astype(int).ravel().tolist()]
        yield _row(region.value, outline, area=region.area_px, box=box)


def _region_mask(
    outer: NDArray[np.float64], holes: Sequence[NDArray[np.float64]], box: tuple[int, int, int, int]
) -> NDArray[np.bool_]:
    left, top, right, bottom = box
    rings = [ring - np.array([left, top]) for ring in (outer, *holes)]
    return polygon_mask(rings, (bottom - top, right - left))


def _run_lengths(part: NDArray[np.bool_], hw: tuple[int, int], *, corner: tuple[int, int]) -> Row:
    return {"size": list(hw), "counts": encode_string(part, hw, corner=corner)}


def _row(value: int, outline: object, *, area: int, box: Sequence[float], crowd: bool = False) -> Row:
    return {"value": value, "segmentation": outline, "area": area, "bbox": list(box), "iscrowd": int(crowd)}


def drawn_rows(item: Item, drawing: Drawing, coding: LabelCoding) -> list[Row]:
    """Return an annotation per drawn object, in drawing order; what covers no pixel is none."""
    rows: list[Row] = []
    ids = np.full(item.hw, background_id(coding), np.uint8)
    for one in objects_of(drawing, coding, item.hw, rule="coco", lost=item.lost):
        outlined = sum(shape.kind in ("polygon", "rectangle") and not shape.holes for shape in one.shapes)
        plain = outlined == len(one.shapes)
        rule: Tool = "coco" if plain or drawing.tool == "coco" else "centre"
        found = painted(one.shapes, item.hw, rule=rule)
        if found is None:
            item.lost[WITHOUT_PIXELS] += 1
            continue
        item.lost[_BESIDE] += 0 if plain else outlined
        (left, top, width, height), part = found
        ids[top : top + height, left : left + width][part] = one.value
        polygons: object = [_flat(shape) for shape in one.shapes] if plain else None
        outline = polygons or _run_lengths(part, item.hw, corner=(left, top))
        crowd = one.attributes.get("iscrowd") == "1"
        said = {name: value for name, value in one.attributes.items() if not crowd or name != "iscrowd"}
        row = _row(one.value, outline, area=int(part.sum()), box=found[0], crowd=crowd)
        rows.append(row | {"attributes": said} if said else row)
    if item.labels is not None:
        item.lost[BORDERS] += int(np.count_nonzero(ids != item.labels.ids))
    return rows


def painted(shapes: Sequence[Shape], hw: tuple[int, int], *, rule: Tool) -> tuple[list[int], NDArray[np.bool_]] | None:
    """Paint an object on no more of its photo than it needs.

    Returns:
        Its box in the photo as left, top, width, height, and its pixels in it; None where it covers none.
    """
    bottom, right = hw
    if all(shape.kind in _WITHIN for shape in shapes):
        # nothing is moved: COCO's rule rounds to fifths of a pixel, and 946.7 - 900 falls to another side than 46.7
        high = np.max([_far_corner(shape) for shape in shapes], axis=0)
        right, bottom = (int(side) for side in np.clip(np.ceil(high) + 2, 1, hw[::-1]))
    mask = draw(shapes, [1] * len(shapes), (bottom, right), ground=0, rule=rule)
    return covered(mask.view(bool))


def _far_corner(shape: Shape) -> NDArray[np.float64]:
    """Return the largest x and y that a shape reaches; a mask states its top left corner only."""
    if shape.mask is None:
        return np.asarray(shape.points_xy.max(axis=0))
    return np.asarray(shape.points_xy[0] + shape.mask.shape[::-1])


def covered(mask: NDArray[np.bool_]) -> tuple[list[int], NDArray[np.bool_]] | None:
    """Return the box of a mask as left, top, width, height, and the mask within; None for an empty mask."""
    found = cropped(mask)
    if found is None:
        return None
    (left, top), (right, bottom) = found[0].astype(int).tolist()
    return [left, top, right - left, bottom - top], found[1]


def _flat(shape: Shape) -> list[float]:
    points = corners_of(shape.points_xy) if shape.kind == "rectangle" else shape.points_xy
    return [int(value) if value.is_integer() else value for value in points.ravel().tolist()]


def close(written: Sequence[Written], coding: LabelCoding, dst: Path) -> None:
    """Write a JSON file per split, with the categories of the class table, and `classes.toml`."""
    splits: dict[str, list[Written]] = {}
    for one in written:
        splits.setdefault(one.split, []).append(one)
    for split, members in splits.items():
        # a photo without labels is in no list: listed without annotations, it would be all background
        labelled = [one for one in members if one.entry["annotations"] is not None]
        if labelled:
            write_text(dst / "annotations" / f"instances_{split or 'default'}.json", _document(labelled, coding))
    write_classes_beside(coding, dst)


def _document(written: Sequence[Written], coding: LabelCoding) -> str:
    numbers = category_ids(coding)
    images: list[Row] = []
    rows: list[str] = []
    used: set[int] = set()
    for number, one in enumerate(written, start=1):
        height, width = one.entry["hw"]
        images.append({"id": number, "file_name": one.entry["file_name"], "height": height, "width": width})
        for value, text in one.entry["annotations"]:
            used.add(value)
            rows.append(f'{{"id": {len(rows) + 1}, "image_id": {number}, "category_id": {numbers[value]}, {text}')
    content = {
        "info": {"description": "written by Tessella", "version": "1.0"},
        "licenses": [],
        "categories": categories(coding, used),
        "images": images,
    }
    head = json.dumps(content, ensure_ascii=False, allow_nan=False).removesuffix("}")
    return f'{head}, "annotations": [{", ".join(rows)}]}}\n'


def category_ids(coding: LabelCoding) -> dict[int, int]:
    """Return the category id of every class id: itself where background is class 0, as usual, else one more."""
    first = 0 if background_id(coding) == 0 else 1
    return {number: number + first for number in range(len(coding.table))} | {IGNORE: 256}


def categories(coding: LabelCoding, used: set[int]) -> list[Row]:
    """Return the list of categories: all classes but the background, which is where no annotation is.

    Background and regions to ignore have a category only where one was drawn.
    """
    numbers, ground = category_ids(coding), background_id(coding)
    rows: list[Row] = [
        {"id": numbers[value], "name": info.name, "supercategory": "", "color": list(info.colour)}
        for value, info in enumerate(coding.table)
        if value != ground or value in used
    ]
    if IGNORE in used:
        name = next(iter(coding.ignore_names), IGNORE_NAME)
        rows.append({"id": numbers[IGNORE], "name": name, "supercategory": "", "color": [224, 224, 192]})
    return rows


WRITER: Final = Writer(write_one, close)
