"""Unpacking an archive into a folder: all of it, or nothing."""

from __future__ import annotations

import lzma
import shutil
import struct
import tarfile
import zipfile
import zlib
from typing import TYPE_CHECKING, Final, TypeVar

from tessella.core.errors import FormatError, InputError, OutputError
from tessella.files.archives import tars, zips
from tessella.files.archives.member import Limits, shown
from tessella.files.paths import require_plain
from tessella.files.write import new_folder, refuse_existing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tessella.files.archives.member import Member

_Item = TypeVar("_Item")

_KEPT_FREE: Final = 1 << 28
"""Bytes that unpacking leaves free on the disk."""

_BROKEN: Final = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, struct.error, EOFError, OSError, ValueError,
    LookupError, NotImplementedError, RuntimeError, AttributeError, OverflowError, TypeError,
)  # fmt: skip
"""What zipfile, tarfile and their decoders raise on damaged archives."""


def kind_of(path: Path) -> str:
    """Say by content what archive a file is: "zip", "tar" (packed or not), or "" for none.

    Raises:
        InputError: The file cannot be read.
    """
    try:
        with require_plain(path).open("rb") as stream:
            if stream.read(4) in zips.MAGIC:
                return "zip"
            stream.seek(0)
            try:
                return "tar" if tars.is_tar(tars.unpacked(stream).read(512)) else ""
            except _BROKEN:
                return ""
    except FileNotFoundError as error:
        raise InputError("there is no such file", where=path, fix="check the spelling") from error
    except OSError as error:
        raise InputError(f"the file cannot be read ({error.strerror or error})", where=path) from error


def unpack(path: Path, into: Path) -> Path:
    """Unpack an archive into a new folder; all of it, or nothing.

    Archives inside the archive stay as they are; times, rights and owners are not taken over, and neither is what macOS
    adds (`__MACOSX`, `.DS_Store`, `._name`).

    Args:
        path: A zip, tar, tar.gz, tar.bz2 or tar.xz, recognised by content.
        into: A folder that does not exist, or is empty.

    Returns:
        `into`.

    Raises:
        InputError: The file cannot be read.
        FormatError: No archive, damaged, or encrypted; more than a million files, 1 TiB, or 300 times the archive's own
            size; a link, a device, a path that leads outside or occurs twice.
        OutputError: `into` is not empty, cannot be written, or the disk has no room for the content.
    """
    refuse_existing(into, overwrite=False)
    kind = kind_of(path)
    if not kind:
        raise FormatError("this is no archive", where=path, expected="zip, tar, tar.gz, tar.bz2 or tar.xz")
    with path.open("rb") as stream, new_folder(into) as folder:
        limits = Limits(path, path.stat().st_size)
        files = _undamaged((zips if kind == "zip" else tars).members(stream, limits), path)
        judged = ((member, limits.judge(member)) for member in files)
        # a zip names its members beforehand, a tar only on the way
        for member, relative in list(judged) if kind == "zip" else judged:
            if relative is not None:
                _place(member, folder / relative, path)
        if not any(limits.paths.values()):
            raise FormatError("the archive holds no file", where=path)
    return into


def _place(member: Member, target: Path, where: Path) -> None:
    if member.is_folder:
        target.mkdir(parents=True, exist_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if member.size + _KEPT_FREE > shutil.disk_usage(target.parent).free:
        raise OutputError(
            "the disk has no room for the content of the archive",
            where=where,
            got=f"{member.size} more bytes for {shown(member.name)}",
            fix="free some space, or set XDG_CACHE_HOME to a folder on a larger disk",
        )
    written = 0
    with target.open("xb") as out:
        for piece in _undamaged(member.pieces(), where):
            out.write(piece)
            written += len(piece)
    if written != member.size:
        raise FormatError(
            "the archive is damaged", where=where, got=f"{written} bytes of {shown(member.name)}", expected=member.size
        )


def _undamaged(items: Iterator[_Item], where: object) -> Iterator[_Item]:
    """Yield what a decoder yields, and turn what it raises into our error; what the consumer raises passes by."""
    while True:
        try:
            item = next(items)
        except StopIteration:
            return
        except _BROKEN as error:
            raise FormatError(
                f"the archive is damaged ({error})", where=where, fix="download, copy or pack it again"
            ) from error
        yield item
