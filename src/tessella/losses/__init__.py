"""Losses by name: the table, and the weighted sum that a plan asks for."""

from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Final, Protocol

import torch
from torch import Tensor

from tessella.core.classes import IGNORE, nearest_hint
from tessella.core.errors import RecipeError
from tessella.losses.cross_entropy import cross_entropy
from tessella.losses.dice import dice
from tessella.losses.focal import focal
from tessella.losses.jaccard import jaccard
from tessella.losses.lovasz import lovasz
from tessella.losses.ohem import ohem
from tessella.recipe.signature import check_options

if TYPE_CHECKING:
    from collections.abc import Callable

    from tessella.recipe.plan import LossPlan

__all__ = ["LOSSES", "Loss", "build_loss", "find"]

LOSSES: "Final[dict[str, Callable[..., Tensor]]]" = {
    "cross-entropy": cross_entropy,
    "ohem": ohem,
    "dice": dice,
    "jaccard": jaccard,
    "focal": focal,
    "lovasz": lovasz,
}
"""`loss(logits, target, *, class_weights, ignore, **options) -> scalar`; further rows by the entry points of the
group `tessella.losses`.

    logits: (B, K, H, W) float32.
    target: (B, H, W) int64, each 0..K-1 or `ignore`.
    class_weights: (K,) float32 or None for all 1.
    options: Keywords with a default; their annotations are checked.

Every loss looks at kept pixels only, and is 0 with a gradient of 0 where none is kept."""


class Loss(Protocol):
    """What `build_loss` gives."""

    def __call__(self, logits: Tensor, target: Tensor, *, ignore: int = IGNORE) -> Tensor:
        """Return the scalar loss of (B, K, H, W) logits against (B, H, W) int64 ids."""


def find(name: str) -> "Callable[..., Tensor]":
    """Look a loss up by name.

    Raises:
        RecipeError: There is no such loss; the message gives the nearest names.
    """
    if name in LOSSES:
        return LOSSES[name]
    foreign = {point.name: point for point in entry_points(group="tessella.losses")}
    if name in foreign:
        loaded: Callable[..., Tensor] = foreign[name].load()
        return loaded
    known = [*LOSSES, *foreign]
    raise RecipeError(
        f"no loss is called {name!r}",
        where="loss.terms",
        expected=f"one of {', '.join(known)}",
        fix=nearest_hint(name, known),
    )


def build_loss(plan: "LossPlan") -> Loss:
    """Build the weighted sum of a plan's terms.

    Args:
        plan: Terms with their options, and class weights (all 1 = none).

    Returns:
        `loss(logits, target, *, ignore=IGNORE)`, computed in float32 whatever the autocast.

    Raises:
        RecipeError: An unknown loss or option, or an impossible value.
    """
    for term in plan.terms:
        check_options(term.options, find(term.name), where=f"loss {term.name}", without=("class_weights", "ignore"))
    terms = [(term.weight, find(term.name), dict(term.options)) for term in plan.terms]
    weights = torch.tensor(plan.class_weights) if any(weight != 1 for weight in plan.class_weights) else None

    def loss(logits: Tensor, target: Tensor, *, ignore: int = IGNORE) -> Tensor:
        with torch.autocast(logits.device.type, enabled=False):
            # every loss runs over one class plane after another: planes side by side are twice as fast on a CPU
            exact = logits.float().contiguous()
            placed = None if weights is None else weights.to(logits.device)
            parts = [
                weight * function(exact, target, class_weights=placed, ignore=ignore, **options)
                for weight, function, options in terms
            ]
            return torch.stack(parts).sum()

    return loss
