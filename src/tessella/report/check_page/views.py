"""Makes the pictures of findings, from records that are decoded once more, within a budget."""

from __future__ import annotations

import contextlib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import numpy as np

from tessella.checking.looking.reading import look_at
from tessella.checking.looking.trace import drawn_ids
from tessella.core.annotation import StoredMask
from tessella.core.classes import IGNORE
from tessella.core.cores import cores
from tessella.core.errors import TessellaError
from tessella.core.finding import SEVERITIES
from tessella.formats.raster.labels import UNKNOWN, value_table
from tessella.report.check_page.marks import marks_of
from tessella.report.check_page.pictures import label_view, photo_view, window_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from tessella.checking import Checked
    from tessella.checking.looking.look import Look
    from tessella.core.labelmap import Ids
    from tessella.dataset.index import Index
    from tessella.report.check_page.pictures import View

FIRST: Final = 12
"""So many findings of each rule get their pictures before any rule gets more."""

BYTES: Final = 40_000_000
"""Most bytes that all pictures take, a thousand findings or two: browsers still open the page at once."""


def views_of(index: Index, checked: Checked) -> dict[int, list[View]]:
    """Return the pictures of findings by their number; those without a photo to show, or beyond BYTES, are left out.

    Args:
        index: The data set.
        checked: What was found in it.
    """
    wanted = _in_order(checked)
    places = {trace.photo_where: trace.position for trace in checked.survey.traces} if checked.survey else {}
    found: dict[int, list[View]] = {}
    taken = 0
    with ThreadPoolExecutor(cores()) as pool:
        for number, views in zip(wanted, pool.map(lambda n: _views(index, checked, n, places), wanted), strict=True):
            taken += sum(len(view.uri) for view in views)
            if taken > BYTES:
                pool.shutdown(wait=True, cancel_futures=True)
                break
            if views:
                found[number] = views
    return found


def _in_order(checked: Checked) -> list[int]:
    """Return the findings that concern a record: the first ones of each rule, then the others; errors come first."""
    seen: Counter[str] = Counter()
    order: list[tuple[bool, int, int]] = []
    for number, finding in enumerate(checked.findings):
        if checked.positions[number] is not None:
            order.append((seen[finding.code] >= FIRST, SEVERITIES.index(finding.severity), number))
            seen[finding.code] += 1
    return [number for _, _, number in sorted(order)]


def _views(index: Index, checked: Checked, number: int, places: Mapping[str, int]) -> list[View]:
    position, finding = checked.positions[number], checked.findings[number]
    if position is None:
        return []
    with contextlib.suppress(TessellaError):
        look = look_at(index, position, "")
        other = _other(finding.what, places, position)
        if finding.code.startswith("D") and other is not None:
            return [_whole(index, position), _whole(index, other)]
        photo, ids = _photo_of(index, position, look), _ids_of(index, position, look)
        if photo is None or (look.photo is None and ids is None):
            return []
        if ids is not None and ids.shape != photo.shape[:2]:
            ids = None if look.drawing is not None else ids
            return _beside(index, photo, ids)
        marks = marks_of(finding, look)
        window = window_of(photo.shape[:2], marks)
        if ids is None and marks.box() is None:
            return [photo_view(photo, window, says="the photo")]
        part = "the photo" if marks.box() is None else f"the photo from column {window.left}, row {window.top}"
        return [
            photo_view(photo, window, says=part),
            label_view(photo, ids, index.table, window, marks=marks, says="with the label, and what is meant marked"),
        ]
    return []


def _whole(index: Index, position: int) -> View:
    photo = index.image(position).to_rgb8()
    record = index.records[position]
    return photo_view(photo, window_of(photo.shape[:2], None), says=record.name)


def _beside(index: Index, photo: NDArray[np.uint8], ids: Ids | None) -> list[View]:
    """Show a photo and a label of another size next to each other."""
    views = [photo_view(photo, window_of(photo.shape[:2], None), says=f"the photo, {photo.shape[1]}x{photo.shape[0]}")]
    if ids is not None:
        colours = index.table.palette()[ids]
        says = f"the label, {ids.shape[1]}x{ids.shape[0]}"
        views.append(photo_view(colours, window_of(ids.shape, None), says=says))
    return views


def _photo_of(index: Index, position: int, look: Look) -> NDArray[np.uint8] | None:
    if look.photo is not None:
        return index.image(position).to_rgb8()
    hw = look.mask.hw if look.mask is not None else look.drawing.declared_hw if look.drawing is not None else None
    return None if hw is None else np.full((*hw, 3), 235, np.uint8)


def _ids_of(index: Index, position: int, look: Look) -> Ids | None:
    """Return the label as far as the class table explains it, the rest as ignore."""
    with contextlib.suppress(TessellaError):
        labels = index.labels(position)
        return None if labels is None else labels.ids
    mask = look.mask
    if isinstance(mask, StoredMask) and not mask.is_colour:
        table = value_table(index.coding, mask.pixels.dtype)
        return np.asarray(np.where(table == UNKNOWN, IGNORE, table).astype(np.uint8)[mask.pixels])
    if mask is not None:
        ids: Ids = np.full(mask.hw, IGNORE, np.uint8)
        for colour, number in index.coding.colour_to_id().items():
            ids[(mask.pixels[..., :3] == colour).all(axis=2)] = number
        return ids
    return drawn_ids(look)


def _other(what: str, places: Mapping[str, int], position: int) -> int | None:
    """Return the record of the other photo that a finding names."""
    for word in what.replace(",", " ").replace(";", " ").replace(":", " ").split():
        if places.get(word, position) != position:
            return places[word]
    spaced = [place for place in places if place and " " in place and place in what and places[place] != position]
    return places[spaced[0]] if spaced else None
