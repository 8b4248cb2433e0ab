"""D: the same photo more than once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tessella.checking.rule import Located
from tessella.core.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tessella.checking.survey import Survey, Trace

KEEPING = ("test", "val")
"""A photo that also lies in the first of these splits stays there: what is scored must not be trained on."""


def identical(survey: Survey) -> Iterator[Located]:
    """D101: identical photos in one split; information where one of them has no label and so is not used."""
    for group in _groups(survey):
        labelled = [trace for trace in group if trace.label_where]
        for split in sorted({trace.split for trace in labelled}):
            first, *others = [trace for trace in labelled if trace.split == split]
            for other in others:
                yield Located(other.position, _twin(first, other))
        kept = labelled[0] if labelled else group[0]
        for other in group:
            if other is not kept and not other.label_where:
                yield Located(other.position, _unused(kept, other))


def leaked(survey: Survey) -> Iterator[Located]:
    """D102: identical labelled photos in different splits: the score would be that of photos seen in training."""
    for group in _groups(survey):
        used = [trace for trace in group if trace.label_where and trace.split]
        splits = {trace.split for trace in used}
        if len(splits) < 2:
            continue
        home = min(splits, key=lambda split: (KEEPING.index(split) if split in KEEPING else len(KEEPING), split))
        kept = next(trace for trace in used if trace.split == home)
        for other in used:
            if other.split != home:
                yield Located(other.position, _leak(kept, other))


def _groups(survey: Survey) -> list[list[Trace]]:
    found: dict[str, list[Trace]] = {}
    for trace in survey.traces:
        if trace.photo_digest:
            found.setdefault(trace.photo_digest, []).append(trace)
    return [group for group in found.values() if len(group) > 1]


def _twin(first: Trace, other: Trace) -> Finding:
    same = _same_label(first, other)
    leave = "leave one of the two out (--fix leaves this one out)"
    return Finding(
        "D101",
        "warning",
        other.where,
        f"the same photo as {first.where}, with {'the same' if same else 'another'} label",
        leave if same else "decide which label is right, and delete the other photo",
        same,
    )


def _unused(kept: Trace, other: Trace) -> Finding:
    which = "neither has a label" if not kept.label_where else "which has a label, while this one has none"
    return Finding(
        "D101",
        "info",
        other.where,
        f"the same photo as {kept.where}, {which}",
        "leave it out, so that nobody annotates it twice",
    )


def _leak(kept: Trace, other: Trace) -> Finding:
    same = _same_label(kept, other)
    label = "the same" if same else "another"
    return Finding(
        "D102",
        "error",
        other.where,
        f"in {other.split!r}, the same photo as {kept.where} in {kept.split!r}, with {label} label",
        f"leave it out of {other.split!r} (--fix does)"
        if same
        else "decide which label is right, and delete the other photo",
        same,
    )


def _same_label(first: Trace, other: Trace) -> bool:
    # a label that cannot be read has no digest, and equals nothing
    return first.label_digest == other.label_digest != ""
