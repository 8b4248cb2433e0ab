"""Pretrained weights: read without running code, fitted and reported."""

import pytest
import torch
from safetensors.torch import save_file

from tessella.core.errors import InputError
from tessella.models import build
from tessella.models.matching import adapt_bands, fit
from tessella.models.weights import load_weights

TINY = {"width": 4, "depth": 1}


def net(*, classes=2, channels=3):
    return build("unet", classes=classes, channels=channels, options=TINY)


def equal(one, other):
    mine, theirs = one.state_dict(), other.state_dict()
    return mine.keys() == theirs.keys() and all(torch.equal(mine[name], theirs[name]) for name in mine)


def test_no_weights_means_from_scratch_and_says_nothing():
    assert load_weights(net(), "") == ()


@pytest.mark.parametrize("suffix", [".safetensors", ".pth", ".pt"])
@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod.", "core.", "model."])
def test_a_file_of_the_same_network_is_loaded_whole(tmp_path, suffix, prefix):
    source, target = net(), net()
    path = tmp_path / f"start{suffix}"
    tensors = {prefix + name: value for name, value in source.state_dict().items()}
    if suffix == ".safetensors":
        save_file(tensors, path)
    else:
        torch.save({"state_dict": tensors, "epoch": 3} if suffix == ".pt" else tensors, path)
    notes = load_weights(target, str(path))
    assert equal(source, target)
    total = len(tensors)
    assert len(notes) == 1
    assert notes[0].startswith(f"started from {total} of {total} tensors of start{suffix} (sha256 ")


def test_the_head_of_other_classes_is_dropped_and_said(tmp_path):
    source, target = net(classes=5), net(classes=2)
    path = tmp_path / "five.safetensors"
    save_file(source.state_dict(), path)
    head = target.head.weight.clone()
    notes = load_weights(target, str(path))
    assert torch.equal(target.head.weight, head)
    assert torch.equal(target.down[0][0].weight, source.down[0][0].weight)
    dropped = next(note for note in notes if "of another shape dropped" in note)
    assert "head.weight (5x4x1x1 in the file, 2x4x1x1 in the network)" in dropped


def test_the_first_convolution_is_adapted_to_other_bands_and_said(tmp_path):
    source, target = net(channels=3), net(channels=5)
    path = tmp_path / "rgb.safetensors"
    save_file(source.state_dict(), path)
    notes = load_weights(target, str(path))
    assert "the first convolution down.0.0.weight was adapted from 3 to 5 bands" in notes
    assert torch.allclose(target.down[0][0].weight.sum(1), source.down[0][0].weight.sum(1), atol=1e-6)


def test_bands_are_adapted_as_by_hand():
    weight = torch.tensor([6.0, 8.0, 3.0]).view(1, 3, 1, 1)
    assert adapt_bands(weight, 1).flatten().tolist() == [17.0]
    assert adapt_bands(weight, 2).flatten().tolist() == [9.0, 12.0]  # times 3 / 2
    assert adapt_bands(weight, 5).flatten().tolist() == [3.0, 4.0, 3.0, 3.0, 4.0]


def test_what_is_missing_and_what_is_foreign_is_named():
    source = net().state_dict()
    source["extra.weight"] = torch.zeros(1)
    del source["head.bias"]
    notes = fit(source, net()).notes
    assert "1 tensors of the network not in the file, left as initialised: head.bias" in notes
    assert "1 tensors of the file not in the network, not used: extra.weight" in notes


def test_the_weights_of_an_encoder_alone_fit_an_smp_network():
    import timm

    network = build("smp:Unet/tu-convnext_atto", classes=2, channels=3)
    classifier = timm.create_model("convnext_atto", pretrained=False)
    tensors, notes = fit(classifier.state_dict(), network)
    assert "encoder.model.stages_0.blocks.0.conv_dw.weight" in tensors
    encoder = [name for name in network.state_dict() if name.startswith("encoder.")]
    assert set(encoder) <= set(tensors)
    assert any("head.fc.weight" in note for note in notes)


def test_a_file_of_another_network_is_refused(tmp_path):
    path = tmp_path / "other.safetensors"
    save_file({"embed.weight": torch.zeros(3, 3)}, path)
    with pytest.raises(InputError, match=r"no tensor of these weights fits.*embed\.weight.*down\.0\.0\.weight"):
        load_weights(net(), str(path))


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
@pytest.mark.parametrize("content", [b"", b"not a weights file", b"\x80\x04K\x01."])
def test_a_damaged_file_is_named(tmp_path, suffix, content):
    path = tmp_path / f"bad{suffix}"
    path.write_bytes(content)
    with pytest.raises(InputError, match=f"bad{suffix}"):
        load_weights(net(), str(path))


class Evil:
    def __reduce__(self):
        return print, ("code from a weights file ran",)


def test_code_in_a_file_is_never_run(tmp_path, capsys):
    path = tmp_path / "evil.pt"
    torch.save({"state_dict": Evil()}, path)
    with pytest.raises(InputError, match="never run"):
        load_weights(net(), str(path))
    assert "ran" not in capsys.readouterr().out
