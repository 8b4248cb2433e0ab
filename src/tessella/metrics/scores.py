"""Scores from one confusion matrix: IoU, Dice, precision, recall, accuracies, and their means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from tessella.core.errors import LabelError
from tessella.metrics.confusion import PixelCounts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tessella.core.classes import ClassTable

AVERAGING: Final = "one confusion matrix over the set; classes absent from truth and prediction are left out"
"""How the means are made, in the words that every JSON answer and report carries."""


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """The scores of a set of photos, all computed from integer pixel counts.

    With TP a class's right pixels, T its true pixels and P its predicted pixels: IoU = TP / (T + P - TP),
    Dice = 2 TP / (T + P), precision = TP / P, recall = TP / T. A quotient 0/0 says nothing and is NaN (null in JSON);
    it is left out of the means, never counted as 0 or 1. A pixel for which the prediction abstains (IGNORE where the
    truth is a class) is missed: it belongs to T and to no P.

    Args:
        table: The classes.
        counts: Pixel counts over the whole set.
        images: How many photos were counted.

    Raises:
        LabelError: The matrix is not (K, K) for the table's K classes.
    """

    table: ClassTable
    counts: PixelCounts
    images: int

    def __post_init__(self) -> None:
        size = len(self.table)
        if self.counts.matrix.shape != (size, size) or self.counts.abstained.shape != (size,):
            raise LabelError(
                "the confusion matrix does not fit the class table",
                got=self.counts.matrix.shape,
                expected=f"({size}, {size})",
            )

    @property
    def right(self) -> NDArray[np.int64]:
        """(K,) pixels of each class that were predicted as it."""
        return np.diagonal(self.counts.matrix)

    @property
    def true_pixels(self) -> NDArray[np.int64]:
        """(K,) pixels whose truth is the class (its support)."""
        total: NDArray[np.int64] = self.counts.matrix.sum(axis=1) + self.counts.abstained
        return total

    @property
    def predicted_pixels(self) -> NDArray[np.int64]:
        """(K,) pixels predicted as the class where the truth is any class."""
        total: NDArray[np.int64] = self.counts.matrix.sum(axis=0)
        return total

    @property
    def iou(self) -> NDArray[np.float64]:
        """(K,) intersection over union; NaN for a class absent from truth and prediction."""
        return _divide(self.right, self.true_pixels + self.predicted_pixels - self.right)

    @property
    def dice(self) -> NDArray[np.float64]:
        """(K,) Dice coefficient, the same number as F1; NaN for a class absent from truth and prediction."""
        return _divide(2 * self.right, self.true_pixels + self.predicted_pixels)

    @property
    def precision(self) -> NDArray[np.float64]:
        """(K,) share of the predicted pixels that are right; NaN for a class never predicted."""
        return _divide(self.right, self.predicted_pixels)

    @property
    def recall(self) -> NDArray[np.float64]:
        """(K,) share of the true pixels that were found; NaN for a class absent from the truth."""
        return _divide(self.right, self.true_pixels)

    @property
    def miou(self) -> float:
        """Mean IoU over the classes that occur in truth or prediction."""
        return _mean(self.iou)

    @property
    def mean_dice(self) -> float:
        """Mean Dice over the classes that occur in truth or prediction."""
        return _mean(self.dice)

    @property
    def mean_accuracy(self) -> float:
        """Mean recall over the classes that occur in the truth."""
        return _mean(self.recall)

    @property
    def pixel_accuracy(self) -> float:
        """Share of all scored pixels that are right."""
        pixels = self.counts.pixels
        return int(self.right.sum()) / pixels if pixels else float("nan")

    def to_json(self) -> dict[str, object]:
        """Return the answer of `evaluate --json`; what is undefined is null."""
        quotients = {"iou": self.iou, "dice": self.dice, "precision": self.precision, "recall": self.recall}
        pixels = {
            "pixels": self.true_pixels,
            "predicted_pixels": self.predicted_pixels,
            "abstained_pixels": self.counts.abstained,
        }
        classes = [
            {"name": info.name, "colour": list(info.colour)}
            | {key: plain(values[index]) for key, values in quotients.items()}
            | {key: int(values[index]) for key, values in pixels.items()}
            for index, info in enumerate(self.table)
        ]
        return {
            "images": self.images,
            "miou": plain(self.miou),
            "pixel_accuracy": plain(self.pixel_accuracy),
            "mean_accuracy": plain(self.mean_accuracy),
            "mean_dice": plain(self.mean_dice),
            "averaging": AVERAGING,
            "pixels": self.counts.pixels,
            "ignored_pixels": self.counts.ignored,
            "abstained_pixels": int(self.counts.abstained.sum()),
            "classes": classes,
            "confusion": self.counts.matrix.tolist(),
        }


def score(confusion: NDArray[np.int64] | PixelCounts, table: ClassTable, *, images: int) -> Scores:
    """Score pixel counts.

    Args:
        confusion: (K, K) int64 over the whole set, rows truth, columns prediction; or pixel counts, which also say
            where the prediction abstained.
        table: The K classes.
        images: How many photos were counted.

    Returns:
        The scores.

    Raises:
        LabelError: The matrix does not fit the table, or holds anything but counts.
    """
    if isinstance(confusion, PixelCounts):
        return Scores(table, confusion, images)
    if not np.issubdtype(confusion.dtype, np.integer) or (confusion < 0).any():
        raise LabelError("a confusion matrix holds pixel counts", got=confusion.dtype, expected="int64, none negative")
    return Scores(table, PixelCounts(confusion.astype(np.int64), np.zeros(len(confusion), np.int64)), images)


def plain(number: float) -> float | None:
    """Return a number for JSON: null for NaN, which JSON does not have."""
    return None if np.isnan(number) else float(number)


def _divide(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    quotient: NDArray[np.float64] = np.full(part.shape, np.nan)
    return np.divide(part, whole, out=quotient, where=whole > 0)


def _mean(values: NDArray[np.float64]) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else float("nan")
