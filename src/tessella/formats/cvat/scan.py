"""One pass over a CVAT file: what its head says of labels and tasks, and where its images and tracks lie."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from tessella.core.errors import FormatError
from tessella.files.values.numbers import number, size_hw
from tessella.files.xml import Span, read_span, scan_xml

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from xml.etree.ElementTree import Element

    from tessella.core.classes import Colour
    from tessella.formats.source import Source

SHAPES: Final = frozenset({"polygon", "box", "ellipse", "polyline", "points", "mask"})
"""Elements that become shapes."""

LEFT_OUT: Final = {"tag": "tags", "skeleton": "skeletons", "cuboid": "cuboids"}
"""Elements that no label map can hold, and what they are counted as."""

_NO_REGION: Final = frozenset({"skeleton", "tag", "cuboid"})
_STEP: Final = re.compile(r"step\s*=\s*([0-9]{1,9})\b")
_HEX: Final = re.compile(r"#([0-9A-Fa-f]{6})")


class Label(NamedTuple):
    """A label that the head of a file declares.

    Args:
        name: As the shapes spell it.
        colour: What CVAT paints it in, where the file says so.
    """

    name: str
    colour: Colour | None


class Task(NamedTuple):
    """What the head of a file says of one task.

    Args:
        id: CVAT's number of it, as text.
        name: Its name.
        subset: The part of the project it belongs to, as CVAT spells it.
        video: Whether its photos are frames of a video.
        frames: First frame, last frame and step; None where the file does not say.
        hw: Height and width of the frames, where the file says so.
    """

    id: str = ""
    name: str = ""
    subset: str = ""
    video: bool = False
    frames: tuple[int, int, int] | None = None
    hw: tuple[int, int] | None = None


class Entry(NamedTuple):
    """An `<image>` or `<track>` of a file.

    Args:
        path: The file.
        attributes: Of the element.
        span: Where it lies in the file; None for an element without content.
    """

    path: Path
    attributes: dict[str, str]
    span: Span | None

    def element(self, tag: str) -> Element | None:
        """Read it from the file; None where it has no content."""
        return None if self.span is None else read_span(self.path, self.span, tag)


@dataclass(frozen=True, slots=True, eq=False)
class Scanned:
    """What one pass over a file found.

    Args:
        path: The file.
        labels: What the head declares, in its order, without those that can have no region.
        tasks: What the head says of its tasks; of a project there may be many.
        images: The `<image>` elements, in the file's order.
        tracks: The `<track>` elements.
        names: How many shapes have each label.
        left_out: Counts of what no label map holds.
    """

    path: Path
    labels: tuple[Label, ...]
    tasks: tuple[Task, ...]
    images: tuple[Entry, ...]
    tracks: tuple[Entry, ...]
    names: Counter[str]
    left_out: Counter[str]


class _OtherXmlError(Exception):
    """The file's root is not CVAT's."""


@dataclass(slots=True)
class _Visitor:
    """Notes images and tracks, counts what is in them, and builds nothing."""

    found: dict[str, list[tuple[dict[str, str], int, int]]] = field(default_factory=dict)
    names: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    depth: int = 0
    opened: tuple[dict[str, str], int] = ({}, 0)
    filled: bool = False
    track: str | None = None
    kinds: frozenset[str] = frozenset()

    def start(self, tag: str, attributes: dict[str, str], place: int) -> None:
        self.depth += 1
        if self.depth == 1 and tag != "annotations":
            raise _OtherXmlError
        if self.depth == 2:
            self.opened, self.filled, self.kinds = (attributes, place), False, frozenset()
            self.track = attributes.get("label", "") if tag == "track" else None
        elif self.depth == 3:
            self.filled = True
            if self.track is not None:
                self.kinds |= {tag}
            elif tag in SHAPES:
                self.names[attributes.get("label", "")] += 1
            elif tag in LEFT_OUT:
                self.left_out[LEFT_OUT[tag]] += 1

    def end(self, tag: str, place: int) -> None:
        if self.depth == 2:
            attributes, start = self.opened
            self.found.setdefault(tag, []).append((attributes, start, place if self.filled else -1))
            if self.track is not None and self.kinds & SHAPES:
                self.names[self.track] += 1
            self.left_out.update(f"tracks of {LEFT_OUT[kind]}" for kind in self.kinds & LEFT_OUT.keys())
        self.depth -= 1


def scan(path: Path) -> Scanned | None:
    """Go through a file; None where its root element is not CVAT's.

    Raises:
        InputError: It cannot be read.
        FormatError: It is no XML, or its head is damaged.
    """
    visitor = _Visitor()
    try:
        encoding = scan_xml(path, visitor)
    except _OtherXmlError:
        return None

    def entries(tag: str) -> tuple[Entry, ...]:
        return tuple(
            Entry(path, attributes, Span(start, end, encoding) if end >= 0 else None)
            for attributes, start, end in visitor.found.get(tag, ())
        )

    labels: list[Label] = []
    tasks: list[Task] = []
    for entry in entries("meta"):
        meta = entry.element("meta")
        if meta is not None:
            labels += _labels(meta)
            tasks += _tasks(meta, where=path)
    return Scanned(
        path, tuple(labels), tuple(tasks), entries("image"), entries("track"), visitor.names, visitor.left_out
    )


def scan_all(source: Source) -> list[Scanned]:
    """Go through every CVAT file of a data set, in the order of their paths.

    Raises:
        InputError: One cannot be read.
        FormatError: One is no XML, or its head is damaged.
    """
    return [found for path in source.files(".xml") if (found := scan(path)) is not None]


def require_any(found: Sequence[Scanned], source: Source, tag: Literal["image", "track"]) -> list[Scanned]:
    """Return the files that have images, or tracks.

    Raises:
        FormatError: None has; the message names the format that reads what is there instead.
    """
    kept = [one for one in found if (one.images if tag == "image" else one.tracks)]
    if kept:
        return kept
    other = "cvat-video" if tag == "image" else "cvat"
    raise FormatError(
        f"no CVAT file with {tag}s lies here",
        where=source.file or source.root,
        expected=f"annotations.xml with <{tag}>",
        fix=f"read it with --format {other}" if any(one.images or one.tracks for one in found) else None,
    )


def is_cvat(tags: Sequence[str]) -> bool:
    """Whether element names, in their order, are those of a CVAT file."""
    return tags[:1] == ("annotations",) and bool({"meta", "image", "track"}.intersection(tags))


def _text(element: Element, path: str) -> str:
    return (element.findtext(path) or "").strip()


def _labels(meta: Element) -> list[Label]:
    found = []
    for label in meta.iterfind(".//labels/label"):
        name = label.findtext("name") or ""
        # the parts of a skeleton name their parent
        if not name.strip() or _text(label, "parent") or _text(label, "type") in _NO_REGION:
            continue
        colour = _HEX.fullmatch(_text(label, "color"))
        red, green, blue = bytes.fromhex(colour[1]) if colour else (0, 0, 0)
        found.append(Label(name, (red, green, blue) if colour else None))
    return found


def _tasks(meta: Element, *, where: Path) -> list[Task]:
    # the export of a job has <job> in the place of <task>
    return [_task(one, where=where) for tag in ("task", "job") for one in meta.iter(tag) if len(one)]


def _task(task: Element, *, where: Path) -> Task:
    size = size_hw(
        task.findtext("original_size/height"), task.findtext("original_size/width"), where=f"{where}: original_size"
    )
    return Task(
        _text(task, "id"),
        _text(task, "name"),
        _text(task, "subset"),
        _text(task, "mode") == "interpolation",
        _frames(task),
        size,
    )


def _frames(task: Element) -> tuple[int, int, int] | None:
    step = _STEP.search(_text(task, "frame_filter"))
    every = max(1, int(step[1])) if step else 1
    first, last = number(task.findtext("start_frame")), number(task.findtext("stop_frame"))
    if first.is_integer() and last.is_integer() and 0 <= first <= last:
        return int(first), int(last), every
    size = number(task.findtext("size"))
    return (0, int(size) - 1, 1) if size.is_integer() and size >= 1 else None
