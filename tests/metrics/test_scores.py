"""Scores: numbers worked out by hand, and scikit-learn's where it has them."""

import json
import math

import numpy as np
import pytest
from sklearn.metrics import f1_score, jaccard_score, precision_score, recall_score

from tessella.core.classes import IGNORE, ClassTable
from tessella.core.errors import LabelError
from tessella.metrics import AVERAGING, confusion, count_pixels, score

ABC = ClassTable.from_names(["a", "b", "c"])


def square(left):
    ids = np.zeros((8, 16), np.uint8)
    ids[2:6, left : left + 4] = 1
    return ids


def test_a_square_moved_by_half_its_side_scores_one_third():
    table = ClassTable.from_names(["ground", "square"])
    scores = score(confusion(square(4), square(6), classes=2), table, images=1)
    # 16 px each, 8 shared: 8 / (16 + 16 - 8)
    assert scores.iou[1] == pytest.approx(1 / 3)
    assert scores.dice[1] == scores.precision[1] == scores.recall[1] == 0.5
    assert scores.iou[0] == 104 / 120  # of 128 px the squares cover 24; 112 px ground each
    assert scores.miou == pytest.approx((1 / 3 + 104 / 120) / 2)
    assert scores.pixel_accuracy == 112 / 128
    assert scores.mean_accuracy == pytest.approx((0.5 + 104 / 112) / 2)


def test_a_class_absent_from_truth_and_prediction_is_left_out_of_every_mean():
    scores = score(np.array([[3, 1, 0], [0, 4, 0], [0, 0, 0]]), ABC, images=1)
    assert np.isnan([scores.iou[2], scores.dice[2], scores.precision[2], scores.recall[2]]).all()
    assert scores.miou == pytest.approx((3 / 4 + 4 / 5) / 2)
    assert scores.mean_dice == pytest.approx((6 / 7 + 8 / 9) / 2)


def test_a_class_that_is_only_predicted_counts_as_zero_iou_and_has_no_recall():
    scores = score(np.array([[2, 0, 2], [0, 4, 0], [0, 0, 0]]), ABC, images=1)
    assert scores.iou[2] == scores.precision[2] == 0
    assert math.isnan(scores.recall[2])
    assert scores.mean_accuracy == (0.5 + 1) / 2


def test_a_class_that_is_never_predicted_has_zero_recall_and_no_precision():
    scores = score(np.array([[2, 0, 0], [0, 4, 0], [1, 0, 0]]), ABC, images=1)
    assert scores.iou[2] == scores.recall[2] == 0
    assert math.isnan(scores.precision[2])


def test_abstained_pixels_are_missed_but_no_false_alarm():
    truth = np.array([[0, 0, 0, 0, 1, 1]], np.uint8)
    guess = np.array([[0, 0, IGNORE, IGNORE, 1, 1]], np.uint8)
    scores = score(count_pixels(truth, guess, classes=3), ABC, images=1)
    assert (scores.iou[0], scores.recall[0], scores.precision[0]) == (0.5, 0.5, 1)
    assert scores.iou[1] == 1
    assert scores.pixel_accuracy == 4 / 6
    answer = scores.to_json()
    assert answer["abstained_pixels"] == 2
    assert answer["classes"][0]["abstained_pixels"] == 2


def test_one_matrix_over_the_set_is_not_the_mean_over_photos():
    small = np.array([[0, 2], [0, 0]])  # two of class a, both wrong: per photo 0
    large = np.array([[98, 0], [0, 100]])
    table = ClassTable.from_names(["a", "b"])
    assert score(small + large, table, images=2).iou[0] == 0.98


def test_scores_equal_those_of_scikit_learn():
    rng = np.random.default_rng(3)
    truth, guess = rng.integers(0, 3, (2, 50, 40), dtype=np.uint8)
    scores = score(confusion(truth, guess, classes=3), ABC, images=1)
    flat = truth.ravel(), guess.ravel()
    np.testing.assert_allclose(scores.iou, jaccard_score(*flat, average=None))
    np.testing.assert_allclose(scores.dice, f1_score(*flat, average=None))
    np.testing.assert_allclose(scores.precision, precision_score(*flat, average=None))
    np.testing.assert_allclose(scores.recall, recall_score(*flat, average=None))


def test_nothing_scored_gives_no_number_at_all():
    answer = score(np.zeros((3, 3), np.int64), ABC, images=0).to_json()
    assert answer["miou"] is answer["pixel_accuracy"] is answer["mean_dice"] is answer["mean_accuracy"] is None
    assert all(row["iou"] is None for row in answer["classes"])


def test_the_json_answer_has_the_promised_keys_and_no_nan():
    answer = json.loads(json.dumps(score(np.diag([5, 7, 0]), ABC, images=2).to_json(), allow_nan=False))
    promised = {"images", "miou", "pixel_accuracy", "mean_accuracy", "mean_dice", "averaging", "classes", "confusion"}
    assert promised <= set(answer)
    assert {"name", "iou", "dice", "precision", "recall", "pixels"} <= set(answer["classes"][0])
    assert answer["averaging"] == AVERAGING
    assert answer["classes"][1] == {
        "name": "b", "colour": list(ABC.colours[1]), "iou": 1.0, "dice": 1.0, "precision": 1.0,
        "recall": 1.0, "pixels": 7, "predicted_pixels": 7, "abstained_pixels": 0,
    }  # fmt: skip
    assert answer["confusion"] == [[5, 0, 0], [0, 7, 0], [0, 0, 0]]


@pytest.mark.parametrize("matrix", [np.zeros((2, 2), np.int64), np.zeros((3, 3)), -np.eye(3, dtype=np.int64)])
def test_what_is_no_confusion_matrix_of_the_table_is_refused(matrix):
    with pytest.raises(LabelError):
        score(matrix, ABC, images=1)
