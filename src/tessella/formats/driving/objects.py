"""Files of labelled objects, as Cityscapes and Vistas write their polygons: `{"objects": [{"label": ...}]}`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tessella.core.errors import FormatError
from tessella.files.text import read_json

if TYPE_CHECKING:
    from pathlib import Path


def read_objects(path: Path, *, of: str) -> tuple[dict[str, Any], list[tuple[Any, str]]]:
    """Read a file of objects.

    Args:
        path: The JSON file.
        of: Whose it is, for messages.

    Returns:
        All that the file says; and its objects in the order in which they are painted, each with its place.

    Raises:
        InputError: The file cannot be read.
        FormatError: It has no list of objects.
    """
    tree = read_json(path, allow_nan=True)
    if not isinstance(tree, dict) or not isinstance(tree.get("objects"), list):
        raise FormatError(f"this holds no polygons of {of}", where=path, expected='{"objects": []}')
    return tree, [(entry, f"{path}: objects[{number}]") for number, entry in enumerate(tree["objects"])]


def label_of(entry: Any, where: str) -> str:  # noqa: ANN401 - parsed JSON
    """Return the label of an object.

    Raises:
        FormatError: It has none.
    """
    if not isinstance(entry, dict) or not isinstance(entry.get("label"), str):
        raise FormatError("an object has no label", where=where, expected='"label": "road"')
    return str(entry["label"])
