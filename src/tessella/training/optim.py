"""Optimisers from the plan, and the course of the learning rate."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import torch

from tessella.training.muon import Muon, is_orthogonal

if TYPE_CHECKING:
    from collections.abc import Callable

    from tessella.recipe.plan import OptimiserPlan

ParameterGroups = list[dict[str, Any]]


def build_optimiser(model: torch.nn.Module, plan: OptimiserPlan) -> torch.optim.Optimizer:
    """Build the optimiser of the plan over the parameters of `model` that are trained.

    Weight decay acts on convolutions and matrices only: on biases and on the scales of norms it has no use, and it
    shrinks what a norm layer has just learnt.

    Args:
        model: The network.
        plan: The optimiser plan; its learning rate is the peak.

    Returns:
        A torch optimiser; fused where torch has such a version for the device. The entry `factor` of a group says by
        what the scheduled learning rate is multiplied for it.
    """
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    banks = (
        {id(module.weight) for module in model.modules() if is_orthogonal(module) and module.weight.requires_grad}
        if plan.name == "muon"
        else set()
    )
    others = [parameter for parameter in trained if id(parameter) not in banks]
    groups: ParameterGroups = [
        {"params": [p for p in others if p.ndim > 1], "weight_decay": plan.weight_decay, "factor": 1.0},
        {"params": [p for p in others if p.ndim <= 1], "weight_decay": 0.0, "factor": 1.0},
    ]
    if banks:
        groups.append({"params": [p for p in trained if id(p) in banks], "factor": plan.muon_rate / plan.learning_rate})
    return OPTIMISERS[plan.name]([group for group in groups if group["params"]], plan)


def _adamw(groups: ParameterGroups, plan: OptimiserPlan) -> torch.optim.Optimizer:
    return torch.optim.AdamW(groups, lr=plan.learning_rate, betas=(plan.momentum, plan.beta2), fused=True)


def _muon(groups: ParameterGroups, plan: OptimiserPlan) -> torch.optim.Optimizer:
    for group in groups:
        group |= {"orthogonal": "weight_decay" not in group, "momentum": plan.momentum}
        group.setdefault("weight_decay", 0.0)
    return Muon(groups, lr=plan.learning_rate, betas=(plan.momentum, plan.beta2))


def _sgd(groups: ParameterGroups, plan: OptimiserPlan) -> torch.optim.Optimizer:
    nesterov = plan.momentum > 0
    return torch.optim.SGD(groups, lr=plan.learning_rate, momentum=plan.momentum, nesterov=nesterov, fused=True)


def _radam(groups: ParameterGroups, plan: OptimiserPlan) -> torch.optim.Optimizer:
    betas = (plan.momentum, plan.beta2)
    return torch.optim.RAdam(groups, lr=plan.learning_rate, betas=betas, decoupled_weight_decay=True)


OPTIMISERS: Final = {"adamw": _adamw, "muon": _muon, "sgd": _sgd, "radam": _radam}


def learning_rate(plan: OptimiserPlan, *, progress: float, steps: int) -> float:
    """Return the learning rate at one point of the run.

    Args:
        plan: Peak, schedule and warm-up.
        progress: 0..1, from `Budget.progress`.
        steps: Steps of the whole run; the warm-up takes `warmup_steps / steps` of the progress, whether steps or the
            clock drive it.
    """
    warmup = min(1.0, plan.warmup_steps / steps)
    if plan.schedule == "one-cycle":
        return plan.learning_rate * _one_cycle(progress, rise=warmup or 0.3)
    if progress < warmup:
        return plan.learning_rate * progress / warmup
    return plan.learning_rate * COURSES[plan.schedule](progress, plan.power)


def _poly(progress: float, power: float) -> float:
    return float((1.0 - progress) ** power)


def _cosine(progress: float, power: float) -> float:  # noqa: ARG001 - every course has the same arguments
    return 0.5 * (1.0 + math.cos(math.pi * progress))


def _constant(progress: float, power: float) -> float:  # noqa: ARG001 - every course has the same arguments
    return 1.0


COURSES: Final[dict[str, Callable[[float, float], float]]] = {"poly": _poly, "cosine": _cosine, "constant": _constant}
"""Factor of the peak after warm-up, by schedule: (progress, power) -> 0..1."""


def _one_cycle(progress: float, *, rise: float) -> float:
    # Smith and Topin, "Super-Convergence" (arXiv 1708.07120), with the ends of torch's OneCycleLR: from 1/25 of the
    # peak up to it by a half cosine, then down to 1/250,000 of it
    low, end = 1 / 25, 1 / 250_000
    if progress < rise:
        return low + (1.0 - low) * 0.5 * (1.0 - math.cos(math.pi * progress / rise))
    fall = (progress - rise) / (1.0 - rise) if rise < 1.0 else 1.0
    return end + (1.0 - end) * 0.5 * (1.0 + math.cos(math.pi * fall))
