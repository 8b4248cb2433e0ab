"""The finding: one fault in a data set, with its place and its cure."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Final, Literal

Severity = Literal["error", "warning", "info"]
"""error: training on it gives wrong results; warning: a person should look; info: good to know."""

SEVERITIES: Final[tuple[Severity, ...]] = ("error", "warning", "info")
"""The gravest first."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault in a data set.

    Args:
        code: The rule, such as `L101`; `docs/rules/<code>.md` explains it.
        severity: error, warning or info.
        where: The file (relative to the data set, forward slashes), with the pixel, shape or key where it helps.
        what: One sentence: what was found and how much of it.
        fix: One sentence: what to do.
        fixable: Whether `tessella check --fix` repairs it.
    """

    code: str
    severity: Severity
    where: str
    what: str
    fix: str
    fixable: bool = False

    def to_json(self) -> dict[str, object]:
        """Return the finding with the keys of `check --json`."""
        return asdict(self)
