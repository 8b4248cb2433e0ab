"""`tessella export`: a bundle to a runtime model, proved against it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tessella.cli import flags


def export(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="The bundle folder.")],
    out: Annotated[Path, typer.Option(metavar="PATH", help="The file to write, NAME.onnx.")],
    to: Annotated[str, typer.Option("--to", metavar="RUNTIME", help="onnx")] = "onnx",
    precision: Annotated[str, typer.Option(help="fp32")] = "fp32",
    data: Annotated[
        Path | None, typer.Option(metavar="DATA", help="Measure parity on the validation photos of this data set.")
    ] = None,
    format: flags.Format = None,  # noqa: A002 - the name of the flag
    classes: flags.Classes = None,
    photos: flags.Photos = None,
    option: flags.Options = None,
    max_pixels: flags.MaxPixels = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that exist.")] = False,
    json: flags.Json = False,
) -> None:
    """Export a bundle to ONNX: raw photo in, class ids out, any size; beside it a variant that gives logits.

    The result must answer as the bundle does on real photos at two sizes, else nothing is written.
    """
    from tessella.cli.console import emit_json, results, words
    from tessella.exporting.door import export as run

    if not json:
        words().print("Exporting and comparing with the bundle; this takes some seconds", markup=False)
    done = run(
        bundle,
        out=out,
        to=to,
        precision=precision,
        data=data,
        format=format,
        classes=classes,
        photos=photos,
        options=flags.options_of(option),
        max_pixels=max_pixels,
        overwrite=overwrite,
    )
    if json:
        emit_json(done.to_json())
        return
    parity = done.parity
    results().print(f"{done.path}  photos to class ids", markup=False)
    results().print(f"{done.logits_path}  photos to logits", markup=False)
    results().print(
        f"parity on {parity.images} photos at two sizes: {parity.argmax_agreement:.4%} of the pixels agree, "
        f"largest difference of a logit {parity.max_abs_logit:.2g}, mIoU {parity.miou_delta:+.4f}",
        markup=False,
    )
