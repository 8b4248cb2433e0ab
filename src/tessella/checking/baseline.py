"""The baseline: findings that are known and accepted, so that only new ones are told."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from tessella._version import __version__
from tessella.checking.plugins import all_rules
from tessella.core.errors import FormatError
from tessella.files.text import read_json
from tessella.files.write import write_json

if TYPE_CHECKING:
    from pathlib import Path

    from tessella.checking.checked import Checked

_NUMBER: Final = re.compile(r"(?<![\w./#-])[-+]?\d[\d.,]*%?(?![\w/#-])")

Key = tuple[str, str, str]


def write_baseline(path: Path, checked: Checked) -> None:
    """Write all findings into a file that accepts them from now on.

    Args:
        path: The file; an existing one is replaced.
        checked: What was found.

    Raises:
        OutputError: The file cannot be written.
    """
    rows = sorted((finding.code, finding.where, finding.what) for finding in checked.findings)
    findings = [{"code": code, "where": where, "what": what} for code, where, what in rows]
    write_json(path, {"tessella": __version__, "findings": findings})


def accept(checked: Checked, path: Path) -> Checked:
    """Leave out the findings that a baseline accepts.

    A finding is known by its rule, its place and what it says. What a rule says of the whole set holds counts that
    change with every photo, so numbers do not count there; a finding in one file that changes is a new one.

    Args:
        checked: What was found.
        path: The baseline.

    Raises:
        InputError: It cannot be read.
        FormatError: It is no baseline.
    """
    known = _read(path)
    total = known.total()
    kept: list[int] = []
    for number, finding in enumerate(checked.findings):
        key = _key(finding.code, finding.where, finding.what)
        if known[key]:
            known[key] -= 1
        else:
            kept.append(number)
    accepted = len(checked.findings) - len(kept)
    note = f"{path.name} accepts {accepted} known findings"
    gone = total - accepted
    note += f"; {gone} of its findings are no longer there" if gone else ""
    return replace(
        checked,
        findings=tuple(checked.findings[number] for number in kept),
        positions=tuple(checked.positions[number] for number in kept),
        notes=(*checked.notes, note),
        accepted=accepted,
    )


def _read(path: Path) -> Counter[Key]:
    content = read_json(path)
    rows = content.get("findings") if isinstance(content, dict) else None
    if not isinstance(rows, list) or not all(_is_row(row) for row in rows):
        raise FormatError(
            "this is no baseline",
            where=path,
            expected='{"findings": [{"code": ..., "where": ..., "what": ...}, ...]}',
            fix="write one with tessella check DATA --write-baseline FILE",
        )
    return Counter(_key(row["code"], row["where"], row["what"]) for row in rows)


def _is_row(row: Any) -> bool:  # noqa: ANN401 - a tree of JSON
    return isinstance(row, dict) and all(isinstance(row.get(key), str) for key in ("code", "where", "what"))


def _key(code: str, where: str, what: str) -> Key:
    rule = all_rules().get(code)
    of_set = rule is not None and rule.survey is not None
    return code, where, _NUMBER.sub("#", what) if of_set else what
