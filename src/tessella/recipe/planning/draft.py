"""The draft: every setting that depends on the data and the machine alone, before a network is timed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, TypeVar, cast

from tessella.core.errors import InputError, RecipeError
from tessella.core.image import FULL_SCALE
from tessella.recipe.part import Part
from tessella.recipe.plan import Dtype, LossPlan, LossTerm, Plan, Preprocess
from tessella.recipe.planning import choices
from tessella.recipe.planning.reasons import ASKED
from tessella.recipe.starter import starter_plan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tessella.core.classes import ClassTable
    from tessella.dataset.facts import Facts
    from tessella.recipe.machine import Machine
    from tessella.recipe.plan import AugmentPlan, TrainingPlan
    from tessella.recipe.planning.reasons import Reasons

DRAFT_STRIDE: Final = 32
"""Until the network says its own."""

IMAGENET: Final = ((123.675, 116.28, 103.53), (58.395, 57.12, 57.375))
"""Mean and standard deviation in uint8 units under which pretrained encoders were trained."""

AnyPart = TypeVar("AnyPart", bound=Part)


def make_draft(table: ClassTable, facts: Facts, reasons: Reasons, machine: Machine) -> Plan:
    """Settle preprocessing, augmentation, loss, optimiser and loop, over a plan of constants.

    Args:
        table: The classes.
        facts: Measured on the training split.
        reasons: What was asked; takes the reasons.
        machine: Cores, memory, GPU.

    Returns:
        A plan whose network, batch, steps and what follows from them are still to be settled.

    Raises:
        RecipeError: A setting contradicts the data or the machine.
        InputError: The pixels have no mean.
    """
    asked = reasons.asked
    start = starter_plan(table, bands=facts.bands, dtype=cast("Dtype", facts.dtype))
    return start.model_copy(
        update={
            "preprocess": _settle_preprocess(facts, reasons),
            "augment": _settle_augment(start.augment, facts, reasons, device=machine.device),
            "loss": _settle_loss(start.loss, facts, reasons),
            "optimiser": take_asked(start.optimiser, asked.optimiser, "optimiser", reasons=reasons),
            "training": _settle_training(start.training, facts, reasons, machine),
        }
    )


def take_asked(part: AnyPart, asked: Part, key: str, *, reasons: Reasons) -> AnyPart:
    """Return a part of the plan with everything that was asked for it, and note the sources.

    Args:
        part: A part of the plan.
        asked: The part of the recipe with the same field names; None means left open.
        key: Dotted key of both.
        reasons: Takes the sources.
    """
    given = {name: getattr(asked, name, None) for name in type(part).model_fields}
    given = {name: value for name, value in given.items() if value is not None}
    reasons.why |= {f"{key}.{name}": reasons.source(f"{key}.{name}") for name in given}
    return part.model_copy(update=given)


def _settle_preprocess(facts: Facts, reasons: Reasons) -> Preprocess:
    asked = reasons.asked.preprocess
    weights = reasons.asked.model.weights
    mean, std, why = facts.mean, facts.std, f"measured on {facts.measured} training photos"
    if not all(math.isfinite(value) for value in (*mean, *std)):
        raise InputError("the photos hold pixels that are not numbers (NaN or infinite)", fix="fill them with a value")
    if weights and facts.dtype == "uint8" and len(facts.bands) == 3:
        (mean, std), why = IMAGENET, "as the pretrained weights were trained"
    # a band that is the same everywhere would be divided by zero; it then stays at zero
    floor = FULL_SCALE[facts.dtype] / 1000
    std = tuple(value if value > floor else floor for value in std)
    mean = reasons.pick("preprocess.mean", asked.mean, (mean, why))
    std = reasons.pick("preprocess.std", asked.std, (std, why))
    _require_length("preprocess.mean", mean, facts.bands, "bands")
    _require_length("preprocess.std", std, facts.bands, "bands")
    reasons.why["preprocess.bands"] = reasons.why["preprocess.dtype"] = "as the photos are"
    return Preprocess(bands=facts.bands, dtype=cast("Dtype", facts.dtype), mean=mean, std=std, stride=DRAFT_STRIDE)


def _settle_augment(start: AugmentPlan, facts: Facts, reasons: Reasons, *, device: str) -> AugmentPlan:
    asked = reasons.asked.augment
    augment = take_asked(start, asked, "augment", reasons=reasons)
    crop_hw = reasons.pick("augment.crop_hw", asked.crop_hw, choices.choose_crop(facts.hw_median, device))
    without = {1: ("saturation", "hue"), 3: ()}.get(len(facts.bands), ("hue",))
    reasons.why |= {f"augment.{name}": f"{', '.join(facts.bands[:4])} has no such thing" for name in without}
    stages = augment.stages
    if reasons.why["augment.stages"] != ASKED:
        stages, reasons.why["augment.stages"] = choices.choose_stages(augment.stages, crop_hw)
    return augment.model_copy(update={"crop_hw": crop_hw, "stages": stages, **dict.fromkeys(without, 0.0)})


def _settle_loss(start: LossPlan, facts: Facts, reasons: Reasons) -> LossPlan:
    asked = reasons.asked.loss
    terms = start.terms
    if asked.terms is not None:
        terms = tuple(LossTerm(name=term.name, weight=term.weight, options=term.options) for term in asked.terms)
        reasons.why["loss.terms"] = reasons.source("loss.terms")
    weighed = choices.choose_class_weights(facts.class_pixels, asked.weighting or "none")
    weights = reasons.pick("loss.class_weights", asked.class_weights, weighed)
    _require_length("loss.class_weights", weights, facts.classes, "classes")
    auxiliary = reasons.pick("loss.auxiliary", asked.auxiliary, (start.auxiliary, "usual"))
    return LossPlan(terms=terms, class_weights=weights, auxiliary=auxiliary)


def _settle_training(start: TrainingPlan, facts: Facts, reasons: Reasons, machine: Machine) -> TrainingPlan:
    asked = reasons.asked.training
    training = take_asked(start, asked, "training", reasons=reasons)
    precision = reasons.pick("training.precision", asked.precision, choices.choose_precision(machine))
    if precision == "fp16" and machine.gpu is None:
        raise RecipeError(
            "fp16 is hundreds of times slower than fp32 on a CPU",
            where="training.precision",
            got=precision,
            expected="bf16 or fp32",
            fix="leave it out: Tessella chooses what the hardware computes",
        )
    limit = (max(10, facts.samples // 100), "one photo in a hundred, at least 10")
    return training.model_copy(
        update={
            "precision": precision,
            "channels_last": reasons.pick(
                "training.channels_last", asked.channels_last, (True, "the faster memory format for convolutions")
            ),
            "threads": reasons.pick("training.threads", asked.threads, choices.choose_threads(machine)),
            "workers": reasons.pick("training.workers", asked.workers, choices.choose_workers(machine)),
            "checkpoint_minutes": reasons.pick(
                "training.checkpoint_minutes", asked.checkpoint_minutes, (5.0, "at most 5 minutes of work are lost")
            ),
            "broken_photo_limit": reasons.pick("training.broken_photo_limit", asked.broken_photo_limit, limit),
        }
    )


def _require_length(key: str, values: Sequence[float], names: Sequence[str], what: str) -> None:
    if len(values) != len(names):
        raise RecipeError(
            f"there must be one number for each of the {what}",
            where=key,
            got=f"{len(values)} numbers",
            expected=f"{len(names)}: {', '.join(names[:8])}{', ...' if len(names) > 8 else ''}",
        )
