"""D: the same photo more than once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tessella.check.rule import Located
from tessella.core.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tessella.check.survey import Survey, Trace

KEEPING = ("test", "val")
"""A photo that also lies in the first of these splits stays there: what is scored must not be trained on."""


def identical(survey: Survey) -> Iterator[Located]:
    """D101: identical photos in one split."""
    for group in _groups(survey):
        for split in sorted({trace.split for trace in group}):
            first, *others = [trace for trace in group if trace.split == split]
            for other in others:
                yield Located(other.position, _twin(first, other))


def leaked(survey: Survey) -> Iterator[Located]:
    """D102: identical photos in different splits: the score would be that of photos seen in training."""
    for group in _groups(survey):
        splits = {trace.split for trace in group}
        if len(splits) < 2:
            continue
        home = min(splits, key=lambda split: (KEEPING.index(split) if split in KEEPING else len(KEEPING), split))
        kept = next(trace for trace in group if trace.split == home)
        for other in group:
            if other.split != home:
                yield Located(other.position, _leak(kept, other))


def _groups(survey: Survey) -> list[list[Trace]]:
    found: dict[str, list[Trace]] = {}
    for trace in survey.traces:
        if trace.photo_digest:
            found.setdefault(trace.photo_digest, []).append(trace)
    return [group for group in found.values() if len(group) > 1]


def _twin(first: Trace, other: Trace) -> Finding:
    same = first.label_digest == other.label_digest
    return Finding(
        "D101",
        "warning",
        other.where,
        f"the same photo as {first.where}, {_labels(first, other)}",
        "leave one of the two out (--fix leaves this one out)"
        if same
        else "decide which label is right, and delete the other photo",
        same,
    )


def _leak(kept: Trace, other: Trace) -> Finding:
    same = kept.label_digest == other.label_digest
    return Finding(
        "D102",
        "error",
        other.where,
        f"in {other.split!r}, the same photo as {kept.where} in {kept.split!r}, {_labels(kept, other)}",
        f"leave it out of {other.split!r} (--fix does)"
        if same
        else "decide which label is right, and delete the other photo",
        same,
    )


def _labels(first: Trace, other: Trace) -> str:
    if not first.label_digest or not other.label_digest:
        return "and one of them has no label" if first.label_digest != other.label_digest else "neither has a label"
    return "with the same label" if first.label_digest == other.label_digest else "with another label"
