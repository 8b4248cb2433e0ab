"""Reading LabelMe files: which photo each belongs to, its shapes in drawing order, its embedded photo."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tessella.core.annotation import Drawing, Shape, ShapeKind
from tessella.core.errors import FormatError, InputError
from tessella.core.wording import counted
from tessella.files.classes import read_classes
from tessella.files.images import PHOTO_BUDGET, decode_image
from tessella.files.masks import decode_mask
from tessella.files.paths import relative_name
from tessella.files.text import read_json
from tessella.files.values.numbers import pairs, size_hw
from tessella.files.values.packed import decode_base64
from tessella.formats.layout.class_files import find_classes
from tessella.formats.layout.discover import discover_names
from tessella.formats.layout.photos import PhotoFinder, named_apart, unclaimed, unreadable
from tessella.formats.listing import Listing, Match, Record
from tessella.formats.raster.labels import uncovered_note

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from tessella.core.annotation import Annotation
    from tessella.core.classes import LabelCoding
    from tessella.core.image import Image
    from tessella.formats.source import Source

NAME: Final = "labelme"
_KINDS: Final[dict[str, ShapeKind]] = {
    "polygon": "polygon", "rectangle": "rectangle", "circle": "circle", "line": "line", "linestrip": "linestrip",
    "point": "point", "points": "points", "mask": "mask",
    # four corners in order, so the polygon rule holds: LabelMe's own name and that of its fork X-AnyLabeling
    "oriented_rectangle": "polygon", "rotation": "polygon",
}  # fmt: skip


def detect(source: Source) -> Match | None:
    """Say whether JSON files with LabelMe's `shapes` are there; about eight, spread over the list, are read."""
    found = sum(_is_labelme(outline.tree) for outline in source.outlines)
    if not found:
        return None
    return Match(90, f"{found} of {len(source.outlines)} JSON files looked at hold LabelMe shapes", "shapes")


def _is_labelme(tree: object) -> bool:
    return (
        isinstance(tree, dict) and isinstance(tree.get("shapes"), list) and ("imagePath" in tree or "version" in tree)
    )


def read(source: Source, coding: LabelCoding | None) -> Listing:
    """List the JSON files, their photos, and the photos beside them that have none.

    A photo is looked for where `imagePath` says (Windows or POSIX form, relative to the JSON file), then by that file
    name beside the JSON file, then by the JSON file's own stem, then anywhere below `root`; last comes the embedded
    copy. A file whose photo is missing stays in the list when it states the photo's size.

    Args:
        source: The data set's folder, or one JSON file of it.
        coding: The classes, or None to take them from a class file (LabelMe's `labels.txt` here or one folder up) or
            else from the labels found.

    Raises:
        FormatError: No LabelMe file lies here, or two of them describe one photo.
        ClassTableError: The class file contradicts itself.
    """
    root, photos = source.root, PhotoFinder(source)
    records: list[Record] = []
    orphans: list[str] = []
    names: Counter[str] = Counter()
    broken: dict[Path, str] = {}
    flags = 0
    for path in source.files(".json"):
        try:
            tree = read_json(path, allow_nan=True)
        except InputError as error:
            broken[path] = error.fault
            continue
        if not isinstance(tree, dict) or not isinstance(tree.get("shapes"), list):
            continue
        names.update(_label_names(tree["shapes"]))
        flags += _set_flags(tree.get("flags"))
        image = photos.find(path, tree.get("imagePath"))
        absent = image is None and not tree.get("imageData")
        if absent and _stated_size(tree) is None:
            orphans.append(relative_name(path, root))
        else:
            records.append(replace(photos.record(image, path), absent=absent))
    # a damaged file stays the label of the photo that its name tells: loading it names the fault
    torn = unclaimed(((path, photos.find(path, path.stem)) for path in broken), [record.image for record in records])
    records += [photos.record(image, path) for path, image in torn]
    if not records and not orphans and not broken:
        raise FormatError("no LabelMe file lies here", where=root, expected="JSON files with shapes")
    refuse_twins(records, root)
    notes = [f"{counted(len(broken), 'JSON file')} cannot be read"] if broken else []
    discovered = False
    if coding is None:
        coding, found, discovered = _classes(root, names)
        notes += found
    notes += uncovered_note(coding)
    lone = photos.unlabelled(records) if source.file is None else []
    everything = named_apart([*records, *lone])
    left_out = {"flags of photos": flags} if flags else {}
    return Listing(
        NAME, root, everything, coding, discovered, tuple(notes), tuple(orphans), source.max_pixels, left_out,
        unreadable=unreadable(broken, records, root),
    )  # fmt: skip


def _stated_size(tree: dict[str, Any]) -> tuple[int, int] | None:
    try:
        return size_hw(tree.get("imageHeight"), tree.get("imageWidth"), where="")
    except FormatError:
        return None  # said when the shapes are read


def _set_flags(flags: object) -> int:
    """Return how many flags of a whole photo are set."""
    return sum(value is True for value in flags.values()) if isinstance(flags, dict) else 0


def refuse_twins(records: Iterable[Record], root: Path) -> None:
    """Refuse two annotation files for one photo.

    Raises:
        FormatError: There are two; the message names them.
    """
    seen: dict[Path | str, Record] = {}
    for record in records:
        other = seen.setdefault(record.image or record.name, record)
        if other is not record and record.label and other.label:
            raise FormatError(
                f"two {record.label.suffix[1:].upper()} files describe the photo {record.name}",
                where=root,
                got=f"{relative_name(other.label, root)} and {relative_name(record.label, root)}",
                fix="keep one of them",
            )


def _label_names(shapes: Iterable[object]) -> Iterator[str]:
    """Yield the labels that can name a class; `tessella check` reports shapes without one."""
    for shape in shapes:
        label = shape.get("label") if isinstance(shape, dict) else None
        if isinstance(label, str) and label.strip():
            yield label


def _classes(root: Path, names: Counter[str]) -> tuple[LabelCoding, list[str], bool]:
    if beside := find_classes(root):
        return beside[0], [f"classes from {beside[1]}"], False
    above = root.resolve().parent / "labels.txt"
    if above.is_file():
        coding = read_classes(above)
        if names.keys() <= coding.name_to_id().keys():
            return coding, ["classes from labels.txt one folder up"], False
    coding, found = discover_names(names)
    return coding, list(found), True


def load(record: Record, listing: Listing) -> Annotation:
    """Read the shapes of one record; see `read_drawing`."""
    return read_drawing(listing.label_of(record), max_pixels=listing.max_pixels)


def read_drawing(path: Path, *, max_pixels: int | None = None) -> Drawing:
    """Read the shapes of one JSON file.

    Coordinates that are no finite numbers become NaN, so that `tessella check` can name them; painting refuses them.

    Args:
        path: The JSON file.
        max_pixels: Most pixels of a mask that a shape embeds, or None for the usual budget.

    Raises:
        InputError: The file cannot be read.
        FormatError: It is not a LabelMe file, or a shape is of an unknown kind.
        ImageError: A mask is no picture, damaged, or larger than the budget.
    """
    tree = read_json(path, allow_nan=True)
    if not isinstance(tree, dict) or not isinstance(tree.get("shapes"), list):
        raise FormatError("this is not a LabelMe file", where=path, expected="an object with a list of shapes")
    left = PHOTO_BUDGET if max_pixels is None else max_pixels
    shapes = []
    for number, entry in enumerate(tree["shapes"]):
        shape = _shape(entry, f"{path}: shapes[{number}]", left)
        # a few kilobytes unpack to a mask of the whole budget, and there may be many
        left -= 0 if shape.mask is None else shape.mask.size
        shapes.append(shape)
    return Drawing(tuple(shapes), size_hw(tree.get("imageHeight"), tree.get("imageWidth"), where=path))


def _shape(entry: Any, where: str, max_pixels: int) -> Shape:  # noqa: ANN401 - parsed JSON
    if not isinstance(entry, dict) or not isinstance(entry.get("label"), str):
        raise FormatError("a shape has no label", where=where, expected='"label": "a name"')
    # files before version 3 know polygons only and do not say so
    named = entry.get("shape_type") or "polygon"
    kind = _KINDS.get(named) if isinstance(named, str) else None
    if kind is None:
        raise FormatError(
            "a shape is of an unknown kind", where=where, got=repr(named)[:60], expected=", ".join(_KINDS)
        )
    points = pairs(entry.get("points"), where=where)
    mask = _mask(entry.get("mask"), where, max_pixels) if kind == "mask" else None
    return Shape(entry["label"], kind, points, _group(entry.get("group_id")), mask, attributes=_attributes(entry))


def _group(group: object) -> str:
    if isinstance(group, bool) or not isinstance(group, int | float | str):
        return ""
    return str(int(group)) if isinstance(group, float) and group.is_integer() else str(group)


def _attributes(entry: dict[str, object]) -> tuple[tuple[str, str], ...]:
    """Return what LabelMe and its forks say of a shape: `description`, `flags`, `attributes`, `difficult`."""
    found = []
    if isinstance(text := entry.get("description"), str) and text:
        found.append(("description", text))
    if entry.get("difficult") is True:
        found.append(("difficult", "true"))
    for key in ("flags", "attributes"):
        listed = entry.get(key)
        if isinstance(listed, dict):
            found += [(name, _text(value)) for name, value in listed.items()]
    return tuple(found)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _mask(text: object, where: str, max_pixels: int) -> NDArray[np.bool_]:
    if not isinstance(text, str):
        raise FormatError("a mask shape holds no mask", where=where, expected='"mask": "<PNG in base64>"')
    stored = decode_mask(decode_base64(text, where=where), where=where, max_pixels=max_pixels)
    return np.asarray((stored.pixels[..., 0] if stored.is_colour else stored.pixels) > 0)


def photo(record: Record, listing: Listing) -> Image:
    """Decode the photo that is embedded in a JSON file.

    Raises:
        InputError: There is none.
        FormatError: It is not base64.
        ImageError: It is no picture, damaged, or larger than the budget.
    """
    tree = read_json(record.label, allow_nan=True) if record.label else {}
    data = tree.get("imageData") if isinstance(tree, dict) else None
    if not isinstance(data, str):
        raise InputError(
            "the photo is missing, and its JSON file embeds no copy", where=record.label or listing.root / record.name
        )
    return decode_image(decode_base64(data, where=record.label), where=record.label, max_pixels=listing.max_pixels)
