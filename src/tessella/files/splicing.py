"""Copies of large files in which a few places say something else, and every other byte stays as it is."""

from __future__ import annotations

from itertools import pairwise
from operator import itemgetter
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple

from tessella.core.errors import InputError
from tessella.files.paths import require_plain
from tessella.files.write import atomic_path

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_PIECE: Final = 1 << 20


class Edit(NamedTuple):
    """What a place of a file is to say.

    Args:
        start: Where the place begins, in bytes.
        stop: Where it ends; the same as `start` to insert.
        data: What comes there instead.
    """

    start: int
    stop: int
    data: bytes


def write_spliced(source: Path, target: Path, edits: Iterable[Edit]) -> None:
    """Copy a file with edits, piece by piece, whatever its size.

    Args:
        source: The file as it is.
        target: Where the copy goes.
        edits: In any order; they do not overlap, and of two that say the same one counts.

    Raises:
        InputError: The source cannot be read.
        OutputError: The copy cannot be written.
    """
    ordered = sorted(set(edits), key=itemgetter(0, 1))
    if any(later.start < earlier.stop for earlier, later in pairwise(ordered)):
        raise ValueError(f"{source}: two edits of one place")  # the format that made them keeps them apart
    try:
        stream = require_plain(source).open("rb")
    except OSError as error:
        raise InputError(f"the file cannot be read ({error.strerror or error})", where=source) from error
    with stream, atomic_path(target) as temporary, temporary.open("wb") as out:
        for edit in ordered:
            _copy(stream, out, edit.start - stream.tell())
            out.write(edit.data)
            stream.seek(edit.stop)
        _copy(stream, out, None)


def _copy(stream: BinaryIO, out: BinaryIO, count: int | None) -> None:
    """Copy so many bytes; all that are left for None."""
    while count is None or count > 0:
        piece = stream.read(_PIECE if count is None else min(_PIECE, count))
        if not piece:
            return
        out.write(piece)
        count = None if count is None else count - len(piece)
