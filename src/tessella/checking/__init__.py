"""Finds what is wrong with an annotated data set, by rules with codes, and writes repaired copies."""

from tessella.checking.checked import Checked
from tessella.checking.engine import check
from tessella.checking.fixing.fix import FixReport, fix
from tessella.checking.rule import Rule
from tessella.checking.rules import RULES

__all__ = ["RULES", "Checked", "FixReport", "Rule", "check", "fix"]
