"""The document: verdicts that a person can act on, histories kept short, mistakes in order."""

import numpy as np
import pytest

from tessella.core.classes import ClassTable
from tessella.evaluation import Report
from tessella.metrics import score
from tessella.report.document import HISTORY_ROWS, document, finding_groups, thin, verdict


def report(matrix, names="abc"):
    table = ClassTable.from_names(list(names[: len(matrix)]))
    return Report(score(np.array(matrix), table, images=1), rows=())


@pytest.mark.parametrize(
    ("matrix", "headline", "sentence"),
    [
        ([[9, 1], [1, 9]], "All 2 classes reach an IoU of one half", "Strongest is a (0.82), weakest b (0.82)."),
        (
            [[90, 0, 0], [0, 5, 0], [8, 0, 2]],
            "2 of 3 classes reach an IoU of one half",
            "Strongest is b (1.00), weakest c (0.20). Do not rely on c: IoU below 0.3.",
        ),
        ([[8, 2], [3, 0]], "1 of 2 classes reaches an IoU of one half",
         "Strongest is a (0.62), weakest b (0.00). Do not rely on b: IoU below 0.3."),
        ([[8, 0], [0, 0]], "The only class that occurs reaches an IoU of one half", ""),
        ([[0, 0], [0, 0]], "Nothing was scored", "No pixel has a true class, so no score is defined."),
    ],
)  # fmt: skip
def test_the_verdict_names_what_can_be_relied_on(matrix, headline, sentence):
    assert verdict(report(matrix)) == {"headline": headline, "sentence": sentence}


def test_the_most_frequent_mistakes_come_first_with_their_share_of_the_true_class():
    tree = document(report([[80, 20, 0], [5, 5, 0], [0, 0, 7]]), checked=None, history=None, plan=None, environment={})
    assert tree["mistakes"] == [
        {"truth": "a", "guess": "b", "pixels": 20, "share": 0.2},
        {"truth": "b", "guess": "a", "pixels": 5, "share": 0.5},
    ]
    assert tree["confusion_share"][0] == [0.8, 0.2, 0]
    assert [row["share"] for row in tree["classes"]] == pytest.approx([100 / 117, 10 / 117, 7 / 117], abs=1e-6)


def test_a_long_history_is_thinned_but_keeps_every_validation_and_the_end():
    history = [{"step": step, "loss": 1.0, "miou": 0.5 if step % 777 == 0 else None} for step in range(20_000)]
    kept = thin(history)
    assert len(kept) < 1.2 * HISTORY_ROWS
    assert {row["step"] for row in history if row["miou"]} <= {row["step"] for row in kept}
    assert kept[-1]["step"] == 19_999


def test_the_summary_of_a_history_says_where_the_best_score_was():
    history = [
        {"event": "step", "step": 1, "seconds": 1.0, "loss": 3.0, "mean_loss": 3.0},
        {"event": "validation", "step": 10, "seconds": 5.0, "miou": 0.6},
        {"event": "validation", "step": 20, "seconds": 9.0, "miou": 0.5},
        {"event": "step", "step": 21, "seconds": 9.5, "loss": 2.0, "mean_loss": 2.5, "worst": ["a.png"]},
    ]
    tree = document(report([[1]]), checked=None, history=history, plan={"seed": 1}, environment={})
    assert tree["history_summary"] == {
        "steps": 21, "seconds": 9.5, "last_loss": 2.5, "best_miou": 0.6, "best_step": 10,
    }  # fmt: skip
    assert "worst" not in tree["history"][-1]


def test_findings_are_counted_by_rule_errors_first():
    rows = [
        {"severity": severity, "code": code} for severity, code in [("info", "A1"), ("error", "Z9"), ("info", "A1")]
    ]
    assert finding_groups(rows) == [
        {"code": "Z9", "severity": "error", "count": 1, "not_shown": 0},
        {"code": "A1", "severity": "info", "count": 2, "not_shown": 0},
    ]
