"""NRRD (http://teem.sourceforge.net/nrrd/format.html): `.nrrd`, `.nhdr`, and 3D Slicer's `.seg.nrrd`."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from tessella.core.errors import ImageError, InputError
from tessella.files.values.numbers import finite, whole
from tessella.files.volumes.detached import data_files
from tessella.files.volumes.grid import Grid
from tessella.files.volumes.header import Segment, VolumeHeader

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

_LONGEST_HEAD: Final = 1 << 20
_TYPES: Final = {
    "int8": "i1 int8 int8_t signed_char", "uint8": "u1 uint8 uint8_t uchar unsigned_char", "float32": "float",
    "int16": "int16 int16_t short short_int signed_short signed_short_int",
    "uint16": "uint16 uint16_t ushort unsigned_short unsigned_short_int",
    "int32": "int32 int32_t int signed_int", "uint32": "uint32 uint32_t uint unsigned_int", "float64": "double",
    "int64": "int64 int64_t longlong long_long long_long_int signed_long_long signed_long_long_int",
    "uint64": "uint64 uint64_t ulonglong unsigned_long_long unsigned_long_long_int",
}  # fmt: skip
_DTYPES: Final = {name.replace("_", " "): dtype for dtype, names in _TYPES.items() for name in names.split()} | {
    name: dtype for dtype, names in _TYPES.items() for name in names.split() if name.endswith("_t")
}
_PACKINGS: Final = {
    "raw": "", "gz": "gzip", "gzip": "gzip", "bz2": "bzip2", "bzip2": "bzip2", "txt": "text", "text": "text",
    "ascii": "text",
}  # fmt: skip
_SIGNS: Final = {
    "left-posterior-superior": (1, 1, 1), "lps": (1, 1, 1), "right-anterior-superior": (-1, -1, 1),
    "ras": (-1, -1, 1), "left-anterior-superior": (1, -1, 1), "las": (1, -1, 1),
}  # fmt: skip
_SPATIAL: Final = frozenset({"domain", "space", "none", "???", ""})
_VECTOR: Final = re.compile(r"\(([^()]*)\)|none", re.IGNORECASE)
_SEGMENT: Final = re.compile(r"Segment(\d{1,5})_(Name|LabelValue|Layer)")


def is_nrrd(path: Path) -> bool:
    """Whether a file is NRRD by name."""
    return path.name.lower().endswith((".nrrd", ".nhdr"))


class _Axes(NamedTuple):
    """Which axes lie in space, and their steps in millimetres; the other axis, if any, holds components."""

    space: list[int]
    other: int | None
    steps: NDArray[np.float64]


def read_nrrd_header(path: Path) -> VolumeHeader:
    """Read what an NRRD file says of itself; voxels are neither read nor decoded.

    Raises:
        InputError: The file cannot be read, or names a data file outside its folder.
        ImageError: Damaged, or of a kind that is no picture.
        FormatError: A number in it is none.
    """
    fields, length, listed = _fields(path)
    sizes = [whole(word, where=f"{path}: sizes", low=1, high=1 << 24) for word in fields.get("sizes", "").split()]
    if not 2 <= len(sizes) <= 4:
        raise ImageError("this volume is no picture of the body", where=path, got=f"sizes {sizes}", expected="2 to 4")
    axes = _axes(fields, sizes, path)
    shape = [sizes[axis] for axis in axes.space] + [1] * (3 - len(axes.space))
    named = fields.get("data file") or fields.get("datafile")
    data = data_files(named, listed, sizes, path) if named else (path,)
    start = 0 if named else length
    if fields.get("line skip", "0") != "0":
        raise ImageError("the NRRD file skips lines of text", where=path, fix="export the volume again")
    packing = _known(_PACKINGS, fields.get("encoding", "").lower(), "encoding", path)
    dtype = np.dtype(_known(_DTYPES, fields.get("type", "").lower(), "type", path))
    if fields.get("endian", "").lower() == "big":
        dtype = dtype.newbyteorder(">")
    components = 1 if axes.other is None else sizes[axes.other]
    skip = whole(fields.get("byte skip", "0"), where=f"{path}: byte skip", low=-1)
    if skip == -1:  # the values are the end of each file
        skip, start = 0, -(math.prod(sizes) // len(data)) * dtype.itemsize
    return VolumeHeader(
        path=path,
        grid=Grid((shape[0], shape[1], shape[2]), _affine(fields, axes, path)),
        components=components,
        dtype=dtype,
        data=data,
        packing=packing,
        start=start + (0 if packing else skip),
        offset=skip if packing else 0,
        components_first=axes.other == 0,
        segments=_segments(fields, path),
    )


def _fields(path: Path) -> tuple[dict[str, str], int, list[str]]:
    """Return the fields and key/value pairs of a header, its length with the blank line, and the files it lists."""
    try:
        with path.open("rb") as stream:
            head = stream.read(_LONGEST_HEAD)
    except FileNotFoundError as error:
        raise InputError("there is no such file", where=path, fix="check the spelling") from error
    except OSError as error:
        raise InputError(f"the file cannot be read ({error.strerror})", where=path) from error
    if head[:4] != b"NRRD":
        raise ImageError("this is not NRRD", where=path, got=repr(head[:8]), fix="export the volume again")
    blank = re.search(rb"\r?\n\r?\n", head)
    length = blank.end() if blank else len(head)
    fields: dict[str, str] = {}
    lines = head[:length].decode("utf-8", "replace").splitlines()[1:]
    for number, line in enumerate(lines, start=1):
        name, colon, value = line.partition(":")
        if colon and not line.startswith("#"):
            key = name.strip() if value.startswith("=") else name.strip().lower()
            fields[key] = value.removeprefix("=").strip()
            if key in ("data file", "datafile") and fields[key].split()[:1] == ["LIST"]:
                return fields, length, [one.strip() for one in lines[number:] if one.strip()]
    return fields, length, []


def _known(table: Mapping[str, str], word: str, field: str, path: Path) -> str:
    if word not in table:
        raise ImageError(
            f"the {field} of the NRRD file is not known here",
            where=path,
            got=repr(word[:40]),
            expected=", ".join(dict.fromkeys(table)),
            fix="export the volume again, gzip-packed",
        )
    return table[word]


def _axes(fields: Mapping[str, str], sizes: list[int], path: Path) -> _Axes:
    kinds = (fields.get("kinds", "").lower().split() + [""] * len(sizes))[: len(sizes)]
    vectors = [found[1] for found in _VECTOR.finditer(fields.get("space directions", ""))]
    if vectors and len(vectors) != len(sizes):
        raise ImageError("the directions of the axes do not fit their number", where=path, got=len(vectors))
    if vectors:
        space = [axis for axis, vector in enumerate(vectors) if vector is not None]
        steps = [
            [finite(word, where=f"{path}: space directions") for word in vectors[axis].split(",")] for axis in space
        ]
    else:
        space = [axis for axis, kind in enumerate(kinds) if kind in _SPATIAL]
        space = space if len(sizes) < 4 or len(space) == 3 else [0, 1, 2]
        spacings = (fields.get("spacings", "").split() + ["1"] * len(sizes))[: len(sizes)]
        plain = [finite("1" if word.lower() == "nan" else word, where=f"{path}: spacings") for word in spacings]
        steps = [[plain[axis] if row == at else 0.0 for row in range(3)] for at, axis in enumerate(space)]
    other = [axis for axis in range(len(sizes)) if axis not in space]
    if not 2 <= len(space) <= 3 or len(other) > 1 or any(len(step) != len(steps[0]) for step in steps):
        raise ImageError("this volume is no picture of the body", where=path, got=f"{len(space)} axes in space")
    if other and other[0] not in (0, len(sizes) - 1):
        raise ImageError("the components lie between the axes of space", where=path, got=f"axis {other[0]}")
    return _Axes(space, other[0] if other else None, np.array(steps, np.float64))


def _affine(fields: Mapping[str, str], axes: _Axes, path: Path) -> NDArray[np.float64]:
    """Return millimetres, x to the left and y to the back, of voxel indices; without a space as stored."""
    affine = np.eye(4)
    count, width = axes.steps.shape
    if width not in (2, 3):
        raise ImageError("the directions of the axes have no two or three numbers", where=path, got=width)
    affine[:width, :count] = axes.steps.T
    if found := _VECTOR.search(fields.get("space origin", "")):
        origin = [finite(word, where=f"{path}: space origin") for word in (found[1] or "").split(",") if word.strip()]
        if len(origin) != width:
            raise ImageError("the origin does not fit the directions of the axes", where=path, got=len(origin))
        affine[:width, 3] = origin
    signs = _SIGNS.get(fields.get("space", "").lower(), (1, 1, 1))
    return np.diag([*signs, 1.0]) @ affine


def _segments(fields: Mapping[str, str], path: Path) -> tuple[Segment, ...]:
    """Read the segments that 3D Slicer names."""
    told: dict[int, dict[str, str]] = {}
    for name, value in fields.items():
        if found := _SEGMENT.fullmatch(name):
            told.setdefault(int(found[1]), {})[found[2]] = value
    return tuple(
        Segment(
            said["Name"],
            whole(said.get("LabelValue", "1"), where=f"{path}: Segment{number}_LabelValue", high=65535),
            whole(said.get("Layer", "0"), where=f"{path}: Segment{number}_Layer", high=255),
        )
        for number, said in sorted(told.items())
        if said.get("Name", "").strip()
    )
