"""A model against a data set: every labelled photo predicted at its own size and counted once."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

from tessella._version import __version__
from tessella.core.errors import InputError, LabelError
from tessella.evaluation.examples import Example, Rank, choose, shrink
from tessella.evaluation.report import Report, Unscored
from tessella.evaluation.tally import Tally
from tessella.predict.predictor import Predictor

if TYPE_CHECKING:
    from collections.abc import Callable

    from tessella.core.classes import ClassTable
    from tessella.core.image import Image
    from tessella.core.labelmap import LabelMap
    from tessella.core.prediction import Prediction
    from tessella.dataset.index import Index


class SegmentsPhotos(Protocol):
    """What is evaluated: anything that predicts one photo, such as `tessella.load(bundle)`."""

    @property
    def table(self) -> ClassTable:
        """The classes it predicts."""

    def predict(self, source: Image, /) -> Prediction:
        """Predict one photo at its own size."""


def evaluate(
    predictor: SegmentsPhotos,
    index: Index,
    *,
    split: str = "all",
    progress: Callable[[int, int], None] | None = None,
    examples: int = 2,
) -> Report:
    """Score a model on the labelled photos of a data set.

    One confusion matrix is added up over all photos at their own size, and divided once at the end. A photo that
    cannot be read or predicted is named in the report and is in no score; more than one in ten end the run.

    Args:
        predictor: The model.
        index: The data set, or one split of it.
        split: What to call that part of the data set in the report.
        progress: Called with (photos done, photos in all).
        examples: How many of the best, the median and the worst photos to keep for the page; they are predicted a
            second time, so that no other picture stays in memory.

    Returns:
        The report.

    Raises:
        LabelError: The data set's classes are not the model's.
        InputError: No photo has labels, or too many cannot be used.
    """
    require_same_classes(predictor.table, index.table)
    labelled = index.labelled()
    if not len(labelled):
        raise InputError("no photo has labels to score against", where=index.root, fix="give a labelled data set")
    started = time.perf_counter()
    tally = Tally(predictor.table)
    positions: list[int] = []
    unscored: list[Unscored] = []
    for position, record in enumerate(labelled.records):
        try:
            _, truth, guess = _predict(predictor, labelled, position)
            tally.add(record.name, truth=truth.ids, guess=guess.ids)
            positions.append(position)
        except InputError as error:
            unscored.append(Unscored(record.name, str(error)))
            _stop_past_limit(unscored, len(labelled))
        if progress is not None:
            progress(position + 1, len(labelled))
    seconds = time.perf_counter() - started
    return Report(
        scores=tally.scores,
        rows=tally.rows,
        unscored=tuple(unscored),
        notes=(*_notes(unscored, unlabelled=len(index) - len(labelled)), *tally.notes),
        provenance={
            "tessella": __version__,
            "data": str(index.root),
            "format": index.format,
            "split": split,
            "photos_per_second": round(len(labelled) / max(seconds, 1e-9), 3),
            "seconds": round(seconds, 3),
        },
        examples=tuple(
            _example(predictor, labelled, positions[row], rank=rank) for row, rank in choose(tally.rows, each=examples)
        ),
    )


def require_same_classes(of_model: ClassTable, of_data: ClassTable) -> None:
    """Refuse to compare ids that mean different things; colours may differ.

    Raises:
        LabelError: The names differ, or stand in another order.
    """
    if of_model.names == of_data.names:
        return
    only_model = [name for name in of_model.names if name not in of_data.names]
    only_data = [name for name in of_data.names if name not in of_model.names]
    if only_model or only_data:
        parts = [("only the model has", only_model), ("only the data set has", only_data)]
        difference = "; ".join(f"{who} {', '.join(map(repr, names))}" for who, names in parts if names)
        fix = "say with --classes what the data set's labels mean, with the model's classes in the model's order"
    else:
        place = next(i for i, pair in enumerate(zip(of_model.names, of_data.names, strict=True)) if pair[0] != pair[1])
        difference = f"the names are the same, but id {place} is another class"
        fix = "pass a file with --classes that lists the classes in the model's order, each with its stored values"
    raise LabelError(
        f"the data set has other classes than the model: {difference}",
        got=", ".join(of_data.names),
        expected=", ".join(of_model.names),
        fix=fix,
    )


def _predict(predictor: SegmentsPhotos, index: Index, position: int) -> tuple[Image, LabelMap, LabelMap]:
    sample = index[position]
    if sample.labels is None:
        raise LabelError("the photo has no labels", where=sample.name)
    if isinstance(predictor, Predictor):  # ours need not compute a confidence that nobody reads
        guess = predictor.predict(sample.image, confidence=False)
    else:
        guess = predictor.predict(sample.image)
    return sample.image, sample.labels, guess.labels


def _example(predictor: SegmentsPhotos, index: Index, position: int, *, rank: Rank) -> Example:
    image, truth, guess = _predict(predictor, index, position)
    name = index.records[position].name
    return shrink(name, rank, photo=image.to_rgb8(), truth=truth.ids, guess=guess.ids)


def _stop_past_limit(unscored: list[Unscored], photos: int) -> None:
    if len(unscored) > max(1, photos // 10) or len(unscored) == photos:
        raise InputError(
            f"{len(unscored)} of {photos} photos cannot be scored; the first: {unscored[0].why}",
            expected="at most one in ten",
            fix="run `tessella check` on the data set",
        )


def _notes(unscored: list[Unscored], *, unlabelled: int) -> tuple[str, ...]:
    notes = []
    if unscored:
        notes.append(f"Photos that could not be scored and are in no score: {len(unscored)}.")
    if unlabelled:
        notes.append(f"Photos without labels, which are in no score: {unlabelled}.")
    return tuple(notes)
