"""NumPy's `.npy` and `.npz`: plain numbers only, with shape and dtype read from the header before memory is taken."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import numpy as np

from tessella.core.errors import FormatError, ImageError
from tessella.files.images import PHOTO_BUDGET

if TYPE_CHECKING:
    import zipfile

    from numpy.typing import NDArray

MAGIC: Final = b"\x93NUMPY"
_LONGEST_HEADER: Final = 1 << 16
_MOST_MEMBERS: Final = 10_000
_DTYPE: Final = re.compile(r"['\"]descr['\"]\s*:\s*(?:['\"]([<>|=]?[a-zA-Z][0-9]*)['\"]|([\[{(]))")
_ORDER: Final = re.compile(r"['\"]fortran_order['\"]\s*:\s*(True|False)\b")
_SHAPE: Final = re.compile(r"['\"]shape['\"]\s*:\s*\(((?:\s*[0-9]{1,19}L?\s*,?)*)\s*\)")
_FIX: Final = "save it again with numpy.save, as an array of whole numbers"


@dataclass(frozen=True, slots=True)
class ArrayHeader:
    """What an array in a file says of itself before it is read.

    Args:
        shape: Its size by axis.
        dtype: The type of its numbers: bool, whole numbers, or floats.
        column_major: Whether the first axis runs fastest in the file (Fortran's order).
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    column_major: bool = False

    @property
    def items(self) -> int:
        """How many numbers it holds."""
        return math.prod(self.shape)


def check_items(header: ArrayHeader, *, where: object, max_pixels: int | None = None) -> None:
    """Refuse an array with more numbers than the pixel budget, before it is read.

    Raises:
        ImageError: Too many numbers.
    """
    budget = PHOTO_BUDGET if max_pixels is None else max_pixels
    if header.items > budget:
        raise ImageError(
            "the array is larger than the pixel budget",
            where=where,
            got=f"{'x'.join(map(str, header.shape))} = {header.items} numbers",
            expected=f"at most {budget}",
            fix=f"if the file is what it claims to be, pass --max-pixels {header.items} (in Python: max_pixels)",
        )


def read_npy_header(stream: BinaryIO, *, where: object) -> ArrayHeader:
    """Read the header of a `.npy` stream; it is taken apart by patterns and never evaluated.

    Args:
        stream: At its start; left at the first number.
        where: File and member, for messages.

    Raises:
        FormatError: Not `.npy`, damaged, or an array of something else than numbers.
    """
    start = stream.read(8)
    if start[:6] != MAGIC or len(start) < 8 or start[6] not in (1, 2, 3):
        raise FormatError("this is not a NumPy array file", where=where, got=f"first bytes {start!r}", fix=_FIX)
    width = 2 if start[6] == 1 else 4
    length = int.from_bytes(stream.read(width), "little")
    if length > _LONGEST_HEADER:
        raise FormatError("the array's header is too long", where=where, got=f"{length} bytes", fix=_FIX)
    text = stream.read(length).decode("utf-8", "replace")
    dtype, order, shape = _DTYPE.search(text), _ORDER.search(text), _SHAPE.search(text)
    if not dtype or not order or not shape:
        raise FormatError("the array's header is damaged", where=where, got=repr(text[:80]), fix=_FIX)
    sides = tuple(int(side.strip().rstrip("L")) for side in shape[1].split(",") if side.strip())
    if len(sides) > 8:
        raise FormatError("the array has too many axes", where=where, got=len(sides), expected="2 or 3", fix=_FIX)
    return ArrayHeader(sides, _dtype(dtype[1], where=where), order[1] == "True")


def _dtype(code: str | None, *, where: object) -> np.dtype[Any]:
    """Return the type of plain numbers that a code names; `|O` is pickled Python code and is never loaded."""
    if code is not None and code.lstrip("<>|=")[0] == "O":
        raise FormatError(
            "the array holds Python objects, which only pickle could read, and pickle can run any program",
            where=where,
            expected="an array of numbers",
            fix="save each array by itself with numpy.save(..., allow_pickle=False)",
        )
    try:
        dtype = np.dtype(code or "V1")
    except (TypeError, ValueError) as error:
        raise FormatError("the array is of an unknown type", where=where, got=repr(code), fix=_FIX) from error
    if dtype.kind not in "buif" or dtype.itemsize > 8:
        raise FormatError("the array holds no plain numbers", where=where, got=code or "a record", fix=_FIX)
    return dtype


def read_npy(stream: BinaryIO, *, size: int, where: object, max_pixels: int | None = None) -> NDArray[Any]:
    """Read a `.npy` stream.

    Args:
        stream: At its start.
        size: How many bytes it holds; a header that promises other numbers of bytes is refused.
        where: File and member, for messages.
        max_pixels: Most numbers, or None for 300 million.

    Returns:
        An array of bool, whole numbers or floats in the machine's byte order, C-contiguous.

    Raises:
        FormatError: Not `.npy`, damaged, cut off, or an array of something else than numbers.
        ImageError: Too many numbers.
    """
    header = read_npy_header(stream, where=where)
    check_items(header, where=where, max_pixels=max_pixels)
    left, needed = size - stream.tell(), header.items * header.dtype.itemsize
    if left != needed:
        raise FormatError(
            "the array is cut off, or something follows it",
            where=where,
            got=f"{left} bytes",
            expected=f"{needed} bytes for {'x'.join(map(str, header.shape))} of {header.dtype}",
            fix="copy or save the file again",
        )
    data = stream.read(needed)
    if len(data) != needed:
        raise FormatError("the array is cut off", where=where, got=f"{len(data)} bytes", expected=f"{needed} bytes")
    flat = np.frombuffer(data, header.dtype)
    if header.dtype == np.bool_:
        flat = flat.view(np.uint8) != 0  # a byte of 2 in a bool array is neither True nor False to NumPy
    array = flat.reshape(header.shape, order="F" if header.column_major else "C")
    return np.ascontiguousarray(array, header.dtype.newbyteorder("="))


def npz_members(archive: zipfile.ZipFile, *, where: object) -> dict[str, zipfile.ZipInfo]:
    """Return the arrays of an opened `.npz` by name, without `.npy`.

    Raises:
        FormatError: Too many, twice the same, encrypted, or no array at all.
    """
    found: dict[str, zipfile.ZipInfo] = {}
    for member in archive.infolist():
        if not member.filename.endswith(".npy"):
            continue
        name = member.filename.removesuffix(".npy")
        if name in found or member.flag_bits & 1 or len(found) >= _MOST_MEMBERS:
            raise FormatError(
                "the archive of arrays is not as NumPy writes it",
                where=where,
                got=f"{name!r} twice, encrypted, or more than {_MOST_MEMBERS} arrays",
                fix="save it again with numpy.savez",
            )
        found[name] = member
    if not found:
        raise FormatError("the archive holds no array", where=where, expected="members named *.npy")
    return found
