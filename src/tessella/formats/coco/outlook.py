"""Which JSON files are COCO's, and of which kind: told by their first rows, in large files by looking in between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from pathlib import Path

    from tessella.formats.source import Outline, Source

Kind = Literal["instances", "panoptic"]

_ROWS = 20
_WINDOWS = 16
_WINDOW = 1 << 16


def outlines_of(source: Source, kind: Kind) -> list[Outline]:
    """Return those of the JSON files looked at that are of one kind.

    A list of instances that has the categories of a panoptic file beside it is its copy in the form for detection, as
    COCO's own converter writes it, and counts as none.
    """
    found = [outline for outline in source.outlines if kind_of(outline.tree, outline.path) == kind]
    if kind == "panoptic" or not found:
        return found
    panoptic = [_categories(outline.tree) for outline in outlines_of(source, "panoptic")]
    return [outline for outline in found if _categories(outline.tree) not in panoptic or source.file is not None]


def _categories(tree: dict[str, Any]) -> set[tuple[str, str]]:
    rows = tree.get("categories")
    known = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return {(str(row.get("id")), str(row.get("name"))) for row in known}


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
