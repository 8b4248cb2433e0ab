"""Scores as a table for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from tessella.report.html.markup import score as written

if TYPE_CHECKING:
    from rich.console import RenderableType

    from tessella.evaluation.report import Report

BAR_CELLS: Final = 20
_EIGHTHS: Final = " ▏▎▍▌▋▊▉"


def score_table(report: Report) -> RenderableType:
    """Return the headline scores, a row per class, the averaging in words, and the notes.

    Args:
        report: What a scoring run found.

    Returns:
        Something a rich console prints.
    """
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    scores = report.scores
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("class")
    for heading in ("IoU", "", "Dice", "precision", "recall", "pixels"):
        table.add_column(heading, justify="left" if not heading else "right")
    columns = zip(
        scores.table.names, scores.iou, scores.dice, scores.precision, scores.recall, scores.true_pixels, strict=True
    )
    for name, iou, dice, precision, recall, pixels in columns:
        cells = (figure(iou), bar(iou), figure(dice), figure(precision), figure(recall), f"{pixels:,}")
        table.add_row(Text(name), *cells)
    headline = Text.assemble(
        ("mIoU ", "dim"),
        (figure(scores.miou), "bold"),
        ("   pixel accuracy ", "dim"),
        figure(scores.pixel_accuracy),
        ("   mean accuracy ", "dim"),
        figure(scores.mean_accuracy),
        ("   mean Dice ", "dim"),
        figure(scores.mean_dice),
        (f"   {scores.images} photos", "dim"),
    )
    words = [Text(f"Averaging: {scores.to_json()['averaging']}.", style="dim")]
    words += [Text(note, style="yellow") for note in report.notes]
    words += [Text(f"Not scored: {photo.name}: {photo.why}", style="red") for photo in report.unscored[:10]]
    return Group(headline, Text(""), table, Text(""), *words)


def figure(value: float) -> str:
    """Write a score as the page does; one that is not defined is a dash."""
    return "-" if np.isnan(value) else written(value).replace("\u202f", "")


def bar(value: float) -> str:
    """Draw 0..1 as a bar of `BAR_CELLS` characters, in steps of an eighth of a character."""
    if np.isnan(value):
        return ""
    eighths = round(value * BAR_CELLS * 8)
    return ("█" * (eighths // 8) + _EIGHTHS[eighths % 8]).strip()
