"""What a volume file says of itself, and the checks that hold before a voxel is read."""

from __future__ import annotations

import bz2
import gzip
import os
import zlib
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Final

import numpy as np

from tessella.core.errors import ImageError, InputError
from tessella.files.images import check_hw

if TYPE_CHECKING:
    from pathlib import Path

    from tessella.files.volumes.grid import Grid

MOST_PACKED: Final = {"gzip": 1032, "bzip2": 45_000}
"""Most bytes that one packed byte can become: by the longest match of deflate, and by bzip2's runs of runs."""

_LONGEST_AXIS: Final = 1 << 20
_BROKEN: Final = (OSError, EOFError, zlib.error, ValueError, OverflowError)


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """A class that a label volume names itself.

    Args:
        name: The class.
        value: Its stored value.
        layer: The component of the voxels that holds it.
    """

    name: str
    value: int
    layer: int = 0


@dataclass(frozen=True, eq=False)
class VolumeHeader:
    """What a volume file says of itself.

    Args:
        path: The file.
        grid: Where its voxels lie.
        components: Values per voxel: colours, modalities, layers.
        components_first: Whether the values of a voxel lie together, rather than one volume after the other.
        dtype: Of the stored values.
        data: The files that hold the values, each an equal share; `path` itself, unless they lie in files of their own.
        packing: "", `gzip` or `bzip2`; `text` for numbers as text.
        start: Byte of a file at which the packed bytes begin; where it is negative, it counts from the end.
        offset: Bytes of them, once unpacked, before the first value.
        scale: (slope, intercept) that make values of what is stored.
        segments: The classes that the file names.
    """

    path: Path
    grid: Grid
    components: int
    dtype: np.dtype[Any]
    data: tuple[Path, ...]
    packing: str
    start: int = 0
    offset: int = 0
    components_first: bool = False
    scale: tuple[float, float] = (1.0, 0.0)
    segments: tuple[Segment, ...] = ()

    @property
    def count(self) -> int:
        """Number of stored values."""
        x, y, z = self.grid.shape
        return x * y * z * self.components

    @property
    def share(self) -> int:
        """Number of values in each file."""
        return self.count // len(self.data)


def check_size(header: VolumeHeader, *, max_pixels: int | None) -> None:
    """Refuse a volume that is larger than the budget, or claims more than its file can hold.

    Raises:
        ImageError: It does.
        InputError: The file of its values cannot be read.
    """
    if not all(1 <= side <= _LONGEST_AXIS for side in (*header.grid.shape, header.components)):
        raise ImageError(
            "a volume has an impossible size", where=header.path, got=(*header.grid.shape, header.components)
        )
    check_hw((header.count, 1), where=header.path, max_pixels=max_pixels)
    needed = header.share * (2 if header.packing == "text" else header.dtype.itemsize) - (header.packing == "text")
    for path in header.data:
        if needed > (size := size_of(path)) * MOST_PACKED.get(header.packing, 1):
            raise ImageError(
                "the volume is cut off, or its header is damaged",
                where=path,
                got=f"a file of {size} bytes",
                expected=f"{needed} bytes of voxels",
                fix="copy or export it again",
            )


def size_of(path: Path) -> int:
    """Return the bytes of a file; an InputError where it cannot be read."""
    try:
        return path.stat().st_size
    except FileNotFoundError as error:
        raise InputError("there is no such file", where=path, fix="copy it here, beside its header") from error
    except OSError as error:
        raise InputError(f"the file cannot be read ({error.strerror})", where=path) from error


def read_stored(header: VolumeHeader) -> Any:  # noqa: ANN401 - an array of any of NumPy's number types
    """Read the values of a volume whose size was checked: (X, Y, Z, C), of the stored type.

    Raises:
        InputError: The file cannot be read.
        ImageError: It is cut off or damaged.
    """
    parts = [_read_share(header, path) for path in header.data]
    flat = parts[0] if len(parts) == 1 else np.concatenate(parts)
    if header.components_first:
        return np.moveaxis(flat.reshape((header.components, *header.grid.shape), order="F"), 0, 3)
    return flat.reshape((*header.grid.shape, header.components), order="F")


def _read_share(header: VolumeHeader, path: Path) -> Any:  # noqa: ANN401 - as `read_stored`
    try:
        with path.open("rb") as stream:
            stream.seek(header.start, os.SEEK_END if header.start < 0 else os.SEEK_SET)
            flat = _values(header, _unpacked(header, stream))
    except FileNotFoundError as error:
        raise InputError("there is no such file", where=path, fix="check the spelling") from error
    except _BROKEN as error:
        raise ImageError(f"the volume is damaged ({error})", where=path, fix="copy or export it again") from error
    if flat.size != header.share:
        raise ImageError(
            "the volume is cut off",
            where=path,
            got=f"{flat.size} values",
            expected=header.share,
            fix="copy or export it again",
        )
    return flat


def _values(header: VolumeHeader, stream: IO[bytes] | gzip.GzipFile | bz2.BZ2File) -> Any:  # noqa: ANN401 - as `read_stored`
    if header.packing == "text":
        words = stream.read(64 * header.share).split(maxsplit=header.share)[: header.share]
        return np.array(words, np.float64).astype(header.dtype)
    stream.read(header.offset)
    size = header.dtype.itemsize
    data = stream.read(header.share * size)
    stream.read(1)  # gzip compares its checksum at the end
    return np.frombuffer(data, header.dtype, len(data) // size)


def _unpacked(header: VolumeHeader, stream: IO[bytes]) -> IO[bytes] | gzip.GzipFile | bz2.BZ2File:
    if header.packing == "gzip":
        return gzip.open(stream, "rb")
    return bz2.open(stream, "rb") if header.packing == "bzip2" else stream
