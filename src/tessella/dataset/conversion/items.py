"""One photo ready to be written: its size, its ids in the classes of the result, and what cannot go with it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np

from tessella.core.annotation import Drawing
from tessella.core.classes import IGNORE
from tessella.core.labelmap import LabelMap
from tessella.core.sample import require_same_size
from tessella.formats.listing import Item
from tessella.formats.raster.labels import background_id

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from tessella.core.classes import LabelCoding
    from tessella.dataset.conversion.merge import Part

_LINES: Final = frozenset({"line", "linestrip", "point", "points"})


def item_of(part: Part, coding: LabelCoding, *, drawn: bool, holds: AbstractSet[str]) -> tuple[Item, Counter[str]]:
    """Read the labels of a photo; the photo itself is decoded only when a writer cannot copy its file.

    Args:
        part: The photo.
        coding: The classes of the result.
        drawn: Whether the result holds shapes.
        holds: What the result can hold besides a class per pixel.

    Returns:
        The item, and what of its labels the result cannot hold, counted by kind.

    Raises:
        InputError: The photo or the labels cannot be read.
        LabelError: The labels do not fit the class table or the photo.
    """
    index, record = part.index, part.record
    has_photo = index.has_photo(record)
    annotation = None if record.label is None else index.annotation(part.position)
    hw = index.photo_hw(part.position) if has_photo or annotation is None else None
    labels = drawing = None
    left_out: Counter[str] = Counter()
    if annotation is not None:
        found = index.resolve(record, annotation, hw)
        require_same_size(found.hw, hw or found.hw, where=index.listing.place(record))
        hw = hw or found.hw
        labels = LabelMap(np.asarray(part.lookup[found.ids]), coding.table)
        if isinstance(annotation, Drawing):
            drawing = _renamed(annotation, part, coding) if drawn else None
            left_out = _losses(annotation, holds if drawing is not None else frozenset())
    image = partial(index.image, part.position) if has_photo else None
    item = Item(part.name, part.stem, part.split, hw or (0, 0), record.image, image, labels, drawing)
    return item, left_out


def _renamed(drawing: Drawing, part: Part, coding: LabelCoding) -> Drawing | None:
    """Return a drawing with the class names of the result; None where shapes alone cannot say what it says."""
    source = part.index.coding
    meaning = {name: int(part.lookup[number]) for name, number in source.name_to_id().items()}
    ignored = next(iter(coding.ignore_names), None)
    names = dict(enumerate(coding.table.names)) | ({} if ignored is None else {IGNORE: ignored})
    if part.lookup[background_id(source)] != background_id(coding):
        return None  # pixels that no shape covers would mean another thing
    if any(meaning[shape.label] not in names for shape in drawing.shapes):
        return None
    return replace(drawing, shapes=tuple(replace(shape, label=names[meaning[shape.label]]) for shape in drawing.shapes))


def _losses(drawing: Drawing, holds: AbstractSet[str]) -> Counter[str]:
    found: Counter[str] = Counter()
    if "attributes" not in holds:
        found["shapes with attributes"] = sum(bool(shape.attributes) for shape in drawing.shapes)
    if "shapes" in holds and "lines" not in holds:  # else no shape stays a shape
        found["lines and points, kept as the pixels they cover"] = sum(shape.kind in _LINES for shape in drawing.shapes)
    if "instances" not in holds:
        objects = Counter((shape.label, shape.group) for shape in drawing.shapes if shape.group)
        # where shapes stay shapes, an object of one shape stays an object
        found["objects told apart"] = sum(parts > ("shapes" in holds) for parts in objects.values())
    return +found
