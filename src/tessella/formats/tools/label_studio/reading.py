"""label-studio: JSON and JSON-MIN exports of Label Studio, what one annotator drew per photo, or most of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tessella.core.annotation import Drawing
from tessella.core.errors import FormatError
from tessella.files.images import check_hw, read_header
from tessella.files.paths import IMAGE_SUFFIXES
from tessella.formats.labelme.writing import with_ignore_name
from tessella.formats.listing import Listing, Match, Record
from tessella.formats.raster.labels import resolve
from tessella.formats.tools.entries import Entry, Found, json_trees, listing_of, names_in_url
from tessella.formats.tools.label_studio.annotators import MAJORITY, OPTION, Panel, Rivals, majority, rivals
from tessella.formats.tools.label_studio.regions import (
    LABEL_KEYS,
    Region,
    kind_of,
    label_of,
    regions_of,
    shape_of,
    stated_hw,
)
from tessella.formats.tools.painting import masks_of
from tessella.formats.tools.plain import rows, table, words

if TYPE_CHECKING:
    from pathlib import Path

    from tessella.core.annotation import Annotation
    from tessella.core.classes import LabelCoding
    from tessella.formats.source import Source

NAME: Final = "label-studio"
_LOOK_AT: Final = 20
_MIN_KEYS: Final = (*LABEL_KEYS, "keypointlabels", "original_width")
"""What tells the regions of JSON-MIN from other lists."""

_UNPREFIXED: Final = 9
"""Length of the eight letters and the dash that Label Studio puts before the name of an uploaded file."""


class _Task(NamedTuple):
    """The regions of one photo.

    Args:
        votes: Those that count, by annotator.
        rivals: Where several people annotated it in different ways, those of each with their name.
    """

    votes: list[list[Region]]
    rivals: list[tuple[str, list[Region]]]


def detect(source: Source) -> Match | None:
    """Say whether JSON files with Label Studio tasks about pictures are there; about eight are read."""
    found = sum(_is_export(outline.tree) for outline in source.outlines)
    if not found:
        return None
    return Match(88, f"{found} of {len(source.outlines)} JSON files looked at hold Label Studio tasks", "shapes")


def _is_export(tree: object) -> bool:
    tasks = rows(tree) if isinstance(tree, list) else [tree]
    return any(_is_full(task) or _is_min(task) for task in tasks[:_LOOK_AT])


def _is_full(task: object) -> bool:
    done = table(task).get("annotations", table(task).get("completions"))
    if not isinstance(task, dict) or not isinstance(task.get("data"), dict) or not isinstance(done, list):
        return False
    return bool(_pictures(task)) or any(_outlined(result) for one in done for result in rows(table(one).get("result")))


def _is_min(task: object) -> bool:
    return isinstance(task, dict) and "data" not in task and any(_min_regions(task)) and bool(_pictures(task))


def _outlined(result: object) -> bool:
    value = table(result).get("value")
    return isinstance(value, dict) and kind_of(value) != ""


def read(source: Source, coding: LabelCoding | None) -> Listing:
    """List the tasks that somebody annotated, and their photos.

    A photo is found by the path or the name in its address; the eight letters and the dash before the name of an
    uploaded file may be missing here. Where several people annotated a task, the annotation marked as ground truth
    counts, else the one that was changed last; the option `annotator` says otherwise. Cancelled ones and predictions
    never count.

    Raises:
        FormatError: No task is annotated, nobody is called like the annotator who is asked for, or two tasks describe
            one photo.
        LabelError: A majority is asked for, and the name for ignored regions is a class.
    """
    counts: Counter[str] = Counter()
    entries: list[Entry] = []
    content: dict[str, _Task] = {}
    broken: dict[Path, str] = {}
    panel = Panel(source.options.get(OPTION))
    for path, tree in json_trees(source, broken):
        for key, images, chosen, others in _tasks(tree, counts, panel):
            for index, image in enumerate(images):
                inner = f"{key}/{index}" if len(images) > 1 else key
                item = index if len(images) > 1 else None
                votes = [regions_of(results, counts, item=item) for results in chosen]
                apart = [(name, regions_of(results, Counter(), item=item)) for name, results in others]
                content[f"{path}#{inner}"] = _Task(votes, apart)
                entries.append(_entry(path, inner, image, list(chain(*votes))))
    panel.refuse_stranger(source.file or source.root)
    found = Found(entries, notes=panel.notes(), left_out=counts, content=content, broken=broken)
    listing = listing_of(NAME, source, coding, found)
    # where annotators tie, a pixel is ignored, and a drawing says so by a label
    return replace(listing, coding=with_ignore_name(listing.coding)) if panel.asked == MAJORITY else listing


def _entry(path: Path, key: str, image: tuple[str, ...], regions: list[Region]) -> Entry:
    names = tuple(label_of(region) for region in regions)
    boxes = sum(kind_of(region.value) == "rectangle" for region in regions)
    return Entry(path, image, key, stated_hw(regions, where=path, lenient=True), names, boxes)


def _tasks(
    tree: object, counts: Counter[str], panel: Panel
) -> list[tuple[str, list[tuple[str, ...]], list[list[Any]], Rivals]]:
    """Return key, names of the photos, the results that count, by annotator, and those of rivals of every task."""
    found = []
    taken: set[str] = set()
    listed = rows(tree) if isinstance(tree, list) else [tree]
    for place, (task, chosen, others) in enumerate(_chosen_rows(listed, counts, panel)):
        key = words(task.get("id"))
        if not key or key in taken:
            key = f"[{place}]"
        taken.add(key)
        if images := _pictures(task):
            found.append((key, images, chosen, others))
        else:
            counts["tasks about no picture"] += 1
    return found


def _chosen_rows(
    listed: list[Any], counts: Counter[str], panel: Panel
) -> list[tuple[dict[str, Any], list[list[Any]], Rivals]]:
    full = [task for task in listed if isinstance(task, dict) and isinstance(task.get("data"), dict)]
    found: list[tuple[dict[str, Any], list[dict[str, Any]], list[list[Any]]]] = []
    for task in full:
        counts["predictions"] += len(rows(task.get("predictions")))
        done = [one for one in rows(task.get("annotations", task.get("completions"))) if isinstance(one, dict)]
        counts["cancelled annotations"] += sum(bool(one.get("was_cancelled")) for one in done)
        valid = [one for one in done if not one.get("was_cancelled") and isinstance(one.get("result"), list)]
        if valid:
            found.append((task, valid, [one["result"] for one in valid]))
        elif done or not full:
            counts["tasks without a valid annotation"] += 1
    by_task: dict[str, list[dict[str, Any]]] = {}
    for row in listed:
        if _is_min(row):
            by_task.setdefault(f"{words(row.get('id'))}|{_pictures(row)}", []).append(row)
    found += [(same[0], same, list(map(_min_results, same))) for same in by_task.values()]
    chosen = [(task, panel.choose(done, results), rivals(done, results)) for task, done, results in found]
    all_done, counted = sum(len(done) for _, done, _ in found), sum(len(results) for _, results, _ in chosen)
    counts["annotations of further annotators"] += all_done - counted
    return [one for one in chosen if one[1]]


def _min_regions(row: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return the regions of a JSON-MIN row with the control they were drawn with."""
    return [
        (control, region)
        for control, listed in row.items()
        for region in rows(listed)
        if isinstance(region, dict) and not region.keys().isdisjoint(_MIN_KEYS)
    ]


def _min_results(row: dict[str, Any]) -> list[Any]:
    return [
        {
            "value": region,
            "from_name": control,
            "original_width": region.get("original_width"),
            "original_height": region.get("original_height"),
            "image_rotation": region.get("image_rotation"),
        }
        for control, region in _min_regions(row)
    ]


def _pictures(task: dict[str, Any]) -> list[tuple[str, ...]]:
    """Return the names of each picture of a task: from the key `image`, else from the first value that is one."""
    data = task["data"] if isinstance(task.get("data"), dict) else task
    values = [data.get("image"), *data.values()]
    for place, value in enumerate(values):
        listed = rows(value) if isinstance(value, list) else [value]
        if not all(isinstance(one, str) for one in listed):
            continue
        found = [names for one in listed if (names := _names(one, sure=place == 0))]
        if found:
            if len(found) == 1 and isinstance(task.get("file_upload"), str):
                found = [(*found[0], *_names(task["file_upload"], sure=False))]
            return found
    return []


def _names(address: str, *, sure: bool) -> tuple[str, ...]:
    found = names_in_url(address)
    if not found or (not sure and not found[-1].lower().endswith(tuple(IMAGE_SUFFIXES))):
        return ()
    bare = found[-1]
    prefix, dash, rest = bare[: _UNPREFIXED - 1], bare[_UNPREFIXED - 1 : _UNPREFIXED], bare[_UNPREFIXED:]
    if dash == "-" and rest and all(letter in "0123456789abcdef" for letter in prefix):
        return (*found, rest)
    return found


def load(record: Record, listing: Listing) -> Annotation:
    """Return the regions of one photo as shapes.

    Where a majority of several annotators is asked for, it is a mask per class.

    Raises:
        InputError: The photo has no task.
        LabelError: A majority is asked for, and a label is no class.
        FormatError: A region has no outline that can be read, no size is known, or the photo was turned in the tool.
    """
    task: _Task = listing.kept_of(record)
    where = listing.place(record)
    size, is_stated = _size(task.votes, record, listing)
    if len(task.votes) == 1:
        return _drawn(task.votes[0], size, where=where, stated=is_stated)
    votes = (_drawn(regions, size, where=where, stated=is_stated) for regions in task.votes)
    ids = majority([resolve(vote, listing.coding, size, where=where).ids for vote in votes])
    return replace(masks_of(ids, listing.coding), declared_hw=size if is_stated else None)


def opinions(record: Record, listing: Listing) -> list[tuple[str, Drawing]]:
    """Return what each of several people drew in one photo, by name; nothing where their annotations are the same.

    Raises:
        FormatError: As `load`.
    """
    if record.label is None or not (apart := listing.kept_of(record).rivals):
        return []
    size, is_stated = _size([regions for _, regions in apart], record, listing)
    where = listing.place(record)
    return [(name, _drawn(regions, size, where=where, stated=is_stated)) for name, regions in apart]


def _size(votes: list[list[Region]], record: Record, listing: Listing) -> tuple[tuple[int, int], bool]:
    """Return height and width of a photo in pixels, and whether a region states them."""
    where = listing.place(record)
    hw = stated_hw(list(chain(*votes)), where=where)
    size = hw or (None if record.image is None else read_header(record.image).upright_hw)
    if size is None:
        raise FormatError(
            "the size of the photo is not known: neither original_width and original_height nor the photo are here",
            where=where,
            fix="put the photo beside the export, or give its folder with --photos",
        )
    check_hw(size, where=where, max_pixels=listing.max_pixels)
    return size, hw is not None


def _drawn(regions: list[Region], hw: tuple[int, int], *, where: str, stated: bool) -> Drawing:
    shapes = tuple(
        shape_of(region, hw, where=f"{where}: region {place}", stated=stated) for place, region in enumerate(regions)
    )
    return Drawing(shapes, hw if stated else None, "centre")
