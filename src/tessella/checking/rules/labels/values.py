"""L, the part about masks: stored values and colours that the class table does not explain."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from tessella.checking.looking.declared import declared_colours, declared_values, undeclared
from tessella.checking.looking.reading import YES_OR_NO
from tessella.checking.measures.greys import BLUR_GAP, JPEG_GAP, snap
from tessella.checking.rule import Change, Located, Mend, mask_to_mend
from tessella.checking.rules.labels.palettes import SINGLE_VALUED, is_slight
from tessella.core.annotation import StoredMask
from tessella.core.classes import IGNORE, LabelCoding
from tessella.core.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from tessella.checking.looking.look import Look, Strays
    from tessella.checking.survey import Survey, Trace

_FEWEST_MASKS = 10
_TINY_SHARE = 0.001


def stray_values(look: Look) -> Iterator[Finding]:
    """L101: values or colours that no class and no ignore entry stands for."""
    strays = look.strays
    colour = look.mask is not None and look.mask.is_colour
    if strays is None or strays.kind != "stray" or look.uncut is not None:
        return
    if (colour and look.format in SINGLE_VALUED) or is_slight(look):
        return  # the last two are L102's and L114's
    kind = "colours" if colour else "values"
    yield Finding(
        "L101",
        "error",
        look.label_where,
        f"{kind} {_listed(strays)} are in no class; {_place(strays)}",
        "correct these pixels, or declare the values in the class table (as a class, or under [ignore])",
    )


def colours_for_ids(look: Look) -> Iterator[Finding]:
    """L102: an RGB mask in a data set whose masks hold ids."""
    mask = look.mask
    if mask is None or not mask.is_colour or look.format not in SINGLE_VALUED:
        return
    grey = _ids_in_rgb(look)
    if grey is not None:
        what, fixable = "this mask is RGB with three equal channels, which hold the ids", True
    elif look.strays is None:
        what, fixable = "this mask is RGB; its colours are those of the class table", True
    else:
        what, fixable = "this mask is RGB, and its colours are not those of the class table", False
    yield Finding(
        "L102",
        "warning" if fixable else "error",
        look.label_where,
        what,
        "write the ids into one channel" if fixable else "convert it with a class table that gives its colours",
        fixable,
    )


def blurred_mask(look: Look) -> Iterator[Finding]:
    """L103: greys between the declared values, from a mask that was drawn or resized with soft edges."""
    strays = look.strays
    if strays is None or strays.kind != "blurred" or _ids_in_rgb(look) is not None:
        return
    fixable = strays.gap >= BLUR_GAP
    cut = "" if look.uncut is None else "; they are cut at half here, but other programs may read them as classes"
    yield Finding(
        "L103",
        "error" if look.uncut is None else "warning",
        look.label_where,
        f"an anti-aliased mask: {len(strays.counts)} values ({strays.pixels} px) lie between declared ones along the "
        f"edges; {_place(strays)}{cut}",
        _snapping(fixable, "export the mask again without anti-aliasing, and resize masks with nearest neighbour only"),
        fixable,
    )


def compressed_mask(look: Look) -> Iterator[Finding]:
    """L104: a mask that went through JPEG, which changes values around every edge."""
    strays = look.strays
    if look.jpeg_label and strays is None and look.mask is not None and _gap_of(look.coding) < JPEG_GAP:
        yield Finding(
            "L104",
            "error",
            look.label_where,
            "this mask is a JPEG, and its values lie so close together that a changed one looks like another class",
            "export the mask again as PNG",
        )
    if strays is None or strays.kind != "compressed" or _ids_in_rgb(look) is not None:
        return
    fixable = strays.gap >= JPEG_GAP
    made = "this mask is a JPEG" if look.jpeg_label else "this mask was a JPEG once"
    yield Finding(
        "L104",
        "error",
        look.label_where,
        f"{made}: {len(strays.counts)} undeclared values ({strays.pixels} px); {_place(strays)}",
        _snapping(fixable, "export the mask again as PNG; the values lie too close together to be told apart"),
        fixable,
    )


def binary_as_ignore(survey: Survey) -> Iterator[Located]:
    """L105: every mask holds 0 and 255 alone, and 255 means ignore, so that the whole foreground would vanish."""
    masks = [trace for trace in survey.traces if trace.stored is not None]
    stored = {value for trace in masks for value in trace.stored or ()}
    if stored != {0, 255} or survey.coding.value_to_id().get(255) != IGNORE or len(survey.coding.table) < 2:
        return
    fixable = _other_value(survey.coding) is not None
    for trace in masks:
        if 255 in (trace.stored or ()):
            finding = Finding(
                "L105",
                "error",
                trace.label_where,
                "all masks hold 0 and 255 alone, and 255 means ignore: the foreground would not be learned at all",
                "declare 255 as the foreground's stored value in the class table, or store the class id instead of 255",
                fixable,
            )
            yield Located(trace.position, finding)


def rare_value(survey: Survey) -> Iterator[Located]:
    """L112: a value that became a class because a few pixels of very few masks hold it: probably a stray."""
    masks = [trace for trace in survey.traces if trace.stored is not None and trace.pixels is not None]
    if not survey.discovered or len(masks) < _FEWEST_MASKS:
        return
    having, total, largest, first_mask = _occurrence(masks, len(survey.coding.values))
    for index, values in enumerate(survey.coding.values):
        if not 0 < having[index] <= max(1, len(masks) // 50) or largest[index] >= _TINY_SHARE:
            continue
        first = masks[first_mask[index]]
        where = f"only {total[index]} px in {having[index]} of {len(masks)} masks hold it"
        finding = Finding(
            "L112",
            "warning",
            first.label_where,
            f"the value {values[0]} became a class; {where}",
            "if it is a slip, state the true classes with a class file (--classes); check then says where it lies",
        )
        yield Located(first.position, finding)


def _occurrence(
    masks: list[Trace], classes: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """Say per class in how many masks it occurs, with how many pixels, its largest share of one, and where first."""
    having, total = np.zeros(classes, np.int64), np.zeros(classes, np.int64)
    largest, first = np.zeros(classes), np.full(classes, -1)
    for place, trace in enumerate(masks):
        if trace.pixels is None:
            continue
        own = trace.pixels[:classes]
        first[(own > 0) & (first < 0)] = place
        having += own > 0
        total += own
        largest = np.maximum(largest, own / max(1, int(trace.pixels.sum())))
    return having, total, largest, first


def snap_strays(look: Look) -> Mend:
    """Give every undeclared pixel the nearest declared value nearby (L103, L104)."""
    mask, strays = look.uncut or mask_to_mend(look), look.strays
    coding = look.coding if look.uncut is None else YES_OR_NO
    if strays is None:
        return Mend(mask)
    kinds = declared_colours(coding) if mask.is_colour else declared_values(coding, mask.pixels.dtype)
    stray = undeclared(mask, coding)
    colours = mask.pixels[..., :3] if mask.is_colour else mask.pixels
    snapped = snap(colours, stray, kinds)
    if mask.is_colour and mask.pixels.shape[2] == 4:
        snapped = np.dstack([snapped, mask.pixels[..., 3]])
    why = f"{strays.pixels} px with {len(strays.counts)} undeclared values got the nearest declared value nearby"
    return Mend(replace(mask, pixels=snapped), (Change(why),))


def ids_from_colours(look: Look) -> Mend:
    """Write the stored values of the classes into one channel (L102)."""
    mask = mask_to_mend(look)
    grey = _ids_in_rgb(look)
    if grey is not None:
        return Mend(StoredMask(grey, "L", None, mask.orientation), (Change("three equal channels became one"),))
    by_id = {index: values[0] for index, values in enumerate(look.coding.values)}
    by_id[IGNORE] = look.coding.ignore_values[0] if look.coding.ignore_values else IGNORE
    wide = max(by_id.values()) > 255
    pixels = np.zeros(mask.hw, np.uint16 if wide else np.uint8)
    for colour, index in look.coding.colour_to_id().items():
        pixels[(mask.pixels[..., :3] == colour).all(axis=2)] = by_id[index]
    change = Change("colours became the stored values of their classes")
    return Mend(StoredMask(pixels, "I;16" if wide else "L", None, mask.orientation), (change,))


def foreground_from_255(look: Look) -> Mend:
    """Store the foreground's own value instead of 255 (L105)."""
    mask, value = mask_to_mend(look), _other_value(look.coding)
    if value is None or mask.is_colour:
        return Mend(mask)
    name = look.coding.table.names[look.coding.value_to_id()[value]]
    here = mask.pixels == 255
    pixels = np.where(here, np.asarray(value, mask.pixels.dtype), mask.pixels)
    return Mend(replace(mask, pixels=pixels), (Change(f"{int(here.sum())} px of 255 became {value} ({name})"),))


def _ids_in_rgb(look: Look) -> NDArray[np.uint8] | None:
    """Return the one channel of an RGB mask whose three channels are equal and hold declared values, else None."""
    mask = look.mask
    if mask is None or not mask.is_colour or look.format not in SINGLE_VALUED or look.strays is None:
        return None
    rgb = mask.pixels[..., :3]
    if not ((rgb[..., 0] == rgb[..., 1]) & (rgb[..., 1] == rgb[..., 2])).all():
        return None
    channel = np.array(rgb[..., 0], np.uint8)
    single = StoredMask(channel, "L")
    return None if undeclared(single, look.coding).any() else channel


def _other_value(coding: LabelCoding) -> int | None:
    """Return the stored value of the class that 255 must mean: only clear with two classes, one of them 0."""
    meaning = coding.value_to_id()
    if len(coding.table) != 2 or meaning.get(0) not in (0, 1):
        return None
    return coding.values[1 - meaning[0]][0]


def _gap_of(coding: LabelCoding) -> int:
    values = sorted(value for value in coding.value_to_id() if value <= 255)
    return min((high - low for low, high in pairwise(values)), default=256)


def _listed(strays: Strays) -> str:
    items = list(strays.counts.items())
    shown = ", ".join(f"{value} ({count} px)" for value, count in items[:8])
    return shown if len(items) <= 8 else f"{shown} and {len(items) - 8} more ({strays.pixels} px in all)"


def _place(strays: Strays) -> str:
    return f"first at row {strays.first[0]}, column {strays.first[1]}"


def _snapping(fixable: bool, otherwise: str) -> str:
    return "snap them to the nearest declared value (--fix does)" if fixable else otherwise
