"""The members of a tar archive, plain or packed with gzip, bzip2 or xz, in one pass."""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile
from typing import TYPE_CHECKING, Any, Final, Protocol

from tessella.files.archives.member import FREE_BUDGET, PIECE, RATIO_BUDGET, Limits, Member, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

_BLOCK: Final = 512
_DICTIONARY_BUDGET: Final = 1 << 28
"""Most memory of an xz stream in bytes; `xz -9` needs 65 MiB."""

_LONGEST_HEADER: Final = 1 << 14
"""Most bytes that tarfile may ask for at once: a long name or extended header, which it reads and searches whole."""


class Readable(Protocol):
    """Whatever gives at most so many bytes at a time, and none at its end."""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes."""
        ...


def unpacked(stream: BinaryIO) -> Readable:
    """Return a stream of what a packed stream holds, or the stream itself where it is not packed."""
    start = stream.read(6)
    stream.seek(0)
    if start.startswith(b"\x1f\x8b"):
        return gzip.GzipFile(fileobj=stream, mode="rb")
    if start.startswith(b"BZh"):
        return _Decompressed(stream, bz2.BZ2Decompressor)
    if start.startswith(b"\xfd7zXZ\0"):
        return _Decompressed(stream, lambda: lzma.LZMADecompressor(memlimit=_DICTIONARY_BUDGET))
    return stream


def is_tar(block: bytes) -> bool:
    """Say whether the first 512 bytes of an unpacked stream are a tar header, by its checksum."""
    if len(block) < _BLOCK or not block[0]:
        return False
    try:
        tarfile.TarInfo.frombuf(block[:_BLOCK], "utf-8", "surrogateescape")
    except (tarfile.HeaderError, ValueError):
        return False
    return True


def members(stream: BinaryIO, limits: Limits) -> Iterator[Member]:
    """Yield the files of a tar archive in its order; each must be unpacked before the next is asked for.

    Folders are yielded as members whose name ends with a slash.

    Raises:
        FormatError: Holding links, devices or sparse files, or unpacking to far more than it holds.
        tarfile.TarError: Damaged.
    """
    forward = _Forward(unpacked(stream), limits)
    archive: Any = tarfile.TarFile(fileobj=forward, mode="r", encoding="utf-8")  # type: ignore[arg-type]
    info: tarfile.TarInfo | None = archive.firstmember
    while info is not None:
        if not (info.isreg() or info.isdir()) or info.issparse():
            raise limits.refusal("the archive holds a link, a device or a sparse file", got=shown(info.name))
        if info.size < 0:
            raise tarfile.ReadError("a negative size")
        name = info.name + "/" if info.isdir() else info.name
        yield Member(name, 0 if info.isdir() else info.size, _data(forward, info))
        archive.members = []  # tarfile would keep every header it has seen
        info = _following(archive, forward)


def _following(archive: Any, forward: _Forward) -> tarfile.TarInfo | None:  # noqa: ANN401 - private parts of TarFile
    """Return the next header; `TarFile.next` would take a damaged one for the end of the archive."""
    forward.seek(archive.offset)
    try:
        return tarfile.TarInfo.fromtarfile(archive)
    except (tarfile.EOFHeaderError, tarfile.EmptyHeaderError):  # type: ignore[attr-defined] # typeshed lacks these
        return None


def _data(forward: _Forward, info: tarfile.TarInfo) -> Callable[[], Iterator[bytes]]:
    def pieces() -> Iterator[bytes]:
        forward.seek(info.offset_data)
        left = info.size
        while left:
            piece = forward.take(min(left, PIECE))
            left -= len(piece)
            yield piece

    return pieces


class _Decompressed:
    """What a bzip2 or xz stream holds, and the streams behind it; the standard library's files set xz no limit."""

    def __init__(self, stream: BinaryIO, start: Callable[[], bz2.BZ2Decompressor | lzma.LZMADecompressor]) -> None:
        self.stream = stream
        self.start = start
        self.unpacker = start()

    def read(self, size: int, /) -> bytes:
        while True:
            data = b""
            if self.unpacker.eof:
                data = self.unpacker.unused_data.lstrip(b"\0") or self.stream.read(PIECE).lstrip(b"\0")
                if not data:
                    return b""
                self.unpacker = self.start()
            elif self.unpacker.needs_input and not (data := self.stream.read(PIECE)):
                raise EOFError("the archive is cut off")
            if piece := self.unpacker.decompress(data, size):
                return piece


class _Forward:
    """A stream that goes forward only, counts what comes out of it, and never waits at its end."""

    def __init__(self, stream: Readable, limits: Limits) -> None:
        self.stream = stream
        self.limits = limits
        self.at = 0
        self.ended = False
        self.allowed = max(FREE_BUDGET, limits.archive_size * RATIO_BUDGET)

    def tell(self) -> int:
        return self.at

    def read(self, size: int) -> bytes:
        """Read for tarfile, which trusts the sizes in headers: a name of a gigabyte, or one of less than nothing."""
        if not 0 <= size <= _LONGEST_HEADER:
            raise tarfile.ReadError(f"a header of {size} bytes")
        data = self._next(size)
        if not data and size:
            if self.ended:  # tarfile's reader of sparse maps asks again without end
                raise EOFError("the archive is cut off")
            self.ended = True
        return data

    def take(self, size: int) -> bytes:
        """Return at least one byte of a member's data."""
        data = self._next(size)
        if not data:
            raise EOFError("the archive is cut off")
        return data

    def seek(self, place: int) -> int:
        if place < self.at:
            raise tarfile.ReadError("a header points backwards")
        while self.at < place:
            self.take(min(PIECE, place - self.at))
        return self.at

    def _next(self, size: int) -> bytes:
        data = self.stream.read(size)
        self.at += len(data)
        if self.at > self.allowed:
            raise self.limits.refusal(
                "the archive would unpack to far more than it can honestly hold",
                got=f"more than {self.allowed} bytes from {self.limits.archive_size}",
            )
        return data
