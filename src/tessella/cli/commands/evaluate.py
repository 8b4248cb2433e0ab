"""`tessella evaluate`: honest scores of a bundle on a data set."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tessella.cli import flags


def evaluate(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="Bundle folder, or an exported .onnx file.")],
    data: flags.Data,
    split: Annotated[str, typer.Option(help="The split to score, or 'all' for every labelled photo.")] = "val",
    format: flags.Format = None,  # noqa: A002 - the name of the flag
    classes: flags.Classes = None,
    photos: flags.Photos = None,
    option: flags.Options = None,
    max_pixels: flags.MaxPixels = None,
    out: flags.ReportFolder = None,
    min_miou: flags.MinMiou = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing report.")] = False,
    json: flags.Json = False,
) -> None:
    """Score a bundle on the labelled photos of a data set, at their own size, with one confusion matrix.

    Exit code 1: the mIoU is below --min-miou, or a photo could not be scored.
    """
    from tessella._doors.models import evaluate as run
    from tessella.cli.commands.score import answer, require_share
    from tessella.cli.console import progress
    from tessella.files.write import require_writable
    from tessella.report import refuse_existing_report

    require_share(min_miou)
    if out is not None:
        refuse_existing_report(out, overwrite=overwrite)
        require_writable(out)
    with progress("Scoring") as advance:
        report = run(
            bundle,
            data,
            split=split,
            format=format,
            classes=classes,
            photos=photos,
            options=flags.options_of(option),
            max_pixels=max_pixels,
            progress=advance,
        )
    answer(report, out=out, min_miou=min_miou, as_json=json)
