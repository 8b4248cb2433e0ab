"""`tessella convert`: any readable format to any writable one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tessella.cli import flags


def convert(
    data: Annotated[
        list[Path],
        typer.Argument(metavar="DATA... DST", help="Annotated folders, files or archives, then the folder to make."),
    ],
    to: Annotated[str, typer.Option(help="Format to write, such as coco, voc, index-mask, labelme, cvat.")],
    format: flags.Format = None,  # noqa: A002 - the name of the flag
    classes: flags.Classes = None,
    photos: flags.Photos = None,
    option: flags.Options = None,
    max_pixels: flags.MaxPixels = None,
    map_: Annotated[
        Path | None, typer.Option("--map", help="Class map (TOML): rename, merge, drop, ignore classes.")
    ] = None,
    match_tool: Annotated[
        bool, typer.Option("--match-tool", help="Paint drawn shapes as the tool does that wrote them, pixel for pixel.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace DST if Tessella made it; never another folder.")
    ] = False,
    json: flags.Json = False,
) -> None:
    """Write annotated folders in another format, several as one; the originals are never touched.

    A conversion that was interrupted goes on where it stopped when it is asked for again.
    """
    from tessella.cli.console import emit_json, progress, results, words
    from tessella.dataset.convert import convert as convert_data

    *sources, out = data
    if not sources:
        raise typer.BadParameter("give the data and the folder to make: tessella convert DATA DST --to FORMAT")
    with progress("Converting") as advance:
        done = convert_data(
            sources,
            out,
            to=to,
            format=format,
            classes=classes,
            class_map=map_,
            photos=photos,
            options=flags.options_of(option),
            fill="tool" if match_tool else "centre",
            max_pixels=max_pixels,
            overwrite=overwrite,
            progress=advance,
        )
    if json:
        emit_json(done.to_json())
        return
    for note in done.notes:
        words().print(note, markup=False)
    for what, count in sorted(done.left_out.items()):
        words().print(f"left out: {count} {what}", markup=False)
    if done.resumed:
        words().print(f"{done.resumed} photos were written before the interruption", markup=False)
    words().print(f"classes: {', '.join(done.classes)}", markup=False)
    results().print(
        f"{done.samples} photos ({done.labelled} with labels) of {len(done.classes)} classes "
        f"written as {done.format}: {done.out}",
        markup=False,
    )
