"""What was asked of a run, by dotted key: kept in its plan, and compared with the flags beside `--resume`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from tessella.core.errors import RecipeError
from tessella.recipe.planning.reasons import flatten

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import JsonValue

    from tessella.recipe.plan import Plan
    from tessella.recipe.recipe import Recipe

_LIMITS: Final = ("training.minutes", "training.epochs", "training.steps")


def asked_keys(
    recipe: Recipe, *, minutes: float | None = None, epochs: float | None = None, seed: int | None = None
) -> dict[str, JsonValue]:
    """Return what was asked by dotted key; what the caller says wins over the recipe.

    Args:
        recipe: What was asked.
        minutes: Asked by the caller, or None.
        epochs: Asked by the caller, or None.
        seed: Asked by the caller, or None.
    """
    keys = cast("dict[str, JsonValue]", flatten(recipe.asked()))
    if minutes is not None or epochs is not None:
        keys = {key: value for key, value in keys.items() if key not in _LIMITS}
    given = {"training.minutes": minutes, "training.epochs": epochs, "seed": seed}
    return keys | {key: value for key, value in given.items() if value is not None}


def refuse_changes(plan: Plan, given: Mapping[str, JsonValue]) -> None:
    """Refuse to go on with a run whose settings were asked for otherwise.

    Args:
        plan: The plan of the run.
        given: What is asked now; what it leaves out is as it was.

    Raises:
        RecipeError: A setting is neither what was asked then nor what the plan settled; every such key is named.
    """
    settled = flatten(plan.to_json())
    if any(limit in plan.asked for limit in _LIMITS):
        settled = {key: value for key, value in settled.items() if key not in _LIMITS}
    known = {key: [where[key] for where in (plan.asked, settled) if key in where] for key in given}
    differing = [key for key, value in given.items() if key != "description" and value not in known[key]]
    if differing:
        raise RecipeError(
            "a run goes on with the settings it was begun with",
            where="--resume",
            got=", ".join(f"{key} = {given[key]!r}" for key in differing),
            expected=", ".join(f"{key} = {known[key][0]!r}" if known[key] else f"no {key}" for key in differing),
            fix="leave these out, or start again without --resume (and with --overwrite)",
        )
