"""Checkpoints: complete or absent, hashed, the newest that verifies."""

import json
import random

import numpy as np
import pytest
import torch

from data.small_disk import fill, needs_mount, small_disk
from tessella.core.errors import OutputError, TrainingError
from tessella.training import checkpoint
from tessella.training.checkpoint import Checkpoint


def make(step: int) -> Checkpoint:
    return Checkpoint(step, {"network.w": torch.full((2, 3), float(step))}, {"note": f"after {step}"})


def load(folder):
    damaged: list[str] = []
    return checkpoint.load_newest(folder, warn=damaged.append), damaged


def test_what_was_saved_is_read_again(tmp_path):
    checkpoint.save(tmp_path, make(7))
    found, damaged = load(tmp_path)
    assert (found.step, found.state, damaged) == (7, {"note": "after 7"}, [])
    assert torch.equal(found.tensors["network.w"], torch.full((2, 3), 7.0))


def test_the_last_two_are_kept(tmp_path):
    for step in (1, 2, 10, 100):
        checkpoint.save(tmp_path, make(step))
    assert sorted(folder.name for folder in (tmp_path / "checkpoints").iterdir()) == ["step-00000010", "step-00000100"]


@pytest.mark.parametrize("name", ["tensors.safetensors", "state.json", "manifest.json"])
def test_one_flipped_bit_anywhere_sends_the_run_to_the_checkpoint_before(name, tmp_path):
    checkpoint.save(tmp_path, make(1))
    path = checkpoint.save(tmp_path, make(2)) / name
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 1
    path.write_bytes(data)
    found, damaged = load(tmp_path)
    assert found.step == 1
    assert "step-00000002 is damaged" in damaged[0]


def test_a_missing_file_counts_as_damage_and_the_place_can_be_used_again(tmp_path):
    checkpoint.save(tmp_path, make(1))
    (checkpoint.save(tmp_path, make(2)) / "state.json").unlink()
    assert load(tmp_path)[0].step == 1
    checkpoint.save(tmp_path, make(2))
    assert load(tmp_path)[0].step == 2


def test_an_unfinished_checkpoint_is_never_read_and_swept_away(tmp_path):
    checkpoint.save(tmp_path, make(1))
    stray = tmp_path / "checkpoints" / ".unfinished-step-00000002"
    stray.mkdir()
    (stray / "tensors.safetensors").write_bytes(b"half")
    assert load(tmp_path)[0].step == 1
    assert checkpoint.sweep(tmp_path) == 1
    assert not stray.exists()
    assert checkpoint.sweep(tmp_path) == 0


def test_nothing_to_go_on_from_says_so(tmp_path):
    with pytest.raises(TrainingError, match=r"no checkpoint to go on from.*without --resume"):
        load(tmp_path)
    (checkpoint.save(tmp_path, make(1)) / "state.json").write_text("{}")
    with pytest.raises(TrainingError, match="no checkpoint is intact"):
        load(tmp_path)


def test_a_checkpoint_of_a_newer_version_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "VERSION", 2)
    checkpoint.save(tmp_path, make(1))
    monkeypatch.setattr(checkpoint, "VERSION", 1)
    with pytest.raises(TrainingError, match="newer version"):
        load(tmp_path)


def test_a_place_that_cannot_be_written_is_named_and_leaves_nothing(tmp_path):
    (tmp_path / "checkpoints").write_text("a file where the folder should be")
    with pytest.raises(OutputError, match="step-00000001"):
        checkpoint.save(tmp_path, make(1))


def test_a_failed_write_leaves_the_checkpoints_before_untouched(tmp_path, monkeypatch):
    checkpoint.save(tmp_path, make(1))

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "save_file", full)
    with pytest.raises(OutputError, match="the disk is full"):
        checkpoint.save(tmp_path, make(2))
    assert [folder.name for folder in (tmp_path / "checkpoints").iterdir()] == ["step-00000001"]


@needs_mount
@pytest.mark.parametrize("leave", [0, 100_000])
def test_a_full_disk_is_said_and_nothing_of_the_checkpoint_stays(leave, tmp_path):
    with small_disk(tmp_path / "disk", "size=2m") as disk:
        checkpoint.save(disk, make(1))
        fill(disk, leave=leave)
        large = Checkpoint(2, {"network.w": torch.zeros(300, 300)}, {})
        with pytest.raises(OutputError, match="step-00000002: the disk is full"):
            checkpoint.save(disk, large)
        assert [folder.name for folder in (disk / "checkpoints").iterdir()] == ["step-00000001"]
        assert load(disk)[0].step == 1


@pytest.mark.parametrize(
    ("kind", "fused"), [(torch.optim.AdamW, True), (torch.optim.AdamW, False), (torch.optim.SGD, True)]
)
def test_moments_get_back_the_memory_layout_of_their_weights(kind, fused):
    extra = {"momentum": 0.9} if kind is torch.optim.SGD else {}

    def build():
        torch.manual_seed(0)
        model = torch.nn.Conv2d(3, 4, 3).to(memory_format=torch.channels_last)
        return model, kind(model.parameters(), lr=0.1, fused=fused, **extra)

    def step(model, optimiser, seed):
        photo = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(seed))
        model(photo).square().mean().backward()
        optimiser.step()
        optimiser.zero_grad()

    model, optimiser = build()
    step(model, optimiser, 1)
    kept = {name: tensor.contiguous().clone() for name, tensor in checkpoint.snapshot(model, model, optimiser).items()}
    step(model, optimiser, 2)
    other, again = build()
    checkpoint.restore(kept, model=other, average=other, optimiser=again)
    for state in again.state.values():
        moments = [value for value in state.values() if value.ndim == 4]
        assert all(moment.is_contiguous(memory_format=torch.channels_last) for moment in moments)
    step(other, again, 2)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), other.parameters(), strict=True))


def test_the_random_generators_of_python_and_numpy_go_on_where_they_were():
    def draw():
        return [random.random(), np.random.normal(), np.random.normal()]  # noqa: S311, NPY002 - the global ones are meant

    draw()  # an odd number of normal draws in all leaves one cached in NumPy
    np.random.normal()  # noqa: NPY002 - as above
    states = json.loads(json.dumps(checkpoint.random_states()))
    expected = draw()
    draw()
    checkpoint.restore_random(states)
    assert draw() == expected
