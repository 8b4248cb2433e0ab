"""`tessella inspect`: what a file, folder or bundle is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tessella.cli import flags

if TYPE_CHECKING:
    from rich.table import Table


def inspect(
    path: Annotated[
        Path,
        typer.Argument(metavar="PATH", help="Picture, annotation, archive, folder, bundle or .onnx file."),
    ],
    format: flags.Format = None,  # noqa: A002 - the name of the flag
    classes: flags.Classes = None,
    photos: flags.Photos = None,
    option: flags.Options = None,
    max_pixels: flags.MaxPixels = None,
    json: flags.Json = False,
) -> None:
    """Say what a file, folder, bundle or exported model is: format, classes, sizes, scores, hash check."""
    from tessella._doors.labels import inspect as inspect_path
    from tessella.cli.console import emit_json, results

    answer = inspect_path(
        path, format=format, classes=classes, photos=photos, max_pixels=max_pixels, options=flags.options_of(option)
    ).to_json()
    if json:
        emit_json(answer)
    else:
        results().print(_table(answer))


def _table(answer: dict[str, object]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(show_header=False, box=None)
    table.add_column()
    table.add_column(overflow="fold")
    for key, value in answer.items():
        table.add_row(Text(key.replace("_", " "), style="bold"), Text(_in_words(value)))
    return table


def _in_words(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}: {item}" for key, item in value.items()) or "none"
    if isinstance(value, list):
        return "\n".join(_row(item) for item in value) or "none"
    return str(value)


def _row(item: object) -> str:
    if not isinstance(item, dict):
        return str(item)
    colour = "#{:02x}{:02x}{:02x}".format(*item.get("colour", (0, 0, 0)))
    values = item.get("values")
    return f"{item.get('name')}  {colour}" + (f"  stored as {', '.join(map(str, values))}" if values else "")
