"""Plain JSON values from strangers: each helper answers with its own type, empty where the file holds another."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from tessella.core.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tessella.core.classes import Colour

_LONGEST: Final = 200
"""Most letters of a name that are kept."""

_HEX_LENGTHS: Final = (6, 8)


def table(value: object) -> dict[str, Any]:
    """Return a JSON object; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def rows(value: object) -> list[Any]:
    """Return a JSON list; an empty one for anything else."""
    return value if isinstance(value, list) else []


def words(value: object, *, whole: bool = False) -> str:
    """Return text, or a number as text; "" for anything else.

    Lone surrogates, which JSON can spell and no file can hold, become question marks.

    Args:
        value: What the file holds.
        whole: Whether all of it is kept, as of an answer; of a name, the first 200 letters are.
    """
    if isinstance(value, str):
        return (value if whole else value[:_LONGEST]).encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15:
        return str(value)
    return ""


def required_rows(tree: object, key: str, *, where: object) -> list[Any]:
    """Return the list at a key of an object.

    Raises:
        FormatError: There is no such list.
    """
    found = table(tree).get(key)
    if not isinstance(found, list):
        raise FormatError(
            f"there is no list {key!r}", where=where, got=type(found).__name__, fix="export the file again"
        )
    return found


def attributes(pairs: Iterable[tuple[object, object]]) -> tuple[tuple[str, str], ...]:
    """Return what a tool says besides label and outline as text: (name, value), without empty ones."""
    found = []
    for name, value in pairs:
        said = json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list | bool) else value
        if words(name) and words(said):
            found.append((words(name), words(said, whole=True)))
    return tuple(found)


def hex_colour(value: object) -> Colour | None:
    """Return the colour of "#rrggbb", with or without "#" and alpha; None for anything else."""
    text = words(value).removeprefix("#")
    try:
        channels = bytes.fromhex(text) if len(text) in _HEX_LENGTHS else b""
    except ValueError:
        return None
    return (channels[0], channels[1], channels[2]) if channels else None


def rgba_colour(value: object) -> Colour | None:
    """Return the colour of "rgba(r,g,b,a)" or "rgb(r,g,b)"; None for anything else."""
    head, _, rest = words(value).partition("(")
    parts = rest.rstrip(")").split(",")
    if head.strip() not in ("rgb", "rgba") or len(parts) < 3:
        return None
    try:
        red, green, blue = (int(part) for part in parts[:3])
    except ValueError:
        return None
    return (red, green, blue) if max(red, green, blue) < 256 and min(red, green, blue) >= 0 else None
