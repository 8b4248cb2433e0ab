"""The first and last bytes of a file: what it really is, and whether it is all there."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from io import RawIOBase
    from pathlib import Path

_HEAD: Final = 512
_ENDS: Final = {"PNG": b"IEND\xaeB`\x82", "JPEG": b"\xff\xd9"}

_SUFFIXES: Final = {
    "PNG": {".png", ".apng"},
    "JPEG": {".jpg", ".jpeg", ".jpe", ".jfif", ".jif"},
    "TIFF": {".tif", ".tiff", ".gtiff"},
    "BMP": {".bmp", ".dib"},
    "WEBP": {".webp"},
    "GIF": {".gif"},
}
_KNOWN_SUFFIXES: Final = frozenset(suffix for suffixes in _SUFFIXES.values() for suffix in suffixes)


class Peek(NamedTuple):
    """What the ends of a picture file say.

    Args:
        head: Its first 512 bytes, fewer where it is shorter; none of a mask that was decoded.
        kind: `PNG`, `JPEG`, ... by the first bytes; "" for anything else.
        suffix: The end of its name, lower case, with the dot.
        whole: Whether it ends as its kind ends; True for kinds whose end cannot be told.
        size: In bytes; 0 of a mask that was decoded.
        path: The file.
    """

    head: bytes
    kind: str
    suffix: str
    whole: bool
    size: int
    path: Path

    @property
    def misnamed(self) -> bool:
        """Whether the name promises another kind of picture."""
        return bool(self.kind) and self.suffix in _KNOWN_SUFFIXES and self.suffix not in _SUFFIXES[self.kind]


def peek(path: Path) -> Peek | None:
    """Read both ends of a picture file; None when it cannot be opened or its name is not that of a picture.

    Args:
        path: The file.
    """
    suffix = path.suffix.lower()
    if suffix not in _KNOWN_SUFFIXES:
        return None
    try:
        with path.open("rb", buffering=0) as stream:
            head = stream.read(_HEAD)
            kind = kind_of(head)
            size = stream.seek(0, os.SEEK_END)
            return Peek(head, kind, suffix, _is_whole(stream, kind, size), size, path)
    except OSError:
        return None


def decoded(path: Path, form: str) -> Peek:
    """Return what is known of a picture file that was decoded whole: opening it anew costs as much as a rule may.

    Args:
        path: The file.
        form: Its format by content.
    """
    return Peek(b"", form, path.suffix.lower(), whole=True, size=0, path=path)


def kind_of(head: bytes) -> str:
    """Say what kind of picture begins with these bytes, "" when none does."""
    for kind, starts in (
        ("PNG", (b"\x89PNG\r\n\x1a\n",)),
        ("JPEG", (b"\xff\xd8\xff",)),
        ("TIFF", (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")),
        ("BMP", (b"BM",)),
        ("GIF", (b"GIF87a", b"GIF89a")),
    ):
        if head.startswith(starts):
            return kind
    return "WEBP" if head[:4] == b"RIFF" and head[8:12] == b"WEBP" else ""


def _is_whole(stream: RawIOBase, kind: str, size: int) -> bool:
    end = _ENDS.get(kind)
    if end is None:
        return True
    stream.seek(max(0, size - len(end)))
    if stream.read(len(end)) == end:
        return True
    stream.seek(0)
    data = stream.readall()  # only of the rare file with something behind its end, or without one
    return data.find(end, _scan(data) if kind == "JPEG" else 0) >= 0


def _scan(data: bytes) -> int:
    """Return where the pixels of a JPEG begin: the thumbnail in its EXIF has an end of its own, before that."""
    place = 2
    while place + 4 <= len(data) and data[place] == 0xFF and data[place + 1] != 0xDA:
        place += 2 + int.from_bytes(data[place + 2 : place + 4], "big")
    return place
