"""Which pixels or shapes a finding means: read from what it says, and from the label itself."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tessella.checking.looking.declared import undeclared

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tessella.checking.looking.look import Look
    from tessella.core.finding import Finding

_PIXEL: Final = re.compile(r"\brow (\d+), column (\d+)")
_SHAPE: Final = re.compile(r"\bshapes? (\d+)(?: and (\d+))?")
_POINT: Final = re.compile(r"\bx (-?\d+(?:\.\d+)?), y (-?\d+(?:\.\d+)?)")
_NAMED: Final = frozenset({"L110", "L111"})
_MOST_OUTLINES: Final = 20
_STRAY: Final = frozenset({"L101", "L103", "L104", "L114"})


@dataclass(frozen=True, slots=True, eq=False)
class Marks:
    """What is to be marked on a photo.

    Args:
        points_xy: (N, 2) float64 places in pixels.
        outlines_xy: Rings, each (M, 2) float64.
        pixels: (H, W) bool, or None.
    """

    points_xy: NDArray[np.float64]
    outlines_xy: tuple[NDArray[np.float64], ...] = ()
    pixels: NDArray[np.bool_] | None = None

    def box(self) -> tuple[float, float, float, float] | None:
        """Return left, top, right, bottom around all marks, or None where the whole photo is meant."""
        parts: list[NDArray[Any]] = [self.points_xy, *self.outlines_xy]
        if self.pixels is not None and self.pixels.any():
            rows, columns = np.flatnonzero(self.pixels.any(axis=1)), np.flatnonzero(self.pixels.any(axis=0))
            parts.append(np.array([[columns[0], rows[0]], [columns[-1] + 1, rows[-1] + 1]], np.float64))
        together = np.concatenate([part for part in parts if len(part)] or [np.empty((0, 2))])
        together = together[np.isfinite(together).all(axis=1)]
        if not len(together):
            return None
        (left, top), (right, bottom) = together.min(axis=0), together.max(axis=0)
        return float(left), float(top), float(right), float(bottom)


def marks_of(finding: Finding, look: Look) -> Marks:
    """Find what a finding means.

    The words are those that every rule uses, plug-ins too: `row R, column C` is a pixel, `shape N` a shape, `x X, y Y`
    a point.

    Args:
        finding: The finding.
        look: Its record.
    """
    points = [(float(column) + 0.5, float(row) + 0.5) for row, column in _PIXEL.findall(finding.what)]
    points += [(float(x), float(y)) for x, y in _POINT.findall(finding.what)]
    outlines = []
    for numbers in _SHAPE.findall(finding.what) if look.drawing is not None else ():
        outlines += [outline(look, int(number)) for number in numbers if number]
    if finding.code in _NAMED and look.drawing is not None:
        meant = [n for n, shape in enumerate(look.drawing.shapes) if repr(shape.label) in finding.what]
        outlines += [outline(look, number) for number in meant[:_MOST_OUTLINES]]
    pixels = None
    if finding.code in _STRAY and look.mask is not None and look.strays is not None:
        pixels = undeclared(look.mask, look.coding)
    return Marks(np.array(points, np.float64).reshape(-1, 2), tuple(ring for ring in outlines if len(ring)), pixels)


def outline(look: Look, number: int) -> NDArray[np.float64]:
    """Return the ring to draw for a shape: (M, 2) float64; M is 0 when there is no such shape or no finite point."""
    shapes = () if look.drawing is None else look.drawing.shapes
    if not 0 <= number < len(shapes):
        return np.empty((0, 2))
    shape = shapes[number]
    points = shape.points_xy[np.isfinite(shape.points_xy).all(axis=1)]
    if shape.kind == "mask" and shape.mask is not None and len(points):
        points = np.stack([points[0], points[0] + np.array(shape.mask.shape[::-1])])
    if shape.kind in {"rectangle", "mask"} and len(points) == 2:
        (left, top), (right, bottom) = points
        return np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
    if shape.kind == "circle" and len(points) == 2:
        angles = np.linspace(0, 2 * np.pi, 40, endpoint=False)
        radius = float(np.hypot(*(points[1] - points[0])))
        return np.asarray(points[0] + radius * np.stack([np.cos(angles), np.sin(angles)], axis=1))
    return np.asarray(points, np.float64)
