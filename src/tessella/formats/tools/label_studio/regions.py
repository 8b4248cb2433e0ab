"""Regions drawn in Label Studio: the results of one id put together, and their outlines as shapes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tessella.core.annotation import Shape
from tessella.core.errors import FormatError
from tessella.files.masks import decode_mask
from tessella.files.values.numbers import number, pairs, size_hw
from tessella.files.values.packed import decode_base64
from tessella.formats.raster.brush import brush_pixels, decode_brush
from tessella.formats.tools.entries import UNLABELLED
from tessella.formats.tools.geometry import box_points, ellipse_points, mask_shape, turned_box
from tessella.formats.tools.plain import attributes, rows, table, words

if TYPE_CHECKING:
    from collections import Counter

    from numpy.typing import NDArray

LABEL_KEYS: Final = (
    "polygonlabels", "brushlabels", "rectanglelabels", "ellipselabels", "bitmasklabels", "hypertextlabels", "labels",
)  # fmt: skip


@dataclass(slots=True)
class Region:
    """What the results of one region id say together: brush strokes come twice, bare and with their label."""

    value: dict[str, Any]
    labels: list[str] = field(default_factory=list)
    said: list[tuple[object, object]] = field(default_factory=list)
    size: tuple[object, object] = (None, None)
    rotation: float = 0.0


def kind_of(value: dict[str, Any]) -> str:
    """Return the kind of outline in a value; "" for none."""
    if "points" in value:
        return "polygon"
    if "rle" in value:
        return "brush"
    if "imageDataURL" in value:
        return "bitmask"
    if "radiusX" in value:
        return "ellipse"
    return "rectangle" if {"x", "y", "width", "height"} <= value.keys() else ""


def regions_of(results: list[Any], counts: Counter[str], *, item: int | None) -> list[Region]:
    """Put the results of an annotation together by region.

    Args:
        results: `result` of the annotation.
        counts: Takes what has no outline, by kind.
        item: Which photo of a task with several is meant, or None.
    """
    found: dict[str, Region] = {}
    loose: list[tuple[str, str, dict[str, Any]]] = []
    for place, result in enumerate(results):
        value = table(table(result).get("value"))
        key = words(table(result).get("id")) or f"[{place}]"
        if item is not None and table(result).get("item_index", 0) != item:
            continue
        if kind_of(value) and table(result).get("type") not in ("keypointlabels", "keypoint", "videorectangle"):
            region = found.setdefault(key, Region(value))
            region.size = (result.get("original_height"), result.get("original_width"))
            region.rotation = number(result.get("image_rotation", 0) or 0)
            region.labels += _labels_in(value)
            notes = [("meta", _joined(said)) for said in table(result.get("meta")).values() if rows(said)]
            region.said += [note for note in notes if note not in region.said]
        else:
            loose.append((key, words(table(result).get("from_name")), table(result)))
    for key, control, result in loose:
        if key in found:
            value = table(result.get("value"))
            found[key].labels += _labels_in(value)
            found[key].said += [(control or name, _joined(said)) for name, said in value.items() if name in _ANSWERS]
        else:
            counts[_what(result)] += 1
    counts["further labels of a region"] += sum(max(0, len(set(region.labels)) - 1) for region in found.values())
    return list(found.values())


_ANSWERS: Final = ("choices", "text", "rating", "number", "taxonomy")


def _joined(said: object) -> object:
    return (
        ", ".join(words(one, whole=True) for one in said)
        if isinstance(said, list) and said and not rows(said[0])
        else said
    )


def _what(result: dict[str, Any]) -> str:
    kind = words(result.get("type")) or "results without outline"
    if "keypoint" in kind or "keypointlabels" in table(result.get("value")):
        return "keypoints"
    if kind == "relation":
        return "relations"
    return "answers about a whole photo" if kind in {*_ANSWERS, "textarea"} else f"results of type {kind}"


def _labels_in(value: dict[str, Any]) -> list[str]:
    return [text for key in LABEL_KEYS for label in rows(value.get(key)) if (text := words(label)).strip()]


def label_of(region: Region) -> str:
    """Return the first label of a region."""
    return region.labels[0] if region.labels else UNLABELLED


def stated_hw(regions: list[Region], *, where: object, lenient: bool = False) -> tuple[int, int] | None:
    """Return the photo's height and width that the first region with one states; None where none does.

    Raises:
        FormatError: It states what is no size (unless `lenient`).
    """
    for region in regions:
        try:
            if (hw := size_hw(*region.size, where=where)) is not None:
                return hw
        except FormatError:
            if not lenient:
                raise
    return None


def shape_of(region: Region, hw: tuple[int, int], *, where: str, stated: bool) -> Shape:
    """Return a region as a shape.

    Args:
        region: The region.
        hw: Height and width of the photo in pixels.
        where: File, entry and region, for messages.
        stated: Whether the export states that size, or it was taken from the photo.

    Raises:
        FormatError: The outline cannot be read, or the photo was turned in the tool.
    """
    if region.rotation % 360 != 0:
        raise FormatError(
            "the photo was turned in the labelling tool, and no rule says which way its coordinates go",
            where=where,
            got=f"image_rotation {region.rotation:g}",
            fix="turn it back in Label Studio and export again",
        )
    label, said, kind = label_of(region), attributes(region.said), kind_of(region.value)
    if kind == "brush":
        return mask_shape(label, _brush(region.value, hw, where=where, stated=stated), attributes=said)
    if kind == "bitmask":
        return mask_shape(label, _bitmask(region.value, hw, where=where), attributes=said)
    if kind == "polygon":
        points = pairs(region.value["points"], where=where)
        return Shape(label, "polygon", in_pixels(points, hw), attributes=said)
    drawn = _ellipse(region.value, hw) if kind == "ellipse" else _box(region.value, hw)
    return replace(drawn, label=label, attributes=said)


def _ellipse(value: dict[str, Any], hw: tuple[int, int]) -> Shape:
    numbers = [[number(value.get(key)) for key in pair] for pair in (("x", "y"), ("radiusX", "radiusY"))]
    centre, radii = in_pixels(np.array(numbers), hw)
    points = ellipse_points((centre[0], centre[1]), (radii[0], radii[1]), number(value.get("rotation", 0) or 0))
    return Shape("", "ellipse", points)


def _box(value: dict[str, Any], hw: tuple[int, int]) -> Shape:
    x, y, width, height = (number(value.get(key)) for key in ("x", "y", "width", "height"))
    corners = in_pixels(box_points(x, y, width, height), hw)
    degrees = number(value.get("rotation", 0) or 0)
    if degrees % 360 == 0:
        return Shape("", "rectangle", corners)
    size = corners[1] - corners[0]
    return Shape("", "polygon", turned_box((corners[0, 0], corners[0, 1]), (size[0], size[1]), degrees))


def in_pixels(percent_xy: NDArray[np.float64], hw: tuple[int, int]) -> NDArray[np.float64]:
    """Return points in percent of the photo's sides, (N, 2) x, y, in pixels, to a thousand-millionth of one.

    Rounding gives back the corner or centre of a pixel that was meant: 212.5 pixels of 561 are 37.87878787878788 %,
    and those are 212.49999999999997 pixels, on the other side of the centre.
    """
    return np.asarray(np.round(percent_xy * np.array([hw[1], hw[0]], np.float64) / 100.0, 9))


def _brush(value: dict[str, Any], hw: tuple[int, int], *, where: str, stated: bool) -> NDArray[np.bool_]:
    if not stated and brush_pixels(value["rle"], where=where) != hw[0] * hw[1]:
        raise FormatError(
            "a brush region states no original size, and its pixels are not as many as those of the photo here",
            where=where,
            got=f"{brush_pixels(value['rle'], where=where)} pixels",
            expected=f"{hw[1]}x{hw[0]}",
            fix="export again from a Label Studio that writes original_width and original_height",
        )
    return decode_brush(value["rle"], hw, where=where)


def _bitmask(value: dict[str, Any], hw: tuple[int, int], *, where: str) -> NDArray[np.bool_]:
    pixels = decode_mask(decode_base64(value["imageDataURL"], where=where), where=where).pixels
    if pixels.shape[:2] != hw:
        raise FormatError(
            "a bitmask is of another size than its photo",
            where=where,
            got=f"{pixels.shape[1]}x{pixels.shape[0]}",
            expected=f"{hw[1]}x{hw[0]}",
        )
    # Label Studio writes black pixels on transparent ground
    return np.asarray(pixels[..., 3] > 0 if pixels.ndim == 3 and pixels.shape[2] == 4 else pixels > 0)
