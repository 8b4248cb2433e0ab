"""What one optimiser step costs, and how the planner asks for it without knowing torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from tessella.recipe.plan import Plan


class StepCost(NamedTuple):
    """The measured cost of one optimiser step.

    Args:
        seconds: Wall-clock seconds of forward, loss, backward and update; infinite where it does not fit.
        memory_bytes: Peak memory of network, optimiser and activations.
        stride: What the network needs height and width to be a multiple of.
    """

    seconds: float
    memory_bytes: int
    stride: int


class Timer(Protocol):
    """Times one step of a drafted plan; `train.timing.time_step` is the real one, tests pass a formula."""

    def __call__(self, plan: Plan, *, memory_limit: int) -> StepCost:
        """Return the cost; a step that needs more than `memory_limit` bytes is not run."""
        ...
