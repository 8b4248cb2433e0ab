"""C: what the whole set says of its classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from tessella.checking.rule import Located
from tessella.checking.rules.labels.names import plain_name
from tessella.core.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from tessella.checking.survey import Survey

RARE = 0.01
"""A class with a smaller share of the labelled pixels than this..."""

RATIO = 20
"""...and this many times smaller than the largest is called rare."""


ROOT_NAMES: Final = frozenset(
    {"objects", "object", "root", "supercategory", "all", "thing", "things", "none", "classes"}
)
"""Names of the row that exports put above the classes; nothing is ever annotated with it."""


def never_occurs(survey: Survey) -> Iterator[Located]:
    """C101: a class of the table that no pixel of the set has."""
    total = class_pixels(survey)
    if not total[:-1].any():
        return  # nothing could be counted at all: other rules say why
    heading = is_root(survey)  # C106 says more of it
    for index, (name, count) in enumerate(zip(survey.coding.table.names, total, strict=False)):
        if count == 0 and not (heading and index == 0):
            finding = Finding(
                "C101",
                "warning",
                name,
                f"the class {name!r} never occurs",
                "remove it from the class table, or correct its stored value, colour or name there",
            )
            yield Located(None, finding)


def only_in_one_split(survey: Survey) -> Iterator[Located]:
    """C102: a class that is trained but never scored, or scored but never trained.

    Where the data set states no splits and ours are drawn by chance, another seed may settle it: information.
    """
    splits = sorted({trace.split for trace in survey.counted})
    by_split = {split: class_pixels(survey, split) for split in splits}
    # a test split without labels says nothing of its classes
    by_split = {split: counts for split, counts in by_split.items() if counts[:-1].any()}
    if len(by_split) < 2:
        return
    for index, name in enumerate(survey.coding.table.names):
        having = [split for split, counts in by_split.items() if counts[index]]
        if len(having) == 1:
            others = ", ".join(repr(split) for split in by_split if split != having[0])
            finding = Finding(
                "C102",
                "warning" if survey.given_splits else "info",
                name,
                f"the class {name!r} occurs in the split {having[0]!r} only, not in {others}",
                "move some of its photos, or annotate more of them; otherwise it is trained or scored, never both",
            )
            yield Located(None, finding)


def all_ignore(survey: Survey) -> Iterator[Located]:
    """C103: a label whose every pixel is ignore."""
    for trace in survey.counted:
        pixels = _pixels(trace.pixels)
        if trace.explained and pixels[-1] and not pixels[:-1].any():
            finding = Finding(
                "C103",
                "warning",
                trace.label_where,
                "every pixel of this label is ignore, so nothing is learned from it",
                "annotate it, or move it out; if ignore is a class here, correct the class table",
            )
            yield Located(trace.position, finding)


def all_one_class(survey: Survey) -> Iterator[Located]:
    """C104: a label with a single class.

    Photos without a defect, a cell or a house are normal and useful, so this is information; it becomes a warning
    when the single class is one that other photos hold beside a far more frequent one (a mask filled by mistake).
    """
    total = class_pixels(survey)[:-1]
    if (total > 0).sum() < 2:
        return  # one class in the whole set: C101 names the missing ones
    background = int(total.argmax())
    alone, having = _photos_by_class(survey)
    for trace in survey.counted:
        counts = _pixels(trace.pixels)[:-1]
        if not trace.explained or (counts > 0).sum() != 1:
            continue
        index = int(counts.argmax())
        # at least five other photos have this class, and in every one of them others beside it
        odd = index != background and alone[index] == 1 and having[index] - 1 >= 5
        finding = Finding(
            "C104",
            "warning" if odd else "info",
            trace.label_where,
            f"every labelled pixel is {survey.coding.table.names[index]!r}" + (", in this photo alone" if odd else ""),
            "look whether the label was filled by mistake"
            if odd
            else "nothing, when the photo really shows nothing else",
        )
        yield Located(trace.position, finding)


def imbalance(survey: Survey) -> Iterator[Located]:
    """C110: classes that are rare beside the others."""
    total = class_pixels(survey)[:-1]
    if not total.any():
        return
    share = total / total.sum()
    rare = [
        index
        for index in np.argsort(share, kind="stable")
        if 0 < share[index] < RARE and share.max() > RATIO * share[index]
    ]
    if rare:
        names = survey.coding.table.names
        listed = ", ".join(f"{names[index]!r} {share[index]:.2%}" for index in rare[:5])
        more = f" and {len(rare) - 5} more" if len(rare) > 5 else ""
        largest = f"{share.max():.1%} {names[int(share.argmax())]!r}"
        finding = Finding(
            "C110",
            "info",
            names[rare[0]],
            f"rare classes: {listed}{more} of the labelled pixels, against {largest}",
            "nothing: the planner weighs classes and favours crops with rare ones; more photos of them help most",
        )
        yield Located(None, finding)


def class_pixels(survey: Survey, split: str | None = None) -> NDArray[np.int64]:
    """Return (K + 1,) int64: pixels by class over the set, or over one split; the last entry counts ignore."""
    counts = [_pixels(trace.pixels) for trace in survey.counted if split is None or trace.split == split]
    return np.sum(counts, axis=0, dtype=np.int64) if counts else np.zeros(len(survey.coding.table) + 1, np.int64)


def is_root(survey: Survey) -> bool:
    """Whether the first class of the table is a heading: its name says so, nothing has it, and others occur."""
    names, total = survey.coding.table.names, class_pixels(survey)
    if len(names) < 2 or total[0] or not total[1:-1].any():
        return False
    first = plain_name(names[0])
    parts = sum(first in plain_name(other) or first.rstrip("s") in plain_name(other) for other in names[1:])
    return first in ROOT_NAMES or (len(first) >= 4 and parts >= 2)


def _pixels(pixels: NDArray[np.int64] | None) -> NDArray[np.int64]:
    return np.zeros(0, np.int64) if pixels is None else pixels


def _photos_by_class(survey: Survey) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Count the photos that have a class and no other, and those that have it at all: (K,) int64 each."""
    alone, having = (np.zeros(len(survey.coding.table), np.int64) for _ in range(2))
    for trace in survey.counted:
        present = _pixels(trace.pixels)[:-1] > 0
        having += present
        if present.sum() == 1:
            alone += present
    return alone, having
