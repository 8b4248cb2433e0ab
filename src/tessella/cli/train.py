"""`tessella train`: plan, train, score, seal and report, with one command."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console

    from tessella.training.events import Progress

LINE_SECONDS: Final = 30.0
"""Seconds between two lines of progress where there is no terminal to draw a bar on."""


def train(
    data: Annotated[Path, typer.Argument(metavar="DATA", help="Annotated folder.")],
    out: Annotated[Path, typer.Option(metavar="RUN", help="Folder of the run.")],
    minutes: Annotated[float | None, typer.Option(help="Wall-clock minutes of training.")] = None,
    epochs: Annotated[float | None, typer.Option(help="Passes over the training photos, instead of minutes.")] = None,
    preset: Annotated[str | None, typer.Option(help="What the photos show; `general` fits most.")] = None,
    recipe: Annotated[Path | None, typer.Option(help="Recipe file (TOML).")] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="One setting; repeatable.")
    ] = None,
    classes: Annotated[
        Path | None, typer.Option(help="Class file, when the data set does not say its classes.")
    ] = None,
    format: Annotated[str | None, typer.Option(help="Annotation format, when it is not detected.")] = None,  # noqa: A002
    seed: Annotated[int | None, typer.Option(min=0, help="Seeds weights, crops and order.")] = None,
    max_pixels: Annotated[int | None, typer.Option(min=1, help="Allow pictures of up to this many pixels.")] = None,
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
            classes=classes,
            format=format,
            seed=seed,
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
