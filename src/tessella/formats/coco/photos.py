"""Where the photos of a COCO file lie: under which folder its names hold, when several folders have the same names."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from tessella.core.errors import FormatError
from tessella.files.paths import relative_name
from tessella.formats.layout.pairing import SPLIT_NAMES, role_of, split_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tessella.formats.layout.photos import PhotoFinder
    from tessella.formats.listing import Record

_WORDS = re.compile(r"[^A-Za-z]+")
_VOTERS: Final = 2000
"""So many names tell which folder is meant."""

_MOST_COMPARED: Final = 200_000


def split_of_file(path: Path, root: Path) -> str:
    """Return the split that an annotation file is of: `instances_train2017.json`, `valid/_annotations.coco.json`."""
    named = {SPLIT_NAMES[word] for word in _WORDS.split(path.stem.casefold()) if word in SPLIT_NAMES}
    if len(named) == 1:
        return named.pop()
    return split_of(relative_name(path, root).split("/")[:-1])


class FileFinder:
    """The files of one kind that a data set's rows name, by their names as listed.

    Args:
        paths: All files that may be meant.
        finder: What else is tried for photos; None for files that are no photos.
    """

    def __init__(self, paths: Iterable[Path], finder: PhotoFinder | None = None) -> None:
        self._all = frozenset(paths)
        self._by_name: dict[str, list[Path]] = {}
        for path in sorted(self._all):
            self._by_name.setdefault(path.name, []).append(path)
        self._stems = {PurePosixPath(name).stem for name in self._by_name}
        self._finder = finder

    def home(
        self, label: Path, listed: Iterable[object], *, split: str, role: str = "photo", hint: str = ""
    ) -> Path | None:
        """Return the folder below which most listed names lie; None where none does.

        Args:
            label: The annotation file.
            listed: The names in it.
            split: The split that it is of, or "".
            role: What the folder should hold, `photo` or `mask`, by its name.
            hint: What it may be called.

        Returns:
            Of equals the one called `hint`, then one whose name says `role`, one of the split, the nearest to `label`.
        """
        votes: Counter[Path] = Counter()
        compared = 0
        for name, _ in zip(listed, range(_VOTERS), strict=False):
            parts = _parts(name)
            namesakes = self._by_name.get(parts[-1], ()) if parts else ()
            compared += len(namesakes)
            for path in namesakes:
                if path.parts[-len(parts) :] == parts:
                    votes[Path(*path.parts[: -len(parts)])] += 1
            if compared > _MOST_COMPARED:  # the same name in thousands of folders
                break
        if not votes:
            return None
        return max(
            sorted(votes), key=lambda home: (votes[home], *_merits(home, label, split=split, role=role, hint=hint))
        )

    def find(self, home: Path | None, label: Path, listed: object) -> Path | None:
        """Return the file of a listed name, or None when it is not here or two files could be meant."""
        parts = _parts(listed)
        if not parts:
            return None
        named = self._by_name.get(parts[-1], ())
        if home is not None and named and (wanted := home.joinpath(*parts)) in self._all:
            return wanted
        if self._finder is None:
            return named[0] if len(named) == 1 else None
        known = bool(named) or parts[-1] in self._stems or parts[-1].rpartition(".")[0] in self._stems
        return self._finder.find(label, "/".join(parts)) if known else None  # where nothing is alike, asking is slow


def refuse_twins(records: Iterable[Record], root: Path) -> None:
    """Refuse two entries for one photo: their labels would contradict each other, or cover half of it each.

    Raises:
        FormatError: There are two.
    """
    seen: dict[Path, Record] = {}
    for record in records:
        if record.image is None or record.label is None:
            continue
        other = seen.setdefault(record.image, record)
        if other is not record:
            raise FormatError(
                "the same photo is listed twice",
                where=relative_name(record.label, root),
                got=f"{other.key} and {record.key} are both {relative_name(record.image, root)}",
                fix="make them one entry with all annotations",
            )


def _merits(home: Path, label: Path, *, split: str, role: str, hint: str) -> tuple[bool, int, bool, int]:
    roles = [found for part in home.parts if (found := role_of(part)[0])]
    fits = 0 if not roles else 1 if roles[-1] == role else -1
    shared = sum(1 for _ in zip(home.parts, label.parent.parts, strict=False) if _[0] == _[1])
    stated = {SPLIT_NAMES.get(word, "") for part in home.parts for word in _WORDS.split(part.casefold())}
    return bool(hint) and home.name == hint, fits, bool(split) and split in stated, shared


def _parts(listed: object) -> tuple[str, ...]:
    if not isinstance(listed, str) or "\0" in listed:
        return ()
    return tuple(part for part in listed.replace("\\", "/").split("/") if part not in ("", ".", ".."))
