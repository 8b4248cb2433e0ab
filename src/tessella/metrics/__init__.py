"""Scores: integer counts over the whole set first, one division at the end."""

from tessella.metrics.confusion import PixelCounts, confusion, count_pixels
from tessella.metrics.scores import AVERAGING, Scores, score

__all__ = ["AVERAGING", "PixelCounts", "Scores", "confusion", "count_pixels", "score"]
