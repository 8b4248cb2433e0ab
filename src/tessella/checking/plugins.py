"""Rules from elsewhere: what other packages add by the entry points of the group `tessella.rules`."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Final

from tessella.checking.rule import Rule
from tessella.checking.rules import RULES
from tessella.core.errors import RecipeError

if TYPE_CHECKING:
    from collections.abc import Mapping

GROUP: Final = "tessella.rules"
CODE: Final = re.compile(r"[A-Z]{1,4}[0-9]{3}")
"""What a code looks like."""


@lru_cache(maxsize=1)
def all_rules() -> Mapping[str, Rule]:
    """Return our rules by code in the order in which they run, and behind them those of plug-ins by name.

    Raises:
        RecipeError: A plug-in is no `Rule`, or takes a code that is in use.
    """
    found = dict(RULES)
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        rule: object = point.load()
        where = f"the plug-in rule {point.name} ({point.value})"
        if not isinstance(rule, Rule):
            raise RecipeError("this is no rule", where=where, got=type(rule).__name__, expected="a checking.Rule")
        if not CODE.fullmatch(rule.code) or rule.code in found:
            raise RecipeError(
                "a rule needs a code of its own",
                where=where,
                got=rule.code,
                expected="capital letters and three digits, as no other rule has them, such as XY101",
            )
        found[rule.code] = rule
    return found
