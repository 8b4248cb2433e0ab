"""L: ids that are shifted, turned round, or instance numbers: what only all masks together can say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from tessella.checking.rule import Located
from tessella.core.classes import IGNORE
from tessella.core.finding import Finding
from tessella.formats.raster.labels import BACKGROUND_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tessella.checking.survey import Survey, Trace

_FEWEST: Final = 4
"""With fewer masks nothing is said of a set."""

_MOSTLY: Final = 0.9
_RARELY: Final = 0.1


def one_based(survey: Survey) -> Iterator[Located]:
    """L106: the ids count from 1 where the class table counts from 0."""
    masks, stored = _masks(survey), _stored(survey)
    declared = set(survey.coding.value_to_id()) - set(survey.coding.ignore_values)
    beyond = max(declared, default=0) + 1
    if survey.discovered or len(masks) < _FEWEST or len(declared) < 2 or declared != set(range(beyond)):
        return
    if 0 in stored or beyond not in stored or not stored - _ignored(survey) <= set(range(1, beyond + 1)):
        return
    first = next(trace for trace in masks if beyond in (trace.stored or ()))
    names = survey.coding.table.names
    yield Located(
        first.position,
        Finding(
            "L106",
            "error",
            first.label_where,
            f"the ids count from 1: over {len(masks)} masks 0 never occurs and {beyond} does, while the table declares "
            f"0 to {beyond - 1}; every pixel is read as the class after its own",
            f"declare the stored values in the class table: values = [1] for {names[0]!r}, [2] for {names[1]!r}, ...",
        ),
    )


def shifted(survey: Survey) -> Iterator[Located]:
    """L107: all stored values lie one below or above what the table declares, in some other way than L106."""
    masks, stored = _masks(survey), _stored(survey)
    declared = set(survey.coding.value_to_id())
    own = stored - _ignored(survey)
    if survey.discovered or len(masks) < _FEWEST or len(own) < 3 or own <= declared:
        return
    contiguous = declared - _ignored(survey) == set(range(max(declared - _ignored(survey), default=0) + 1))
    for by in (1, -1):
        if {value + by for value in own} <= declared - _ignored(survey) and not (by == -1 and contiguous):
            way = "below" if by == 1 else "above"
            stray = min(own - declared)
            first = next(trace for trace in masks if stray in (trace.stored or ()))
            yield Located(
                first.position,
                Finding(
                    "L107",
                    "error",
                    first.label_where,
                    f"all {len(own)} values of {len(masks)} masks lie one {way} a declared one, and {stray} is in no "
                    "class: the ids are probably shifted by one",
                    f"find out whether the masks or the table are right; declare values that are one {way}",
                ),
            )
            return


def turned_round(survey: Survey) -> Iterator[Located]:
    """L108: in a set of two classes, a mask in which the two are exchanged."""
    masks = _two_classed(survey)
    if len(masks) < 2 * _FEWEST:
        return
    rims, shares = np.array([trace.rim for trace in masks]), np.array([_share(trace) for trace in masks])
    # most masks have one class all around and in most of the picture: then the other is what is annotated
    usual = 0 if np.median(rims) <= 0.5 else 1
    around = rims if usual == 1 else 1 - rims
    most = shares if usual == 1 else 1 - shares
    if np.mean((around >= _MOSTLY) & (most >= 0.5)) < _MOSTLY:
        return
    names = survey.coding.table.names
    for place in np.flatnonzero((around <= _RARELY) & (most < 0.5) & (most > 0)):
        trace = masks[place]
        yield Located(
            trace.position,
            Finding(
                "L108",
                "warning",
                trace.label_where,
                f"{names[1 - usual]!r} fills {1 - most[place]:.0%} of this mask and {1 - around[place]:.0%} of its "
                f"rim, where {np.mean(around >= _MOSTLY):.0%} of the masks have {names[usual]!r} there: the two may be "
                "exchanged here",
                "look at the mask over its photo; exchange the two values if they are",
            ),
        )


def polarity(survey: Survey) -> Iterator[Located]:
    """L109: in all masks the class called background is what is surrounded, and the other what surrounds it."""
    masks = _two_classed(survey)
    folded = [name.casefold() for name in survey.coding.table.names]
    back = next((place for place, name in enumerate(folded) if name in BACKGROUND_NAMES), None)
    if survey.discovered or back is None or len(masks) < _FEWEST:
        return
    rims, shares = np.array([trace.rim for trace in masks]), np.array([_share(trace) for trace in masks])
    rim = float(np.mean(rims if back == 1 else 1 - rims))
    share = float(np.mean(shares if back == 1 else 1 - shares))
    if rim > 0.25 or share > 0.4:
        return
    confidence = "high" if rim < 0.05 and share < 0.25 else "moderate"
    yield Located(
        masks[0].position,
        Finding(
            "L109",
            "warning" if confidence == "high" else "info",
            masks[0].label_where,
            f"{survey.coding.table.names[back]!r} has {share:.0%} of the pixels of {len(masks)} masks and {rim:.0%} of "
            f"their rims: the two classes may be exchanged in all of them ({confidence} confidence)",
            "look at a mask over its photo; if they are, exchange their values in the class table",
        ),
    )


def instance_numbers(survey: Survey) -> Iterator[Located]:
    """L118: discovered classes that are numbers of objects: each mask counts anew from 1."""
    masks = _masks(survey)
    if not survey.discovered or len(survey.coding.table) < 20 or len(masks) < _FEWEST:
        return
    tops = []
    for trace in masks:
        values = [value for value in trace.stored or () if value not in _ignored(survey)]
        if values and len(values) > 1:
            tops.append(values[-1])
            if len(values) < 0.9 * (values[-1] + (values[0] == 0)):
                return  # ids of classes have gaps: not every photo shows every class
    if len(tops) < _FEWEST or np.std(tops) < 0.1 * np.mean(tops):
        return
    yield Located(
        masks[0].position,
        Finding(
            "L118",
            "warning",
            masks[0].label_where,
            f"the values look like numbers of objects, not classes: each of {len(tops)} masks counts from 1 without a "
            f"gap, up to {min(tops)} in one and {max(tops)} in another",
            "write one value per class, or declare all of them as values of one class",
        ),
    )


def _masks(survey: Survey) -> list[Trace]:
    return [trace for trace in survey.traces if trace.stored is not None]


def _stored(survey: Survey) -> set[int]:
    return {value for trace in _masks(survey) for value in trace.stored or ()}


def _ignored(survey: Survey) -> set[int]:
    return set(survey.coding.ignore_values) | ({IGNORE} - set(survey.coding.value_to_id()))


def _two_classed(survey: Survey) -> list[Trace]:
    """Return the masks of a set of two classes in which either occurs."""
    return [trace for trace in survey.traces if trace.rim is not None and trace.pixels is not None and _total(trace)]


def _total(trace: Trace) -> int:
    return 0 if trace.pixels is None else int(trace.pixels[:2].sum())


def _share(trace: Trace) -> float:
    """Return the share of the class of id 1."""
    return 0.0 if trace.pixels is None else float(trace.pixels[1]) / _total(trace)
