"""MATLAB's `.mat`, versions 5 to 7: numeric arrays, also inside structs and cells; nothing is evaluated.

The format is the one MathWorks publishes ("MAT-File Format", version 5): elements of a tag (type, bytes) and data,
padded to eight bytes; a matrix is an element of elements; a compressed element is a zlib stream of one matrix. What a
file declares is checked before memory is taken, and a zlib stream is unpacked only as far as it is read.
"""

from __future__ import annotations

import math
import struct
import zlib
from typing import TYPE_CHECKING, Any, BinaryIO, Final, NamedTuple

import numpy as np

from tessella.core.errors import FormatError
from tessella.files.values.npy import ArrayHeader, check_items

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

_MATRIX: Final = 14
_COMPRESSED: Final = 15
_STORED: Final = {
    1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8",
}  # fmt: skip
"""Types of stored numbers; MATLAB stores a double array of whole numbers in the smallest type that holds them."""

_CLASSES: Final = {
    6: "f8", 7: "f4", 8: "i1", 9: "u1", 10: "i2", 11: "u2", 12: "i4", 13: "u4", 14: "i8", 15: "u8",
}  # fmt: skip
"""Types of numeric arrays."""

_CELL: Final = 1
_STRUCT: Final = 2
_LOGICAL: Final = 0x02
_COMPLEX: Final = 0x08
_DEEPEST: Final = 16
_MOST: Final = 10_000
_PIECE: Final = 1 << 16
_FIX: Final = "save it again in MATLAB with save('file.mat', 'name', '-v7')"


class _Tag(NamedTuple):
    """Type and size of an element, and its data where they are so few that they lie in the tag."""

    type: int
    size: int
    data: bytes | None


class _Found(NamedTuple):
    """A numeric array, with a cursor that stands at its numbers."""

    name: str
    header: ArrayHeader
    cursor: _Cursor


def headers(stream: BinaryIO, start: bytes, *, where: object) -> dict[str, ArrayHeader]:
    """Say what numeric arrays a file holds; the fields of a struct `s` are named `s.field`, cells `c[0]`.

    Args:
        stream: The file.
        start: Its first 128 bytes.
        where: The path, for messages.

    Raises:
        FormatError: Not a `.mat` of version 5 to 7, damaged, or nested deeper than 16.
    """
    found: dict[str, ArrayHeader] = {}
    for name, header, _ in _arrays(stream, start, where=where):
        if name in found or len(found) >= _MOST:
            raise FormatError("an array's name occurs twice, or there are too many", where=where, got=_short(name))
        found[name] = header
    return found


def read(stream: BinaryIO, start: bytes, name: str, *, where: object, max_pixels: int | None = None) -> NDArray[Any]:
    """Read one numeric array.

    Args:
        stream: The file.
        start: Its first 128 bytes.
        name: As `headers` names it.
        where: The path, for messages.
        max_pixels: Most numbers, or None for 300 million.

    Returns:
        bool for a logical array, else the array's own type in the machine's byte order; C-contiguous.

    Raises:
        FormatError: Damaged, cut off, or without such an array.
        ImageError: Too many numbers.
    """
    for found in _arrays(stream, start, where=where):
        if found.name == name:
            check_items(found.header, where=f"{where}: {name}", max_pixels=max_pixels)
            return _numbers(found)
    raise FormatError(f"there is no array {_short(name)}", where=where)


def _arrays(stream: BinaryIO, start: bytes, *, where: object) -> Iterator[_Found]:
    order = _byte_order(start, where=where)
    end = stream.seek(0, 2)
    place = 128
    while place + 8 <= end:
        stream.seek(place)
        cursor = _Cursor(stream.read, order, where)
        tag = cursor.tag()
        place += 8 + tag.size
        if place > end or tag.data is not None:
            raise FormatError("the file is cut off", where=where, got=f"{end} bytes", expected=f"at least {place}")
        if tag.type == _COMPRESSED:
            cursor = _Cursor(_inflated(stream, tag.size), order, where)
            tag = cursor.tag()
        if tag.type != _MATRIX:
            raise FormatError("the file holds something else than arrays", where=where, got=f"type {tag.type}")
        yield from _matrix(cursor, "", 0)


def _byte_order(start: bytes, *, where: object) -> str:
    if b"MATLAB 7.3" in start or start[:8] == b"\x89HDF\r\n\x1a\n":
        raise FormatError(
            "this is a MATLAB file of version 7.3, which is an HDF5 file and is not read", where=where, fix=_FIX
        )
    order = {b"IM": "<", b"MI": ">"}.get(start[126:128])
    if order is None or struct.unpack(f"{order}H", start[124:126])[0] >> 8 != 1:
        raise FormatError(
            "this is not a NumPy or MATLAB array file", where=where, got=f"first bytes {start[:8]!r}", fix=_FIX
        )
    return order


def _matrix(cursor: _Cursor, prefix: str, depth: int) -> Iterator[_Found]:
    """Yield the numeric arrays of one matrix whose tag was read; the cursor may be left anywhere inside it."""
    if depth > _DEEPEST:
        raise cursor.broken("structs and cells are nested too deeply")
    flags, _ = cursor.integers("I", 2)
    kind, bits = flags & 0xFF, flags >> 8
    shape = cursor.shape()
    name = prefix + cursor.small().rstrip(b"\0").decode("latin-1")
    if kind in _CLASSES and name and not bits & _COMPLEX:
        dtype = np.dtype(bool if bits & _LOGICAL else _CLASSES[kind])
        yield _Found(name, ArrayHeader(shape, dtype, column_major=True), cursor)
    elif kind == _CELL:
        yield from _children(cursor, [f"{name}[{index}]" for index in range(cursor.counted(shape))], depth)
    elif kind == _STRUCT:
        (width,) = cursor.integers("i", 1)
        listed = cursor.small()
        if not 1 <= width <= 64:
            raise cursor.broken("the names of a struct's fields are damaged")
        fields = [listed[at : at + width].split(b"\0")[0].decode("latin-1") for at in range(0, len(listed), width)]
        items = cursor.counted((*shape, max(len(fields), 1))) and math.prod(shape)
        rows = [name] if items == 1 else [f"{name}[{index}]" for index in range(items)]
        yield from _children(cursor, [f"{row}.{field}" for row in rows for field in fields], depth)
    # what is left are texts, sparse arrays, objects and functions, which hold no label map


def _children(cursor: _Cursor, names: list[str], depth: int) -> Iterator[_Found]:
    for name in names:
        tag = cursor.tag()
        if tag.type != _MATRIX or tag.data is not None:
            raise cursor.broken(f"{_short(name)} is no array")
        end = cursor.at + tag.size
        if tag.size:
            yield from _matrix(cursor, name, depth + 1)
        cursor.skip_to(end)


def _numbers(found: _Found) -> NDArray[Any]:
    cursor, header = found.cursor, found.header
    tag = cursor.tag()
    stored = np.dtype(cursor.order + _STORED.get(tag.type, "V1"))
    if stored.kind == "V" or tag.size != header.items * stored.itemsize:
        raise cursor.broken(f"the array {_short(found.name)} is not as large as it says")
    data = cursor.take(tag.size) if tag.data is None else tag.data
    array = np.frombuffer(data, stored).reshape(header.shape, order="F")
    if header.dtype == np.bool_:
        return np.ascontiguousarray(array != 0)
    with np.errstate(invalid="ignore"):  # a damaged file may store what its class cannot hold
        return np.ascontiguousarray(array, header.dtype)


class _Cursor:
    """Reads elements from a file, or from a stream that is unpacked as it is read."""

    def __init__(self, read: Callable[[int], bytes], order: str, where: object) -> None:
        self.read = read
        self.order = order
        self.where = where
        self.at = 0

    def broken(self, what: str) -> FormatError:
        return FormatError(f"the MATLAB file is damaged: {what}", where=self.where, fix=_FIX)

    def take(self, size: int) -> bytes:
        """Return the next bytes; asked for in pieces, so that a size that is a lie costs no memory."""
        pieces, left = [], size
        while left:
            piece = self.read(min(left, _PIECE))
            if not piece:
                raise self.broken("it is cut off")
            pieces.append(piece)
            left -= len(piece)
        self.at += size
        return b"".join(pieces)

    def skip_to(self, place: int) -> None:
        if place < self.at:
            raise self.broken("an array is larger than the one that holds it")
        while self.at < place:
            self.take(min(_PIECE, place - self.at))

    def tag(self) -> _Tag:
        head = self.take(8)
        first, second = struct.unpack(f"{self.order}II", head)
        if first >> 16:  # a small element: its size in the upper half, its data in place of the size
            size = first >> 16
            if size > 4:
                raise self.broken("a small element is too large")
            return _Tag(first & 0xFFFF, size, head[4 : 4 + size])
        return _Tag(first, second, None)

    def small(self) -> bytes:
        """Return the data of an element that describes an array."""
        tag = self.tag()
        if tag.data is not None:
            return tag.data
        if tag.size > _PIECE:
            raise self.broken("the description of an array is too long")
        return self.take(-(-tag.size // 8) * 8)[: tag.size]

    def integers(self, code: str, count: int) -> tuple[int, ...]:
        data = self.small()
        if len(data) != 4 * count:
            raise self.broken("the description of an array has another length")
        return struct.unpack(f"{self.order}{count}{code}", data)

    def shape(self) -> tuple[int, ...]:
        data = self.small()
        if len(data) % 4 or not 8 <= len(data) <= 32:
            raise self.broken("an array has too many or too few axes")
        sides = struct.unpack(f"{self.order}{len(data) // 4}i", data)
        if min(sides) < 0:
            raise self.broken("an array has a negative size")
        return sides

    def counted(self, shape: tuple[int, ...]) -> int:
        """Return how many elements a cell or struct array holds."""
        if math.prod(shape) > _MOST:
            raise self.broken(f"a cell or struct holds more than {_MOST} values")
        return math.prod(shape)


def _inflated(stream: BinaryIO, packed: int) -> Callable[[int], bytes]:
    """Return a `read` that unpacks the next `packed` bytes of a file as far as they are asked for."""
    unpacker = zlib.decompressobj()
    left = packed

    def read(size: int) -> bytes:
        nonlocal left
        while True:
            data = unpacker.unconsumed_tail
            if not data and left:
                data = stream.read(min(left, _PIECE))
                left -= len(data)
            piece = unpacker.decompress(data, size)
            if piece or unpacker.eof or not (data or left):
                return piece
            if not data:
                return b""

    return read


def _short(name: str) -> str:
    return repr(name if len(name) <= 60 else name[:57] + "...")
