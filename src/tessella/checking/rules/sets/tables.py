"""C: what the class table itself says, beside what the labels hold."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

import numpy as np

from tessella.checking.rule import Located
from tessella.checking.rules.labels.names import plain_name
from tessella.checking.rules.sets.classes import class_pixels, is_root
from tessella.core.classes import IGNORE
from tessella.core.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tessella.checking.survey import Survey, Trace

_UNLABELLED: Final = 0.9
_EMPTY: Final = 0.5
_FEWEST: Final = 10


def alike_names(survey: Survey) -> Iterator[Located]:
    """C105: two classes whose names are one, or differ by case, blanks or the sign between words."""
    by_name: dict[str, list[str]] = defaultdict(list)
    for name in survey.coding.table.names:
        by_name[plain_name(name)].append(name)
    total = dict(zip(survey.coding.table.names, class_pixels(survey).tolist(), strict=False))
    for names in by_name.values():
        if len(names) > 1:
            listed = " and ".join(f"{name!r} ({total[name]} px)" for name in names)
            yield _of_set(
                "C105",
                names[1],
                f"{listed} are two classes, and their names differ only in case, blanks or signs",
                "make one class of them: give the stored values of both to one class, or rename the labels",
            )
    known = survey.coding.name_to_id()
    for name, ids in survey.merged.items():
        index = known.get(name, IGNORE)
        count = f" ({total[survey.coding.table.names[index]]} px)" if index != IGNORE else ""
        yield _of_set(
            "C105",
            name,
            f"the files list {name!r} more than once, with the ids {' and '.join(ids)}: they are read as one "
            f"class{count}",
            "give all annotations of this name one id, or rename one where they are two classes",
        )


def root_class(survey: Survey) -> Iterator[Located]:
    """C106: the first class stands for all others, as exports of supercategories have it, and never occurs."""
    if is_root(survey):
        name = survey.coding.table.names[0]
        yield _of_set(
            "C106",
            name,
            f"the class {name!r} (id 0) never occurs and seems to be the heading that an export puts above the classes",
            "leave it out of the class table (--classes); a network would spend an output on it",
        )


def in_one_photo(survey: Survey) -> Iterator[Located]:
    """C107: a class that a single photo has."""
    counted = survey.counted
    if len(counted) < _FEWEST:
        return
    having: dict[int, list[Trace]] = defaultdict(list)
    for trace in counted:
        for index in np.flatnonzero(_own(trace)[:-1]).tolist():
            having[index].append(trace)
    for index, traces in sorted(having.items()):
        if len(traces) == 1:
            name = survey.coding.table.names[index]
            finding = Finding(
                "C107",
                "info",
                traces[0].label_where,
                f"the class {name!r} occurs in this photo alone of {len(counted)}: it is trained on or scored, "
                "never both",
                "annotate more photos of it, or merge it into another class",
            )
            yield Located(traces[0].position, finding)


def mostly_ignored(survey: Survey) -> Iterator[Located]:
    """C108: nearly all pixels of the set are ignore."""
    total = class_pixels(survey)
    share = total[-1] / max(1, int(total.sum()))
    if share > _UNLABELLED and total[:-1].any():
        yield _of_set(
            "C108",
            "ignore",
            f"{share:.1%} of all pixels are ignore: nothing is learned from them, and nothing there is scored",
            "if what is not annotated is background, say so: name a class 'background', or declare the value",
        )


def mostly_empty(survey: Survey) -> Iterator[Located]:
    """C109: more than half of the labels hold the most frequent class alone."""
    counted = [trace for trace in survey.counted if trace.explained and _own(trace)[:-1].any()]
    total = class_pixels(survey)[:-1]
    if len(counted) < _FEWEST or (total > 0).sum() < 2:
        return
    usual = int(total.argmax())
    empty = [trace for trace in counted if _own(trace)[usual] == _own(trace)[:-1].sum()]
    if len(empty) > _EMPTY * len(counted):
        finding = Finding(
            "C109",
            "info",
            empty[0].label_where,
            f"{len(empty)} of {len(counted)} labels hold nothing but {survey.coding.table.names[usual]!r}",
            "nothing, when the photos really show nothing else; half of them would teach as much in half the time",
        )
        yield Located(empty[0].position, finding)


def _own(trace: Trace) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.zeros(1, np.int64) if trace.pixels is None else trace.pixels


def _of_set(code: str, where: str, what: str, fix: str) -> Located:
    return Located(None, Finding(code, "warning", where, what, fix))
