"""Reading "CVAT for video 1.1": a photo per frame, with every object that is in the picture there."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, NamedTuple

from tessella.core.annotation import Drawing
from tessella.core.errors import FormatError, InputError
from tessella.core.wording import counted
from tessella.files.paths import relative_name
from tessella.formats.cvat.classes import classes
from tessella.formats.cvat.reading import split_of_subset
from tessella.formats.cvat.scan import Task, is_cvat, require_any, scan_all
from tessella.formats.cvat.shapes import check_masks
from tessella.formats.cvat.tracks import read_track
from tessella.formats.layout.photos import PhotoFinder, named_apart
from tessella.formats.listing import Listing, Match

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tessella.core.annotation import Annotation
    from tessella.core.classes import LabelCoding
    from tessella.formats.cvat.scan import Scanned
    from tessella.formats.cvat.tracks import Track
    from tessella.formats.listing import Record
    from tessella.formats.source import Source

NAME: Final = "cvat-video"
FRAME_BUDGET: Final = 1_000_000
"""Most frames of one video: nine hours at 30 frames per second."""

_FRAME: Final = re.compile(r"frame_([0-9]{1,12})", re.IGNORECASE)


class _Frame(NamedTuple):
    """A frame of a video.

    Args:
        number: As the file counts.
        task: CVAT's number of the task.
        hw: Height and width that the file states.
    """

    number: int
    task: str
    hw: tuple[int, int] | None


@dataclass(frozen=True, slots=True, eq=False)
class _Content:
    """What is kept of the files: frames by file and key, tracks by file."""

    frames: dict[tuple[Path, str], _Frame]
    tracks: dict[Path, tuple[Track, ...]]


def detect(source: Source) -> Match | None:
    """Say whether XML files of CVAT with tracks are there; the first megabyte of about eight is looked at."""
    found = [path for path, tags in source.xml_tags if is_cvat(tags) and "track" in tags]
    if not found:
        return None
    return Match(90, f"{relative_name(found[0], source.root)} is CVAT's XML for video", "shapes")


def read(source: Source, coding: LabelCoding | None) -> Listing:
    """List the frames of every task, and the photos beside theirs that belong to none.

    A frame's photo is the one whose name ends in `frame_` and its number, below the folder of the XML file and that of
    its subset; where no photo is called so and there are as many photos as frames, they belong together in the order
    of their names. A frame whose photo is missing stays in the list when the file states its size.

    Args:
        source: The data set's folder, or one XML file of it.
        coding: The classes, or None to take a class file in the folder, else the labels that the files declare.

    Raises:
        FormatError: No CVAT file with tracks lies here, one is damaged, or a video has more than a million frames.
        ClassTableError: The class file contradicts itself.
    """
    root, finder = source.root, PhotoFinder(source)
    files = require_any(scan_all(source), source, "track")
    content = _Content({}, {})
    records: list[Record] = []
    orphans: list[str] = []
    notes: list[str] = []
    for one in files:
        tracks = tuple(track for place, entry in enumerate(one.tracks) if (track := read_track(entry, place)))
        content.tracks[one.path] = tracks
        for task in one.tasks or (Task(),):
            frames = _frames(task, tracks, only=len(one.tasks) < 2, where=one.path)
            video = _Video(one, task, frames)
            photos, how = _photos(video, finder.paths)
            notes += [how] if how else []
            if task.hw is None:
                orphans += [f"{relative_name(one.path, root)}#{video.key(at)}" for at in frames if at not in photos]
            records += _records(video, photos, finder, content)
    meaning, found, discovered = classes(root, files, coding)
    lone = finder.unlabelled(records) if source.file is None else []
    everything = named_apart([*records, *lone])
    left_out = sum((one.left_out for one in files), Counter[str]())
    return Listing(
        NAME, root, everything, meaning, discovered, (*found, *notes), tuple(orphans), source.max_pixels,
        left_out, content,
    )  # fmt: skip


def _frames(task: Task, tracks: Sequence[Track], *, only: bool, where: Path) -> list[int]:
    """Return the frames of a task: those its head states, and those on which a shape is listed."""
    own = [track for track in tracks if only or track.task == task.id]
    listed = {known.frame for track in own for known in track.known if not known.outside}
    stated = range(0)
    if task.frames is not None:
        first, last, step = task.frames
        stated = range(first, last + 1, step)
    if len(listed) > FRAME_BUDGET or (stated and (stated[-1] - stated[0]) // stated.step >= FRAME_BUDGET):
        raise FormatError(
            "the video has too many frames", where=where, got=f"{task.frames}", expected=f"at most {FRAME_BUDGET}"
        )
    return sorted(listed.union(stated))


class _Video(NamedTuple):
    """A task: the file it is in, what its head says, and its frames."""

    file: Scanned
    task: Task
    frames: Sequence[int]

    def key(self, frame: int) -> str:
        name = f"frame_{frame:06d}"
        task = self.task
        return name if len(self.file.tasks) < 2 else f"{task.subset or task.name or 'task'}-{task.id}/{name}"


def _photos(video: _Video, paths: Sequence[Path]) -> tuple[dict[int, Path], str]:
    """Return the photo of each frame that has one, and a note where that is not plain."""
    near = [path for path in paths if path.is_relative_to(video.file.path.parent)] or list(paths)
    if subset := video.task.subset:
        near = [path for path in near if subset in path.parts] or near
    by_number: dict[int, list[Path]] = {}
    for path in near:
        if match := _FRAME.search(path.stem):
            by_number.setdefault(int(match[1]), []).append(path)
    if by_number:
        return {frame: by_number[frame][0] for frame in video.frames if len(by_number.get(frame, ())) == 1}, ""
    if len(near) == len(video.frames):
        how = "the photos are not named after frames, and are taken for them in the order of their names"
        return dict(zip(video.frames, near, strict=True)), how
    told = counted(len(near), "photo is", "photos are")
    how = f"{told} not named after frames, nor as many as the frames ({len(video.frames)}), and unused"
    return {}, how if near else ""


def _records(video: _Video, photos: dict[int, Path], finder: PhotoFinder, content: _Content) -> list[Record]:
    path, task, root = video.file.path, video.task, finder.roots[-1]
    group = f"{relative_name(path, root)} {task.id}".strip()
    records = []
    for frame in video.frames:
        key, photo = video.key(frame), photos.get(frame)
        if photo is None and task.hw is None:
            continue
        content.frames[path, key] = _Frame(frame, task.id, task.hw)
        record = finder.record(photo, path, name=f"{relative_name(path.parent, root)}/{key}", key=key)
        records.append(replace(record, split=split_of_subset(task.subset) or record.split, group=group))
    return records


def load(record: Record, listing: Listing) -> Annotation:
    """Compute what is on one frame.

    Raises:
        InputError: The record has no labels.
        FormatError: A mask is damaged.
    """
    content = listing.content
    frame = content.frames.get((record.label, record.key)) if isinstance(content, _Content) and record.label else None
    if frame is None or record.label is None or not isinstance(content, _Content):
        raise InputError("this photo has no labels", where=listing.root / record.name)
    where = listing.place(record)
    found = [
        (place, shown)
        for place, track in enumerate(content.tracks[record.label])
        if track.task in ("", frame.task)
        and (shown := track.at(frame.number, where=where, max_pixels=listing.max_pixels))
    ]
    check_masks(sum(shape.mask.size for _, (_, shape) in found if shape.mask is not None), where=where)
    found.sort(key=lambda item: (item[1][0], item[0]))
    return Drawing(tuple(shape for _, (_, shape) in found), frame.hw, tool="cvat")
