"""Examples: the best, the median and the worst photos of a run, small enough to be put on a page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tessella.core.labelmap import Ids
    from tessella.evaluation.report import ImageRow

Rank = Literal["best", "median", "worst"]

EXAMPLE_SIDE_PX: Final = 640
"""Longest side of an example's pictures."""


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """One photo to look at, with truth and prediction, shrunk together.

    Args:
        name: The photo's name in the data set.
        rank: Where it stands among all photos by its mIoU.
        photo: (h, w, 3) uint8 RGB, or None where only masks are known.
        truth: (h, w) uint8 class ids or IGNORE.
        guess: (h, w) uint8 class ids or IGNORE.
    """

    name: str
    rank: Rank
    photo: NDArray[np.uint8] | None
    truth: Ids
    guess: Ids


def choose(rows: Sequence[ImageRow], *, each: int) -> list[tuple[int, Rank]]:
    """Choose the photos to show, by their mIoU; ties go by position.

    Args:
        rows: All scored photos.
        each: How many of the best, of the middle and of the worst; fewer when there are few photos.

    Returns:
        Positions in `rows`, each once, with their rank: the best first, the worst last.
    """
    scored = [(-row.miou, position) for position, row in enumerate(rows) if row.miou is not None]
    order = [position for _, position in sorted(scored)]
    each = min(each, -(-len(order) // 3))
    best, worst = order[:each], order[each:][-each:] if each else []
    between = order[len(best) : len(order) - len(worst)]
    start = max(0, (len(between) - each) // 2)
    ranked: list[tuple[int, Rank]] = [(position, "best") for position in best]
    ranked += [(position, "median") for position in between[start : start + each]]
    return ranked + [(position, "worst") for position in worst]


def shrink(name: str, rank: Rank, *, photo: NDArray[np.uint8] | None, truth: Ids, guess: Ids) -> Example:
    """Make an example whose longest side is at most `EXAMPLE_SIDE_PX`.

    Photos are averaged over areas. Ids are picked, never mixed: the mean of two ids is a third class.

    Args:
        name: The photo's name.
        rank: Where it stands.
        photo: (H, W, 3) uint8 RGB, or None.
        truth: (H, W) uint8 ids.
        guess: (H, W) uint8 ids.
    """
    height, width = truth.shape
    factor = min(1.0, EXAMPLE_SIDE_PX / max(height, width))
    small_hw = max(1, round(height * factor)), max(1, round(width * factor))
    rows = ((np.arange(small_hw[0]) + 0.5) * (height / small_hw[0])).astype(np.intp)
    columns = ((np.arange(small_hw[1]) + 0.5) * (width / small_hw[1])).astype(np.intp)
    picked = np.ix_(rows, columns)
    return Example(name, rank, _shrink_photo(photo, small_hw), truth[picked], guess[picked])


def _shrink_photo(photo: NDArray[np.uint8] | None, small_hw: tuple[int, int]) -> NDArray[np.uint8] | None:
    if photo is None or photo.shape[:2] == small_hw:
        return photo
    from PIL import Image as Pillow

    small = Pillow.fromarray(photo).resize((small_hw[1], small_hw[0]), Pillow.Resampling.BOX, reducing_gap=2.0)
    return np.asarray(small)
