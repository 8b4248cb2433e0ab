"""Well-known binary and well-known text (OGC 06-103r4): polygons and collections of them, in two dimensions."""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING, Final

import numpy as np

from tessella.core.errors import FormatError
from tessella.files.geo.vectors import check_ring

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tessella.files.geo.vectors import Polygon

_POLYGON, _MULTI_POLYGON, _COLLECTION = 3, 6, 7
_KINDS: Final = {1: "points", 4: "points", 2: "lines", 5: "lines"}
_MOST_NESTED: Final = 4
_RINGS: Final = re.compile(r"\(([^()]*)\)")
_WKT: Final = re.compile(r"\s*(MULTIPOLYGON|POLYGON)\s*(?:Z|M|ZM)?\s*(EMPTY|\(.*\))\s*", re.IGNORECASE | re.DOTALL)
_LONGEST: Final = 1 << 26


def read_wkb(data: bytes, *, where: object) -> tuple[tuple[Polygon, ...], str]:
    """Read the polygons of a geometry; a third and fourth coordinate are dropped.

    Returns:
        Its polygons and "", or none and what it is instead: `points`, `lines`, `curves`.

    Raises:
        FormatError: Damaged, cut off, or a coordinate that is no finite number.
    """
    try:
        polygons, kind, _ = _geometry(data, 0, where, 0)
    except struct.error as error:
        raise FormatError(f"a geometry is cut off ({error})", where=where, fix="export the layer again") from error
    return polygons, kind


def _geometry(data: bytes, place: int, where: object, depth: int) -> tuple[tuple[Polygon, ...], str, int]:
    order = "<" if data[place : place + 1] == b"\1" else ">"
    code = struct.unpack_from(f"{order}I", data, place + 1)[0]
    place += 5
    if code & 0x20000000:  # PostGIS writes the system's number behind the code
        place += 4
    # dimensions as thousands (ISO) or as high bits (PostGIS)
    kind = (code & 0x0FFFFFFF) % 1000
    flat = code & 0x0FFFFFFF
    sides = (
        2 + (bool(code & 0x80000000) or flat // 1000 in (1, 3)) + (bool(code & 0x40000000) or flat // 1000 in (2, 3))
    )
    form = (order, sides)
    if kind == _POLYGON:
        polygon, place = _rings(data, place, form, where)
        return (polygon,) if polygon else (), "", place
    if kind in (_MULTI_POLYGON, _COLLECTION, 4, 5) and depth < _MOST_NESTED:
        return _members(data, place, order, where=where, depth=depth)
    if kind == 2:
        place += 4 + 8 * sides * int(struct.unpack_from(f"{order}I", data, place)[0])
    else:
        place = place + 8 * sides if kind == 1 else len(data)
    return (), _KINDS.get(kind, "curves"), place


def _members(data: bytes, place: int, order: str, *, where: object, depth: int) -> tuple[tuple[Polygon, ...], str, int]:
    count = struct.unpack_from(f"{order}I", data, place)[0]
    place += 4
    polygons: list[Polygon] = []
    other = ""
    for _ in range(count):
        if place >= len(data):
            break
        found, kind, place = _geometry(data, place, where, depth + 1)
        polygons += found
        other = other or kind
    return tuple(polygons), "" if polygons else other, place


def _rings(data: bytes, place: int, form: tuple[str, int], where: object) -> tuple[Polygon, int]:
    order, sides = form
    count = struct.unpack_from(f"{order}I", data, place)[0]
    place += 4
    rings = []
    for _ in range(count):
        points = struct.unpack_from(f"{order}I", data, place)[0]
        place += 4
        if len(data) < place + 8 * sides * points:
            raise FormatError("a geometry is cut off", where=where, fix="export the layer again")
        ring = np.frombuffer(data, f"{order}f8", sides * points, place).reshape(-1, sides)[:, :2].astype(np.float64)
        place += 8 * sides * points
        if len(check_ring(ring, where=where)) >= 4:
            rings.append(ring[:-1])
    return tuple(rings), place


def pack_wkb(polygons: Sequence[Sequence[NDArray[np.float64]]]) -> bytes:
    """Return a MultiPolygon as well-known binary; its rings end where they begin."""
    parts = [struct.pack("<BII", 1, _MULTI_POLYGON, len(polygons))]
    for polygon in polygons:
        parts.append(struct.pack("<BII", 1, _POLYGON, len(polygon)))
        for ring in polygon:
            parts += [struct.pack("<I", len(ring)), ring.astype("<f8").tobytes()]
    return b"".join(parts)


def parse_wkt(text: str, *, where: object) -> tuple[Polygon, ...]:
    """Read the polygons of `POLYGON ((x y, x y, ...), (hole))` or `MULTIPOLYGON (((...)))`; `EMPTY` has none.

    Raises:
        FormatError: Another kind of geometry, damaged, or a coordinate that is no finite number.
    """
    found = _WKT.fullmatch(text) if len(text) <= _LONGEST else None
    if found is None:
        raise FormatError("this is no polygon", where=where, got=repr(text[:60]), expected="POLYGON ((x y, x y, x y))")
    body = found[2]
    if body.upper() == "EMPTY":
        return ()
    parts = re.split(r"\)\s*\)\s*,", body) if found[1].upper() == "MULTIPOLYGON" else [body]
    polygons = (tuple(_spelled(ring, where) for ring in _RINGS.findall(f"{part})")) for part in parts)
    return tuple(tuple(ring for ring in rings if len(ring) >= 3) for rings in polygons if rings and len(rings[0]) >= 3)


def _spelled(text: str, where: object) -> NDArray[np.float64]:
    try:
        points = np.array([[float(value) for value in point.split()[:2]] for point in text.split(",")], np.float64)
    except ValueError as error:
        raise FormatError(f"a point is damaged ({error})", where=where, expected="x y") from error
    if points.ndim != 2 or points.shape[1] != 2:
        raise FormatError("a point has no two coordinates", where=where, got=repr(text[:60]))
    check_ring(points, where=where)
    return points[:-1] if len(points) > 1 and np.array_equal(points[0], points[-1]) else points
