"""D: photos that are nearly the same, or one changed into another, found without comparing all with all."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from tessella.checking.rule import Located
from tessella.core.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tessella.checking.measures.likeness import Pair
    from tessella.checking.survey import Survey, Trace
    from tessella.core.finding import Severity

_SHOWN: Final = 3


def near_identical(survey: Survey) -> Iterator[Located]:
    """D103: nearly the same photo more than once in a split."""
    pairs = [pair for pair in survey.similar if not pair.change]
    for group in _groups(survey, pairs):
        by_split: dict[str, list[Trace]] = defaultdict(list)
        for trace in group:
            by_split[trace.split].append(trace)
        for traces in by_split.values():
            if len(traces) > 1:
                yield _alike("D103", "info", traces, "look nearly the same, as frames of a still scene or saved again")


def near_leaked(survey: Survey) -> Iterator[Located]:
    """D104: nearly the same photo in different splits."""
    pairs = [pair for pair in survey.similar if not pair.change]
    for group in _groups(survey, [pair for pair in pairs if _crosses(survey, pair)]):
        counts = ", ".join(f"{len(_of(group, split))} in {split!r}" for split in sorted({one.split for one in group}))
        yield _alike("D104", "warning", group, f"look nearly the same and lie in different splits ({counts})")


def changed_copies(survey: Survey) -> Iterator[Located]:
    """D105: a photo and its mirrored, turned or brighter copy, as augmentation makes them."""
    pairs = [pair for pair in survey.similar if pair.change]
    crossing = [pair for pair in pairs if _crosses(survey, pair)]
    inside = [pair for pair in pairs if not _crosses(survey, pair)]
    for severity, found in (("warning", crossing), ("info", inside)):
        if not found:
            continue
        first, traces = found[0], survey.traces
        across = f", across splits ({traces[first.one].split!r} and {traces[first.other].split!r})"
        finding = Finding(
            "D105",
            "warning" if severity == "warning" else "info",
            traces[first.other].where,
            f"{len(found)} pairs of photos are copies of each other, changed as augmentation does"
            f"{across if severity == 'warning' else ''}: this one is {traces[first.one].where}, {first.change}",
            "keep the originals alone: Tessella augments while it trains, and copies in two splits falsify the score",
        )
        yield Located(first.other, finding)


def _groups(survey: Survey, pairs: Sequence[Pair]) -> list[list[Trace]]:
    """Join pairs into groups of photos that belong together, in the order of the data set."""
    root: dict[int, int] = {}

    def top(position: int) -> int:
        while root.setdefault(position, position) != position:
            root[position] = root[root[position]]
            position = root[position]
        return position

    for pair in pairs:
        root[top(pair.other)] = top(pair.one)
    groups: dict[int, list[Trace]] = defaultdict(list)
    for position in sorted(root):
        groups[top(position)].append(survey.traces[position])
    return list(groups.values())


def _crosses(survey: Survey, pair: Pair) -> bool:
    one, other = survey.traces[pair.one], survey.traces[pair.other]
    return bool(one.split and other.split) and one.split != other.split


def _of(group: list[Trace], split: str) -> list[Trace]:
    return [trace for trace in group if trace.split == split]


def _alike(code: str, severity: Severity, group: list[Trace], what: str) -> Located:
    first, *others = group
    listed = ", ".join(trace.where for trace in others[:_SHOWN])
    more = f" and {len(others) - _SHOWN} more" if len(others) > _SHOWN else ""
    finding = Finding(
        code,
        severity,
        first.where,
        f"{len(group)} photos {what}: this one, {listed}{more}",
        "keep one of them, or keep all in one split"
        if code == "D104"
        else "nothing, when they are meant; many of them teach no more than one",
    )
    return Located(first.position, finding)
