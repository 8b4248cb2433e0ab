"""The label map: one class id per pixel, checked once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tessella.core.classes import IGNORE, ClassTable
from tessella.core.errors import LabelError

if TYPE_CHECKING:
    from PIL.Image import Image as PillowImage

Ids = NDArray[np.uint8]
"""(H, W) uint8 class ids, each 0..K-1 or IGNORE."""


@dataclass(frozen=True, slots=True, eq=False)
class LabelMap:
    """Class ids of one image: (H, W) uint8, each 0..K-1 of `table` or IGNORE; the array is read-only.

    Raises:
        LabelError: Wrong dtype or number of axes, no pixels, or an id that the table does not hold.
    """

    ids: Ids
    table: ClassTable

    def __post_init__(self) -> None:
        if self.ids.dtype != np.uint8 or self.ids.ndim != 2 or self.ids.size == 0:
            raise LabelError(
                "a label map is not a grid of ids",
                got=f"{self.ids.dtype} {self.ids.shape}",
                expected="(H, W) uint8 with H, W >= 1",
            )
        # The maximum costs 0.05 ms on 2 megapixels, two comparisons 0.3; np.unique costs 6.
        plain = self.ids.max() < len(self.table)
        stray = np.zeros(0, bool) if plain else (self.ids >= len(self.table)) & (self.ids != IGNORE)
        if stray.any():
            row, column = (int(v) for v in np.argwhere(stray)[0])
            raise LabelError(
                f"ids {sorted({int(v) for v in np.unique(self.ids[stray])})} are not in the table "
                f"of {len(self.table)} classes (first at row {row}, column {column})",
                expected=f"0..{len(self.table) - 1} or {IGNORE} (ignore)",
                fix="map the stored values in the class table, or add the classes",
            )
        frozen = self.ids.view()
        frozen.flags.writeable = False
        object.__setattr__(self, "ids", frozen)

    @property
    def hw(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return int(self.ids.shape[0]), int(self.ids.shape[1])

    def counts(self) -> NDArray[np.int64]:
        """Count pixels: (256,) int64, one per id."""
        return np.bincount(self.ids.ravel(), minlength=256).astype(np.int64, copy=False)

    def to_pillow(self) -> PillowImage:
        """Return a palette picture (mode P): pixel value = class id, colours from the table."""
        from PIL import Image

        picture = Image.fromarray(self.ids)
        picture.putpalette(self.table.palette().tobytes())
        return picture
