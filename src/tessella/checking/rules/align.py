"""A: masks that lie flipped, turned or shifted on their photos, judged by borders against edges."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from tessella.checking.measures.edges import REACH, TURNS
from tessella.checking.measures.thumbs import step_of
from tessella.checking.rule import Located
from tessella.core.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tessella.checking.survey import Survey, Trace

_FEWEST: Final = 8
"""Fewer masks do not make a set."""

_MOSTLY: Final = 0.75
"""Share of the masks that must say the same."""

_SURE: Final = 6.0
"""How many standard errors the set's mean must lie from chance."""


def flipped(survey: Survey) -> Iterator[Located]:
    """A102: the masks meet the edges of their photos only when they are flipped or turned."""
    scored = [trace for trace in survey.traces if trace.turns]
    if len(scored) < _FEWEST:
        return
    table = np.stack([np.frombuffer(trace.turns, np.float16).astype(np.float32) for trace in scored])
    found = _flipped_set(scored, table)
    if found is not None:
        yield found
        return
    yield from _flipped_alone(scored, table)


def shifted(survey: Survey) -> Iterator[Located]:
    """A103: the masks of the set lie some pixels beside their photos' edges."""
    scored = [trace for trace in survey.traces if trace.shifts is not None and trace.hw is not None]
    if len(scored) < _FEWEST:
        return
    table = np.stack([np.asarray(trace.shifts, np.float32) for trace in scored])
    mean = table.mean(axis=0)
    row, column = (int(place) for place in np.unravel_index(int(mean.argmax()), mean.shape))
    down, right = row - REACH, column - REACH
    if max(abs(down), abs(right)) < 2 or max(abs(down), abs(right)) == REACH or mean[row, column] <= 0:
        return
    gain = table[:, row, column] - table[:, REACH, REACH]
    error = float(gain.std(ddof=1)) / np.sqrt(len(gain)) + 1e-6
    agreeing = float((gain > 0).mean())
    sure = float(gain.mean()) / error
    if sure < _SURE or agreeing < _MOSTLY or mean[row, column] < 1.3 * max(float(mean[REACH, REACH]), 0.05):
        return
    step = np.median([step_of(trace.hw) for trace in scored if trace.hw])
    ways = ((down, "down" if down > 0 else "up"), (right, "right" if right > 0 else "left"))
    words = [f"{abs(by) * step:.0f} px {way}" for by, way in ways if by]
    yield Located(
        scored[0].position,
        Finding(
            "A103",
            "warning",
            scored[0].label_where,
            f"the masks meet their photos' edges best when moved {' and '.join(words)} ({agreeing:.0%} of "
            f"{len(scored)} masks that were tried agree, {sure:.0f} standard errors from chance)",
            "look at masks over their photos; a crop or a padding of one of the two moves all masks alike",
        ),
    )


def _flipped_set(scored: list[Trace], table: np.ndarray[tuple[int, int], np.dtype[np.float32]]) -> Located | None:
    known = ~np.isnan(table)
    means = np.where(known, table, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    for turn in range(1, len(TURNS)):
        usable = known[:, turn]
        if usable.sum() < _FEWEST:
            continue
        gain = table[usable, turn] - table[usable, 0]
        sure = float(gain.mean()) / (float(gain.std(ddof=1)) / np.sqrt(len(gain)) + 1e-6)
        agreeing = float((gain > 0).mean())
        best = turn == int(means.argmax())
        if best and sure >= _SURE and agreeing >= _MOSTLY and table[usable, turn].mean() >= 3:
            first = scored[int(np.flatnonzero(usable)[0])]
            return Located(
                first.position,
                Finding(
                    "A102",
                    "warning",
                    first.label_where,
                    f"the masks seem to be {TURNS[turn]}: so they meet their photos' edges ({agreeing:.0%} of "
                    f"{len(gain)} masks agree, {sure:.0f} standard errors from chance)",
                    "look at masks over their photos; turn either of the two back",
                ),
            )
    return None


def _flipped_alone(scored: list[Trace], table: np.ndarray[tuple[int, int], np.dtype[np.float32]]) -> Iterator[Located]:
    """Find single masks that are flipped in a set whose masks plainly meet their photos' edges."""
    usual = table[:, 0]
    # unless nearly all masks meet the edges well, a mask that does not says nothing
    middle = float(np.median(usual))
    if middle < 8 or (usual < 3).mean() > 0.1:
        return
    for trace, scores in zip(scored, table, strict=True):
        turn = int(np.nanargmax(scores))
        if turn and scores[0] < max(2.0, 0.25 * middle) and scores[turn] >= max(8.0, 0.6 * middle):
            yield Located(
                trace.position,
                Finding(
                    "A102",
                    "warning",
                    trace.label_where,
                    f"this mask seems to be {TURNS[turn]}: so it meets the photo's edges ({scores[turn]:.0f} standard "
                    f"deviations above chance, {scores[0]:.0f} as it is, where the others have "
                    f"{middle:.0f})",
                    "look at the mask over its photo; turn either of the two back",
                ),
            )
