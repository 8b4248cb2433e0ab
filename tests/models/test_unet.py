"""The classic U-Net has the size and the start that it says."""

import math

import pytest
import torch
from torch import nn

from tessella.models import build, stride_of


def parameters(net):
    return sum(value.numel() for value in net.parameters())


def by_hand(width, depth, channels, classes):
    """Two 3x3 convolutions with batch norm per level, a 2x2 transposed convolution up, a 1x1 head."""
    widths = [width << level for level in range(depth + 1)]

    def block(inputs, outputs):
        return 9 * inputs * outputs + 9 * outputs * outputs + 2 * 2 * outputs

    down = sum(block(inputs, outputs) for inputs, outputs in zip([channels, *widths], widths, strict=False))
    up = sum(4 * 2 * w * w + w + block(2 * w, w) for w in widths[:-1])
    return down + up + width * classes + classes


def test_the_default_has_31_million_parameters():
    net = build("unet", classes=11, channels=3)
    assert parameters(net) == by_hand(64, 4, 3, 11) == 31_038_283


@pytest.mark.parametrize("depth", [1, 2, 5])
def test_width_and_depth_are_as_by_hand(depth):
    net = build("unet", classes=2, channels=5, options={"width": 6, "depth": depth})
    assert parameters(net) == by_hand(6, depth, 5, 2)
    assert stride_of("unet", {"width": 6, "depth": depth}) == 2**depth


@pytest.mark.parametrize(("activation", "kind"), [("relu", nn.ReLU), ("silu", nn.SiLU)])
def test_the_activation_is_the_one_asked_for(activation, kind):
    net = build("unet", classes=2, channels=3, options={"width": 4, "depth": 2, "activation": activation})
    assert sum(isinstance(module, kind) for module in net.modules()) == 2 * (2 + 1 + 2)


@pytest.mark.parametrize(("norm", "kind"), [("batch", nn.BatchNorm2d), ("group", nn.GroupNorm), ("none", None)])
def test_the_norm_is_the_one_asked_for(norm, kind):
    net = build("unet", classes=2, channels=3, options={"width": 6, "depth": 2, "norm": norm})
    norms = [module for module in net.modules() if isinstance(module, nn.BatchNorm2d | nn.GroupNorm)]
    assert {type(module) for module in norms} == ({kind} if kind else set())
    assert net.eval()(torch.zeros(1, 3, 8, 8)).shape == (1, 2, 8, 8)


@pytest.mark.parametrize(
    ("init", "spread"),
    [
        ("kaiming", math.sqrt(2 / (9 * 64))),  # normal, fan out
        ("he-uniform", math.sqrt(2 / (9 * 32))),  # the variance of a uniform is limit ** 2 / 3 = 2 / fan in
        ("xavier", math.sqrt(2 / (9 * 32 + 9 * 64))),
    ],
)
def test_the_initialisation_has_the_variance_of_its_paper(init, spread):
    torch.manual_seed(0)
    net = build("unet", classes=2, channels=3, options={"width": 32, "depth": 1, "init": init})
    weight = net.down[1][0].weight  # 32 to 64 channels
    assert float(weight.detach().std()) == pytest.approx(spread, rel=0.03)
    assert abs(float(weight.detach().mean())) < spread / 20
    assert not net.head.bias.any()
