"""The reasons of a plan: for every key where its value comes from, or why the planner chose it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from tessella.recipe.recipe import load_preset

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tessella.recipe.recipe import Recipe

Value = TypeVar("Value")

ASKED: Final = "asked for"
"""The reason of what the user said, in a recipe file or on the command line."""


class Reasons:
    """Collects one sentence per choice while a plan is settled.

    Args:
        recipe: What was asked. The preset it names is laid below it, and the general preset below that.

    Attributes:
        asked: All three layers as one recipe.
        why: The sentences so far, by dotted key.
    """

    def __init__(self, recipe: Recipe) -> None:
        self.preset = recipe.preset or "general"
        layer = load_preset(self.preset)
        self.asked = recipe.over(layer.over(load_preset("general")))
        self.why: dict[str, str] = {}
        self._layer = flatten(layer.asked())

    def pick(self, key: str, asked: Value | None, choice: tuple[Value, str]) -> Value:
        """Settle one key: what was asked wins over what the planner would choose.

        Args:
            key: Dotted key of the plan.
            asked: What the recipe says, or None.
            choice: The planner's value and its reason.
        """
        if asked is None:
            self.why[key] = choice[1]
            return choice[0]
        self.why[key] = self.source(key)
        return asked

    def source(self, key: str) -> str:
        """Say which layer a setting of the recipe comes from."""
        given = flatten(self.asked.asked()).get(key)
        for name, layer in ((self.preset, self._layer), ("general", flatten(load_preset("general").asked()))):
            if key in layer and layer[key] == given:
                return f"preset {name}"
        return ASKED


def flatten(tree: Mapping[str, object], prefix: str = "") -> dict[str, object]:
    """Return the leaves of nested tables by dotted key."""
    leaves: dict[str, object] = {}
    for name, value in tree.items():
        if isinstance(value, dict):
            leaves |= flatten(value, f"{prefix}{name}.")
        else:
            leaves[prefix + name] = value
    return leaves
