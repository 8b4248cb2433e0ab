"""One training run: place the network, feed it, keep its state safe, and hand back the averaged weights."""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import torch

from tessella.core.errors import InputError, RecipeError, TrainingError
from tessella.files.write import write_json
from tessella.losses import build_loss
from tessella.models.network import network_of
from tessella.models.weights import load_weights
from tessella.recipe.machine import look
from tessella.recipe.plan import Plan
from tessella.training import checkpoint
from tessella.training.budget import Budget
from tessella.training.ema import MovingAverage
from tessella.training.events import EventLog
from tessella.training.feed import CropSource, Feed
from tessella.training.folder import PLAN, clear
from tessella.training.loop import Course, Learner, Surroundings, train_loop
from tessella.training.optim import build_optimiser
from tessella.training.process import TrainingStopped, settled_process, stop_on_signals
from tessella.training.validate import SHARE, Validator

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from accelerate import Accelerator
    from torch import Tensor

    from tessella.dataset.index import Index
    from tessella.training.events import Progress


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """What a run gives.

    Args:
        state: The averaged weights (state dict of `models.network.Network`), on the CPU.
        steps: Optimiser steps done.
        seconds: Wall-clock seconds of training, before and after interruptions.
        history: The events of `metrics.jsonl`.
        broken: Files of training photos that could not be read.
        final_seconds: What the final scoring of all splits was expected to cost.
    """

    state: Mapping[str, Tensor]
    steps: int
    seconds: float
    history: tuple[Mapping[str, Any], ...]
    broken: tuple[str, ...]
    final_seconds: float


def run(
    train_index: Index,
    val_index: Index | None,
    *,
    plan: Plan,
    out: Path,
    resume: bool = False,
    spent_seconds: float = 0.0,
    progress: Callable[[Progress], None] | None = None,
    say: Callable[[str], None] | None = None,
) -> Trained:
    """Train a plan.

    The weights that come out are those of the moving average after the last step (or the trained ones where the plan
    has no average): never a choice by validation score, which would make that score too good.

    Nothing is written, and nothing of an earlier run in `out` removed, before network, weights and crops are ready.

    Args:
        train_index: Photos to train on; those without labels are left out.
        val_index: Photos for the running score, or None.
        plan: Every setting.
        out: The folder of the run; `metrics.jsonl`, `tensorboard/` and `checkpoints/` are written there.
        resume: Go on from the newest intact checkpoint in `out`.
        spent_seconds: Seconds of `plan.training.minutes` that were spent before this call, on planning for instance.
        progress: Called after every step.
        say: Called with sentences for people: what is damaged, what the final evaluation will cost.

    Returns:
        The averaged weights and what happened.

    Raises:
        RecipeError: The plan does not fit the data or the machine.
        InputError: There is nothing to train on, or the pretrained weights are absent.
        TrainingError: Nothing to resume from, or another plan or data set than before; a loss that is not
            finite; too many broken photos.
        TrainingStopped: SIGINT or SIGTERM; the checkpoint is saved.
        OutputError: The folder cannot be written.
    """
    began = time.monotonic() - spent_seconds
    train_index = train_index.labelled()
    refuse_misfit(train_index, plan)
    say = say or (lambda _: None)
    identity = {"plan": plan.to_json(), "data": fingerprint(train_index)}
    before = resume_point(out, identity, warn=say) if resume else None
    with settled_process(plan), contextlib.ExitStack() as stack:
        learner, optimiser = make_learner(plan, say=None if before else say)
        course, spent, started_at = Course(), time.monotonic() - began, None
        if before is not None:
            course = resumed_course(before, learner, optimiser)
            spent, started_at = before.state["seconds"], before.state["started_at"]
        budget = Budget(plan.training.steps, 60 * plan.training.minutes, spent=spent, started_at=started_at)
        feed = stack.enter_context(contextlib.closing(make_feed(train_index, plan, budget=budget, course=course)))
        validator, final_seconds = make_validator(val_index, learner, plan)
        for sentence in forecast(budget, plan, final_seconds, photos=validator.total if validator else 0):
            say(sentence)
        log = stack.enter_context(begin_folder(out, plan, before))

        saved = before.step if before else -1

        def save() -> float:
            nonlocal saved
            started = time.monotonic()
            tensors = checkpoint.snapshot(learner.network, learner.average.network(), optimiser)
            state = {**identity, **course_state(course, learner.accelerator)}
            state |= {"seconds": budget.elapsed(), "started_at": budget.started_at}
            checkpoint.save(out, checkpoint.Checkpoint(course.step, tensors, state))
            saved = course.step
            log.write("checkpoint", step=course.step, seconds=budget.elapsed())
            return time.monotonic() - started

        files = [photo_file(train_index, position) for position in range(len(train_index))]
        around = Surroundings(plan, files, feed, budget, log, validator, save, progress)
        log.write("start", step=course.step, seconds=budget.elapsed(), final_evaluation_seconds=round(final_seconds, 1))
        with stop_on_signals(course.request_stop) as received:
            train_loop(learner, course, around)
            if saved != course.step:
                save()
        if received:
            raise TrainingStopped(course.step, received[0])
        log.write("end", step=course.step, seconds=budget.elapsed(), broken_photos=course.broken)
        state = {name: tensor.detach().cpu().clone() for name, tensor in learner.average.state().items()}
        return Trained(state, course.step, budget.elapsed(), tuple(log.history), tuple(course.broken), final_seconds)


def begin_folder(out: Path, plan: Plan, before: checkpoint.Checkpoint | None) -> EventLog:
    """Make the folder of a run ready, and open its log.

    Args:
        out: The folder; what an earlier run left there is removed, unless this run goes on with it.
        plan: Is written there.
        before: Where this run goes on, or None.

    Raises:
        OutputError: The folder cannot be written.
    """
    if before is None:
        clear(out)
    checkpoint.sweep(out)
    write_json(out / PLAN, plan.to_json())
    return EventLog(out, resumed_step=before.step if before else None)


def refuse_misfit(index: Index, plan: Plan) -> None:
    """Refuse a plan that was made for another data set.

    Raises:
        InputError: There is no labelled photo.
        RecipeError: The classes differ.
    """
    if not len(index):
        raise InputError("no photo of the training split has labels", where=index.root)
    if index.table != plan.table:
        raise RecipeError(
            "the plan was made for other classes",
            got=", ".join(plan.table.names),
            expected=", ".join(index.table.names),
            fix="plan again with `tessella plan`",
        )


def fingerprint(index: Index) -> str:
    """Return a hash of what is trained on: names and file sizes of photos and labels, and how labels are read."""
    digest = hashlib.sha256(repr((index.coding, index.fill)).encode())
    for record in index.records:
        sizes = [
            path.stat().st_size if path is not None and path.exists() else -1 for path in (record.image, record.label)
        ]
        digest.update(json.dumps([record.name, record.key, *sizes]).encode())
    return digest.hexdigest()


def resume_point(out: Path, identity: Mapping[str, Any], *, warn: Callable[[str], None]) -> checkpoint.Checkpoint:
    """Read the newest intact checkpoint, and refuse it when it belongs to another run.

    Raises:
        TrainingError: There is none, or the plan or the data set differ.
        RecipeError: Its plan is damaged, or of a newer version.
    """
    found = checkpoint.load_newest(out, warn=warn)
    # as for `stored_plan`: the plan of an earlier version says what it says in the words of this one
    begun = {**found.state, "plan": Plan.from_json(found.state["plan"], where=str(out)).to_json()}
    for key, what in (("plan", "plan"), ("data", "data set")):
        was, now = begun[key], identity[key]
        if was != now:
            differing = _differing_keys(was, now) if isinstance(was, dict) else None
            raise TrainingError(
                f"the {what} is not the one this run was begun with, so it cannot go on as it would have",
                where=out,
                got=now if differing is None else ", ".join(f"{name} = {value!r}" for name, _, value in differing),
                expected=was if differing is None else ", ".join(f"{name} = {value!r}" for name, value, _ in differing),
                fix=f"restore the {what}, or start again without --resume (and with --overwrite)",
            )
    return found


def _differing_keys(
    was: Mapping[str, Any], now: Mapping[str, Any], prefix: str = ""
) -> list[tuple[str, object, object]]:
    found: list[tuple[str, object, object]] = []
    for key in sorted({*was, *now}):
        old, new = was.get(key), now.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            found += _differing_keys(old, new, f"{prefix}{key}.")
        elif old != new:
            found.append((prefix + key, old, new))
    return found


def make_learner(plan: Plan, *, say: Callable[[str], None] | None = None) -> tuple[Learner, torch.optim.Optimizer]:
    """Build network, optimiser, average and loss, and let Accelerate place them.

    Args:
        plan: Every setting.
        say: Given, the plan's pretrained weights are loaded, and it is told what came of it; None: a checkpoint
            follows.

    Returns:
        The learner, and its optimiser without Accelerate's wrapper, for checkpoints.

    Raises:
        RecipeError: Unknown names or options, or a precision that the device does not have.
        InputError: The pretrained weights are absent or do not fit.
        TrainingError: Started as one of several processes.
    """
    accelerator = make_accelerator(plan)
    network = network_of(plan).to(accelerator.device)
    if say is not None:
        for sentence in load_weights(network.core, plan.model.weights):
            say(sentence)
    if plan.training.channels_last:
        network = network.to(memory_format=torch.channels_last)
    average = MovingAverage(network, decay=plan.optimiser.ema_decay)
    network.train()
    optimiser = build_optimiser(network, plan.optimiser)
    placed, wrapped = accelerator.prepare(network, optimiser)
    return Learner(accelerator, placed, wrapped, average, build_loss(plan.loss)), optimiser


def make_accelerator(plan: Plan) -> Accelerator:
    """Choose device and precision.

    Raises:
        RecipeError: fp16 on a CPU, which is hundreds of times slower there than bf16.
        TrainingError: Started as one of several processes.
    """
    from accelerate import Accelerator
    from accelerate.state import AcceleratorState

    # Accelerate keeps one state per process and refuses a second precision; a second run may have another plan
    AcceleratorState._reset_state(reset_partial_state=True)
    precision = plan.training.precision
    if precision == "fp16" and not torch.cuda.is_available():
        raise RecipeError("fp16 needs a GPU", where="training.precision", fix="use bf16 or fp32")
    # the device that `recipe.machine` plans for: else a Mac would train on its own GPU what was timed on the CPU
    accelerator = Accelerator(
        cpu=not torch.cuda.is_available(), mixed_precision="no" if precision == "fp32" else precision
    )
    if accelerator.num_processes > 1:
        raise TrainingError(
            "training runs in one process",
            got=f"{accelerator.num_processes} processes",
            fix="start it without a launcher",
        )
    return accelerator


def make_validator(index: Index | None, learner: Learner, plan: Plan) -> tuple[Validator | None, float]:
    """Prepare the running score so that all of them together take at most `validate.SHARE` of the run.

    Returns:
        The validator, or None without labelled photos; and the seconds that scoring all of them, and those of the test
        split, takes after training, when it is done in fp32.
    """
    photos = None if index is None else index.labelled()
    if not photos:
        return None, 0.0
    validator = Validator(photos, plan=plan, autocast=learner.accelerator.autocast)
    network = learner.average.network()
    per_photo = validator.measure_seconds(network)
    training = plan.training
    expected = 60 * training.minutes or plan.expected.seconds
    scores = max(1, training.steps // training.evaluate_every)
    validator.fit(seconds=SHARE * expected / scores, per_photo=per_photo)
    if training.precision != "fp32":
        per_photo = Validator(photos, plan=plan, autocast=contextlib.nullcontext).measure_seconds(network)
    return validator, per_photo * (len(photos) + plan.splits.test_samples)


def forecast(budget: Budget, plan: Plan, final_seconds: float, *, photos: int) -> list[str]:
    """Say what the final scoring will cost, and whether any time is left to train.

    Args:
        budget: The time there is.
        plan: Says how many test photos there are.
        final_seconds: What the final scoring takes.
        photos: Validation photos.
    """
    told = []
    counts = {"val": photos, "test": plan.splits.test_samples}
    scored = " and ".join(f"{count} {split}" for split, count in counts.items() if count)
    if scored:
        cost = (
            f"takes about {max(1, round(final_seconds))} s" if final_seconds else "takes a time that cannot be told yet"
        )
        told.append(f"scoring all {scored} photos after training {cost}")
    if budget.seconds and budget.elapsed() >= budget.seconds:
        told.append(
            f"preparing took {budget.elapsed() / 60:.1f} of {budget.seconds / 60:g} min: only one step can be made; "
            "give more minutes"
        )
    return told


def make_feed(index: Index, plan: Plan, *, budget: Budget, course: Course) -> Feed:
    """Prepare the crops of a plan, from the first one that is not trained on yet."""
    training = plan.training
    # the cores that the network will take are still free while photos are surveyed
    threads = max(training.threads, training.workers)
    # a quarter of the memory for decoded photos: the rest is for the network, and for others
    source = CropSource(index, plan, max_bytes=look().memory_bytes // 4, threads=threads)

    def settle(batch: int) -> tuple[int, float]:
        progress = budget.progress(batch // training.accumulate)
        return plan.batch_in(plan.augment.stage_at(progress)), progress

    return Feed(
        source,
        seed=plan.seed,
        workers=training.workers,
        first_batch=course.step * training.accumulate,
        first_crop=course.crops,
        settle=settle,
    )


def course_state(course: Course, accelerator: Accelerator) -> dict[str, Any]:
    """Return what a checkpoint keeps beside tensors, as plain JSON data."""
    scaler = getattr(accelerator, "scaler", None)
    return {
        "course": {field: value for field, value in asdict(course).items() if field not in {"step", "stop"}},
        "random": checkpoint.random_states(),
        "scaler": None if scaler is None else scaler.state_dict(),
    }


def resumed_course(before: checkpoint.Checkpoint, learner: Learner, optimiser: torch.optim.Optimizer) -> Course:
    """Put everything back as it was at a checkpoint."""
    network, average = learner.network, learner.average.network()
    checkpoint.restore(before.tensors, model=network, average=average, optimiser=optimiser)
    checkpoint.restore_random(before.state["random"])
    if learner.accelerator.scaler is not None and before.state["scaler"]:
        learner.accelerator.scaler.load_state_dict(before.state["scaler"])
    return Course(step=before.step, **before.state["course"])


def photo_file(index: Index, position: int) -> str:
    """Return the file of a photo, for messages."""
    record = index.records[position]
    return str(record.image or record.label or record.name)
