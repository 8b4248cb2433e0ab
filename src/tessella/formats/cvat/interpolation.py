"""What a tracked shape looks like between two keyframes, as CVAT computes it.

Boxes and ellipses move on straight lines and turn the shorter way. Polygons and polylines may have different numbers of
points: each outline is measured along its length from 0 to 1, every point of the earlier one goes towards the point of
the later one at the nearest length, and later points that none goes to are split off the nearest earlier point. Where
many points then lie close together, those nearer than half the mean spacing of their stretch are dropped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Points = NDArray[np.float64]


def turned(left: float, right: float, share: float) -> float:
    """Return a rotation between two, in degrees 0..360, the shorter way round.

    Args:
        left: At the earlier keyframe.
        right: At the later one.
        share: How far between them: 0..1.
    """
    return (left + ((right - left + 180) % 360 - 180) * share) % 360


def moved(left: Points, right: Points, share: float) -> Points:
    """Return numbers between those of two keyframes, on straight lines.

    Args:
        left: Numbers at the earlier keyframe, of any shape.
        right: As many at the later one.
        share: How far between them: 0..1.
    """
    return left + (right - left) * share


def between(left: Points, right: Points, share: float, *, closed: bool) -> Points:
    """Return an outline between those of two keyframes.

    Args:
        left: (N, 2) points at the earlier keyframe.
        right: (M, 2) points at the later one.
        share: How far between them: 0..1.
        closed: Whether the last point joins the first: a polygon.

    Returns:
        (K, 2) points; the earlier outline as it is where one of the two has no length, or too few points would be left.
    """
    if not (np.isfinite(left).all() and np.isfinite(right).all()):
        return left
    if closed:
        left, right = np.concatenate([left, left[:1]]), np.concatenate([right, right[:1]])
    lengths_left, lengths_right = _lengths(left), _lengths(right)
    if lengths_left is None or lengths_right is None:
        return left[:-1] if closed else left
    pairs = _matched(lengths_left, lengths_right)
    points = moved(left[pairs.left], right[pairs.right], share)
    kept = np.concatenate(
        [_thinned(points[run.first : run.last + 1], run.spacing) for run in _runs(pairs, left, right)]
    )
    if len(kept) < (4 if closed else 2):
        return left[:-1] if closed else left
    return kept[:-1] if closed else kept


def _lengths(points: Points) -> Points | None:
    """Return how far along its line each point lies, 0..1; None for a line without length."""
    steps = np.hypot(*np.diff(points, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    return along / along[-1] if len(points) > 1 and along[-1] > 0 else None


class _Pairs(NamedTuple):
    """Which point goes to which, in the order of the earlier outline: (K,) indices each."""

    left: NDArray[np.int64]
    right: NDArray[np.int64]


def _matched(left: Points, right: Points) -> _Pairs:
    goes_to = _nearest(left, right)
    lone = np.setdiff1d(np.arange(len(right)), goes_to)
    here = np.concatenate([np.arange(len(left)), _nearest(right[lone], left)])
    there = np.concatenate([goes_to, lone])
    order = np.lexsort((there, here))
    return _Pairs(here[order], there[order])


def _nearest(values: Points, line: Points) -> NDArray[np.int64]:
    """Return for each value the first of the nearest in an ascending line."""
    after = np.clip(np.searchsorted(line, values), 1, len(line) - 1)
    before = np.where(np.abs(values - line[after - 1]) <= np.abs(values - line[after]), after - 1, after)
    return np.searchsorted(line, line[before]).astype(np.int64)


class _Run(NamedTuple):
    """Pairs that are thinned out together.

    Args:
        first: Index of the first.
        last: Index of the last.
        spacing: Points nearer than this are dropped.
    """

    first: int
    last: int
    spacing: float


def _runs(pairs: _Pairs, left: Points, right: Points) -> list[_Run]:
    """Cut the pairs into runs: points of the earlier outline that go to one point, or one point that is split."""
    starts = np.flatnonzero(np.diff(pairs.left, prepend=-1))
    counts = np.diff(np.append(starts, len(pairs.left)))
    runs: list[_Run] = []
    place = 0
    while place < len(starts):
        first = int(starts[place])
        last = first + int(counts[place]) - 1
        if last > first:  # one point of the earlier outline is split
            runs.append(_Run(first, last, _spacing(right[pairs.right[first] : pairs.right[last] + 1])))
        else:
            end = place
            while end + 1 < len(starts) and counts[end + 1] == 1 and pairs.right[starts[end + 1]] == pairs.right[first]:
                end += 1
            last = int(starts[end])
            runs.append(_Run(first, last, _spacing(left[pairs.left[first] : pairs.left[last] + 1])))
            place = end
        place += 1
    return runs


def _spacing(points: Points) -> float:
    return float(np.hypot(*np.diff(points, axis=0).T).sum()) / (2 * len(points))


def _thinned(points: Points, spacing: float) -> Points:
    """Return points without those near the one before; the first and the last stay, or their mean if they meet."""
    if len(points) == 1:
        return points
    kept = [points[0]]
    for point in points[1:-1]:
        if np.hypot(*(point - kept[-1])) >= spacing:
            kept.append(point)
    kept.append(points[-1])
    if len(kept) == 2 and np.hypot(*(kept[1] - kept[0])) < spacing:
        return np.asarray(np.mean(kept, axis=0)[None])
    return np.stack(kept)
