"""`tessella demo`: the whole way on a data set that is drawn on the spot."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def demo(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder to make.")] = Path("tessella-demo"),
    minutes: Annotated[float | None, typer.Option(help="Minutes of training; the default suits two cores.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Another seed draws other scenes.")] = 0,
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite", help="Replace what an earlier demonstration left in DIR; never anything else."),
    ] = False,
) -> None:
    """Draw an aerial survey with faulty labels, then check, fix, plan, train, evaluate, predict, export, report.

    Nothing is downloaded; on two cores it takes two to four minutes. Exit code 1: a planted fault was not found, or one
    was invented.
    """
    from tessella.cli.commands.train import show_progress
    from tessella.cli.console import results, words
    from tessella.demo import MINUTES, run

    with show_progress(words()) as (show, _):
        done = run(
            out,
            minutes=MINUTES if minutes is None else minutes,
            seed=seed,
            overwrite=overwrite,
            say=lambda line: results().print(line, markup=False),
            progress=show,
        )
    words().print(
        "\nNext, on your own photos:\n"
        "  tessella check PHOTOS                        find what is wrong with the labels\n"
        "  tessella train PHOTOS --out run --minutes 15 train, score and seal a model\n"
        "  tessella predict run/bundle NEW_PHOTOS --out masks --overlay",
        markup=False,
    )
    if done.missed or done.invented:
        raise typer.Exit(1)
