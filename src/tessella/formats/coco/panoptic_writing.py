"""Writing COCO's panoptic form: `annotations/panoptic_<split>/` of masks, their JSON beside it, `images/<split>/`."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from tessella.core.classes import IGNORE
from tessella.files.masks import write_picture
from tessella.files.paths import relative_name
from tessella.files.write import write_text
from tessella.formats.coco.writing import covered
from tessella.formats.layout.export import in_split, write_classes_beside, write_photo
from tessella.formats.listing import Writer
from tessella.formats.raster.rasterise import draw
from tessella.formats.raster.segments import segment_colours
from tessella.formats.tools.objects import HIDDEN, objects_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from tessella.core.annotation import Drawing, Tool
    from tessella.core.classes import Colour, LabelCoding
    from tessella.core.labelmap import Ids
    from tessella.formats.listing import Item, Written

_STEPS: Final = (37, 101, 61)
"""Added to red, green and blue for the next segment of a class; odd, so that 256 colours come before one twice."""


class _Segments(NamedTuple):
    """Segments of one photo.

    Args:
        place: (H, W) int32: the place of each pixel's segment from 1, 0 for none.
        values: The class id of each segment.
        crowds: Whether each is a crowd.
        things: Class ids of which objects are told apart.
    """

    place: NDArray[np.int32]
    values: list[int]
    crowds: list[bool]
    things: set[int]


def write_one(item: Item, coding: LabelCoding, dst: Path) -> dict[str, Any]:
    """Write the photo and its mask, and return what the JSON file says of them.

    Objects that were drawn are segments; of other pixels, those of one class are one.
    """
    photos = in_split(item, dst / "images")
    path = write_photo(item, photos)
    name = f"{item.stem}.png" if path is None else relative_name(path, photos)
    entry: dict[str, Any] = {"photo": name, "hw": list(item.hw), "mask": None}
    if item.labels is None:
        return entry
    found = _segments(item, item.labels.ids, coding)
    colours = coding.table.palette()
    numbers = _numbers([tuple(colours[value].tolist()) for value in found.values])
    folder = dst / "annotations" / f"panoptic_{item.split or 'default'}"
    lookup = np.array([0, *numbers], np.uint32)
    from PIL import Image

    write_picture(folder / f"{item.stem}.png", Image.fromarray(segment_colours(lookup[found.place])))
    rows = []
    for place, (number, value, crowd) in enumerate(zip(numbers, found.values, found.crowds, strict=True), start=1):
        part = covered(found.place == place)
        if part is not None:
            area = int(part[1].sum())
            rows.append({"id": number, "value": value, "area": area, "bbox": part[0], "iscrowd": int(crowd)})
        elif value != IGNORE:
            item.lost[HIDDEN] += 1
    return entry | {"mask": f"{item.stem}.png", "segments": rows, "things": sorted(found.things)}


def _segments(item: Item, ids: Ids, coding: LabelCoding) -> _Segments:
    found = _Segments(np.zeros(ids.shape, np.int32), [], [], set())
    if item.drawing is not None:
        found = _drawn(item.drawing, ids, coding)
    owner = np.array([IGNORE, *found.values], np.uint8)[found.place]
    # what no object covers, and the few pixels at borders that another rule of painting gave to another class
    found.place[(owner != ids) | (ids == IGNORE)] = 0
    bare = found.place == 0
    for value in np.unique(ids[bare]).tolist():
        if value != IGNORE:
            found.values.append(value)
            found.crowds.append(False)
            found.place[bare & (ids == value)] = len(found.values)
    return found


def _drawn(drawing: Drawing, ids: Ids, coding: LabelCoding) -> _Segments:
    index = np.zeros(ids.shape, np.int32)
    rule: Tool = "coco" if drawing.tool == "coco" else "centre"
    values, crowds, things = [], [], set()
    seen: set[int] = set()
    hw = (ids.shape[0], ids.shape[1])
    # here every outline is kept as the pixels it shows, and attributes are counted for all objects at once
    objects = objects_of(drawing, coding, hw, rule=rule, lost=Counter())
    for number, one in enumerate(objects, start=1):
        mask = draw(one.shapes, [1] * len(one.shapes), hw, ground=0, rule=rule)
        index[mask.view(bool)] = number
        values.append(one.value)
        crowds.append(one.attributes.get("iscrowd") == "1")
        if one.shapes[0].group or one.value in seen:
            things.add(one.value)
        seen.add(one.value)
    return _Segments(index, values, crowds, things - {IGNORE})


def _numbers(colours: Sequence[Colour]) -> list[int]:
    """Give every segment a number whose colour is its class's, or near it; never 0, which means no segment."""
    taken: dict[int, None] = {0: None}
    steps: dict[Colour, int] = {}
    for colour in colours:
        number = 0
        while number in taken:
            step = steps.get(colour, 0)
            steps[colour] = step + 1
            red, green, blue = (part + step * width for part, width in zip(colour, _STEPS, strict=True))
            number = red % 256 + green % 256 * 256 + (blue + step // 256) % 256 * 65536
        taken[number] = None
    return list(taken)[1:]


def _document(written: Sequence[Written], coding: LabelCoding) -> dict[str, Any]:
    things = {value for one in written for value in one.entry["things"]}
    images, rows = [], []
    for number, one in enumerate(written, start=1):
        height, width = one.entry["hw"]
        images.append({"id": number, "file_name": one.entry["photo"], "height": height, "width": width})
        segments = [
            {"category_id": row["value"] + 1} | {key: value for key, value in row.items() if key != "value"}
            for row in one.entry["segments"]
        ]
        rows.append({"image_id": number, "file_name": one.entry["mask"], "segments_info": segments})
    categories = [
        {
            "id": value + 1,
            "name": info.name,
            "supercategory": "",
            "isthing": int(value in things),
            "color": list(info.colour),
        }
        for value, info in enumerate(coding.table)
    ]
    info = {"description": "written by Tessella", "version": "1.0"}
    return {"info": info, "licenses": [], "categories": categories, "images": images, "annotations": rows}


def close(written: Sequence[Written], coding: LabelCoding, dst: Path) -> None:
    """Write a JSON file per split, and `classes.toml`."""
    splits: dict[str, list[Written]] = {}
    for one in written:
        if one.entry["mask"] is not None:
            splits.setdefault(one.split, []).append(one)
    for split, members in splits.items():
        text = json.dumps(_document(members, coding), ensure_ascii=False, allow_nan=False)
        write_text(dst / "annotations" / f"panoptic_{split or 'default'}.json", text + "\n")
    write_classes_beside(coding, dst)


WRITER: Final = Writer(write_one, close)
