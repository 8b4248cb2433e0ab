"""Networks of segmentation_models_pytorch: every architecture builds and answers, and names are checked."""

import pytest
import torch

from tessella.core.errors import RecipeError
from tessella.models import build, smp, stride_of
from tessella.models.network import Network
from tessella.models.pooling import AdaptiveAverage

ENCODERS = {"DPT": "tu-vit_tiny_patch16_224", "Segformer": "mit_b0", "UnetPlusPlus": "mobilenet_v2"}

# written out: asking the library takes seconds at collection
ARCHITECTURES = (
    *("Unet", "UnetPlusPlus", "MAnet", "Linknet", "FPN", "PSPNet"),
    *("DeepLabV3", "DeepLabV3Plus", "PAN", "UPerNet", "Segformer", "DPT"),
)


def test_the_list_of_architectures_is_the_librarys():
    assert smp.architectures() == ARCHITECTURES


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_architecture_answers_at_any_size(architecture):
    name = f"smp:{architecture}/{ENCODERS.get(architecture, 'resnet18')}"
    core = build(name, classes=3, channels=2)
    net = Network(core, mean=[0.0, 0.0], std=[1.0, 1.0], stride=stride_of(name)).eval()
    with torch.inference_mode():
        assert net(torch.zeros(1, 2, 33, 70)).shape == (1, 3, 33, 70)


def test_the_vision_transformer_is_padded_to_two_of_its_patches():
    assert stride_of("smp:DPT/tu-vit_small_patch14_dinov2") == 28
    assert stride_of("smp:DPT/tu-vit_base_patch16_224") == 32


def test_pan_is_padded_so_that_its_pyramid_can_halve_three_times():
    assert stride_of("smp:PAN/resnet18") == 128
    assert stride_of("smp:PAN/resnet18", {"encoder_output_stride": 32}) == 256


def test_options_of_the_library_are_checked_and_passed_on():
    net = build("smp:Unet/resnet18", classes=2, channels=3, options={"decoder_channels": (64, 32, 16, 8, 4)})
    assert net.segmentation_head[0].in_channels == 4
    with pytest.raises(RecipeError, match=r"there is no option 'encoder_weights'"):
        build("smp:Unet/resnet18", classes=2, channels=3, options={"encoder_weights": "imagenet"})
    with pytest.raises(RecipeError, match=r"'encoder_output_stride' cannot be used; got 7; expected 8 or 16"):
        build("smp:DeepLabV3/resnet18", classes=2, channels=3, options={"encoder_output_stride": 7})


@pytest.mark.parametrize("depth", [3, 4, 5])
def test_pspnet_answers_at_full_size_at_any_depth(depth):
    net = build("smp:PSPNet/resnet18", classes=2, channels=3, options={"encoder_depth": depth}).eval()
    with torch.inference_mode():
        assert net(torch.zeros(1, 3, 64, 96)).shape == (1, 2, 64, 96)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("smp:unet/resnet18", "no architecture 'unet'.*did you mean 'Unet'"),
        ("smp:Unet/resnet81", "no encoder 'resnet81'.*did you mean"),
        ("smp:Unet/tu-convnext_atoo", "did you mean.*'tu-convnext_atto'"),
        ("smp:Unet", "named by architecture and encoder; got smp:Unet"),
        ("uent", "no network is called 'uent'.*did you mean 'unet'"),
        ("smp:DPT/resnet18", "refuses this network.*Only Timm encoders"),
        ("smp:DeepLabV3/vgg11", "refuses this network"),
    ],
)
def test_a_name_that_cannot_be_built_is_explained(name, says):
    with pytest.raises(RecipeError, match=says):
        build(name, classes=2, channels=3)


def test_no_network_is_asked_for_pretrained_weights(monkeypatch):
    monkeypatch.setattr("huggingface_hub.hf_hub_download", lambda *_a, **_k: pytest.fail("asked the hub"))
    monkeypatch.setattr("torch.hub.load_state_dict_from_url", lambda *_a, **_k: pytest.fail("asked the network"))
    build("smp:Unet/resnet18", classes=2, channels=3)
    build("smp:FPN/tu-resnet18", classes=2, channels=3)


@pytest.mark.parametrize("hw", [(6, 6), (7, 5), (1, 1), (13, 29), (3, 64)])
@pytest.mark.parametrize("cells", [(1, 2), (2, 2), (3, 3), (6, 6)])
def test_pooling_that_exports_equals_that_of_torch(hw, cells):
    x = torch.randn(2, 3, *hw, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(AdaptiveAverage(*cells)(x), torch.nn.AdaptiveAvgPool2d(cells)(x))
