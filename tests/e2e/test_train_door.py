"""The door of training: held-out photos stay held out, failed starts leave nothing, and a run says what it does."""

import json
import shutil
import time
from pathlib import Path

import pytest

pytest.importorskip("torch")

import tessella
from data.blobs import write_blobs
from data.small_disk import needs_mount, small_disk
from tessella.bundle.opening import open_bundle
from tessella.core.errors import InputError, OutputError, RecipeError
from tessella.dataset import open_dataset
from tessella.exporting.door import _from_data

SMALL = (
    "model.name=unet",
    "model.options.width=4",
    "model.options.depth=2",
    "training.batch=2",
    "training.threads=1",
    "training.workers=1",
    "augment.crop_hw=[32, 32]",
)


def contents_of(folder: Path):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def names_of(index):
    return {record.name for record in index.records}


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """Twelve photos without a split."""
    root = write_blobs(tmp_path_factory.mktemp("door") / "data", train=12, val=0)
    for kind in ("images", "masks"):
        (root / "train" / kind).rename(root / kind)
    (root / "train").rmdir()
    (root / "classes.toml").rename(root.parent / "classes.toml")
    tessella.lock(root)
    return root


@pytest.fixture(scope="module")
def flags(data):
    return {"classes": data.parent / "classes.toml", "epochs": 2, "overrides": SMALL, "seed": 7}


@pytest.fixture(scope="module")
def trained(data, flags):
    said = []
    run = tessella.train(data, out=data.parent / "run", say=said.append, **flags)
    return run, said


def test_evaluating_scores_the_photos_that_were_held_out_and_no_other(trained, data, flags):
    run, _ = trained
    held_out = {row.name for row in run.reports["val"].rows}
    usual = open_dataset(data, classes=flags["classes"])
    assert held_out != names_of(usual.split("val")), "with the same split for both seeds this test would tell nothing"
    report = tessella.evaluate(run.bundle, data, classes=flags["classes"])
    assert {row.name for row in report.rows} == held_out
    assert report.miou == pytest.approx(json.loads((run.folder / "report.json").read_text())["miou"], abs=1e-9)
    assert {sample.name for sample in _from_data(open_bundle(run.bundle), data, classes=flags["classes"])} <= held_out


def test_the_bundle_says_which_bytes_it_was_trained_on(trained, data):
    locked = tessella.lock(data, verify=True)
    assert open_bundle(trained[0].bundle).manifest.provenance["data_lock"] == locked.digest
    assert f"data_lock: {locked.digest}" in (trained[0].bundle / "card.md").read_text()


def test_a_folder_that_grew_since_is_scored_whole_or_not_at_all(trained, data, flags, tmp_path):
    run, _ = trained
    grown = tmp_path / "grown"
    shutil.copytree(data, grown, ignore=shutil.ignore_patterns("*.lock*", ".tessella*", "*.json"))
    for kind in ("images", "masks"):
        for path in sorted((data / kind).iterdir())[:6]:
            (grown / kind / f"new{path.name}").write_bytes(path.read_bytes())
    usual = open_dataset(grown, classes=flags["classes"], split_seed=flags["seed"])
    learnt = names_of(open_dataset(data, classes=flags["classes"], split_seed=flags["seed"]).split("train"))
    assert names_of(usual.split("val")) & learnt, "without a photo that was trained on this test would tell nothing"
    with pytest.raises(InputError, match=r"not the one drawn for training.*--split all"):
        tessella.evaluate(run.bundle, grown, classes=flags["classes"])
    report = tessella.evaluate(run.bundle, grown, classes=flags["classes"], split="all")
    assert len(report.rows) == 18
    before = contents_of(run.folder)
    with pytest.raises(InputError, match=r"not the one drawn for training.*without --resume"):
        tessella.train(grown, out=run.folder, resume=True, **flags)
    assert contents_of(run.folder) == before


def test_a_data_set_that_was_changed_since_it_was_locked_is_not_trained_on(data, flags, tmp_path):
    photo = next((data / "images").iterdir())
    before = photo.read_bytes()
    try:
        photo.write_bytes(before + b" ")
        with pytest.raises(InputError, match="1 changed"):
            tessella.train(data, out=tmp_path / "run", **flags)
    finally:
        photo.write_bytes(before)
    assert not (tmp_path / "run").exists()


def test_a_run_says_how_the_data_is_read_and_what_it_took(trained):
    run, said = trained
    assert said[0].startswith("read as index-mask: ")
    assert said[0].endswith("classes as given")
    assert run.plan.why["classes"] == said[0]
    assert any(sentence.startswith("scoring all ") for sentence in said)
    assert f"{run.steps} steps in " in run.summary()
    assert "sealed and reported in " in run.summary()
    assert run.to_json()["steps"] == run.steps == run.plan.training.steps
    assert run.sealing_seconds > 0
    assert f"{run.steps} steps of 2 crops of 32x32 px" in (run.bundle / "card.md").read_text()


def test_resuming_takes_the_same_settings_and_refuses_others_by_name(trained, data, flags):
    run, _ = trained
    assert tessella.train(data, out=run.folder, resume=True, **flags).steps == run.steps
    before = contents_of(run.folder)
    for change, says in (
        ({"epochs": 3}, r"got training\.epochs = 3; expected training\.epochs = 2"),
        ({"epochs": None, "minutes": 1}, r"got training\.minutes = 1; expected no training\.minutes"),
        ({"seed": 8}, "got seed = 8; expected seed = 7"),
        ({"overrides": ["training.batch=4"]}, r"got training\.batch = 4; expected training\.batch = 2"),
        ({"preset": "cell"}, "got preset = 'cell'; expected preset = 'general'"),
    ):
        with pytest.raises(RecipeError, match=says):
            tessella.train(data, out=run.folder, resume=True, **(flags | change))
    assert contents_of(run.folder) == before


@pytest.mark.parametrize("weights", ["absent.pth", "hub:nobody/nothing/model.safetensors"])
def test_weights_out_of_reach_are_said_at_once_and_nothing_is_touched(
    weights, trained, data, flags, tmp_path, monkeypatch
):
    def unexpected(*_, **__):
        raise AssertionError("the data set was opened")

    run, _ = trained
    before = contents_of(run.folder)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("tessella._doors.train.open_dataset", unexpected)
    monkeypatch.setattr("tessella._doors.models.open_dataset", unexpected)
    asked = flags | {"overrides": [*SMALL, f"model.weights={weights}"]}
    began = time.monotonic()
    with pytest.raises(InputError, match="weights"):
        tessella.train(data, out=tmp_path / "new", **asked)
    with pytest.raises(InputError, match="weights"):
        tessella.train(data, out=run.folder, overwrite=True, **asked)
    with pytest.raises(InputError, match="weights"):
        tessella.plan(data, **asked)
    assert time.monotonic() - began < 6, "two seconds each"
    assert contents_of(run.folder) == before
    assert list(tmp_path.iterdir()) == []


@needs_mount
@pytest.mark.parametrize("size", ["8k", "12k", "128k", "192k", "256k"])
def test_a_disk_that_fills_up_anywhere_on_the_way_is_one_message(size, data, flags, tmp_path):
    # the log, a checkpoint, the bundle, the report: whatever comes when the disk is full
    with small_disk(tmp_path / "disk", f"size={size}") as disk, pytest.raises(OutputError, match="disk is full"):
        tessella.train(data, out=disk / "run", **flags)


def test_classes_that_were_discovered_are_said(data, flags):
    said = []
    with pytest.raises(KeyboardInterrupt):
        tessella.train(data, out=data.parent / "none", say=said.append, progress=_stop, **(flags | {"classes": None}))
    assert "classes discovered from the values found" in said[0]
    assert said[1] == "3 classes: class_0, class_1, class_2"


def _stop(_):
    raise KeyboardInterrupt
