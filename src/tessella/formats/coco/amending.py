"""Repaired shapes back into COCO's JSON: rows that changed are written anew, and every other byte stays as it is."""

from __future__ import annotations

import json
import math
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from tessella.core.errors import FormatError
from tessella.files.images import read_header
from tessella.files.sections import Rows, read_sections
from tessella.files.splicing import Edit
from tessella.formats.coco.catalogue import IGNORE_NAME
from tessella.formats.coco.fields import key_of
from tessella.formats.coco.instances import page_of
from tessella.formats.coco.shapes import drawing_of, polygons_of
from tessella.formats.coco.writing import painted
from tessella.formats.raster.rasterise import FARTHEST_PX
from tessella.formats.raster.rle import encode_string
from tessella.formats.tools.redrawn import is_moved

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from tessella.core.annotation import Shape
    from tessella.formats.coco.sheets import Page
    from tessella.formats.listing import Listing
    from tessella.formats.tools.redrawn import Redrawn

Row = dict[str, Any]


def edits_of(path: Path, changed: Sequence[Redrawn], listing: Listing) -> list[Edit]:
    """Return what a COCO file must say for the repaired shapes of some of its photos.

    Of an annotation whose outline changed, `bbox` and `area` are counted anew where it has them. One of which no shape
    is left goes. A name that no category has gets one, as that of the old name but for its number.

    Args:
        path: The file.
        changed: Its photos with repaired shapes.
        listing: The data set.

    Raises:
        InputError: The file cannot be read any more, or was changed meanwhile.
        FormatError: A shape got a name, and the file lists no categories.
    """
    page = page_of(changed[0].record, listing)
    ignore = next(iter(listing.coding.ignore_names), IGNORE_NAME)
    catalogue = _Catalogue(path, page.names)
    rows = dict(chain.from_iterable(_rows_of(one, page, ignore, catalogue) for one in changed))
    return [*_row_edits(page.rows, rows), *catalogue.edits()]


def _row_edits(rows: Rows, changed: Mapping[int, Row | None]) -> Iterator[Edit]:
    """Yield the edits of a list: its items that changed, and None for those that go, each with one comma."""
    first_kept = next((number for number in range(len(rows)) if changed.get(number, ()) is not None), len(rows))
    for number, row in changed.items():
        start, stop = int(rows.starts[number]), int(rows.stops[number])
        if row is not None:
            yield Edit(start, stop, _spelled(row, rows.encoding))
        elif number > first_kept:
            yield Edit(int(rows.stops[number - 1]), stop, b"")
        else:
            yield Edit(start, int(rows.starts[number + 1]) if number + 1 < len(rows) else stop, b"")


def _spelled(row: Row, encoding: str, *, before: str = "") -> bytes:
    return (before + json.dumps(row, ensure_ascii=False, allow_nan=False)).encode(encoding)


class _Catalogue:
    """The categories of a file, and those that repaired shapes need besides; read when one is asked for."""

    def __init__(self, path: Path, names: Mapping[str, str]) -> None:
        self.path = path
        self.names = names
        self.rows: Rows | None = None
        self.listed: list[Row] = []
        self.added: list[Row] = []

    def id_of(self, name: str, *, like: object) -> object:
        """Return the id of the category of a name; of a new one like that of the id `like`, where there is none."""
        if self.rows is None:
            sections = read_sections(self.path)
            if sections.is_list("categories"):
                self.rows, _ = sections.rows("categories")
                self.listed = self.rows.parse(range(len(self.rows)))
        if self.rows is None or not self.listed:
            raise FormatError("the file lists no categories, so no shape can get another name", where=self.path)
        named = {self.names.get(key_of(one["id"]), ""): one["id"] for one in reversed(self.listed)}
        named |= {one["name"]: one["id"] for one in self.added}
        if name not in named:
            taken = [int(key) for one in [*self.listed, *self.added] if (key := key_of(one["id"])).isdecimal()]
            model = next((one for one in self.listed if key_of(one["id"]) == key_of(like)), {"supercategory": ""})
            named[name] = 1 + max(taken, default=0)
            self.added.append({**model, "id": named[name], "name": name})
        return named[name]

    def edits(self) -> Iterator[Edit]:
        if self.rows is not None and self.added:
            end = int(self.rows.stops[-1])
            more = b"".join(_spelled(one, self.rows.encoding, before=", ") for one in self.added)
            yield Edit(end, end, more)


def _rows_of(one: Redrawn, page: Page, ignore: str, catalogue: _Catalogue) -> Iterator[tuple[int, Row | None]]:
    """Yield the number of every annotation that a repair changed, and what it says now; None for one that goes."""
    numbers = page.numbers(one.record.key)
    rows = page.rows.parse(numbers)
    hw, left = page.hw(one.record.key), one.left()
    drawn = [
        drawing_of([(row, page.where(number))], page.names, hw=hw, ignore=ignore)
        for number, row in zip(numbers, rows, strict=True)
    ]
    bare = [any(shape.group == "" for shape in own.shapes) for own in drawn]
    next_box, next_shape = 0, sum(bare)  # boxes without outline come below all others
    for number, row, own, is_box in zip(numbers, rows, drawn, bare, strict=True):
        count = len(own.shapes)
        first = next_box if is_box else next_shape
        next_box, next_shape = (next_box + 1, next_shape) if is_box else (next_box, next_shape + count)
        before = one.before.shapes[first : first + count]
        after = [left.get(first + place) for place in range(count)]
        kept = [shape for shape in after if shape is not None]
        loses_short = len(own.short) > 0 and not one.after.short
        if all(new is old for new, old in zip(after, before, strict=True)) and not loses_short:
            continue
        if not kept:
            yield number, None
            continue
        changed = dict(row)
        if kept[0].label != before[0].label:
            changed["category_id"] = catalogue.id_of(kept[0].label, like=row.get("category_id"))
        if loses_short:
            changed["segmentation"] = [part for part in row["segmentation"] if not _is_short(part)]
        if loses_short or any(new is None or is_moved(old, new) for new, old in zip(after, before, strict=True)):
            _redraw(changed, before, after, hw=hw or _photo_hw(one), is_box=is_box)
        yield number, changed


def _photo_hw(one: Redrawn) -> tuple[int, int]:
    if one.record.image is None:
        raise TypeError(f"{one.record.name}: neither the photo nor its size is here")  # then it is no record
    return read_header(one.record.image).upright_hw


def _redraw(
    row: Row, before: Sequence[Shape], after: Sequence[Shape | None], *, hw: tuple[int, int], is_box: bool
) -> None:
    """Write the outline of an annotation anew, its box and its area in whole pixels."""
    if not is_box:
        row["segmentation"] = _outline(row["segmentation"], before, after, hw=hw)
    kept = [shape for shape in after if shape is not None]
    points = np.concatenate([shape.points_xy for shape in kept])
    if not np.isfinite(points).all() or np.abs(points).max() > FARTHEST_PX:
        return  # another part needs a person, and nobody knows what the whole covers
    found = painted(kept, hw, rule="coco")
    low = points.min(axis=0)
    box = _numbers(np.concatenate([low, points.max(axis=0) - low]))
    if is_box or "bbox" in row:
        row["bbox"] = box if kept[0].mask is None or found is None else found[0]
    if "area" in row:
        row["area"] = 0 if found is None else int(found[1].sum())


def _outline(stored: Any, before: Sequence[Shape], after: Sequence[Shape | None], *, hw: tuple[int, int]) -> object:  # noqa: ANN401 - parsed JSON
    """Return `segmentation` with the parts that changed; the others, and the way it is nested, stay as they are."""
    mask = None if after[0] is None else after[0].mask
    if after[0] is not None and mask is not None:
        left, top = (int(side) for side in after[0].points_xy[0])
        return {"size": list(hw), "counts": encode_string(mask, hw, corner=(left, top))}
    flat = not any(isinstance(part, list) for part in stored)
    parts, place = [], 0
    for part in [stored] if flat else stored:
        if _is_short(part):
            parts.append(part)  # no shape came of it
            continue
        old, new = before[place], after[place]
        place += 1
        if new is not None:
            deep = isinstance(part[0], list)
            parts.append(_points(new.points_xy, deep=deep) if is_moved(old, new) else part)
    return parts[0] if flat else parts


def _is_short(part: list[Any]) -> bool:
    """Whether a part of an outline has too few points to be a shape."""
    return part == [] or len(polygons_of([part], where="")[0]) < 3


def _points(points_xy: NDArray[np.float64], *, deep: bool) -> list[Any]:
    return [_numbers(point) for point in points_xy] if deep else _numbers(points_xy)


def _numbers(values: NDArray[np.float64]) -> list[float | None]:
    """Return numbers as JSON has them: whole ones without a point, and null for what is none and needs a person."""
    return [_plain(value) if math.isfinite(value) else None for value in values.ravel().tolist()]


def _plain(value: float) -> float:
    return int(value) if value.is_integer() else round(value, 6)
