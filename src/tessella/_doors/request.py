"""What was asked of a run, refused before any work when it cannot be done."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tessella.recipe.plan import Plan
    from tessella.recipe.recipe import Recipe


def settle_request(
    recipe: Recipe | str | Path | None,
    *,
    preset: str | None,
    overrides: Sequence[str],
    minutes: float | None,
    epochs: float | None,
) -> Recipe:
    """Put together what is asked, and look for its weights: they may have to be fetched, and may be out of reach.

    Raises:
        RecipeError: An unknown key, two limits, or weights of no known kind.
        InputError: The weights are absent and cannot be fetched.
    """
    from tessella.recipe.planning.limit import settle_limit
    from tessella.recipe.recipe import gather

    asked = gather(Path(recipe) if isinstance(recipe, str) else recipe, preset=preset, overrides=overrides)
    settle_limit(asked, minutes=minutes, epochs=epochs)
    if asked.model.weights:
        from tessella.recipe.weights import find_weights

        find_weights(asked.model.weights)
    return asked


def refuse_other_request(
    plan: Plan,
    recipe: Recipe | str | Path | None,
    *,
    preset: str | None,
    overrides: Sequence[str],
    minutes: float | None,
    epochs: float | None,
    seed: int | None,
) -> None:
    """Refuse to resume a run when something else is asked now than was then; what is left out is as it was.

    Raises:
        RecipeError: Settings differ; each is named.
    """
    from tessella.recipe.asked import asked_keys, refuse_changes
    from tessella.recipe.recipe import collect

    said = collect(Path(recipe) if isinstance(recipe, str) else recipe, preset=preset, overrides=overrides)
    refuse_changes(plan, asked_keys(said, minutes=minutes, epochs=epochs, seed=seed))
