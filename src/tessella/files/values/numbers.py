"""Numbers and points from annotation files: finite, bounded, and of one form, whatever the file spells."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from tessella.core.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

POINT_BUDGET: Final = 1_000_000
"""Most points of one ring or line."""

SIDE_BUDGET: Final = 1_000_000
"""Most pixels of a declared height or width."""

_LONGEST_NUMBER: Final = 64
"""Most letters of a number in text."""


def number(value: object) -> float:
    """Return a number of JSON, or text that spells one, as float; NaN for anything else, for `tessella check` to name.

    Never raises: true, null, "wide", Infinity and an integer of 10,000 digits are all NaN.
    """
    if isinstance(value, str):
        return _spelled(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return math.nan
    try:
        plain = float(value)
    except OverflowError:  # JSON knows integers of any length
        return math.nan
    return plain if math.isfinite(plain) else math.nan


def _spelled(text: str) -> float:
    if len(text) > _LONGEST_NUMBER or "_" in text:  # float() reads "1_0" as ten
        return math.nan
    try:
        plain = float(text)
    except ValueError:
        return math.nan
    return plain if math.isfinite(plain) else math.nan


def finite(value: object, *, where: object) -> float:
    """Return a number as `number` does, refusing what is none.

    Raises:
        FormatError: No finite number.
    """
    plain = number(value)
    if math.isnan(plain):
        raise FormatError("this is not a number", where=where, got=_short(value), expected="a finite number")
    return plain


def whole(value: object, *, where: object, low: int = 0, high: int = 2**53) -> int:
    """Return a whole number within bounds; 7, 7.0 and "7" are all seven.

    Raises:
        FormatError: Not a whole number, or out of bounds.
    """
    plain = number(value)
    if not plain.is_integer() or not low <= plain <= high:
        raise FormatError(
            "this is not a whole number that fits here", where=where, got=_short(value), expected=f"{low} to {high}"
        )
    return int(plain)


def size_hw(height: object, width: object, *, where: object) -> tuple[int, int] | None:
    """Return a declared size, or None where the file states none (null, 0 or absent for either side).

    Raises:
        FormatError: A side that is no whole number of pixels, or more than a million.
    """
    if height in (None, 0, "", "0") or width in (None, 0, "", "0"):
        return None
    return (
        whole(height, where=f"{where}: height", low=1, high=SIDE_BUDGET),
        whole(width, where=f"{where}: width", low=1, high=SIDE_BUDGET),
    )


def pairs(listed: object, *, where: object) -> NDArray[np.float64]:
    """Read points of the form [[x, y], ...]; a third value of a point, as some tools write for depth, is dropped.

    Returns:
        (N, 2) float64; a coordinate that is no finite number is NaN, which `tessella check` reports and painting
        refuses.

    Raises:
        FormatError: Not a list of pairs, or more than a million of them.
    """
    if not isinstance(listed, list) or not all(isinstance(pair, list) and 2 <= len(pair) <= 3 for pair in listed):
        raise FormatError("a shape has no points", where=where, got=_short(listed), expected="[[x, y], ...]")
    return _array([value for pair in listed for value in pair[:2]], where=where)


def flat(listed: object, *, where: object) -> NDArray[np.float64]:
    """Read points of the form [x, y, x, y, ...]; otherwise like `pairs`."""
    if not isinstance(listed, list) or len(listed) % 2:
        raise FormatError("a shape has no points", where=where, got=_short(listed), expected="[x, y, x, y, ...]")
    return _array(listed, where=where)


def named(listed: object, *, where: object) -> NDArray[np.float64]:
    """Read points of the form [{"x": ..., "y": ...}, ...]; otherwise like `pairs`."""
    if not isinstance(listed, list) or not all(isinstance(point, dict) for point in listed):
        raise FormatError("a shape has no points", where=where, got=_short(listed), expected='[{"x": 1, "y": 2}, ...]')
    return _array([point.get(axis) for point in listed for axis in ("x", "y")], where=where)


def spelled(text: object, *, where: object) -> NDArray[np.float64]:
    """Read points of the form "x,y;x,y" (CVAT); otherwise like `pairs`."""
    if not isinstance(text, str):
        raise FormatError("a shape has no points", where=where, got=_short(text), expected='"x,y;x,y"')
    points = [pair.split(",") for pair in text.split(";")] if text.strip() else []
    if any(len(pair) != 2 for pair in points):
        raise FormatError("a shape's points are not pairs", where=where, got=_short(text), expected='"x,y;x,y"')
    return _array([value for pair in points for value in pair], where=where)


def _array(values: Sequence[object], *, where: object) -> NDArray[np.float64]:
    if len(values) > 2 * POINT_BUDGET:
        raise FormatError("a shape has too many points", where=where, got=len(values) // 2, expected=POINT_BUDGET)
    if set(map(type, values)) <= {float, int}:  # nearly always; 20 times as fast as asking each value
        try:
            points = np.array(values, np.float64)
        except OverflowError:  # an integer of hundreds of digits
            points = np.array([number(value) for value in values], np.float64)
    else:
        points = np.array([number(value) for value in values], np.float64)
    points[~np.isfinite(points)] = np.nan
    return points.reshape(-1, 2)


def _short(value: object) -> str:
    """Return a value for a message; never a whole tree, and never an integer of thousands of digits."""
    if isinstance(value, list | dict):
        return f"{type(value).__name__} of {len(value)}"
    if isinstance(value, int) and abs(value) >= 10**30:
        return f"an integer of {value.bit_length()} bits"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
