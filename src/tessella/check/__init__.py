"""Finds what is wrong with an annotated data set, by rules with codes, and writes repaired copies."""

from tessella.check.checked import Checked
from tessella.check.engine import check
from tessella.check.fix import FixReport, fix
from tessella.check.rule import Rule
from tessella.check.rules import RULES

__all__ = ["RULES", "Checked", "FixReport", "Rule", "check", "fix"]
