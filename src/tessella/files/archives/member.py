"""One member of an archive, and the limits that all members keep together."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from tessella.core.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MEMBER_BUDGET: Final = 1_000_000
"""Most files and folders of one archive."""

SIZE_BUDGET: Final = 1 << 40
"""Most bytes that one archive unpacks to, however large it is."""

RATIO_BUDGET: Final = 300
"""Most bytes that a byte of an archive may become. Photos stay as they are, JSON becomes 20, a bomb of zeros 1,000."""

FREE_BUDGET: Final = 1 << 28
"""Bytes that any archive may unpack to: a small set of flat masks shrinks further than the ratio allows."""

PIECE: Final = 1 << 20
"""Bytes that are unpacked at a time."""

_LONGEST_PATH: Final = 1024
_DRIVE: Final = re.compile(r"^[A-Za-z]:")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_WINDOWS: Final = re.compile(r'[<>:"|?*]|[. ]$')


@dataclass(frozen=True, slots=True)
class Member:
    """A file of an archive.

    Args:
        name: As the archive spells it.
        size: Its bytes when unpacked.
        pieces: Unpacks it, a mebibyte at a time.
        packed: Its bytes in the archive, or None where they cannot be told from others.
    """

    name: str
    size: int
    pieces: Callable[[], Iterator[bytes]]
    packed: int | None = None

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder: its name ends with a separator."""
        return self.name.endswith(("/", "\\"))


@dataclass(slots=True)
class Limits:
    """What the members that were let through add up to.

    Args:
        where: The archive, for messages.
        archive_size: Its bytes.
        count: Members so far.
        total: Their bytes when unpacked.
        paths: Where they go, files as True and folders as False.
    """

    where: object
    archive_size: int
    count: int = 0
    total: int = 0
    paths: dict[PurePosixPath, bool] = field(default_factory=dict)

    def judge(self, member: Member) -> PurePosixPath | None:
        """Count one more member and return where it goes, or None for what macOS adds and nobody needs.

        Raises:
            FormatError: Too many members, a name that leads outside, that no file system can hold or that is taken, or
                more bytes than the archive can honestly hold.
        """
        self.count += 1
        if self.count > MEMBER_BUDGET:
            raise self.refusal("the archive holds too many files", expected=f"at most {MEMBER_BUDGET}")
        path = self._inside(member.name)
        if path.parts[:1] == ("__MACOSX",) or path.name == ".DS_Store" or path.name.startswith("._"):
            return None
        if member.is_folder:
            self._add_folder(path)
        else:
            self._add_file(path, member)
        return path

    def _inside(self, name: str) -> PurePosixPath:
        text = name.replace("\\", "/")
        parts = text.split("/")
        bad = (
            text.startswith("/") or _DRIVE.match(text) or ".." in parts or _CONTROL.search(text)
            or len(text) > _LONGEST_PATH or any(len(part.encode("utf-8", "replace")) > 255 for part in parts)
            or any("\ud800" <= letter <= "\udfff" for letter in text)
        )  # fmt: skip
        if bad or (os.name == "nt" and any(_WINDOWS.search(part) for part in parts)):
            raise self.refusal(
                "the archive holds a path that leads outside of it, or that no file can have",
                got=shown(name),
                expected="a path below the archive's own folder",
            )
        return PurePosixPath(text)

    def _add_file(self, path: PurePosixPath, member: Member) -> None:
        if path in self.paths or path == PurePosixPath():
            raise self.refusal("a path occurs twice in the archive", got=shown(member.name))
        self._add_folder(path.parent)
        self.paths[path] = True
        self.total += member.size
        self._weigh(member.size, self.archive_size if member.packed is None else member.packed, member.name)
        self._weigh(self.total, self.archive_size, "all files together")

    def _add_folder(self, path: PurePosixPath) -> None:
        for folder in (path, *path.parents):
            if self.paths.setdefault(folder, False):
                raise self.refusal("a path is a file and a folder at once", got=shown(str(folder)))

    def _weigh(self, size: int, packed: int, name: str) -> None:
        allowed = min(max(FREE_BUDGET, packed * RATIO_BUDGET), SIZE_BUDGET)
        if not 0 <= size <= allowed:
            raise self.refusal(
                "the archive would unpack to far more than it can honestly hold",
                got=f"{size} bytes from {packed} ({shown(name)})",
                expected=f"at most {allowed} bytes",
            )

    def refusal(self, what: str, *, got: object = None, expected: object = None) -> FormatError:
        """Return an error that names the archive."""
        fix = "do not unpack it by hand either unless you trust its sender; ask for a plain zip of the data set"
        return FormatError(what, where=self.where, got=got, expected=expected, fix=fix)


def shown(name: str) -> str:
    """Return a member's name for a message: quoted, and not longer than a line."""
    return ascii(name if len(name) <= 80 else name[:77] + "...")
