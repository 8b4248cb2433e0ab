"""Which JSON files are COCO's, and of which kind: told by their first rows, in large files by looking in between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from tessella.core.errors import InputError
from tessella.files.sections import Sections, read_sections
from tessella.formats.coco.catalogue import read_categories
from tessella.formats.coco.photos import split_of_file
from tessella.formats.coco.sheets import photos_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from tessella.formats.source import Outline, Source

Kind = Literal["instances", "panoptic"]

_ROWS = 20
_WINDOWS = 16
_WINDOW = 1 << 16


class Contents(NamedTuple):
    """What a file speaks of.

    Args:
        path: The file.
        split: The split that it is of, or "".
        photos: The names of its photos as listed; the id of one without a name.
        categories: The id and name of each.
    """

    path: Path
    split: str
    photos: frozenset[str]
    categories: frozenset[tuple[str, str]]


def outlines_of(source: Source, kind: Kind) -> list[Outline]:
    """Return those of the JSON files looked at that are of one kind.

    A list of instances that is a panoptic file's copy for detection counts as none, unless it is given itself.
    """
    found = [outline for outline in source.outlines if kind_of(outline.tree, outline.path) == kind]
    if kind == "panoptic" or not found or source.file is not None:
        return found
    panoptic = [outline.path for outline in outlines_of(source, "panoptic")]
    if not panoptic:
        return found
    copies = copies_of(_read(source, [outline.path for outline in found]), _read(source, panoptic))
    return [outline for outline in found if outline.path not in copies]


def copies_of(instances: Iterable[Contents], panoptic: Sequence[Contents]) -> set[Path]:
    """Return those lists of instances that are copies for detection, as COCO's own converter makes them.

    They have the categories of panoptic files of their split, and none but their photos.
    """
    copies = set()
    for one in instances:
        alike = [other for other in panoptic if other.categories == one.categories]
        beside = [other.photos for other in alike if "" in {one.split, other.split} or one.split == other.split]
        if one.categories and one.photos and one.photos <= frozenset().union(*beside):
            copies.add(one.path)
    return copies


def contents_of(sections: Sections, root: Path) -> Contents:
    """Read what a file speaks of; of one whose images or categories are damaged, nothing.

    Args:
        sections: The file, with a list of images.
        root: The data set's folder.
    """
    path = sections.path
    split = split_of_file(path, root)
    try:
        listed = sections.parse("categories") if "categories" in sections.names else None
        categories = frozenset((category.key, category.name) for category in read_categories(listed, where=path))
        photos = frozenset(photo.file_name or photo.key for photo in photos_of(sections))
    except InputError:
        return Contents(path, split, frozenset(), frozenset())
    return Contents(path, split, photos, categories)


def _read(source: Source, paths: Sequence[Path]) -> list[Contents]:
    """Read what files speak of, whole: the head of a large one may lack its categories. Damaged ones are left out."""
    found = []
    for path in paths:
        try:
            sections = read_sections(path)
        except InputError:
            continue
        if sections.is_list("images"):
            found.append(contents_of(sections, source.root))
    return found


def kind_of(tree: Any, path: Path) -> Kind | None:  # noqa: ANN401 - parsed JSON
    """Return the kind of a file by its first words.

    Args:
        tree: What was parsed of it; of a large file its head.
        path: The file, of which more is looked at where the head holds no annotation.
    """
    if not isinstance(tree, dict):
        return None
    rows, images = tree.get("annotations"), tree.get("images")
    first = [row for row in rows[:_ROWS] if isinstance(row, dict)] if isinstance(rows, list) else []
    if any("segments_info" in row for row in first):
        return "panoptic"
    if any("image_id" in row for row in first):
        return "instances"
    listed = [row for row in images[:_ROWS] if isinstance(row, dict)] if isinstance(images, list) else []
    if not any("id" in row and "file_name" in row for row in listed):
        return None
    if rows == [] and "categories" in tree:  # read to its end
        return "instances"
    return _kind_in_between(path)


def _kind_in_between(path: Path) -> Kind | None:
    found = {"panoptic": 0, "instances": 0}
    try:
        size = path.stat().st_size
        with path.open("rb") as stream:
            for place in range(_WINDOWS):
                stream.seek(max(0, (size - _WINDOW) * place // (_WINDOWS - 1)))
                text = stream.read(_WINDOW).replace(b"\0", b"")  # so UTF-16 shows its words, too
                found["panoptic"] += text.count(b'"segments_info"')
                found["instances"] += text.count(b'"image_id"')
    except OSError:
        return None
    if found["panoptic"]:
        return "panoptic"
    return "instances" if found["instances"] else None


def may_hold_outlines(outline: Outline) -> bool:
    """Whether annotations that were parsed have an outline, or some were not parsed."""
    rows = outline.tree.get("annotations")
    if not isinstance(rows, list):
        return True
    return any(isinstance(row, dict) and row.get("segmentation") for row in rows)
