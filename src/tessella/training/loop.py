"""The training loop from top to bottom: batch, forward, loss, backward, update, average, and what comes between."""

from __future__ import annotations

import contextlib
import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch

from tessella.core.errors import RecipeError, TrainingError
from tessella.core.wording import counted
from tessella.training.events import Progress
from tessella.training.optim import learning_rate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from accelerate import Accelerator
    from numpy.typing import NDArray
    from torch import Tensor, nn

    from tessella.losses import Loss
    from tessella.recipe.plan import Plan
    from tessella.training.budget import Budget
    from tessella.training.ema import MovingAverage
    from tessella.training.events import EventLog
    from tessella.training.feed import Batch, Feed
    from tessella.training.validate import Validator

LAST_STRETCH = 0.97
"""No running score after this share of a run: the final evaluation follows at once."""


@dataclass(slots=True, eq=False)
class Learner:
    """What learns: the network as Accelerate placed it, and all that changes with every step.

    Args:
        accelerator: Device and precision.
        network: In training mode, wrapped in the autocast of the plan.
        optimiser: Wrapped too: it knows the gradient scaler of fp16.
        average: The moving average that is evaluated and sealed.
        loss: From the losses room.
    """

    accelerator: Accelerator
    network: nn.Module
    optimiser: torch.optim.Optimizer
    average: MovingAverage
    loss: Loss


@dataclass(slots=True, eq=False)
class Course:
    """Where a run stands, beside its tensors.

    Args:
        step: Optimiser steps done.
        crops: Crops trained on: the number of the next one.
        mean_loss: Moving average of the loss, for people.
        score: mIoU of the last validation.
        broken: Files of the photos that could not be read.
        stop: Set by a signal: finish the step and return.
    """

    step: int = 0
    crops: int = 0
    mean_loss: float = 0.0
    score: float | None = None
    broken: list[str] = field(default_factory=list)
    stop: bool = False

    def request_stop(self) -> None:
        """Finish the step, then return from the loop."""
        self.stop = True


@dataclass(frozen=True, slots=True, eq=False)
class Surroundings:
    """What a loop works with but does not change.

    Args:
        plan: Every setting.
        files: The training photos' files by position, for messages.
        feed: Batches in order.
        budget: Progress and end.
        log: Events.
        validator: The running score; None where there is no validation photo.
        save: Writes a checkpoint of the run as it stands; returns the seconds it took.
        progress: Called after every step; may be None.
    """

    plan: Plan
    files: Sequence[str]
    feed: Feed
    budget: Budget
    log: EventLog
    validator: Validator | None
    save: Callable[[], float]
    progress: Callable[[Progress], None] | None = None


def train_loop(learner: Learner, course: Course, around: Surroundings) -> None:
    """Train until the steps are done, the time is up, or `course.stop` is set.

    Args:
        learner: Changed in place.
        course: Changed in place; `course.step` says where to begin.
        around: The rest.

    Raises:
        TrainingError: A loss or gradient is not finite, or too many photos are broken.
        OutputError: A checkpoint or an event cannot be written.
    """
    plan, budget = around.plan, around.budget
    pace = Pace()
    log_every = max(1, min(20, plan.training.steps // 100))
    last_save = 0.0
    budget.begin()
    while not course.stop and not budget.is_over(course.step):
        batches = [around.feed.next() for _ in range(plan.training.accumulate)]
        note_broken(batches, course, around)
        share = budget.progress(course.step)
        rate = learning_rate(plan.optimiser, progress=share, steps=plan.training.steps)
        loss, norm = take_step(learner, batches, rate=rate, around=around, step=course.step)
        learner.average.update(course.step)
        course.step += 1
        course.crops = batches[-1].next_crop
        course.mean_loss = loss if course.step == 1 else 0.98 * course.mean_loss + 0.02 * loss
        pace.tick(photos=sum(len(batch.positions) for batch in batches))
        if not last_save:
            last_save = time.monotonic()
            budget.keep_back(pace.seconds_per_step())
        if course.step % log_every == 0 or course.step == 1:
            around.log.write(
                "step",
                step=course.step,
                seconds=budget.elapsed(),
                loss=loss,
                mean_loss=course.mean_loss,
                learning_rate=rate,
                gradient_norm=norm,
                photos_per_second=pace.photos_per_second(),
                share=share,
            )
        if course.step % plan.training.evaluate_every == 0 and budget.progress(course.step) < LAST_STRETCH:
            validate(learner, course, around)
            pace.pause()
        if time.monotonic() - last_save >= 60 * plan.training.checkpoint_minutes:
            budget.keep_back(around.save() + pace.seconds_per_step() / 2)
            last_save = time.monotonic()
            pace.pause()
        if around.progress is not None:
            around.progress(report_progress(course, around, rate=rate, pace=pace))


def take_step(
    learner: Learner, batches: Sequence[Batch], *, rate: float, around: Surroundings, step: int
) -> tuple[float, float]:
    """Accumulate the gradients of some batches and update the weights once.

    Returns:
        The mean loss of the batches and the norm of the gradient before clipping.

    Raises:
        TrainingError: A loss or the gradient is not finite; the weights are as they were before this step.
    """
    plan, accelerator = around.plan, learner.accelerator
    for group in learner.optimiser.param_groups:
        group["lr"] = rate * group["factor"]
    losses = []
    for number, batch in enumerate(batches):
        last = number == len(batches) - 1
        with contextlib.nullcontext() if last else accelerator.no_sync(learner.network):
            loss = batch_loss(learner, batch, plan=plan)
            losses.append(loss.item())
            if not math.isfinite(losses[-1]):
                raise _not_finite("the loss", losses[-1], batches=[batch], around=around, step=step)
            accelerator.backward(loss / len(batches))
    limit = plan.optimiser.clip_norm or math.inf
    norm = float(accelerator.clip_grad_norm_(learner.network.parameters(), limit))
    # with fp16 the gradient scaler skips such a step and lowers its scale; that is how it finds the scale
    if not math.isfinite(norm) and accelerator.scaler is None:
        raise _not_finite("the gradient", norm, batches=batches, around=around, step=step)
    learner.optimiser.step()
    learner.optimiser.zero_grad(set_to_none=True)
    return sum(losses) / len(losses), norm if math.isfinite(norm) else -1.0


def batch_loss(learner: Learner, batch: Batch, *, plan: Plan) -> Tensor:
    """Run one batch forward.

    Returns:
        The scalar loss; every auxiliary output adds `plan.loss.auxiliary` times its own.
    """
    device = learner.accelerator.device
    # (B, h, w, C) in memory is what torch calls channels-last
    pixels = torch.from_numpy(batch.pixels).to(device, non_blocking=True).permute(0, 3, 1, 2)
    ids = torch.from_numpy(batch.ids).to(device, non_blocking=True).long()
    answer = learner.network(pixels)
    logits, *auxiliary = answer if isinstance(answer, tuple) else (answer,)
    loss = learner.loss(*matched(logits, ids))
    if plan.loss.auxiliary:
        for extra in auxiliary:
            loss = loss + plan.loss.auxiliary * learner.loss(*matched(extra, ids))
    return loss


def matched(logits: Tensor, ids: Tensor) -> tuple[Tensor, Tensor]:
    """Bring logits and labels to one size.

    Logits at a fraction 1/r of the size (see `Network.forward`) are compared with one label of each block of r by r
    pixels: enlarging the logits instead costs more than the head that made them. At half the size no label lies at the
    centre of a cell, and one of the four is drawn for all cells (by torch's generator), so that over the steps every
    label counts; at smaller sizes it is the one at the centre. A block that the crop's edge cuts gives its nearest.

    Args:
        logits: (B, K, ceil(H / r), ceil(W / r)) for a whole r.
        ids: (B, H, W) int64.

    Returns:
        Logits and labels of one height and width.

    Raises:
        RecipeError: The logits have no such size.
    """
    if ids.shape[1:] == logits.shape[2:]:
        return logits, ids
    ratio = _ratio(ids.shape[1:], logits.shape[2:])
    first = torch.randint(2, (2,)).tolist() if ratio == 2 else (ratio // 2, ratio // 2)
    for axis, start in zip((1, 2), first, strict=True):
        cells, length = logits.shape[axis + 1], ids.shape[axis]
        places = torch.arange(start, start + ratio * cells, ratio, device=ids.device).clamp(max=length - 1)
        ids = ids.index_select(axis, places)
    return logits, ids


def _ratio(pixels: Sequence[int], cells: Sequence[int]) -> int:
    """Return the whole r with ceil(pixels / r) = cells on both axes; of several a power of two, as networks halve."""
    least = max(math.ceil(length / count) for length, count in zip(pixels, cells, strict=True))
    most = min(
        2 * length if count == 1 else (length - 1) // (count - 1) for length, count in zip(pixels, cells, strict=True)
    )
    if least > most:
        raise RecipeError(
            "the network's logits are no whole fraction of its crops",
            where="model.name",
            got=f"{tuple(cells)} for crops of {tuple(pixels)}",
            fix="choose a crop_hw that is a multiple of 32, or another network",
        )
    return next((ratio for ratio in range(least, most + 1) if ratio.bit_count() == 1), least)


def validate(learner: Learner, course: Course, around: Surroundings) -> None:
    """Write a running score of the averaged weights, with a few pictures, where the time allows it."""
    if around.validator is None or not around.validator.is_affordable(around.budget.elapsed()):
        return

    def show(name: str, pixels: NDArray[np.uint8]) -> None:
        around.log.picture(name, pixels, step=course.step)

    result = around.validator.score(learner.average.network(), show=show if around.log.shows_pictures else None)
    scores = result.scores
    course.score = None if math.isnan(scores.miou) else scores.miou
    around.log.write(
        "validation",
        step=course.step,
        seconds=around.budget.elapsed(),
        miou=course.score,
        pixel_accuracy=None if math.isnan(scores.pixel_accuracy) else scores.pixel_accuracy,
        photos=scores.images,
        cost_seconds=round(result.seconds, 3),
    )


def note_broken(batches: Sequence[Batch], course: Course, around: Surroundings) -> None:
    """Name every photo that could not be read, once, and stop past the plan's limit.

    Raises:
        TrainingError: More photos are broken than `training.broken_photo_limit`.
    """
    for broken in (broken for batch in batches for broken in batch.broken):
        photo = around.files[broken.position]
        if photo not in course.broken:
            course.broken.append(photo)
            around.log.write(
                "warning",
                step=course.step,
                seconds=around.budget.elapsed(),
                what="broken photo",
                photo=photo,
                why=broken.why,
            )
    limit = around.plan.training.broken_photo_limit
    if len(course.broken) > limit:
        raise TrainingError(
            f"{counted(len(course.broken), 'photo')} of the training split cannot be read",
            got=", ".join(course.broken),
            expected=f"at most {limit} (training.broken_photo_limit)",
            fix="run `tessella check` on the data set, repair or remove them, and start again",
        )


def report_progress(course: Course, around: Surroundings, *, rate: float, pace: Pace) -> Progress:
    """Gather what people want to see."""
    budget = around.budget
    return Progress(
        step=course.step,
        steps=budget.expected_steps(course.step),
        share=budget.progress(course.step),
        seconds=budget.elapsed(),
        seconds_left=budget.remaining(course.step),
        photos_per_second=pace.photos_per_second(),
        loss=course.mean_loss,
        learning_rate=rate,
        score=course.score,
    )


class Pace:
    """Speed of training, without validation and checkpoints."""

    def __init__(self) -> None:
        self._photos = 0
        self._last = time.perf_counter()
        self._seconds = 0.0

    def tick(self, *, photos: int) -> None:
        """Count one step over so many crops."""
        self._photos = photos
        now = time.perf_counter()
        seconds, self._last = now - self._last, now
        self._seconds = seconds if not self._seconds else 0.9 * self._seconds + 0.1 * seconds

    def pause(self) -> None:
        """Leave out the time since the last step."""
        self._last = time.perf_counter()

    def seconds_per_step(self) -> float:
        """Return the moving average of the seconds of a step."""
        return self._seconds

    def photos_per_second(self) -> float:
        """Return crops trained on per second."""
        return self._photos / self._seconds if self._seconds else 0.0


def _not_finite(what: str, value: float, *, batches: Sequence[Batch], around: Surroundings, step: int) -> TrainingError:
    positions = sorted({position for batch in batches for position in batch.positions})
    return TrainingError(
        f"{what} is not finite at step {step + 1}; the weights were not updated",
        got=value,
        where=", ".join(around.files[position] for position in positions),
        fix="look at these photos and their labels, or lower optimiser.learning_rate; --resume goes on from the last "
        "checkpoint",
    )
