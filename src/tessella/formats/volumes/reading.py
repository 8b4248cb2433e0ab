"""Reading label volumes slice by slice: cases from folders, names for values, one finding for a pair that differs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from tessella.core.annotation import StoredMask
from tessella.core.classes import nearest_hint
from tessella.core.errors import FormatError, InputError, LabelError
from tessella.core.wording import counted
from tessella.files.paths import relative_name, walk
from tessella.files.volumes.voxels import Meaning, read_labels, read_merged, read_picture, read_volume_header
from tessella.formats.layout.class_files import find_classes
from tessella.formats.listing import Listing, Record
from tessella.formats.volumes.cases import Case, find_cases
from tessella.formats.volumes.names import coding_of, found_coding, stated, stored_value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from tessella.core.annotation import Annotation
    from tessella.core.classes import LabelCoding
    from tessella.core.image import Image
    from tessella.files.volumes.header import VolumeHeader
    from tessella.formats.source import Source

_MOST_SLICES: Final = 1 << 20


@dataclass(frozen=True, slots=True, eq=False)
class Content:
    """What is kept of the volumes.

    Args:
        cases: By name.
        faults: Of cases whose scan and labels do not fit: what is wrong.
        meanings: Of label files that name their classes: what their values stand for.
    """

    cases: Mapping[str, Case]
    faults: Mapping[str, str] = field(default_factory=dict)
    meanings: Mapping[Path, tuple[Meaning, ...]] = field(default_factory=dict)


def read_volumes(source: Source, coding: LabelCoding | None, *, name: str, is_own: Callable[[Path], bool]) -> Listing:
    """List the axial slices of scans, from the feet to the head.

    Args:
        source: The data set's folder.
        coding: The classes, or None to take them from a class file, dataset.json, a table, the volumes themselves, the
            names of files of one class each, or else from the values found.
        name: The format's.
        is_own: Whether a file is a volume of the format.

    Raises:
        FormatError: No volume lies here.
        LabelError: Classes cannot be discovered.
        MissingExtraError: nibabel is not installed.
    """
    where = source.file or source.root
    # the scan of a label volume that was given alone lies beside it
    files = source.files() if source.file is None else walk(source.root)
    also = () if source.photos is None else walk(source.photos)
    paths = [path for path in dict.fromkeys((*files, *also)) if is_own(path)]
    if not paths:
        raise FormatError("no volume lies here", where=where)
    headers = dict(_headers(paths))
    found = find_cases(source, paths, headers)
    if source.file is not None:
        found = found.of(source.file)
    if not any(case.labels for case in found.cases):
        raise FormatError(
            "no scan here has a label volume",
            where=where,
            got=f"{counted(len(found.cases), 'scan')}, {counted(len(found.orphans), 'label volume')} without a scan",
            expected="imagesTr/ and labelsTr/, x_ct and x_seg, or segmentations/ beside the scan",
            fix="give a scan and its label volume one name",
        )
    faults = {case.name: fault for case in found.cases if (fault := _fault(case, headers, source.root))}
    notes = [f"{found.how}; every axial slice is a sample"]
    if coding is None and (beside := find_classes(source.root)):
        coding = beside[0]
        notes.append(f"classes from {beside[1]}")
    discovered = False
    if coding is None:
        coding, told, discovered = _classes(source, found.cases, headers)
        notes.append(told)
    meanings = {path: meaning for path, header in headers.items() if (meaning := _meanings(header, coding))}
    records = tuple(record for case in found.cases for record in _slices(case, headers, faults))
    notes += [f"{name}: {fault}" for name, fault in faults.items()]
    orphans = tuple(relative_name(path, source.root) for path in found.orphans)
    content = Content({case.name: case for case in found.cases}, faults, meanings)
    return Listing(
        name, source.root, tuple(sorted(records, key=lambda record: record.name)), coding, discovered, tuple(notes),
        orphans, source.max_pixels, content=content,
    )  # fmt: skip


def _headers(paths: Sequence[Path]) -> Iterator[tuple[Path, VolumeHeader]]:
    for path in paths:
        try:
            yield path, read_volume_header(path)
        except InputError:
            continue  # its record stays, and loading it names the fault


def _fault(case: Case, headers: Mapping[Path, VolumeHeader], root: Path) -> str:
    """Say how the volumes of a case differ in their grids; "" where they agree."""
    volumes = [headers[path] for path in (*case.scans, *case.labels) if path in headers]
    for other in volumes[1:]:
        try:
            apart = volumes[0].grid.differs(other.grid, other.path)
        except InputError as error:
            apart = str(error)
        if apart:
            return f"{volumes[0].path.name} and {other.path.name} are no pair: {apart}{_hint(other, headers, root)}"
    return ""


def _hint(label: VolumeHeader, headers: Mapping[Path, VolumeHeader], root: Path) -> str:
    """Name the volumes that do have the grid of a label."""
    fitting = []
    for path, header in headers.items():
        try:
            if path != label.path and not header.segments and not header.grid.differs(label.grid, path):
                fitting.append(relative_name(path, root))
        except InputError:
            continue
    return f" ({', '.join(fitting[:3])} {'has' if len(fitting) == 1 else 'have'} its grid)" if fitting else ""


def _classes(
    source: Source, cases: Sequence[Case], headers: Mapping[Path, VolumeHeader]
) -> tuple[LabelCoding, str, bool]:
    names, origin = stated(source)
    if names:
        return coding_of(names), f"classes from {origin}", False
    if per_class := sorted({name for case in cases for name in case.classes}):
        coding = coding_of(dict(enumerate(per_class, start=1)))
        return coding, "classes from the names of the label volumes, one of each class", False
    labels = [path for case in cases for path in case.labels if path in headers]
    named = [headers[path] for path in labels if headers[path].segments]
    if named and len(named) == len(labels):
        return coding_of(_agreed(named)), "classes from the names in the label volumes", False
    values: set[int] = set()
    for path in labels:
        try:
            values.update(np.unique(read_labels(path, max_pixels=source.max_pixels)).tolist())
        except InputError:
            continue  # named by `tessella check`
    coding, note = found_coding(values)
    return coding, note, True


def _agreed(headers: Sequence[VolumeHeader]) -> dict[int, str]:
    """Return names by value where all files agree, else by position: 3D Slicer numbers the segments of each file."""
    names: dict[int, str] = {}
    for header in headers:
        for segment in header.segments:
            if names.setdefault(segment.value, segment.name) != segment.name or segment.layer:
                found = sorted({one.name for other in headers for one in other.segments})
                return dict(enumerate((name for name in found if name.casefold() != "background"), start=1))
    return names


def _meanings(header: VolumeHeader, coding: LabelCoding) -> tuple[Meaning, ...]:
    """Return what the values of a file stand for, where it names them otherwise than the coding stores them."""
    found = []
    for segment in header.segments:
        stored = stored_value(segment.name, coding)
        if stored is None:
            return ()  # the classes were given, and know the values as stored
        found.append(Meaning(segment.value, segment.layer, stored))
    if all(one.value == one.becomes and not one.layer for one in found) and header.components == 1:
        return ()  # as stored, so that a value without a name is named as a stray
    return tuple(found)


def _slices(case: Case, headers: Mapping[Path, VolumeHeader], faults: Mapping[str, str]) -> Iterator[Record]:
    """Yield a record per slice; one alone for a case that cannot be read as it is, so that its fault is found once."""
    count = 1
    if case.name not in faults and all(path in headers for path in (*case.scans, *case.labels)):
        try:
            count = min(headers[case.scans[0]].grid.turned(case.scans[0])[0][0], _MOST_SLICES)
        except InputError:
            count = 1
    width = len(str(count - 1))
    label = case.labels[0] if case.labels else None
    for number in range(count):
        name = f"{case.name}_{number:0{width}d}"
        yield Record(name, None, label, case.split, case.name, str(number), case.labels[1:])


def load(record: Record, listing: Listing) -> Annotation:
    """Read the labels of one slice: (Y, X) values as stored, or as the class table stores them.

    Raises:
        InputError: There are none, or a file cannot be read.
        LabelError: The scan and the labels have different grids, or the labels are fractions.
    """
    content = listing.content
    if record.label is None or not isinstance(content, Content):
        raise InputError("this photo has no labels", where=listing.root / record.name)
    if record.group in content.faults:
        raise LabelError(
            "the scan and its labels do not fit",
            where=record.label,
            got=content.faults[record.group],
            fix="give the labels the name of their own scan, or resample them to its grid",
        )
    case = content.cases[record.group]
    if case.classes:
        volume = read_merged(_valued(case, listing.coding), max_pixels=listing.max_pixels)
    else:
        volume = read_labels(record.label, content.meanings.get(record.label), max_pixels=listing.max_pixels)
    pixels = np.ascontiguousarray(volume[_number(record, len(volume))])
    return StoredMask(pixels, "L" if pixels.dtype == np.uint8 else "I;16")


def _valued(case: Case, coding: LabelCoding) -> list[tuple[Path, int]]:
    """Return the files of one class each, with the value that the coding stores the class as."""
    files = []
    for path, name in zip(case.labels, case.classes, strict=True):
        value = stored_value(name, coding)
        if value is None:
            raise LabelError(
                f"the label volume is called {name!r}, which is not in the class table",
                where=path,
                expected=f"one of {', '.join(coding.table.names)}",
                fix=nearest_hint(name, coding.table.names) or "add it to the class table",
            )
        files.append((path, value))
    return files


def _number(record: Record, count: int) -> int:
    number = int(record.key) if record.key.isdecimal() else -1
    if not 0 <= number < count:
        raise InputError(
            "the volume has no such slice", where=record.label, got=record.key, expected=f"0 to {count - 1}"
        )
    return number


def photo(record: Record, listing: Listing) -> Image:
    """Read one slice of the scan.

    Raises:
        InputError: A file cannot be read.
        ImageError: Damaged, or larger than the budget.
    """
    content = listing.content
    case = content.cases.get(record.group) if isinstance(content, Content) else None
    if case is None:
        raise InputError("the scan is missing", where=listing.root / record.name)
    return read_picture(case.scans, int(record.key), max_pixels=listing.max_pixels)
