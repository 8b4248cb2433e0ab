"""The annotations of one photo as shapes: polygons part by part, run lengths as masks, boxes as what nobody knows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tessella.core.annotation import Drawing, Shape
from tessella.core.errors import FormatError
from tessella.files.values.numbers import flat, number, pairs
from tessella.formats.coco.fields import key_of
from tessella.formats.listing import TRACK
from tessella.formats.raster.rle import decode_coco

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

_LEAST: Final = 3
"""Points of a polygon that covers anything."""


def drawing_of(
    rows: Sequence[tuple[Any, str]], names: Mapping[str, str], *, hw: tuple[int, int] | None, ignore: str
) -> Drawing:
    """Return the shapes of one photo in the order of the file, with boxes without outline below all others.

    Outlines of one or two points are no shapes, for nothing can paint them; the drawing keeps them apart.

    Args:
        rows: The annotations, parsed, each with its place for messages.
        names: The class name of every category id.
        hw: Height and width that the file states for the photo.
        ignore: The label of regions to ignore: what a box without outline holds is unknown, not background.

    Raises:
        FormatError: An annotation that is no object, or an outline of no known form.
    """
    boxes: list[Shape] = []
    shapes: list[Shape] = []
    short: list[Shape] = []
    taken: set[str] = set()
    for row, where in rows:
        if not isinstance(row, dict):
            raise FormatError("an annotation is not an object", where=where)
        key = key_of(row.get("category_id"))
        label = names.get(key, f"category_{key}")
        group = key_of(row.get("id"))
        if not group or group in taken:
            group = f"{group}#{len(taken)}"
        taken.add(group)
        more = tuple(attributes_of(row))
        for kind, points, mask in _outlines(row.get("segmentation"), hw, where=where):
            is_short = kind == "polygon" and len(points) < _LEAST
            (short if is_short else shapes).append(Shape(label, kind, points, group, mask, (), more))
        if _is_bare(row.get("segmentation")) and (box := _box(row.get("bbox"))) is not None:
            boxes.append(Shape(ignore, "rectangle", box))
    return Drawing((*boxes, *shapes), hw, "coco", tuple(short))


def _is_bare(segmentation: Any) -> bool:  # noqa: ANN401 - parsed JSON
    """Whether there is no outline, not even an empty mask."""
    return not segmentation or (isinstance(segmentation, list) and not any(part != [] for part in segmentation))


def attributes_of(row: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what else is said of an object; what is false, zero or empty says nothing."""
    if row.get("iscrowd") not in (None, 0, False):
        yield "iscrowd", "1"
    listed = row.get("attributes")
    said = listed if isinstance(listed, dict) else {}
    if TRACK not in said and (track := key_of(row.get(TRACK))):
        yield TRACK, track
    for name, value in said.items():
        if name == TRACK and (track := key_of(value)):
            yield TRACK, track  # 0 is a track, too
        elif value:
            yield str(name), value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _outlines(segmentation: Any, hw: tuple[int, int] | None, *, where: str) -> Iterator[Any]:  # noqa: ANN401 - parsed JSON
    if isinstance(segmentation, dict):
        yield from _run_lengths(segmentation, hw, where=where)
        return
    if segmentation in (None, "", False, 0):
        return
    if not isinstance(segmentation, list):
        raise FormatError("an outline is neither a list nor an object", where=where, got=type(segmentation).__name__)
    for points in polygons_of(segmentation, where=where):
        yield "polygon", points, None


def polygons_of(segmentation: list[Any], *, where: str) -> list[NDArray[np.float64]]:
    """Read the parts of a polygon: `[[x, y, x, y, ...], ...]`, or what some tools write for one: the inner list alone.

    Returns:
        (N, 2) float64 each; parts without a point are left out.

    Raises:
        FormatError: Not lists of pairs of numbers.
    """
    if segmentation and not any(isinstance(part, list) for part in segmentation):
        segmentation = [segmentation]
    nested = [isinstance(part, list) and bool(part) and isinstance(part[0], list) for part in segmentation]
    return [
        pairs(part, where=where) if deep else flat(part, where=where)
        for part, deep in zip(segmentation, nested, strict=True)
        if part != []
    ]


def _run_lengths(segmentation: dict[str, Any], hw: tuple[int, int] | None, *, where: str) -> Iterator[Any]:
    size = segmentation.get("size")
    if hw is not None and size != list(hw):
        raise FormatError(
            "a run-length mask is of another size than its photo",
            where=where,
            got=repr(size)[:60],
            expected=f"[{hw[0]}, {hw[1]}] (height, width)",
            fix="export the annotation again; some tools write width before height",
        )
    if (found := cropped(decode_coco(segmentation, where=where))) is not None:
        yield "mask", *found


def cropped(mask: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.bool_]] | None:
    """Cut a mask to what it covers: two corners, (2, 2) float64, and the pixels between them; None for an empty one."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if rows.size == 0:
        return None
    top, bottom, left, right = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
    corners = np.array([[left, top], [right, bottom]], np.float64)
    return corners, mask[top:bottom, left:right].copy()


def _box(listed: Any) -> NDArray[np.float64] | None:  # noqa: ANN401 - parsed JSON
    """Return the two corners of `[x, y, width, height]`; None where there is no such box."""
    if not isinstance(listed, list) or len(listed) != 4:
        return None
    left, top, width, height = (number(value) for value in listed)
    if not (width > 0 and height > 0) or not np.isfinite([left, top]).all():
        return None
    return np.array([[left, top], [left + width, top + height]])
