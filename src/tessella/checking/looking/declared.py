"""What the class table declares, as arrays, and where a mask holds anything else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tessella.core.annotation import StoredMask
    from tessella.core.classes import LabelCoding


def declared_values(coding: LabelCoding, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return the declared stored values that a mask of this dtype can hold, ascending: (D,) of `dtype`."""
    top = int(np.iinfo(dtype).max)
    return np.array(sorted(value for value in coding.value_to_id() if value <= top), dtype)


def declared_colours(coding: LabelCoding) -> NDArray[np.uint8]:
    """Return the declared colours: (D, 3) uint8."""
    return np.array(list(coding.colour_to_id()), np.uint8)


def undeclared(mask: StoredMask, coding: LabelCoding) -> NDArray[np.bool_]:
    """Return where a mask holds what the class table does not explain: (H, W) bool."""
    if not mask.is_colour:
        known = np.zeros(int(np.iinfo(mask.pixels.dtype).max) + 1, bool)
        known[declared_values(coding, mask.pixels.dtype)] = True
        return np.asarray(~known[mask.pixels])
    declared = np.zeros(mask.hw, bool)
    for colour in coding.colour_to_id():
        declared |= (mask.pixels[..., :3] == colour).all(axis=2)
    return ~declared
