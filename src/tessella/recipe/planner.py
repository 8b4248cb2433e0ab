"""The planner: facts of the data, the machine and the time there is, into a plan with a reason for every choice."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from tessella.core.errors import InputError, LabelError
from tessella.dataset.splits import digest_of_drawn
from tessella.recipe.asked import asked_keys
from tessella.recipe.opening import reading_of
from tessella.recipe.plan import Expected, Plan, PredictionPlan, SplitPlan
from tessella.recipe.planning import choices
from tessella.recipe.planning.draft import make_draft
from tessella.recipe.planning.limit import settle_limit
from tessella.recipe.planning.networks import PROCESS_BYTES, Means, choose_network
from tessella.recipe.planning.reasons import Reasons

if TYPE_CHECKING:
    from tessella.dataset.facts import Facts
    from tessella.dataset.index import Index
    from tessella.recipe.machine import Machine
    from tessella.recipe.planning.cost import Timer
    from tessella.recipe.planning.limit import Limit
    from tessella.recipe.planning.networks import Chosen
    from tessella.recipe.recipe import Recipe

START_UP_SECONDS: Final = 8.0
"""Loading torch, building the network, the last checkpoint; at most a fifth of a short run."""

CACHE_SHARE: Final = 0.25
"""Share of the memory in which decoded photos are kept."""


def make_plan(
    index: Index,
    facts: Facts,
    recipe: Recipe,
    machine: Machine,
    *,
    timer: Timer,
    minutes: float | None = None,
    epochs: float | None = None,
    seed: int | None = None,
) -> Plan:
    """Settle everything that a training run needs.

    Args:
        index: The data set with its splits.
        facts: Measured on the training split.
        recipe: What was asked; the preset that it names (or general) is laid below it.
        machine: Cores, memory, GPU.
        timer: Times one step of a drafted plan.
        minutes: Wall-clock minutes of training; wins over the recipe.
        epochs: Passes over the training samples instead; wins over the recipe.
        seed: Wins over the recipe; left out in both: 0.

    Returns:
        The plan; `plan.why` gives the reason for each choice.

    Raises:
        RecipeError: Two limits, one that is not above 0, a setting that contradicts the data or the machine, or a step
            that does not fit into the memory.
        InputError: There is nothing to train on.
        LabelError: There is only one class.
    """
    reasons = Reasons(recipe)
    limit = settle_limit(reasons.asked, minutes=minutes, epochs=epochs)
    splits = _count_splits(index, reasons)
    _require_contrast(facts)
    asked = asked_keys(recipe, minutes=minutes, epochs=epochs, seed=seed)
    seed = reasons.pick("seed", seed if seed is not None else reasons.asked.seed, (0, "usual"))
    reasons.why["classes"] = _say_classes(index)
    draft = make_draft(index.table, facts, reasons, machine).model_copy(
        update={"seed": seed, "splits": splits, "reading": reading_of(index), "asked": asked}
    )
    cached = int(min(facts.decoded_bytes, CACHE_SHARE * machine.memory_bytes))
    crops = limit.epochs * splits.train_samples
    means = Means(machine, timer, _usable_seconds(limit, facts, machine), crops, cached)
    chosen = choose_network(draft, reasons, means)
    return _finish(chosen, facts=facts, reasons=reasons, limit=limit, means=means)


def _count_splits(index: Index, reasons: Reasons) -> SplitPlan:
    labelled = len(index.labelled())
    if labelled < 2:
        raise InputError(
            "there are too few labelled photos to train on some and to score on others",
            where=index.root,
            got=f"{labelled} labelled of {len(index)} photos",
            expected="at least 2",
            fix="annotate more photos",
        )
    if "train" not in index.split_names:
        raise InputError(
            "the data set has no training split",
            where=index.root,
            got=", ".join(index.split_names) or "no split",
            expected="train",
            fix="name the split folder or list 'train', or remove the lists: Tessella then splits by itself",
        )
    train = len(index.split("train").labelled())
    if not train:
        raise InputError("no photo of the training split has labels", where=index.root)
    held_out = {name: len(index.split(name).labelled()) if name in index.split_names else 0 for name in ("val", "test")}
    reasons.why["splits"] = "; ".join(index.split_notes) or "as given"
    return SplitPlan(
        train_samples=train,
        val_samples=held_out["val"],
        test_samples=held_out["test"],
        split=reasons.why["splits"],
        split_seed=index.rule.seed,
        val_share=index.rule.val_share,
        held_out=digest_of_drawn(index.records, index.splits),
    )


def _say_classes(index: Index) -> str:
    """Say where the classes come from: what the format noted, else that the data set states them."""
    return "; ".join(index.listing.notes) or "as the data set states them"


def _require_contrast(facts: Facts) -> None:
    if len(facts.classes) < 2:
        raise LabelError(
            "there is only one class, so there is nothing to tell apart",
            got=", ".join(facts.classes),
            fix="give the rest of the pixels a class of their own, such as background, in a class file",
        )
    if not sum(facts.class_pixels):
        raise LabelError(
            "every labelled pixel of the training split is ignored", fix="run `tessella check` on the data"
        )


def _usable_seconds(limit: Limit, facts: Facts, machine: Machine) -> float:
    if not limit.minutes:
        return 0.0
    whole = 60 * limit.minutes
    decoding = facts.samples * (facts.photo_decode_ms + facts.label_decode_ms) / 1000 / machine.cores
    return whole - min(START_UP_SECONDS + decoding, whole / 5)


def _finish(chosen: Chosen, *, facts: Facts, reasons: Reasons, limit: Limit, means: Means) -> Plan:
    """Settle what follows from the network and its pace: steps, averages, scores, tiles, and what to expect."""
    asked, draft = reasons.asked, chosen.plan
    steps = _count_steps(limit, chosen, samples=draft.splits.train_samples, seconds=means.seconds)
    reasons.why["training.steps"] = _why_steps(limit, chosen)
    reasons.why["training.minutes"] = limit.why if limit.minutes else "no time limit"
    warmup = (round(choices.WARMUP_SHARE * steps), f"{choices.WARMUP_SHARE:.0%} of the run")
    training = draft.training.model_copy(
        update={
            "steps": steps,
            "minutes": limit.minutes,
            "evaluate_every": reasons.pick(
                "training.evaluate_every", asked.training.evaluate_every, choices.choose_evaluation(steps)
            ),
        }
    )
    optimiser = draft.optimiser.model_copy(
        update={
            "warmup_steps": reasons.pick("optimiser.warmup_steps", asked.optimiser.warmup_steps, warmup),
            "ema_decay": reasons.pick("optimiser.ema_decay", asked.optimiser.ema_decay, choices.choose_ema(steps)),
        }
    )
    stride = chosen.cost.stride
    reasons.why["preprocess.stride"] = f"what {draft.model.name} needs"
    seconds = steps * chosen.step_seconds + START_UP_SECONDS
    gpu = means.machine.gpu
    main_memory = PROCESS_BYTES + means.cached_bytes
    expected = Expected(
        seconds=round(min(seconds, 60 * limit.minutes) if limit.minutes else seconds, 1),
        memory_bytes=chosen.cost.memory_bytes + (0 if gpu else main_memory),
        epochs=round(steps * chosen.step_crops / draft.splits.train_samples, 2),
    )
    reasons.why["expected"] = f"{chosen.step_seconds:.3f} s a step; memory of {'the GPU' if gpu else 'the process'}"
    return draft.model_copy(
        update={
            "preprocess": draft.preprocess.model_copy(update={"stride": stride}),
            "optimiser": optimiser,
            "training": training,
            "prediction": _settle_prediction(draft, facts, reasons, stride=stride),
            "expected": expected,
            "why": dict(sorted(reasons.why.items())),
        }
    )


def _count_steps(limit: Limit, chosen: Chosen, *, samples: int, seconds: float) -> int:
    if limit.steps:
        return limit.steps
    if limit.epochs:
        return max(1, math.ceil(limit.epochs * samples / chosen.step_crops))
    return max(1, int(seconds / chosen.step_seconds))


def _why_steps(limit: Limit, chosen: Chosen) -> str:
    if limit.steps:
        return limit.why
    if limit.epochs:
        return f"{limit.epochs:g} passes over the training photos, {limit.why}"
    return f"as many as should fit at {chosen.step_seconds:.3f} s a step; the clock ends the run"


def _settle_prediction(draft: Plan, facts: Facts, reasons: Reasons, *, stride: int) -> PredictionPlan:
    asked = reasons.asked.prediction
    tile_hw, whole, why = choices.choose_tile(
        facts.hw_median, crop_hw=draft.augment.crop_hw, classes=len(facts.classes), stride=stride
    )
    return PredictionPlan(
        tile_hw=reasons.pick("prediction.tile_hw", asked.tile_hw, (tile_hw, "a few times the crop")),
        overlap=reasons.pick("prediction.overlap", asked.overlap, (draft.prediction.overlap, "usual")),
        max_whole_pixels=reasons.pick("prediction.max_whole_pixels", asked.max_whole_pixels, (whole, why)),
    )
