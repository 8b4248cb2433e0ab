"""Data sets whose layout is published: one reader for all of them, told by a table where things lie and mean what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from tessella.core.annotation import Annotation  # noqa: TC001 - a protocol and a type of fields
from tessella.core.classes import LabelCoding
from tessella.core.errors import FormatError
from tessella.files.masks import read_mask
from tessella.formats.layout.class_files import find_classes
from tessella.formats.layout.photos import named_apart
from tessella.formats.layout.places import Met, Place, meet, tree
from tessella.formats.listing import Format, Listing, Match, Record, Writer
from tessella.formats.source import Source


class ReadLabel(Protocol):
    """Reads one label file, as `read_mask` does."""

    def __call__(self, path: Path, /, *, max_pixels: int | None = None) -> Annotation:
        """Read one file."""


class Classes(NamedTuple):
    """The classes of a data set.

    Args:
        coding: The classes and how they are stored.
        notes: What a person should know of them.
        discovered: Whether they were read off the labels.
        published: Whether they are those that the data set's authors state.
    """

    coding: LabelCoding
    notes: tuple[str, ...] = ()
    discovered: bool = False
    published: bool = False


Settle = Callable[[Source, Met, LabelCoding | None], Classes]
"""Finds the classes of what was met; a coding that was given is to be kept, its values may be filled in."""

Evidence = Callable[[Source, Path], bool]
"""Whether one of the label files, once it is looked into, is what its place promises."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One way a data set stores its labels.

    Args:
        title: What the labels are, for notes: "labelIds".
        photos: Where photos lie.
        labels: Where labels lie.
        classes: The published classes, or how they are found.
        note: What a person should know of this kind.
        read: How one label file is read.
        whole: Whether stored values are what a file holds pixel by pixel, so that a repair may write them back.
        certain: Whether it is told by its labels alone, without a photo.
        evidence: A further look that detection takes at one label file.
    """

    title: str
    photos: Place
    labels: Place
    classes: LabelCoding | Settle
    note: str = ""
    read: ReadLabel = read_mask
    whole: bool = True
    certain: bool = False
    evidence: Evidence | None = None


@dataclass(frozen=True, slots=True)
class Published:
    """A data set with a published layout.

    Args:
        name: Of the format.
        score: How sure detection is when the files are where they are expected.
        kinds: How labels may be stored, the preferred first.
        expected: The layout in words, for messages.
        called: How records are called, of groups; "" for the photo's path.
        beside: What else may lie here and is left out, counted: name and place.
        own_classes: Whether a class file beside the data counts more than the published classes.
    """

    name: str
    score: int
    kinds: tuple[Kind, ...]
    expected: str
    called: str = ""
    beside: tuple[tuple[str, Place], ...] = ()
    own_classes: bool = True

    def row(self, write: Writer | None = None) -> Format:
        """Return the row of the table of formats."""
        return Format(self.detect, self.read, self.load, write)

    def detect(self, source: Source) -> Match | None:
        """Say whether photos and labels lie where this data set has them."""
        if source.file is not None:
            return None
        files = source.once(tree)
        for kind in self.kinds:
            label = kind.labels.look(files)
            if label is None or (kind.evidence is not None and not kind.evidence(source, label)):
                continue
            if kind.certain or source.photos is not None or kind.photos.look(files):
                return Match(self.score, f"{label.name} lies where {self.name} keeps its {kind.title}")
        return None

    def read(self, source: Source, coding: LabelCoding | None) -> Listing:
        """List the photos and labels, of the preferred kind that is there.

        Args:
            source: The data set's folder.
            coding: The classes, or None to take those of a class file beside the data, or else the published ones.

        Raises:
            FormatError: Nothing lies where it is expected.
            ClassTableError: The class file contradicts itself.
            LabelError: The labels hold no classes.
        """
        files = source.once(tree)
        number = next((place for place, kind in enumerate(self.kinds) if next(kind.labels.files(files), None)), None)
        if number is None:
            raise FormatError(f"nothing here is laid out as {self.name}", where=source.root, expected=self.expected)
        kind = self.kinds[number]
        key = "" if kind.whole else "class"
        met = meet(source, kind.photos, kind.labels, called=self.called, key=key)
        coding, notes, discovered, published = self._classes(source, kind, met, coding)
        records = named_apart(met.records)
        if not any(record.image for record in records):
            notes = (*notes, "no photo lies here, so the labels stand alone")
        left = {what: sum(1 for _ in place.files(files)) for what, place in self.beside}
        orphans = tuple(f"{name}#{key}" if key else name for name in met.orphans)
        return Listing(
            self.name, source.root, records, coding, discovered,
            (f"labels are {kind.title}", *([kind.note] if kind.note else []), *notes), orphans, source.max_pixels,
            {what: count for what, count in left.items() if count}, number, published=published,
        )  # fmt: skip

    def _classes(self, source: Source, kind: Kind, met: Met, coding: LabelCoding | None) -> Classes:
        notes: tuple[str, ...] = ()
        if coding is None and self.own_classes and (beside := find_classes(source.root)):
            coding, notes = beside[0], (f"classes from {beside[1]}",)
        if isinstance(kind.classes, LabelCoding):
            own = Classes(kind.classes, ("its published classes",), published=True)
            found = own if coding is None else Classes(coding)
        else:
            found = kind.classes(source, met, coding)
        return found._replace(notes=(*notes, *found.notes))

    def load(self, record: Record, listing: Listing) -> Annotation:
        """Read the label of one record.

        Raises:
            InputError: There is none, or it cannot be read.
        """
        path = listing.label_of(record)
        number = listing.content
        kind = self.kinds[number if isinstance(number, int) and 0 <= number < len(self.kinds) else 0]
        return kind.read(path, max_pixels=listing.max_pixels)
