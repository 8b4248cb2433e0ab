"""The document: everything that the page shows, as one tree of JSON."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

from tessella.core.finding import SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic import BaseModel

    from tessella.evaluation.report import Report

HISTORY_ROWS: Final = 1500
"""Most rows of a training history that are kept; rows with a validation score are kept first."""

WEAK_IOU: Final = 0.3
"""Below this a class is called weak: more than two of three pixels of truth and prediction together are wrong."""

SHOWN_PLACES: Final = 3
"""Places per rule that the page lists; all are in the document."""

_TOP_MISTAKES: Final = 8


class SaysJson(Protocol):
    """Anything with a `to_json`, such as the outcome of `tessella.check`."""

    def to_json(self) -> Mapping[str, Any]:
        """Return a tree of JSON."""


def document(
    report: Report,
    *,
    checked: SaysJson | None,
    history: Sequence[Mapping[str, Any]] | None,
    plan: BaseModel | Mapping[str, Any] | None,
    environment: Mapping[str, Any],
) -> dict[str, Any]:
    """Gather everything that the page shows.

    Args:
        report: The scores.
        checked: The outcome of a check of the data.
        history: Rows with `step` and some of `seconds`, `loss`, `miou`, `learning_rate`.
        plan: The settled plan.
        environment: Versions, hardware, command.

    Returns:
        The answer of `evaluate --json`, with the keys `verdict`, `mistakes`, `confusion_share`, `examples`, `check`,
        `history`, `history_summary`, `plan` and `environment` added. NaN and Infinity are null.
    """
    tree = report.to_json()
    check = None if checked is None else dict(checked.to_json())
    if check is not None:
        tree["findings"] = list(check["findings"])
    shares = _row_shares(report)
    total = max(1, tree["pixels"])
    for row in tree["classes"]:
        row["share"] = round(row["pixels"] / total, 6)
        row["abstained_share"] = round(row["abstained_pixels"] / max(1, row["pixels"]), 6)
    tree |= {
        "verdict": verdict(report),
        "mistakes": _mistakes(report, shares),
        "confusion_share": np.round(shares, 6).tolist(),
        "examples": _examples(report),
        "check": None if check is None else {key: value for key, value in check.items() if key != "findings"},
        "finding_groups": finding_groups(tree["findings"]),
        "history": thin(history or ()),
        "history_summary": _summary(history or ()),
        "plan": _plan(plan),
        "environment": dict(environment),
    }
    return _finite(tree)  # type: ignore[no-any-return]


def verdict(report: Report) -> dict[str, str]:
    """Say in words what the scores mean: a headline, and a sentence that names the classes at both ends."""
    scores = report.scores
    named = [(float(iou), name) for name, iou in zip(scores.table.names, scores.iou, strict=True) if not np.isnan(iou)]
    if not named:
        return {"headline": "Nothing was scored", "sentence": "No pixel has a true class, so no score is defined."}
    named.sort(key=lambda pair: -pair[0])
    weak = [name for iou, name in named if iou < WEAK_IOU]
    half = sum(iou >= 0.5 for iou, _ in named)
    who = f"{half} of {len(named)} classes"
    if half == len(named):
        who = "The only class that occurs" if half == 1 else f"All {half} classes"
    headline = f"{who} {'reaches' if half == 1 else 'reach'} an IoU of one half"
    ends = f"Strongest is {named[0][1]} ({named[0][0]:.2f}), weakest {named[-1][1]} ({named[-1][0]:.2f})."
    if len(named) == 1:
        ends = ""
    caution = ""
    if weak:
        listed = ", ".join(weak[:6]) + (f" and {len(weak) - 6} more" if len(weak) > 6 else "")
        caution = f" Do not rely on {listed}: IoU below {WEAK_IOU}."
    return {"headline": headline, "sentence": (ends + caution).strip()}


def thin(history: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Keep at most about `HISTORY_ROWS` rows, evenly spaced, and every row that has a validation score."""
    every = -(-len(history) // HISTORY_ROWS) or 1
    last = len(history) - 1
    return [
        {key: value for key, value in row.items() if value is None or isinstance(value, str | int | float)}
        for number, row in enumerate(history)
        if number % every == 0 or number == last or row.get("miou") is not None
    ]


def finding_groups(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Count findings by rule, in the order in which the page shows them.

    Args:
        rows: Findings as JSON.

    Returns:
        `code`, `severity`, `count` and `not_shown` (places that the page leaves to report.json).
    """
    counts: defaultdict[tuple[int, str], int] = defaultdict(int)
    for row in rows:
        counts[SEVERITIES.index(row["severity"]), row["code"]] += 1
    return [
        {
            "code": code,
            "severity": SEVERITIES[rank],
            "count": total,
            "not_shown": max(0, total - SHOWN_PLACES),
        }
        for (rank, code), total in sorted(counts.items())
    ]


def _row_shares(report: Report) -> Any:  # noqa: ANN401 - (K, K) float64, see below
    """Return (K, K) float64: the share of each class's true pixels that was predicted as each class; 0 for no pixel."""
    true = report.scores.true_pixels[:, None]
    return np.divide(report.confusion, true, out=np.zeros(report.confusion.shape), where=true > 0)


def _mistakes(report: Report, shares: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - (K, K) float64
    wrong = report.confusion.copy()
    np.fill_diagonal(wrong, 0)
    names = report.scores.table.names
    order = np.argsort(-wrong, axis=None, kind="stable")[:_TOP_MISTAKES]
    places = [tuple(int(axis) for axis in np.unravel_index(flat, wrong.shape)) for flat in order]
    return [
        {
            "truth": names[truth],
            "guess": names[guess],
            "pixels": int(wrong[truth, guess]),
            "share": round(float(shares[truth, guess]), 6),
        }
        for truth, guess in places
        if wrong[truth, guess]
    ]


def _examples(report: Report) -> list[dict[str, Any]]:
    rows = {row.name: position for position, row in enumerate(report.rows)}
    return [{"name": shown.name, "rank": shown.rank, "row": rows[shown.name]} for shown in report.examples]


def _summary(history: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    if not history:
        return None
    scored = [row for row in history if _is_number(row.get("miou"))]
    best = max(scored, key=lambda row: float(row["miou"])) if scored else None
    losses = [row.get("mean_loss", row["loss"]) for row in history if _is_number(row.get("loss"))]
    return {
        "steps": history[-1].get("step"),
        "seconds": history[-1].get("seconds"),
        "last_loss": losses[-1] if losses else None,
        "best_miou": None if best is None else best["miou"],
        "best_step": None if best is None else best.get("step"),
    }


def _plan(plan: BaseModel | Mapping[str, Any] | None) -> dict[str, Any] | None:
    if plan is None:
        return None
    tree: dict[str, Any] = dict(plan) if hasattr(plan, "keys") else plan.model_dump(mode="json")
    return tree


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _finite(tree: Any) -> Any:  # noqa: ANN401 - a tree of JSON
    if isinstance(tree, dict):
        return {str(key): _finite(value) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [_finite(value) for value in tree]
    if isinstance(tree, float) and not math.isfinite(tree):
        return None
    return tree
