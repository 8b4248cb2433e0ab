"""The report: what a scoring run found, complete enough to be written as JSON and read back."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from tessella.core.classes import ClassInfo, ClassTable
from tessella.core.errors import FormatError
from tessella.core.finding import Finding
from tessella.metrics import PixelCounts, Scores

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from tessella.evaluation.examples import Example

REPORT_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Mistake:
    """The most frequent mistake in one photo: pixels of class `truth` that were predicted as `guess`.

    `guess` is "" where the prediction abstained.
    """

    truth: str
    guess: str
    pixels: int


@dataclass(frozen=True, slots=True)
class ImageRow:
    """The scores of one photo; for looking at photos, not for averaging.

    Args:
        name: The photo's name in the data set.
        pixels: Scored pixels.
        ignored_pixels: Pixels whose truth is IGNORE.
        pixel_accuracy: Share of the scored pixels that are right; None when no pixel is scored.
        miou: Mean IoU over the classes in this photo's truth or prediction; None when no pixel is scored.
        mistake: The most frequent mistake; None when every pixel is right.
    """

    name: str
    pixels: int
    ignored_pixels: int
    pixel_accuracy: float | None
    miou: float | None
    mistake: Mistake | None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Build the row from `asdict` of itself."""
        mistake = data["mistake"]
        return cls(**{**data, "mistake": None if mistake is None else Mistake(**mistake)})


@dataclass(frozen=True, slots=True)
class Unscored:
    """A photo that could not be scored, and the error that says why."""

    name: str
    why: str


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """What a scoring run found.

    Args:
        scores: The scores over the whole set, with the confusion matrix they come from.
        rows: One row per scored photo, in the order of the data set.
        unscored: Photos that could not be read or predicted; they are in no score.
        notes: What a person must know to read the scores, in whole sentences.
        findings: Faults in the data that a check found.
        provenance: What was scored against what, by which version, when.
        examples: The best, the median and the worst photos; pictures, so not in the JSON.
    """

    scores: Scores
    rows: tuple[ImageRow, ...]
    unscored: tuple[Unscored, ...] = ()
    notes: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    provenance: Mapping[str, str | int | float] = field(default_factory=dict)
    examples: tuple[Example, ...] = ()

    @property
    def confusion(self) -> NDArray[np.int64]:
        """(K, K) int64 pixel counts over the whole set, rows truth, columns prediction."""
        return self.scores.counts.matrix

    @property
    def miou(self) -> float:
        """Mean IoU over the classes that occur in truth or prediction; NaN when no pixel was scored."""
        return self.scores.miou

    def with_findings(self, findings: Sequence[Finding]) -> Report:
        """Return the report with the findings of a check."""
        return replace(self, findings=tuple(findings))

    def to_json(self) -> dict[str, Any]:
        """Return the answer of `evaluate --json` and `score --json`."""
        return self.scores.to_json() | {
            "report_version": REPORT_VERSION,
            "per_image": [asdict(row) for row in self.rows],
            "unscored": [asdict(photo) for photo in self.unscored],
            "notes": list(self.notes),
            "findings": [finding.to_json() for finding in self.findings],
            "provenance": dict(self.provenance),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any], *, where: object = None) -> Self:
        """Build the report from its JSON; only the example pictures are not in it.

        Args:
            data: What `to_json` returned.
            where: The file, for messages.

        Raises:
            FormatError: A newer version, or a missing or strange entry.
        """
        version = data.get("report_version")
        if version != REPORT_VERSION:
            fix = "upgrade with: pip install --upgrade tessella"
            raise FormatError("this is no report of this version", where=where, got=version, expected=1, fix=fix)
        try:
            table = ClassTable(tuple(ClassInfo(row["name"], tuple(row["colour"])) for row in data["classes"]))
            abstained = np.array([row["abstained_pixels"] for row in data["classes"]], np.int64)
            counts = PixelCounts(np.array(data["confusion"], np.int64), abstained, data["ignored_pixels"])
            return cls(
                scores=Scores(table, counts, data["images"]),
                rows=tuple(ImageRow.from_json(row) for row in data["per_image"]),
                unscored=tuple(Unscored(**photo) for photo in data["unscored"]),
                notes=tuple(data["notes"]),
                findings=tuple(Finding(**finding) for finding in data["findings"]),
                provenance=dict(data["provenance"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise FormatError("this is no report of Tessella", where=where, got=repr(error)) from error
