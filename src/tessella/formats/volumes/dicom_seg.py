"""dicom-seg: DICOM segmentations (DICOM-SEG) beside the images of their series."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from tessella.core.annotation import StoredMask
from tessella.core.errors import FormatError, InputError, LabelError
from tessella.files.paths import relative_name
from tessella.files.volumes.dicom import (
    Segmentation,
    Slice,
    is_dicom,
    is_segmentation,
    kept_frames,
    read_segmentation,
    read_slice,
    read_slice_header,
)
from tessella.formats.layout.class_files import find_classes
from tessella.formats.layout.pairing import split_of
from tessella.formats.listing import Listing, Match, Record
from tessella.formats.source import Source
from tessella.formats.volumes.names import coding_of, stored_value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tessella.core.annotation import Annotation
    from tessella.core.classes import LabelCoding
    from tessella.core.image import Image

__all__ = ["detect", "load", "photo", "read"]

NAME: Final = "dicom-seg"
_SUFFIXES: Final = (".dcm", ".dicom", ".ima", "")


@dataclass(frozen=True, slots=True, eq=False)
class _Study:
    """A segmentation and the images that it lies on.

    Args:
        segmentation: None where it cannot be read.
        slices: In the order of their depth.
        frames: For each slice the positions, in the file, of the frames that lie on it.
        fault: What keeps the two from fitting; "" where they fit.
    """

    segmentation: Segmentation | None
    slices: tuple[Slice, ...] = ()
    frames: tuple[tuple[int, ...], ...] = ()
    fault: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class _Content:
    studies: Mapping[Path, _Study] = field(default_factory=dict)


def detect(source: Source) -> Match | None:
    """Say whether a DICOM segmentation is there."""
    found = sum(is_segmentation(path) for path in source.files(*_SUFFIXES))
    return Match(92, f"{found} DICOM segmentations") if found else None


def read(source: Source, coding: LabelCoding | None) -> Listing:
    """List the images that segmentations lie on, in the order of their depth.

    A segmentation belongs to the series that it names; where it names none, to the only one there is.

    Args:
        source: The data set's folder.
        coding: The classes, or None to take them from a class file or else from the labels of the segments.

    Raises:
        FormatError: No segmentation lies here.
        MissingExtraError: pydicom is not installed.
    """
    # the images of a segmentation that was given alone lie beside it
    files = source.files(*_SUFFIXES) if source.file is None else Source(source.root).files(*_SUFFIXES)
    also = () if source.photos is None else Source(source.photos).files(*_SUFFIXES)
    paths = [path for path in dict.fromkeys((*files, *also)) if path.suffix or is_dicom(path)]
    # a file that is DICOM by name alone is damaged; its record stays, so that loading it and `tessella check` say so
    labels = [path for path in paths if is_segmentation(path) or not is_dicom(path)]
    if not any(map(is_segmentation, labels)):
        raise FormatError("no DICOM segmentation lies here", where=source.file or source.root)
    series, broken = _series([path for path in paths if path not in set(labels)])
    if source.file is not None:
        labels = [path for path in labels if path == source.file]
    studies = {path: _study(path, series) for path in labels}
    orphans = [path for path, study in studies.items() if not study.slices and study.segmentation is not None]
    notes = ["every image that a segmentation lies on is a sample; the series is its group"]
    if coding is None and (beside := find_classes(source.root)):
        coding = beside[0]
        notes.append(f"classes from {beside[1]}")
    if coding is None:
        coding = _classes(studies)
        notes.append("classes from the labels of the segments")
    taken = {one.series for study in studies.values() for one in study.slices}
    if lone := len(series.keys() - taken):
        notes.append(f"{lone} series without a segmentation are left out")
    if broken:
        notes.append(f"{broken} DICOM files are no images with a place, and are left out")
    records = sorted(
        (record for path in labels if path not in orphans for record in _records(path, studies[path], source)),
        key=lambda record: record.name,
    )
    return Listing(
        NAME, source.root, tuple(records), coding, notes=tuple(notes), max_pixels=source.max_pixels,
        orphan_labels=tuple(relative_name(path, source.root) for path in orphans), content=_Content(studies),
    )  # fmt: skip


def _series(paths: list[Path]) -> tuple[dict[str, list[Slice]], int]:
    """Return the images of each series by depth, and how many files are none."""
    series: dict[str, list[Slice]] = defaultdict(list)
    broken = 0
    for path in paths:
        try:
            one = read_slice_header(path)
        except InputError:
            broken += 1
            continue
        series[one.series].append(one)
    for slices in series.values():
        slices.sort(key=lambda one: (one.place.depth, one.path))
    return dict(series), broken


def _study(path: Path, series: Mapping[str, list[Slice]]) -> _Study:
    try:
        segmentation = read_segmentation(path)
    except InputError:
        return _Study(None)  # its record stays, and loading it names the fault
    sources = {frame.source for frame in segmentation.frames} - {""}
    fitting = [
        slices for uid, slices in series.items() if uid == segmentation.series or sources & {one.uid for one in slices}
    ]
    if not fitting and len(series) == 1 and not segmentation.series:
        fitting = list(series.values())
    if len(fitting) != 1:
        return _Study(segmentation)
    slices = fitting[0]
    by_uid = {one.uid: place for place, one in enumerate(slices)}
    frames: list[list[int]] = [[] for _ in slices]
    for frame in segmentation.frames:
        at = by_uid.get(frame.source)
        if at is None:
            at = min(range(len(slices)), key=lambda at: abs(slices[at].place.depth - frame.place.depth))
        if fault := _fault(slices, at, segmentation, frame.number):
            return _Study(segmentation, tuple(slices), fault=fault)
        frames[at].append(frame.number)
    return _Study(segmentation, tuple(slices), tuple(map(tuple, frames)))


def _fault(slices: list[Slice], at: int, segmentation: Segmentation, number: int) -> str:
    """Say why a frame does not lie on an image; "" where it does."""
    frame, image = segmentation.frames[number], slices[at]
    name = f"frame {number + 1} of {segmentation.path.name} and {image.path.name}"
    if apart := frame.place.differs(image.place):
        return f"{name}: {apart}"
    depths = np.diff([one.place.depth for one in slices])
    step = float(np.min(depths[depths > 1e-6], initial=np.inf)) if depths.size else np.inf
    away = abs(frame.place.depth - image.place.depth)
    return f"{name}: {away:.2f} mm apart, with images every {step:.2f} mm" if away > 0.5 * min(step, 1e3) else ""


def _classes(studies: Mapping[Path, _Study]) -> LabelCoding:
    known = (study.segmentation for study in studies.values() if study.segmentation is not None)
    names = {name for segmentation in known for name in segmentation.segments.values()}
    # label maps may name segment 0, the background
    return coding_of(dict(enumerate(sorted(name for name in names if name.casefold() != "background"), start=1)))


def _records(path: Path, study: _Study, source: Source) -> Iterator[Record]:
    """Yield a record per image; one alone for a segmentation that does not fit, so that its fault is found once."""
    name = relative_name(path.with_suffix(""), source.root)
    split = split_of(name.split("/")[:-1])
    count = 1 if study.fault or study.segmentation is None else len(study.slices)
    width = len(str(count - 1))
    group = study.slices[0].series if study.slices else name
    for number in range(count):
        yield Record(f"{name}_{number:0{width}d}", None, path, split, group, str(number))


def load(record: Record, listing: Listing) -> Annotation:
    """Read the segments on one image: (H, W) values as the class table stores them; later segments over earlier ones.

    Raises:
        InputError: There are none, or the file cannot be read.
        LabelError: Fractions, a segment without a class, or a segmentation that does not lie on its images.
    """
    study, number, path = _study_of(record, listing)
    if study.fault:
        raise LabelError(
            "the segmentation does not lie on the images of its series",
            where=record.label,
            got=study.fault,
            fix="resample it to the series",
        )
    segmentation = study.segmentation
    if segmentation is None:
        segmentation = read_segmentation(path)  # raises what is wrong with it, unless it was written anew
    if number >= len(study.frames):
        raise InputError("this photo has no labels", where=path)
    frames = kept_frames(segmentation, max_pixels=listing.max_pixels)
    ids = np.zeros(study.slices[number].place.hw, np.uint16)
    for place in sorted(study.frames[number], key=lambda place: segmentation.frames[place].segment):
        segment = segmentation.frames[place].segment
        if segment:
            ids[frames[place] != 0] = _value(segment, segmentation, listing.coding)
            continue
        for value in np.unique(frames[place][frames[place] != 0]).tolist():
            ids[frames[place] == value] = _value(value, segmentation, listing.coding)
    return StoredMask(ids, "I;16")


def _value(segment: int, segmentation: Segmentation, coding: LabelCoding) -> int:
    name = segmentation.segments.get(segment)
    if name is not None and name.casefold() == "background":
        name = next((one for one in coding.table.names if one.casefold() == "background"), name)
    value = None if name is None else stored_value(name, coding)
    if value is None:
        raise LabelError(
            f"segment {segment} is called {name!r}, which is not in the class table",
            where=segmentation.path,
            expected=f"one of {', '.join(coding.table.names)}",
        )
    return value


def photo(record: Record, listing: Listing) -> Image:
    """Read one image of the series.

    Raises:
        InputError: It is missing or cannot be read.
        ImageError: Damaged, or larger than the budget.
    """
    study, number, path = _study_of(record, listing)
    if study.segmentation is None:
        read_segmentation(path)  # raises what is wrong with it, so that nobody looks for its images
    if number >= len(study.slices):
        raise InputError("the images of this segmentation are missing", where=path)
    return read_slice(study.slices[number].path, max_pixels=listing.max_pixels)


def _study_of(record: Record, listing: Listing) -> tuple[_Study, int, Path]:
    content, path = listing.content, record.label
    study = content.studies.get(path) if isinstance(content, _Content) and path is not None else None
    if study is None or path is None or not record.key.isdecimal():
        raise InputError("this photo has no labels", where=listing.root / record.name)
    return study, int(record.key), path
