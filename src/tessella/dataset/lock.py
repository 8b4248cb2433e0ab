"""The lock of a data set: the SHA-256 of every file, so that a changed byte is noticed before it is trained on."""

from __future__ import annotations

import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tessella.core.cores import cores
from tessella.core.errors import FormatError, InputError, OutputError
from tessella.files.hashes import sha256_bytes, sha256_file
from tessella.files.paths import require_folder
from tessella.files.text import read_json
from tessella.files.write import write_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

LOCK: Final = "tessella.lock"
"""The lock's file in the data set's folder; the one file there that it does not list."""

_VERSION: Final = 1
_NAMED: Final = 5
"""How many changed, missing and new files a message names."""

_BATCH: Final = 4096
"""How many files are handed to the threads at a time; each waits in memory."""


@dataclass(frozen=True, slots=True)
class LockedFile:
    """One file of a data set as it was locked.

    Args:
        path: Relative to the data set's folder, with forward slashes.
        size: Its bytes.
        sha256: 64 hexadecimal digits.
    """

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Lock:
    """What the files of a data set were.

    Args:
        files: Sorted by path.
    """

    files: tuple[LockedFile, ...]

    @property
    def digest(self) -> str:
        """The SHA-256 over the whole list: one number that stands for the data set."""
        # a name may hold a line break, so it is quoted
        lines = (f"{file.sha256} {file.size} {json.dumps(file.path)}\n" for file in self.files)
        return sha256_bytes("".join(lines).encode())

    @property
    def size(self) -> int:
        """The bytes of all files."""
        return sum(file.size for file in self.files)

    def to_text(self) -> str:
        """Return the lock as JSON, one file per line, so that two locks can be compared line by line."""
        rows = (
            json.dumps({"path": file.path, "size": file.size, "sha256": file.sha256}, ensure_ascii=False)
            for file in self.files
        )
        listed = ",\n    ".join(rows)
        return f'{{\n  "version": {_VERSION},\n  "digest": "{self.digest}",\n  "files": [\n    {listed}\n  ]\n}}\n'


@dataclass(frozen=True, slots=True)
class Difference:
    """How a data set differs from its lock, each as paths relative to its folder, sorted.

    Args:
        changed: Files with other bytes.
        missing: Files that are gone.
        new: Files that the lock does not list.
    """

    changed: tuple[str, ...]
    missing: tuple[str, ...]
    new: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.changed or self.missing or self.new)

    def __str__(self) -> str:
        kinds = {"changed": self.changed, "missing": self.missing, "new": self.new}
        return ", ".join(f"{len(paths)} {kind} ({_some(paths)})" for kind, paths in kinds.items() if paths)


def lock_files(root: Path, *, progress: Callable[[int, int], None] | None = None) -> Lock:
    """Hash every file below a data set's folder, hidden ones too, on all cores.

    Links to files count as the files that they lead to; links to folders are passed over, as every reader does.

    Args:
        root: The folder.
        progress: Called with (files done, files in all).

    Raises:
        InputError: It is no folder, holds no file, or holds one that cannot be read or named.
    """
    paths = dict(_files(require_folder(root)))
    if not paths:
        raise InputError("the folder holds no file to lock", where=root)
    return Lock(tuple(_hashed(paths, progress)))


def write_lock(
    root: Path,
    *,
    out: Path | None = None,
    overwrite: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Lock:
    """Lock a data set: hash its files and write the lock, in one step.

    Args:
        root: The data set's folder.
        out: The lock's file, or None for `tessella.lock` in the folder; the only file that is ever written there.
        overwrite: Replace a lock that says something else.
        progress: As for `lock_files`.

    Raises:
        InputError: As `lock_files`.
        OutputError: A lock is there already and says something else, or the file cannot be written.
    """
    target = out or root / LOCK
    if target.is_dir():
        raise OutputError("the lock cannot be written over a folder", where=target, fix="choose another path")
    found = lock_files(root, progress=progress)
    if target.exists() and not overwrite:
        kept = read_lock(target)
        if kept != found:
            raise OutputError(
                "the data set is locked already, and differs from its lock",
                where=target,
                got=str(difference(kept, found)),
                fix="restore the files, or pass --overwrite to lock what is there now",
            )
        return found
    write_text(target, found.to_text())
    return found


def read_lock(path: Path) -> Lock:
    """Read a lock.

    Raises:
        InputError: It cannot be read.
        FormatError: It is no lock, of a newer version, or was changed by hand.
    """
    tree = read_json(path)
    if not isinstance(tree, dict) or not isinstance(tree.get("files"), list):
        raise FormatError("this is not a lock", where=path, expected="what `tessella lock` writes")
    if tree.get("version") != _VERSION:
        raise FormatError(
            "the lock is of another version", where=path, got=tree.get("version"), expected=_VERSION,
            fix="update Tessella, or lock the data set anew",
        )  # fmt: skip
    files = tuple(_entry(entry, where=f"{path}: files[{number}]") for number, entry in enumerate(tree["files"]))
    lock = Lock(files)
    if lock.digest != tree.get("digest") or [file.path for file in files] != sorted({file.path for file in files}):
        raise FormatError(
            "the lock itself was changed: its digest is not that of its list",
            where=path,
            fix="restore it, or lock the data set anew",
        )
    return lock


def verify_lock(
    root: Path, *, path: Path | None = None, progress: Callable[[int, int], None] | None = None
) -> str | None:
    """Refuse a data set that is not what was locked: a changed byte, a missing file, a new one.

    All bytes are hashed; sizes and times of change say nothing of bytes.

    Args:
        root: The data set's folder.
        path: The lock's file, or None for `tessella.lock` in the folder.
        progress: As for `lock_files`.

    Returns:
        The lock's digest, or None where the data set is not locked.

    Raises:
        InputError: The data set differs from its lock; the message names the first files of each kind.
        FormatError: The lock is damaged.
    """
    place = path or root / LOCK
    if path is None and not place.exists():
        return None
    kept = read_lock(place)
    # a path of the lock's own is never opened, only compared: the files are those that lie below the folder
    found = Lock(tuple(_hashed(dict(_files(require_folder(root))), progress)))
    if differs := difference(kept, found):
        raise InputError(
            "the data set is not the one that was locked",
            where=root,
            got=str(differs),
            expected=f"the {len(kept.files)} files of {place.name}, byte for byte",
            fix="restore the files, or lock what is there now with `tessella lock DATA --overwrite`",
        )
    return kept.digest


def verify_locks(
    root: Path, photos: Path | None, *, progress: Callable[[int, int], None] | None = None
) -> dict[str, str]:
    """Refuse a data set, or a further folder of its photos, that is not what was locked.

    Args:
        root: The data set's folder.
        photos: The further folder, or None.
        progress: As for `lock_files`.

    Returns:
        The digests of the locks there are, as a bundle keeps them: `data_lock` and `photos_lock`.

    Raises:
        InputError: As `verify_lock`.
        FormatError: As `verify_lock`.
    """
    folders = {"data_lock": root} if photos is None else {"data_lock": root, "photos_lock": photos}
    found = {name: verify_lock(folder, progress=progress) for name, folder in folders.items()}
    return {name: digest for name, digest in found.items() if digest is not None}


def difference(kept: Lock, found: Lock) -> Difference:
    """Compare what was locked with what is there."""
    before, now = ({file.path: file for file in lock.files} for lock in (kept, found))
    return Difference(
        changed=tuple(sorted(path for path in before.keys() & now.keys() if before[path] != now[path])),
        missing=tuple(sorted(before.keys() - now.keys())),
        new=tuple(sorted(now.keys() - before.keys())),
    )


def _files(root: Path) -> Iterator[tuple[str, Path]]:
    """List every file by its relative path, in order, without the lock in `root` itself."""

    def refuse(error: OSError) -> None:
        raise InputError(f"a folder cannot be read ({error.strerror or error})", where=error.filename) from error

    found = []
    for folder, _, names in os.walk(root, onerror=refuse):
        for name in names:
            path = Path(folder, name)
            relative = path.relative_to(root).as_posix()
            if relative != LOCK:
                found.append((relative, path))
    yield from sorted(found)


def _hashed(paths: Mapping[str, Path], progress: Callable[[int, int], None] | None) -> Iterator[LockedFile]:
    listed, done = list(paths.items()), 0
    with ThreadPoolExecutor(cores()) as pool:
        for start in range(0, len(listed), _BATCH):
            batch = listed[start : start + _BATCH]
            for file in pool.map(_hash, (relative for relative, _ in batch), (path for _, path in batch)):
                yield file
                done += 1
                if progress is not None:
                    progress(done, len(listed))


def _hash(relative: str, path: Path) -> LockedFile:
    try:
        relative.encode()
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise InputError("this is no ordinary file", where=path, fix="move it out of the data set")
        return LockedFile(relative, found.st_size, sha256_file(path))
    except UnicodeEncodeError as error:
        raise InputError("the name of a file is not Unicode", where=ascii(relative), fix="rename it") from error
    except OSError as error:
        raise InputError(f"a file cannot be read ({error.strerror or error})", where=path) from error


def _entry(entry: Any, *, where: str) -> LockedFile:  # noqa: ANN401 - parsed JSON
    row: dict[str, Any] = entry if isinstance(entry, dict) else {}
    path, size, digest = row.get("path"), row.get("size"), row.get("sha256")
    if not isinstance(path, str) or not isinstance(digest, str) or not isinstance(size, int) or isinstance(size, bool):
        raise FormatError("this is not the entry of a file", where=where, expected="path, size and sha256")
    return LockedFile(path, size, digest)


def _some(paths: Iterable[str]) -> str:
    listed = list(paths)
    return ", ".join(listed[:_NAMED]) + (", ..." if len(listed) > _NAMED else "")
