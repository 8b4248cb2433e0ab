"""Whole runs on a tiny data set: what comes out, what is refused, what an interruption does."""

import json
import os
import shutil
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from data.blobs import write_blobs
from data.small_disk import needs_mount, small_disk
from data.training_job import hash_of
from data.training_plans import small_plan
from tessella.core.errors import InputError, OutputError, RecipeError, TrainingError
from tessella.dataset import open_dataset
from tessella.evaluation import evaluate
from tessella.models.network import network_of
from tessella.predict.load import wrap
from tessella.training import checkpoint
from tessella.training import run as run_module
from tessella.training.budget import Budget
from tessella.training.folder import stored_plan
from tessella.training.process import TrainingStopped, settled_process
from tessella.training.run import forecast, make_accelerator, run

STAGES = [{"share": 0.4, "zoom": 0.5, "batch_factor": 2.0}, {"share": 0.6, "zoom": 1.0, "batch_factor": 1.0}]


def opened(root: Path):
    index = open_dataset(root, classes=root / "classes.toml")
    return index.split("train"), index.split("val")


@pytest.fixture(scope="module")
def blobs(tmp_path_factory):
    return opened(write_blobs(tmp_path_factory.mktemp("run") / "data"))


def events_of(folder: Path, kind: str):
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [line for line in lines if line["event"] == kind]


@pytest.fixture(scope="module")
def learnt(blobs, tmp_path_factory):
    train, val = blobs
    out = tmp_path_factory.mktemp("learnt")
    plan = small_plan(
        train.table,
        steps=60,
        training__batch=4,
        training__workers=1,
        training__evaluate_every=20,
        optimiser__learning_rate=0.02,
        optimiser__ema_decay=0.9,
        loss__auxiliary=0.0,
    )
    seen, said = [], []
    trained = run(train, val, plan=plan, out=out, progress=seen.append, say=said.append)
    return plan, trained, out, seen, said


@pytest.mark.slow
def test_training_learns_to_tell_squares_from_discs(learnt, blobs):
    plan, trained, *_ = learnt
    network = network_of(plan)
    network.load_state_dict(dict(trained.state))
    report = evaluate(wrap(network.eval(), plan), blobs[1], split="val")
    assert report.miou > 0.6


@pytest.mark.slow
def test_a_run_logs_its_steps_its_scores_and_its_end(learnt):
    plan, trained, out, seen, said = learnt
    assert [event["step"] for event in events_of(out, "step")] == list(range(1, 61))
    scores = events_of(out, "validation")
    assert [event["step"] for event in scores] == [20, 40]
    assert all(event["photos"] == 3 and 0 <= event["miou"] <= 1 for event in scores)
    assert events_of(out, "end")[0]["broken_photos"] == []
    assert list(trained.history) == [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert stored_plan(out) == plan
    assert (seen[-1].step, seen[-1].steps, seen[-1].seconds_left) == (60, 60, 0)
    assert seen[-1].score == scores[-1]["miou"]
    assert any("scoring all 3 val photos after training takes about" in sentence for sentence in said)


def test_a_checkpoint_that_was_damaged_is_written_again(blobs, tmp_path):
    train, _ = blobs
    plan = small_plan(train.table, steps=2, training__checkpoint_minutes=1e-9)
    expected = run(train, None, plan=plan, out=tmp_path)
    damaged = tmp_path / "checkpoints" / "step-00000002" / "tensors.safetensors"
    damaged.write_bytes(b"damaged")
    said = []
    again = run(train, None, plan=plan, out=tmp_path, resume=True, say=said.append)
    assert any("step-00000002 is damaged" in sentence for sentence in said)
    assert hash_of(again.state) == hash_of(expected.state)
    assert checkpoint.load_newest(tmp_path, warn=pytest.fail).step == 2


@pytest.mark.slow
def test_a_finished_run_can_be_opened_again_without_a_further_step(learnt, blobs, tmp_path):
    plan, trained, out, *_ = learnt
    copy = shutil.copytree(out, tmp_path / "copy")  # the run itself belongs to other tests too
    again = run(*blobs, plan=plan, out=copy, resume=True)
    assert again.steps == 60
    assert hash_of(again.state) == hash_of(trained.state)


@pytest.mark.parametrize(
    "settings",
    [
        {"training__threads": 2, "training__precision": "bf16", "optimiser__ema_decay": 0.9},
        {"augment__stages": STAGES},
        {"optimiser__name": "sgd", "training__channels_last": False, "training__accumulate": 2},
        {"optimiser__name": "radam"},
        {"optimiser__name": "muon", "optimiser__muon_rate": 0.05},
    ],
    ids=["adamw", "stages", "sgd", "radam", "muon"],
)
def test_a_stopped_and_resumed_run_gives_the_same_bits(settings, blobs, tmp_path):
    train, val = blobs
    plan = small_plan(train.table, steps=6, training__workers=2, **settings)
    expected = hash_of(run(train, val, plan=plan, out=tmp_path / "whole").state)

    def stop(progress):
        if progress.step == 3:
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(TrainingStopped, match=r"stopped by SIGTERM after step 3.*--resume") as stopped:
        run(train, val, plan=plan, out=tmp_path / "parts", progress=stop)
    assert stopped.value.exit_code == 143
    trained = run(train, val, plan=plan, out=tmp_path / "parts", resume=True)
    assert trained.steps == 6
    assert hash_of(trained.state) == expected
    assert len(events_of(tmp_path / "parts", "step")) == 6


def test_the_same_plan_twice_gives_the_same_bits_and_another_seed_others(blobs, tmp_path):
    train, _ = blobs
    plan = small_plan(train.table, steps=2)
    first, second = (hash_of(run(train, None, plan=plan, out=tmp_path / name).state) for name in "ab")
    other = run(train, None, plan=plan.model_copy(update={"seed": 1}), out=tmp_path / "c")
    assert first == second != hash_of(other.state)


def test_a_second_signal_acts_as_it_would_without_tessella(blobs, tmp_path):
    train, _ = blobs

    def stop(_):
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        run(train, None, plan=small_plan(train.table), out=tmp_path, progress=stop)


def test_a_time_limit_ends_the_run_with_the_learning_rate_at_its_end(blobs, tmp_path):
    train, _ = blobs
    # the first run of a process imports for seconds, which would use up this limit before the second step
    run(train, None, plan=small_plan(train.table, steps=1), out=tmp_path / "first")
    plan = small_plan(train.table, steps=3, training__minutes=0.1, optimiser__power=1.0)
    trained = run(train, None, plan=plan, out=tmp_path, spent_seconds=2.0)
    steps = events_of(tmp_path, "step")
    assert trained.steps > 3, "the planned steps are an estimate under a time limit"
    [saved], [end] = events_of(tmp_path, "checkpoint"), events_of(tmp_path, "end")
    assert [event["step"] for event in steps] == list(range(1, trained.steps + 1))
    assert trained.seconds >= 0.9 * 6
    # a step begins when the one before has ended: the last began in time, and only it and its checkpoint are over
    began, ended = steps[-2]["seconds"], steps[-1]["seconds"]
    assert began < 6
    assert end["seconds"] - 6 < (ended - began) + (saved["seconds"] - ended) + 0.05
    assert steps[-1]["learning_rate"] < 0.15 * plan.optimiser.learning_rate


def test_when_preparing_used_up_the_time_one_step_is_made_and_the_user_told(blobs, tmp_path):
    train, _ = blobs
    said = []
    plan = small_plan(train.table, training__minutes=0.5)
    trained = run(train, None, plan=plan, out=tmp_path, spent_seconds=33.0, say=said.append)
    assert trained.steps == 1
    assert said[0].startswith("preparing took 0.")
    assert "only one step can be made" in said[0]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"training__batch": 3}, r"the plan is not the one.*training\.batch = 3.*expected training\.batch = 2"),
        ({"optimiser__learning_rate": 0.5}, r"optimiser\.learning_rate = 0\.5"),
        ({"training__threads": 2}, r"training\.threads = 2.*expected training\.threads = 1"),
    ],
)
def test_a_run_cannot_go_on_with_another_plan(change, says, blobs, tmp_path):
    train, _ = blobs
    run(train, None, plan=small_plan(train.table, steps=1), out=tmp_path)
    with pytest.raises(TrainingError, match=says):
        run(train, None, plan=small_plan(train.table, steps=1, **change), out=tmp_path, resume=True)


@pytest.mark.parametrize("version", [1, 2])
def test_a_run_begun_by_an_earlier_version_goes_on(version, blobs, tmp_path):
    train, _ = blobs
    plan = small_plan(train.table, steps=1)
    expected = hash_of(run(train, None, plan=plan, out=tmp_path).state)
    old = plan.to_json() | {"plan_version": version}
    del old["splits"]["held_out"]
    if version == 1:
        del old["reading"]
    newest = checkpoint.load_newest(tmp_path, warn=pytest.fail)
    checkpoint.save(tmp_path, replace(newest, state={**newest.state, "plan": old}))
    (tmp_path / "plan.json").write_text(json.dumps(old))
    again = run(train, None, plan=stored_plan(tmp_path), out=tmp_path, resume=True)
    assert (again.steps, hash_of(again.state)) == (1, expected)


def test_a_run_cannot_go_on_with_other_data(blobs, tmp_path):
    train, _ = blobs
    plan = small_plan(train.table, steps=1)
    run(train, None, plan=plan, out=tmp_path)
    with pytest.raises(TrainingError, match="the data set is not the one"):
        run(train.subset(range(5)), None, plan=plan, out=tmp_path, resume=True)


def test_resuming_where_nothing_is_says_so(blobs, tmp_path):
    train, _ = blobs
    with pytest.raises(TrainingError, match="no checkpoint to go on from"):
        run(train, None, plan=small_plan(train.table), out=tmp_path, resume=True)
    with pytest.raises(TrainingError, match="no run to go on from"):
        stored_plan(tmp_path / "nothing")


def test_a_loss_that_is_not_finite_stops_before_the_update_and_names_step_and_photos(blobs, tmp_path):
    train, _ = blobs
    plan = small_plan(train.table, steps=50, optimiser__name="sgd", optimiser__clip_norm=0.0, optimiser__warmup_steps=0)
    plan = plan.model_copy(update={"optimiser": plan.optimiser.model_copy(update={"learning_rate": 1e30})})
    with pytest.raises(TrainingError, match=r"train0\d\.png.*is not finite at step \d+; the weights were not updated"):
        run(train, None, plan=plan, out=tmp_path)


def test_a_torn_photo_is_named_counted_and_replaced(tmp_path):
    train, _ = opened(write_blobs(tmp_path / "data"))
    path = train.records[2].image
    path.write_bytes(path.read_bytes()[:100])
    trained = run(train, None, plan=small_plan(train.table, steps=8), out=tmp_path / "run")
    assert trained.broken == (str(path),)
    assert [warning["photo"] for warning in events_of(tmp_path / "run", "warning")] == [str(path)]
    assert trained.steps == 8


def test_too_many_torn_photos_stop_the_run(tmp_path):
    train, _ = opened(write_blobs(tmp_path / "data"))
    for record in train.records[:3]:
        record.image.write_bytes(b"")
    plan = small_plan(train.table, steps=20, training__broken_photo_limit=2)
    with pytest.raises(TrainingError, match=r"3 photos.*cannot be read.*at most 2 \(training.broken_photo_limit\)"):
        run(train, None, plan=plan, out=tmp_path / "run")


def test_a_torn_validation_photo_is_left_out_of_the_running_score(tmp_path):
    train, val = opened(write_blobs(tmp_path / "data"))
    val.records[0].image.write_bytes(b"")
    run(train, val, plan=small_plan(train.table, training__evaluate_every=2), out=tmp_path / "run")
    assert [event["photos"] for event in events_of(tmp_path / "run", "validation")] == [2, 2]


def test_a_plan_for_other_classes_is_refused(blobs, tmp_path):
    train, _ = blobs
    from tessella.core.classes import ClassTable

    plan = small_plan(ClassTable.from_names(["a", "b", "c"]))
    with pytest.raises(RecipeError, match="other classes"):
        run(train, None, plan=plan, out=tmp_path)


def test_a_split_without_labels_is_refused(blobs, tmp_path):
    train, _ = blobs
    with pytest.raises(InputError, match="no photo of the training split has labels"):
        run(train.subset([]), None, plan=small_plan(train.table), out=tmp_path)


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU computes fp16")
def test_fp16_is_refused_on_a_cpu(blobs, tmp_path):
    train, _ = blobs
    with pytest.raises(RecipeError, match="fp16 needs a GPU"):
        run(train, None, plan=small_plan(train.table, training__precision="fp16"), out=tmp_path)


def test_a_folder_that_cannot_be_written_is_named(blobs, tmp_path):
    train, _ = blobs
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="file"):
        run(train, None, plan=small_plan(train.table), out=tmp_path / "file" / "run")


def contents_of(folder: Path):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_start_that_fails_leaves_the_old_run_as_it_was(blobs, tmp_path):
    from safetensors.torch import save_file

    train, _ = blobs
    out = tmp_path / "run"
    plan = small_plan(train.table, steps=1)
    run(train, None, plan=plan, out=out)
    before = contents_of(out)
    save_file({"foreign": torch.zeros(1)}, tmp_path / "foreign.safetensors")
    for weights in ("foreign.safetensors", "absent.safetensors"):
        model = plan.model.model_copy(update={"weights": str(tmp_path / weights)})
        with pytest.raises(InputError, match="weights"):
            run(train, None, plan=plan.model_copy(update={"model": model}), out=out)
    assert contents_of(out) == before
    with pytest.raises(InputError, match="weights"):
        run(train, None, plan=plan.model_copy(update={"model": model}), out=tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_new_run_removes_what_the_old_one_left_and_nothing_else(blobs, tmp_path):
    train, _ = blobs
    kept = ["notes.txt", "test/mine.txt"]
    for name in (*kept, "report.html", "report.json", "test/report.json", "bundle/manifest.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("old")
    run(train, None, plan=small_plan(train.table, steps=3), out=tmp_path)
    run(train, None, plan=small_plan(train.table, steps=1), out=tmp_path)
    found = {
        name.split("/")[0] if name.startswith(("tensorboard", "checkpoints")) else name
        for name in contents_of(tmp_path)
    }
    assert found - {"tensorboard"} == {*kept, "plan.json", "metrics.jsonl", "checkpoints"}
    assert [folder.name for folder in (tmp_path / "checkpoints").iterdir()] == ["step-00000001"]
    assert [event["step"] for event in events_of(tmp_path, "step")] == [1]


@needs_mount
@pytest.mark.parametrize("size", ["4k", "16k", "200k"])
def test_a_disk_that_is_full_ends_the_run_with_one_message(size, blobs, tmp_path):
    train, val = blobs
    with small_disk(tmp_path / "disk", f"size={size}") as disk, pytest.raises(OutputError, match="disk is full"):
        run(train, val, plan=small_plan(train.table, steps=200, training__evaluate_every=2), out=disk / "run")


def test_the_cost_of_scoring_is_told_for_every_split_that_will_be_scored(blobs):
    plan = small_plan(blobs[0].table, splits__test_samples=4)
    budget = Budget(10, 0.0)
    assert forecast(budget, plan, 12.4, photos=3) == [
        "scoring all 3 val and 4 test photos after training takes about 12 s"
    ]
    assert forecast(budget, small_plan(blobs[0].table), 0.0, photos=0) == []
    assert "4 test photos" in forecast(budget, plan, 0.0, photos=0)[0]


def test_a_run_leaves_the_process_as_it_was(blobs, tmp_path):
    import cv2

    train, _ = blobs
    torch.manual_seed(11)
    handler = signal.getsignal(signal.SIGTERM)

    def state():
        return (
            torch.get_num_threads(),
            cv2.getNumThreads(),
            torch.are_deterministic_algorithms_enabled(),
            torch.utils.deterministic.fill_uninitialized_memory,
            torch.get_rng_state().sum().item(),
            np.random.get_state()[1].sum(),  # noqa: NPY002 - the global one is meant
        )

    before = state()
    run(train, None, plan=small_plan(train.table, steps=1, training__threads=2), out=tmp_path)
    assert state() == before
    assert signal.getsignal(signal.SIGTERM) is handler


def test_while_a_run_lasts_threads_and_seeds_are_those_of_the_plan(blobs):
    plan = small_plan(blobs[0].table, training__threads=2)
    with settled_process(plan):
        assert torch.get_num_threads() == 2
        assert torch.are_deterministic_algorithms_enabled() == (not torch.cuda.is_available())
        first = torch.rand(1)
    with settled_process(plan):
        assert torch.rand(1) == first


def test_stages_begin_with_more_and_smaller_crops(blobs, tmp_path, monkeypatch):
    from tessella.training import loop

    shapes = []
    whole = loop.batch_loss

    def spy(learner, batch, *, plan):
        shapes.append(batch.pixels.shape[:3])
        return whole(learner, batch, plan=plan)

    monkeypatch.setattr(loop, "batch_loss", spy)
    train, _ = blobs
    run(train, None, plan=small_plan(train.table, steps=5, augment__stages=STAGES), out=tmp_path)
    assert shapes == [(4, 16, 16)] * 2 + [(2, 32, 32)] * 3


def test_pretrained_weights_are_loaded_and_told(blobs, tmp_path):
    from safetensors.torch import save_file

    train, _ = blobs
    plan = small_plan(train.table, steps=1)
    torch.manual_seed(99)
    core = network_of(plan).core
    save_file({name: tensor.contiguous() for name, tensor in core.state_dict().items()}, tmp_path / "start.safetensors")
    started = plan.model_copy(
        update={"model": plan.model.model_copy(update={"weights": str(tmp_path / "start.safetensors")})}
    )
    said = []
    trained = run(train, None, plan=started, out=tmp_path / "run", say=said.append)
    fresh = run(train, None, plan=plan, out=tmp_path / "fresh")
    assert any("started from" in sentence for sentence in said)
    assert hash_of(trained.state) != hash_of(fresh.state)
    (tmp_path / "start.safetensors").unlink()
    assert run(train, None, plan=started, out=tmp_path / "run", resume=True).steps == 1


def test_a_run_trains_on_the_device_that_was_planned_for(blobs, monkeypatch):
    import accelerate.state

    monkeypatch.setattr(accelerate.state, "is_mps_available", lambda *_, **__: True)
    monkeypatch.setenv("PYTORCH_ENABLE_MPS_FALLBACK", "1")
    device = make_accelerator(small_plan(blobs[0].table)).device.type
    assert device == ("cuda" if torch.cuda.is_available() else "cpu")


def test_the_survey_before_training_uses_every_core_that_training_will(blobs, monkeypatch):
    from tessella.training.loop import Course

    asked = []
    monkeypatch.setattr(run_module.CropSource, "_survey", lambda _, threads: asked.append(threads))
    for threads, workers in ((4, 1), (2, 6)):
        settings = {"training__threads": threads, "training__workers": workers, "augment__rare_class": 0.5}
        plan = small_plan(blobs[0].table, **settings)
        run_module.make_feed(blobs[0], plan, budget=Budget(10, 0.0), course=Course()).close()
    assert asked == [4, 6]
