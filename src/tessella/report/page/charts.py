"""Charts as inline SVG: lines over steps, a strip of dots, bars; colours come from the page's style sheet."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tessella.report.html.markup import Html, element

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH: Final = 340
HEIGHT: Final = 190
STRIP: Final = 640
LEFT: Final = 46
RIGHT: Final = 14
TOP: Final = 14
BOTTOM: Final = 34
TALLEST: Final = 84
"""Most dots in a stack, and the height of the tallest stack in pixels."""

POINTS: Final = 300
"""Most points of one line; more cannot be told apart at this width."""


@dataclass(frozen=True, slots=True)
class Axis:
    """A linear axis: data limits, and the pixels they stand at."""

    low: float
    high: float
    start: float
    end: float

    def place(self, value: float) -> float:
        """Return the pixel of a value, rounded to a tenth."""
        share = (value - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 1)


def round_ticks(low: float, high: float, *, about: int = 4) -> list[float]:
    """Return round numbers that cover low..high, in steps of 1, 2, 2.5 or 5 times a power of ten."""
    span = (high - low) or abs(high) or 1.0
    power = 10.0 ** math.floor(math.log10(span / about))
    step = next(size * power for size in (1, 2, 2.5, 5, 10) if size * power * about >= span * 0.999)
    first = math.floor(low / step + 1e-9)
    last = max(first + 1, math.ceil(high / step - 1e-9))
    return [round(number * step, 12) for number in range(first, last + 1)]


def line_chart(
    points: Sequence[tuple[float, float]],
    *,
    title: str,
    unit: str,
    tone: str,
    limits: tuple[float, float] | None = None,
    faint: Sequence[tuple[float, float]] = (),
) -> Html:
    """Draw one line over training steps.

    Args:
        points: (step, value), in order.
        title: What the line is; also the text for those who cannot see it.
        unit: Name of the horizontal axis.
        tone: Class of the style sheet that colours the line.
        limits: Least and greatest value of the vertical axis; by default from the data.
        faint: A second line behind the first, such as the values that it smooths; cut off where it leaves the axes.
    """
    shown, behind = _thinned(points), _thinned(faint)
    across = round_ticks(shown[0][0], shown[-1][0])
    up = round_ticks(*(limits or _spread([value for _, value in shown])))
    horizontal = Axis(across[0], across[-1], LEFT, WIDTH - RIGHT)
    vertical = Axis(up[0], up[-1], HEIGHT - BOTTOM, TOP)

    def path(line: Sequence[tuple[float, float]]) -> str:
        heights = (vertical.place(min(max(value, up[0]), up[-1])) for _, value in line)
        return " ".join(f"{horizontal.place(step)},{y}" for (step, _), y in zip(line, heights, strict=True))

    last_x, last_y = path(shown[-1:]).split(",")
    drawing = element(
        "svg",
        _grid(horizontal, vertical, across=across, up=up),
        element("text", unit, x=WIDTH - RIGHT, y=HEIGHT - 5, text_anchor="end", class_="tick"),
        element("polyline", points=path(behind), class_=f"line faint {tone}") if behind else None,
        element("polyline", points=path(shown), class_=f"line {tone}"),
        element("circle", cx=last_x, cy=last_y, r=3.5, class_=f"dot {tone}"),
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        aria_label=f"{title} over {unit}",
        class_="chart",
    )
    return element("figure", element("figcaption", title), drawing, class_="curve")


def dot_strip(values: Sequence[float], *, label: str) -> Html:
    """Draw one dot per photo on a line from 0 to 1; dots that would overlap are stacked.

    Where a stack would be taller than `TALLEST` dots, every dot stands for several photos, and a line says so.

    Args:
        values: Scores 0..1.
        label: The text for those who cannot see it.
    """
    columns = 96
    stacks = [0] * (columns + 1)
    for value in values:
        stacks[round(value * columns)] += 1
    each = max(1, -(-max(stacks) // TALLEST))
    stacks = [-(-count // each) for count in stacks]
    tallest = max(stacks)
    step_y = min(7.0, TALLEST / max(1, tallest))
    height = 32 + max(14.0, tallest * step_y) + (18 if each > 1 else 0)
    axis = Axis(0, columns, RIGHT, STRIP - RIGHT)
    base = height - 26
    dots = [
        element("circle", cx=axis.place(column), cy=round(base - (row + 0.5) * step_y, 1), r=2.9, class_="photo")
        for column, tall in enumerate(stacks)
        for row in range(tall)
    ]
    marks = [
        element("text", f"{mark / 4:g}", x=axis.place(mark * columns / 4), y=height - 5, class_="tick middle")
        for mark in range(5)
    ]
    ground = element("line", x1=axis.start, x2=axis.end, y1=base + 2, y2=base + 2, class_="grid")
    note = f"one dot for up to {each} photos"
    key = element("text", note, x=RIGHT, y=10, class_="tick") if each > 1 else None
    size = f"0 0 {STRIP} {height:g}"
    label = f"{label}; {note}" if each > 1 else label
    return element("svg", ground, dots, marks, key, viewBox=size, role="img", aria_label=label, class_="chart strip")


def mosaic(parts: Sequence[tuple[str, float]]) -> Html:
    """Draw shares as a row of coloured tiles that together fill the width.

    Args:
        parts: (colour as `#rrggbb`, share 0..1).
    """
    left = 0.0
    tiles = []
    for colour, share in parts:
        if share > 0:
            wide = round(1000 * share, 2)
            tiles.append(element("rect", x=round(left, 2), y=0, width=wide, height=10, fill=colour))
            left += wide
    box = "0 0 1000 10"
    return element("svg", tiles, viewBox=box, preserveAspectRatio="none", aria_hidden="true", class_="mosaic")


def _spread(values: Sequence[float]) -> tuple[float, float]:
    return min(values), max(values)


def _thinned(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    if len(points) <= POINTS:
        return list(points)
    every = len(points) / (POINTS - 1)
    return [points[int(number * every)] for number in range(POINTS - 1)] + [points[-1]]


def _grid(horizontal: Axis, vertical: Axis, *, across: Sequence[float], up: Sequence[float]) -> list[Html]:
    lines = []
    for value in up:
        y = vertical.place(value)
        lines.append(element("line", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y, class_="grid"))
        lines.append(element("text", f"{value:g}", x=LEFT - 8, y=y + 4, text_anchor="end", class_="tick"))
    for value in across[:-1]:
        mark = element("text", _short(value), x=horizontal.place(value), y=HEIGHT - BOTTOM + 18, class_="tick middle")
        lines.append(mark)
    return lines


def _short(value: float) -> str:
    return f"{value / 1000:g}k" if abs(value) >= 10000 else f"{value:g}"
