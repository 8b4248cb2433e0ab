"""What every format answers: a match, a listing of records, and the table row that ties its functions together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

from tessella.core.annotation import Annotation
from tessella.core.classes import LabelCoding
from tessella.core.sample import Sample


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
    """

    name: str
    image: Path | None
    label: Path | None
    split: str = ""
    group: str = ""
    key: str = ""


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
    """

    format: str
    root: Path
    records: tuple[Record, ...]
    coding: LabelCoding
    discovered: bool = False
    notes: tuple[str, ...] = ()
    orphan_labels: tuple[str, ...] = ()
    max_pixels: int | None = None


Detect = Callable[[Path], Match | None]


class Read(Protocol):
    """How a format lists a data set."""

    def __call__(self, root: Path, coding: LabelCoding | None, *, max_pixels: int | None = None) -> Listing:
        """List the records of a folder.

        Args:
            root: The data set's folder.
            coding: The classes, or None to take what the data set says or shows.
            max_pixels: Most pixels of a photo or mask that is decoded, now or later; None for the usual budget.
        """
        ...


Load = Callable[[Record, Listing], Annotation]


class Export(NamedTuple):
    """What a writer may know besides the samples.

    Args:
        photos: For a sample's name, a file whose bytes may be copied instead of encoding the photo again.
        splits: For a sample's name, its split; names that are absent have none.
        drawings: For a sample's name, its original annotation, so that a shape format can keep shapes.
    """

    photos: Mapping[str, Path] = {}
    splits: Mapping[str, str] = {}
    drawings: Mapping[str, Annotation] = {}


Photo = Callable[[Record, Listing], bytes]
Write = Callable[[Iterable[Sample], LabelCoding, Path, Export], None]


class Format(NamedTuple):
    """One row of the table of formats.

    Args:
        detect: Says whether a folder is in this format, and why; looks at names and headers only.
        read: Lists the records; decodes labels only where classes must be discovered.
        load: Reads the annotation of one record.
        write: Writes samples into an empty folder, or None where the format is only read.
        photo: Returns the photo file that an annotation embeds, or None where the format cannot embed photos.
    """

    detect: Detect
    read: Read
    load: Load
    write: Write | None = None
    photo: Photo | None = None
