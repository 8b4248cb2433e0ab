"""Where a known data set keeps its photos and labels: patterns of folders and file names, matched against one walk."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tessella.core.errors import FormatError
from tessella.files.paths import relative_name
from tessella.formats.layout.pairing import SPLIT_NAMES, split_of
from tessella.formats.listing import Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from tessella.formats.source import Source

PICTURE: Final = r"\.(?:png|jpe?g|tiff?|bmp|gif|webp)"
"""Pattern of the suffix of a photo or mask."""

_LOOK_AT: Final = 12

Tree = dict[str, list["Path"]]
"""The files of every folder; folders relative to the root with forward slashes, "" for the root itself."""


def tree(source: Source) -> Tree:
    """Return the files below a source's folder by the folder they lie in; ask `source.once(tree)`."""
    return _by_folder(source.files(), source.root)


def photo_tree(source: Source) -> Tree:
    """Return the files below the further folder that photos were said to lie in; nothing where none was given."""
    return {} if source.photos is None else _by_folder(source.further_photos, source.photos)


def _by_folder(paths: Iterable[Path], root: Path) -> Tree:
    # by the parts of a path: making the parent of each of 200,000 paths costs a second
    found: dict[tuple[str, ...], list[Path]] = {}
    for path in paths:
        found.setdefault(path.parts[:-1], []).append(path)
    return {"/".join(parts[len(root.parts) :]): files for parts, files in found.items()}


@dataclass(frozen=True, slots=True)
class Place:
    """Where files of one kind lie.

    Args:
        folder: Matched against the whole path of a folder below the root, "" for the root itself; case is ignored.
        name: Matched against the whole name of a file in it; case is ignored.

    Groups that both a place of photos and a place of labels name (`stem`, `split`, ...) tell which belong together;
    `split` and `group` also fill the record. A name with `_` at its end is the same group in another branch.
    """

    folder: re.Pattern[str]
    name: re.Pattern[str]

    @classmethod
    def of(cls, folder: str, name: str) -> Place:
        """Compile a place from two patterns."""
        return cls(re.compile(folder, re.IGNORECASE), re.compile(name, re.IGNORECASE))

    @property
    def groups(self) -> set[str]:
        """The names of its groups."""
        return {group.rstrip("_") for group in {**self.folder.groupindex, **self.name.groupindex}}

    def files(self, files: Tree) -> Iterator[tuple[dict[str, str], Path]]:
        """Yield the files that lie here, with what the groups matched; "" for a group that took no part."""
        for folder, members in files.items():
            if above := self.folder.fullmatch(folder):
                shared = _groups(above)
                for path in members:
                    if match := self.name.fullmatch(path.name):
                        yield shared | _groups(match), path

    def look(self, files: Tree) -> Path | None:
        """Return one file that lies here; of each folder only a dozen names are looked at."""
        for folder, members in files.items():
            if self.folder.fullmatch(folder):
                for path in members[:: max(1, len(members) // _LOOK_AT)]:
                    if self.name.fullmatch(path.name):
                        return path
        return None


def _groups(match: re.Match[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in match.groupdict().items():
        found[name.rstrip("_")] = value or found.get(name.rstrip("_"), "")
    return found


@dataclass(frozen=True, slots=True)
class Met:
    """Photos and labels that met.

    Args:
        records: One per photo, sorted by name; where there is no photo at all, one per label.
        orphans: Labels without photo, relative to the root.
    """

    records: tuple[Record, ...]
    orphans: tuple[str, ...]

    @property
    def labels(self) -> list[Path]:
        """The label files that have a photo."""
        return [record.label for record in self.records if record.label is not None]


def meet(source: Source, photos: Place, labels: Place, *, called: str = "", key: str = "") -> Met:
    """Pair the photos and labels of a known layout.

    Args:
        source: The data set.
        photos: Where photos lie.
        labels: Where labels lie.
        called: The name of a record, of groups: `{split}/{stem}`; "" for the photo's path.
        key: `Record.key` of the records with labels.

    Raises:
        FormatError: Two labels claim one photo.
    """
    shared = sorted(photos.groups & labels.groups)
    by_key: dict[tuple[str, ...], Path] = {}
    alone: list[Record] = []
    files = source.once(tree)
    for groups, path in labels.files(files):
        place = tuple(groups[name].casefold() for name in shared)
        if place in by_key:
            raise FormatError(
                "two label maps claim one photo",
                where=source.root,
                got=f"{relative_name(by_key[place], source.root)} and {relative_name(path, source.root)}",
                fix="keep one of them in the folder, or give the folder of one data set",
            )
        by_key[place] = path
        alone.append(_record(source, groups, None, path, called=called, key=key))
    records = []
    for groups, path in (*photos.files(files), *photos.files(source.once(photo_tree))):
        label = by_key.get(tuple(groups[name].casefold() for name in shared))
        records.append(_record(source, groups, path, label, called=called, key=key if label else ""))
    if not records:  # labels can be checked and converted by themselves
        return Met(tuple(sorted(alone, key=lambda record: record.name)), ())
    met = {record.label for record in records}
    lone = sorted(relative_name(path, source.root) for path in by_key.values() if path not in met)
    return Met(tuple(sorted(records, key=lambda record: record.name)), tuple(lone))


def _record(
    source: Source, groups: Mapping[str, str], photo: Path | None, label: Path | None, *, called: str, key: str
) -> Record:
    path = photo or label or source.root
    name = relative_name(path.with_suffix(""), source.home(path))
    stated = groups.get("split")
    split = split_of(name.split("/")[:-1]) if stated is None else SPLIT_NAMES.get(stated.casefold(), stated)
    if called:
        name = "/".join(part for part in called.format_map(groups).split("/") if part)
    return Record(name, photo, label, split, groups.get("group", ""), key)
