"""Arrays in files, `.npy`, `.npz` and MATLAB's `.mat`: what each holds is known, and checked, before it is read."""

from __future__ import annotations

import contextlib
import struct
import zipfile
import zlib
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from tessella.core.errors import FormatError, InputError
from tessella.files.paths import require_plain
from tessella.files.values import matlab
from tessella.files.values.npy import MAGIC, ArrayHeader, npz_members, read_npy, read_npy_header

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

_ZIP: Final = b"PK"
_BROKEN: Final = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError, LookupError, NotImplementedError, RuntimeError,
    AttributeError,
)  # fmt: skip
"""What zipfile raises on damaged archives, and on methods of compression or encryption that it does not know."""


def array_headers(path: Path) -> dict[str, ArrayHeader]:
    """Say what arrays of numbers a file holds, without reading them.

    Args:
        path: `.npy`, `.npz` or `.mat` (version 5 to 7), recognised by content.

    Returns:
        For each array's name its size and type; the name of the only array of a `.npy` is "". In a `.mat`, variables
        that are no plain numeric array are left out.

    Raises:
        InputError: The file cannot be read.
        FormatError: None of these kinds, damaged, or holding Python objects.
    """
    with _opened(path) as (stream, start):
        if start[:6] == MAGIC:
            return {"": read_npy_header(stream, where=path)}
        if start[:2] == _ZIP:
            with zipfile.ZipFile(stream) as archive:
                headers = {}
                for name, member in npz_members(archive, where=path).items():
                    with archive.open(member) as inner:
                        headers[name] = read_npy_header(_plain(inner), where=f"{path}: {name}")
                return headers
        return matlab.headers(stream, start, where=path)


def read_array(path: Path, name: str = "", *, max_pixels: int | None = None) -> NDArray[Any]:
    """Read one array of a file.

    Args:
        path: `.npy`, `.npz` or `.mat`.
        name: Which array; "" for the only one.
        max_pixels: Most numbers of the array, or None for 300 million.

    Returns:
        bool, whole numbers or floats in the machine's byte order, C-contiguous; a `.mat` of 4 rows and 3 columns has
        the shape (4, 3).

    Raises:
        InputError: The file cannot be read.
        FormatError: Damaged, cut off, holding Python objects, or without such an array.
        ImageError: More numbers than the budget.
    """
    with _opened(path) as (stream, start):
        if start[:6] == MAGIC:
            return read_npy(stream, size=path.stat().st_size, where=path, max_pixels=max_pixels)
        if start[:2] == _ZIP:
            with zipfile.ZipFile(stream) as archive:
                members = npz_members(archive, where=path)
                member = members[_named(name, list(members), where=path)]
                with archive.open(member) as inner:
                    return read_npy(_plain(inner), size=member.file_size, where=path, max_pixels=max_pixels)
        found = matlab.headers(stream, start, where=path)
        name = _named(name, list(found), where=path)
        return matlab.read(stream, start, name, where=path, max_pixels=max_pixels)


def _plain(inner: Any) -> BinaryIO:  # noqa: ANN401 - typeshed calls a zip member IO[bytes]
    return inner  # type: ignore[no-any-return]


def _named(name: str, names: list[str], *, where: object) -> str:
    if name in names:
        return name
    if not name and len(names) == 1:
        return names[0]
    raise FormatError(
        f"there is no array {name!r}" if name else "the file does not hold one array",
        where=where,
        got=", ".join(names[:8]) or "none",
    )


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[tuple[BinaryIO, bytes]]:
    """Open a file, give its first bytes too, and turn what its decoders raise into our errors."""
    try:
        with require_plain(path).open("rb") as stream:
            start = stream.read(128)
            stream.seek(0)
            yield stream, start
    except FileNotFoundError as error:
        raise InputError("there is no such file", where=path, fix="check the spelling") from error
    except OSError as error:
        raise InputError(f"the file cannot be read ({error.strerror or error})", where=path) from error
    except _BROKEN as error:
        raise FormatError(f"the array file is damaged ({error})", where=path, fix="copy or save it again") from error
