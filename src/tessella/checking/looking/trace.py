"""What a record leaves behind once it was looked at, for the rules about the whole set."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from tessella.checking.looking.frames import frame_hw
from tessella.checking.looking.reading import MISSING, places_of
from tessella.checking.looking.shapes import is_sound
from tessella.checking.looking.shown import pack_colours
from tessella.checking.measures.borders import runs_of
from tessella.checking.measures.edges import shift_scores, turn_scores
from tessella.checking.measures.thumbs import step_of, thumb_of
from tessella.checking.survey import NO_NAMES, Trace
from tessella.core.classes import IGNORE
from tessella.core.errors import TessellaError
from tessella.files.images import PHOTO_BUDGET
from tessella.formats.raster.labels import count_values, resolve

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from tessella.checking.looking.look import Look
    from tessella.core.labelmap import Ids

Value = TypeVar("Value", bytes, str, tuple[int, ...], tuple[int, int])


def trace_of(look: Look) -> Trace:
    """Keep what the rules about the whole set need, and let the pixels go."""
    ids = drawn_ids(look)
    label = _label(look, ids)
    small = None if look.photo is None else look.photo.small
    ground = None if look.photo is None else look.photo.ground
    stored = () if look.counts is None else _shared(tuple(np.flatnonzero(look.counts).tolist()))
    return Trace(
        position=look.position,
        split=look.split,
        photo_where=look.photo_where,
        label_where=look.label_where,
        glance=b"" if look.photo is None else look.photo.glance,
        thumb=b"" if small is None else thumb_of(small),
        hw=None if look.photo is None else _shared(look.photo.hw),
        bands="" if look.photo is None else _shared(look.photo.bands),
        crs="" if ground is None else _shared(ground.crs),
        ground=b"" if ground is None else np.array(ground.affine, np.float64).tobytes(),
        missing=look.photo_fault == MISSING,
        pixels=_class_pixels(look, ids),
        explained=look.strays is None or look.uncut is not None,
        stored=None if look.counts is None else stored,
        wide=look.counts is not None and len(look.counts) > 256,
        palette=_palette(look, stored),
        rim=_rim(look),
        names=_names(look),
        turns=b"" if small is None or label is None else turn_scores(small, label),
        shifts=_shifts(look, label),
        runs=None if look.mask is None or look.mask.is_colour else runs_of(look.mask.pixels),
    )


def drawn_ids(look: Look) -> Ids | None:
    """Paint the sound shapes of a drawing, where they fit the photo; None for masks."""
    frame = frame_hw(look)
    if look.drawing is None or frame is None or frame[0] * frame[1] > PHOTO_BUDGET:
        return None
    if look.photo is not None and frame != look.photo.hw:
        return None
    known = look.coding.name_to_id()
    sound = tuple(shape for shape in look.drawing.shapes if shape.label in known and is_sound(shape))
    try:
        return resolve(replace(look.drawing, shapes=sound), look.coding, frame, where=look.label_where).ids
    except TessellaError:
        return None  # a shape that its own rule names


def _class_pixels(look: Look, ids: Ids | None) -> NDArray[np.int64] | None:
    """Count pixels by class, ignore last; values in no class are left out. None when nothing can be counted."""
    classes = len(look.coding.table)
    if look.counts is not None:
        # a float64 sum is exact up to 2**53 pixels
        counted = np.bincount(places_of(look.coding, len(look.counts)), look.counts, classes + 2)
        return counted[: classes + 1].astype(np.int64)
    pixels = np.zeros(classes + 1, np.int64)
    if look.colours is not None:
        meaning = look.coding.colour_to_id()
        for colour, count in look.colours.items():
            if colour in meaning:
                pixels[classes if meaning[colour] == IGNORE else meaning[colour]] += count
        return pixels
    if ids is None:
        return None
    counts = count_values(ids)
    pixels[:classes], pixels[classes] = counts[:classes], counts[IGNORE]
    return pixels


def _label(look: Look, ids: Ids | None) -> NDArray[Any] | None:
    """Return the stored values, colours or ids where they have the size of the photo."""
    label = ids if look.mask is None else look.mask.pixels
    return None if look.photo is None or label is None or label.shape[:2] != look.photo.hw else label


def _shifts(look: Look, label: NDArray[Any] | None) -> NDArray[np.float32] | None:
    if look.photo is None or look.photo.grey is None or label is None:
        return None
    step = step_of(look.photo.hw)
    return shift_scores(look.photo.grey, label[::step, ::step])


def _rim(look: Look) -> float | None:
    """Return the share of the outermost pixels of a mask that the class of id 1 has, in a set of two classes."""
    mask = look.mask
    if mask is None or look.counts is None or len(look.coding.table) != 2:
        return None
    edge = np.concatenate([mask.pixels[0], mask.pixels[-1], mask.pixels[:, 0], mask.pixels[:, -1]])
    counts = np.bincount(edge, minlength=len(look.counts))
    by_class = np.bincount(places_of(look.coding, len(look.counts)), counts, 4)[:2]
    total = float(by_class.sum())
    return float(by_class[1]) / total if total else None


def _palette(look: Look, stored: tuple[int, ...]) -> bytes | None:
    packed = None if look.mask is None else pack_colours(look.mask, stored)
    return None if packed is None else _shared(packed)


def _names(look: Look) -> Mapping[str, int]:
    if look.drawing is None:
        return NO_NAMES
    return dict(Counter(shape.label for shape in look.drawing.shapes))


def _shared(value: Value) -> Value:
    """Return one object for equal values: most masks of a set have the same size, values and colours."""
    kept: Value = _kept(value)
    return kept


@lru_cache(maxsize=4096)
def _kept(value: Any) -> Any:  # noqa: ANN401 - the cache hides the type
    return value
