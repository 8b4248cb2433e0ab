"""F: pictures of a kind that programs read in different ways."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from tessella.checking.looking.frames import follows_stored, turns_into
from tessella.checking.rule import Change, Located, Mend, mask_to_mend
from tessella.core.finding import Finding
from tessella.files.images import orient
from tessella.formats.raster.labels import colour_keys

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tessella.checking.looking.look import Look
    from tessella.checking.survey import Survey
    from tessella.core.finding import Severity


def cmyk(look: Look) -> Iterator[Finding]:
    """F107: a photo in printing colours, which every decoder turns into RGB in its own way."""
    if look.photo is not None and look.photo.mode == "CMYK":
        yield Finding(
            "F107",
            "warning",
            look.photo_where,
            "this photo is CMYK; programs turn it into RGB in different ways, some of them inverted",
            "save it as RGB once, and look at the result",
        )


def several_pictures(look: Look) -> Iterator[Finding]:
    """F108: an animation or a file of several pages, of which the first picture alone is used."""
    if look.photo is not None and look.photo.frames > 1:
        yield Finding(
            "F108",
            "warning",
            look.photo_where,
            f"the file holds {look.photo.frames} pictures; the first alone is used",
            "save the picture that is meant as a file of its own",
        )


def mask_with_turn(look: Look) -> Iterator[Finding]:
    """F109: a mask that bears an EXIF turn which its photo does not."""
    mask, photo = look.mask, look.photo
    if mask is None or photo is None or mask.orientation == 1 or follows_stored(look):
        return
    turn = f"the mask bears EXIF orientation {mask.orientation}"
    if mask.hw == photo.hw:
        sideways = mask.orientation >= 5 and mask.hw[0] != mask.hw[1]
        what = "its stored pixels fit the photo, but viewers show it turned"
        fix = "remove the mark (--fix does)" if sideways else "look at it over the photo, and remove the mark"
        yield Finding("F109", "warning", look.label_where, f"{turn}; {what}", fix, sideways)
    elif turns_into(look):
        what = "it fits the photo only when it is turned as the mark says, and programs that read ids do not"
        yield Finding("F109", "error", look.label_where, f"{turn}; {what}", "turn the stored pixels (--fix does)", True)


def settle_turn(look: Look) -> Mend:
    """Apply the mask's own turn where it fits the photo only so, and remove the mark (F109)."""
    mask = mask_to_mend(look)
    if not turns_into(look):
        return Mend(replace(mask, orientation=1), (Change("the EXIF mark was removed; the pixels stay"),))
    pixels = np.ascontiguousarray(orient(mask.pixels, mask.orientation))
    change = Change(f"turned by its own EXIF orientation {mask.orientation}, and the mark removed")
    return Mend(replace(mask, pixels=pixels, orientation=1), (change,))


def wide_masks(survey: Survey) -> Iterator[Located]:
    """F110: masks of 16 bits, which many programs cut to 8."""
    # a part of a file (`x_seg.png#class`) was read out of it, and no program sees it with these bits
    masks = [trace for trace in survey.traces if trace.stored is not None and "#" not in trace.label_where]
    wide = [trace for trace in masks if trace.wide]
    if not wide:
        return
    top = max((trace.stored or (0,))[-1] for trace in wide)
    severity: Severity = "warning" if top > 255 or len(wide) < len(masks) else "info"
    read = "cut to 8 bits they mean something else" if top > 255 else "the values would fit into 8"
    finding = Finding(
        "F110",
        severity,
        wide[0].label_where,
        f"{len(wide)} of {len(masks)} masks have 16 bits, with values up to {top}; {read}",
        "nothing for Tessella, which reads them as they are; other programs may cut them: "
        + ("keep class values below 256" if top > 255 else "save them with 8 bits"),
    )
    yield Located(wide[0].position, finding)


def transparent_mask(look: Look) -> Iterator[Finding]:
    """F111: a colour mask whose transparency says something that its colours do not."""
    mask = look.mask
    if mask is None or not mask.is_colour or mask.pixels.shape[2] != 4:
        return
    alpha = mask.pixels[..., 3]
    clear, soft = alpha == 0, (alpha > 0) & (alpha < 255)
    if not clear.any() and not soft.any():
        return
    keys = colour_keys(mask)
    found, counts = np.unique(keys[clear], return_counts=True)
    hidden = {(key >> 16, key >> 8 & 255, key & 255): n for key, n in zip(found.tolist(), counts.tolist(), strict=True)}
    opaque = np.isin(found, keys[alpha == 255])
    both = [
        colour for colour, also in zip(hidden, opaque, strict=True) if also and colour in look.coding.colour_to_id()
    ]
    parts = []
    if soft.any():
        parts.append(f"{int(soft.sum())} px are half transparent, as at a soft edge")
    if both:
        parts.append(f"{both[0]} occurs both opaque and transparent ({hidden[both[0]]} px), and is read as one class")
    if parts:
        row, column = (int(place) for place in np.argwhere(soft if soft.any() else clear)[0])
        yield Finding(
            "F111",
            "warning",
            look.label_where,
            f"transparency may mean something here and is not read: {'; '.join(parts)}; first at row {row}, column "
            f"{column}",
            "give what is transparent a colour of its own, and save the mask without transparency",
        )


def mixed_bands(survey: Survey) -> Iterator[Located]:
    """F112: photos with different bands in one set: a network takes one number of bands."""
    kinds = Counter(trace.bands for trace in survey.traces if trace.bands)
    if len(kinds) < 2:
        return
    usual = kinds.most_common(1)[0][0]
    odd = [trace for trace in survey.traces if trace.bands and trace.bands != usual]
    listed = ", ".join(f"{count} of {kind}" for kind, count in kinds.most_common(4))
    finding = Finding(
        "F112",
        "warning" if len({kind.split(" x ")[1] for kind in kinds}) > 1 else "info",
        odd[0].where,
        f"the photos have different bands: {listed}; first {odd[0].bands}",
        "convert them to one kind; a network is trained on one number of bands and one depth",
    )
    yield Located(odd[0].position, finding)
