"""Shapefile (ESRI Shapefile Technical Description, 1998) with its dBASE table: polygons read within limits, written."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

import numpy as np

from tessella.core.errors import FormatError, InputError
from tessella.files.geo.crs import to_wkt
from tessella.files.geo.geojson import closed
from tessella.files.geo.vectors import FEATURE_BUDGET, Feature, VectorFile, as_text, check_ring, parts_of
from tessella.files.text import read_bytes
from tessella.files.write import write_bytes, write_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from tessella.files.geo.vectors import Polygon

MAGIC: Final = b"\x00\x00\x27\x0a"
_HEADER: Final = 100
_POLYGONS: Final = frozenset({5, 15, 25})
_KINDS: Final = {0: "features without geometry", 3: "lines", 13: "lines", 23: "lines", 31: "surfaces of other kinds"}
_LONGEST: Final = 254
"""Bytes of the longest text that dBASE III holds."""

_CODE_PAGES: Final = {
    0x01: "cp437", 0x02: "cp850", 0x03: "cp1252", 0x13: "cp932", 0x4D: "cp936", 0x4E: "cp949", 0x4F: "cp950",
    0x57: "cp1252", 0x65: "cp866", 0x7B: "cp932", 0x7D: "cp1255", 0x7E: "cp1256", 0xC8: "cp1250", 0xC9: "cp1251",
    0xCA: "cp1254", 0xCB: "cp1253", 0xCC: "cp1257",
}  # fmt: skip
"""Language driver of a dBASE file: byte 29 of its header."""


def read_shapefile(path: Path) -> VectorFile:
    """Read a Shapefile: `.shp`, and beside it `.dbf` (attributes), `.prj` (coordinate system), `.cpg` (encoding).

    Raises:
        InputError: A file cannot be read.
        FormatError: A file is damaged or cut off.
    """
    data = read_bytes(path)
    if data[:4] != MAGIC or len(data) < _HEADER:
        raise FormatError("this is not a Shapefile", where=path, got=repr(data[:4]), fix="export the layer again")
    shapes = list(_shapes(data, path))
    table = _beside(path, ".dbf")
    columns, rows = ((), [{}] * len(shapes)) if table is None else _table(table, _encoding(path))
    if len(rows) != len(shapes):
        raise FormatError(
            "the shapes and the rows of their table differ in number",
            where=path,
            got=f"{len(shapes)} shapes, {len(rows)} rows",
            fix="export the layer again",
        )
    features = [Feature(part, row, kind) for (part, kind), row in zip(shapes, rows, strict=True) if row is not None]
    return VectorFile(path, "", _crs(path), tuple(features), columns=columns)


def _beside(path: Path, suffix: str) -> Path | None:
    return next((near for near in (path.with_suffix(suffix), path.with_suffix(suffix.upper())) if near.is_file()), None)


def _crs(path: Path) -> str:
    beside = _beside(path, ".prj")
    return (
        "" if beside is None else read_bytes(beside, max_bytes=1 << 16).decode("utf-8", "replace").strip("\ufeff \r\n")
    )


def _encoding(path: Path) -> str:
    beside = _beside(path, ".cpg")
    name = "" if beside is None else read_bytes(beside, max_bytes=1 << 10).decode("ascii", "ignore").strip()
    return f"cp{name}" if name.isdecimal() else name


def _shapes(data: bytes, path: Path) -> Iterator[tuple[tuple[Polygon, ...], str]]:
    place, number = _HEADER, 0
    while place + 12 <= len(data):
        where = f"{path}: shape {number}"
        words = struct.unpack_from(">i", data, place + 4)[0]
        content = data[place + 8 : place + 8 + 2 * max(words, 0)]
        if words < 2 or len(content) != 2 * words or number >= FEATURE_BUDGET:
            raise FormatError("a shape is cut off, or there are too many", where=where, fix="export the layer again")
        kind = struct.unpack_from("<i", content)[0]
        yield (parts_of(_rings(content, where)), "") if kind in _POLYGONS else ((), _KINDS.get(kind, "points"))
        place, number = place + 8 + len(content), number + 1


def _rings(content: bytes, where: str) -> list[NDArray[np.float64]]:
    damaged = FormatError("a polygon is damaged", where=where, fix="export the layer again")
    if len(content) < 44:
        raise damaged
    parts, points = struct.unpack_from("<ii", content, 36)
    if parts == points == 0:
        return []
    if parts < 1 or points < 0 or len(content) < 44 + 4 * parts + 16 * points:
        raise damaged
    starts = np.frombuffer(content, "<i4", parts, 44).astype(np.int64)
    ends = np.append(starts[1:], points)
    if parts and (starts[0] != 0 or (ends < starts).any()):
        raise damaged
    xy = np.frombuffer(content, "<f8", 2 * points, 44 + 4 * parts).reshape(-1, 2)
    check_ring(xy, where=where)
    rings = [xy[start : end - 1] for start, end in zip(starts.tolist(), ends.tolist(), strict=True) if end - start >= 4]
    return [ring.astype(np.float64) for ring in rings] or []


def _table(path: Path, encoding: str) -> tuple[tuple[str, ...], list[dict[str, str] | None]]:
    """Read a dBASE III table: names of columns, and rows; None for a row that is deleted."""
    data = read_bytes(path)
    damaged = FormatError("the table is damaged", where=path, fix="export the layer again")
    if len(data) < 33:
        raise damaged
    count, start, width = struct.unpack_from("<IHH", data, 4)
    columns = list(_columns(data[32:start]))
    if width < 1 + sum(size for _, size in columns) or len(data) < start + count * width:
        raise damaged
    codec = _known(encoding) or _known(_CODE_PAGES.get(data[29], "")) or "utf-8"
    names = [name.decode(codec, "replace").strip() for name, _ in columns]
    rows: list[dict[str, str] | None] = []
    for number in range(count):
        row = data[start + number * width : start + (number + 1) * width]
        rows.append(None if row[:1] == b"*" else dict(_cells(row, names, [size for _, size in columns], codec)))
    return tuple(names), rows


def _columns(head: bytes) -> Iterator[tuple[bytes, int]]:
    for place in range(0, len(head) - 31, 32):
        if head[place] == 0x0D:
            return
        yield head[place : place + 11].split(b"\0")[0], head[place + 16]


def _cells(row: bytes, names: Sequence[str], sizes: Sequence[int], codec: str) -> Iterator[tuple[str, str]]:
    place = 1
    for name, size in zip(names, sizes, strict=True):
        text = row[place : place + size].strip(b"\0 ").decode(codec, "replace")
        place += size
        if text and set(text) != {"*"}:  # stars: a number that did not fit
            yield name, _plain(text)


def _plain(text: str) -> str:
    """Return a number without the zeros behind it: numeric columns hold `1.00000000000`."""
    if "." not in text or not text.lstrip("-").replace(".", "", 1).isdecimal() or len(text) > 30:
        return text
    return as_text(float(text))


def _known(name: str) -> str:
    try:
        return name if name and "".encode(name) is not None else ""
    except (LookupError, ValueError, TypeError):
        return ""


def write_shapefile(path: Path, features: Sequence[Feature], *, crs: str, column: str) -> None:
    """Write polygons as a Shapefile with one text column: `.shp`, `.shx`, `.dbf`, `.prj` and `.cpg`.

    Args:
        path: The `.shp` file.
        features: Their coordinates are in `crs`.
        crs: The coordinate system: a name or WKT.
        column: The attribute that is written; at most 10 ASCII letters.

    Raises:
        OutputError: A file cannot be written.
        InputError: A value is longer than 254 bytes, or the file would pass 2 GB.
    """
    contents = [_packed(feature.polygons) for feature in features]
    boxes = [struct.unpack_from("<4d", content, 4) for content in contents if len(content) > 4]
    box = np.array(boxes or [(0.0, 0.0, 0.0, 0.0)])
    extent = [*box[:, :2].min(axis=0), *box[:, 2:].max(axis=0)]
    places = np.cumsum([_HEADER, *(8 + len(content) for content in contents)])
    if places[-1] >= 1 << 31:
        raise InputError("a Shapefile cannot hold 2 GB", where=path, fix="write GeoPackage or GeoJSON")
    main = b"".join(struct.pack(">ii", n + 1, len(part) // 2) + part for n, part in enumerate(contents))
    index = b"".join(
        struct.pack(">ii", place // 2, len(part) // 2) for place, part in zip(places.tolist(), contents, strict=False)
    )
    write_bytes(path, _head(_HEADER + len(main), extent) + main)
    write_bytes(path.with_suffix(".shx"), _head(_HEADER + len(index), extent) + index)
    write_bytes(
        path.with_suffix(".dbf"), _packed_table([one.attributes.get(column, "") for one in features], column, path)
    )
    write_text(path.with_suffix(".prj"), to_wkt(crs, esri=True))
    write_text(path.with_suffix(".cpg"), "UTF-8")


def _head(size: int, extent: Sequence[float]) -> bytes:
    return MAGIC + bytes(20) + struct.pack(">i", size // 2) + struct.pack("<ii8d", 1000, 5, *extent, 0, 0, 0, 0)


def _packed(polygons: tuple[Polygon, ...]) -> bytes:
    rings = [closed(ring, clockwise=number == 0) for polygon in polygons for number, ring in enumerate(polygon)]
    if not rings:
        return struct.pack("<i", 0)
    xy = np.concatenate(rings)
    starts = np.cumsum([0, *(len(ring) for ring in rings[:-1])])
    head = struct.pack("<i4d2i", 5, *xy.min(axis=0), *xy.max(axis=0), len(rings), len(xy))
    return head + starts.astype("<i4").tobytes() + xy.astype("<f8").tobytes()


def _packed_table(values: Sequence[str], column: str, path: Path) -> bytes:
    texts = [value.encode() for value in values]
    width = max(map(len, texts), default=1) or 1
    if width > _LONGEST:
        raise InputError("a value is too long for a Shapefile", where=path, got=f"{width} bytes", expected=_LONGEST)
    field = column.encode("ascii").ljust(11, b"\0") + b"C" + bytes(4) + bytes([width, 0]) + bytes(14)
    head = struct.pack("<4BIHH20x", 3, 126, 1, 1, len(texts), 65, width + 1)
    return head + field + b"\r" + b"".join(b" " + text.ljust(width) for text in texts) + b"\x1a"
