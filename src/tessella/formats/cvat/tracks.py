"""Tracks of CVAT's XML for video: where each object is on each frame."""

from __future__ import annotations

import bisect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from tessella.core.annotation import Shape
from tessella.files.values.numbers import number, whole
from tessella.formats.cvat.interpolation import between, moved, turned
from tessella.formats.cvat.shapes import (
    POINT_KINDS,
    attributes_of,
    geometry_of,
    group_of,
    texts_of,
    turn_of,
    turned_box,
    turned_ellipse,
)
from tessella.formats.listing import TRACK

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tessella.core.annotation import ShapeKind
    from tessella.formats.cvat.scan import Entry

_SIDES: Final = {"box": ("xtl", "ytl", "xbr", "ybr"), "ellipse": ("cx", "cy", "rx", "ry")}


class Known(NamedTuple):
    """A shape of a track as the file lists it.

    Args:
        frame: On this frame.
        tag: Its element: `box`, `polygon`, ...
        values: Four numbers of a box or ellipse before it is turned, else (N, 2) points; empty for a mask.
        degrees: Its rotation, clockwise on the screen.
        keyframe: Whether somebody drew it here; else CVAT computed it.
        outside: Whether the object has left the picture.
        depth: Its z.
        attributes: What else the file says of it.
        mask: For a mask, its attributes in the file; the runs are decoded when they are asked for.
    """

    frame: int
    tag: str
    values: NDArray[np.float64]
    degrees: float
    keyframe: bool
    outside: bool
    depth: float
    attributes: tuple[tuple[str, str], ...]
    mask: dict[str, str] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """One object.

    Args:
        label: Its label.
        group: Its group in CVAT, else a name of its own: all shapes of a track are one object.
        task: CVAT's number of its task; "" where the file does not say.
        known: Its listed shapes, by frame.
        frames: Their frames.
        keys: Indices of the keyframes in `known`.
    """

    label: str
    group: str
    task: str
    known: tuple[Known, ...]
    frames: tuple[int, ...]
    keys: tuple[int, ...]

    def at(self, frame: int, *, where: object, max_pixels: int | None = None) -> tuple[float, Shape] | None:
        """Return z and shape of the object on a frame; None where it is not in the picture.

        A frame that the file lists is as listed. Between two keyframes CVAT's interpolation holds; masks are nowhere
        but where they are listed; after the last keyframe the object stays.

        Raises:
            FormatError: A mask is damaged.
            ImageError: A mask is larger than `max_pixels`.
        """
        here = bisect.bisect_right(self.frames, frame) - 1
        if here >= 0 and self.frames[here] == frame:
            known = self.known[here]
            return None if known.outside else (known.depth, self._shape(known, where=where, max_pixels=max_pixels))
        after = bisect.bisect_right(self.keys, here)
        if after == 0:
            return None
        left = self.known[self.keys[after - 1]]
        if left.outside or left.mask is not None:
            return None
        right = self.known[self.keys[after]] if after < len(self.keys) else None
        middle = left if right is None else _between(left, right, frame)
        return middle.depth, self._shape(middle, where=where, max_pixels=max_pixels)

    def _shape(self, known: Known, *, where: object, max_pixels: int | None) -> Shape:
        kind, points, mask = _geometry(known, where=where, max_pixels=max_pixels)
        return Shape(self.label, kind, points, self.group, mask, attributes=known.attributes)


def _geometry(
    known: Known, *, where: object, max_pixels: int | None
) -> tuple[ShapeKind, NDArray[np.float64], NDArray[np.bool_] | None]:
    if known.tag == "box":
        return (*turned_box(known.values, known.degrees), None)
    if known.tag == "ellipse":
        return "ellipse", turned_ellipse(known.values, known.degrees), None
    if known.mask is not None and (decoded := geometry_of("mask", known.mask, where=where, max_pixels=max_pixels)):
        return decoded
    return POINT_KINDS[known.tag], known.values, None


def _between(left: Known, right: Known, frame: int) -> Known:
    """Return a shape between two keyframes; the left one as it is where CVAT does not interpolate."""
    share = (frame - left.frame) / (right.frame - left.frame)
    if left.tag != right.tag:
        return left
    if left.tag in _SIDES:
        degrees = turned(left.degrees, right.degrees, share)
        return left._replace(values=moved(left.values, right.values, share), degrees=degrees)
    if left.tag == "points":
        single = len(left.values) == len(right.values) == 1
        return left._replace(values=moved(left.values, right.values, share)) if single else left
    return left._replace(values=between(left.values, right.values, share, closed=left.tag == "polygon"))


def read_track(entry: Entry, index: int) -> Track | None:
    """Read a `<track>`; None where it holds no shape that a label map can hold.

    Args:
        entry: The element.
        index: Its place in the file, which tells objects apart.

    Raises:
        FormatError: A frame that is no whole number, or points that are none.
    """
    element = entry.element("track")
    if element is None:
        return None
    known: dict[int, Known] = {}
    for place, shape in enumerate(element):
        where = f"{entry.path}: track {index}: {shape.tag} {place + 1}"
        values = _values(shape.tag, shape.attrib, where=where)
        if values is None:
            continue
        frame = whole(shape.get("frame"), where=f"{where}: frame")
        depth = number(shape.get("z_order", 0))
        known[frame] = Known(
            frame,
            shape.tag,
            values,
            turn_of(shape.attrib),
            shape.get("keyframe", "1") != "0",
            shape.get("outside", "0") == "1",
            depth if np.isfinite(depth) else 0.0,
            ((TRACK, entry.attributes.get("id", str(index))), *attributes_of(shape.attrib, texts_of(shape))),
            dict(shape.attrib) if shape.tag == "mask" else None,
        )
    if not known:
        return None
    frames = sorted(known)
    ordered = tuple(known[frame] for frame in frames)
    keys = [place for place, one in enumerate(ordered) if one.keyframe] or list(range(len(ordered)))
    label, group = entry.attributes.get("label", ""), group_of(entry.attributes) or f"track {index}"
    return Track(label, group, entry.attributes.get("task_id", ""), ordered, tuple(frames), tuple(keys))


def _values(tag: str, attributes: dict[str, str], *, where: object) -> NDArray[np.float64] | None:
    if tag in _SIDES:
        return np.array([number(attributes.get(side)) for side in _SIDES[tag]])
    if tag == "mask":
        return np.zeros((0, 2))
    found = geometry_of(tag, attributes, where=where)
    return None if found is None else found[1]
