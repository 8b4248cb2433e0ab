"""The one preprocessing: normalise, pad with edge pixels, run, crop."""

import pytest
import torch
from torch import nn

from tessella.models.network import Network, network_of


class Seen(nn.Module):
    """Keeps what it is given and answers with its first channel."""

    def forward(self, x):
        self.x = x
        return x[:, :1]


def test_raw_units_are_normalised_band_by_band():
    core = Seen()
    net = Network(core, mean=[100.0, 10.0], std=[50.0, 2.0], stride=1)
    net(torch.tensor([[[[150]], [[6]]]], dtype=torch.uint8))
    assert core.x.flatten().tolist() == [1.0, -2.0]


@pytest.mark.parametrize("dtype", [torch.uint8, torch.uint16, torch.int32, torch.float32, torch.bfloat16])
def test_any_real_dtype_of_the_same_values_gives_the_same(dtype):
    core = Seen()
    net = Network(core, mean=[3.0], std=[2.0], stride=4)
    net(torch.arange(12).view(1, 1, 3, 4).to(dtype))
    assert core.x.dtype == torch.float32
    assert core.x[0, 0, 2].tolist() == [2.5, 3.0, 3.5, 4.0]


def test_padding_repeats_the_edge_right_and_below_and_is_cropped_off():
    core = Seen()
    net = Network(core, mean=[0.0], std=[1.0], stride=4)
    pixels = torch.arange(15).view(1, 1, 3, 5)
    logits = net(pixels)
    assert core.x.shape == (1, 1, 4, 8)
    assert core.x[0, 0].tolist() == [
        [0, 1, 2, 3, 4, 4, 4, 4],
        [5, 6, 7, 8, 9, 9, 9, 9],
        [10, 11, 12, 13, 14, 14, 14, 14],
        [10, 11, 12, 13, 14, 14, 14, 14],
    ]
    assert torch.equal(logits, pixels.float())


def test_one_pixel_is_enough():
    core = Seen()
    assert Network(core, mean=[0.0], std=[1.0], stride=32)(torch.ones(1, 1, 1, 1)).shape == (1, 1, 1, 1)
    assert core.x.shape == (1, 1, 32, 32)
    assert (core.x == 1).all()


def test_the_padding_of_an_export_has_the_same_values():
    net = Network(Seen(), mean=[0.0], std=[1.0], stride=8)
    pixels = torch.arange(2 * 5 * 9).view(1, 2, 5, 9).float()

    class Whole(nn.Module):
        def forward(self, x):
            from tessella.models.network import _pad

            return _pad(x, net.stride)

    exported = torch.export.export(Whole(), (pixels,))
    assert torch.equal(exported.module()(pixels), Whole()(pixels))


class Coarse(nn.Module):
    """Answers at full size, half and an eighth, as in training."""

    def forward(self, x):
        return x, x[..., ::2, ::2], x[..., ::8, ::8]


def test_coarser_outputs_are_cropped_to_the_blocks_that_the_photo_touches():
    net = Network(Coarse(), mean=[0.0], std=[1.0], stride=16)
    outputs = net(torch.zeros(1, 1, 17, 30))
    assert [tuple(logits.shape[2:]) for logits in outputs] == [(17, 30), (9, 15), (3, 4)]


def test_the_plan_alone_says_mean_and_std():
    net = Network(nn.Conv2d(1, 2, 1), mean=[5.0], std=[2.0], stride=1)
    assert sorted(net.state_dict()) == ["core.bias", "core.weight"]


def test_a_network_of_a_plan_has_its_classes_bands_and_stride():
    from tessella.recipe.plan import ModelPlan, PlanClass, Preprocess

    class Settled:
        classes = (PlanClass(name="a", colour=(0, 0, 0)), PlanClass(name="b", colour=(1, 1, 1)))
        preprocess = Preprocess(bands=("x", "y"), dtype="uint16", mean=(9.0, 8.0), std=(2.0, 3.0), stride=4)
        model = ModelPlan(name="unet", options={"width": 4, "depth": 2}, weights="")

    net = network_of(Settled()).eval()
    assert net(torch.zeros(1, 2, 6, 7, dtype=torch.uint16)).shape == (1, 2, 6, 7)
    assert net.mean.flatten().tolist() == [9.0, 8.0]
    assert net.std.flatten().tolist() == [2.0, 3.0]
    assert net.stride == 4
