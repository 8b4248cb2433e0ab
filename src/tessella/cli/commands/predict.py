"""`tessella predict`: photos and folders of photos to masks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tessella.cli import flags


def predict(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="A bundle folder, or an exported .onnx file.")],
    inputs: Annotated[
        list[Path], typer.Argument(metavar="INPUT...", help="Photos, and folders of photos, of any size.")
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder to write the masks into.")],
    overlay: Annotated[bool, typer.Option("--overlay", help="Also write the classes painted over the photo.")] = False,
    confidence: Annotated[
        bool, typer.Option("--confidence", help="Also write the confidence as 8-bit grey: value / 255 = probability.")
    ] = False,
    max_pixels: flags.MaxPixels = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace results that exist.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print what was written, and what failed, as JSON.")] = False,
) -> None:
    """Predict photos: for each a palette PNG of exactly its size, pixel value = class id.

    A photo that cannot be read is reported at the end and does not stop the rest; the exit code is then 1.
    """
    from tessella.cli.console import emit_json, progress, results, words
    from tessella.files.write import require_writable
    from tessella.predict.folder import predict_files
    from tessella.predict.load import load

    require_writable(out)
    predictor = load(bundle)
    with progress("Predicting") as advance:
        done = predict_files(
            predictor,
            inputs,
            out,
            overlay=overlay,
            confidence=confidence,
            overwrite=overwrite,
            max_pixels=max_pixels,
            progress=advance,
        )
    if json:
        emit_json(done.to_json())
    else:
        for path in done.written:
            results().print(str(path), markup=False)
    if done.failed:
        words().print(f"{len(done.failed)} of {len(done.failed) + len(done.written)} photos failed:", style="red")
        for failure in done.failed:
            words().print(f"  {failure.what}", markup=False)
        raise typer.Exit(1)
