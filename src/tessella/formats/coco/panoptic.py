"""coco-panoptic: a PNG per photo whose colours are segment numbers, and a JSON that says what each segment is."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from tessella.core.annotation import Drawing, Shape
from tessella.core.classes import IGNORE, LabelCoding
from tessella.core.errors import FormatError, InputError, LabelError
from tessella.core.wording import counted
from tessella.files.masks import read_mask
from tessella.files.paths import relative_name
from tessella.files.sections import Sections, read_sections
from tessella.files.values.numbers import whole
from tessella.formats.coco.catalogue import IGNORE_NAME, Category, class_names, classes_of, read_categories, twins_of
from tessella.formats.coco.fields import key_of
from tessella.formats.coco.instances import page_of, with_ignore
from tessella.formats.coco.outlook import Contents, contents_of, copies_of, outlines_of
from tessella.formats.coco.photos import FileFinder, refuse_twins, split_of_file
from tessella.formats.coco.sheets import ListedPhoto, Page, page_of_rows, photos_of, places_of
from tessella.formats.layout.photos import PhotoFinder, absent_note, named_apart
from tessella.formats.listing import Listing, Match, Record
from tessella.formats.raster.labels import background_id
from tessella.formats.raster.segments import segment_ids

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from tessella.core.annotation import Annotation
    from tessella.formats.source import Source

NAME: Final = "coco-panoptic"
_UNCOVERED: Final = "pixels of no segment (number 0) are ignored"
_LARGEST: Final = (1 << 24) - 1
_SHOWN: Final = 3


class _Sheet(NamedTuple):
    """One JSON file: its photos, for each the name of its mask or None, its categories, and the split it is of."""

    path: Path
    split: str
    photos: list[ListedPhoto]
    masks: list[object]
    categories: list[Category]
    used: frozenset[str]
    page: Page

    @property
    def contents(self) -> Contents:
        """What it speaks of."""
        photos = frozenset(photo.file_name or photo.key for photo in self.photos)
        categories = frozenset((category.key, category.name) for category in self.categories)
        return Contents(self.path, self.split, photos, categories)


def detect(source: Source) -> Match | None:
    """Say whether JSON files that list segments are there."""
    found = outlines_of(source, "panoptic")
    if not found:
        return None
    return Match(94, f"{len(found)} of {len(source.outlines)} JSON files looked at list the segments of masks")


def read(source: Source, coding: LabelCoding | None) -> Listing:
    """List the photos that the JSON files name, with their masks.

    Args:
        source: The folder, or one JSON file of it.
        coding: The classes, or None to take them from the categories.

    Raises:
        FormatError: No panoptic file lies here, or one breaks the format.
        LabelError: The categories cannot become classes.
        ClassTableError: `classes.toml` contradicts itself.
    """
    root, photos = source.root, PhotoFinder(source)
    sheets, others = _sheets(source)
    if not sheets:
        raise FormatError("no panoptic file lies here", where=source.file or root, expected="JSON with segments_info")
    notes: list[str] = []
    sets = [(sheet.categories, sheet.used) for sheet in sheets]
    if discovered := coding is None:
        coding, found, discovered = classes_of(sets, root, uncovered=_UNCOVERED, ground=False)
        notes += found
    records: list[Record] = []
    for sheet in sheets:
        found_here = list(_records(sheet, photos))
        records += [record for record in found_here if record.image is not None or record.parts]
        missing = sum(name is not None for name in sheet.masks) - sum(bool(record.parts) for record in found_here)
        if missing:
            notes.append(f"masks that {relative_name(sheet.path, root)} names and that are not here: {missing}")
    refuse_twins(records, root)
    notes += absent_note(records)
    notes += _not_read(others, sheets, root)
    lone = photos.unlabelled(records) if source.file is None else []
    return Listing(
        NAME,
        root,
        named_apart([*records, *lone]),
        with_ignore(coding),
        discovered,
        tuple(notes),
        max_pixels=source.max_pixels,
        content={sheet.path: sheet.page for sheet in sheets},
        merged=twins_of(sets),
    )


def _sheets(source: Source) -> tuple[list[_Sheet], list[Contents]]:
    """Read the panoptic files, and of others that list annotations what they speak of."""
    found: list[_Sheet] = []
    others: list[Contents] = []
    for path in source.files(".json"):
        try:
            sections = read_sections(path)
        except InputError:
            if source.file is not None or "panoptic" in path.stem:
                raise
            continue
        if sections.is_list("images") and sections.is_list("annotations"):
            sheet = _sheet(sections, source)
            found += [] if sheet is None else [sheet]
            others += [] if sheet is not None else [contents_of(sections, source.root)]
    return found, others


def _not_read(others: list[Contents], sheets: list[_Sheet], root: Path) -> Iterator[str]:
    """Say which files with annotations are left aside, and whether anything is lost with them."""
    copies = copies_of(others, [sheet.contents for sheet in sheets])
    if names := sorted(relative_name(path, root) for path in copies):
        doubled = counted(len(names), "file is a copy", "files are copies")
        yield f"{doubled} for detection of what the panoptic files hold, and not read: {_some(names)}"
    if names := sorted(relative_name(other.path, root) for other in others if other.path not in copies):
        unread = counted(len(names), "JSON file says other things and is", "JSON files say other things and are")
        yield f"{unread} not read: {_some(names)}"


def _some(names: list[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (" ..." if len(names) > _SHOWN else "")


def _sheet(sections: Sections, source: Source) -> _Sheet | None:
    import msgspec

    columns = {"image_id": int | str | float, "file_name": msgspec.Raw, "segments_info": msgspec.Raw}
    rows, fields = sections.rows("annotations", columns)
    if all(field is None for field in fields["segments_info"]) and len(rows):
        return None
    path = sections.path
    photos = photos_of(sections)
    categories = read_categories(sections.parse("categories") if "categories" in sections.names else None, where=path)
    photo = places_of(fields["image_id"], {one.key: place for place, one in enumerate(photos)})
    masks: list[bytes | None] = [None] * len(photos)
    for number, (place, name) in enumerate(zip(photo.tolist(), fields["file_name"], strict=True)):
        if place >= 0 and masks[place] is not None:
            raise FormatError(
                "two rows describe one photo", where=f"{path}: annotations[{number}]", fix="keep one of them"
            )
        if place >= 0:
            masks[place] = b"" if name is None else bytes(name)
    page = page_of_rows(rows, photos, photo, names=class_names(categories))
    page = replace(page, stuff=frozenset(category.key for category in categories if category.thing is False))
    used = frozenset(category.key for category in categories)
    return _Sheet(path, split_of_file(path, source.root), photos, _decoded(masks, where=path), categories, used, page)


def _decoded(names: list[bytes | None], *, where: Path) -> list[object]:
    """Return file names from their JSON texts; "" for what is no name, None for photos without a row."""
    import msgspec

    texts = [b"null" if name is None else name or b'""' for name in names]
    try:
        found = msgspec.json.decode(b"[" + b",".join(texts) + b"]")
    except UnicodeDecodeError as error:
        raise FormatError("this is not UTF-8 text", where=where, fix="save the file with UTF-8 encoding") from error
    return [name if isinstance(name, str) or text == b"null" else "" for name, text in zip(found, texts, strict=True)]


def _records(sheet: _Sheet, photos: PhotoFinder) -> Iterator[Record]:
    """Yield the records of a file; the mask of each is its only part."""
    names = [name for name in sheet.masks if name]
    pngs = FileFinder(path for path in photos.paths if path.suffix.lower() == ".png")
    there = pngs.home(sheet.path, names, split=sheet.split, role="mask", hint=sheet.path.stem)
    masks = [pngs.find(there, sheet.path, name) for name in sheet.masks]
    taken = {mask for mask in masks if mask is not None}
    finder = FileFinder((path for path in photos.paths if path not in taken), photos)
    home = finder.home(sheet.path, [photo.file_name for photo in sheet.photos], split=sheet.split)
    for photo, mask in zip(sheet.photos, masks, strict=True):
        image = finder.find(home, sheet.path, photo.file_name)
        image = None if image in taken else image
        label = None if mask is None else sheet.path
        listed = photo.file_name or f"image_{photo.key}"
        record = photos.record(image, sheet.path, name=listed, key=photo.key)
        parts = () if mask is None else (mask,)
        yield Record(record.name, image, label, sheet.split or record.split, key=photo.key, parts=parts)


def load(record: Record, listing: Listing) -> Annotation:
    """Read the segments of one photo as shapes; what has number 0 is ignored.

    Raises:
        InputError: The photo has no labels, or a file cannot be read.
        ImageError: The mask cannot be decoded.
        FormatError: A row breaks the format, or the mask is not in colour.
        LabelError: The mask has segments that its row does not list.
    """
    page = page_of(record, listing)
    mask = record.parts[0]
    numbers = page.numbers(record.key)
    row = page.rows.parse(numbers)[0]
    listed = _segments(row, where=page.where(numbers[0]))
    ids = segment_ids(read_mask(mask, max_pixels=listing.max_pixels).pixels, where=mask)
    index, known = _indexed(ids, listed, where=mask)
    ignore = next(iter(listing.coding.ignore_names), IGNORE_NAME)
    void = background_id(listing.coding) != IGNORE
    shapes = []
    for number, corners, part in _parts(index, known):
        if number or void:
            label, group, more = listed.get(number, (ignore, "", ()))
            group = "" if label in page.stuff else group
            shapes.append(Shape(page.names.get(label, label), "mask", corners, group, part, (), more))
    return Drawing(tuple(shapes), (ids.shape[0], ids.shape[1]), "coco")


_Segment = tuple[str, str, tuple[tuple[str, str], ...]]
"""Category id or label, group, attributes."""


def _segments(row: Any, *, where: str) -> dict[int, _Segment]:  # noqa: ANN401 - parsed JSON
    listed = row.get("segments_info") if isinstance(row, dict) else None
    if not isinstance(listed, list) or not all(isinstance(segment, dict) for segment in listed):
        raise FormatError("a row lists no segments", where=where, expected='"segments_info": [{"id": ..}, ...]')
    found: dict[int, _Segment] = {}
    for number, segment in enumerate(listed):
        place = f"{where}: segments_info[{number}]"
        key = whole(segment.get("id"), where=place, low=1, high=_LARGEST)
        if key in found:
            raise FormatError("two segments have one number", where=place, got=key)
        crowd = segment.get("iscrowd") not in (None, 0, False)
        found[key] = key_of(segment.get("category_id")), str(key), (("iscrowd", "1"),) if crowd else ()
    return found


def _indexed(
    ids: NDArray[np.uint32], listed: Mapping[int, _Segment], *, where: Path
) -> tuple[NDArray[np.int32], list[int]]:
    """Return for each pixel the place of its number among the numbers known, from 1; and those."""
    known = np.array(sorted({0, *listed}), np.int64)
    flat = np.ascontiguousarray(ids).reshape(-1)
    starts = np.concatenate([[0], np.flatnonzero(flat[1:] != flat[:-1]) + 1])
    heads = flat[starts].astype(np.int64)
    place = np.minimum(np.searchsorted(known, heads), known.size - 1)
    if (stray := known[place] != heads).any():
        odd = Counter(dict(zip(*np.unique(heads[stray], return_counts=True), strict=True)))
        row, column = divmod(int(starts[stray][0]), ids.shape[1])
        raise LabelError(
            f"{len(odd)} segments of the mask are not listed in its row",
            where=where,
            got=f"number {int(heads[stray][0])} at row {row}, column {column}",
            fix="export masks and JSON together again",
        )
    lengths = np.diff(np.append(starts, flat.size))
    return np.repeat((place + 1).astype(np.int32), lengths).reshape(ids.shape), known.tolist()


def _parts(index: NDArray[np.int32], known: list[int]) -> Iterator[tuple[int, NDArray[np.float64], NDArray[np.bool_]]]:
    """Yield each number that occurs with the corners of its box and its pixels in it."""
    from scipy import ndimage

    for place, box in enumerate(ndimage.find_objects(index), start=1):
        if box is None:
            continue
        rows, columns = box
        corners = np.array([[columns.start, rows.start], [columns.stop, rows.stop]], np.float64)
        yield known[place - 1], corners, index[box] == place
