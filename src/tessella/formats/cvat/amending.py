"""Repaired shapes back into CVAT's XML for images: an `<image>` with changes is written anew, all else stays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import tostring

from tessella.files.splicing import Edit
from tessella.formats.cvat.shapes import painting_order
from tessella.formats.raster.rle import encode_rows
from tessella.formats.tools.redrawn import is_moved

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path
    from xml.etree.ElementTree import Element

    from tessella.core.annotation import Shape
    from tessella.formats.listing import Listing
    from tessella.formats.tools.redrawn import Redrawn

_CORNERS = ("xtl", "ytl", "xbr", "ybr")


def edits_of(path: Path, changed: Sequence[Redrawn], listing: Listing) -> list[Edit]:
    """Return what a CVAT file must say for the repaired shapes of some of its images.

    Attributes, `occluded`, `z_order`, groups, tags and skeletons stay as they are.

    Args:
        path: The file.
        changed: Its images with repaired shapes.
        listing: The data set.

    Raises:
        InputError: The file cannot be read any more.
        FormatError: It was changed meanwhile.
    """
    content: Any = listing.content
    found = []
    for one in changed:
        entry = content[(path, one.record.key)].entry
        element = entry.element("image")
        _redraw(element, one)
        element.text = element.text or "\n"  # so that an image without shapes keeps its closing tag
        text = tostring(element, encoding="unicode").rstrip().removesuffix("</image>")
        span = entry.span
        found.append(Edit(span.start, span.end, text.encode(span.encoding, "xmlcharrefreplace")))
    return found


def _redraw(element: Element, one: Redrawn) -> None:
    left = one.left()
    drawn = [element[place] for place in painting_order(element)]
    for position, (child, old) in enumerate(zip(drawn, one.before.shapes, strict=True)):
        new = left.get(position)
        if new is None:
            element.remove(child)
        elif new is not old:
            child.set("label", new.label)
            if is_moved(old, new):
                _respell(child, new)


def _respell(child: Element, shape: Shape) -> None:
    if shape.mask is not None:
        left, top = (int(side) for side in shape.points_xy[0])
        height, width = shape.mask.shape
        sides = {"left": left, "top": top, "width": width, "height": height}
        said = {name: str(side) for name, side in sides.items()}
        child.attrib.update(said, rle=", ".join(map(str, encode_rows(shape.mask))))
    elif shape.kind == "rectangle":
        child.attrib.update(zip(_CORNERS, map(_spelled, shape.points_xy.ravel().tolist()), strict=True))
    else:
        if child.tag == "box":  # a turned one that was cut is no box any more
            child.tag = "polygon"
            for name in (*_CORNERS, "rotation"):
                child.attrib.pop(name, None)
        child.set("points", ";".join(",".join(_pair(point)) for point in shape.points_xy.tolist()))


def _pair(point: Iterable[float]) -> list[str]:
    return [_spelled(value) for value in point]


def _spelled(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")
