"""The tally: pixel counts of a whole set and a row per photo, whichever way truth and prediction came."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tessella.evaluation.report import ImageRow, Mistake
from tessella.metrics import PixelCounts, Scores, count_pixels
from tessella.metrics.scores import plain

if TYPE_CHECKING:
    from tessella.core.classes import ClassTable
    from tessella.core.labelmap import Ids


class Tally:
    """Adds up photos one by one.

    Args:
        table: The classes of truth and prediction.
    """

    def __init__(self, table: ClassTable) -> None:
        self._table = table
        self._counts = PixelCounts.zero(len(table))
        self._rows: list[ImageRow] = []

    def add(self, name: str, *, truth: Ids, guess: Ids) -> None:
        """Count one photo.

        Args:
            name: Its name, for the rows.
            truth: (H, W) uint8 class ids or IGNORE.
            guess: (H, W) uint8 class ids, or IGNORE where the prediction abstains.

        Raises:
            LabelError: Sizes that differ, or ids that are no classes.
        """
        counts = count_pixels(truth, guess, classes=len(self._table))
        self._counts = self._counts + counts
        self._rows.append(_row(name, counts, self._table))

    @property
    def scores(self) -> Scores:
        """The scores of everything added so far."""
        return Scores(self._table, self._counts, len(self._rows))

    @property
    def rows(self) -> tuple[ImageRow, ...]:
        """One row per photo, in the order of adding."""
        return tuple(self._rows)

    @property
    def notes(self) -> tuple[str, ...]:
        """What must be known to read the scores."""
        abstained = int(self._counts.abstained.sum())
        if not abstained:
            return ()
        text = (
            f"The prediction names no class for {abstained} pixels ({abstained / self._counts.pixels:.2%}) whose truth "
            "is a class (abstained); they count as missed."
        )
        return (text,)


def _row(name: str, counts: PixelCounts, table: ClassTable) -> ImageRow:
    alone = Scores(table, counts, 1)
    return ImageRow(
        name=name,
        pixels=counts.pixels,
        ignored_pixels=counts.ignored,
        pixel_accuracy=plain(alone.pixel_accuracy),
        miou=plain(alone.miou),
        mistake=_mistake(counts, table),
    )


def _mistake(counts: PixelCounts, table: ClassTable) -> Mistake | None:
    wrong = np.column_stack([counts.matrix, counts.abstained])
    np.fill_diagonal(wrong, 0)
    truth, guess = (int(index) for index in np.unravel_index(int(wrong.argmax()), wrong.shape))
    if not wrong[truth, guess]:
        return None
    named = table.names[guess] if guess < len(table) else ""
    return Mistake(table.names[truth], named, int(wrong[truth, guess]))
