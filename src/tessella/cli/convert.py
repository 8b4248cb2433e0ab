"""`tessella convert`: any readable format to any writable one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer


def convert(
    data: Annotated[Path, typer.Argument(metavar="DATA", help="Annotated folder; it is only read.")],
    out: Annotated[Path, typer.Argument(metavar="DST", help="Folder to make.")],
    to: Annotated[str, typer.Option(help="Format to write: index-mask, voc, colour-mask, labelme.")],
    format: Annotated[str | None, typer.Option(help="Format of DATA, when it is not detected.")] = None,  # noqa: A002
    classes: Annotated[Path | None, typer.Option(help="Class file: TOML, JSON, CSV, labels.txt, labelmap.txt.")] = None,
    fill: Annotated[
        Literal["centre", "tool"],
        typer.Option(help="Pixels of a drawn shape: those whose centre lies inside, or those that LabelMe paints."),
    ] = "centre",
    max_pixels: Annotated[int | None, typer.Option(min=1, help="Allow pictures of up to this many pixels.")] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace DST if Tessella made it; never another folder.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
) -> None:
    """Write an annotated folder in another format; the original is never touched."""
    from tessella.cli.console import emit_json, progress, results, words
    from tessella.dataset.convert import convert as convert_data

    with progress("Converting") as advance:
        done = convert_data(
            data,
            out,
            to=to,
            format=format,
            classes=classes,
            fill=fill,
            max_pixels=max_pixels,
            overwrite=overwrite,
            progress=advance,
        )
    if json:
        emit_json(done.to_json())
        return
    for note in done.notes:
        words().print(note, markup=False)
    words().print(f"classes: {', '.join(done.classes)}", markup=False)
    results().print(
        f"{done.samples} photos ({done.labelled} with labels) of {len(done.classes)} classes "
        f"written as {done.format}: {done.out}",
        markup=False,
    )
