"""`tessella score`: masks made by anyone against true masks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tessella.cli import flags
from tessella.core.errors import RecipeError

if TYPE_CHECKING:
    from tessella.evaluation.report import Report


def score(
    predictions: Annotated[Path, typer.Argument(metavar="PRED_DIR", help="Folder of predicted masks.")],
    truth: Annotated[Path, typer.Argument(metavar="TRUTH_DIR", help="Folder of true masks.")],
    classes: Annotated[Path, typer.Option(help="What the values or colours in the masks mean: TOML, JSON, CSV, text.")],
    max_pixels: flags.MaxPixels = None,
    out: flags.ReportFolder = None,
    min_miou: flags.MinMiou = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing report.")] = False,
    json: flags.Json = False,
) -> None:
    """Score predicted masks against true masks, whoever made them; needs no torch.

    Masks are paired by name, and read through the class file. A missing prediction is an error, never skipped.
    """
    from tessella._doors.models import score as run
    from tessella.cli.console import progress
    from tessella.files.write import require_writable
    from tessella.report import refuse_existing_report

    require_share(min_miou)
    if out is not None:
        refuse_existing_report(out, overwrite=overwrite)
        require_writable(out)
    with progress("Scoring") as advance:
        report = run(predictions, truth, classes=classes, max_pixels=max_pixels, progress=advance)
    answer(report, out=out, min_miou=min_miou, as_json=json)


def require_share(min_miou: float | None) -> None:
    """Refuse a threshold outside 0..1 before any work is done.

    Raises:
        RecipeError: The threshold is a percentage, or no number.
    """
    if min_miou is not None and not 0 <= min_miou <= 1:
        raise RecipeError("the threshold is not a share", where="--min-miou", got=min_miou, expected="0 to 1")


def answer(report: Report, *, out: Path | None, min_miou: float | None, as_json: bool) -> None:
    """Print a report, write its page where asked, and exit 1 when it misses the threshold or a photo is not scored."""
    from tessella.cli.console import emit_json, results, words
    from tessella.report import score_table, write_report

    if as_json:
        emit_json(report.to_json())
    else:
        results().print(score_table(report))
    if out is not None:
        page, _ = write_report(report, out, overwrite=True)
        words().print(f"Report: {page}", markup=False)
    # "not above" also catches a mIoU that is not defined
    missed = min_miou is not None and not report.miou >= min_miou
    if missed:
        words().print(f"mIoU {report.miou:.4f} is below the threshold {min_miou}", style="red")
    if missed or report.unscored:
        raise typer.Exit(1)
