"""The flags that several commands share, each said once; a command names those it takes in its signature."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tessella.core.errors import RecipeError

if TYPE_CHECKING:
    from collections.abc import Sequence

# what is read, and how: every command that takes DATA takes all of these
Data = Annotated[
    Path, typer.Argument(metavar="DATA", help="Annotated folder, archive of one, or an annotation file in it.")
]
Format = Annotated[str | None, typer.Option(help="Annotation format, when it is not detected.")]
Classes = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Class file: TOML, JSON, CSV, labels.txt, labelmap.txt.")
]
Photos = Annotated[Path | None, typer.Option(metavar="DIR", help="A further folder where photos may lie.")]
Options = Annotated[
    list[str] | None,
    typer.Option("--option", metavar="KEY=VALUE", help="What is asked of the format; may be repeated."),
]
MaxPixels = Annotated[int | None, typer.Option(min=1, help="Allow pictures of up to this many pixels.")]

# what is trained
Minutes = Annotated[float | None, typer.Option(help="Wall-clock minutes of training.")]
Epochs = Annotated[float | None, typer.Option(help="Passes over the training photos, instead of minutes.")]
Preset = Annotated[str | None, typer.Option(help="What the photos show; `general` fits most.")]
RecipeFile = Annotated[Path | None, typer.Option(metavar="FILE", help="Recipe file (TOML).")]
Settings = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="One setting; may be repeated.")]
Seed = Annotated[int | None, typer.Option(min=0, help="Seeds weights, crops and order.")]

# what comes out
ReportFolder = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Write report.html and report.json into this folder.")
]
MinMiou = Annotated[float | None, typer.Option(help="Exit 1 when the mIoU is below this (0..1).")]
Json = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]


def options_of(pairs: Sequence[str] | None) -> dict[str, str] | None:
    """Return what `--option KEY=VALUE` asks of a format, or None where the flag is not given.

    An empty value (`layer=`) is kept: where a bundle remembers what was asked for training, it takes that back.

    Raises:
        RecipeError: It is no such pair, or a key comes twice.
    """
    found: dict[str, str] = {}
    for pair in pairs or ():
        key, equals, value = pair.partition("=")
        if not (key and equals) or key in found:
            raise RecipeError(
                "an option is a key, an equals sign and a value, and each key is given once",
                where="--option",
                got=pair,
                expected="KEY=VALUE",
            )
        found[key] = value
    return found or None
