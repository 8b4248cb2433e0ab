"""L: what the colours of palettes and of colour masks say beside the ids."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

import numpy as np

from tessella.checking.looking.declared import declared_colours
from tessella.checking.looking.shown import shown_colours
from tessella.checking.rule import Change, Located, Mend
from tessella.core.annotation import StoredMask
from tessella.core.classes import voc_colour
from tessella.core.finding import Finding
from tessella.formats.driving.labels import BY_ID as TRAINED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from tessella.checking.looking.look import Look, Strays
    from tessella.checking.survey import Survey, Trace
    from tessella.core.classes import Colour

SINGLE_VALUED = frozenset({"index-mask", "voc", "camvid"})
"""Formats whose masks hold ids, not colours."""

SLIGHT: Final = 8
"""A colour that is off by no more than this in each channel, where the next declared one is three times as far, is a
slip of a colour profile or of a tool's rounding."""

_PALETTES: Final = {
    "PASCAL VOC": tuple(voc_colour(index) for index in range(21)),
    "Cityscapes": (*TRAINED.table.colours, (0, 0, 0)),
}


def luma(colour: Colour) -> int:
    """Return what `convert("L")` makes of a colour (ITU-R BT.601, in Pillow's integers)."""
    red, green, blue = colour
    return (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16


def luma_of_palette(survey: Survey) -> Iterator[Located]:
    """L113: grey masks that are the brightness of a palette's colours, from a conversion to grey."""
    masks = [trace for trace in survey.traces if trace.stored is not None and trace.palette is None]
    values = {value for trace in masks for value in trace.stored or ()} - {0, 255}
    if len(values) < 3 or (not survey.discovered and values <= set(survey.coding.value_to_id())):
        return
    palettes = dict(_PALETTES)
    if not survey.discovered:
        palettes = {"the class table": survey.coding.table.colours} | palettes
    for name, colours in palettes.items():
        by_luma = {luma(colour): place for place, colour in reversed(list(enumerate(colours)))}
        if values <= set(by_luma) and max(values) >= len(colours):
            brightest = max(values)
            first = next(trace for trace in masks if brightest in (trace.stored or ()))
            yield Located(
                first.position,
                Finding(
                    "L113",
                    "error" if len(values) > 3 else "warning",
                    first.label_where,
                    f"the values {_some(values)} are the brightness of colours of {name} (id {by_luma[brightest]} has "
                    f"become {brightest}): these {len(masks)} masks were converted to grey, which destroys the ids",
                    "take the palette or colour masks again and keep their indices; "
                    'convert("L") and grey flags turn ids into brightness',
                ),
            )
            return


def slightly_off(look: Look) -> Iterator[Finding]:
    """L114: colours that are off by a few from declared ones."""
    strays = look.strays
    if look.mask is None or strays is None or not is_slight(look):
        return
    colour, count = max(strays.counts.items(), key=lambda item: item[1])
    meant = _nearest(look, colour)
    yield Finding(
        "L114",
        "error",
        look.label_where,
        f"{len(strays.counts)} colours ({strays.pixels} px) are off by a few from declared ones: {colour} ({count} px) "
        f"instead of {meant}; first at row {strays.first[0]}, column {strays.first[1]}",
        "give them the declared colour (--fix does); export masks without a colour profile",
        True,
    )


def is_slight(look: Look) -> bool:
    """Whether every undeclared colour of a mask lies close to one declared colour and far from all others."""
    strays = look.strays
    if look.mask is None or not look.mask.is_colour or strays is None or strays.kind != "stray":
        return False
    if look.format in SINGLE_VALUED:
        return False  # L102
    near, next_near = _distances(look, strays)
    return bool(((near <= SLIGHT) & (next_near >= 3 * np.maximum(near, 1)) & (next_near > SLIGHT)).all())


def snap_slight(look: Look) -> Mend:
    """Give every slightly different colour the declared one (L114)."""
    mask, strays = look.mask, look.strays
    if mask is None or strays is None:
        raise TypeError(f"{look.label_where} has no stray colours")  # repairs run only where the rule fired
    pixels = np.array(mask.pixels, np.uint8)
    changes = []
    for colour, count in strays.counts.items():
        meant = _nearest(look, colour)
        pixels[(pixels[..., :3] == colour).all(axis=2), :3] = meant
        changes.append(Change(f"{count} px of {colour} became {meant}"))
    return Mend(StoredMask(pixels, mask.mode, mask.palette, mask.orientation), tuple(changes))


def other_colours(survey: Survey) -> Iterator[Located]:
    """L116: palettes that show ids in the colours of other classes."""
    if survey.discovered:
        return
    names, colours = survey.coding.table.names, survey.coding.table.colours
    ids, by_colour = survey.coding.value_to_id(), {colour: place for place, colour in enumerate(colours)}
    by_kind: dict[tuple[tuple[int, int], ...], list[Trace]] = defaultdict(list)
    for trace in survey.traces:
        crossed = tuple(
            (ids[value], by_colour[colour])
            for value, colour in shown_colours(trace.palette, trace.stored)
            if value in ids and ids[value] < len(names) and by_colour.get(colour, ids[value]) != ids[value]
        )
        if len(crossed) >= 2:
            by_kind[crossed].append(trace)
    for crossed, traces in by_kind.items():
        listed = ", ".join(f"{names[one]!r} in the colour of {names[other]!r}" for one, other in crossed[:3])
        finding = Finding(
            "L116",
            "warning",
            traces[0].label_where,
            f"the palette of {len(traces)} masks shows {listed}: ids and colours contradict each other",
            "find out which of the two is right; a picture program may have sorted the palette",
        )
        yield Located(traces[0].position, finding)


def palettes_contradict(survey: Survey) -> Iterator[Located]:
    """L117: one colour stands for different ids in different masks: each file got a palette of its own."""
    shown = [(trace, shown_colours(trace.palette, trace.stored)) for trace in survey.traces if trace.palette]
    ids_of: dict[Colour, dict[int, Trace]] = defaultdict(dict)
    for trace, pairs in shown:
        for value, colour in pairs:
            ids_of[colour].setdefault(value, trace)
    # twins within one palette say nothing: unused and void entries are often black
    moved = {
        colour: found
        for colour, found in ids_of.items()
        if len(found) > 1 and colour != (0, 0, 0) and len({trace.position for trace in found.values()}) > 1
    }
    if len(moved) < 2 or len(moved) < len(ids_of) / 2:
        return
    colour, found = max(moved.items(), key=lambda item: len(item[1]))
    (one, first), (two, other) = list(found.items())[:2]
    finding = Finding(
        "L117",
        "warning",
        other.label_where,
        f"the colour {colour} is id {two} here and id {one} in {first.label_where}, and so with {len(moved)} of "
        f"{len(ids_of)} colours: each mask seems to have a palette of its own, in which an id means nothing",
        "convert the masks by their colours (RGB), not by their ids; quantising picture by picture makes such palettes",
    )
    yield Located(other.position, finding)


def twin_colours(survey: Survey) -> Iterator[Located]:
    """L115: two ids that a palette shows in one colour: two codings of what may be one class."""
    if survey.discovered and len(survey.coding.table) > 64:
        return
    seen: dict[tuple[int, int, Colour], list[Trace]] = defaultdict(list)
    for trace in survey.traces:
        first: dict[Colour, int] = {}
        for value, colour in shown_colours(trace.palette, trace.stored):
            if (also := first.setdefault(colour, value)) != value:
                seen[also, value, colour].append(trace)
    ids = survey.coding.value_to_id()
    for (one, other, colour), traces in seen.items():
        if one in ids and other in ids and ids[one] == ids[other]:
            continue  # declared as one class
        finding = Finding(
            "L115",
            "warning",
            traces[0].label_where,
            f"the values {one} and {other} have one colour, {colour}, and occur together in {len(traces)} masks: "
            "nobody can tell them apart by eye, and they may be one class",
            "if they are, declare both values for that class; else give them different colours",
        )
        yield Located(traces[0].position, finding)


def _distances(look: Look, strays: Strays) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return for each stray colour how far the nearest declared one is, and the next."""
    declared = declared_colours(look.coding).astype(np.int64)
    found = np.array(list(strays.counts), np.int64)
    apart = np.sort(np.abs(found[:, None] - declared[None]).max(axis=2), axis=1)
    return apart[:, 0], apart[:, 1] if apart.shape[1] > 1 else np.full(len(found), 255)


def _nearest(look: Look, colour: object) -> Colour:
    declared = declared_colours(look.coding).astype(np.int64)
    red, green, blue = declared[int(np.abs(declared - np.array(colour)).max(axis=1).argmin())].tolist()
    return red, green, blue


def _some(values: set[int]) -> str:
    listed = ", ".join(map(str, sorted(values)[:6]))
    return listed if len(values) <= 6 else f"{listed} and {len(values) - 6} more"
