"""Which network, at which batch: candidates are timed, and the largest that sees enough crops is taken."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from tessella.core.errors import RecipeError
from tessella.recipe.plan import ModelPlan
from tessella.recipe.planning.choices import (
    CLIP_NORM,
    MUON_RATE,
    choose_batch,
    choose_learning_rate,
    choose_optimiser,
)

if TYPE_CHECKING:
    from tessella.recipe.machine import Machine
    from tessella.recipe.part import Option
    from tessella.recipe.plan import OptimiserPlan, Plan, Stage
    from tessella.recipe.planning.cost import StepCost, Timer
    from tessella.recipe.planning.reasons import Reasons


@dataclass(frozen=True, slots=True)
class Candidate:
    """A network that may be chosen: a row of the models table and its options."""

    name: str
    options: dict[str, Option] = field(default_factory=dict)

    def __str__(self) -> str:
        settings = ", ".join(f"{name} {value}" for name, value in self.options.items())
        return f"{self.name} ({settings})" if settings else self.name


CANDIDATES: Final[dict[str, tuple[Candidate, ...]]] = {
    "cpu": (Candidate("mosaic"), Candidate("mosaic", {"width": 32})),
    "cuda": tuple(Candidate("mosaic", {"width": width} if width else {}) for width in (0, 32, 48, 64)),
}
"""By device, from small to large; the first is the usual one."""

ENOUGH_CROPS: Final = 40_000
"""A larger network must see this many crops: from scratch, 20,000 are hardly enough for the smallest (CamVid)."""

FEWEST_STEPS: Final = 300
"""With fewer steps than this, smaller batches learn more."""

SMALLEST_BATCH: Final = 2
"""Batch norms need at least two crops."""

MEMORY_SHARE: Final = 0.8
"""Share of the memory that may be planned with."""

PROCESS_BYTES: Final = 1 << 30
"""Python, torch, its kernels and the writers of events (measured: 0.59 GB after import, 1.0 in a run)."""

CROP_SECONDS_PER_PX: Final = 8e-9
"""Cutting and colouring a crop, per pixel of it (2 ms for 512 x 512)."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The network that was chosen, at the batch that fits.

    Args:
        plan: The draft with network, batch and learning rate settled.
        cost: Of one step.
        step_seconds: Of one optimiser step with the making of its crops, the mean over the steps of the run; infinite
            where it does not fit into the memory.
        step_crops: Crops of one optimiser step, the mean over the steps of the run.
    """

    plan: Plan
    cost: StepCost
    step_seconds: float
    step_crops: float

    @property
    def fits(self) -> bool:
        """Whether a step fits into the memory."""
        return math.isfinite(self.step_seconds)


@dataclass(frozen=True, slots=True)
class Means:
    """What the choice of a network stands on.

    Args:
        machine: Cores, memory, GPU.
        timer: Times one step.
        seconds: Seconds of training, 0 = no limit.
        crops: Crops of the whole run where the seconds do not limit it.
        cached_bytes: Memory taken by decoded photos.
    """

    machine: Machine
    timer: Timer
    seconds: float
    crops: float
    cached_bytes: int

    @property
    def memory_limit(self) -> int:
        """Bytes that one step may take."""
        gpu = self.machine.gpu
        if gpu is not None:
            return int(MEMORY_SHARE * gpu.memory_bytes)
        return max(0, int(MEMORY_SHARE * self.machine.memory_bytes) - PROCESS_BYTES - self.cached_bytes)


def choose_network(draft: Plan, reasons: Reasons, means: Means) -> Chosen:
    """Settle network, batch, accumulation and learning rate.

    Args:
        draft: Everything else settled.
        reasons: What was asked; takes the reasons.
        means: Machine, timer and time.

    Raises:
        RecipeError: Not even the smallest batch fits into the memory.
    """
    asked, candidates = reasons.asked.model, CANDIDATES[means.machine.device]
    if asked.name is not None or asked.options is not None:
        only = Candidate(asked.name or candidates[0].name, dict(asked.options or {}))
        reasons.why["model.name"] = reasons.source("model.name") if asked.name else "usual"
        return _fit(draft, only, reasons, means)
    best = _fit(draft, candidates[0], reasons, means)
    for candidate in candidates[1:]:
        # a larger network is slower and larger still: once one is too much, the rest need not be timed
        if _crops(best, means) < ENOUGH_CROPS:
            break
        larger = _try(draft, candidate, reasons, means)
        if not larger.fits or _crops(larger, means) < ENOUGH_CROPS:
            break
        best = larger
    chosen = Candidate(best.plan.model.name, best.plan.model.options)
    pace = f"{best.step_seconds:.2f} s a step on this machine"
    size = f"the largest that sees {ENOUGH_CROPS} crops; " if best.plan.model.options else ""
    reasons.why["model.name"] = f"made for training from scratch on small data and for speed; {size}{pace}"
    return _fit(draft, chosen, reasons, means)


def _crops(chosen: Chosen, means: Means) -> float:
    if means.seconds:
        return chosen.step_crops * means.seconds / chosen.step_seconds
    # without a time limit a CPU would pay for a larger network with hours that nobody asked for
    return means.crops if means.machine.gpu is not None else 0.0


def _fit(draft: Plan, candidate: Candidate, reasons: Reasons, means: Means) -> Chosen:
    """Like `_try`, for a network without which there is no plan.

    Raises:
        RecipeError: It does not fit.
    """
    chosen = _try(draft, candidate, reasons, means)
    if not chosen.fits:
        raise _too_large(chosen.plan, chosen.cost, means)
    return chosen


def _try(draft: Plan, candidate: Candidate, reasons: Reasons, means: Means) -> Chosen:
    """Find the batch at which a network fits into the memory, if any, and into the time with enough steps."""
    asked = reasons.asked.training.batch
    batch, why = choose_batch(draft.augment.crop_hw, means.machine.device)
    batch = asked or batch
    while True:
        chosen = _time(_with(draft, candidate, batch, reasons), means)
        settled = asked is not None or batch <= SMALLEST_BATCH
        if chosen.fits:
            smaller = batch if settled else _batch_in_time(batch, chosen.step_seconds, means.seconds)
            if smaller == batch:
                reasons.pick("training.batch", asked, (batch, why))
                return chosen
            batch, why = smaller, "fewer, so that more steps fit into the time"
        elif settled:
            return chosen
        else:
            batch, why = max(SMALLEST_BATCH, batch // 2), "as many as fit into the memory"


def _batch_in_time(batch: int, step_seconds: float, seconds: float) -> int:
    # the time of a step is taken as proportional to its batch, so that one more timing is enough
    steps = seconds / step_seconds if seconds else math.inf
    while batch > SMALLEST_BATCH and steps < FEWEST_STEPS:
        batch, steps = max(SMALLEST_BATCH, batch // 2), 2 * steps
    return batch


def _time(plan: Plan, means: Means) -> Chosen:
    """Time the heaviest and the lightest stage; those between lie on a line over their pixels."""
    staged = [_within(plan, stage) for stage in plan.augment.stages]
    loads = [one.training.batch * math.prod(one.augment.crop_hw) for one in staged]
    heaviest, lightest = (staged[loads.index(bound(loads))] for bound in (max, min))
    cost = means.timer(heaviest, memory_limit=means.memory_limit)
    if cost.memory_bytes > means.memory_limit:
        return Chosen(plan, cost, math.inf, 0.0)
    slope = 0.0
    if min(loads) < max(loads):
        light = means.timer(lightest, memory_limit=means.memory_limit)
        slope = max(0.0, cost.seconds - light.seconds) / (max(loads) - min(loads))
    seconds = [
        _with_crops(one, cost.seconds - slope * (max(loads) - load), means.machine)
        for one, load in zip(staged, loads, strict=True)
    ]
    shares = [stage.share for stage in plan.augment.stages]
    if means.seconds:
        # shares are of the time: the stages' steps per second add up
        paces = [share / own for share, own in zip(shares, seconds, strict=True)]
        shares = [pace / sum(paces) for pace in paces]
    crops = plan.training.accumulate * sum(
        share * one.training.batch for share, one in zip(shares, staged, strict=True)
    )
    return Chosen(plan, cost, sum(share * own for share, own in zip(shares, seconds, strict=True)), crops)


def _within(plan: Plan, stage: Stage) -> Plan:
    """Return what runs within one stage."""
    training = plan.training.model_copy(update={"batch": plan.batch_in(stage)})
    return plan.model_copy(update={"augment": plan.augment.within(stage), "training": training})


def _with(draft: Plan, candidate: Candidate, batch: int, reasons: Reasons) -> Plan:
    asked = reasons.asked
    accumulate = reasons.pick("training.accumulate", asked.training.accumulate, (1, "the batch fits in one pass"))
    weights = reasons.pick("model.weights", asked.model.weights, ("", "from scratch, unless asked otherwise"))
    optimiser = _settle_optimiser(draft, candidate.name, reasons, crops=batch * accumulate, pretrained=bool(weights))
    return draft.model_copy(
        update={
            "model": ModelPlan(name=candidate.name, options=candidate.options, weights=weights),
            "optimiser": optimiser,
            "training": draft.training.model_copy(update={"batch": batch, "accumulate": accumulate}),
        }
    )


def _settle_optimiser(draft: Plan, model: str, reasons: Reasons, *, crops: int, pretrained: bool) -> OptimiserPlan:
    asked = reasons.asked.optimiser
    name = reasons.pick("optimiser.name", asked.name, choose_optimiser(model, pretrained=pretrained))
    rate = choose_learning_rate(model, name, crops=crops, pretrained=pretrained)
    muon = (MUON_RATE, "usual for muon") if name == "muon" else (0.0, f"{name} has one learning rate")
    clip = (0.0, "muon's steps have a fixed length") if name == "muon" else (CLIP_NORM, "usual")
    return draft.optimiser.model_copy(
        update={
            "name": name,
            "learning_rate": reasons.pick("optimiser.learning_rate", asked.learning_rate, rate),
            "muon_rate": reasons.pick("optimiser.muon_rate", asked.muon_rate, muon),
            "clip_norm": reasons.pick("optimiser.clip_norm", asked.clip_norm, clip),
        }
    )


def _with_crops(plan: Plan, step_seconds: float, machine: Machine) -> float:
    """Return the seconds of one optimiser step together with the making of its crops."""
    training = plan.training
    crops = training.batch * math.prod(plan.augment.crop_hw) * CROP_SECONDS_PER_PX
    if machine.gpu is None:
        # crops are made on the cores on which the network runs
        return training.accumulate * (step_seconds + crops / training.threads)
    return training.accumulate * max(step_seconds, crops / max(1, training.workers))


def _too_large(plan: Plan, cost: StepCost, means: Means) -> RecipeError:
    height, width = plan.augment.crop_hw
    return RecipeError(
        f"one step of {plan.model.name} does not fit into the memory",
        got=f"{cost.memory_bytes / 2**30:.1f} GiB for {plan.training.batch} crops of {width}x{height}",
        expected=f"at most {means.memory_limit / 2**30:.1f} GiB",
        fix=f"try --set augment.crop_hw=[{max(32, height // 32 * 16)},{max(32, width // 32 * 16)}], "
        "a smaller batch, or a smaller network",
    )
