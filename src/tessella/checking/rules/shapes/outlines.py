"""G: outlines that cross themselves, enclose nothing, leap, or are drawn twice."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from tessella.checking.looking.frames import frame_hw
from tessella.checking.looking.shapes import is_short, is_sound
from tessella.checking.measures.crossings import area_px, crossings
from tessella.checking.rule import Change, Mend, drawing_to_mend
from tessella.core.finding import Finding
from tessella.core.wording import counted
from tessella.files.images import PHOTO_BUDGET
from tessella.formats.raster.rasterise import polygon_mask

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from tessella.checking.looking.look import Look
    from tessella.core.annotation import Shape

NOTABLE_PX: Final = 16.0
"""A loop at a crossing below this area is a slip of the hand that changes a few pixels."""

_LEAP_SHARE: Final = 0.4
_LEAP_RATIO: Final = 25.0
_LEAP_ALONE: Final = 6.0
"""How many times as long as the third longest edge a leap is: what people build has several long straight edges."""

_FEWEST_POINTS: Final = 16


def crosses_itself(look: Look) -> Iterator[Finding]:
    """G104: the outline of a polygon crosses itself, so that the even-odd rule leaves a part of it out."""
    found = []
    for number, shape in _polygons(look):
        rings = (shape.points_xy, *shape.holes)
        found += [(_in_doubt(ring), number, met) for ring in rings if (met := crossings(ring))]
    if not found:
        return
    doubt, worst, met = max(found, key=lambda item: item[0])
    label, place = _shapes(look)[worst].label, met[0]
    more = f" and in {len(met) - 1} more places" if len(met) > 1 else ""
    yield Finding(
        "G104",
        "warning" if doubt >= NOTABLE_PX else "info",
        look.label_where,
        f"{counted(len(found), 'polygon crosses itself', 'polygons cross themselves')}; shape {worst} ({label!r}) at "
        f"x {place.x:.1f}, y {place.y:.1f}{more}, which leaves {doubt:.0f} px in doubt",
        "draw the outline so that it does not cross itself; two parts are two shapes",
    )


def covers_nothing(look: Look) -> Iterator[Finding]:
    """G105: a shape without area."""
    empty = [(number, shape) for number, shape in enumerate(_shapes(look)) if is_empty(shape)]
    if empty:
        number, shape = empty[0]
        yield Finding(
            "G105",
            "warning",
            look.label_where,
            f"shape {number}, a {shape.kind} labelled {shape.label!r}, has no area"
            + (f"; {len(empty) - 1} more like it" if len(empty) > 1 else ""),
            "delete the shape (--fix does), and draw the object again if there is one",
            True,
        )


def drop_empty(look: Look) -> Mend:
    """Delete shapes without area (G105): not a pixel changes."""
    return _without(look, {number: "has no area" for number, shape in enumerate(_shapes(look)) if is_empty(shape)})


def leaps(look: Look) -> Iterator[Finding]:
    """G106: two neighbouring points of a closely drawn outline lie far apart, as where points were lost."""
    frame = frame_hw(look)
    if frame is None:
        return
    for number, shape in _polygons(look):
        leap = _leap(shape.points_xy, frame)
        if leap is not None:
            place, length, usual = leap
            yield Finding(
                "G106",
                "info",
                look.label_where,
                f"shape {number} ({shape.label!r}) leaps {length:.0f} px from point {place} to the next, where its "
                f"points lie {usual:.1f} px apart: some may be missing",
                "look at the outline over the photo",
            )


def drawn_twice(look: Look) -> Iterator[Finding]:
    """G107: the same shape with the same label more than once."""
    twins = [pair for pair in _twins(look) if _same_label(look, pair)]
    if twins:
        first, second = twins[0]
        label = _shapes(look)[second].label
        yield Finding(
            "G107",
            "warning",
            look.label_where,
            f"shape {second} ({label!r}) is shape {first} drawn once more"
            + (f"; {len(twins) - 1} more like it" if len(twins) > 1 else ""),
            "delete one of the two (--fix does); counted as objects they would be two",
            True,
        )


def drop_twins(look: Look) -> Mend:
    """Delete the earlier of two equal shapes (G107): the later one paints over it, so not a pixel changes."""
    return _without(
        look,
        {
            first: f"is drawn again as shape {second}"
            for first, second in _twins(look)
            if _same_label(look, (first, second))
        },
    )


def two_labels(look: Look) -> Iterator[Finding]:
    """G108: one outline under two labels; the one drawn later wins."""
    twins = [pair for pair in _twins(look) if not _same_label(look, pair)]
    if twins:
        first, second = twins[0]
        shapes = _shapes(look)
        yield Finding(
            "G108",
            "warning",
            look.label_where,
            f"shapes {first} and {second} have the same outline and two labels, {shapes[first].label!r} and "
            f"{shapes[second].label!r}; the latter covers the former"
            + (f"; {len(twins) - 1} more like them" if len(twins) > 1 else ""),
            "decide which label is right, and delete the other shape",
        )


def is_empty(shape: Shape) -> bool:
    """Whether a shape has enough points and yet no area."""
    if is_short(shape) or not is_sound(shape):
        return False
    if shape.kind == "mask":
        return shape.mask is not None and not shape.mask.any()
    if shape.kind == "rectangle":
        return bool((np.ptp(shape.points_xy, axis=0) == 0).any())
    return shape.kind == "polygon" and area_px(shape.points_xy) < 1e-6 and not crossings(shape.points_xy, most=1)


def _in_doubt(ring: NDArray[np.float64]) -> float:
    """Return the area in pixels that the even-odd rule and the ring's own turns see differently.

    A loop that is gone around twice is left out by the rule; of a bow tie, whose points are in the wrong order, both
    wings are painted. Twice that area is the difference between the painted pixels and the shoelace formula.
    """
    low = np.floor(ring.min(axis=0))
    wide, high = (np.ceil(ring.max(axis=0)) - low).astype(int)
    if wide * high > PHOTO_BUDGET:
        return 0.0
    painted = float(polygon_mask([ring - low], (max(1, int(high)), max(1, int(wide)))).sum())
    return abs(painted - area_px(ring)) / 2


def _polygons(look: Look) -> Iterator[tuple[int, Shape]]:
    for number, shape in enumerate(_shapes(look)):
        if shape.kind == "polygon" and is_sound(shape):
            yield number, shape


def _shapes(look: Look) -> tuple[Shape, ...]:
    return () if look.drawing is None else look.drawing.shapes


def _leap(ring: NDArray[np.float64], frame: tuple[int, int]) -> tuple[int, float, float] | None:
    """Return the number of the point before the leap, its length, and the usual distance; None where there is none."""
    if len(ring) < _FEWEST_POINTS:
        return None
    following = np.roll(ring, -1, axis=0)
    lengths = np.hypot(*(following - ring).T)
    far, usual = int(lengths.argmax()), float(np.median(lengths))
    one, other = ring[far], following[far]
    along_border = any(
        abs(one[axis] - other[axis]) <= 2 and (one[axis] <= 2 or one[axis] >= frame[1 - axis] - 2) for axis in (0, 1)
    )
    straight = abs(one[0] - other[0]) <= 2 or abs(one[1] - other[1]) <= 2
    lone = lengths[far] >= _LEAP_ALONE * float(np.partition(lengths, -3)[-3])
    if (
        along_border
        or straight
        or not lone
        or lengths[far] < _LEAP_SHARE * min(frame)
        or lengths[far] < _LEAP_RATIO * usual
    ):
        return None
    return far, float(lengths[far]), usual


def _twins(look: Look) -> list[tuple[int, int]]:
    """Return pairs of equal shapes, each with the next one that equals it."""
    seen: dict[object, int] = {}
    found = []
    for number, shape in enumerate(_shapes(look)):
        if not is_sound(shape) or shape.kind in {"point", "points"}:
            continue
        key: tuple[object, ...] = (
            shape.kind,
            _ring_key(shape.points_xy, shape.kind),
            tuple(ring.tobytes() for ring in shape.holes),
        )
        if shape.mask is not None:
            key = (*key, shape.mask.shape, np.packbits(shape.mask).tobytes())
        if key in seen:
            found.append((seen[key], number))
        seen[key] = number
    return found


def _ring_key(points: NDArray[np.float64], kind: str) -> bytes:
    """Return bytes that are equal for a ring begun at another point or walked the other way."""
    if kind != "polygon":
        return points.tobytes()
    rounded = np.round(points, 3)
    first = int(np.lexsort(rounded.T[::-1])[0])
    forth = np.roll(rounded, -first, axis=0)
    back = np.concatenate([forth[:1], forth[:0:-1]])
    return min(forth.tobytes(), back.tobytes())


def _same_label(look: Look, pair: tuple[int, int]) -> bool:
    shapes = _shapes(look)
    return shapes[pair[0]].label == shapes[pair[1]].label


def _without(look: Look, reasons: dict[int, str]) -> Mend:
    drawing = drawing_to_mend(look)
    changes = [
        Change(f"a {drawing.shapes[number].kind}, {drawing.shapes[number].label!r}, {why} and was deleted", number)
        for number, why in reasons.items()
    ]
    kept = tuple(shape for number, shape in enumerate(drawing.shapes) if number not in reasons)
    return Mend(replace(drawing, shapes=kept), tuple(changes), tuple(reasons))
