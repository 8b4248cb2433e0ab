"""Which volumes belong together: scans and their labels, by folders and by the words of their names."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, NamedTuple

from tessella.core.errors import InputError
from tessella.files.paths import relative_name
from tessella.formats.layout.pairing import MASK_FOLDERS, PHOTO_FOLDERS, split_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tessella.files.volumes.header import VolumeHeader
    from tessella.formats.source import Source

_SUFFIXES: Final = (".nii.gz", ".nii", ".hdr.gz", ".hdr", ".seg.nrrd", ".nrrd", ".nhdr")
_WORDS: Final = re.compile(r"[_\-. ]+")
_TRAINING: Final = re.compile(r"(images|labels)(tr|ts|val)", re.IGNORECASE)
_LABEL_WORDS: Final = frozenset(
    {
        "seg", "segs", "segmentation", "segmentations", "label", "labels", "labelmap", "mask", "masks", "gt", "ground",
        "truth", "groundtruth", "annotation", "annotations", "roi", "rois", "contour", "manual",
    }
)  # fmt: skip
_SCAN_WORDS: Final = frozenset(
    {
        "ct", "mr", "mri", "pet", "image", "img", "scan", "vol", "volume", "orig", "original", "t1", "t1w", "t1ce",
        "t1c", "t1n", "t1gd", "t2", "t2w", "t2f", "flair", "dwi", "adc", "cbct", "us",
    }
)  # fmt: skip
_CHANNEL: Final = re.compile(r"0\d\d\d")
_SPLIT_OF_TRAINING: Final = {"tr": "train", "ts": "test", "val": "val"}

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """One patient, or one scan.

    Args:
        name: Unique: the path of the first scan without suffix.
        scans: The volumes that are the bands of the picture.
        labels: The label volume, or one per class; none where the scan has no labels.
        classes: The class of each label volume where there is one per class.
        split: `train`, `val`, `test` or "".
    """

    name: str
    scans: tuple[Path, ...]
    labels: tuple[Path, ...] = ()
    classes: tuple[str, ...] = ()
    split: str = ""


@dataclass(frozen=True, slots=True)
class Cases:
    """What was found below a folder.

    Args:
        cases: Sorted by name.
        orphans: Label volumes without a scan.
        how: The layout in words.
    """

    cases: tuple[Case, ...]
    orphans: tuple[Path, ...]
    how: str

    def of(self, file: Path) -> Cases:
        """Return the case that a file belongs to."""
        kept = tuple(case for case in self.cases if file in (*case.scans, *case.labels))
        return Cases(kept, tuple(path for path in self.orphans if path == file), self.how)


class _File(NamedTuple):
    path: Path
    place: Key
    words: Key
    is_label: bool


@dataclass(slots=True)
class _Sorted:
    """The volumes of a folder by what they are; keys are the folders without their role, then words."""

    scans: dict[Key, list[Path]] = field(default_factory=lambda: defaultdict(list))
    labels: dict[Key, list[Path]] = field(default_factory=lambda: defaultdict(list))


def stem_of(path: Path) -> str:
    """Return a volume's name without its one or two suffixes."""
    lower = path.name.lower()
    return next((path.name[: -len(suffix)] for suffix in _SUFFIXES if lower.endswith(suffix)), path.stem)


def find_cases(source: Source, paths: Sequence[Path], headers: Mapping[Path, VolumeHeader]) -> Cases:
    """Sort volumes into cases.

    Scans that differ in nothing but a word such as `t1` or `flair`, or in the number of a channel, and that have one
    grid, are the bands of one case.

    Args:
        source: The data set's folder; where scans lie in a folder of their own, what lies in it are labels.
        paths: The volumes below the two.
        headers: Of those that can be read; a volume that names its classes is a label volume whatever it is called.
    """
    per_class = _per_class(paths)
    inside = {path for files in per_class.values() for path in files}
    files = [_file(source, path, headers.get(path)) for path in paths if path not in inside]
    found = _by_stem(files)
    cases, orphans, unclear = [], [], 0
    for key, scans in found.scans.items():
        labels = found.labels.pop(key, [])
        groups = _by_grid(scans, headers)
        fitting = [group for group in groups if labels and _same(group[0], labels[0], headers)]
        # two label volumes for one scan, or two scans for one: which is meant is for a person to say
        if labels and (len(labels) > 1 or (len(groups) > 1 and len(fitting) != 1)):
            orphans += labels
            labels, unclear = [], unclear + 1
        taker = fitting[0] if fitting else groups[0]
        cases += [_case(source, group, labels if group is taker else [], per_class) for group in groups]
    orphans += [path for labels in found.labels.values() for path in labels]
    how = "one label volume per class in a folder beside the scan" if per_class else "scans and labels paired by name"
    if unclear:
        how += f"; for {unclear} names more than one scan or label volume could be meant, so their labels are left out"
    cases = _plainly_named(_with_splits(cases))
    return Cases(tuple(sorted(cases, key=lambda case: case.name)), tuple(sorted(orphans)), how)


def _plainly_named(cases: list[Case]) -> list[Case]:
    """Leave the folders that only say `images` or `imagesTr` out of the names, unless two cases came out the same."""
    names = []
    for case in cases:
        *folders, last = case.name.split("/")
        said = [part for part in folders if not _TRAINING.fullmatch(part) and part.casefold() not in PHOTO_FOLDERS]
        names.append("/".join([*said, last]))
    unique = len(set(names)) == len(names)
    return [replace(case, name=name) for name, case in zip(names, cases, strict=True)] if unique else cases


def _by_grid(scans: list[Path], headers: Mapping[Path, VolumeHeader]) -> list[list[Path]]:
    groups: list[list[Path]] = []
    for scan in sorted(scans):
        own = next((group for group in groups if _same(group[0], scan, headers)), None)
        if own is None:
            groups.append([scan])
        else:
            own.append(scan)
    return groups


def _same(one: Path, other: Path, headers: Mapping[Path, VolumeHeader]) -> bool:
    try:
        return one in headers and other in headers and not headers[one].grid.differs(headers[other].grid, other)
    except InputError:
        return False


def _per_class(paths: Sequence[Path]) -> dict[Path, list[Path]]:
    """Return, for scans beside a folder of labels none of which has the name of a scan, the files of that folder."""
    by_folder: dict[Path, list[Path]] = defaultdict(list)
    for path in paths:
        by_folder[path.parent].append(path)
    found = {}
    for folder, labels in by_folder.items():
        scans = by_folder.get(folder.parent, [])
        is_own = len(scans) == 1 and stem_of(scans[0]) not in {stem_of(path) for path in labels}
        if is_own and folder.name.casefold() in MASK_FOLDERS:
            found[scans[0]] = labels
    return found


def _file(source: Source, path: Path, header: VolumeHeader | None) -> _File:
    base = _base(source, path)
    kept, role = [], "" if source.photos is None else "scan" if base == source.photos else "label"
    for folder in path.parent.relative_to(base).parts:
        name = folder.casefold()
        if training := _TRAINING.fullmatch(name):
            role = "label" if training[1].lower() == "labels" else "scan"
            kept += [training[2].lower()] if source.photos is None else []
        elif name in MASK_FOLDERS or name in PHOTO_FOLDERS:
            role = "label" if name in MASK_FOLDERS else "scan"
        else:
            kept.append(folder)
    words = tuple(word for word in _WORDS.split(stem_of(path)) if word)
    lower = {word.casefold() for word in words}
    named = header is not None and bool(header.segments)
    labelled = named or role == "label" or (role == "" and bool(lower & _LABEL_WORDS))
    return _File(path, tuple(kept), words, labelled)


def _by_stem(files: Sequence[_File]) -> _Sorted:
    """Give scans and labels that belong together one key: the same words first, then without those that say a role."""
    found = _Sorted()
    whole = {(file.place, file.words) for file in files if file.is_label}
    scans = {(file.place, file.words) for file in files if not file.is_label}
    for file in files:
        others = scans if file.is_label else whole
        words = file.words
        if (file.place, words) not in others:
            words = _bare(file, others)
        (found.labels if file.is_label else found.scans)[(*file.place, "/", *words)].append(file.path)
    return found


def _bare(file: _File, others: set[tuple[Key, Key]]) -> Key:
    """Return the words of a name without the channel's number, and without those that say scan or label."""
    words = file.words
    if not file.is_label and len(words) > 1 and _CHANNEL.fullmatch(words[-1]):
        words = words[:-1]
        if (file.place, words) in others:
            return words
    dropped = _LABEL_WORDS if file.is_label else _SCAN_WORDS
    return tuple(word for word in words if word.casefold() not in dropped)


def _base(source: Source, path: Path) -> Path:
    """Return the folder that a volume is named relative to."""
    return source.photos if source.photos is not None and path.is_relative_to(source.photos) else source.root


def _case(source: Source, scans: list[Path], labels: list[Path], per_class: Mapping[Path, list[Path]]) -> Case:
    scans = sorted(scans)
    name = relative_name(scans[0].with_name(stem_of(scans[0])), _base(source, scans[0]))
    if scans[0] in per_class and not labels:
        files = sorted(per_class[scans[0]])
        return Case(name, tuple(scans), tuple(files), tuple(map(stem_of, files)))
    return Case(name, tuple(scans), tuple(labels))


def _with_splits(cases: list[Case]) -> list[Case]:
    """State splits where folders do: train, val, test; imagesTr and imagesTs only where both have labels."""
    folders = {case.name: case.name.split("/")[:-1] for case in cases}
    training = {case.name: _training(folders[case.name]) for case in cases}
    both = {training[case.name] for case in cases if case.labels} >= {"train", "test"}
    return [
        replace(case, split=(training[case.name] if both else "") or split_of(folders[case.name])) for case in cases
    ]


def _training(folders: list[str]) -> str:
    found = [match for folder in folders if (match := _TRAINING.fullmatch(folder))]
    return _SPLIT_OF_TRAINING[found[-1][2].lower()] if found else ""
