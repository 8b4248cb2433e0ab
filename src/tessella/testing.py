"""Checks for what other packages add to Tessella, to be run by their own tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tessella.checking.engine import look_for
from tessella.checking.plugins import CODE
from tessella.checking.settings import Settings
from tessella.dataset.index import Index, open_dataset

if TYPE_CHECKING:
    from pathlib import Path

    from tessella.checking.rule import Rule
    from tessella.core.finding import Finding

__all__ = ["check_rule"]

_GRAVITY: Final = ("info", "warning", "error")


def check_rule(rule: Rule, *, faulty: Index | str | Path, clean: Index | str | Path) -> tuple[Finding, ...]:
    """Check that a rule finds what it is for, says it as Tessella's own rules do, and leaves clean data alone.

    Args:
        rule: The rule.
        faulty: A data set with the fault planted.
        clean: The same, or one like it, without the fault.

    Returns:
        What the rule finds in `faulty`, so that a test can look closer.

    Raises:
        AssertionError: The message says what the rule does wrong.
    """
    _require(bool(CODE.fullmatch(rule.code)), f"the code {rule.code!r} is not capital letters and three digits")
    _require((rule.look is None) != (rule.survey is None), f"{rule.code} needs either `look` or `survey`")
    _require(rule.severity in _GRAVITY, f"{rule.code} has the severity {rule.severity!r}")
    _require(bool(rule.title.strip()), f"{rule.code} has no title")
    found = _findings(rule, faulty)
    _require(bool(found), f"{rule.code} finds nothing in the faulty data set")
    _require(_findings(rule, faulty) == found, f"{rule.code} finds something else the second time")
    for finding in found:
        _require(finding.code == rule.code, f"{rule.code} gives a finding with the code {finding.code}")
        graver = _GRAVITY.index(finding.severity) > _GRAVITY.index(rule.severity)
        _require(not graver, f"{rule.code} gives a finding graver than it says: {finding.severity}")
        for name in ("where", "what", "fix"):
            _require(bool(getattr(finding, name).strip()), f"{rule.code} gives a finding without `{name}`")
    alarms = _findings(rule, clean)
    _require(not alarms, f"{rule.code} calls clean data faulty: {alarms[:1]}")
    return found


def _findings(rule: Rule, data: Index | str | Path) -> tuple[Finding, ...]:
    index = data if isinstance(data, Index) else open_dataset(data)
    return look_for([rule], index, Settings()).findings


def _require(true: bool, otherwise: str) -> None:
    if not true:
        raise AssertionError(otherwise)
