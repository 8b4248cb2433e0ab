"""What a check found: findings in a fixed order, and the figures of the data set."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tessella._version import __version__
from tessella.core.finding import SEVERITIES

if TYPE_CHECKING:
    from tessella.checking.fixing.fix import FixReport
    from tessella.checking.survey import Survey
    from tessella.core.finding import Finding, Severity


@dataclass(frozen=True, slots=True)
class Checked:
    """The answer of `check`.

    Args:
        format: The data set's format.
        samples: Number of photos.
        classes: Class names in id order.
        splits: Photos by split.
        pixels: Labelled pixels by class name, and `ignore`.
        findings: In the order of the rules, then of the data set.
        positions: For each finding the record that it concerns, or None for the set itself.
        notes: How the data set was read, as sentences for people.
        fixed: What the repaired copy changes, where one was written.
        accepted: Findings that a baseline left out.
        survey: What the rules about the whole set looked at; not compared.
    """

    format: str
    samples: int
    classes: tuple[str, ...]
    splits: dict[str, int]
    pixels: dict[str, int]
    findings: tuple[Finding, ...]
    positions: tuple[int | None, ...]
    notes: tuple[str, ...] = ()
    fixed: FixReport | None = None
    accepted: int = 0
    survey: Survey | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        """Return what `tessella check` prints, as plain text."""
        from tessella.checking.table import check_table, plain_text

        return plain_text(check_table(self))

    @property
    def counts(self) -> dict[Severity, int]:
        """Number of findings by severity."""
        found: dict[Severity, int] = dict.fromkeys(SEVERITIES, 0)
        for finding in self.findings:
            found[finding.severity] += 1
        return found

    @property
    def ok(self) -> bool:
        """Whether there is no finding of severity error."""
        return self.counts["error"] == 0

    def by_code(self) -> dict[str, list[Finding]]:
        """Return the findings by rule, in the order of the rules."""
        groups: dict[str, list[Finding]] = {}
        for finding in self.findings:
            groups.setdefault(finding.code, []).append(finding)
        return groups

    def to_json(self) -> dict[str, object]:
        """Return the answer with the keys of `check --json`."""
        return {
            "tessella": __version__,
            "format": self.format,
            "samples": self.samples,
            "classes": list(self.classes),
            "splits": dict(self.splits),
            "pixels": dict(self.pixels),
            "findings": [finding.to_json() for finding in self.findings],
            "counts": dict(self.counts),
            "notes": list(self.notes),
            "accepted": self.accepted,
        }
