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
from tessella.formats.listing import TRACK, Item
from tessella.formats.raster.labels import background_id

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from tessella.core.annotation import Shape
    from tessella.core.classes import LabelCoding
    from tessella.dataset.conversion.merge import Part

_FORM: Final = {
    "rectangle": "boxes", "circle": "circles", "ellipse": "ellipses", "line": "lines", "linestrip": "lines",
    "point": "points", "points": "points", "mask": "masks",
}  # fmt: skip
"""What a format has to hold so that a shape of a kind stays one."""

_INSTEAD: Final = {
    "holes": "outlines with holes, kept as the pixels they cover",
    "boxes": "boxes, kept as outlines of four corners",
    "circles": "circles and ellipses, kept as the pixels they cover",
    "ellipses": "circles and ellipses, kept as the pixels they cover",
    "lines": "lines and points, kept as the pixels they cover",
    "points": "lines and points, kept as the pixels they cover",
    "masks": "masks, kept as outlines of their pixels",
}
"""What becomes of a shape where the format does not hold its form."""


def item_of(part: Part, coding: LabelCoding, *, drawn: bool, holds: AbstractSet[str]) -> Item:
    """Read the labels of a photo; the photo itself is decoded only when a writer cannot copy its file.

    Args:
        part: The photo.
        coding: The classes of the result.
        drawn: Whether the result is read as shapes.
        holds: What the result can hold besides a class per pixel.

    Returns:
        The item, with what of its labels the result cannot hold counted.

    Raises:
        InputError: The photo or the labels cannot be read.
        LabelError: The labels do not fit the class table or the photo.
    """
    index, record = part.index, part.record
    has_photo = index.has_photo(record)
    annotation = None if record.label is None else index.annotation(part.position)
    hw = index.photo_hw(part.position) if has_photo or annotation is None else None
    labels = drawing = None
    lost: Counter[str] = Counter()
    if annotation is not None:
        found = index.resolve(record, annotation, hw)
        require_same_size(found.hw, hw or found.hw, where=index.listing.place(record))
        hw = hw or found.hw
        labels = LabelMap(np.asarray(part.lookup[found.ids]), coding.table)
        if isinstance(annotation, Drawing):
            drawing = _renamed(annotation, part, coding) if drawn or "instances" in holds else None
            ignored = frozenset(index.coding.ignore_names)
            lost = _losses(annotation, holds if drawing is not None else frozenset(), ignored=ignored)
            if drawing is None and "shapes" in holds:
                lost["shapes, kept as outlines of the pixels they show"] = len(annotation.shapes)
    image = partial(index.image, part.position) if has_photo else None
    return Item(part.name, part.stem, part.split, hw or (0, 0), record.image, image, labels, drawing, lost)


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
    return replace(drawing, shapes=tuple(_writable(shape, names[meaning[shape.label]]) for shape in drawing.shapes))


def _writable(shape: Shape, label: str) -> Shape:
    """Return a shape under a label, without the lone surrogates that JSON can spell and no file can hold."""
    said = tuple((_spelled(name), _spelled(value)) for name, value in shape.attributes)
    return replace(shape, label=label, group=_spelled(shape.group), attributes=said)


def _spelled(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _losses(drawing: Drawing, holds: AbstractSet[str], *, ignored: AbstractSet[str]) -> Counter[str]:
    found: Counter[str] = Counter()
    if "shapes" in holds:  # else no shape stays a shape
        forms = Counter("holes" if shape.holes else _FORM.get(shape.kind, "shapes") for shape in drawing.shapes)
        for form, count in forms.items():
            if form not in holds:
                found[_INSTEAD[form]] += count
    if "attributes" not in holds:
        said = [{name for name, _ in shape.attributes} for shape in drawing.shapes]
        found["shapes with attributes"] = sum(bool(names - {TRACK}) for names in said)
        found["shapes of tracks"] = sum(TRACK in names for names in said)
    objects = Counter((shape.label, shape.group) for shape in drawing.shapes if shape.group)
    if "instances" not in holds:
        # where shapes stay shapes, an object of one shape stays an object
        found["objects told apart"] = sum(parts > ("shapes" in holds) for parts in objects.values())
        if "shapes" not in holds:  # a shape without a group is an object of its own, and told from others of its class
            alone = Counter(shape.label for shape in drawing.shapes if not shape.group and shape.label not in ignored)
            grouped = {label for label, _ in objects}
            found["objects told apart"] += sum(n for label, n in alone.items() if n > 1 or label in grouped)
    if "groups" not in holds:
        found["groups across classes"] = sum(classes > 1 for classes in Counter(group for _, group in objects).values())
    return +found
