"""D: tiles of one raster or one town that overlap, told by where they lie or else by their names."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import numpy as np

from tessella.checking.rule import Located
from tessella.core.finding import Finding
from tessella.dataset.grounds import overlaps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tessella.checking.survey import Survey, Trace
    from tessella.dataset.grounds import Overlap

_TILED: Final = re.compile(
    r"^(?P<scene>.+?)[_\-. ]+[a-z]{0,4}(?P<one>\d+)[_\-. x]+[a-z]{0,4}(?P<other>\d+)$", re.IGNORECASE
)

_USUAL: Final = ("train", "val", "test")


class _Tile(NamedTuple):
    trace: Trace
    one: int
    other: int


class _Meeting(NamedTuple):
    """A photo, the one with which it shares most ground, and how many of its pixels."""

    one: Trace
    other: Trace
    pixels: float


def tiles_across_splits(survey: Survey) -> Iterator[Located]:
    """D107: overlapping tiles, in different splits a leak: by their place on Earth, or the offsets in their names."""
    yield from _by_place(survey)
    yield from _by_name(survey)


def _by_place(survey: Survey) -> Iterator[Located]:
    """Compare the photos of each coordinate system with each other; a file counts once, whatever its labels."""
    order = _ranks(survey)
    systems: dict[str, dict[str, Trace]] = defaultdict(dict)
    for trace in survey.traces:
        if trace.ground and trace.hw:
            systems[trace.crs].setdefault(trace.photo_where, trace)
    inside: dict[str, list[_Meeting]] = defaultdict(list)
    across: dict[str, list[_Meeting]] = defaultdict(list)
    for photos in systems.values():
        traces = list(photos.values())
        affines = np.frombuffer(b"".join(trace.ground for trace in traces), np.float64).reshape(-1, 6)
        hw = np.array([trace.hw for trace in traces], np.float64)
        own, others = overlaps(affines, hw, np.array([order[trace.split] for trace in traces]))
        for found, meetings in ((inside, own), (across, others)):
            for meeting in meetings:
                found[traces[meeting.one].split].append(_met(traces, meeting))
    placed = Counter(trace.split for photos in systems.values() for trace in photos.values())
    for split in sorted(across, key=lambda name: order[name]):
        yield _leak(split, across[split], placed[split])
    for split in sorted(inside, key=lambda name: order[name]):
        yield _twice(split, inside[split], placed[split])


def _ranks(survey: Survey) -> dict[str, int]:
    """Number the splits: train before val before test before all others, so that a leak is told of what is scored."""
    names = {trace.split for trace in survey.traces}
    usual = [name for name in _USUAL if name in names]
    return {name: rank for rank, name in enumerate([*usual, *sorted(names - set(usual))])}


def _met(traces: list[Trace], meeting: Overlap) -> _Meeting:
    return _Meeting(traces[meeting.one], traces[meeting.other], meeting.pixels)


def _leak(split: str, meetings: list[_Meeting], placed: int) -> Located:
    partners = Counter(meeting.other.split for meeting in meetings)
    named = " and ".join(f"{name!r}" for name in sorted(partners))
    return _located(
        "warning",
        meetings,
        f"{len(meetings)} of {placed} photos of {split!r} show ground that photos of {named} show too",
        "split by place, so that no ground lies in two splits: what was trained on is scored. Where the photos do not "
        "show one place, their georeferencing is wrong",
    )


def _twice(split: str, meetings: list[_Meeting], placed: int) -> Located:
    there = f" of {split!r}" if split else ""
    return _located(
        "info",
        meetings,
        f"{len(meetings)} of {placed} photos{there} overlap another one of them on the ground",
        "keep overlapping photos in one split, as they are now; what several show counts several times",
    )


def _located(severity: Literal["warning", "info"], meetings: list[_Meeting], what: str, fix: str) -> Located:
    first = min(meetings, key=lambda meeting: meeting.one.position)
    shared = sum(meeting.pixels for meeting in meetings)
    total = sum(_area(meeting.one) for meeting in meetings)
    finding = Finding(
        "D107",
        severity,
        first.one.where,
        f"{what}: at least {shared:.0f} px, {shared / total:.1%} of their pixels. The first shares "
        f"{first.pixels:.0f} of its {_area(first.one)} px with {first.other.where}"
        + (f" ({first.other.split})" if severity == "warning" else ""),
        fix,
    )
    return Located(first.one.position, finding)


def _area(trace: Trace) -> int:
    height, width = trace.hw or (0, 0)
    return height * width


def _by_name(survey: Survey) -> Iterator[Located]:
    """Tiles that overlap by the pixel offsets in their names; those that say where they lie are judged by that."""
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


def _tiled(survey: Survey) -> dict[str, list[_Tile]]:
    found: dict[str, list[_Tile]] = defaultdict(list)
    for trace in survey.traces:
        match = _TILED.match(PurePosixPath(trace.photo_where).stem) if _is_counted(trace) else None
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


def _is_counted(trace: Trace) -> bool:
    return bool(trace.photo_where and trace.hw and not trace.ground)
