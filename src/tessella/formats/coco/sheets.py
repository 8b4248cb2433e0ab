"""COCO's JSON files as sheets: their photos, their categories, and where the annotations of each photo stand."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from tessella.core.errors import FormatError, InputError
from tessella.files.paths import relative_name
from tessella.files.sections import Rows, Sections, read_sections
from tessella.files.text import read_head
from tessella.files.values.numbers import size_hw
from tessella.formats.coco.catalogue import Category, class_names, read_categories
from tessella.formats.coco.fields import holds_nothing, key_of
from tessella.formats.coco.photos import split_of_file
from tessella.formats.layout.pairing import split_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from tessella.formats.source import Source

_RANKS: Final = {"instances": 0, "labels": 2, "stuff": 2, "keypoints": 3, "captions": 3, "image_info": 3}
"""Of files for the same photos the lowest is read: COCO's own names. Others have 1."""

_NOT_CROWDED: Final = frozenset({None, 0, "", "0", "false", "False"})
_USUAL_SIDE: Final = 100_000
_PLAIN: Final = 120
"""A polygon of two points is never as long, in bytes."""

_PART = re.compile(rb"\[([^\[\]]*)\]")


class ListedPhoto(NamedTuple):
    """A photo as a file lists it.

    Args:
        key: Its id, as text.
        file_name: Its name, or "".
        hw: Height and width that are stated, or None.
    """

    key: str
    file_name: str
    hw: tuple[int, int] | None


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """What stays in memory of a file: a few bytes per annotation.

    Args:
        rows: The annotations.
        order: (N,) int64 numbers of rows, photo by photo, in the order of the file.
        bounds: (M + 1,) int64: the rows of photo i are `order[bounds[i]:bounds[i + 1]]`.
        places: Each photo's i by its id.
        sizes: (M, 2) int32 height and width, 0 where none is stated.
        names: The class name of every category id.
        stuff: The ids of categories that are not countable, where the file says so.
    """

    rows: Rows
    order: NDArray[np.int64]
    bounds: NDArray[np.int64]
    places: dict[str, int]
    sizes: NDArray[np.int32]
    names: dict[str, str]
    stuff: frozenset[str] = frozenset()

    def numbers(self, key: str) -> list[int]:
        """Return the numbers of the rows of a photo."""
        place = self.places[key]
        return [int(number) for number in self.order[self.bounds[place] : self.bounds[place + 1]]]

    def where(self, number: int) -> str:
        """Name a row in a message."""
        return f"{self.rows.path}: {self.rows.name}[{number}]"

    def hw(self, key: str) -> tuple[int, int] | None:
        """Return the height and width that the file states for a photo."""
        height, width = (int(side) for side in self.sizes[self.places[key]])
        return (height, width) if height else None


class Sheet(NamedTuple):
    """One file.

    Args:
        path: The file.
        split: `train`, `val`, ... by the name of the file or of its folder; "" for none.
        in_split_folder: Whether the folder says it, so that photos lie there too.
        rank: Which of several files for the same photos is read: the lowest.
        photos: In the order of the file.
        categories: Sorted by id.
        used: Ids of categories that an outline has.
        page: What `load` needs.
        facts: How many annotations of each kind there are.
        boxed: How many boxes without outline each category has, by its id.
    """

    path: Path
    split: str
    in_split_folder: bool
    rank: int
    photos: tuple[ListedPhoto, ...]
    categories: tuple[Category, ...]
    used: frozenset[str]
    page: Page
    facts: Counter[str]
    boxed: Counter[str]

    @property
    def rows(self) -> Rows:
        """The annotations."""
        return self.page.rows

    def place_of(self, photo: ListedPhoto) -> tuple[object, ...]:
        """Return what tells a photo that is not here from others that are not."""
        return self.path.parent, self.split, photo.file_name or photo.key


def sheets_of(source: Source) -> list[Sheet]:
    """Read every COCO file of a source that lists instances.

    Raises:
        FormatError: A file that begins like COCO's is damaged.
    """
    found = []
    for path in source.files(".json"):
        try:
            sections = read_sections(path)
        except InputError:
            if source.file is not None or _begins_like_coco(path):
                raise
            continue
        ours = sections.is_list("images") and not {"annotations", "categories"}.isdisjoint(sections.names)
        if ours and (sheet := _sheet(sections, source)) is not None:
            found.append(sheet)
    return found


def _begins_like_coco(path: Path) -> bool:
    try:
        head = read_head(path, max_bytes=1 << 16)
    except OSError:
        return False
    return any(word in head for word in ('"images"', '"annotations"', '"categories"', '"licenses"'))


def _sheet(sections: Sections, source: Source) -> Sheet | None:
    """Read a file; None where its annotations are of another kind."""
    import msgspec

    ids, raw = int | str | float, msgspec.Raw
    columns = {
        "image_id": ids, "category_id": ids, "segmentation": raw, "bbox": raw, "iscrowd": bool | ids, "keypoints": raw,
        "caption": raw, "segments_info": raw,
    }  # fmt: skip
    path = sections.path
    if "annotations" in sections.names:
        rows, fields = sections.rows("annotations", columns)
    else:
        empty = np.zeros(0, np.int64)
        rows, fields = Rows(path, sections.stamp, "annotations", empty, empty), {key: [] for key in columns}
    if any(field is not None for field in fields.pop("segments_info")):
        return None
    photos = photos_of(sections)
    categories = tuple(read_categories(_optional(sections, "categories"), where=path))
    photo = places_of(fields["image_id"], {one.key: place for place, one in enumerate(photos)})
    facts, outlined, boxes = _facts(fields, photo)
    used = frozenset(key_of(value) for value in set(_kept(fields["category_id"], outlined)))
    boxed: Counter[str] = Counter()
    for value, count in Counter(_kept(fields["category_id"], boxes)).items():
        boxed[key_of(value)] += count  # 3 and 3.0 are one id
    words = path.stem.casefold()
    rank = min((rank for word, rank in _RANKS.items() if word in words), default=1)
    return Sheet(
        path,
        split_of_file(path, source.root),
        bool(split_of(relative_name(path, source.root).split("/")[:-1])),
        rank,
        tuple(photos),
        categories,
        used,
        page_of_rows(rows, photos, photo, names=class_names(categories)),
        facts,
        boxed,
    )


def _optional(sections: Sections, name: str) -> Any:  # noqa: ANN401 - parsed JSON
    return sections.parse(name) if name in sections.names else None


def _kept(values: Sequence[Any], mask: NDArray[np.bool_]) -> Iterable[Any]:
    return (value for value, kept in zip(values, mask.tolist(), strict=True) if kept)


def photos_of(sections: Sections) -> list[ListedPhoto]:
    """Read `images`.

    Raises:
        FormatError: No list of objects, an image without an id of its own, or an impossible size.
    """
    found: dict[str, ListedPhoto] = {}
    for number, row in enumerate(sections.parse("images")):
        key = key_of(row.get("id")) if isinstance(row, dict) else ""
        if not key or key in found:
            raise FormatError(
                "an image has no id of its own",
                where=f"{sections.path}: images[{number}]",
                got=repr(row.get("id") if isinstance(row, dict) else row)[:40],
                fix="give every image a number of its own",
            )
        name = row.get("file_name")
        height, width = row.get("height"), row.get("width")
        hw: tuple[int, int] | None
        if type(height) is type(width) is int and 0 < height < _USUAL_SIDE and 0 < width < _USUAL_SIDE:
            hw = height, width  # nearly always; a sixth of the time
        else:
            hw = size_hw(height, width, where=f"{sections.path}: images[{number}]")
        found[key] = ListedPhoto(key, name if isinstance(name, str) else "", hw)
    return list(found.values())


def places_of(values: Sequence[Any], places: dict[str, int]) -> NDArray[np.int64]:
    """Return for each row the place of its photo, -1 for one that is not listed: (N,) int64."""
    known = {value: places.get(key_of(value), -1) for value in set(values)}
    return np.array([known[value] for value in values], np.int64)


def page_of_rows(rows: Rows, photos: Sequence[ListedPhoto], photo: NDArray[np.int64], *, names: dict[str, str]) -> Page:
    """Sort the rows of a file by photo; rows of photos that are not listed are left out."""
    order = np.argsort(photo, kind="stable")
    bounds = np.searchsorted(photo[order], np.arange(len(photos) + 1))
    sizes = np.array([one.hw or (0, 0) for one in photos], np.int32).reshape(-1, 2)
    return Page(rows, order, bounds, {one.key: place for place, one in enumerate(photos)}, sizes, names)


def _facts(
    fields: dict[str, list[Any]], photo: NDArray[np.int64]
) -> tuple[Counter[str], NDArray[np.bool_], NDArray[np.bool_]]:
    """Count the annotations by kind; and say of each whether it has an outline, and whether it is a box without one."""
    listed = photo >= 0
    bare, small = _outlines(fields["segmentation"])
    outlined = ~bare & listed
    boxed = np.zeros(bare.size, bool)
    for number in np.flatnonzero(bare).tolist():
        boxed[number] = listed[number] and not holds_nothing(fields["bbox"][number])
    keypoints, captions = _filled(fields["keypoints"]), _filled(fields["caption"])
    crowds = np.array([value not in _NOT_CROWDED for value in fields["iscrowd"]], bool)
    boxes = boxed & ~keypoints
    facts = {
        "outlines": outlined,
        "boxes without outline": boxes,
        "outlines of fewer than 3 points": small * listed,
        "sets of keypoints": keypoints & listed,
        "captions": captions & listed,
        "labels of whole photos": bare & listed & ~boxed & ~keypoints & ~captions,
        "annotations of photos that are not listed": ~listed,
        "crowds": crowds & outlined,
    }
    return Counter({what: int(mask.sum()) for what, mask in facts.items()}), outlined, boxes


def _outlines(fields: Sequence[Any]) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Say of each segmentation whether it holds nothing, and how many of its parts are too short."""
    bare, small = np.zeros(len(fields), bool), np.zeros(len(fields), np.int64)
    for number, field in enumerate(fields):
        text = b"" if field is None else bytes(field)
        if len(text) > _PLAIN and text.count(b"[") <= 2:
            continue  # nearly always: one part, and long enough
        bare[number], small[number] = holds_nothing(text), too_few_points(text)
    return bare, small


def _filled(fields: Sequence[object]) -> NDArray[np.bool_]:
    return np.array([field is not None and not holds_nothing(field) for field in fields], bool)


def too_few_points(text: bytes) -> int:
    """Return how many parts of a polygon have one or two points, from its JSON text."""
    if text[:1] != b"[" or (text.count(b"[") <= 2 and (len(text) > _PLAIN or text.count(b",") >= 5)):
        return 0
    return sum(part.count(b",") in (1, 3) for part in _PART.findall(text))


def pages_of(sheets: Iterable[Sheet]) -> dict[Path, Page]:
    """Return the pages by file."""
    return {sheet.path: sheet.page for sheet in sheets}
