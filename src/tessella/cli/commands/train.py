"""`tessella train`: plan, train, score, seal and report, with one command."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from tessella.cli import flags

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console

    from tessella.training.events import Progress

LINE_SECONDS: Final = 30.0
"""Seconds between two lines of progress where there is no terminal to draw a bar on."""


def train(
    data: flags.Data,
    out: Annotated[Path, typer.Option(metavar="RUN", help="Folder of the run.")],
    minutes: flags.Minutes = None,
    epochs: flags.Epochs = None,
    preset: flags.Preset = None,
    recipe: flags.RecipeFile = None,
    set_: flags.Settings = None,
    seed: flags.Seed = None,
    format: flags.Format = None,  # noqa: A002 - the name of the flag
    classes: flags.Classes = None,
    photos: flags.Photos = None,
    option: flags.Options = None,
    max_pixels: flags.MaxPixels = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Go on with the run in RUN, from its last checkpoint. With --epochs the result is the same bits as "
            "without the interruption; with --minutes it is not, for the clock drives the learning rate.",
        ),
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an existing run, once the new one is ready to start.")
    ] = False,
) -> None:
    """Train a network on an annotated folder; writes RUN/bundle, RUN/report.html, RUN/report.json, RUN/metrics.jsonl.

    Ctrl-C finishes the step and saves a checkpoint (exit code 130); --resume goes on from there.
    """
    import tessella
    from tessella.cli.console import results, words

    console = words()
    with show_progress(console) as (show, show_scoring):
        run = tessella.train(
            data,
            out=out,
            minutes=minutes,
            epochs=epochs,
            preset=preset,
            recipe=recipe,
            overrides=set_ or (),
            seed=seed,
            format=format,
            classes=classes,
            photos=photos,
            options=flags.options_of(option),
            max_pixels=max_pixels,
            resume=resume,
            overwrite=overwrite,
            progress=show,
            scoring=show_scoring,
            say=lambda sentence: console.print(sentence, markup=False),
        )
    results().print(run.summary(), markup=False)


@contextlib.contextmanager
def show_progress(console: Console) -> Iterator[tuple[Callable[[Progress], None], Callable[[int, int], None]]]:
    """Show how far training and scoring are: a bar on a terminal, else a line now and then.

    Args:
        console: On stderr.

    Yields:
        What `tessella.train` takes as `progress` and as `scoring`.
    """
    if not console.is_terminal:
        yield _lines(console), lambda _done, _total: None
        return
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("Training"), BarColumn(), TextColumn("{task.fields[words]}"))
    with Bars(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=1.0, visible=False, words="")

        def draw(progress: Progress) -> None:
            bar.update(task, completed=progress.share, visible=True, words=describe(progress))

        def draw_scoring(done: int, total: int) -> None:
            bar.update(task, completed=done / total, visible=True, words=f"scored {done} of {total} photos")

        yield draw, draw_scoring


def _lines(console: Console) -> Callable[[Progress], None]:
    last = 0.0

    def line(progress: Progress) -> None:
        nonlocal last
        if not last or time.monotonic() - last >= LINE_SECONDS:
            last = time.monotonic()
            console.print(describe(progress), markup=False)

    return line


def describe(progress: Progress) -> str:
    """Say in one line how far a run is."""
    minutes, seconds = divmod(round(progress.seconds_left), 60)
    parts = [
        f"{progress.share:4.0%}",
        f"step {progress.step} of {progress.steps}",
        f"{minutes}:{seconds:02d} left",
        f"{progress.photos_per_second:.1f} photos/s",
        f"loss {progress.loss:.3f}",
    ]
    if progress.score is not None:
        parts.append(f"mIoU {progress.score:.3f}")
    return "  ".join(parts)
