"""One photo whose shapes were repaired, on its way back into the file that describes it and others."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from tessella.core.annotation import Drawing, Shape
    from tessella.formats.listing import Record


class Redrawn(NamedTuple):
    """The shapes of one photo before and after.

    Args:
        record: The photo.
        before: As `load` returned it.
        after: What is left; a shape that was not changed is the same object as before.
        origin: For each shape of `after` its position before.
    """

    record: Record
    before: Drawing
    after: Drawing
    origin: tuple[int, ...]

    def left(self) -> dict[int, Shape]:
        """Return the shapes that are left by their position before."""
        return dict(zip(self.origin, self.after.shapes, strict=True))


def is_moved(old: Shape, new: Shape) -> bool:
    """Whether a repair gave a shape other points or another mask."""
    return new.mask is not old.mask or not np.array_equal(new.points_xy, old.points_xy, equal_nan=True)
