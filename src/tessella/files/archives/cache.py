"""The user's cache of unpacked archives, by the SHA-256 of the archive."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Final

from tessella.core.errors import InputError
from tessella.files.archives.unpacking import kind_of, unpack
from tessella.files.hashes import sha256_file
from tessella.files.write import explain

_OTHERS: Final = frozenset({".npz", ".docx", ".xlsx", ".pptx", ".kmz", ".jar", ".whl", ".pt", ".pth"})
"""Zip archives that are one document, not a folder of files."""


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
    return _innermost(folder)


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
