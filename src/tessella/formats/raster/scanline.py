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

_DENSE: Final = 400
"""Below so many pixels per crossing, writing the whole canvas in runs is faster than writing the spans one by one."""

_FINE: Final = 5
"""COCO's grid is this much finer than the pixels."""


class _Edges(NamedTuple):
    """Edges that cross lines.

    Args:
        shape: (E,) number of the shape.
        first: (E,) int64 first line that is crossed.
        crossed: (E,) int64 how many lines are crossed, at least one.
        form: (F, E) float64 what `place` needs of an edge.
        place: (lines (N,), form (F, N), number of places) to the first place (N,) that is not before the crossing.
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


def filled(size: tuple[int, int], shapes: Sequence[Rings], *, rule: LineRule, ground: int) -> NDArray[np.uint8]:
    """Fill shapes in order on a new canvas; arguments and errors as of `fill`.

    Args:
        size: Lines and places.
        shapes: What to fill.
        rule: The rule.
        ground: What to write where no shape lies.

    Returns:
        (lines, places) uint8.
    """
    if not shapes:
        return np.full(size, ground, np.uint8)
    edges = _RULES[rule](*_joined(shapes), size)
    if _is_dense(size, edges) and len(shapes) <= _TOGETHER:
        top, lengths = _runs(size, edges)
        ink = np.array([ground, *(shape.value for shape in shapes)], np.uint8)
        return np.repeat(ink[top], lengths).reshape(size)
    canvas = np.full(size, ground, np.uint8)
    _fill(canvas, shapes, edges, rule)
    return canvas


def fill(canvas: NDArray[np.uint8], shapes: Sequence[Rings], *, rule: LineRule) -> None:
    """Fill shapes in order, in place; what lies outside the canvas is cut off.

    Args:
        canvas: (lines, places) uint8.
        shapes: What to fill; even-odd over all rings of one shape.
        rule: The rule. For "coco" the canvas is the transposed picture.

    Raises:
        LabelError: A shape with more crossings than MOST_CROSSINGS.
    """
    if shapes:
        _fill(canvas, shapes, _RULES[rule](*_joined(shapes), canvas.shape), rule)


def _fill(canvas: NDArray[np.uint8], shapes: Sequence[Rings], edges: _Edges, rule: LineRule) -> None:
    total, values = int(edges.crossed.sum()), [shape.value for shape in shapes]
    dense = canvas.flags.c_contiguous and _is_dense(canvas.shape, edges)
    if len(shapes) > 1 and (total > _AT_ONCE or (dense and len(shapes) > _TOGETHER)):
        half = len(shapes) // 2
        fill(canvas, shapes[:half], rule=rule)
        fill(canvas, shapes[half:], rule=rule)
    elif dense:
        import cv2

        top, lengths = _runs(canvas.shape, edges)
        ink, covered = np.array([0, *values], np.uint8), np.minimum(top, 1).astype(np.uint8)
        painted, mask = (np.repeat(runs, lengths).reshape(canvas.shape) for runs in (ink[top], covered))
        cv2.copyTo(painted, mask, canvas)
    elif total <= _AT_ONCE:
        _fill_spans(canvas, edges, values)
    else:
        _fill_scribble(canvas, edges, values[0], total)


def _is_dense(size: tuple[int, ...], edges: _Edges) -> bool:
    """Whether runs over the whole canvas are the faster way, and fit into memory."""
    total = int(edges.crossed.sum())
    return size[0] * size[1] < _DENSE * total and total <= _AT_ONCE


def _joined(shapes: Sequence[Rings]) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Return where edges start and end, each (E, 2), and the number of their shape."""
    rings = [ring for shape in shapes for ring in shape.rings_xy if len(ring)]
    owners = [number for number, shape in enumerate(shapes) for ring in shape.rings_xy if len(ring)]
    if not rings:
        return np.empty((0, 2)), np.empty((0, 2)), np.empty(0, np.int64)
    lengths = np.array([len(ring) for ring in rings])
    start = np.concatenate(rings)
    ends = np.cumsum(lengths)
    following = np.arange(1, len(start) + 1)
    following[ends - 1] = ends - lengths
    return start, start[following], np.repeat(owners, lengths)


def _by_centres(
    start: NDArray[np.float64], end: NDArray[np.float64], shape: NDArray[np.int64], size: tuple[int, ...]
) -> _Edges:
    ends = np.concatenate([start.T, end.T])
    # From top to bottom always: an edge that two polygons share, walked either way, must round to the same crossings.
    from_x, high, to_x, low = np.where(ends[1] > ends[3], ends[[2, 3, 0, 1]], ends)
    first, last = np.clip(np.ceil(np.stack([high, low]) - 0.5), 0, size[0]).astype(np.int64)
    kept = np.flatnonzero(last > first)
    span_x, span_y = (to_x - from_x)[kept], (low - high)[kept]
    form = np.stack([from_x[kept], high[kept], span_x, span_y, span_x / span_y])
    return _Edges(shape[kept], first[kept], (last - first)[kept], form, _place_of_centre)


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
    return _within(place, places)


def _by_coco(
    start: NDArray[np.float64], end: NDArray[np.float64], shape: NDArray[np.int64], size: tuple[int, ...]
) -> _Edges:
    """Prepare edges for the rule of pycocotools' `rleFrPoly`.

    Corners are rounded to a grid of fifths of a pixel and joined by digital lines, one step of the longer axis at a
    time. Column c is crossed between the fifths 5 c + 2 and 5 c + 3, at the upper one of the two points.
    """
    fine = np.trunc(_FINE * np.concatenate([start, end], axis=1).T + 0.5)
    columns = np.minimum(np.maximum(np.ceil((fine[::2] - 2) / _FINE), 0), size[0]).astype(np.int64)
    crossed = np.abs(columns[1] - columns[0])
    kept = np.flatnonzero(crossed)
    columns, fine = columns[:, kept], fine[:, kept]
    step = fine[2:] - fine[:2]
    steep = np.abs(step[0]) < np.abs(step[1])
    longer = np.where(steep, step[1], step[0])
    form = np.empty((4, kept.size))
    form[:2] = np.where(longer < 0, fine[2:], fine[:2])
    form[2] = np.where(steep, step[0], step[1]) / longer
    form[3] = steep
    return _Edges(shape[kept], np.minimum(columns[0], columns[1]), crossed[kept], form, _place_of_coco)


def _place_of_coco(line: NDArray[np.int64], form: NDArray[np.float64], places: int) -> NDArray[np.int64]:
    x, y, slope, steep = form
    step = _FINE * line + 2 - x
    # of the two points the right one is the upper one where the line rises
    step += slope < 0
    upper = np.trunc(y + slope * step + 0.5)
    some = np.flatnonzero(steep)
    upper[some] = _upper_of_steep(line[some], form[:, some])
    return _within(np.ceil((upper - 2) / _FINE), places)


def _upper_of_steep(line: NDArray[np.int64], form: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the row of fifths above the step at which a steep digital line changes its column."""
    x, y, slope, _ = form
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
    return np.asarray(y + step - 1.0)


def _within(place: NDArray[np.float64], places: int) -> NDArray[np.int64]:
    np.maximum(place, 0, out=place)
    return np.asarray(np.minimum(place, places, out=place).astype(np.int64))


_RULES: Final = {"centre": _by_centres, "coco": _by_coco}


def _crossings(edges: _Edges, places: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return line, place and shape of every crossing."""
    before = np.cumsum(edges.crossed) - edges.crossed
    line = np.arange(int(edges.crossed.sum())) + np.repeat(edges.first - before, edges.crossed)
    place = edges.place(line, np.repeat(edges.form, edges.crossed, axis=1), places)
    return line, place, np.repeat(edges.shape, edges.crossed)


def _runs(size: tuple[int, ...], edges: _Edges) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """Cut a whole canvas into runs: between any two crossings, the topmost shape does not change.

    Args:
        size: Lines and places.
        edges: The edges of up to _TOGETHER shapes.

    Returns:
        For each run the number of the topmost shape + 1, or 0 where there is none; and its number of places.
    """
    line, place, shape = _crossings(edges, size[1])
    pixels = size[0] * size[1]
    key = (line * size[1] + place) << 6 | shape
    if pixels < 1 << 26:
        key = key.astype(np.uint32)  # sorted in half the time
    key.sort()
    covered = np.bitwise_xor.accumulate(np.int64(1) << (key & 63))
    top = np.zeros(key.size + 1, np.intp)
    top[1:] = np.frexp(covered.astype(np.float64))[1]  # the exponent of 0 is 0, of 2**n it is n + 1
    edge = np.empty(key.size + 2, np.int64)
    edge[0], edge[1:-1], edge[-1] = 0, key >> 6, pixels
    return top, edge[1:] - edge[:-1]


def _fill_spans(canvas: NDArray[np.uint8], edges: _Edges, values: Sequence[int]) -> None:
    """Write the spans of each shape one by one."""
    line_bits, place_bits = canvas.shape[0].bit_length(), canvas.shape[1].bit_length()
    line, place, shape = _crossings(edges, canvas.shape[1])
    key = (shape << line_bits | line) << place_bits | place
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


def _fill_scribble(canvas: NDArray[np.uint8], edges: _Edges, value: int, total: int) -> None:
    """Fill one shape of very many crossings, a part of them at a time."""
    if total > MOST_CROSSINGS:
        raise LabelError(
            "a shape crosses more lines than any outline does",
            got=f"{total} crossings",
            expected=f"at most {MOST_CROSSINGS}",
            fix="delete the shape and draw it again",
        )
    flips = np.zeros((canvas.shape[0], canvas.shape[1] + 1), np.uint8)
    for some in np.array_split(np.arange(edges.crossed.size), -(-total // _AT_ONCE)):
        chosen = _Edges(edges.shape[some], edges.first[some], edges.crossed[some], edges.form[:, some], edges.place)
        line, place, _ = _crossings(chosen, canvas.shape[1])
        np.bitwise_xor.at(flips, (line, place), np.uint8(1))
    np.bitwise_xor.accumulate(flips, axis=1, out=flips)
    canvas[flips[:, :-1].view(np.bool_)] = value
