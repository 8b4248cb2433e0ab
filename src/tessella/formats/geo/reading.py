"""Reading polygons on the map: which photos they lie on, which attribute is their class, their pixels."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from tessella.core.annotation import Drawing, Shape
from tessella.core.classes import IGNORE
from tessella.core.errors import FormatError, InputError
from tessella.core.wording import counted
from tessella.files.geo.frame import read_frame, read_nodata
from tessella.files.images import read_header
from tessella.files.paths import relative_name
from tessella.formats.geo.census import OPTION, Census, value_of
from tessella.formats.geo.names import SINGLE_CLASS, Stems, class_of
from tessella.formats.geo.placing import in_pixels, meets, placed, refuse_elsewhere
from tessella.formats.labelme.writing import with_ignore_name
from tessella.formats.layout.class_files import find_classes
from tessella.formats.layout.discover import discover_names
from tessella.formats.layout.photos import PhotoFinder, named_apart, unreadable
from tessella.formats.listing import Listing
from tessella.formats.raster.labels import background_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from tessella.core.annotation import Annotation
    from tessella.core.classes import LabelCoding
    from tessella.files.geo.frame import GeoFrame
    from tessella.files.geo.vectors import Feature, Polygon, VectorFile
    from tessella.formats.listing import Record
    from tessella.formats.source import Source

    Open = Callable[[Path], Sequence[VectorFile]]


@dataclass(frozen=True, slots=True, eq=False)
class Content:
    """What is kept of the vector files.

    Args:
        column: The attribute that names the class, in lower case; "" where there is none.
        open: Reads a file of the format.
        across: Files that lie across photos, parsed; a file of one photo is read again when it is asked for.
    """

    column: str
    open: Open
    across: Mapping[Path, tuple[VectorFile, ...]] = field(default_factory=dict)


@dataclass(slots=True)
class _Found:
    """The vector files of a source, by what they lie on."""

    own: dict[Path, list[Path]] = field(default_factory=dict)
    across: dict[Path, tuple[VectorFile, ...]] = field(default_factory=dict)
    orphans: list[Path] = field(default_factory=list)
    census: Census = field(default_factory=Census)
    broken: dict[Path, str] = field(default_factory=dict)


def read_vectors(
    source: Source, coding: LabelCoding | None, paths: Sequence[Path], *, name: str, read: Open
) -> Listing:
    """List the photos that vector files annotate.

    A file whose name shares its words with one photo's belongs to that photo alone. Any other lies across the photos:
    every GeoTIFF that the box around its shapes meets.

    Args:
        source: The data set's folder, or one vector file of it.
        coding: The classes, or None to take them from a class file beside the data or else from the shapes.
        paths: The vector files.
        name: The format's.
        read: Reads a file of the format.

    Raises:
        FormatError: No vector file lies here, or no shape has the attribute that was asked for.
        ClassTableError: The class file contradicts itself.
    """
    photos = PhotoFinder(source)
    found = _sorted_out(paths, photos, read)
    if not found.own and not found.across and not found.orphans and not found.broken:
        raise FormatError("no vector file lies here", where=source.root)
    by_photo = _spread(found, photos)
    records = [replace(photos.record(photo, files[0]), parts=tuple(files[1:])) for photo, files in by_photo.items()]
    if beside := None if coding is not None else find_classes(source.root):
        coding = beside[0]
    column, told = found.census.column(coding, source.options.get(OPTION), where=source.root)
    notes: tuple[str, ...] = (told,)
    discovered = coding is None
    if coding is None:
        coding, listed = discover_names(found.census.labels(column))
        notes += listed
    coding = with_ignore_name(coding)
    notes = (*_notes(found), *([f"classes from {beside[1]}"] if beside else []), *notes)
    if background_id(coding) == IGNORE:
        notes += ("no class is called background, so pixels that no shape covers are ignored",)
    lone = photos.unlabelled(records) if source.file is None else []
    everything = tuple(sorted(named_apart([*records, *lone]), key=lambda record: record.name))
    orphans = tuple(sorted(relative_name(path, source.root) for path in found.orphans))
    return Listing(
        name, source.root, everything, coding, discovered, notes, orphans, source.max_pixels,
        dict(found.census.left_out), Content(column, read, found.across),
        unreadable=unreadable(found.broken, records, source.root),
    )  # fmt: skip


def _sorted_out(paths: Sequence[Path], photos: PhotoFinder, read: Open) -> _Found:
    found, stems = _Found(), Stems(photos.paths)
    for path in paths:
        photo = stems.find(path.stem, path)
        try:
            files = tuple(read(path))
        except InputError as error:
            found.broken[path] = error.fault
            if photo is None:
                continue  # else the record stays, and loading it names the fault
            files = ()
        if photo is None:
            found.across[path] = files
            continue
        found.own.setdefault(photo, []).append(path)
        for file in files:
            found.census.add(file, _name_of(file, photo))
    return found


def _name_of(file: VectorFile, photo: Path | None) -> str:
    """Return the class of a file's features where no attribute names it: from the name of the layer or of the file."""
    return class_of(file.name or file.path.stem, photo.stem if photo else None)


def _spread(found: _Found, photos: PhotoFinder) -> dict[Path, list[Path]]:
    """Return the vector files of each photo, and move those that lie on none to the orphans."""
    by_photo = {photo: list(files) for photo, files in found.own.items()}
    lying = set()
    for photo in photos.paths if found.across else ():
        frame = _frame(photo)
        if frame is None:
            continue
        for path, files in found.across.items():
            if any(meets(file, frame) for file in files):
                by_photo.setdefault(photo, []).append(path)
                lying.add(path)
    for path, files in list(found.across.items()):
        for file in files:
            found.census.add(file, _name_of(file, None) if path in lying else SINGLE_CLASS)
        if path not in lying:
            found.orphans.append(path)
            del found.across[path]
    return by_photo


def _frame(photo: Path) -> GeoFrame | None:
    try:
        return read_frame(photo)
    except InputError:
        return None  # a damaged photo; `tessella check` names it


def _notes(found: _Found) -> tuple[str, ...]:
    notes = []
    if found.own:
        named = sum(map(len, found.own.values()))
        notes.append(counted(named, "vector file belongs to a photo by name", "vector files belong to a photo by name"))
    if found.across:
        many = counted(
            len(found.across), "vector file lies across photos, and is", "vector files lie across photos, and are"
        )
        notes.append(f"{many} cut at their borders")
    if found.broken:
        notes.append(f"{counted(len(found.broken), 'vector file')} cannot be read")
    if assumed := found.census.assumed:
        one, many = "layer states no coordinate system, and is", "layers state no coordinate system, and are"
        notes.append(f"{counted(assumed, one, many)} taken to be in their photo's")
    return tuple(notes)


def load(record: Record, listing: Listing) -> Annotation:
    """Read the shapes on one photo, in pixels; where its raster has no data, a mask to be ignored lies over them.

    Raises:
        InputError: There are none, or a file cannot be read.
        FormatError: A vector file is damaged, or a coordinate system cannot be understood.
        LabelError: None of the shapes touches the photo that they belong to by name.
        MissingExtraError: The photo is a GeoTIFF, and rasterio is not installed.
    """
    content = listing.content
    if record.label is None or record.image is None or not isinstance(content, Content):
        raise InputError("this photo has no labels", where=listing.root / record.name)
    frame = read_frame(record.image)
    paths = (record.label, *record.parts)
    own = [file for path in paths if path not in content.across for file in content.open(path)]
    if frame is not None:
        refuse_elsewhere(own, frame)
    files = [file for path in paths for file in content.across.get(path, ())] + own
    shapes: list[Shape] = []
    for number, file in enumerate(files):
        called = _name_of(file, None if file.path in content.across else record.image)
        where = placed(file, frame) if frame else in_pixels(file, read_header(record.image).upright_hw, record.image)
        for place, polygons in where:
            feature = file.features[place]
            label = _known(value_of(feature, content.column) or called, listing.coding)
            shapes += _shapes(feature, polygons, label=label, key=f"{number}.{place}", column=content.column)
    shapes += without_data(frame, record.image, listing)
    return Drawing(tuple(shapes), frame.hw if frame else None, "centre")


def without_data(frame: GeoFrame | None, photo: Path, listing: Listing) -> Iterator[Shape]:
    """Yield a mask to be ignored where a GeoTIFF has no data; nothing where it has everywhere."""
    if frame is not None and frame.has_nodata:
        nodata = read_nodata(photo, max_pixels=listing.max_pixels)
        if nodata.any():
            yield Shape(listing.coding.ignore_names[0], "mask", np.zeros((1, 2)), mask=nodata)


def _known(label: str, coding: LabelCoding) -> str:
    """Return the name of the class where the attribute holds its number."""
    if label in coding.name_to_id() or not label.isdecimal() or len(label) > 5:
        return label
    index = coding.value_to_id().get(int(label), IGNORE)
    return label if index == IGNORE else coding.table.names[index]


def _shapes(feature: Feature, polygons: Sequence[Polygon], *, label: str, key: str, column: str) -> Iterator[Shape]:
    told = tuple((name, value) for name, value in feature.attributes.items() if name.casefold() != column)
    group = key if len(polygons) > 1 else ""
    for outer, *holes in polygons:
        yield Shape(label, "polygon", outer, group, holes=tuple(holes), attributes=told)
