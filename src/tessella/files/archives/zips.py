"""The members of a zip archive, by its table of contents."""

from __future__ import annotations

import os
import stat
import struct
import zipfile
from typing import TYPE_CHECKING, Final

from tessella.core.errors import FormatError
from tessella.files.archives.member import MEMBER_BUDGET, PIECE, Limits, Member, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

MAGIC: Final = (b"PK\x03\x04", b"PK\x05\x06")

_DIRECTORY_BUDGET: Final = MEMBER_BUDGET * 256
"""Largest table of contents in bytes; zipfile parses it whole."""

_PLAIN_KINDS: Final = (0, stat.S_IFREG, stat.S_IFDIR)


def members(stream: BinaryIO, limits: Limits) -> Iterator[Member]:
    """Yield the files of a zip archive in its order; the names are not judged yet.

    Folders are yielded as members whose name ends with a slash.

    Raises:
        FormatError: Encrypted, holding links or devices, or with a table of contents that is too large.
    """
    _refuse_large_directory(stream, limits)
    archive = zipfile.ZipFile(stream)  # its members are read after the last was named; the caller closes the stream
    for info in archive.infolist():
        if info.flag_bits & 0x1:
            raise FormatError(
                "the archive is encrypted", where=limits.where, got=shown(info.filename),
                fix="unpack it with its password, and give the folder",
            )  # fmt: skip
        if stat.S_IFMT(info.external_attr >> 16) not in _PLAIN_KINDS:
            raise limits.refusal("the archive holds a link or a device", got=shown(info.filename))
        # zipfile cuts a name at a NUL; as stored, it is refused like every control character
        name = info.orig_filename if "\0" in info.orig_filename else info.filename
        yield Member(name, info.file_size, _unpacked(archive, info), info.compress_size)


def _unpacked(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Callable[[], Iterator[bytes]]:
    def pieces() -> Iterator[bytes]:
        with archive.open(info) as inner:
            while piece := inner.read(PIECE):
                yield piece

    return pieces


def _refuse_large_directory(stream: BinaryIO, limits: Limits) -> None:
    """Read the size of the table of contents from the record at the archive's end (APPNOTE 4.3.14 and 4.3.16)."""
    size = stream.seek(0, os.SEEK_END)
    stream.seek(max(0, size - (1 << 16) - 98))
    tail = stream.read()
    stream.seek(0)
    place = tail.rfind(b"PK\x05\x06")
    if place < 0 or len(tail) < place + 22:
        raise FormatError("the zip archive is cut off", where=limits.where, fix="download or copy it again")
    (length,) = struct.unpack_from("<I", tail, place + 12)
    large = tail.rfind(b"PK\x06\x06", 0, place)
    if large >= 0 and place >= large + 56:
        (length,) = struct.unpack_from("<Q", tail, large + 40)
    if length > _DIRECTORY_BUDGET:
        raise limits.refusal("the archive holds too many files", expected=f"at most {MEMBER_BUDGET}")
