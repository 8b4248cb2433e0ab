"""Writing a report: the page and its JSON, both atomically, into one folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tessella.files.write import refuse_existing, write_json, write_text
from tessella.report.document import document
from tessella.report.environment import environment as this_environment
from tessella.report.page import make_panels, render

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pydantic import BaseModel

    from tessella.evaluation.report import Report
    from tessella.report.document import SaysJson

PAGE = "report.html"
NUMBERS = "report.json"


def write_report(
    report: Report,
    out_dir: Path,
    *,
    checked: SaysJson | None = None,
    history: Sequence[Mapping[str, Any]] | None = None,
    plan: BaseModel | Mapping[str, Any] | None = None,
    environment: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> tuple[Path, Path]:
    """Write `report.html` and `report.json` into a folder.

    Args:
        report: What a scoring run found.
        out_dir: The folder; made when missing.
        checked: The outcome of a check of the data.
        history: Rows of `metrics.jsonl`: `step` and some of `seconds`, `loss`, `miou`, `learning_rate`.
        plan: The settled plan.
        environment: Versions, hardware, command; by default those of this process.
        overwrite: Replace a report that exists.

    Returns:
        The paths of the page and of the JSON.

    Raises:
        OutputError: A report exists already, or the folder cannot be written.
    """
    refuse_existing_report(out_dir, overwrite=overwrite)
    origin = this_environment() if environment is None else environment
    tree = document(report, checked=checked, history=history, plan=plan, environment=origin)
    page = render(tree, make_panels(report.examples, report.scores.table))
    # the JSON first: a page never lies there without the numbers it shows
    write_json(out_dir / NUMBERS, tree)
    write_text(out_dir / PAGE, page)
    return out_dir / PAGE, out_dir / NUMBERS


def refuse_existing_report(out_dir: Path, *, overwrite: bool) -> None:
    """Raise before any work is done when a report would be replaced.

    Raises:
        OutputError: The folder holds a report already and `overwrite` is False.
    """
    for name in (PAGE, NUMBERS):
        refuse_existing(out_dir / name, overwrite=overwrite)
