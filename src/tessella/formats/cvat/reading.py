"""Reading "CVAT for images 1.1": a photo per `<image>`, its shapes in the order of their z."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from tessella.core.annotation import Drawing
from tessella.core.errors import FormatError, InputError
from tessella.files.paths import relative_name
from tessella.files.values.numbers import size_hw
from tessella.formats.cvat.classes import classes
from tessella.formats.cvat.scan import is_cvat, require_any, scan_all
from tessella.formats.cvat.shapes import drawn
from tessella.formats.layout.pairing import SPLIT_NAMES
from tessella.formats.layout.photos import PhotoFinder, named_apart
from tessella.formats.listing import Listing, Match

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tessella.core.annotation import Annotation
    from tessella.core.classes import LabelCoding
    from tessella.formats.cvat.scan import Entry, Scanned
    from tessella.formats.listing import Record
    from tessella.formats.source import Source

NAME: Final = "cvat"


class _Image(NamedTuple):
    """An `<image>`, and what is known of it.

    Args:
        entry: The element.
        listed: The photo's path in it.
        subset: As CVAT spells it; "" for none.
        group: The video it is a frame of; "" for none.
        hw: Height and width that it states.
    """

    entry: Entry
    listed: str
    subset: str
    group: str
    hw: tuple[int, int] | None

    @property
    def key(self) -> str:
        return f"{self.subset}/{self.listed}" if self.subset else self.listed


def detect(source: Source) -> Match | None:
    """Say whether XML files of CVAT without tracks are there; the first megabyte of about eight is looked at."""
    found = [path for path, tags in source.xml_tags if is_cvat(tags) and "track" not in tags]
    if not found:
        return None
    return Match(90, f"{relative_name(found[0], source.root)} is CVAT's XML for images", "shapes")


def read(source: Source, coding: LabelCoding | None) -> Listing:
    """List the images of every CVAT file, and the photos beside theirs that have none.

    A photo is looked for at its name, below `images/` and below the folder of its subset, then by its file name
    anywhere. An image whose photo is missing stays in the list when the file states its size.

    Args:
        source: The data set's folder, or one XML file of it.
        coding: The classes, or None to take a class file in the folder, else the labels that the files declare.

    Raises:
        FormatError: No CVAT file with images lies here, one is damaged, or two images are one photo.
        ClassTableError: The class file contradicts itself.
    """
    root, finder = source.root, PhotoFinder(source)
    files = require_any(scan_all(source), source, "image")
    content = _content(files, root)
    records: list[Record] = []
    orphans: list[str] = []
    for (path, key), image in content.items():
        photo = _photo(finder, image)
        if photo is None and image.hw is None:
            orphans.append(f"{relative_name(path, root)}#{key}")
            continue
        record = finder.record(photo, path, name=key, key=key)
        records.append(replace(record, split=split_of_subset(image.subset) or record.split, group=image.group))
    _refuse_twins(records, root)
    meaning, notes, discovered = classes(root, files, coding)
    if empty := sum(image.entry.span is None for image in content.values()):
        notes.append(f"{empty} of {len(content)} images hold no shape: they count as labelled, with nothing in them")
    lone = finder.unlabelled(records) if source.file is None else []
    everything = named_apart([*records, *lone])
    left_out = sum((one.left_out for one in files), Counter[str]())
    return Listing(
        NAME, root, everything, meaning, discovered, tuple(notes), tuple(orphans), source.max_pixels,
        left_out, content,
    )  # fmt: skip


def _content(files: Sequence[Scanned], root: Path) -> dict[tuple[Path, str], _Image]:
    content: dict[tuple[Path, str], _Image] = {}
    for image in _images(files):
        place = image.entry.path, image.key
        if place in content:
            raise _twins(image.listed, root, f"{relative_name(place[0], root)} twice")
        content[place] = image
    return content


def _images(files: Sequence[Scanned]) -> Iterator[_Image]:
    for one in files:
        tasks = {task.id: task for task in one.tasks}
        only = one.tasks[0] if len(one.tasks) == 1 else None
        for number, entry in enumerate(one.images):
            task = tasks.get(entry.attributes.get("task_id", ""), only)
            listed = entry.attributes.get("name") or f"image {number}"
            subset = entry.attributes.get("subset", "") or (task.subset if task else "")
            group = f"task {task.id or task.name}" if task and task.video else ""
            hw = size_hw(
                entry.attributes.get("height"), entry.attributes.get("width"), where=f"{one.path}: image {listed!r}"
            )
            yield _Image(entry, listed, subset, group, hw)


def _photo(finder: PhotoFinder, image: _Image) -> Path | None:
    below = [f"images/{image.subset}/", f"{image.subset}/"] if image.subset else []
    for folder in (*below, "images/", ""):
        if photo := finder.find(image.entry.path, folder + image.listed):
            return photo
    return None


def split_of_subset(subset: str) -> str:
    """Return the split that a subset of CVAT's means: `Train` is train, `default` none, any other name itself."""
    return "" if subset.casefold() == "default" else SPLIT_NAMES.get(subset.casefold(), subset)


def _refuse_twins(records: Sequence[Record], root: Path) -> None:
    seen: dict[Path, Record] = {}
    for record in records:
        other = seen.setdefault(record.image, record) if record.image else record
        if other is not record and other.label and record.label:
            named = " and ".join(f"{relative_name(one.label, root)}#{one.key}" for one in (other, record) if one.label)
            raise _twins(record.name, root, named)


def _twins(name: str, root: Path, got: str) -> FormatError:
    return FormatError(
        f"two images describe the photo {name}",
        where=root,
        got=got,
        fix="keep one of them; jobs of one task may overlap: export the task instead, or give one file",
    )


def load(record: Record, listing: Listing) -> Annotation:
    """Read the shapes of one image.

    Raises:
        InputError: The record has no labels, or the file cannot be read.
        FormatError: A shape is damaged; `drawn` says how.
    """
    content = listing.content if isinstance(listing.content, dict) else {}
    image = content.get((record.label, record.key))
    if record.label is None or not isinstance(image, _Image):
        raise InputError("this photo has no labels", where=listing.root / record.name)
    element = image.entry.element("image")
    where = listing.place(record)
    shapes = () if element is None else drawn(element, where=where, max_pixels=listing.max_pixels)
    return Drawing(shapes, image.hw, tool="cvat")
