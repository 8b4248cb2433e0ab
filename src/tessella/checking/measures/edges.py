"""Where a mask's borders lie on a photo's: how well they meet as they are, flipped, turned and shifted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tessella.checking.measures.thumbs import SMALL

if TYPE_CHECKING:
    from numpy.typing import NDArray

REACH: Final = 8
"""Shifts of up to this many cells to each side are compared."""

FEWEST: Final = 40
"""With fewer border pixels nothing is said."""

TURNS: Final = (
    "as it is", "mirrored left to right", "flipped upside down", "turned by 180 degrees",
    "mirrored at its diagonal", "turned by 90 degrees clockwise", "turned by 90 degrees counterclockwise",
    "mirrored at its other diagonal",
)  # fmt: skip
"""What may have been done to a mask, in the order of the scores; the last four are compared on square photos only."""


def gradient(grey: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return how strongly the grey changes: (h, w) float32; what is far above the mean counts alike."""
    import cv2

    smooth = cv2.GaussianBlur(grey, (0, 0), 1.0)
    across = cv2.Sobel(smooth, cv2.CV_32F, 1, 0)
    down = cv2.Sobel(smooth, cv2.CV_32F, 0, 1)
    strength = np.sqrt(across * across + down * down)
    return np.asarray(np.minimum(strength, strength.mean() + 2 * strength.std()), np.float32)


def borders(ids: NDArray[Any]) -> NDArray[np.bool_]:
    """Return the pixels whose right or lower neighbour has another value or colour: (h, w) bool."""
    if ids.ndim == 3:
        ids = ids[..., 0].astype(np.uint32) << 16 | ids[..., 1].astype(np.uint32) << 8 | ids[..., 2]
    found = np.zeros(ids.shape, bool)
    found[:, :-1] = ids[:, :-1] != ids[:, 1:]
    found[:-1] |= ids[:-1] != ids[1:]
    return found


def turn_scores(small: NDArray[np.uint8], label: NDArray[Any]) -> bytes:
    """Score how well a mask's borders meet a photo's edges, for each of TURNS.

    A score is the mean edge strength under the borders above the mean of the photo, in units of what chance gives
    (standard deviations of the mean of as many pixels).

    Args:
        small: (SMALL, SMALL) uint8, the photo.
        label: (H, W) or (H, W, C), the mask in the photo's own size.

    Returns:
        The bytes of (8,) float16, NaN where a turn cannot be (the photo is not square); b"" where too few borders say
        anything.
    """
    height, width = label.shape[:2]
    if min(height, width) < SMALL:
        return b""
    rows, columns = ((2 * np.arange(SMALL) + 1) * side // (2 * SMALL) for side in (height, width))
    found = borders(label[np.ix_(rows, columns)])
    count = int(found.sum())
    strength = gradient(small)
    spread = float(strength.std())
    if count < FEWEST or count > SMALL * SMALL // 2 or spread < 1:
        return b""
    mean, last = float(strength.mean()), SMALL - 1
    row, column = np.nonzero(found)
    places = [(row, column), (row, last - column), (last - row, column), (last - row, last - column)]
    if 0.99 < height / width < 1.01:
        places += [(column, row), (last - column, row), (column, last - row), (last - column, last - row)]
    scores = np.full(len(TURNS), np.nan, np.float16)
    for turn, place in enumerate(places):
        scores[turn] = (float(strength[place].mean()) - mean) / spread * np.sqrt(count)
    return scores.tobytes()


def shift_scores(grey: NDArray[np.uint8], ids: NDArray[Any]) -> NDArray[np.float32] | None:
    """Score how well a mask's borders meet a photo's edges when the mask is moved by some cells.

    Args:
        grey: (h, w) uint8, the photo.
        ids: (h, w) or (h, w, c), the mask, in the same cells.

    Returns:
        (2 * REACH + 1, 2 * REACH + 1) float32 by rows down and columns right that the mask is moved, none in the
        middle, as the mean edge strength under the borders over the photo's; None where too few borders say anything.
    """
    import cv2

    if min(grey.shape) < 8 * REACH or grey.shape != ids.shape[:2]:
        return None
    strength = gradient(grey)
    spread = float(strength.std())
    found = borders(ids)
    found[:REACH], found[-REACH:], found[:, :REACH], found[:, -REACH:] = False, False, False, False
    count = int(found.sum())
    if count < FEWEST or spread < 1:
        return None
    inner = found[REACH:-REACH, REACH:-REACH].astype(np.float32)
    met = cv2.matchTemplate(strength, inner, cv2.TM_CCORR) / count
    return np.asarray((met - strength.mean()) / spread, np.float32)
