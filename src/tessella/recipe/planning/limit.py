"""How long a run may be: minutes, epochs or steps, of which exactly one is settled."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tessella.core.errors import RecipeError

if TYPE_CHECKING:
    from tessella.recipe.recipe import Recipe

DEFAULT_MINUTES: Final = 15.0


@dataclass(frozen=True, slots=True)
class Limit:
    """The limit of a run; exactly one of the three is above 0.

    Args:
        minutes: Wall-clock minutes of training.
        epochs: Passes over the training samples.
        steps: Optimiser steps.
        why: Who asked for it.
    """

    minutes: float = 0.0
    epochs: float = 0.0
    steps: int = 0
    why: str = ""


def settle_limit(recipe: Recipe, *, minutes: float | None, epochs: float | None) -> Limit:
    """Settle the limit: the caller's wins over the recipe's.

    Args:
        recipe: May ask for `training.minutes`, `training.epochs` or `training.steps`.
        minutes: Asked by the caller, or None.
        epochs: Asked by the caller, or None.

    Raises:
        RecipeError: Two limits at once, or one that is not above 0.
    """
    for name, value in (("minutes", minutes), ("epochs", epochs)):
        if value is not None and not (math.isfinite(value) and value > 0):
            raise RecipeError(f"{name} must be above 0", where=f"--{name}", got=f"{value:g}", fix=f"try --{name} 15")
    if minutes is not None and epochs is not None:
        raise RecipeError(
            "minutes and epochs were both asked for",
            where="--minutes and --epochs",
            got=f"{minutes:g} minutes and {epochs:g} epochs",
            expected="one of the two",
            fix="leave one out",
        )
    if minutes is not None:
        return Limit(minutes=minutes, why="asked for")
    if epochs is not None:
        return Limit(epochs=epochs, why="asked for")
    return _limit_of(recipe)


def _limit_of(recipe: Recipe) -> Limit:
    training = recipe.training
    limits = {"minutes": training.minutes, "epochs": training.epochs, "steps": training.steps}
    given = [name for name, value in limits.items() if value is not None]
    if len(given) > 1:
        raise RecipeError(
            f"the recipe limits the run twice: {' and '.join(given)}", where="training", fix="leave all but one out"
        )
    if not given:
        return Limit(minutes=DEFAULT_MINUTES, why=f"nothing was asked for; {DEFAULT_MINUTES:g} minutes are usual")
    return Limit(training.minutes or 0.0, training.epochs or 0.0, training.steps or 0, why="asked for in the recipe")
