"""What every row of the models table, and a sample of the library's networks, must do."""

import pytest
import torch

from tessella.core.errors import RecipeError
from tessella.losses import build_loss
from tessella.models import MODELS, Model, build, stride_of
from tessella.models.network import Network
from tessella.recipe.plan import LossPlan, LossTerm

SMALL = {"unet": {"width": 4, "depth": 3}, "mosaic": {"width": 8, "depth": 2}}
"""Options that make a row small enough for tests; a row without an entry is tested as it is."""

NAMES = [*MODELS, "smp:Unet/resnet18", "smp:FPN/mobileone_s0", "smp:DeepLabV3Plus/tu-mobilenetv3_small_050"]
EVERY = pytest.mark.parametrize("name", NAMES)
CROSS_ENTROPY = LossPlan(
    terms=(LossTerm(name="cross-entropy", weight=1.0, options={}),), class_weights=(1.0,) * 3, auxiliary=0.0
)


def network(name, *, classes=3, channels=3, seed=0):
    torch.manual_seed(seed)
    core = build(name, classes=classes, channels=channels, options=SMALL.get(name))
    return Network(core, mean=[100.0] * channels, std=[50.0] * channels, stride=stride_of(name, SMALL.get(name)))


def photos(batch, channels, hw, *, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (batch, channels, *hw), generator=generator, dtype=torch.uint8)


@EVERY
@pytest.mark.parametrize("hw", [(1, 1), (5, 7), (33, 47), (64, 64)])
def test_any_size_gives_logits_of_that_size(name, hw):
    net = network(name).eval()
    with torch.inference_mode():
        logits = net(photos(2, 3, hw))
    assert logits.shape == (2, 3, *hw)
    assert logits.dtype == torch.float32
    assert logits.isfinite().all()


@EVERY
@pytest.mark.parametrize("channels", [1, 2, 4, 7])
def test_any_number_of_bands_and_classes(name, channels):
    net = network(name, channels=channels, classes=channels + 1).eval()
    with torch.inference_mode():
        assert net(photos(1, channels, (40, 56))).shape == (1, channels + 1, 40, 56)


@EVERY
def test_training_answers_at_whole_fractions_and_every_parameter_gets_a_gradient(name):
    net = network(name).train()
    answer = net(photos(2, 3, (70, 90)))
    outputs = answer if isinstance(answer, tuple) else (answer,)
    target = torch.randint(0, 3, (2, 70, 90), generator=torch.Generator().manual_seed(1))
    loss = build_loss(CROSS_ENTROPY)
    parts = []
    for logits in outputs:
        ratio = round(70 / logits.shape[2])
        labels = target[:, ::ratio, ::ratio]  # one of each block; its shape is the ceil of the fraction
        assert logits.shape == (2, 3, *labels.shape[1:])
        parts.append(loss(logits, labels))
    torch.stack(parts).sum().backward()
    without = [key for key, value in net.named_parameters() if value.grad is None or not value.grad.isfinite().all()]
    assert without == []
    still = [key for key, value in net.named_parameters() if not value.grad.any()]
    assert still == []


@EVERY
def test_a_state_dict_goes_round(name):
    source, target = network(name, seed=0).eval(), network(name, seed=1).eval()
    pixels = photos(1, 3, (40, 40))
    with torch.inference_mode():
        assert not torch.equal(source(pixels), target(pixels))
        target.load_state_dict(source.state_dict())
        assert torch.equal(source(pixels), target(pixels))
    assert all(key.startswith("core.") for key in source.state_dict())


@EVERY
def test_the_same_seed_builds_the_same_network(name):
    one, other = network(name).state_dict(), network(name).state_dict()
    assert all(torch.equal(one[key], other[key]) for key in one)


@EVERY
def test_a_batch_gives_what_its_photos_give_one_by_one(name):
    net = network(name).eval()
    pixels = photos(3, 3, (40, 48))
    with torch.inference_mode():
        alone = torch.cat([net(photo[None]) for photo in pixels])
        torch.testing.assert_close(net(pixels), alone, rtol=1e-3, atol=1e-4)


@EVERY
def test_channels_last_gives_the_same_logits(name):
    net = network(name).eval()
    pixels = photos(2, 3, (40, 48))
    with torch.inference_mode():
        usual = net(pixels)
        last = net.to(memory_format=torch.channels_last)(pixels.contiguous(memory_format=torch.channels_last))
    torch.testing.assert_close(last, usual, rtol=1e-3, atol=1e-4)


@EVERY
def test_an_unknown_option_is_refused(name):
    with pytest.raises(RecipeError, match=r"there is no option 'dpeth'"):
        build(name, classes=2, channels=3, options={"dpeth": 3})


@EVERY
@pytest.mark.parametrize("what", ["classes", "channels"])
def test_a_network_without_classes_or_bands_is_refused(name, what):
    with pytest.raises(RecipeError, match=f"at least one of {what}"):
        build(name, **({"classes": 1, "channels": 1} | {what: 0}))


class Foreign:
    """An entry point of another package."""

    def __init__(self, name, part):
        self.name, self.part = name, part

    def load(self):
        return self.part


def test_a_network_of_another_package_is_found_by_entry_point(monkeypatch):
    row = Model(lambda *, classes, channels: torch.nn.Conv2d(channels, classes, 1), lambda: 1, lambda: None)
    monkeypatch.setattr(
        "tessella.models.entry_points", lambda group: [Foreign("theirs", row)] * (group[-6:] == "models")
    )
    assert build("theirs", classes=2, channels=3)(torch.zeros(1, 3, 4, 4)).shape == (1, 2, 4, 4)
    assert stride_of("theirs") == 1
    with pytest.raises(RecipeError, match="did you mean 'theirs'"):
        build("thiers", classes=2, channels=3)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
@pytest.mark.parametrize("name", [*MODELS, "smp:PSPNet/resnet18", "smp:UPerNet/resnet18"])
def test_the_onnx_export_is_right_at_another_size_and_batch(name, tmp_path):
    """PSPNet and UPerNet as the library makes them export, and then fail at any other size."""
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    net = network(name).eval()
    path = tmp_path / "net.onnx"
    free = dict.fromkeys((0, 2, 3), torch.export.Dim.DYNAMIC)
    torch.onnx.export(
        net,
        (photos(2, 3, (70, 90)),),
        path,
        dynamo=True,
        dynamic_shapes=(free,),
        input_names=["pixels"],
        output_names=["logits"],
        verbose=False,
    )
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    for batch, hw in ((2, (70, 90)), (1, (33, 129)), (3, (64, 64)), (1, (5, 7))):
        pixels = photos(batch, 3, hw)
        with torch.inference_mode():
            expected = net(pixels).numpy()
        (got,) = session.run(None, {"pixels": pixels.numpy()})
        torch.testing.assert_close(torch.from_numpy(got), torch.from_numpy(expected), rtol=1e-3, atol=2e-4)
