"""What `tessella.toml` says of the check: rules that are switched off, severities, and the baseline."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, cast

from tessella.checking.plugins import all_rules
from tessella.core.classes import nearest_hint
from tessella.core.errors import RecipeError
from tessella.core.finding import SEVERITIES
from tessella.files.paths import contain
from tessella.files.text import read_toml

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from pathlib import Path

    from tessella.checking.rule import Rule
    from tessella.core.finding import Severity

SETTINGS_FILE: Final = "tessella.toml"


@dataclass(frozen=True, slots=True)
class Settings:
    """How a check is run.

    Args:
        ignore: Codes (`C110`) or families (`N`) that are not looked for.
        severity: Severities by code or family; those of a code count more.
        baseline: A file of known findings, or None.
        source: Where this was read, for people; "" where it was not.
    """

    ignore: tuple[str, ...] = ()
    severity: Mapping[str, Severity] = field(default_factory=dict)
    baseline: Path | None = None
    source: str = ""

    @property
    def note(self) -> str:
        """What is changed, as a sentence for people; "" when nothing is."""
        parts = [f"{', '.join(self.ignore)} not looked for"] if self.ignore else []
        parts += [f"{code} counts as {severity}" for code, severity in self.severity.items()]
        return f"{self.source}: {'; '.join(parts)}" if parts else ""

    def severity_of(self, code: str, otherwise: Severity) -> Severity:
        """Return the severity that a finding of this code gets."""
        for length in range(len(code), 0, -1):
            if code[:length] in self.severity:
                return self.severity[code[:length]]
        return otherwise


def settings_of(root: Path) -> Settings:
    """Return what `tessella.toml` in a data set's folder says, or settings that change nothing where there is none.

    Raises:
        RecipeError: An unknown key, code or severity; the message gives the nearest.
        FormatError: It is no TOML.
    """
    path = root / SETTINGS_FILE
    return read_settings(path) if path.is_file() else Settings()


def read_settings(path: Path) -> Settings:
    """Read a settings file.

    Args:
        path: TOML with the tables `[check]` (`ignore`), `[check.severity]` and `[check.baseline]` (`file`).

    Raises:
        RecipeError: An unknown key, code or severity; the message gives the nearest.
        InputError: It cannot be read, or its baseline lies outside its folder.
        FormatError: It is no TOML.
    """
    content = read_toml(path)
    _known_keys(content, ("check",), path, "")
    table = _table(content, "check", path)
    _known_keys(table, ("ignore", "severity", "baseline"), path, "check.")
    ignore = table.get("ignore", [])
    if not isinstance(ignore, list) or not all(isinstance(code, str) for code in ignore):
        raise RecipeError("check.ignore is a list of codes", where=path, got=ignore, expected='such as ["C110", "N"]')
    severity = _table(table, "severity", path)
    known_codes([*ignore, *severity], where=path)
    for code, value in severity.items():
        if value not in SEVERITIES:
            raise RecipeError(
                "there is no such severity",
                where=f"{path}: check.severity.{code}",
                got=repr(value),
                expected=", ".join(SEVERITIES),
                fix=nearest_hint(str(value), SEVERITIES),
            )
    baseline = _table(table, "baseline", path)
    _known_keys(baseline, ("file",), path, "check.baseline.")
    file = baseline.get("file")
    known = contain(path.parent, file) if isinstance(file, str) else None
    return Settings(tuple(ignore), cast("Mapping[str, Severity]", severity), known, path.name)


def known_codes(codes: Iterable[str], *, where: object = None) -> None:
    """Refuse a code or family that no rule has.

    Raises:
        RecipeError: The message gives the codes of the same family, else all, and the nearest, else the families.
    """
    rules = sorted(all_rules())
    for code in codes:
        if not code or not any(known.startswith(code) for known in rules):
            family = [known for known in rules if known[:1] == code[:1].upper()]
            families = ", ".join(dict.fromkeys(known.rstrip("0123456789") for known in rules))
            raise RecipeError(
                f"no rule has the code {code!r}",
                where=where,
                expected=", ".join(family or rules),
                fix=nearest_hint(code, rules) or f"or a whole family: {families}",
            )


def chosen(codes: Collection[str] | None, settings: Settings) -> list[Rule]:
    """Return the rules with some codes or of some families, in the table's order.

    Args:
        codes: Codes or families to look for, whatever the settings ignore; None for all that they do not.
        settings: The settings.

    Raises:
        RecipeError: A code that no rule has; the message gives the nearest ones.
    """
    rules = all_rules().values()
    if codes is None:
        return [rule for rule in rules if not rule.code.startswith(settings.ignore)]
    known_codes(codes)
    return [rule for rule in rules if rule.code.startswith(tuple(codes))]


def _table(content: Mapping[str, Any], key: str, path: Path) -> Mapping[str, Any]:
    value = content.get(key, {})
    if not isinstance(value, dict):
        raise RecipeError(f"{key} is a table", where=path, got=repr(value), expected=f"[{key}] with keys below it")
    return value


def _known_keys(table: Mapping[str, Any], known: tuple[str, ...], path: Path, above: str) -> None:
    for key in table:
        if key not in known:
            raise RecipeError(
                f"there is no setting {above}{key}",
                where=path,
                expected=", ".join(above + name for name in known),
                fix=nearest_hint(key, known),
            )
