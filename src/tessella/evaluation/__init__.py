"""Honest scores: a model against a data set, or one folder of masks against another."""

from tessella.evaluation.evaluate import SegmentsPhotos, evaluate, require_same_classes
from tessella.evaluation.examples import Example
from tessella.evaluation.folders import score_folders
from tessella.evaluation.report import ImageRow, Mistake, Report, Unscored

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
