"""What every format answers: a match, a listing of records, and the table row that ties its functions together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from tessella.core.annotation import Annotation, Drawing
from tessella.core.classes import LabelCoding
from tessella.core.errors import InputError
from tessella.core.image import Image
from tessella.formats.source import Source

if TYPE_CHECKING:
    from pathlib import Path

    from tessella.core.labelmap import LabelMap


CUT_AT_HALF: Final = frozenset({"class-folder"})
"""Formats whose masks say yes or no, and are cut at half their range when they are read, smooth edges and all. The key
of a record is the class of its folder there."""

READ_OUT: Final = frozenset({"array", "class", "matrix", "object"})
"""Keys that say what is read out of the file of one photo; any other names an entry of a file of several photos."""


TRACK: Final = "track_id"
"""The attribute of a shape that tells which object of a video it is, the same on every frame."""


class Match(NamedTuple):
    """How sure a format is that a folder is its own.

    Args:
        score: 1..100; 90 and above: files that only this format has.
        why: What was seen, as a sentence for people.
        kind: What the labels are; mask formats may describe the same files, a mask and a shape format never do.
    """

    score: int
    why: str
    kind: Literal["masks", "shapes"] = "masks"


@dataclass(frozen=True, slots=True)
class Record:
    """One photo of a data set, before anything is decoded. Small and picklable, so it can cross processes.

    Args:
        name: Unique in the data set: the photo's path without suffix, with forward slashes.
        image: The photo file; None when it is missing or embedded in the annotation.
        label: The annotation file; None when the photo has none.
        split: `train`, `val`, `test` or another name the data set gives; "" where it gives none.
        group: Records of one group never straddle a split; "" where the data set gives none.
        key: The entry inside an annotation file that holds several photos.
        parts: Further files that make up the label, such as one mask per instance.
        absent: Whether the annotation, which in its format may embed the photo, does not, and no file has it either.
    """

    name: str
    image: Path | None
    label: Path | None
    split: str = ""
    group: str = ""
    key: str = ""
    parts: tuple[Path, ...] = ()
    absent: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Listing:
    """Everything that a data set names, and what its labels mean; nothing is decoded yet.

    Args:
        format: The format's name in `FORMATS`.
        root: The data set's folder.
        records: One per photo, sorted by name.
        coding: The classes and how they are stored.
        discovered: Whether the classes were read off the labels rather than stated by a file or the caller.
        notes: What a person should know of how the data set was read, such as where the classes come from.
        orphan_labels: Annotation files whose photo is missing (paths relative to `root`).
        max_pixels: Most pixels of a photo or mask that is decoded, or None for the usual budget.
        left_out: What the files hold and no label map can, counted: `keypoints`, `boxes without outline`, ...
        content: What the format keeps of a file that describes several photos; nobody else looks into it.
        declared_bytes: How large annotation files say that photos are, by record name; another size means that the
            photo was changed after it was annotated.
        options: What was asked of the format.
        photos: The further folder where photos may lie, or None.
        unreadable: Annotation files that cannot be read and of which nothing tells the photo (paths relative to
            `root`), and why. One whose name tells its photo is the label of that record, and loading it says why.
        merged: Names that a file gives to several classes, which are read as one, and the ids they have there.
        boxed: How many boxes without outline there are by label name, where the format says it.
        published: Whether the class table is a published data set's, rather than stated with the data or by the caller.
    """

    format: str
    root: Path
    records: tuple[Record, ...]
    coding: LabelCoding
    discovered: bool = False
    notes: tuple[str, ...] = ()
    orphan_labels: tuple[str, ...] = ()
    max_pixels: int | None = None
    left_out: Mapping[str, int] = field(default_factory=dict)
    content: object = None
    declared_bytes: Mapping[str, int] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)
    photos: Path | None = None
    unreadable: Mapping[str, str] = field(default_factory=dict)
    merged: Mapping[str, Sequence[str]] = field(default_factory=dict)
    boxed: Mapping[str, int] = field(default_factory=dict)
    published: bool = False

    def label_of(self, record: Record) -> Path:
        """Return the label's file.

        Raises:
            InputError: The photo has no labels.
        """
        if record.label is None:
            raise InputError("this photo has no labels", where=self.root / record.name)
        return record.label

    def kept_of(self, record: Record) -> Any:  # noqa: ANN401 - the format knows what it kept
        """Return what the format keeps of one of several photos that a file describes: `content[FILE#KEY]`.

        Raises:
            InputError: The photo has no labels.
        """
        content: Any = self.content
        return content[f"{self.label_of(record)}#{record.key}"]

    def place(self, record: Record) -> str:
        """Return the label's file and, behind `#`, the entry in it that describes the photo, for messages."""
        entry = "" if self.format in CUT_AT_HALF or record.key in READ_OUT else record.key
        return f"{record.label}#{entry}" if entry else str(record.label)


Detect = Callable[[Source], Match | None]
Read = Callable[[Source, LabelCoding | None], Listing]
Load = Callable[[Record, Listing], Annotation]
Photo = Callable[[Record, Listing], Image]
Opinions = Callable[[Record, Listing], Sequence[tuple[str, Drawing]]]

Json = Any
"""Plain JSON data."""


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    """One photo on its way into another format.

    Args:
        name: Of the record it comes from; unique.
        stem: What its files are called: a relative path without suffix, unique within its split.
        split: `train`, `val`, ... or "".
        hw: Height and width of the upright photo in pixels.
        photo: The photo's file, whose bytes may be copied where it is upright; None where there is none.
        image: Decodes the photo upright; None where it is missing.
        labels: Its class ids, or None where it has no labels.
        drawing: Its labels as they were drawn, where both formats hold shapes.
        lost: What its labels say and the new format does not, counted by kind; its writer counts on.
    """

    name: str
    stem: str
    split: str
    hw: tuple[int, int]
    photo: Path | None
    image: Callable[[], Image] | None
    labels: LabelMap | None
    drawing: Drawing | None = None
    lost: Counter[str] = field(default_factory=Counter)


class Written(NamedTuple):
    """What is left of an item once its files are written.

    Args:
        name: Of the item.
        stem: Of the item.
        split: Of the item.
        entry: What the format's `one` returned.
    """

    name: str
    stem: str
    split: str
    entry: Json


class Writer(NamedTuple):
    """How a format is written: photo by photo on all cores, then what speaks of all of them.

    Args:
        one: Writes the files of one photo below the folder, and returns plain JSON data for `close`. Runs on several
            threads at once, and not again for photos that an interrupted conversion has finished.
        close: Writes lists and class files from all that was written, in the order of the data set.
        one_folder: Whether the photos of all splits lie in one folder, so that their stems must differ.
    """

    one: Callable[[Item, LabelCoding, Path], Json]
    close: Callable[[Sequence[Written], LabelCoding, Path], None]
    one_folder: bool = False


class Format(NamedTuple):
    """One row of the table of formats.

    Args:
        detect: Says whether a source is in this format, and why; looks at names and headers only.
        read: Lists the records; decodes labels only where classes must be discovered.
        load: Reads the annotation of one record.
        write: How it is written, or None where the format is only read.
        photo: Returns the photo of a record that has no file of its own: embedded, a page, a slice. None where there is
            no such thing.
        drawn: Whether labels are drawn shapes: what they mean is a name, never a stored value.
        holds: What it can hold besides a class per pixel: `instances` (objects), `groups` (which shapes belong
            together, whatever lies between them and whatever their classes), `attributes`; outlines as `shapes`, and of
            those that are no plain polygon `holes`, `boxes`, `circles`, `ellipses`, `lines`, `points`, `masks`.
        options: What can be asked of it when it is read: a name (`--option NAME=VALUE`), and what it does in a line.
        opinions: Returns what each of several people drew in one photo, by name, where they differ. None where a file
            keeps one annotation of a photo.
    """

    detect: Detect
    read: Read
    load: Load
    write: Writer | None = None
    photo: Photo | None = None
    drawn: bool = False
    holds: frozenset[str] = frozenset()
    options: Mapping[str, str] = {}
    opinions: Opinions | None = None
