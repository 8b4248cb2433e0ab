"""The answer of a check for people: findings by rule with counts and examples, and the class histogram."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tessella.checking.plugins import all_rules
from tessella.core.finding import SEVERITIES
from tessella.core.wording import counted

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from tessella.checking.checked import Checked
    from tessella.checking.fixing.fix import FixReport
    from tessella.core.finding import Finding

EXAMPLES = 3
_STYLES = {"error": "bold red", "warning": "yellow", "info": "cyan"}
_BAR = 30


def check_table(checked: Checked) -> RenderableType:
    """Return what `tessella check` prints.

    Args:
        checked: The answer of the check.
    """
    from rich.console import Group
    from rich.text import Text

    counts = checked.counts
    splits = ", ".join(f"{name} {count}" for name, count in checked.splits.items())
    head = f"{checked.format}: {counted(checked.samples, 'photo')}" + (f" ({splits})" if splits else "")
    parts: list[RenderableType] = [Text(head, style="bold"), *(Text(note, style="dim") for note in checked.notes)]
    parts += [Text(""), _histogram(checked), Text("")]
    if not checked.findings:
        return Group(*parts, Text("Nothing found.", style="green"))
    parts.append(_findings(checked))
    fixable = sum(finding.fixable for finding in checked.findings)
    said = (
        ", ".join(counted(counts[severity], severity) for severity in ("error", "warning")) + f", {counts['info']} info"
    )
    parts.append(Text(said, style="bold red" if counts["error"] else "bold"))
    if fixable:
        parts.append(Text(f"{fixable} can be repaired: tessella check DATA --fix --out DIR"))
    return Group(*parts)


def fix_table(report: FixReport) -> RenderableType:
    """Return what `tessella check --fix` prints after the repaired copy is written.

    Args:
        report: The answer of the repair.
    """
    from rich.console import Group
    from rich.text import Text

    lines = [Text(f"Repaired copy: {report.out}", style="bold")]
    for title, changes in (("changed", report.changes), ("left out", report.left_out)):
        lines.append(Text(f"{len(changes)} {title}"))
        lines += [Text(f"  {one.file}: {one.what} ({one.code})") for one in changes[:EXAMPLES]]
        lines += [Text(f"  and {len(changes) - EXAMPLES} more")] if len(changes) > EXAMPLES else []
    style = "yellow" if report.person else "green"
    lines.append(Text(f"{len(report.person)} left to a person", style=style))
    lines += [Text(f"  {one.where}: {one.what} ({one.code}); {one.fix}") for one in report.person[:EXAMPLES]]
    lines.append(Text("Every change and its reason: changes.txt and changes.json in the copy"))
    return Group(*lines)


def plain_text(renderable: RenderableType, *, width: int = 100) -> str:
    """Return a table as text without colours, for logs and notebooks.

    Args:
        renderable: The answer of `check_table` or `fix_table`.
        width: In characters.
    """
    import io

    from rich.console import Console

    stream = io.StringIO()
    Console(file=stream, width=width, color_system=None, highlight=False).print(renderable)
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines())


def _findings(checked: Checked) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, show_header=True, header_style="dim")
    for name in ("rule", "found", "severity", "what"):
        table.add_column(name, no_wrap=name != "what", overflow="fold")
    groups = checked.by_code()
    for code in sorted(groups, key=lambda code: _gravest(groups[code])):
        found = groups[code]
        severity = SEVERITIES[_gravest(found)]
        style = _STYLES[severity]
        table.add_row(
            Text(code, style=style),
            str(len(found)),
            Text(severity, style=style),
            Text(all_rules()[code].title, style="bold"),
        )
        for finding in sorted(found, key=lambda finding: SEVERITIES.index(finding.severity))[:EXAMPLES]:
            table.add_row("", "", "", Text(f"{finding.where}: {finding.what}"))
        more = f"and {len(found) - EXAMPLES} more; " if len(found) > EXAMPLES else ""
        table.add_row("", "", "", Text(f"{more}to repair: {found[0].fix}", style="dim"))
    return table


def _gravest(found: list[Finding]) -> int:
    return min(SEVERITIES.index(finding.severity) for finding in found)


def _histogram(checked: Checked) -> Table:
    from rich.table import Table
    from rich.text import Text

    total = sum(checked.pixels.values())
    table = Table(box=None, pad_edge=False, show_header=True, header_style="dim")
    table.add_column("class", overflow="fold")
    table.add_column("share", justify="right")
    table.add_column("pixels", justify="right")
    table.add_column("", no_wrap=True, overflow="crop")
    for name, pixels in checked.pixels.items():
        share = pixels / total if total else 0.0
        bar = "█" * round(share * _BAR) or ("▏" if pixels else "")
        style = "dim" if name == "ignore" else ""
        table.add_row(Text(name, style=style), f"{share:.2%}", f"{pixels:,}", Text(bar, style=style or "blue"))
    return table
