"""Paths from strangers: contained in the data set's folder, listed in one order on every machine."""

from __future__ import annotations

import os
import posixpath
import re
import stat
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from tessella.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Collection

IMAGE_SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".gif"})
"""Suffixes of photos and masks, lower case."""

_LONGEST_PATH: Final = 4096
_DRIVE = re.compile(r"^[A-Za-z]:")


def require_folder(path: Path) -> Path:
    """Return `path` when it is a folder.

    Raises:
        InputError: It does not exist or is a file.
    """
    if not path.exists():
        kind = "file or folder" if path.suffix else "folder"
        raise InputError(f"there is no such {kind}", where=path, fix=_nearest_sibling(path))
    if not path.is_dir():
        raise InputError("this is a file, not a folder", where=path, fix="give the folder that holds the data set")
    return path


def _nearest_sibling(path: Path) -> str:
    import difflib

    parent = path.parent
    names = [entry.name for entry in parent.iterdir()] if parent.is_dir() else []
    near = difflib.get_close_matches(path.name, names, n=1)
    return f"did you mean {parent / near[0]}?" if near else "check the spelling"


def contain(root: Path, relative: str) -> Path:
    r"""Join a path that a file names to `root`, refusing every way out of it.

    Args:
        root: The data set's folder.
        relative: As in the annotation file; `/` and `\` both separate.

    Returns:
        The joined path; it need not exist.

    Raises:
        InputError: An absolute path, a drive, a `..` that leaves `root`, a NUL, a link that leads outside, or a name
            that no file can have.
    """
    text = relative.replace("\\", "/")
    too_long = len(text) > _LONGEST_PATH or any(len(part.encode("utf-8", "replace")) > 255 for part in text.split("/"))
    if "\0" in text or too_long or text.startswith("/") or _DRIVE.match(text):
        raise _escapes(root, relative)
    # only the tail: above a link, `a/..` is not where the words say, and `root` must stay as the caller wrote it
    tail = posixpath.normpath(text)
    inside = root / PurePosixPath(tail)
    if tail == ".." or tail.startswith("../") or not inside.resolve().is_relative_to(root.resolve()):
        raise _escapes(root, relative)
    return inside


def _escapes(root: Path, relative: str) -> InputError:
    return InputError(
        "an annotation names a file outside the data set",
        where=root,
        got=repr(relative[:200]),
        expected="a path below the data set's folder",
        fix="move the file into the data set, or correct the path in the annotation",
    )


def is_file(path: Path) -> bool:
    """Say whether a file lies at a path; False too for one that no file system takes, such as a name of a kilobyte."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def require_plain(path: Path) -> Path:
    """Return `path` unless it is a pipe or a device, of which reading may never end.

    Raises:
        InputError: It is a pipe or a device.
        OSError: It does not exist, or cannot be asked.
    """
    plain_size(path)
    return path


def plain_size(path: Path) -> int:
    """Return the size of a file in bytes; raises like `require_plain`."""
    state = path.stat()
    if stat.S_ISREG(state.st_mode) or stat.S_ISDIR(state.st_mode):
        return state.st_size
    raise InputError("this is a pipe or a device, not a file", where=path, fix="give a file")


def walk(root: Path, suffixes: Collection[str] | None = None) -> list[Path]:
    """List the files below a folder in a fixed order, without hidden files and without following links to folders.

    Pipes, sockets and devices are passed over: whoever opened one would wait for ever. A broken link is listed, because
    a file that should be there is missing.

    Args:
        root: The folder.
        suffixes: Lower-case suffixes with the dot to keep, or None for all.

    Returns:
        Paths below `root`, sorted by their parts.

    Raises:
        InputError: `root` is not a folder, or a folder below it cannot be read.
    """
    found: list[Path] = []
    folders = [require_folder(root)]
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.name.startswith("."):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(folder / entry.name)
                    elif (suffixes is None or _suffix(entry.name) in suffixes) and _is_file(entry):
                        found.append(folder / entry.name)
        except OSError as error:
            raise _unreadable(error, folder) from error
    return sorted(found, key=lambda path: path.parts)


def _suffix(name: str) -> str:
    return PurePosixPath(name).suffix.lower()


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file() or (entry.is_symlink() and not Path(entry.path).exists())
    except OSError:  # links in a ring
        return True


def _unreadable(error: OSError, folder: Path) -> InputError:
    # passed over, its photos would be missing without a word
    return InputError(
        f"a folder cannot be read ({error.strerror or error})",
        where=error.filename or folder,
        fix="change its rights, or move it out of the data set",
    )


def relative_name(path: Path, root: Path) -> str:
    """Return a path relative to `root` with forward slashes, for names and messages."""
    whole, folder = path.as_posix(), root.as_posix().rstrip("/")
    # as text: `Path.relative_to` takes a tenth of the time in which a small mask is decoded
    if whole.startswith(f"{folder}/"):
        return whole[len(folder) + 1 :]
    return "." if path == root else whole
