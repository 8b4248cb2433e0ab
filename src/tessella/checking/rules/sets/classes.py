"""C: what the whole set says of its classes."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import numpy as np

from tessella.checking.rule import Located
from tessella.checking.rules.labels.names import plain_name
from tessella.core.classes import IGNORE
from tessella.core.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from tessella.checking.survey import Survey
    from tessella.core.finding import Severity

RARE = 0.01
"""A class with a smaller share of the labelled pixels than this..."""

RATIO = 20
"""...and this many times smaller than the largest is called rare."""


_MOST_FINDINGS: Final = 10
"""More classes that never occur are told in one finding..."""

_SHOWN: Final = 5
"""...that names so many of them."""

_OWN: Final = {"it": "its stored value, colour or name", "them": "their stored values, colours or names"}

ROOT_NAMES: Final = frozenset(
    {"objects", "object", "root", "supercategory", "all", "thing", "things", "none", "classes"}
)
"""Names of the row that exports put above the classes; nothing is ever annotated with it."""


def never_occurs(survey: Survey) -> Iterator[Located]:
    """C101: a class of the table that no pixel of the set has.

    A published table may well have more classes than a part of its data set: information.
    """
    total = class_pixels(survey)
    if not total[:-1].any():
        return  # nothing could be counted at all: other rules say why
    known = _without_pixels(survey)
    heading = is_root(survey)  # C106 says more of it
    absent = [index for index, count in enumerate(total[:-1]) if count == 0 and not (heading and index == 0)]
    whole, labels = _counted_whole(survey)
    among = f" in the {whole} of {labels} labels that could be counted whole" if whole < labels else ""
    severity: Severity = "info" if survey.published else "warning"
    names = survey.coding.table.names
    missing = [names[index] for index in absent if index not in known]
    if len(missing) > _MOST_FINDINGS:
        listed = ", ".join(map(repr, missing[:_SHOWN]))
        what = f"{len(missing)} of {len(names)} classes never occur{among}: {listed} and {len(missing) - _SHOWN} more"
        yield _absent(missing[0], what, _cure(survey, "them", among=among), severity)
    else:
        for name in missing:
            what = f"the class {name!r} never occurs{among}"
            yield _absent(name, what, _cure(survey, "it", among=among), severity)
    for index in absent:
        if index in known:
            yield _absent(names[index], *known[index])


def _absent(name: str, what: str, fix: str, severity: Severity = "warning") -> Located:
    return Located(None, Finding("C101", severity, name, what, fix))


def _cure(survey: Survey, which: str, *, among: str) -> str:
    if among:
        also = "it" if which == "it" else "they"
        return f"see first to the labels that could not be counted: {also} may occur there"
    if survey.published:
        return f"nothing, where this is a part of the data set: its published table has {which}"
    return f"remove {which} from the class table, or correct {_OWN[which]} there"


def _without_pixels(survey: Survey) -> dict[int, tuple[str, str]]:
    """Return what is known of classes that may have no pixel, by id: what was seen of each, and what to do."""
    table, ids = survey.coding.table, survey.coding.name_to_id()
    boxes: Counter[int] = Counter()
    for name, count in survey.boxed.items():
        boxes[ids.get(name, IGNORE)] += count
    drawn: Counter[int] = Counter()
    for trace in survey.counted:
        for name, count in trace.names.items():
            drawn[ids.get(name, IGNORE)] += count
    found = {}
    for index, name in enumerate(table.names):
        if drawn[index]:
            what = f"the class {name!r} has no pixel: its shapes ({drawn[index]}) lie below others, or cover nothing"
            found[index] = what, "look at its shapes; what lies below a larger shape must be drawn after it"
        elif boxes[index]:
            what = f"the class {name!r} has boxes without outline alone ({boxes[index]}): their pixels are ignored"
            found[index] = what, "draw outlines in the boxes; without them nothing is learned of it"
    return found


def _counted_whole(survey: Survey) -> tuple[int, int]:
    """Return how many labels were counted to their last pixel, and how many labels there are, here or as orphans.

    Not counted are labels that are refused and those whose photo is missing, and of others the values and shapes that
    the table does not explain.
    """
    known = survey.coding.name_to_id().keys()
    labelled = [trace for trace in survey.traces if trace.label_where]
    whole = sum(trace.pixels is not None and trace.explained and trace.names.keys() <= known for trace in labelled)
    return whole, len(labelled) + len(survey.orphan_labels) + len(survey.unread)


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
