"""coco: COCO's JSON of instances, one file for many photos: polygons and run-length masks per object."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from tessella.core.classes import LabelCoding
from tessella.core.errors import FormatError, InputError
from tessella.files.paths import relative_name
from tessella.formats.coco.catalogue import IGNORE_NAME, classes_of, twins_of
from tessella.formats.coco.outlook import may_hold_outlines, outlines_of
from tessella.formats.coco.photos import FileFinder, refuse_twins
from tessella.formats.coco.shapes import drawing_of
from tessella.formats.coco.sheets import Page, Sheet, pages_of, sheets_of
from tessella.formats.layout.photos import PhotoFinder, absent_note, named_apart
from tessella.formats.listing import Listing, Match, Record
from tessella.formats.raster.labels import uncovered_note

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from tessella.core.annotation import Annotation
    from tessella.formats.source import Source

NAME: Final = "coco"
BOXES_NOTE: Final = "the pixels of boxes without outline are ignored where no outline covers them"
_UNCOVERED: Final = "pixels that no outline covers are background"


def detect(source: Source) -> Match | None:
    """Say whether JSON files with COCO's lists of images and annotations are there."""
    found = outlines_of(source, "instances")
    if not found:
        return None
    why = f"{len(found)} of {len(source.outlines)} JSON files looked at hold COCO's images and annotations"
    return Match(90 if any(map(may_hold_outlines, found)) else 5, why, "shapes")


def read(source: Source, coding: LabelCoding | None) -> Listing:
    """List the photos that the JSON files name.

    A photo without annotations is all background; one in a file without any annotation is not labelled. Photos that
    are not here stay, for their sizes are stated.

    Args:
        source: The folder, or one JSON file of it.
        coding: The classes, or None to take them from the categories.

    Raises:
        FormatError: No COCO file lies here, none has an outline, or two describe one photo.
        LabelError: The categories cannot become classes.
        ClassTableError: `classes.toml` contradicts itself.
    """
    root, photos = source.root, PhotoFinder(source)
    sheets = sheets_of(source)
    facts = sum((sheet.facts for sheet in sheets), Counter[str]())
    if not facts["outlines"]:
        raise _no_outlines(source, sheets, facts)
    finder = FileFinder(photos.paths, photos)
    listed, notes = _chosen([(sheet, _found(sheet, finder)) for sheet in sheets], root)
    facts = sum((sheet.facts for sheet, _ in listed), Counter[str]())
    discovered = False
    sets = [(sheet.categories, sheet.used) for sheet, _ in listed]
    if coding is None:
        coding, found, discovered = classes_of(sets, root, uncovered=_UNCOVERED)
        notes += found
    notes += uncovered_note(coding, by="outline")
    coding = with_ignore(coding) if facts["boxes without outline"] else coding
    records: list[Record] = []
    orphans: list[str] = []
    for sheet, images in listed:
        for record, known in _records(sheet, images, photos, root):
            if record.image is not None or known:
                records.append(record)
            else:
                orphans.append(f"{relative_name(sheet.path, root)}#{record.key}")
    refuse_twins(records, root)
    notes += _notes(facts, records)
    lone = photos.unlabelled(records) if source.file is None else []
    return Listing(
        NAME,
        root,
        named_apart([*records, *lone]),
        coding,
        discovered,
        tuple(notes),
        tuple(orphans),
        source.max_pixels,
        {what: facts[what] for what in _LEFT_OUT if facts[what]},
        pages_of(sheet for sheet, _ in listed),
        merged=twins_of(sets),
        boxed=_boxed(sheet for sheet, _ in listed),
    )


_LEFT_OUT: Final = (
    "boxes without outline",
    "outlines of fewer than 3 points",
    "sets of keypoints",
    "captions",
    "labels of whole photos",
    "annotations of photos that are not listed",
)


def _boxed(sheets: Iterable[Sheet]) -> dict[str, int]:
    """Count the boxes without outline by the name of their category."""
    found: Counter[str] = Counter()
    for sheet in sheets:
        for key, count in sheet.boxed.items():
            found[sheet.page.names.get(key, f"category_{key}")] += count
    return dict(found)


def _no_outlines(source: Source, sheets: list[Sheet], facts: Counter[str]) -> FormatError:
    where = source.file or source.root
    if not sheets:
        return FormatError("no COCO file lies here", where=where, expected="JSON files with images and annotations")
    held = ", ".join(f"{facts[what]} {what}" for what in _LEFT_OUT if facts[what])
    return FormatError(
        "these COCO files hold no outlines, so they say nothing of pixels",
        where=where,
        got=held or "no annotations",
        expected="annotations with polygons or run-length masks",
        fix="give the files that hold outlines, or annotate them: `segmentation` is empty in every annotation",
    )


def _found(sheet: Sheet, finder: FileFinder) -> list[Path | None]:
    names = [photo.file_name for photo in sheet.photos]
    home = finder.home(sheet.path, names, split=sheet.split)
    return [finder.find(home, sheet.path, name) for name in names]


def _chosen(
    found: list[tuple[Sheet, list[Path | None]]], root: Path
) -> tuple[list[tuple[Sheet, list[Path | None]]], list[str]]:
    """Leave out files that say other things of photos that a better file describes.

    COCO itself has, side by side for the same photos, instances, stuff, keypoints and captions.
    """
    chosen: list[tuple[Sheet, list[Path | None]]] = []
    notes: list[str] = []
    owners: dict[object, Sheet] = {}
    for sheet, images in sorted(found, key=lambda pair: (not pair[0].facts["outlines"], pair[0].rank)):
        names = [image or sheet.place_of(photo) for photo, image in zip(sheet.photos, images, strict=True)]
        clash = next((name for name in names if name in owners), None)
        if clash is None:
            owners |= dict.fromkeys(names, sheet)
            chosen.append((sheet, images))
            continue
        other = owners[clash]
        if sheet.facts["outlines"] and sheet.rank == other.rank:
            raise FormatError(
                "two COCO files describe the same photo",
                where=root,
                got=f"{relative_name(other.path, root)} and {relative_name(sheet.path, root)}",
                fix="give the file itself instead of the folder, or keep one of them",
            )
        notes.append(
            f"{relative_name(sheet.path, root)} speaks of the same photos and is not read; give the file itself for it"
        )
    chosen.sort(key=lambda pair: pair[0].path.parts)
    return chosen, notes


def _records(sheet: Sheet, images: list[Path | None], photos: PhotoFinder, root: Path) -> Iterator[tuple[Record, bool]]:
    """Yield the record of every photo, and whether its size is known without it."""
    label = sheet.path if len(sheet.rows) else None
    folder = relative_name(sheet.path.parent, root) + "/" if sheet.in_split_folder else ""
    for photo, image in zip(sheet.photos, images, strict=True):
        name = folder + (photo.file_name or f"image_{photo.key}")
        record = photos.record(image, sheet.path, name=name, key=photo.key)
        yield Record(record.name, image, label, sheet.split or record.split, key=photo.key), photo.hw is not None


def _notes(facts: Counter[str], records: list[Record]) -> Iterator[str]:
    if facts["crowds"]:
        yield f"crowd regions painted as their class: {facts['crowds']}"
    if facts["boxes without outline"]:
        yield BOXES_NOTE  # how many, the counts of what is left out say
    yield from absent_note(records)
    if bare := sum(record.label is None for record in records):
        yield f"photos in files without annotations, which label nothing: {bare}"


def with_ignore(coding: LabelCoding) -> LabelCoding:
    """Return a coding that has a label name for IGNORE, where none of its classes is called so."""
    if coding.ignore_names or IGNORE_NAME in coding.name_to_id():
        return coding
    return LabelCoding(
        coding.table, coding.values, coding.ignore_values, coding.ignore_colours, (IGNORE_NAME,), coding.aliases
    )


def load(record: Record, listing: Listing) -> Annotation:
    """Read the shapes of one photo.

    Raises:
        InputError: It has no labels, or the file cannot be read any more.
        FormatError: An annotation breaks the format; the message names it.
    """
    page = page_of(record, listing)
    names = page.names
    ignore = next(iter(listing.coding.ignore_names), IGNORE_NAME)
    numbers = page.numbers(record.key)
    rows = [(row, page.where(number)) for number, row in zip(numbers, page.rows.parse(numbers), strict=True)]
    return drawing_of(rows, names, hw=page.hw(record.key), ignore=ignore)


def page_of(record: Record, listing: Listing) -> Page:
    """Return what is kept of the file that describes a photo.

    Raises:
        InputError: The photo has no labels.
    """
    content: Any = listing.content
    if record.label is None or not isinstance(content, dict) or record.label not in content:
        raise InputError("this photo has no labels", where=listing.root / record.name)
    page: Page = content[record.label]
    return page
