"""The user's cache of unpacked archives, by the SHA-256 of the archive, and beside each what the user calls it."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from pathlib import Path
from typing import Final

from tessella.core.errors import InputError, OutputError
from tessella.files.archives.unpacking import kind_of, unpack
from tessella.files.hashes import sha256_file
from tessella.files.write import explain, write_bytes

_OTHERS: Final = frozenset({".npz", ".docx", ".xlsx", ".pptx", ".kmz", ".jar", ".whl", ".pt", ".pth"})
"""Zip archives that are one document, not a folder of files."""

_NAMES: Final = "archive-paths"
"""Folder beside that of the archives: for each a file that holds the path by which it was opened last."""


def is_archive(path: Path) -> bool:
    """Say by content whether a file is a zip or tar archive that can hold a data set.

    Raises:
        InputError: The file cannot be read.
    """
    return path.suffix.lower() not in _OTHERS and bool(kind_of(path))


def opened(path: Path) -> Path:
    """Unpack an archive into the user's cache, once, and return the folder that holds the data set.

    The cache is `$XDG_CACHE_HOME/tessella/archives`, else `~/.cache/tessella/archives`; an archive is known by the
    SHA-256 of its bytes, so a changed one is unpacked anew.

    Args:
        path: A zip, tar, tar.gz, tar.bz2 or tar.xz, recognised by content.

    Returns:
        The folder of the content: while a folder holds nothing but one folder, that one.

    Raises:
        InputError: The file cannot be read.
        FormatError: It is no archive, damaged, encrypted, or holds what `unpack` refuses.
        OutputError: The cache cannot be written.
    """
    try:
        digest = sha256_file(path)
    except FileNotFoundError as error:
        raise InputError("there is no such file", where=path, fix="check the spelling") from error
    except OSError as error:
        raise InputError(f"the file cannot be read ({error.strerror or error})", where=path) from error
    folder = _cache() / digest
    if not folder.is_dir():
        _fill(path, folder)
    _remember(path, digest)
    return _innermost(folder)


def as_given(message: str) -> str:
    """Spell the files of unpacked archives in a message as the user knows them: `coco.tar/coco/a.json`.

    Args:
        message: Text that may name files in the cache.

    Returns:
        The text with each archive's own path, as it was opened last, in place of its folder in the cache.
    """

    def own(found: re.Match[str]) -> str:
        try:
            return os.fsdecode(_cache().with_name(_NAMES).joinpath(found[1]).read_bytes())
        except OSError:
            return found[0]

    return re.sub(re.escape(f"{_cache()}{os.sep}") + r"([0-9a-f]{64})\b", own, message)


def _remember(path: Path, digest: str) -> None:
    """Note how the user calls an archive; a cache that cannot be written holds no more than a less helpful message."""
    name, file = os.fsencode(path), _cache().with_name(_NAMES) / digest
    with contextlib.suppress(OSError, OutputError):
        if not file.is_file() or file.read_bytes() != name:
            write_bytes(file, name)


def _cache() -> Path:
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "tessella" / "archives"


def _fill(path: Path, folder: Path) -> None:
    """Unpack beside the folder and rename, so that of two processes one wins and neither disturbs the other."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".unpacking.", dir=folder.parent) as place:
            content = unpack(path, Path(place, "content"))
            if not folder.is_dir():
                content.rename(folder)
    except OSError as error:
        if not folder.is_dir():
            raise explain(error, folder) from error


def _innermost(folder: Path) -> Path:
    while True:
        entries = list(folder.iterdir())
        if len(entries) != 1 or not entries[0].is_dir():
            return folder
        folder = entries[0]
