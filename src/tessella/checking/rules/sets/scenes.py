"""D: photos of one scene, video or raster that lie in different splits, told by their names and places."""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import pairwise
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from tessella.checking.measures.thumbs import THUMB
from tessella.checking.rule import Located
from tessella.core.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tessella.checking.survey import Survey, Trace

_NUMBERED: Final = re.compile(r"^(?P<scene>.*?)(?P<number>\d+)(?P<rest>\D*)$")
_TILED: Final = re.compile(
    r"^(?P<scene>.+?)[_\-. ]+[a-z]{0,4}(?P<one>\d+)[_\-. x]+[a-z]{0,4}(?P<other>\d+)$", re.IGNORECASE
)

ALIKE: Final = 0.85
"""Neighbouring frames whose thumbnails correlate this much in the median show one scene."""

_FEWEST: Final = 8


class _Tile(NamedTuple):
    trace: Trace
    one: int
    other: int


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


def tiles_across_splits(survey: Survey) -> Iterator[Located]:
    """D107: overlapping tiles of one raster in different splits, by the pixel offsets in their names."""
    for scene, tiles in sorted(_tiled(survey).items()):
        found = _overlapping(tiles)
        if not found:
            continue
        one, other = found[0]
        crossing = [pair for pair in found if pair[0].trace.split != pair[1].trace.split]
        if crossing:
            one, other = crossing[0]
            finding = Finding(
                "D107",
                "warning",
                other.trace.where,
                f"{len(crossing)} pairs of tiles of {scene!r} overlap across splits, such as {one.trace.where} "
                f"({one.trace.split}) and {other.trace.where} ({other.trace.split})",
                "split by raster, or cut tiles that do not overlap: shared pixels are trained on and scored",
            )
            yield Located(other.trace.position, finding)


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


def _tiled(survey: Survey) -> dict[str, list[_Tile]]:
    found: dict[str, list[_Tile]] = defaultdict(list)
    for trace in survey.traces:
        match = _TILED.match(PurePosixPath(trace.photo_where).stem) if trace.photo_where and trace.hw else None
        if match:
            found[match["scene"]].append(_Tile(trace, int(match["one"]), int(match["other"])))
    return {scene: tiles for scene, tiles in found.items() if len(tiles) >= 4 and _are_offsets(tiles)}


def _are_offsets(tiles: list[_Tile]) -> bool:
    """Whether the numbers are pixel offsets on a grid, not counts of rows and columns or a date."""
    for values in ({tile.one for tile in tiles}, {tile.other for tile in tiles}):
        step = int(np.gcd.reduce(sorted(values))) if len(values) > 1 else 0
        if 0 not in values or step < 16 or max(values) // step > 10_000:
            return False
    return True


def _overlapping(tiles: list[_Tile]) -> list[tuple[_Tile, _Tile]]:
    """Return pairs of tiles that share pixels whichever of the two numbers is x; each with those next to it."""
    side = min(min(tile.trace.hw) for tile in tiles if tile.trace.hw)
    cells: dict[tuple[int, int], list[_Tile]] = defaultdict(list)
    for tile in tiles:
        cells[tile.one // side, tile.other // side].append(tile)
    found = []
    for (row, column), here in cells.items():
        near = [
            tile for r in (row, row + 1) for c in (column - 1, column, column + 1) for tile in cells.get((r, c), ())
        ]
        found += [
            (one, other)
            for one in here
            for other in near
            if (one.one, one.other) < (other.one, other.other)
            and abs(one.one - other.one) < side
            and abs(one.other - other.other) < side
        ]
    return found
