"""D: photos of one scene or video that lie in different splits, told by their names."""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import pairwise
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

import numpy as np

from tessella.checking.measures.thumbs import THUMB
from tessella.checking.rule import Located
from tessella.core.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tessella.checking.survey import Survey, Trace

_NUMBERED: Final = re.compile(r"^(?P<scene>.*?)(?P<number>\d+)(?P<rest>\D*)$")

ALIKE: Final = 0.85
"""Neighbouring frames whose thumbnails correlate this much in the median show one scene."""

_FEWEST: Final = 8


def frames_across_splits(survey: Survey) -> Iterator[Located]:
    """D106: neighbouring frames of one video in different splits.

    Names that count say which photos are neighbours; that they show one scene is judged by the photos: in the median,
    neighbours across the splits must look alike, and more so than photos far apart.
    """
    for scene, frames in sorted(_numbered(survey).items()):
        crossing = [(one, other) for one, other in pairwise(frames) if one.split != other.split]
        if len(frames) < _FEWEST or len(crossing) < 4:
            continue
        near = float(np.median([_likeness(one, other) for one, other in crossing]))
        half = len(frames) // 2
        far = float(np.median([_likeness(one, other) for one, other in zip(frames, frames[half:], strict=False)]))
        if near < ALIKE or near - far < 0.1:
            continue
        one, other = max(crossing, key=lambda pair: _likeness(*pair))
        splits = sorted({trace.split for pair in crossing for trace in pair})
        finding = Finding(
            "D106",
            "warning",
            other.where,
            f"{len(crossing)} pairs of neighbouring frames of {scene or 'one sequence'!r} lie in different splits "
            f"({', '.join(splits)}) and look alike (median correlation {near:.2f}, {far:.2f} for frames far apart), "
            f"such as {one.where} and {other.where}",
            "split by video or scene, not by frame: scores on neighbours of what was trained on are too good",
        )
        yield Located(other.position, finding)


def _numbered(survey: Survey) -> dict[str, list[Trace]]:
    """Return the photos with a split by the part of their name before the last number, in the order of the number."""
    found: dict[str, list[tuple[int, Trace]]] = defaultdict(list)
    for trace in survey.traces:
        match = _NUMBERED.match(PurePosixPath(trace.photo_where).stem) if trace.photo_where and trace.split else None
        if match and trace.thumb and trace.label_where:
            found[f"{match['scene']}*{match['rest']}"].append((int(match["number"]), trace))
    return {
        scene: [trace for _, trace in sorted(frames, key=lambda frame: frame[0])] for scene, frames in found.items()
    }


def _likeness(one: Trace, other: Trace) -> float:
    first, second = (np.frombuffer(trace.thumb, np.uint8).astype(np.float32) for trace in (one, other))
    first, second = first - first.mean(), second - second.mean()
    length = float(np.sqrt((first**2).sum() * (second**2).sum()))
    return float(first @ second) / length if length > THUMB else 0.0
