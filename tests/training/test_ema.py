"""The moving average of weights and running statistics."""

import pytest
import torch

from tessella.training.ema import MovingAverage


def filled(value: float) -> torch.nn.Module:
    model = torch.nn.BatchNorm2d(1)
    with torch.no_grad():
        for tensor in (model.weight, model.bias, model.running_mean, model.running_var):
            tensor.fill_(value)
    return model


def test_weights_and_running_statistics_are_averaged_with_the_same_decay():
    model = filled(0.0)
    average = MovingAverage(model, decay=0.75)
    with torch.no_grad():
        for tensor in model.state_dict().values():
            tensor.fill_(8)
    average.update(1000)  # long after the warm-up of the decay
    state = average.state()
    assert {name: float(state[name]) for name in ("weight", "bias", "running_mean", "running_var")} == dict.fromkeys(
        ("weight", "bias", "running_mean", "running_var"), 2.0
    )
    assert int(state["num_batches_tracked"]) == 8, "counts are copied, not averaged"


def test_the_decay_warms_up_so_that_the_random_start_is_forgotten():
    model = filled(0.0)
    average = MovingAverage(model, decay=0.999)
    with torch.no_grad():
        model.weight.fill_(1.0)
    average.update(0)
    assert float(average.state()["weight"]) == pytest.approx(0.9)
    average.update(1)
    assert float(average.state()["weight"]) == pytest.approx(1 - 0.1 * 2 / 11)


def test_without_decay_it_is_the_trained_network_itself():
    model = filled(0.0)
    average = MovingAverage(model, decay=0.0)
    with torch.no_grad():
        model.weight.fill_(5.0)
        model.num_batches_tracked.fill_(3)
    average.update(0)
    network = average.network()
    assert float(network.weight) == 5.0
    assert int(network.num_batches_tracked) == 3
    assert not network.training
    assert not any(parameter.requires_grad for parameter in network.parameters())
