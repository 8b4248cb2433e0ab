"""What vector files hold, whatever their form: features of polygons with their attributes, and a coordinate system."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from tessella.core.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

FEATURE_BUDGET: Final = 5_000_000
"""Most features of one vector file."""

_MOST_SORTED: Final = 512
"""Most rings of one feature that are sorted into parts: the work grows with their square."""

Polygon: TypeAlias = "tuple[NDArray[np.float64], ...]"
"""The outer ring, then the holes: each (N, 2) float64 x, y; the last point joins the first and need not repeat it."""


@dataclass(frozen=True, slots=True, eq=False)
class Feature:
    """One thing on the map.

    Args:
        polygons: Its parts; none where it is a point or a line, or has no geometry.
        attributes: Its columns as text; columns without a value are left out.
        kind: The kind of geometry where that is no polygon: `points`, `lines`, `curves`; "" otherwise.
    """

    polygons: tuple[Polygon, ...]
    attributes: Mapping[str, str]
    kind: str = ""


@dataclass(frozen=True, eq=False)
class VectorFile:
    """The features of one file, or of one layer of it.

    Args:
        path: The file.
        name: The layer's name; "" where the file has only one.
        crs: `EPSG:4326`, WKT, or "" where the file states none.
        features: In their order.
        stated: Whether `crs` stands in the file; GeoJSON means longitude and latitude where it says nothing.
    """

    path: Path
    name: str
    crs: str
    features: tuple[Feature, ...]
    stated: bool = True
    columns: tuple[str, ...] = field(default=())

    @cached_property
    def boxes(self) -> NDArray[np.float64]:
        """(N, 4) float64: left, bottom, right, top of each feature; NaN where it has no polygon."""
        boxes = np.full((len(self.features), 4), np.nan)
        outer = [[polygon[0] for polygon in feature.polygons] for feature in self.features]
        drawn = [number for number, rings in enumerate(outer) if rings]
        if drawn:
            points = np.concatenate([ring for rings in outer for ring in rings])
            counts = [sum(len(ring) for ring in outer[number]) for number in drawn]
            starts = np.cumsum([0, *counts[:-1]])
            boxes[drawn, :2] = np.minimum.reduceat(points, starts)
            boxes[drawn, 2:] = np.maximum.reduceat(points, starts)
        return boxes

    @cached_property
    def bounds(self) -> tuple[float, float, float, float] | None:
        """Left, bottom, right, top of all features; None where there are no polygons."""
        if np.isnan(self.boxes).all():
            return None
        left, bottom = np.nanmin(self.boxes[:, :2], axis=0)
        right, top = np.nanmax(self.boxes[:, 2:], axis=0)
        return float(left), float(bottom), float(right), float(top)


def as_text(value: object) -> str:
    """Return an attribute's value as people write it: 7.0 as `7`, nothing for null and for what is no single value."""
    if value is None or isinstance(value, bytes | list | dict | tuple):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value).strip()


def parts_of(rings: Sequence[NDArray[np.float64]]) -> tuple[Polygon, ...]:
    """Sort rings into polygons by their direction, as Shapefile wants it: clockwise outside, counterclockwise holes.

    A hole belongs to the smallest outer ring around its first point. One that lies in none is an outer ring that was
    written in the wrong direction. Of more than 512 rings all are taken for one polygon: painted by the even-odd rule
    it covers the same pixels.
    """
    if len(rings) > _MOST_SORTED:
        return (tuple(rings),)
    if not rings:
        return ()
    areas = [_area(ring) for ring in rings]
    outer = [number for number, area in enumerate(areas) if area <= 0] or [0]
    holes: dict[int, list[NDArray[np.float64]]] = {number: [] for number in outer}
    for number, ring in enumerate(rings):
        if number in holes:
            continue
        around = [other for other in outer if surrounds(rings[other], ring[0])]
        if around:
            holes[min(around, key=lambda other: abs(areas[other]))].append(ring)
        else:
            holes[number] = []
    return tuple((rings[number], *within) for number, within in holes.items())


def _area(ring: NDArray[np.float64]) -> float:
    """The area of a ring, negative where it runs clockwise with y upwards."""
    x, y = (ring - ring[0]).T
    return float(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2


def surrounds(ring: NDArray[np.float64], point: NDArray[np.float64]) -> bool:
    """Whether a point (x, y) lies inside a ring."""
    x, y = ring.T
    next_x, next_y = np.roll(x, -1), np.roll(y, -1)
    crosses = (y > point[1]) != (next_y > point[1])
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        at = x + (point[1] - y) / (next_y - y) * (next_x - x)
    return bool(np.count_nonzero(crosses & (point[0] < at)) % 2)


def check_ring(ring: NDArray[np.float64], *, where: object) -> NDArray[np.float64]:
    """Return a ring whose coordinates are numbers.

    Raises:
        FormatError: A coordinate is not finite.
    """
    if not np.isfinite(ring).all():
        raise FormatError("a coordinate is not a number", where=where, fix="export the layer again")
    return ring
