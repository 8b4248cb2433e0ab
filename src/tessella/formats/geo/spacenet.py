"""spacenet: SpaceNet's tables, one row per building with its outline as text in the photo's pixels."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from tessella.core.annotation import Drawing, Shape
from tessella.core.classes import IGNORE
from tessella.core.errors import FormatError, InputError
from tessella.core.wording import counted
from tessella.files.geo.frame import read_frame
from tessella.files.geo.wkb import parse_wkt
from tessella.files.paths import relative_name
from tessella.files.text import read_csv, read_head
from tessella.formats.geo.census import OPTION, OPTIONS, Census
from tessella.formats.geo.names import Stems
from tessella.formats.geo.reading import without_data
from tessella.formats.labelme.writing import with_ignore_name
from tessella.formats.layout.class_files import find_classes
from tessella.formats.layout.discover import discover_names
from tessella.formats.layout.photos import PhotoFinder
from tessella.formats.listing import Listing, Match, Record
from tessella.formats.raster.labels import background_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from tessella.core.annotation import Annotation
    from tessella.core.classes import LabelCoding
    from tessella.formats.source import Source

    Outline = tuple[str, str, int]

__all__ = ["OPTIONS", "detect", "load", "read"]

NAME: Final = "spacenet"
_HEAD: Final = 1 << 12
_PHOTO, _OUTLINE = "imageid", "polygonwkt_pix"
_OWN: Final = frozenset({"", _PHOTO, _OUTLINE, "polygonwkt_geo"})
"""Columns that name no class; the one without a name holds the numbers of the rows, as pandas saves them."""
_SINGLE_CLASS: Final = "building"


def detect(source: Source) -> Match | None:
    """Say whether CSV files with SpaceNet's columns are there."""
    found = len(_tables(source))
    return Match(88, f"{counted(found, 'CSV file')} with ImageId and PolygonWKT_Pix", "shapes") if found else None


def _tables(source: Source) -> list[Path]:
    found = []
    for path in source.files(".csv"):
        try:
            head = read_head(path, max_bytes=_HEAD).partition("\n")[0]
        except OSError:
            continue
        names = [name.strip(' "\r').casefold() for name in head.split(",")]
        if _PHOTO in names and _OUTLINE in names:
            found.append(path)
    return found


def read(source: Source, coding: LabelCoding | None) -> Listing:
    """List the photos that the tables name; a photo is found by the words that its name ends with.

    Raises:
        FormatError: No table of SpaceNet lies here, it is damaged, has no column that was asked for, or two tables
            describe one photo.
        ClassTableError: The class file contradicts itself.
    """
    root = source.root
    tables = _tables(source)
    if not tables:
        raise FormatError("no table of SpaceNet lies here", where=root, expected="CSV with ImageId, PolygonWKT_Pix")
    beside = find_classes(root) if coding is None else None
    column, told = _column(tables, coding or (beside and beside[0]), source)
    finder = PhotoFinder(source)
    stems = Stems(finder.paths)
    content: dict[tuple[str, str], list[Outline]] = {}
    records: dict[Path, Record] = {}
    orphans = []
    everything: list[list[Outline]] = []
    for path in tables:
        for key, outlines in _by_photo(path, column).items():
            everything.append(outlines)
            photo = stems.find(key, path)
            if photo is None:
                orphans.append(f"{relative_name(path, root)}#{key}")
                continue
            if photo in records:
                raise _twins(records[photo], path, source)
            content[relative_name(path, root), key] = outlines
            records[photo] = finder.record(photo, path, key=key)
    notes: tuple[str, ...] = (told,)
    discovered = False
    if beside:
        coding, notes = beside[0], (told, f"classes from {beside[1]}")
    if coding is None:
        shown = content.values() or everything  # without any photo, the tables still say which classes there are
        names = Counter(label for outlines in shown for label, _, _ in outlines)
        (coding, listed), discovered = discover_names(names or [_SINGLE_CLASS]), True
        notes += listed
    coding = with_ignore_name(coding)
    if background_id(coding) == IGNORE:
        notes += ("no class is called background, so pixels that no shape covers are ignored",)
    found = sorted([*records.values(), *finder.unlabelled(records.values())], key=lambda record: record.name)
    return Listing(
        NAME, root, tuple(found), coding, discovered, notes, tuple(sorted(orphans)), source.max_pixels,
        content=content,
    )  # fmt: skip


def _twins(record: Record, path: Path, source: Source) -> FormatError:
    return FormatError(
        f"two tables describe the photo {record.name}, or one does so under two names",
        where=source.root,
        got=f"{record.label and record.label.name} ({record.key}) and {path.name}",
        fix="give one of the tables instead of the folder, with --photos for the photos",
    )


def _rows(path: Path) -> Iterator[dict[str, str]]:
    """Yield the rows of a table; it is read twice, for all its cells at once take ten times the file's size."""
    return ({name.casefold(): value for name, value in row.items()} for row in read_csv(path))


def _column(tables: Sequence[Path], coding: LabelCoding | None, source: Source) -> tuple[str, str]:
    """Return the column that names the class, or "", and a note that says so."""
    census = Census()
    for path in tables:
        for cells in _rows(path):
            if _outline(cells):
                attributes = {name: value for name, value in cells.items() if value and name not in _OWN}
                census.count(_SINGLE_CLASS, attributes)
    return census.column(coding, source.options.get(OPTION), where=source.root)


def _outline(cells: Mapping[str, str]) -> str:
    text = cells.get(_OUTLINE, "")
    return "" if text.upper().endswith("EMPTY") else text


def _by_photo(path: Path, column: str) -> dict[str, list[Outline]]:
    """Return the outlines of each photo as (label, text, row); a photo whose rows are all empty has none."""
    found: dict[str, list[Outline]] = {}
    for number, cells in enumerate(_rows(path), start=2):
        outlines = found.setdefault(cells.get(_PHOTO, ""), [])
        if text := _outline(cells):
            outlines.append(((column and cells.get(column)) or _SINGLE_CLASS, text, number))
    return found


def load(record: Record, listing: Listing) -> Annotation:
    """Read the outlines of one photo; where its raster has no data, a mask to be ignored lies over them.

    Raises:
        InputError: The photo has no labels.
        FormatError: An outline is damaged.
    """
    content = listing.content
    if record.label is None or record.image is None or not isinstance(content, dict):
        raise InputError("this photo has no labels", where=listing.root / record.name)
    shapes = []
    for label, text, row in content.get((relative_name(record.label, listing.root), record.key), ()):
        polygons = parse_wkt(text, where=f"{record.label}: row {row}")
        group = str(row) if len(polygons) > 1 else ""
        shapes += [Shape(label, "polygon", outer, group, holes=tuple(holes)) for outer, *holes in polygons]
    shapes += without_data(read_frame(record.image), record.image, listing)
    return Drawing(tuple(shapes), None, "centre")
