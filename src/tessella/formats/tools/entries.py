"""From the photos that annotation files name to a listing: photos found, classes settled, and what was seen said."""

from __future__ import annotations

import posixpath
from collections import Counter
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from tessella.core.classes import ClassInfo, ClassTable, LabelCoding, voc_colour
from tessella.core.errors import FormatError, InputError
from tessella.core.wording import counted
from tessella.files.classes import IGNORE_NAMES
from tessella.files.paths import IMAGE_SUFFIXES, relative_name
from tessella.files.text import read_json
from tessella.formats.layout.class_files import own_classes
from tessella.formats.layout.discover import discover_names
from tessella.formats.layout.photos import PhotoFinder, named_apart, unclaimed, unreadable
from tessella.formats.listing import Listing, Record
from tessella.formats.raster.labels import BACKGROUND_NAMES, uncovered_note
from tessella.formats.tools.plain import words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from tessella.core.classes import Colour
    from tessella.formats.source import Source

UNLABELLED: Final = "unlabelled"
"""The class of shapes to which nobody gave a label; a class map renames, merges or ignores it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One annotated photo, as an annotation file names it.

    Args:
        label: The annotation file.
        listed: What the photo may be called here, the likeliest first; the first names the record where it is missing.
        key: The entry in a file that describes several photos; unique in that file.
        hw: Height and width that the file states, or None.
        names: The label of every shape.
        boxes: How many of the shapes are boxes.
        parts: Further files that make up the label.
        size_bytes: How large the file says that the photo is; -1 where it does not.
    """

    label: Path
    listed: tuple[str, ...]
    key: str = ""
    hw: tuple[int, int] | None = None
    names: tuple[str, ...] = ()
    boxes: int = 0
    parts: tuple[Path, ...] = ()
    size_bytes: int = -1


@dataclass(frozen=True, slots=True)
class Found:
    """Everything that the files of one format say.

    Args:
        entries: One per annotated photo.
        classes: Names and colours (None for none) that a file of the tool states, in its order.
        origin: Which file that is.
        notes: What a person should know of how the files were read.
        left_out: What no label map can hold, counted.
        content: What the format keeps for `load`.
        lone: Whether photos beside the annotated ones that no entry names belong to the data set.
        not_photos: Endings of the names of pictures that the tool itself puts beside the photos.
        broken: Files that cannot be read, and why. Those that have an entry are the label of the photo that it names.
    """

    entries: Sequence[Entry]
    classes: Sequence[tuple[str, Colour | None]] = ()
    origin: str = ""
    notes: Sequence[str] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)
    content: object = None
    lone: bool = True
    not_photos: tuple[str, ...] = ()
    broken: Mapping[Path, str] = field(default_factory=dict)


def listing_of(name: str, source: Source, coding: LabelCoding | None, found: Found) -> Listing:
    """Return the listing of what was found.

    A photo without file stays a record where the annotation states its size; else its entry is an orphan. Of two
    entries for one photo the one beside the photo counts, and the other is an orphan. A file that cannot be read is the
    label of the photo that its name tells, where no other entry claims that; else it is listed as unreadable.

    Args:
        name: The format's name.
        source: Where it was read from.
        coding: The classes, or None to take them from a class file in the folder, else from the tool's own, else from
            the labels found.
        found: What the files say.

    Raises:
        FormatError: There is no entry, or two of them describe one photo.
        ClassTableError: The class file contradicts itself.
    """
    root, photos = source.root, PhotoFinder(source)
    if not found.entries:
        for path in found.broken:
            read_json(path, allow_nan=True)  # says what is wrong with it
        raise FormatError(
            f"no {name} annotation lies here", where=source.file or root, fix="give the folder of the export"
        )
    records: list[Record] = []
    orphans: list[str] = []
    known = {name for path in photos.paths for name in (path.name, path.stem)}
    pairs = [(entry, _photo_of(photos, entry, known)) for entry in found.entries]
    sound = _claims([pair for pair in pairs if pair[0].label not in found.broken], root)
    torn = unclaimed((pair for pair in pairs if pair[0].label in found.broken), (image for _, image in sound))
    for entry, image in [*sound, *torn]:
        if image is None and entry.hw is None:
            orphans.append(_where(entry, root))
            continue
        record = photos.record(image, entry.label, name=_called(entry, root), key=entry.key)
        records.append(Record(record.name, image, entry.label, record.split, key=entry.key, parts=entry.parts))
    notes = list(found.notes)
    if found.broken:
        first = relative_name(next(iter(found.broken)), root)
        notes.append(f"{counted(len(found.broken), 'file')} cannot be read, such as {first}")
    discovered = False
    names = Counter(label for entry in found.entries for label in entry.names)
    if coding is None:
        coding, remarks, discovered = _classes(root, names, found)
        notes += remarks
    lone = photos.unlabelled(records) if source.file is None and found.lone else []
    lone = [record for record in lone if record.image and not record.image.name.endswith(found.not_photos or ("\0",))]
    named = named_apart([*records, *lone])
    notes += _remarks(found.entries, names, coding)
    left_out = {kind: count for kind, count in found.left_out.items() if count}
    stated = {(entry.label, entry.key): entry.size_bytes for entry in found.entries}
    sizes = {record.name: stated[record.label, record.key] for record in named if record.label is not None}
    return Listing(
        name, root, named, coding, discovered, tuple(notes), tuple(orphans), source.max_pixels, left_out, found.content,
        {name: size for name, size in sizes.items() if size >= 0},
        unreadable=unreadable(found.broken, records, root),
    )  # fmt: skip


def json_trees(source: Source, broken: dict[Path, str]) -> Iterator[tuple[Path, Any]]:
    """Yield every JSON file and what it holds; those that cannot be read are put into `broken`, with the reason."""
    for path in source.files(".json"):
        try:
            tree = read_json(path, allow_nan=True)
        except InputError as error:
            broken[path] = error.fault
        else:
            yield path, tree


def named_label(value: object) -> str:
    """Return the label of a shape as text, `UNLABELLED` where it is missing or blank."""
    label = words(value)
    return label if label.strip() else UNLABELLED


def coding_of(stated: Iterable[tuple[str, Colour | None]]) -> LabelCoding:
    """Return the classes that a tool states.

    Tools list what they draw and mean the rest as background: it is put first where no class is called so. A colour
    that two classes share, or none, is replaced.

    Args:
        stated: Names and colours, in order; a name that comes twice counts once.
    """
    colours: dict[str, Colour | None] = {}
    for name, colour in stated:
        if name.strip() and name not in IGNORE_NAMES:
            colours.setdefault(name, colour)
    ground = [name for name in colours if name.casefold() in BACKGROUND_NAMES]
    if not ground:
        colours = {"background": None, **colours}
    seen = Counter(colour for colour in colours.values() if colour is not None)
    spare = (colour for colour in map(voc_colour, range(256)) if colour not in seen)
    infos = [
        ClassInfo(name, colour if colour is not None and seen[colour] == 1 else next(spare, voc_colour(index)))
        for index, (name, colour) in enumerate(colours.items())
    ]
    return LabelCoding(ClassTable(tuple(infos)), ignore_names=IGNORE_NAMES)


def _photo_of(photos: PhotoFinder, entry: Entry, known: AbstractSet[str]) -> Path | None:
    for listed in entry.listed:
        name = PurePosixPath(listed.replace("\\", "/")).name
        if name not in known:
            continue  # a path costs a third of a millisecond to follow, and exports list a hundred thousand
        path = photos.find(entry.label, listed)
        if path is not None and name in (path.name, path.stem):
            return path
    return None


def _called(entry: Entry, root: Path) -> str:
    """Return what a missing photo is called: its path below the root where the file gives one, else as listed."""
    listed = next(iter(entry.listed), "")
    if not listed.startswith("../"):
        return listed
    return posixpath.normpath(f"{relative_name(entry.label.parent, root)}/{listed}")


def _claims(pairs: list[tuple[Entry, Path | None]], root: Path) -> list[tuple[Entry, Path | None]]:
    """Take the photo from entries that lie further from it than another that claims it, or name it by name alone.

    Raises:
        FormatError: Two entries as near.
    """
    claims: dict[Path, list[Entry]] = {}
    for entry, image in pairs:
        if image is not None:
            claims.setdefault(image, []).append(entry)
    owners: dict[Path, Entry] = {}
    for image, rivals in claims.items():
        near = [entry for entry in rivals if entry.label.parent == image.parent]
        near = near or [entry for entry in rivals if _names_place(entry, image)] or rivals
        if len(near) > 1:
            raise FormatError(
                f"two annotations describe the photo {relative_name(image, root)}",
                where=root,
                got=f"{_where(near[0], root)} and {_where(near[1], root)}",
                fix="keep one of them, or give the one file to read",
            )
        owners[image] = near[0]
    lost = [(entry, image) for entry, image in pairs if image is not None and owners[image] is not entry]
    kept = [(entry, image) for entry, image in pairs if image is None or owners[image] is entry]
    return [*kept, *((_without(entry, owners[image], image), None) for entry, image in lost)]


def _names_place(entry: Entry, image: Path) -> bool:
    """Whether an entry names a photo by its folders, too."""
    for listed in entry.listed:
        path = listed.replace("\\", "/").lstrip("/")
        beside = posixpath.normpath(f"{entry.label.parent.as_posix()}/{path}")
        if "/" in path and (image.as_posix() == beside or image.as_posix().endswith(f"/{path}")):
            return True
    return False


def _without(entry: Entry, owner: Entry, image: Path) -> Entry:
    """Return an entry whose photo is another's; it keeps its size where its own lay in another folder."""
    if owner.label.parent != image.parent and any("/" in listed for listed in entry.listed):
        return entry
    return Entry(entry.label, entry.listed, entry.key)


def _where(entry: Entry, root: Path) -> str:
    name = relative_name(entry.label, root)
    return f"{name}#{entry.key}" if entry.key else name


def _classes(root: Path, names: Counter[str], found: Found) -> tuple[LabelCoding, list[str], bool]:
    if beside := own_classes(root):
        return beside[0], [f"classes from {beside[1]}"], False
    if found.classes:
        return coding_of(found.classes), [f"classes from {found.origin}"], False
    coding, notes = discover_names(names)
    return coding, list(notes), True


def _remarks(entries: Sequence[Entry], names: Counter[str], coding: LabelCoding) -> list[str]:
    notes = []
    shapes, boxes = names.total(), sum(entry.boxes for entry in entries)
    if names[UNLABELLED]:
        notes.append(
            f"{names[UNLABELLED]} of {shapes} shapes have no label: they are of the class {UNLABELLED!r}, which a "
            "class map renames or ignores"
        )
    if boxes and boxes == shapes:
        every = "the one shape is a box" if boxes == 1 else f"all {boxes} shapes are boxes"
        notes.append(f"{every}: what a box encloses is more than the object, so expect rough masks")
    elif boxes:
        notes.append(f"{boxes} of {shapes} shapes are boxes, and count with all they enclose")
    meaning = coding.name_to_id()
    if unknown := sorted(name for name in names if name not in meaning):
        notes.append(f"labels that are no class: {', '.join(map(repr, unknown[:8]))}")
    return [*notes, *uncovered_note(coding)]


def names_in_url(url: Any) -> tuple[str, ...]:  # noqa: ANN401 - parsed JSON
    """Return what a photo behind an address may be called here: its path, then its bare name.

    Args:
        url: `https://host/a/b%20c.jpg?token=1`, `s3://bucket/a/b.jpg`, `/data/local-files/?d=a/b.jpg`,
            `file:///C:/a/b.jpg`, or a plain path.
    """
    from urllib.parse import parse_qs, unquote, urlsplit

    if not isinstance(url, str) or not url.strip():
        return ()
    text = url.strip().replace("\\", "/")
    try:
        parts = urlsplit(text)
        local = parse_qs(parts.query).get("d", [""])[0]
    except ValueError:  # a bracket in the host part, more than the allowed number of fields
        return (PurePosixPath(text).name,) if PurePosixPath(text).name else ()
    plain = len(parts.scheme) < 2 and not local  # "C:/a.jpg" has no scheme, and "?" may be part of a file's name
    path = text if plain else local or unquote(parts.path)
    if not plain and PurePosixPath(path).suffix.lower() not in IMAGE_SUFFIXES:
        path = unquote(parts.path)
    name = PurePosixPath(path).name
    tail = path.lstrip("/")
    return tuple(dict.fromkeys(part for part in (tail, name) if part and "\0" not in part))
