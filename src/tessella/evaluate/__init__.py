"""Honest scores: a model against a data set, or one folder of masks against another."""

from tessella.evaluate.evaluate import SegmentsPhotos, evaluate, require_same_classes
from tessella.evaluate.examples import Example
from tessella.evaluate.folders import score_folders
from tessella.evaluate.report import ImageRow, Mistake, Report, Unscored

__all__ = [
    "Example",
    "ImageRow",
    "Mistake",
    "Report",
    "SegmentsPhotos",
    "Unscored",
    "evaluate",
    "require_same_classes",
    "score_folders",
]
