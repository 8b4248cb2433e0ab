"""Filling rings line by line: where edges cross the lines of a canvas, by our rule or by COCO's, and the spans between.

A canvas is (lines, places): its lines are the picture's rows for our rule, and its columns for COCO's, which looks at
polygons column by column; the caller passes the picture or its transpose. Along every line, a shape is inside between
its first and second crossing, its third and fourth, and so on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import numpy as np

from tessella.core.errors import LabelError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

LineRule = Literal["centre", "coco"]
"""centre: the centres of pixels inside; coco: the rule of pycocotools."""

MOST_CROSSINGS: Final = 1 << 25
"""Most crossings of one shape: scribbles beyond would take minutes and mean nothing."""

_AT_ONCE: Final = 1 << 20
"""Crossings held in memory at a time."""

_DOUBTFUL: Final = 1e-6
"""A division that lands this near to a whole number is checked by multiplication; its error is far smaller."""

_TOGETHER: Final = 52
"""Shapes whose state is kept in the bits of one number; a float64 tells the highest of so many."""

_DENSE: Final = 150
"""Below so many pixels per crossing, writing the whole canvas in runs is faster than writing the spans one by one."""

_FINE: Final = 5
"""COCO's grid is this much finer than the pixels."""


class _Edges(NamedTuple):
    """Edges that cross lines.

    Args:
        shape: (E,) number of the shape.
        first: (E,) int64 first line that is crossed.
        crossed: (E,) int64 how many lines are crossed, at least one.
        form: (5, E) float64 what `place` needs of an edge.
        place: (lines (N,), form (5, N), number of places) to the first place (N,) that is not before the crossing.
    """

    shape: NDArray[np.int64]
    first: NDArray[np.int64]
    crossed: NDArray[np.int64]
    form: NDArray[np.float64]
    place: Callable[[NDArray[np.int64], NDArray[np.float64], int], NDArray[np.int64]]


class Rings(NamedTuple):
    """Rings of one shape, (N, 2) float64 x, y each, and the value to fill them with."""

    rings_xy: Sequence[NDArray[np.float64]]
    value: int


def fill(canvas: NDArray[np.uint8], shapes: Sequence[Rings], *, rule: LineRule, ground: int | None = None) -> None:
    """Fill shapes in order, in place; what lies outside the canvas is cut off.

    Args:
        canvas: (lines, places) uint8.
        shapes: What to fill; even-odd over all rings of one shape.
        rule: The rule. For "coco" the canvas is the transposed picture.
        ground: What to write where no shape lies; None leaves what is there.

    Raises:
        LabelError: A shape with more crossings than MOST_CROSSINGS.
    """
    edges = _RULES[rule](*_joined(shapes), canvas.shape) if shapes else []
    total = sum(int(part.crossed.sum()) for part in edges)
    dense = canvas.flags.c_contiguous and canvas.size < _DENSE * total
    if len(shapes) > 1 and (total > _AT_ONCE or (dense and len(shapes) > _TOGETHER)):
        half = len(shapes) // 2
        fill(canvas, shapes[:half], rule=rule, ground=ground)
        fill(canvas, shapes[half:], rule=rule)
        return
    values = [shape.value for shape in shapes]
    if dense and total <= _AT_ONCE:
        _fill_runs(canvas, edges, values, ground)
        return
    if ground is not None:
        canvas.fill(ground)
    if total <= _AT_ONCE:
        _fill_spans(canvas, edges, values)
    else:
        _fill_scribble(canvas, edges, values[0], total)


def _joined(shapes: Sequence[Rings]) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Return where edges start and end, each (E, 2), and the number of their shape."""
    rings = [ring for shape in shapes for ring in shape.rings_xy]
    lengths = np.array([len(ring) for ring in rings])
    start = np.concatenate(rings)
    ends = np.cumsum(lengths)
    following = np.arange(1, len(start) + 1)
    following[ends[lengths > 0] - 1] = (ends - lengths)[lengths > 0]
    shape = np.repeat(np.arange(len(shapes)), [sum(map(len, shape.rings_xy)) for shape in shapes])
    return start, start[following], shape


def _by_centres(
    start: NDArray[np.float64], end: NDArray[np.float64], shape: NDArray[np.int64], size: tuple[int, ...]
) -> list[_Edges]:
    # From top to bottom always: an edge that two polygons share, walked either way, must round to the same crossings.
    swap = (start[:, 1] > end[:, 1])[:, None]
    high, low = np.where(swap, end, start), np.where(swap, start, end)
    first, last = np.clip(np.ceil([high[:, 1] - 0.5, low[:, 1] - 0.5]), 0, size[0]).astype(np.int64)
    kept = np.flatnonzero(last > first)
    span = low[kept] - high[kept]
    form = np.concatenate([high[kept].T, span.T, span[None, :, 0] / span[None, :, 1]])
    return [_Edges(shape[kept], first[kept], (last - first)[kept], form, _place_of_centre)]


def _place_of_centre(line: NDArray[np.int64], form: NDArray[np.float64], places: int) -> NDArray[np.int64]:
    high_x, high_y, span_x, span_y, slope = form
    down = line + 0.5 - high_y
    middle = high_x + down * slope - 0.5
    place = np.ceil(middle)
    # The division may round a centre on the edge to either side. Multiplied out, the comparison is exact wherever the
    # coordinates have at most 26 significant bits: any picture below 2**18 pixels, to 1/256 pixel.
    near = np.flatnonzero(np.abs(middle - np.rint(middle)) < _DOUBTFUL)
    if near.size:
        exact = np.rint(middle[near]) - 1.0
        for _ in range(2):
            exact += (exact + 0.5 - high_x[near]) * span_y[near] < span_x[near] * down[near]
        place[near] = exact
    return np.asarray(np.clip(place, 0, places), np.int64)


def _by_coco(
    start: NDArray[np.float64], end: NDArray[np.float64], shape: NDArray[np.int64], size: tuple[int, ...]
) -> list[_Edges]:
    """Prepare edges for the rule of pycocotools' `rleFrPoly`.

    Corners are rounded to a grid of fifths of a pixel and joined by digital lines, one step of the longer axis at a
    time. Column c is crossed between the fifths 5 c + 2 and 5 c + 3, at the upper one of the two points.
    """
    start, end = (np.trunc(_FINE * points + 0.5) for points in (start, end))
    steep = np.abs(end[:, 0] - start[:, 0]) < np.abs(end[:, 1] - start[:, 1])
    low, high = np.minimum(start[:, 0], end[:, 0]), np.maximum(start[:, 0], end[:, 0])
    first = np.clip(np.ceil((low - 2) / _FINE), 0, size[0]).astype(np.int64)
    last = np.clip(np.ceil((high - 2) / _FINE), 0, size[0]).astype(np.int64)
    found = []
    for axis, place in ((0, _place_of_flat), (1, _place_of_steep)):
        kept = np.flatnonzero((steep == bool(axis)) & (last > first))
        swap = (start[kept, axis] > end[kept, axis])[:, None]
        here, there = np.where(swap, end[kept], start[kept]), np.where(swap, start[kept], end[kept])
        span = there - here
        slope = span[:, 1 - axis] / span[:, axis]
        form = np.stack([here[:, 0], here[:, 1], slope])
        found.append(_Edges(shape[kept], first[kept], (last - first)[kept], form, place))
    return found


def _place_of_flat(line: NDArray[np.int64], form: NDArray[np.float64], places: int) -> NDArray[np.int64]:
    x, y, slope = form
    step = _FINE * line + 2 - x
    upper = np.trunc(np.minimum(y + slope * step + 0.5, y + slope * (step + 1) + 0.5))
    return _pixel_below(upper, places)


def _place_of_steep(line: NDArray[np.int64], form: NDArray[np.float64], places: int) -> NDArray[np.int64]:
    x, y, slope = form
    beyond = _FINE * line + 3.0
    rises = slope > 0
    at = (beyond - 0.5 - x) / slope
    step = np.where(rises, np.ceil(at), np.floor(at) + 1.0)
    near = np.flatnonzero(np.abs(at - np.rint(at)) * np.abs(slope) < _DOUBTFUL)
    if near.size:
        exact = np.rint(at[near]) - 1.0
        for _ in range(2):
            exact += (x[near] + slope[near] * exact + 0.5 < beyond[near]) == rises[near]
        step[near] = exact
    return _pixel_below(y + step - 1.0, places)


def _pixel_below(upper: NDArray[np.float64], places: int) -> NDArray[np.int64]:
    """Return the first pixel whose middle fifth is not above a fifth."""
    return np.asarray(np.clip(np.ceil((upper - 2) / _FINE), 0, places), np.int64)


_RULES: Final = {"centre": _by_centres, "coco": _by_coco}


def _crossings(edges: _Edges, places: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return line, place and shape of every crossing."""
    before = np.cumsum(edges.crossed) - edges.crossed
    line = np.arange(int(edges.crossed.sum())) + np.repeat(edges.first - before, edges.crossed)
    place = edges.place(line, np.repeat(edges.form, edges.crossed, axis=1), places)
    return line, place, np.repeat(edges.shape, edges.crossed)


def _fill_runs(canvas: NDArray[np.uint8], edges: Sequence[_Edges], values: Sequence[int], ground: int | None) -> None:
    """Write the whole canvas in runs: between two crossings, whichever they are, the topmost shape does not change."""
    keys = []
    for part in edges:
        line, place, shape = _crossings(part, canvas.shape[1])
        keys.append((line * canvas.shape[1] + place) << 6 | shape)
    key = np.concatenate(keys)
    if canvas.size < 1 << 26:
        key = key.astype(np.uint32)  # sorted in half the time
    key.sort()
    covered = np.bitwise_xor.accumulate(np.int64(1) << (key & 63))
    top = np.zeros(key.size + 1, np.intp)
    top[1:] = np.frexp(covered.astype(np.float64))[1]  # the exponent of 0 is 0, of 2**n it is n + 1
    lengths = np.diff(key >> 6, prepend=0, append=canvas.size)
    ink = np.array([0 if ground is None else ground, *values], np.uint8)
    filled = np.repeat(ink[top], lengths).reshape(canvas.shape)
    if ground is not None:
        canvas[...] = filled
        return
    import cv2

    cv2.copyTo(filled, np.repeat((top > 0).view(np.uint8), lengths).reshape(canvas.shape), canvas)


def _fill_spans(canvas: NDArray[np.uint8], edges: Sequence[_Edges], values: Sequence[int]) -> None:
    """Write the spans of each shape one by one."""
    line_bits, place_bits = canvas.shape[0].bit_length(), canvas.shape[1].bit_length()
    keys = [np.zeros(0, np.int64)]
    for part in edges:
        line, place, shape = _crossings(part, canvas.shape[1])
        keys.append((shape << line_bits | line) << place_bits | place)
    key = np.concatenate(keys)
    key.sort()
    begin, end = key[0::2], key[1::2]
    some = begin < end
    begin, length = begin[some], end[some] - begin[some]
    line, place = begin >> place_bits & (1 << line_bits) - 1, begin & (1 << place_bits) - 1
    which = (begin >> place_bits + line_bits).tolist()
    if not canvas.flags.c_contiguous:
        for shape, row, left, right in zip(
            which, line.tolist(), place.tolist(), (place + length).tolist(), strict=True
        ):
            canvas[row, left:right] = values[shape]
        return
    # 130 ns per span; assigning to a slice of an array takes 240
    flat = canvas.reshape(-1).data
    ink = {value: bytes([value]) * canvas.shape[1] for value in set(values)}
    start = line * canvas.shape[1] + place
    for shape, left, more in zip(which, start.tolist(), length.tolist(), strict=True):
        flat[left : left + more] = ink[values[shape]][:more]


def _fill_scribble(canvas: NDArray[np.uint8], edges: Sequence[_Edges], value: int, total: int) -> None:
    """Fill one shape of very many crossings, a part of them at a time."""
    if total > MOST_CROSSINGS:
        raise LabelError(
            "a shape crosses more lines than any outline does",
            got=f"{total} crossings",
            expected=f"at most {MOST_CROSSINGS}",
            fix="delete the shape and draw it again",
        )
    flips = np.zeros((canvas.shape[0], canvas.shape[1] + 1), np.uint8)
    for part in edges:
        pieces = -(-int(part.crossed.sum()) // _AT_ONCE)
        for some in np.array_split(np.arange(part.crossed.size), max(pieces, 1)):
            chosen = _Edges(part.shape[some], part.first[some], part.crossed[some], part.form[:, some], part.place)
            line, place, _ = _crossings(chosen, canvas.shape[1])
            np.bitwise_xor.at(flips, (line, place), np.uint8(1))
    np.bitwise_xor.accumulate(flips, axis=1, out=flips)
    canvas[flips[:, :-1].view(np.bool_)] = value
