"""N: specks, holes, ragged and blocky borders, and annotators who disagree."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from tessella.checking.rule import Located
from tessella.core.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tessella.checking.survey import Survey, Trace
    from tessella.core.finding import Severity

MANY: Final = 10
"""So many specks or holes in one mask are worth a word; a few are everywhere."""

RAGGED: Final = 0.4
"""Share of as many pixels as lie on borders that a median of 3 x 3 changes, from which borders are called ragged."""

_TAKEN: Final = 0.5
_FEWEST: Final = 4


def specks(survey: Survey) -> Iterator[Located]:
    """N101: many tiny patches of a class within another."""
    found = {position: noise.specks for position, noise in survey.noise.items() if noise.specks >= MANY}
    if found:
        worst = max(found, key=lambda position: found[position])
        noise = survey.noise[worst]
        yield _worst(
            survey,
            "N101",
            worst,
            what=f"{noise.specks} specks of at most {noise.largest} px, the first at row {noise.first_speck[0]}, "
            f"column {noise.first_speck[1]}; {_among(survey, len(found))}",
            fix="remove them if they are slips of a brush or a threshold; they are learned and scored like all pixels",
        )


def holes(survey: Survey) -> Iterator[Located]:
    """N102: many tiny holes in the patches of a mask."""
    found = {position: noise.holes for position, noise in survey.noise.items() if noise.holes >= MANY}
    if found:
        worst = max(found, key=lambda position: found[position])
        noise = survey.noise[worst]
        yield _worst(
            survey,
            "N102",
            worst,
            what=f"{noise.holes} holes of at most {noise.largest} px, the first at row {noise.first_hole[0]}, column "
            f"{noise.first_hole[1]}; {_among(survey, len(found))}",
            fix="fill them if they are gaps between brush strokes",
        )


def blocky(survey: Survey) -> Iterator[Located]:
    """N103: masks made of square blocks: they were drawn or stored smaller, and enlarged."""
    masks = [trace for trace in survey.traces if trace.runs is not None and trace.runs.borders >= 40]
    sides = Counter(trace.runs.block for trace in masks if trace.runs is not None)
    found = [trace for trace in masks if trace.runs is not None and trace.runs.block > 1]
    if len(found) < _FEWEST and len(found) < len(masks):
        return
    if found:
        sides.pop(1, None)
        side = sides.most_common(1)[0][0]
        finding = Finding(
            "N103",
            "info",
            found[0].label_where,
            f"{len(found)} of {len(masks)} masks consist of square blocks, mostly of {side}x{side} px: they were drawn "
            f"at a {side}th of the size and enlarged, so borders are off by up to {side / 2:.0f} px",
            "train at a smaller size, or take the masks at the size of the photos; scores near borders mean little",
        )
        yield Located(found[0].position, finding)


def ragged(survey: Survey) -> Iterator[Located]:
    """N104: borders that a median filter would straighten nearly everywhere."""
    found = {position: noise.ragged for position, noise in survey.noise.items() if noise.ragged >= RAGGED}
    if found:
        worst = max(found, key=lambda position: found[position])
        yield _worst(
            survey,
            "N104",
            worst,
            what=f"a median of 3x3 pixels would change {found[worst]:.0%} as many pixels as lie on borders; "
            f"{_among(survey, len(found))}",
            fix="smooth the masks with a median filter of 3x3 px if the objects have smooth outlines",
        )


def annotators_disagree(survey: Survey) -> Iterator[Located]:
    """N105: people who annotated one photo in different ways, or two labels of the identical photo that differ."""
    kept: dict[str, Trace] = {}
    for trace in survey.traces:
        if trace.dispute is not None:
            share, (one, other), annotators, (row, column) = trace.dispute
            most = f", of {annotators} annotators the two furthest apart," if annotators > 2 else ""
            what = f"{one} and {other}{most} agree in {share:.1%} of the pixels; they first differ at row {row}, "
            yield Located(trace.position, _disagreement(trace, share, f"{what}column {column}"))
        if trace.photo_digest and trace.label_digest:
            first = kept.setdefault(trace.photo_digest, trace)
            if first is not trace and trace.agreement is not None:
                what = (
                    f"the labels of this photo and of its copy {first.photo_where} agree in {trace.agreement:.1%} of "
                )
                yield Located(trace.position, _disagreement(trace, trace.agreement, f"{what}the pixels"))


def _disagreement(trace: Trace, share: float, what: str) -> Finding:
    severity: Severity = "warning" if share < _TAKEN else "info"
    cure = "decide which is right; no network can be scored higher than annotators agree"
    return Finding("N105", severity, trace.label_where, what, cure)


def _worst(survey: Survey, code: str, position: int, *, what: str, fix: str) -> Located:
    return Located(position, Finding(code, "info", survey.traces[position].label_where, what, fix))


def _among(survey: Survey, found: int) -> str:
    masks = sum(trace.runs is not None for trace in survey.traces)
    many = "1 such mask" if found == 1 else f"{found} such masks"
    return f"{many} among the {len(survey.noise)} of {masks} that were looked at closely"
