"""Finds the photo that an annotation means: by the path it names, by name, by stem; never by a guess between two."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, TypeVar

from tessella.core.errors import InputError
from tessella.files.paths import IMAGE_SUFFIXES, contain, relative_name, walk
from tessella.formats.layout.pairing import split_of
from tessella.formats.listing import Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tessella.formats.source import Source

Label = TypeVar("Label")


class PhotoFinder:
    """The picture files of a data set, found by path, by name or by stem.

    Args:
        source: Photos are looked for below its `root` and its `photos`.
    """

    def __init__(self, source: Source) -> None:
        self.roots = (source.root,) if source.photos is None else (source.photos, source.root)
        self.paths = [*source.further_photos, *walk(source.root, IMAGE_SUFFIXES)]
        self._source = source
        self._all = frozenset(self.paths)
        self._folders: dict[tuple[Path, PurePosixPath], Path | None] = {}
        self._by_name: dict[str, list[Path]] = {}
        self._by_stem: dict[str, list[Path]] = {}
        for path in self.paths:
            self._by_name.setdefault(path.name, []).append(path)
            self._by_stem.setdefault(path.stem, []).append(path)

    def find(self, label: Path, listed: object) -> Path | None:
        """Return the photo of an annotation, or None when it is not here or two files could be meant.

        Args:
            label: The annotation file.
            listed: The photo's path or name in it (Windows or POSIX, relative to the annotation file or to a root; only
                the name counts where nothing lies there), or anything else where it names none.
        """
        name = ""
        if isinstance(listed, str) and listed:
            parts = PurePosixPath(listed.replace("\\", "/"))
            name = parts.name if parts.suffix.lower() in IMAGE_SUFFIXES else ""
            if name and (path := self._at(label, parts)):
                return path
            if not name and (path := self._alone(self._by_stem, parts.name)):
                return path  # some tools name the photo without its suffix
        if name and label.with_name(name) in self._all:
            return label.with_name(name)
        beside = [path for path in self._by_stem.get(label.stem, ()) if path.parent == label.parent]
        return beside[0] if len(beside) == 1 else self._alone(self._by_name, name)

    def unlabelled(self, records: Iterable[Record]) -> list[Record]:
        """Return records of the photos that no record has, in the folders where labelled photos lie."""
        taken = {record.image for record in records}
        folders = {path.parent for path in taken if path is not None}
        return [self.record(path, None) for path in self.paths if path.parent in folders and path not in taken]

    def record(self, image: Path | None, label: Path | None, *, name: str = "", key: str = "") -> Record:
        """Return the record of a photo: named by its path, in the split that its folders name.

        Args:
            image: The photo, or None where it is missing.
            label: The annotation file, or None where it has none.
            name: The name where there is no photo; by default the annotation file's.
            key: The photo's entry in the annotation file.
        """
        file = image or label
        named = _contained(name) if image is None else ""
        if not named:
            root = self._source.home(file) if file else self._source.root
            named = relative_name((file or root).with_suffix(""), root)
        return Record(named, image, label, split_of(named.split("/")[:-1]), key=key)

    def _at(self, label: Path, listed: PurePosixPath) -> Path | None:
        for root in self.roots:
            folders = [PurePosixPath()]
            if label.is_relative_to(root):
                folders.insert(0, PurePosixPath(label.parent.relative_to(root).as_posix()))
            for folder in folders:
                path = self._inside(root, folder / listed)
                if path is not None and (path in self._all or path.is_file()):
                    return path
        return None

    def _inside(self, root: Path, listed: PurePosixPath) -> Path | None:
        """Join a path to `root`; None where it leads outside. Links are followed once per folder, which takes long."""
        place = root, listed.parent
        if place not in self._folders:
            try:
                self._folders[place] = contain(root, str(listed.parent))
            except InputError:
                self._folders[place] = None
        folder = self._folders[place]
        if folder is None or folder / listed.name in self._all:
            return folder and folder / listed.name
        if not (folder / listed.name).is_file():
            return None
        try:
            return contain(root, str(listed))
        except InputError:
            return None

    @staticmethod
    def _alone(table: dict[str, list[Path]], name: str) -> Path | None:
        found = table.get(name, [])
        return found[0] if len(found) == 1 else None


def _contained(name: str) -> str:
    """Return a name from a file without suffix and without any way out of the folder that it is written into."""
    parts = [part for part in name.replace("\\", "/").split("/") if part.strip("./ ")]
    if not parts:
        return ""
    dot = parts[-1].rfind(".")
    if 0 < dot < len(parts[-1]) - 1:  # as `PurePath.suffix`, but a data set may name 100,000 photos that are not here
        parts[-1] = parts[-1][:dot]
    return "/".join(parts)


def unclaimed(labels: Iterable[tuple[Label, Path | None]], taken: Iterable[Path | None]) -> list[tuple[Label, Path]]:
    """Return damaged labels with the photos that their names tell, but for photos that another label has.

    Args:
        labels: Each with its photo, or None where nothing tells it.
        taken: The photos of labels that can be read.
    """
    owned = set(taken)
    found = []
    for label, image in labels:
        if image is not None and image not in owned:
            owned.add(image)
            found.append((label, image))
    return found


def unreadable(broken: Mapping[Path, str], records: Iterable[Record], root: Path) -> dict[str, str]:
    """Return the damaged files that no record has, relative to `root`, and what is wrong with each."""
    kept = {path for record in records for path in (record.label, *record.parts)}
    return {relative_name(path, root): fault for path, fault in broken.items() if path not in kept}


def absent_note(records: Sequence[Record]) -> tuple[str, ...]:
    """Say, for people, how many photos that a file lists are missing; nothing where all are here."""
    absent = sum(record.image is None for record in records)
    return (f"{absent} of {len(records)} listed photos are not here",) if absent else ()


def named_apart(records: Iterable[Record]) -> tuple[Record, ...]:
    """Return the records by name, each with a name of its own: `a.jpg` stays `a`, `a.png` beside it becomes `a.png`.

    A writer finds labels, photos and splits by name: under one name, two photos would swap theirs.

    Args:
        records: The first of those that share a name keeps it.
    """
    taken: dict[str, int] = {}
    found = []
    for record in records:
        name, file = record.name, record.image or record.label
        if name in taken and file is not None:
            name += file.suffix
        first = name
        while name in taken:  # counted, for a broken file may give one name to ten thousand photos
            taken[first] += 1
            name = f"{first}_{taken[first]}"
        taken[name] = 1
        found.append(record if name == record.name else replace(record, name=name))
    return tuple(sorted(found, key=lambda record: record.name))
