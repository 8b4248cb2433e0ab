"""The colours in which a palette mask shows its values: packed into a few bytes while a set is read, and read again."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from tessella.core.annotation import StoredMask
    from tessella.core.classes import Colour

_MOST_VALUES: Final = 64
"""A mask of more values holds no ids of classes that anyone tells by colour."""


def pack_colours(mask: StoredMask, stored: tuple[int, ...]) -> bytes | None:
    """Return red, green and blue of each value that a palette mask holds.

    Args:
        mask: As it is stored.
        stored: The values that occur, ascending.

    Returns:
        Three bytes a value; None without a palette, with too many values, and where a value has no colour.
    """
    if mask.palette is None or mask.is_colour or len(stored) > _MOST_VALUES:
        return None
    if stored and stored[-1] >= len(mask.palette):
        return None  # a file that names no colour for a value that it holds
    packed: bytes = mask.palette[list(stored)].tobytes()
    return packed


@lru_cache(maxsize=1024)  # most masks of a set share a palette and their values
def shown_colours(packed: bytes | None, stored: tuple[int, ...] | None) -> tuple[tuple[int, Colour], ...]:
    """Return each value of a palette mask with its colour; nothing for other masks.

    Args:
        packed: What `pack_colours` returned.
        stored: The same values.
    """
    if not packed or not stored:
        return ()
    colours = np.frombuffer(packed, np.uint8).reshape(-1, 3).tolist()
    return tuple((value, (red, green, blue)) for value, (red, green, blue) in zip(stored, colours, strict=True))
