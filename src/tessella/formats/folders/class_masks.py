"""class-masks: one mask per class, `masks/<class>/<stem>.png` or `masks/<stem>_<class>.png`."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import quote, unquote

import numpy as np

from tessella.core.annotation import StoredMask
from tessella.core.classes import IGNORE, ClassTable, LabelCoding, nearest_hint
from tessella.core.errors import FormatError, InputError, LabelError
from tessella.core.wording import counted
from tessella.files.masks import write_picture
from tessella.files.paths import IMAGE_SUFFIXES, relative_name
from tessella.formats.layout.binary import says_yes_or_no, stored_type, value_of, with_ignore_value, yes_of_each
from tessella.formats.layout.class_files import find_classes
from tessella.formats.layout.export import in_split, write_classes_beside, write_photo
from tessella.formats.layout.pairing import SPLIT_NAMES, paired, role_of, split_of
from tessella.formats.layout.photos import named_apart
from tessella.formats.layout.places import photo_tree, tree
from tessella.formats.listing import Listing, Match, Record, Writer
from tessella.formats.raster.labels import BACKGROUND_NAMES, background_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from tessella.core.annotation import Annotation
    from tessella.formats.listing import Item, Written
    from tessella.formats.source import Source

NAME: Final = "class-masks"
_MOST_CLASSES: Final = 255
_LOOK_AT: Final = 200
_ROLE_WORDS: Final = frozenset(
    {
        "mask", "masks", "label", "labels", "gt", "seg", "segmentation", "annotation", "matte", "color", "colors",
        "colour", "colours", "instance", "instances", "panoptic", "depth",
    }
)  # fmt: skip
"""What names say of masks that is no class."""
_JOINTS: Final = re.compile(r"[_\-. ]")
_SAFE: Final = " !#$&'()+,;=@[]^{}~"

Key = tuple[str, ...]


class _Found(NamedTuple):
    """Photos and the masks of their classes.

    Args:
        photos: By what is left of their path without roles.
        masks: For each such path the masks by class.
        how: The layout in words.
    """

    photos: dict[Key, list[Path]]
    masks: dict[Key, dict[str, Path]]
    how: str

    @property
    def met(self) -> list[Key]:
        """The keys of photos that have masks."""
        return [key for key in self.masks if key in self.photos]

    @property
    def names(self) -> list[str]:
        """The classes of masks that have a photo, sorted."""
        return sorted({name for key in self.met for name in self.masks[key]})


def detect(source: Source) -> Match | None:
    """Say whether photos have a mask for each class, in folders named by class or in files that end with it."""
    if source.file is not None or _have_one_mask(source):
        return None
    found = source.once(_find)
    names = found.names
    folded = {name.casefold() for name in names}
    if not names or len(names) > _MOST_CLASSES or folded <= SPLIT_NAMES.keys() or folded & _ROLE_WORDS:
        return None
    masks = [path for key in found.met for path in found.masks[key].values()]
    if not all(map(says_yes_or_no, masks[:: max(1, len(masks) // 4)])):
        return None
    return Match(
        86, f"{found.how} for {counted(len(found.met), 'photo')}: {', '.join(names[:3])}{', ...' if names[3:] else ''}"
    )


def _have_one_mask(source: Source) -> bool:
    """Whether most photos have one mask: then no further look is needed."""
    pairs = paired(source)
    return pairs is not None and 2 * len(pairs.masks) > len(pairs.records)


def _find(source: Source) -> _Found:
    photos: dict[Key, list[Path]] = defaultdict(list)
    below: list[tuple[Key, Key, Path]] = []
    for folder, members in source.once(tree).items():
        above, role, rest = _roles(folder)
        pictures = [path for path in members if path.suffix.lower() in IMAGE_SUFFIXES]
        if role == "mask":
            below += [(above, rest, path) for path in pictures]
        else:
            for path in pictures:
                photos[(*above, *rest, path.stem)].append(path)
    for folder, members in source.once(photo_tree).items():
        above, _, rest = _roles(folder)
        for path in members:
            photos[(*above, *rest, path.stem)].append(path)
    by_folder = _in_folders(below)
    if any(key in photos for key in by_folder):
        return _Found(photos, by_folder, "folders of masks are named by class")
    return _Found(photos, _in_names(below, photos), "masks are named by photo and class")


def _roles(folder: str) -> tuple[Key, str, Key]:
    """Split a folder's path at the first part that says photos or masks: what is above, the role, what is below."""
    parts = folder.split("/") if folder else []
    for place, part in enumerate(parts):
        role, rest = role_of(part)
        if role:
            return (*parts[:place], *([rest] if rest else [])), role, tuple(parts[place + 1 :])
    return tuple(parts), "", ()


def _in_folders(below: Sequence[tuple[Key, Key, Path]]) -> dict[Key, dict[str, Path]]:
    """Take the first folder below masks/ for the class."""
    found: dict[Key, dict[str, Path]] = defaultdict(dict)
    for above, rest, path in below:
        if rest:
            found[(*above, *rest[1:], path.stem)].setdefault(unquote(rest[0]), path)
    return found


def _in_names(below: Sequence[tuple[Key, Key, Path]], photos: Mapping[Key, object]) -> dict[Key, dict[str, Path]]:
    """Take what follows the photo's stem for the class; a number counts objects, and `mask` says no class."""
    found: dict[Key, dict[str, Path]] = defaultdict(dict)
    uses: Counter[str] = Counter()
    for above, rest, path in below:
        for joint in _JOINTS.finditer(path.stem):
            key, name = (*above, *rest, path.stem[: joint.start()]), path.stem[joint.end() :]
            if key in photos and name and not name.isdecimal() and name.casefold() not in _ROLE_WORDS:
                found[key].setdefault(name, path)
                uses[name] += 1
                break
    # a class that one photo alone has, among many photos, is rather a part of somebody's file name
    return found if len(uses) > 1 and len(uses) <= max(2, len(found)) else {}


def read(source: Source, coding: LabelCoding | None) -> Listing:
    """List photos with the masks of their classes.

    Args:
        source: The data set's folder.
        coding: The classes, or None to take them from a class file beside the data or else from the names of masks,
            background first.

    Raises:
        FormatError: No photo has a mask per class.
        LabelError: A mask is named after no class.
    """
    found = source.once(_find)
    names = found.names
    if not names:
        raise FormatError(
            "no photo has a mask per class", where=source.root, expected="images/x.jpg and masks/<class>/x.png"
        )
    coding, notes = _classes(source, coding, names)
    if background_id(coding) == IGNORE or any(name.casefold() in BACKGROUND_NAMES for name in names):
        notes.append("pixels in no mask are ignored")
    else:
        notes.append("pixels in no mask are background")
    order = coding.name_to_id()
    records = [
        _record(source, path, key, sorted(found.masks.get(key, {}).items(), key=lambda item: order[item[0]]))
        for key, paths in found.photos.items()
        for path in paths
    ]
    ordered = named_apart(records)
    lone = [min(masks.values()) for key, masks in found.masks.items() if key not in found.photos]
    content = {relative_name(path, source.root): name for masks in found.masks.values() for name, path in masks.items()}
    listing = Listing(
        NAME, source.root, ordered, coding, False, (found.how, *notes),
        tuple(sorted(relative_name(path, source.root) for path in lone)), source.max_pixels, {}, content,
    )  # fmt: skip
    return _with_overlaps(listing)


def _record(source: Source, photo: Path, key: Key, masks: list[tuple[str, Path]]) -> Record:
    name = relative_name(photo.with_suffix(""), source.home(photo))
    paths = [path for _, path in masks]
    split = split_of(name.split("/")[:-1]) or split_of(key[:-1])
    return Record(name, photo, paths[0] if paths else None, split, parts=tuple(paths[1:]))


def _classes(source: Source, coding: LabelCoding | None, names: list[str]) -> tuple[LabelCoding, list[str]]:
    notes = []
    if coding is None and (beside := find_classes(source.root)):
        coding, notes = beside[0], [f"classes from {beside[1]}"]
    if coding is None:
        kept = [name for name in names if name.casefold() not in BACKGROUND_NAMES]
        table = ClassTable.from_names(("background", *kept))
        aliases = tuple((name, "background") for name in names if name not in kept and name != "background")
        return LabelCoding(table, aliases=aliases), ["classes from the names of the masks"]
    meaning = coding.name_to_id()
    for name in names:
        if name not in meaning:
            raise LabelError(
                f"masks are named after {name!r}, which is no class", where=source.root,
                expected=", ".join(coding.table.names), fix=nearest_hint(name, list(meaning)),
            )  # fmt: skip
    return with_ignore_value(coding), notes


def _with_overlaps(listing: Listing) -> Listing:
    """Count the pixels that two classes claim, in at most 200 photos spread over the set."""
    several = [record for record in listing.records if record.parts]
    looked = several[:: max(1, len(several) // _LOOK_AT)][:_LOOK_AT]
    with ThreadPoolExecutor(2) as pool:
        counts = list(pool.map(partial(_overlap, listing=listing), looked))
    total = sum(counts)
    if not total:
        return listing
    said = (
        f"{total} px of {counted(sum(count > 0 for count in counts), 'photo')} belong to two classes "
        f"({len(looked)} of {len(several)} photos looked at): the later class of the table counts"
    )
    return replace(listing, notes=(*listing.notes, said))


def _overlap(record: Record, listing: Listing) -> int:
    claimed: np.ndarray | None = None
    twice: np.ndarray | None = None
    try:
        for _, yes in _masks(record, listing):
            twice = (claimed & yes) | (False if twice is None else twice) if claimed is not None else None
            claimed = yes if claimed is None else claimed | yes
    except InputError:
        return 0  # `tessella check` names it
    return 0 if twice is None else int(np.count_nonzero(twice))


def _masks(record: Record, listing: Listing) -> Iterator[tuple[int, np.ndarray]]:
    """Yield the class id of each mask of a photo, and where it is set.

    Raises:
        InputError: A mask cannot be read.
        LabelError: Two masks of one photo differ in size.
    """
    content = listing.content if isinstance(listing.content, dict) else {}
    meaning = listing.coding.name_to_id()
    for path, yes in yes_of_each(record, listing):
        name = content.get(relative_name(path, listing.root), "")
        if name not in meaning:
            raise LabelError(f"this mask is named after {name!r}, which is no class", where=path)
        yield meaning[name], yes


def load(record: Record, listing: Listing) -> Annotation:
    """Lay the masks of a photo over each other, in the order of the class table.

    Raises:
        InputError: The photo has no masks, or one cannot be read.
        LabelError: Two masks of one photo differ in size.
    """
    coding = listing.coding
    names = listing.content.values() if isinstance(listing.content, dict) else ()
    explicit = any(name.casefold() in BACKGROUND_NAMES for name in set(names))
    ground = value_of(coding, IGNORE if explicit else background_id(coding))
    masks = _masks(record, listing)
    first = next(masks)  # there is one, for the photo has labels
    pixels: NDArray[Any] = np.full(first[1].shape, ground, stored_type(coding))
    for index, yes in chain([first], masks):
        pixels[yes] = value_of(coding, index)
    return StoredMask(pixels, "L")


def folder_of(name: str) -> str:
    """Return the folder of a class: its name, with what no file system takes written as %2F and the like."""
    text = quote(name, safe=_SAFE)
    edge = text[:1] == "." or text[-1:] in ". "
    return text if not edge else "".join(f"%{ord(letter):02X}" if letter in ". " else letter for letter in text)


def write_one(item: Item, coding: LabelCoding, dst: Path) -> None:
    """Write `images/` and `masks/<class>/` with 255 where the class is; what is in no mask is ignored."""
    from PIL import Image

    folder = in_split(item, dst)
    write_photo(item, folder / "images")
    if item.labels is None:
        return
    ids = item.labels.ids
    ground = background_id(coding)
    # an empty mask of the background says that what no mask covers is not background
    always = {0 if ground == IGNORE else ground}
    for index in sorted(always | set(np.unique(ids).tolist()) - {IGNORE}):
        picture = Image.fromarray((ids == index).astype(np.uint8) * np.uint8(255))
        write_picture(folder / "masks" / folder_of(coding.table.names[index]) / f"{item.stem}.png", picture)


def close(written: Sequence[Written], coding: LabelCoding, dst: Path) -> None:
    """Write `classes.toml`."""
    write_classes_beside(coding, dst)


WRITER: Final = Writer(write_one, close)
