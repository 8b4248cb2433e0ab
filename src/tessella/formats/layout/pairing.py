"""Which photo belongs to which mask: by folder roles, stems and suffixes, as people really lay out data sets."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

from tessella.core.errors import FormatError
from tessella.files.paths import IMAGE_SUFFIXES, relative_name
from tessella.formats.listing import Record

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    from tessella.formats.source import Source

PHOTO_FOLDERS: Final = frozenset(
    {
        "images", "image", "imgs", "img", "photos", "photo", "jpegimages", "source images", "inputs", "input", "rgb",
        "pictures",
    }
)  # fmt: skip
MASK_FOLDERS: Final = frozenset(
    {
        "masks", "mask", "labels", "label", "annotations", "annotation", "gt", "gts", "groundtruth", "ground truth",
        "ground_truth", "segmentationclass", "segmentation", "segmentations", "seg", "targets", "target", "annot",
        "annots", "labels_png", "label_png", "png_masks", "pngmasks", "semantic_masks",
    }
)  # fmt: skip
RESULT_FOLDERS: Final = frozenset(
    {"pred", "preds", "prediction", "predictions", "predicted", "result", "results", "res", "output", "outputs"}
)
"""Folders of what some model made: neither photos nor labels."""

_TWIN_ENDINGS: Final = (
    "annot", "_annot", "_annotations", "_masks", "_mask", "_labels", "_label", "_gt", "_seg", "-masks", "-labels",
)  # fmt: skip
_MASK_WORDS = "mask|masks|label|labels|labelids|gt|seg|segmentation|annotation|annot|matte"
_MASK_ENDING = re.compile(rf"[_\-. ]+({_MASK_WORDS})$", re.IGNORECASE)
_PHOTO_ENDING = re.compile(r"[_\-. ]+(image|img|photo|rgb|sat)$", re.IGNORECASE)
_MASK_START = re.compile(r"^(mask|label|gt|seg)([_\-. ]+|(?=\d))", re.IGNORECASE)
_PHOTO_START = re.compile(r"^(image|img|photo|rgb)([_\-. ]+|(?=\d))", re.IGNORECASE)
SPLIT_NAMES: Final = {
    "train": "train", "training": "train", "trn": "train", "val": "val", "valid": "val", "validation": "val",
    "dev": "val", "test": "test", "testing": "test", "tst": "test",
}  # fmt: skip
"""Folder names that say which split a photo belongs to."""

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pairs:
    """What pairing found.

    Args:
        records: One per photo, sorted by name.
        orphans: Masks without photo, relative to the root.
        how: The layout in words, such as "images/ beside masks/".
    """

    records: tuple[Record, ...]
    orphans: tuple[str, ...]
    how: str

    @property
    def masks(self) -> list[Path]:
        """The mask files that have a photo."""
        return [record.label for record in self.records if record.label is not None]


@dataclass(slots=True)
class _File:
    path: Path
    relative: str
    key: Key
    role: str
    split: str


def pair(source: Source) -> Pairs:
    """Pair the photos and masks below a folder, once for all formats that ask.

    A folder named images, imgs, JPEGImages ... holds photos, one named masks, labels, SegmentationClass ... masks, and
    so does `trainannot` beside `train`; in one folder a mask has the photo's stem with `_mask`, `_label`, `-seg` ...,
    or the very same stem with another file type (`x.jpg` + `x.png`). Where photos lie in a folder of their own
    (`source.photos`), what lies in the data set's folder are masks.

    Args:
        source: The data set's folder.

    Returns:
        Records with `split` from folders named train, val, test.

    Raises:
        FormatError: Two masks claim one photo, or most masks belong to several photos.
    """
    found = source.once(_outcome)
    if isinstance(found, FormatError):
        raise found
    return found


def paired(source: Source) -> Pairs | None:
    """Like `pair`, and None where it would raise: then the layout is another."""
    found = source.once(_outcome)
    return None if isinstance(found, FormatError) else found


def _outcome(source: Source) -> Pairs | FormatError:
    try:
        return _pair(source, source.files(*IMAGE_SUFFIXES))
    except FormatError as fault:
        return fault


def pair_with(source: Source, labels: Collection[Path]) -> Pairs:
    """Pair photos with label files of a kind of their own (`.npy`, `.mat`), which are no pictures; like `pair`.

    Args:
        source: The data set's folder; its pictures are photos, save those in folders of masks.
        labels: The label files.
    """
    return _pair(source, source.files(*IMAGE_SUFFIXES), labels)


def _pair(source: Source, pictures: Iterable[Path], labels: Collection[Path] | None = None) -> Pairs:
    root, photos, here = source.root, source.photos, list(pictures)
    if photos is None:
        return _meet(root, _roles(root, here), labels)
    if photos.is_relative_to(root):
        found = _meet(root, _roles(root, here), labels)
        if any(record.image and record.label for record in found.records):
            return found
        # names did not tell photos from masks, but the caller does: the photos lie there, and all the rest are masks
        own = [path for path in here if path.is_relative_to(photos)]
        rest = [path for path in here if not path.is_relative_to(photos)]
        return _meet(root, _roles(root, own, "photo"), rest if labels is None else labels)
    known = "" if root.is_relative_to(photos) else "mask"
    return _meet(root, _roles(root, here, known) + _roles(photos, source.further_photos, "photo"), labels)


def _meet(root: Path, files: list[_File], labels: Collection[Path] | None) -> Pairs:
    if labels is not None:
        files = [file for file in files if file.role != "mask"] + _roles(root, labels, "mask")
    photos: dict[Key, list[_File]] = defaultdict(list)
    masks: dict[Key, list[_File]] = defaultdict(list)
    for file in files:
        if file.role != "result":
            (masks if file.role == "mask" else photos)[file.key].append(file)
    how = _name_layout(masks)
    if not masks:
        how = _split_same_stems(photos, masks) or _split_suffixes(photos, masks) or _split_prefixes(photos, masks)
    _strip_affixes(photos, masks)
    _adopt_lone_siblings(photos, masks)
    if labels is not None:
        _meet_by_stem(photos, masks)
    _refuse_shared_masks(root, photos, masks)
    if labels is None and not any(photos.values()):
        return _masks_alone(root, masks, how)
    return _records(root, photos, masks, how)


def _roles(root: Path, paths: Iterable[Path], known: str = "") -> list[_File]:
    # by the parts of a path: making the parent and the stem of each of 200,000 paths costs two seconds
    by_parts: dict[tuple[str, ...], list[Path]] = defaultdict(list)
    for path in paths:
        by_parts[path.parts[:-1]].append(path)
    by_folder = {members[0].parent: members for members in by_parts.values()}
    files = []
    for folder, members in by_folder.items():
        role, kept = _role_of_folder(root, folder, by_folder.keys())
        above = "" if folder == root else relative_name(folder, root) + "/"
        split = split_of(above.split("/")[:-1])
        for path in members:
            last = path.parts[-1]
            files.append(_File(path, above + last, (*kept, last.rpartition(".")[0]), known or role, split))
    return files


def _role_of_folder(root: Path, folder: Path, folders: Collection[Path]) -> tuple[str, Key]:
    """Return what a folder holds, and its path without the part that says so; the part nearest the files counts."""
    parts = list(folder.relative_to(root).parts)
    for index in range(len(parts) - 1, -1, -1):
        if twin := _twin_of(root.joinpath(*parts[: index + 1]), folders):
            return "mask", (*parts[:index], twin, *parts[index + 1 :])
        role, rest = role_of(parts[index])
        if parts[index].casefold() in RESULT_FOLDERS:
            return "result", tuple(parts)
        if role:
            return role, (*parts[:index], *([rest] if rest else []), *parts[index + 1 :])
    return "", tuple(parts)


@cache
def role_of(folder: str) -> tuple[str, str]:
    """Return what a folder of this name holds, and the rest of the name: `train_masks` gives ("mask", "train").

    Args:
        folder: A folder's name, not a path.

    Returns:
        "mask", "photo" or "", and the split in the name, or "".
    """
    name = folder.casefold().rstrip("+-_. ")
    if name in MASK_FOLDERS or name in PHOTO_FOLDERS:
        return ("mask" if name in MASK_FOLDERS else "photo"), ""
    words = re.split(r"[_\-. ]+", name)
    splits = [word for word in words if word in SPLIT_NAMES]
    roles = {word for word in words if word not in SPLIT_NAMES}
    if len(splits) == 1 and roles and roles <= MASK_FOLDERS | PHOTO_FOLDERS:
        return ("mask" if roles & MASK_FOLDERS else "photo"), splits[0]
    return "", ""


def _twin_of(folder: Path, folders: Collection[Path]) -> str:
    """Return the name of the photo folder that `folder` annotates: `train` for `trainannot`."""
    for ending in _TWIN_ENDINGS:
        if folder.name.casefold().endswith(ending):
            name = folder.name[: -len(ending)]
            if name and folder.with_name(name) in folders:
                return name
    return ""


def _name_layout(masks: dict[Key, list[_File]]) -> str:
    names = sorted({file.path.parent.name for files in masks.values() for file in files})
    return f"masks in folders named {', '.join(names[:3])}" if names else ""


def _split_same_stems(photos: dict[Key, list[_File]], masks: dict[Key, list[_File]]) -> str:
    """In `x.jpg` + `x.png` the PNG is the mask, for JPEG smears edges and BMP wastes space on flat areas."""
    for key, files in photos.items():
        png = [file for file in files if file.path.suffix.lower() == ".png"]
        if len(files) == 2 and len(png) == 1:
            masks[key] = png
            files.remove(png[0])
    # no photo that has a mask is a PNG, so a PNG alone is a mask whose photo is missing
    folders = {files[0].path.parent for files in masks.values()}
    alone = [key for key, files in photos.items() if len(files) == 1 and files[0].path.suffix.lower() == ".png"]
    if len(alone) < len(masks):
        for key in alone:
            if photos[key][0].path.parent in folders:
                masks[key] = photos.pop(key)
    return "photos and masks of the same stem side by side" if masks else ""


def _split_suffixes(photos: dict[Key, list[_File]], masks: dict[Key, list[_File]]) -> str:
    seen = set()
    marked = {key: stem for key in photos if (stem := _MASK_ENDING.sub("", key[-1])) != key[-1]}
    for key, stem in marked.items():
        if (*key[:-1], stem) in photos:
            seen.add(key[-1][len(stem) :])
    for key, stem in marked.items() if seen else ():
        if key[-1][len(stem) :] in seen:  # also those whose photo is missing
            masks[(*key[:-1], stem)] += photos.pop(key)
    return f"masks beside the photos, marked {', '.join(sorted(seen))}" if seen else ""


def _split_prefixes(photos: dict[Key, list[_File]], masks: dict[Key, list[_File]]) -> str:
    """Pair `img2d` with `mask2d` in one folder."""
    seen = set()
    bare = {_bare(key, _PHOTO_START, _PHOTO_ENDING): key for key in photos if not _MASK_START.match(key[-1])}
    for key in list(photos):
        start = _MASK_START.match(key[-1])
        if start and (met := bare.get(_bare(key, _MASK_START, _MASK_ENDING))):
            seen.add(start[0])
            masks[met] += photos.pop(key)
    return f"masks beside the photos, their names start with {', '.join(sorted(seen))}" if seen else ""


def _strip_affixes(photos: dict[Key, list[_File]], masks: dict[Key, list[_File]]) -> None:
    """Pair `1_image` with `1_annotation` and `image_1` with `gt_1`, where the bare stems did not meet."""
    bare_photos: dict[Key, list[Key]] = defaultdict(list)
    for key in photos.keys() - masks.keys():
        bare_photos[_bare(key, _PHOTO_START, _PHOTO_ENDING)].append(key)
    for key in sorted(masks.keys() - photos.keys()):
        met = bare_photos.get(_bare(key, _MASK_START, _MASK_ENDING), [])
        if len(met) == 1:
            masks[met[0]] += masks.pop(key)


def _bare(key: Key, start: re.Pattern[str], ending: re.Pattern[str]) -> Key:
    stem = start.sub("", ending.sub("", key[-1]))
    return (*key[:-1], stem or key[-1])


def _adopt_lone_siblings(photos: dict[Key, list[_File]], masks: dict[Key, list[_File]]) -> None:
    """Pair `masks/x.png` with `anything/x.jpg` when that folder is the only one without a role."""
    lone_masks = masks.keys() - photos.keys()
    if not lone_masks:
        return
    lone_photos = photos.keys() - masks.keys()
    parents = {(*key[:-2], "", key[-2]) for key in lone_photos if len(key) > 1}
    for *above, _, folder in parents:
        siblings = {other[-1] for other in parents if list(other[:-2]) == above}
        if len(siblings) != 1:
            continue
        for key in sorted(key for key in lone_photos if key[:-1] == (*above, folder)):
            if (moved := (*above, key[-1])) in lone_masks:
                photos[moved] = photos.pop(key)


def _meet_by_stem(photos: dict[Key, list[_File]], masks: dict[Key, list[_File]]) -> None:
    """Pair label files of a kind of their own with the only photo of the same stem, whatever the folders are called."""
    alone: dict[str, list[Key]] = defaultdict(list)
    for key in photos.keys() - masks.keys():
        alone[key[-1]].append(key)
    lone = sorted(masks.keys() - photos.keys())
    often = {stem for stem, keys in alone.items() if len(keys) > 1}
    seen: set[str] = set()
    for key in lone:
        if key[-1] in alone and key[-1] not in often | seen:
            seen.add(key[-1])
            masks[alone[key[-1]][0]] += masks.pop(key)


def _refuse_shared_masks(root: Path, photos: dict[Key, list[_File]], masks: dict[Key, list[_File]]) -> None:
    """Refuse `label/x.png` for both `A/x.png` and `B/x.png`: such masks say what changed between two photos."""
    lone = masks.keys() - photos.keys()
    if not lone:
        return
    claims: dict[Key, list[_File]] = defaultdict(list)
    for key, files in photos.items():
        if len(key) > 1 and key not in masks and (shared := (*key[:-2], key[-1])) in lone:
            claims[shared] += files
    several = sorted(key for key, files in claims.items() if len(files) > 1)
    if 2 * len(several) > len(masks):
        both = " and ".join(file.relative for file in claims[several[0]][:2])
        raise FormatError(
            "a mask belongs to several photos",
            where=root,
            got=f"{masks[several[0]][0].relative} for {both}",
            expected="one photo for a mask",
            fix="these look like masks of change between two dates, which no model of single photos can learn; to use "
            "the photos of one date, move the others away",
        )


def _records(root: Path, photos: dict[Key, list[_File]], masks: dict[Key, list[_File]], how: str) -> Pairs:
    records, orphans = [], []
    for key in sorted(photos.keys() | masks.keys()):
        found = masks.get(key, [])
        if len(found) > 1 and key in photos:
            raise FormatError(
                "two masks claim one photo",
                where=root,
                got=" and ".join(file.relative for file in found[:2]),
                fix="keep one of them in the folder, or move the other set elsewhere",
            )
        label = found[0].path if found else None
        taken = photos.get(key, [])
        records += [_record(file, label, unique=len(taken) == 1) for file in taken]
        if not taken:
            orphans += [file.relative for file in found]
    return Pairs(tuple(sorted(records, key=lambda record: record.name)), tuple(sorted(orphans)), how)


def _masks_alone(root: Path, masks: dict[Key, list[_File]], how: str) -> Pairs:
    """List masks of which not one has a photo: they can be checked and converted by themselves."""
    files = sorted((file for found in masks.values() for file in found), key=lambda file: file.relative)
    records = [Record(relative_name(file.path.with_suffix(""), root), None, file.path, file.split) for file in files]
    return Pairs(tuple(records), (), f"{how}; no photo lies here, so the masks stand alone")


def _record(file: _File, label: Path | None, *, unique: bool) -> Record:
    return Record(file.relative.rpartition(".")[0] if unique else file.relative, file.path, label, file.split)


def split_of(folders: Iterable[str]) -> str:
    """Return the split that folder names state: `train`, `val`, `test` or ""."""
    for name in folders:
        if split := SPLIT_NAMES.get(role_of(name)[1] or name.casefold(), ""):
            return split
    return ""
