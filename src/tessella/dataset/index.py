"""The index: a data set by position; nothing is decoded until it is asked for."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from tessella import formats
from tessella.core.annotation import Drawing
from tessella.core.classes import LabelCoding, nearest_hint
from tessella.core.errors import FormatError, InputError, LabelError
from tessella.core.sample import Sample
from tessella.core.wording import counted
from tessella.dataset.photos import photo_hw, read_photo
from tessella.dataset.splits import SplitRule, assign
from tessella.files.archives import is_archive, opened
from tessella.files.classes import read_classes
from tessella.files.paths import require_folder
from tessella.formats.raster.labels import resolve
from tessella.formats.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tessella.core.annotation import Annotation
    from tessella.core.classes import ClassTable
    from tessella.core.image import Image
    from tessella.core.labelmap import LabelMap
    from tessella.formats.listing import Listing, Record
    from tessella.formats.raster.labels import Fill


@dataclass(frozen=True, eq=False)
class Index:
    """A data set: photos, labels, classes and splits, by position.

    Args:
        listing: What the format found.
        records: The photos of this index, in a fixed order; a part of `listing.records`.
        rule: How photos are split where the data set does not say.
        fill: Which pixels drawn shapes cover.
    """

    listing: Listing
    records: tuple[Record, ...]
    rule: SplitRule = field(default_factory=SplitRule)
    fill: Fill = "centre"

    def __len__(self) -> int:
        return len(self.records)

    def __iter__(self) -> Iterator[Sample]:
        return (self[position] for position in range(len(self)))

    def __getitem__(self, position: int) -> Sample:
        """Decode one photo and its labels.

        Raises:
            IndexError: No such position.
            InputError: The photo or its annotation cannot be read.
            LabelError: The labels do not fit the class table or the photo.
        """
        return self.with_image(position, self.image(position))

    def with_image(self, position: int, image: Image) -> Sample:
        """Add the labels to a photo that was decoded already; otherwise like `index[position]`."""
        record, labels = self.records[position], self._labels(position, image.hw)
        return Sample(image, labels, record.name, record.group, str(record.label or ""))

    def image(self, position: int) -> Image:
        """Decode one photo, upright.

        Raises:
            InputError: The photo is missing or cannot be read.
        """
        return read_photo(self.records[position], self.listing)

    def annotation(self, position: int) -> Annotation:
        """Read the annotation of one photo as stored.

        Raises:
            InputError: There is none, or it cannot be read.
        """
        record = self.records[position]
        if record.label is None:
            raise InputError("this photo has no labels", where=record.name)
        load = formats.format_named(self.format).load
        try:
            return load(record, self.listing)
        except InputError as error:
            error.locate(_exact(error.where, str(record.label), self.listing.place(record)))
            raise

    def labels(self, position: int) -> LabelMap | None:
        """Read the labels of one photo as ids, or None where it has none; the photo itself is not decoded.

        Raises:
            InputError: The annotation cannot be read.
            LabelError: It does not fit the class table.
        """
        return self._labels(position, None)

    def _labels(self, position: int, hw: tuple[int, int] | None) -> LabelMap | None:
        record = self.records[position]
        return None if record.label is None else self.resolve(record, self.annotation(position), hw)

    def resolve(self, record: Record, annotation: Annotation, hw: tuple[int, int] | None) -> LabelMap:
        """Turn the annotation of a record into ids.

        Args:
            record: One of this index.
            annotation: As `annotation` returned it.
            hw: Height and width of the upright photo where they are known already, else None.

        Raises:
            InputError: The photo is missing and nothing states its size.
            LabelError: The annotation does not fit the class table or the photo.
        """
        if isinstance(annotation, Drawing):
            stated = annotation.declared_hw
            if hw is None:
                hw = stated if stated is not None and not self.has_photo(record) else photo_hw(record, self.listing)
            _refuse_other_size(annotation, hw, where=self.listing.place(record))
        place = self.listing.place(record)
        try:
            return resolve(annotation, self.coding, hw, where=place, fill=self.fill)
        except LabelError as error:
            if error.where is None:  # painting knows the shape, not the file
                error.locate(place)
            raise

    def photo_hw(self, position: int) -> tuple[int, int]:
        """Return height and width of a photo, upright, from its header.

        Raises:
            InputError: It is missing or cannot be read.
        """
        return photo_hw(self.records[position], self.listing)

    def has_photo(self, record: Record) -> bool:
        """Whether a record has a photo: a file, or a picture in another file."""
        elsewhere = formats.format_named(self.format).photo is not None and not record.absent
        return record.image is not None or elsewhere

    @property
    def table(self) -> ClassTable:
        """The classes."""
        return self.listing.coding.table

    @property
    def coding(self) -> LabelCoding:
        """The classes and how they are stored."""
        return self.listing.coding

    @property
    def format(self) -> str:
        """The format's name."""
        return self.listing.format

    @property
    def root(self) -> Path:
        """The data set's folder."""
        return self.listing.root

    @property
    def left_out_note(self) -> str:
        """What the files hold and no label map can, counted, as a sentence for people; "" where there is nothing."""
        counted = ", ".join(f"{count} {what}" for what, count in sorted(self.listing.left_out.items()) if count)
        return f"left out, for no label map can hold them: {counted}" if counted else ""

    @cached_property
    def _assigned(self) -> tuple[tuple[Record, ...], tuple[str, ...]]:
        return assign(self.records, self.rule)

    @property
    def groups(self) -> tuple[str, ...]:
        """The group of every photo that the data set states; see `split_notes` for groups found by the seeded split."""
        return tuple(record.group for record in self.records)

    @property
    def splits(self) -> tuple[str, ...]:
        """The split of every photo; "" for those in none: without labels, or in no split that the data set states."""
        return tuple(record.split for record in self._assigned[0])

    @property
    def split_notes(self) -> tuple[str, ...]:
        """How the splits came about, as sentences for people."""
        return self._assigned[1]

    @property
    def split_names(self) -> tuple[str, ...]:
        """The splits there are: train, val and test first, then others by name."""
        usual = ("train", "val", "test")
        found = set(self.splits) - {""}
        return tuple(name for name in usual if name in found) + tuple(sorted(found - set(usual)))

    def split(self, name: str) -> Index:
        """Return the photos of one split.

        Args:
            name: `train`, `val`, `test` or what the data set calls it.

        Raises:
            InputError: There is no such split.
        """
        if name not in self.split_names:
            if sum(record.label is not None for record in self.records) < 2:
                raise InputError(
                    "a data set of one labelled photo cannot be split into train and val",
                    where=self.root,
                    fix="annotate at least two photos",
                )
            raise InputError(
                f"there is no split {name!r}",
                where=self.root,
                expected=", ".join(self.split_names) or "no split at all",
            )
        return self.subset([position for position, split in enumerate(self.splits) if split == name])

    def subset(self, positions: Sequence[int]) -> Index:
        """Return the photos at some positions, each with the split that it has here."""
        records = self._assigned[0]
        return replace(self, records=tuple(records[position] for position in positions), rule=SplitRule(settled=True))

    def labelled(self) -> Index:
        """Return the photos that have both a photo file and labels."""
        kept = tuple(record for record in self.records if record.label and self.has_photo(record))
        return replace(self, records=kept)


def _exact(where: str | None, file: str, place: str) -> str:
    """Return where a label is at fault, with its entry in a file of several photos: readers of parts know the file."""
    if where is None or where == file:
        return place
    return f"{place}{where[len(file) :]}" if where.startswith(f"{file}: ") else where


def _refuse_other_size(drawing: Drawing, hw: tuple[int, int], *, where: object) -> None:
    """Refuse a drawing that was made on a photo of another size: its shapes would lie beside what they outline."""
    stated = drawing.declared_hw
    if stated is not None and stated != hw:
        raise LabelError(
            "the drawing was made on a photo of another size, or before the photo was turned",
            where=where,
            got=f"{stated[1]}x{stated[0]} (width x height)",
            expected=f"{hw[1]}x{hw[0]} as the photo is shown",
            fix="run `tessella check --fix`: it scales or turns the shapes, or says what it takes a person to decide",
        )


def open_source(
    path: str | Path,
    *,
    photos: str | Path | None = None,
    max_pixels: int | None = None,
    options: Mapping[str, str] | None = None,
) -> Source:
    """Say where a data set is read from: a folder, one annotation file of it, or an archive, which is unpacked.

    Args:
        path: The folder, the file or the archive (zip, tar), which is unpacked into the user's cache.
        photos: A further folder where photos may lie.
        max_pixels: Most pixels of a photo or mask that is decoded.
        options: What is asked of the format, by the names in `Format.options`.

    Raises:
        InputError: It does not exist, or the archive is damaged or holds what no data set holds.
    """
    place, also = Path(path), None if photos is None else require_folder(Path(photos))
    if place.is_file() and is_archive(place):
        place = opened(place)
    if also is not None:
        # what lies in what is asked of paths, and "../photos" seems to lie in "."
        place, also = place.resolve(), also.resolve()
    file = place if place.is_file() else None
    root = place.parent if file is not None else require_folder(place)
    return Source(root, file, None if also == root else also, max_pixels, options or {})


def open_dataset(  # noqa: PLR0913 - one keyword per flag, as in `_doors`
    path: str | Path,
    *,
    format: str | None = None,  # noqa: A002 - the name of the flag and of the field in the JSON answer
    classes: LabelCoding | str | Path | None = None,
    split_seed: int = 0,
    val_share: float = 0.2,
    fill: Fill = "centre",
    max_pixels: int | None = None,
    photos: str | Path | None = None,
    options: Mapping[str, str] | None = None,
) -> Index:
    """Open an annotated folder.

    Args:
        path: The data set's folder, one annotation file of it, or a zip or tar of it.
        format: One of `FORMATS`, or None to detect it.
        classes: A class table, a class file, or None to take what the data set says or shows.
        split_seed: Seed of the split where the data set has none.
        val_share: Share of the photos that such a split sets aside, 0..1.
        fill: Which pixels drawn shapes cover: by our rule (`centre`) or as the tool paints them.
        max_pixels: Refuse larger photos and masks before they are decoded; by default 300 megapixels, for TIFF 2
            gigapixels.
        photos: A further folder where photos may lie: many tools export annotations alone.
        options: What is asked of the format: `{"annotator": "majority"}`; its page says what it knows.

    Returns:
        The index; `index[0].image`, `index[0].labels`.

    Raises:
        InputError: The folder is missing.
        FormatError: It is empty, holds no labels, or labels of two formats; the format knows no such option.
        ClassTableError: The class table contradicts itself.
    """
    source = open_source(path, photos=photos, max_pixels=max_pixels, options=options)
    listing = list_source(source, format=format, classes=classes)
    if not listing.records:
        raise FormatError(
            "no photo of this data set is here",
            where=path,
            got=_orphans(listing),
            expected="photos beside the annotations",
            fix="give the folder of the photos with --photos, or check the path and the format",
        )
    rule = SplitRule(seed=split_seed, val_share=val_share, max_pixels=max_pixels)
    return Index(listing, listing.records, rule, fill)


def list_source(
    source: Source,
    *,
    format: str | None = None,  # noqa: A002 - the name of the flag
    classes: LabelCoding | str | Path | None = None,
) -> Listing:
    """Detect the format of a source and list what it names; there may be no photo at all.

    Args:
        source: As `open_source` returned it.
        format: One of `FORMATS`, or None to detect it.
        classes: A class table, a class file, or None to take what the data set says or shows.

    Raises:
        FormatError: It holds no labels of a known format, or labels of two formats; the format knows no such option.
        ClassTableError: The class table contradicts itself.
    """
    coding = classes if classes is None or isinstance(classes, LabelCoding) else read_classes(Path(classes))
    name, why = (format, "as asked") if format else _detected(source)
    row = formats.format_named(name)
    for option in source.options:
        if option not in row.options:
            raise FormatError(
                f"the format {name} has no option {option!r}",
                where=source.file or source.root,
                expected=", ".join(row.options) or "no options",
                fix=nearest_hint(option, list(row.options)),
            )
    listing = formats.read_as_asked(row, source, coding) if format else row.read(source, coding)
    notes = [f"read as {name}: {why}", *(f"{key}={value} as asked" for key, value in source.options.items())]
    notes += listing.notes
    if coding is not None:
        notes.append("classes as given")
    return replace(listing, notes=tuple(notes), options=source.options, photos=source.photos)


def _detected(source: Source) -> tuple[str, str]:
    name, match = formats.choose(source)
    return name, match.why


def _orphans(listing: Listing) -> str | None:
    if listing.unreadable:
        where, fault = next(iter(listing.unreadable.items()))
        return f"{counted(len(listing.unreadable), 'label')} that cannot be read, such as {where}: {fault}"
    if not listing.orphan_labels:
        return None
    return f"{counted(len(listing.orphan_labels), 'label')} without photo, such as {listing.orphan_labels[0]}"
