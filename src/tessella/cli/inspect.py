"""`tessella inspect`: what a file, folder or bundle is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.table import Table


def inspect(
    path: Annotated[
        Path,
        typer.Argument(metavar="PATH", help="Picture, annotation, archive, folder, bundle or .onnx file."),
    ],
    format: Annotated[str | None, typer.Option(help="Annotation format of a folder.")] = None,  # noqa: A002
    classes: Annotated[Path | None, typer.Option(help="Class file of a folder.")] = None,
    photos: Annotated[Path | None, typer.Option(help="Further folder to look for photos in.")] = None,
    option: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="What is asked of the format; may be repeated.")
    ] = None,
    max_pixels: Annotated[int | None, typer.Option(min=1, help="Allow pictures of up to this many pixels.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
) -> None:
    """Say what a file, folder, bundle or exported model is: format, classes, sizes, scores, hash check."""
    from tessella._doors.labels import inspect as inspect_path
    from tessella.cli.console import emit_json, options_of, results

    answer = inspect_path(
        path, format=format, classes=classes, photos=photos, max_pixels=max_pixels, options=options_of(option)
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
