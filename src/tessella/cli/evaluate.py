"""`tessella evaluate`: honest scores of a bundle on a data set."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def evaluate(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="Bundle folder, or an exported .onnx file.")],
    data: Annotated[Path, typer.Argument(metavar="DATA", help="Annotated folder.")],
    split: Annotated[str, typer.Option(help="The split to score, or 'all' for every labelled photo.")] = "val",
    classes: Annotated[
        Path | None, typer.Option(help="Class file, when the data set does not say its classes.")
    ] = None,
    format: Annotated[str | None, typer.Option(help="Annotation format, when it is not detected.")] = None,  # noqa: A002
    out: Annotated[Path | None, typer.Option(help="Write report.html and report.json into this folder.")] = None,
    min_miou: Annotated[float | None, typer.Option(help="Exit 1 when the mIoU is below this (0..1).")] = None,
    max_pixels: Annotated[int | None, typer.Option(min=1, help="Allow pictures of up to this many pixels.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing report.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
) -> None:
    """Score a bundle on the labelled photos of a data set, at their own size, with one confusion matrix.

    Exit code 1: the mIoU is below --min-miou, or a photo could not be scored.
    """
    from tessella._doors.models import evaluate as run
    from tessella.cli.console import progress
    from tessella.cli.score import answer, require_share
    from tessella.files.write import require_writable
    from tessella.report import refuse_existing_report

    require_share(min_miou)
    if out is not None:
        refuse_existing_report(out, overwrite=overwrite)
        require_writable(out)
    with progress("Scoring") as advance:
        report = run(bundle, data, split=split, classes=classes, format=format, max_pixels=max_pixels, progress=advance)
    answer(report, out=out, min_miou=min_miou, as_json=json)
