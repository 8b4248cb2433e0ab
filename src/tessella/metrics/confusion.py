"""Counting pixels by (true class, predicted class): exact, and faster than the masks can be decoded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from tessella.core.classes import IGNORE, MAX_CLASSES
from tessella.core.errors import LabelError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tessella.core.labelmap import Ids

CHUNK_PX: Final = 1 << 19
"""Pixels counted per call of `cv2.calcHist`: it answers in float32, which is exact below 2**24."""


@dataclass(frozen=True, slots=True, eq=False)
class PixelCounts:
    """Pixel counts of one photo or of many; add them with `+`, in any order.

    Args:
        matrix: (K, K) int64, rows truth, columns prediction.
        abstained: (K,) int64, pixels of each true class for which the prediction says IGNORE. They count as missed.
        ignored: Pixels whose truth is IGNORE; they count nowhere.
    """

    matrix: NDArray[np.int64]
    abstained: NDArray[np.int64]
    ignored: int = 0

    @classmethod
    def zero(cls, classes: int) -> PixelCounts:
        """Return the counts of no pixel at all."""
        return cls(np.zeros((classes, classes), np.int64), np.zeros(classes, np.int64))

    def __add__(self, other: PixelCounts) -> PixelCounts:
        return PixelCounts(self.matrix + other.matrix, self.abstained + other.abstained, self.ignored + other.ignored)

    @property
    def pixels(self) -> int:
        """Pixels that are scored: all whose truth is a class."""
        return int(self.matrix.sum() + self.abstained.sum())


def count_pixels(truth: Ids, guess: Ids, *, classes: int) -> PixelCounts:
    """Count the pixels of one photo by true and by predicted class.

    The joint histogram is `cv2.calcHist`, several times as fast as `np.bincount`. Neighbouring pixels mostly have the
    same ids, and a counter cannot be incremented again before its last increment has landed; with up to 127 classes
    the pixels are therefore dealt in turn to 2, 4 or 8 sets of counters ("lanes") inside the 256 values a byte can
    hold. The lanes lie side by side in the table: 4096 bytes apart they would share cache sets and be a third slower.
    `benchmarks/confusion_speed.py` has the figures.

    Args:
        truth: (H, W) uint8 class ids 0..K-1 or IGNORE.
        guess: (H, W) uint8 class ids 0..K-1, or IGNORE where the prediction abstains.
        classes: K, 1..255.

    Returns:
        The counts of all pixels.

    Raises:
        LabelError: Other dtypes, different shapes, or an id that is neither a class nor IGNORE.
    """
    _require_ids(truth, guess, classes)
    bins = 1 << max(classes.bit_length(), 5)  # ids 0..K-1 go to bins 1..K, and 255 + 1 wraps round to bin 0
    lanes = 256 // bins
    flat_truth, flat_guess = truth.reshape(-1), guess.reshape(-1)
    chunk = min(CHUNK_PX, flat_truth.size)
    lane_offsets = np.tile(np.arange(0, 256, bins, dtype=np.uint8), chunk // lanes + 1)[:chunk]
    counts = np.zeros((bins, bins), np.int64)
    for start in range(0, flat_truth.size, CHUNK_PX):
        part = slice(start, start + CHUNK_PX)
        true_bins = _bins_of(flat_truth[part], classes, "the truth")
        guess_bins = _bins_of(flat_guess[part], classes, "the prediction")
        guess_bins |= lane_offsets[: guess_bins.size]
        counts += _joint_histogram(true_bins, guess_bins, bins).reshape(bins, lanes, bins).sum(1)
    known = slice(1, classes + 1)
    return PixelCounts(counts[known, known].copy(), counts[known, 0].copy(), int(counts[0].sum()))


def confusion(truth: Ids, guess: Ids, *, classes: int) -> NDArray[np.int64]:
    """Count pixels by (true class, predicted class), for predictions that name a class everywhere.

    Args:
        truth: (H, W) uint8 class ids; IGNORE pixels are not counted.
        guess: (H, W) uint8 class ids, never IGNORE where the truth is a class.
        classes: K.

    Returns:
        (K, K) int64, rows truth, columns prediction. Add the matrices of a data set and score once: a mean of
        per-image IoU is another number, and a per-batch mean depends on the batch size.

    Raises:
        LabelError: As `count_pixels`, or the prediction is IGNORE where the truth is a class.
    """
    counts = count_pixels(truth, guess, classes=classes)
    if abstained := int(counts.abstained.sum()):
        raise LabelError(
            f"the prediction is {IGNORE} (ignore) in {abstained} pixels whose truth is a class",
            expected="a class id for every pixel",
            fix="use count_pixels, which counts such pixels as missed, in a column of their own",
        )
    return counts.matrix


def _require_ids(truth: Ids, guess: Ids, classes: int) -> None:
    if not 1 <= classes <= MAX_CLASSES:
        raise LabelError("the number of classes is out of range", got=classes, expected=f"1 to {MAX_CLASSES}")
    if truth.dtype != np.uint8 or guess.dtype != np.uint8:
        raise LabelError("ids are counted as uint8", got=f"truth {truth.dtype}, prediction {guess.dtype}")
    if truth.shape != guess.shape:
        raise LabelError("truth and prediction differ in size", got=guess.shape, expected=truth.shape)


def _bins_of(ids: NDArray[np.uint8], classes: int, whose: str) -> NDArray[np.uint8]:
    """Return `ids + 1`, so that IGNORE is 0, after checking in one pass that nothing lies above the last class."""
    bins: NDArray[np.uint8] = ids + np.uint8(1)
    if ids.size and int(bins.max()) > classes:
        strays = np.unique(ids[bins > classes]).tolist()
        raise LabelError(
            f"{whose} holds ids {strays}, which are no classes",
            expected=f"0..{classes - 1} or {IGNORE} (ignore)",
            fix="map the stored values in the class table",
        )
    return bins


def _joint_histogram(rows: NDArray[np.uint8], columns: NDArray[np.uint8], bins: int) -> NDArray[np.int64]:
    """Count pairs: (bins, 256) int64."""
    import cv2

    images = [rows.reshape(1, -1), columns.reshape(1, -1)]
    return cv2.calcHist(images, [0, 1], None, [bins, 256], [0, bins, 0, 256]).astype(np.int64)
