"""Optimisers and the course of the learning rate."""

import math

import pytest
import torch

from data.training_plans import small_plan
from tessella.core.classes import ClassTable
from tessella.training.optim import build_optimiser, learning_rate

TABLE = ClassTable.from_names(["a", "b"])


def settings(**changes):
    changes = {f"optimiser__{name}": value for name, value in changes.items()}
    return small_plan(TABLE, **{"optimiser__learning_rate": 1.0, "optimiser__warmup_steps": 0, **changes}).optimiser


@pytest.mark.parametrize(
    ("schedule", "progress", "expected"),
    [
        ("constant", 0.9, 1.0),
        ("poly", 0.0, 1.0),
        ("poly", 0.75, 0.0625),
        ("poly", 1.0, 0.0),
        ("cosine", 0.5, 0.5),
        ("cosine", 1.0, 0.0),
        ("one-cycle", 0.0, 0.04),
        ("one-cycle", 0.3, 1.0),
        ("one-cycle", 1.0, 1 / 250_000),
    ],
)
def test_the_learning_rate_follows_its_schedule(schedule, progress, expected):
    plan = settings(schedule=schedule, power=2.0)
    assert learning_rate(plan, progress=progress, steps=100) == pytest.approx(expected)


@pytest.mark.parametrize("schedule", ["constant", "poly", "cosine"])
def test_warm_up_is_linear_and_takes_its_share_of_the_progress(schedule):
    plan = settings(schedule=schedule, warmup_steps=10)
    rates = [learning_rate(plan, progress=progress, steps=100) for progress in (0.005, 0.05, 0.0999)]
    assert rates == pytest.approx([0.05, 0.5, 0.999])


def test_one_cycle_is_that_of_torch():
    weight = torch.nn.Parameter(torch.zeros(1))
    optimiser = torch.optim.SGD([weight], lr=0.1)
    theirs = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=1.0, total_steps=101, pct_start=0.3)
    plan = settings(schedule="one-cycle", warmup_steps=0)
    for step in range(101):
        rise = 0.3 * 101 - 1  # torch counts the rise in steps, from the first to the peak
        share = 0.3 * step / rise if step <= rise else 0.3 + 0.7 * (step - rise) / (100 - rise)
        assert learning_rate(plan, progress=share, steps=100) == pytest.approx(theirs.get_last_lr()[0], abs=1e-9)
        optimiser.step()
        theirs.step()


@pytest.mark.parametrize("name", ["adamw", "sgd", "radam"])
def test_weight_decay_spares_biases_and_norms(name):
    model = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2))
    optimiser = build_optimiser(model, settings(name=name, weight_decay=0.1))
    decayed = [p for group in optimiser.param_groups if group["weight_decay"] for p in group["params"]]
    assert [p.shape for p in decayed] == [model[0].weight.shape]
    assert sum(len(group["params"]) for group in optimiser.param_groups) == 4


@pytest.mark.parametrize("name", ["adamw", "sgd", "radam"])
def test_every_optimiser_finds_the_bottom_of_a_bowl(name):
    model = torch.nn.Linear(3, 1, bias=False)
    optimiser = build_optimiser(model, settings(name=name, learning_rate=0.05, weight_decay=0.0))
    for _ in range(300):
        loss = ((model.weight - 2.0) ** 2).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert model.weight.detach().numpy() == pytest.approx(2.0, abs=0.05)


def test_frozen_weights_are_left_out():
    model = torch.nn.Conv2d(1, 1, 3)
    model.bias.requires_grad_(False)
    assert len(build_optimiser(model, settings()).param_groups) == 1
    assert math.isclose(settings().learning_rate, 1.0)
