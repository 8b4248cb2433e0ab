"""The running score: a fixed subset within its allowance, with the numbers of a real evaluation."""

import contextlib

import numpy as np
import pytest
import torch

from data.blobs import write_blobs
from data.training_plans import small_plan
from tessella.core.image import Image
from tessella.dataset import open_dataset
from tessella.evaluation import evaluate
from tessella.models.network import network_of
from tessella.predict.load import wrap
from tessella.training.validate import Validator, panel


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    root = write_blobs(tmp_path_factory.mktemp("validate") / "data", train=1, val=10)
    val = open_dataset(root, classes=root / "classes.toml").split("val")
    plan = small_plan(val.table)
    torch.manual_seed(0)
    return val, plan, network_of(plan).eval()


def validator_of(val, plan):
    return Validator(val, plan=plan, autocast=contextlib.nullcontext)


def test_the_running_score_over_all_photos_is_that_of_evaluate(scored):
    val, plan, network = scored
    ours = validator_of(val, plan).score(network)
    theirs = evaluate(wrap(network, plan), val, split="val")
    assert np.array_equal(ours.scores.counts.matrix, theirs.scores.counts.matrix)
    assert ours.scores.images == 10
    assert ours.seconds > 0


@pytest.mark.parametrize(
    ("seconds", "positions"), [(5.0, [0, 2, 4, 6, 8]), (0.0, list(range(10))), (1e9, list(range(10)))]
)
def test_as_many_photos_are_scored_as_the_allowance_pays_for(seconds, positions, scored):
    validator = validator_of(*scored[:2])
    validator.fit(seconds=seconds, per_photo=1.0)
    assert list(validator.positions) == positions
    assert validator.total == 10


def test_a_few_photos_are_scored_whatever_they_cost(scored):
    validator = validator_of(*scored[:2])
    validator.fit(seconds=0.1, per_photo=1.0)
    assert len(validator.positions) == 4


def test_a_score_that_would_take_more_than_its_share_of_the_time_is_left_out(scored):
    val, plan, network = scored
    validator = validator_of(val, plan)
    assert validator.is_affordable(0.0), "without a limit nothing is left out"
    validator.fit(seconds=1.0, per_photo=0.3)
    assert not validator.is_affordable(39.9)
    assert validator.is_affordable(40.1)
    spent = validator.score(network).seconds
    assert not validator.is_affordable(spent / 0.03)


def test_the_cost_of_a_photo_is_measured(scored):
    val, plan, network = scored
    assert 0 < validator_of(val, plan).measure_seconds(network) < 60


def test_pictures_show_photo_truth_and_prediction_side_by_side(scored):
    val, plan, network = scored
    shown = {}
    validator_of(val, plan).score(network, show=lambda name, pixels: shown.update({name: pixels}))
    assert len(shown) == 3
    assert next(iter(shown.values())).shape == (48, 3 * 64, 3)


def test_a_panel_has_the_colours_of_the_table():
    image = Image(np.full((1, 2, 3), 7, np.uint8))
    palette = np.zeros((256, 3), np.uint8)
    palette[1] = (255, 0, 0)
    shown = panel(image, [np.array([[0, 1]], np.uint8)], palette=palette)
    assert shown.tolist() == [[[7, 7, 7], [7, 7, 7], [0, 0, 0], [255, 0, 0]]]


def test_a_panel_of_a_large_photo_is_small():
    image = Image(np.zeros((600, 1300, 3), np.uint8))
    shown = panel(image, [np.zeros((600, 1300), np.uint8)], palette=np.zeros((256, 3), np.uint8))
    assert shown.shape == (200, 2 * 434, 3)
