"""What a data set is read from, looked at once for all formats: its files, and the first words of its JSON and XML."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cached_property
from os.path import splitext
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from tessella.core.errors import InputError
from tessella.files.paths import IMAGE_SUFFIXES, walk
from tessella.files.text import read_head, read_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

Answer = TypeVar("Answer")

_LOOK_AT: Final = 8
_LARGEST_PARSED: Final = 1 << 24
"""Of larger JSON files, in bytes, only the head is parsed: they may hold a whole data set."""

_HEAD: Final = 1 << 20
_TAG = re.compile(r"<([A-Za-z_][\w.:-]*)", re.ASCII)


class Outline(NamedTuple):
    """The first words of a JSON file.

    Args:
        path: The file.
        tree: What it holds; of a large file the top-level keys that its first megabyte reaches, and of lists the items
            that it reaches.
    """

    path: Path
    tree: Any


@dataclass(frozen=True)
class Source:
    """Where a data set is read from.

    Args:
        root: The folder; every file that an annotation names lies in it, or in `photos`.
        file: The one annotation file that was given instead of a folder, or None.
        photos: A further folder where photos may lie, or None.
        max_pixels: Most pixels of a photo or mask that is decoded, or None for the usual budget.
        options: What was asked of the format, by the names in `Format.options`.
    """

    root: Path
    file: Path | None = None
    photos: Path | None = None
    max_pixels: int | None = None
    options: Mapping[str, str] = field(default_factory=dict)

    def files(self, *suffixes: str) -> list[Path]:
        """Return the files that may hold annotations, in a fixed order.

        Args:
            suffixes: Lower case with the dot; none for all files.
        """
        if not suffixes:
            return list(self._paths)
        found = [path for suffix in suffixes for path in self._by_suffix.get(suffix, ())]
        return found if len(suffixes) == 1 else sorted(found, key=lambda path: path.parts)

    def home(self, path: Path) -> Path:
        """Return the folder relative to which a file is named: the data set's where it lies there, else `photos`."""
        elsewhere = self.photos is not None and not path.is_relative_to(self.root) and path.is_relative_to(self.photos)
        return self.photos if self.photos is not None and elsewhere else self.root

    @cached_property
    def further_photos(self) -> tuple[Path, ...]:
        """The picture files below `photos` that do not lie below the data set's folder as well."""
        if self.photos is None or self.photos.is_relative_to(self.root):
            return ()
        found = walk(self.photos, IMAGE_SUFFIXES)
        if not self.root.is_relative_to(self.photos):
            return tuple(found)
        return tuple(path for path in found if not path.is_relative_to(self.root))

    def once(self, what: Callable[[Source], Answer]) -> Answer:
        """Return what a function says of this source; it is asked once, however many formats want to know."""
        if what not in self._answers:
            self._answers[what] = what(self)
        answer: Answer = self._answers[what]
        return answer

    @cached_property
    def _answers(self) -> dict[object, Any]:
        return {}

    @cached_property
    def _paths(self) -> list[Path]:
        return walk(self.root) if self.file is None else [self.file]

    @cached_property
    def _by_suffix(self) -> dict[str, list[Path]]:
        found: dict[str, list[Path]] = {}
        for path in self._paths:
            suffix = splitext(path.parts[-1])[1]  # noqa: PTH122 - `Path.suffix` takes seconds for 100,000 paths
            found.setdefault(suffix.lower(), []).append(path)
        return found

    @cached_property
    def outlines(self) -> tuple[Outline, ...]:
        """The first words of about eight JSON files, spread over the list; files that are no JSON are left out."""
        found = []
        for path in _spread(self.files(".json")):
            try:
                large = path.stat().st_size > _LARGEST_PARSED
                tree = _head_of_json(path) if large else read_json(path, allow_nan=True)
            except (InputError, OSError):
                continue
            found.append(Outline(path, tree))
        return tuple(found)

    @cached_property
    def xml_tags(self) -> tuple[tuple[Path, tuple[str, ...]], ...]:
        """The element names in the first megabyte of about eight XML files, each once, in their order."""
        found = []
        for path in _spread(self.files(".xml")):
            try:
                names = _TAG.findall(read_head(path, max_bytes=_HEAD))
            except OSError:
                continue
            found.append((path, tuple(dict.fromkeys(names))))
        return tuple(found)


def _spread(paths: list[Path]) -> list[Path]:
    return paths[:: max(1, len(paths) // _LOOK_AT)][: _LOOK_AT + 1]


def _head_of_json(path: Path) -> Any:  # noqa: ANN401 - parsed JSON
    """Parse as much of a JSON object or list as the first megabyte holds, down to the items of its lists."""
    text = read_head(path, max_bytes=_HEAD).lstrip()
    if text[:1] == "[":
        return _items(text, 1)[0]
    decoder, tree, place = json.JSONDecoder(), {}, 1
    try:
        while text[:1] == "{":
            name, place = decoder.raw_decode(text, _solid(text, place))
            place = _solid(text, _solid(text, place) + 1)  # past the colon
            if text[place] == "[":
                tree[name], place = _items(text, place + 1)
            else:
                tree[name], place = decoder.raw_decode(text, place)
            place = _solid(text, place) + 1  # past the comma
    except (ValueError, IndexError, RecursionError):
        pass  # the end of the head
    return tree


def _items(text: str, place: int) -> tuple[list[Any], int]:
    """Parse the items of a list from `place` on; the place behind it, or behind the text where it goes on."""
    decoder = json.JSONDecoder()
    items: list[Any] = []
    try:
        while text[_solid(text, place)] != "]":
            item, place = decoder.raw_decode(text, _solid(text, place))
            items.append(item)
            place = _solid(text, place)
            place += text[place] == ","
        return items, _solid(text, place) + 1
    except (ValueError, IndexError, RecursionError):
        return items, len(text)


def _solid(text: str, place: int) -> int:
    while text[place] in " \t\r\n":
        place += 1
    return place
