"""Atomic writes: a reader sees the old file or the new one, never half of either, whatever happens in between."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tessella.core.errors import InterruptionError, OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator

MARKER: Final = ".tessella"
"""A file that lies in every folder which may be replaced whole, because Tessella made it."""

_PARTIAL: Final = ".partial"
_CAUSES = {
    errno.ENOSPC: ("the disk is full", "free some space or choose another folder"),
    errno.EDQUOT: ("the disk quota is used up", "free some space or choose another folder"),
    errno.EROFS: ("the file system is read-only", "choose a folder that can be written"),
    errno.EACCES: ("writing there is not permitted", "choose a folder that you may write, or change its rights"),
    errno.EPERM: ("writing there is not permitted", "choose a folder that you may write, or change its rights"),
    errno.ENOTDIR: ("a part of the path is a file, not a folder", "choose another path"),
    errno.ENAMETOOLONG: ("the path is too long", "choose a shorter one"),
}


def explain(error: OSError, path: Path) -> OutputError:
    """Turn an operating-system error of a write into one message with the cure."""
    what, fix = _CAUSES.get(error.errno or 0, (f"writing failed ({error.strerror or error})", "choose another path"))
    return OutputError(what, where=path, fix=fix)


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path in the same folder; on success it becomes `path`, on failure it is removed.

    The temporary file lies beside its target because a rename is atomic only within one file system. File and folder
    are flushed to the disk (`fsync`), so the result also survives a power cut.

    Args:
        path: The file to write; missing folders above it are made.

    Raises:
        OutputError: The disk is full, the place is read-only, and so on.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(
            prefix=f".{path.stem[:40]}.", suffix=f"{_PARTIAL}{path.suffix}", dir=path.parent
        )
        os.close(handle)
    except OSError as error:
        raise explain(error, path) from error
    temporary = Path(name)
    try:
        yield temporary
        sync(temporary)
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
        sync(path.parent)
    except OSError as error:
        raise explain(error, path) from error
    finally:
        temporary.unlink(missing_ok=True)


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file atomically.

    Raises:
        OutputError: The file cannot be written.
    """
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 text file atomically, with line feeds on every system.

    Raises:
        OutputError: The file cannot be written.
    """
    write_bytes(path, text.encode())


def write_json(path: Path, value: object) -> None:
    """Write indented JSON atomically; NaN and Infinity are refused because JSON has neither.

    Raises:
        OutputError: The file cannot be written.
    """
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


@contextlib.contextmanager
def new_folder(path: Path, *, overwrite: bool = False, marked: bool = False) -> Iterator[Path]:
    """Yield a temporary sibling folder; on success it becomes `path`, on failure nothing is left of it.

    Args:
        path: The folder to make.
        overwrite: Replace an existing folder; its old content is removed only after the new one is complete.
        marked: Mark the folder as made by Tessella, and replace no folder that is not marked.

    Raises:
        OutputError: The folder exists and is not empty (without `overwrite`), is not marked, or cannot be written.
    """
    (refuse_foreign if marked else refuse_existing)(path, overwrite=overwrite)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{path.name[:40]}.", suffix=".partial", dir=path.parent))
        temporary.chmod(0o777 & ~_umask())
    except OSError as error:
        raise explain(error, path) from error
    try:
        yield temporary
        if marked:
            mark(temporary)
        _swap(temporary, path)
    except OSError as error:
        raise explain(error, path) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextlib.contextmanager
def resumable_folder(path: Path, job: str, *, overwrite: bool = False) -> Iterator[Path]:
    """Like `new_folder` with `marked`, but what a killed process has written is found again by the next one.

    The folder is made beside `path` under a fixed name. An error removes it; a kill, Ctrl-C or `InterruptionError`
    leaves it there, and it is yielded again when the same job is asked for. `path` itself is only ever whole.

    Args:
        path: The folder to make.
        job: Text that is equal only for jobs with equal results, such as a hash of everything that goes in.
        overwrite: As for `new_folder`.

    Raises:
        OutputError: As for `new_folder`.
    """
    refuse_foreign(path, overwrite=overwrite)
    temporary = path.parent / f".{path.name[:40]}.unfinished"
    note = temporary / MARKER
    try:
        if not (note.is_file() and note.read_text(encoding="utf-8") == job):
            shutil.rmtree(temporary, ignore_errors=True)
            temporary.mkdir(parents=True)
            write_text(note, job)
        for torn in temporary.rglob(f".*{_PARTIAL}*"):
            torn.unlink()
        yield temporary
        mark(temporary)
        _swap(temporary, path)
    except (KeyboardInterrupt, InterruptionError):
        raise
    except OSError as error:
        shutil.rmtree(temporary, ignore_errors=True)
        raise explain(error, path) from error
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def refuse_existing(path: Path, *, overwrite: bool) -> None:
    """Raise when a result would replace something that exists.

    Args:
        path: A file or folder to be written; an empty folder counts as absent.
        overwrite: Whether the user allowed it.

    Raises:
        OutputError: `path` exists, is not an empty folder, and `overwrite` is False; or a file stands where a folder
            is replaced by a file.
    """
    if overwrite or not (path.exists() or path.is_symlink()):
        return
    if path.is_dir() and not any(path.iterdir()):
        return
    raise OutputError("the output exists already", where=path, fix="choose another path, or pass --overwrite")


def refuse_foreign(path: Path, *, overwrite: bool) -> None:
    """Like `refuse_existing`, for a folder that is replaced whole: with `overwrite` too, only one that `mark` marked.

    Raises:
        OutputError: `path` exists, is not an empty folder, and `overwrite` is False or Tessella did not make it.
    """
    if not (path.exists() or path.is_symlink()) or (path.is_dir() and not any(path.iterdir())):
        return
    if not (path / MARKER).is_file():
        raise OutputError(
            "the output exists already, and --overwrite replaces only folders that Tessella made",
            where=path,
            fix="choose another path, or remove it yourself",
        )
    refuse_existing(path, overwrite=overwrite)


def refuse_nesting(source: Path, out: Path) -> None:
    """Refuse an output inside the data set that it is made from, or around it.

    Raises:
        OutputError: One of the two folders lies in the other.
    """
    source, out = source.resolve(), out.resolve()
    if out.is_relative_to(source) or source.is_relative_to(out):
        raise OutputError(
            "the output cannot lie in the data set or hold it", where=out, fix="choose a folder beside the data set"
        )


def mark(folder: Path) -> None:
    """Note in a folder that Tessella made it, for `refuse_foreign`.

    Raises:
        OutputError: The note cannot be written.
    """
    write_text(folder / MARKER, "Tessella made this folder; --overwrite may replace it.\n")


def require_writable(path: Path) -> None:
    """Raise before long work when its result could not be written; nothing is created.

    Args:
        path: A file or folder to be written later.

    Raises:
        OutputError: The nearest folder that exists is read-only, not permitted, or a file.
    """
    nearest = next(parent for parent in (path, *path.absolute().parents) if parent.exists())
    if not nearest.is_dir():
        raise explain(OSError(errno.ENOTDIR, ""), path)
    if not os.access(nearest, os.W_OK):
        read_only = hasattr(os, "statvfs") and os.statvfs(nearest).f_flag & getattr(os, "ST_RDONLY", 1)
        raise explain(OSError(errno.EROFS if read_only else errno.EACCES, ""), path)


def _swap(temporary: Path, path: Path) -> None:
    sync(temporary)
    if path.is_dir() and not path.is_symlink():
        old = Path(tempfile.mkdtemp(prefix=f".{path.name[:40]}.", suffix=".old", dir=path.parent))
        old.rmdir()  # Windows renames no folder onto another one, not even onto an empty one
        path.replace(old)
        temporary.replace(path)
        shutil.rmtree(old, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
        temporary.replace(path)
    sync(path.parent)


def sync(path: Path) -> None:
    """Flush a file or folder of ours to the disk, so that it survives a power cut.

    Raises:
        OSError: The system refuses.
    """
    if path.is_dir() and os.name == "nt":
        return  # Windows cannot open a folder for syncing
    # Windows flushes only what is open for writing; Linux opens a folder only for reading
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _umask() -> int:
    # mkstemp makes private files; a result should have the rights that open() would give it
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
