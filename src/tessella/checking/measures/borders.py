"""The run lengths along a few rows of a mask: whether it may hold specks, and whether it was drawn smaller."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROWS: Final = 48
"""About this many rows of a mask are looked at, evenly spread: a hundredth of what decoding it costs."""

BLOCKS: Final = (16, 12, 10, 8, 7, 6, 5, 4, 3, 2)
"""Sides of blocks that are looked for, the largest first."""

_FEWEST: Final = 40


class Runs(NamedTuple):
    """What some rows of a mask hold.

    Args:
        borders: Number of places where a value changes.
        short: Number of runs of one or two pixels.
        block: The side of the square blocks that the mask is made of; 1 for none.
    """

    borders: int
    short: int
    block: int


def runs_of(pixels: NDArray[Any]) -> Runs:
    """Look at the run lengths along some rows.

    Args:
        pixels: (H, W) stored values.
    """
    step = max(1, pixels.shape[0] // ROWS)
    rows = pixels[step // 2 :: step]
    changes = np.flatnonzero(rows[:, 1:] != rows[:, :-1])
    if not len(changes):
        return Runs(0, 0, 1)
    # of the few runs that reach over the end of a row, hardly one is short
    short = int((changes[1:] - changes[:-1] <= 2).sum())
    return Runs(len(changes), short, _block(changes, pixels))


def _block(changes: NDArray[np.intp], pixels: NDArray[Any]) -> int:
    if len(changes) < _FEWEST or np.gcd.reduce(changes[:_FEWEST] % (pixels.shape[1] - 1) + 1) == 1:
        return 1
    columns = changes % (pixels.shape[1] - 1) + 1
    common = int(np.gcd.reduce(columns))
    if common == 1 or len(np.unique(columns)) < 8:
        return 1
    sides = [block for block in BLOCKS if common % block == 0 and pixels.shape[1] % block == 0]
    return next((block for block in sides if _rows_too(pixels, block)), 1)


def _rows_too(pixels: NDArray[Any], block: int) -> bool:
    """Whether the rows of each block are equal too, in some columns."""
    step = max(1, pixels.shape[1] // ROWS)
    columns = np.ascontiguousarray(pixels[:, step // 2 :: step].T)
    changes = np.flatnonzero(columns[:, 1:] != columns[:, :-1])
    down = changes % (pixels.shape[0] - 1) + 1
    return len(down) >= _FEWEST and bool((down % block == 0).all())
