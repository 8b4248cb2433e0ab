"""label-studio: JSON and JSON-MIN exports of Label Studio, every region of one annotator per photo."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tessella.core.annotation import Drawing
from tessella.core.errors import FormatError, InputError
from tessella.files.images import check_hw, read_header
from tessella.files.paths import IMAGE_SUFFIXES
from tessella.formats.listing import Listing, Match, Record
from tessella.formats.tools.entries import Entry, Found, json_trees, listing_of, names_in_url
from tessella.formats.tools.label_studio.regions import (
    LABEL_KEYS,
    Region,
    kind_of,
    label_of,
    regions_of,
    shape_of,
    stated_hw,
)
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
    """The regions of one photo, and where they stand."""

    regions: list[Region]
    where: str


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
    counts, else the one that was changed last; cancelled ones and predictions never count.

    Raises:
        FormatError: No task is annotated, or two tasks describe one photo.
    """
    counts: Counter[str] = Counter()
    entries: list[Entry] = []
    content: dict[str, _Task] = {}
    broken: list[Path] = []
    for path, tree in json_trees(source, broken):
        for key, images, results in _tasks(tree, counts):
            where = f"{path}: task {key}"
            for index, image in enumerate(images):
                inner = f"{key}/{index}" if len(images) > 1 else key
                regions = regions_of(results, counts, item=index if len(images) > 1 else None)
                content[f"{path}#{inner}"] = _Task(regions, where)
                entries.append(_entry(path, inner, image, regions))
    notes = []
    if several := counts.pop("several", 0):
        notes.append(
            f"{several} tasks were annotated more than once: what is marked as ground truth counts, else what was "
            f"changed last; in {counts.pop('differ', 0)} of them the annotations differ"
        )
    found = Found(entries, notes=notes, left_out=counts, content=content, broken=broken)
    return listing_of(NAME, source, coding, found)


def _entry(path: Path, key: str, image: tuple[str, ...], regions: list[Region]) -> Entry:
    names = tuple(label_of(region) for region in regions)
    boxes = sum(kind_of(region.value) == "rectangle" for region in regions)
    return Entry(path, image, key, stated_hw(regions, where=path, lenient=True), names, boxes)


def _tasks(tree: object, counts: Counter[str]) -> list[tuple[str, list[tuple[str, ...]], list[Any]]]:
    """Return key, names of the photos and results of every annotated task."""
    found = []
    taken: set[str] = set()
    listed = rows(tree) if isinstance(tree, list) else [tree]
    for place, (task, chosen) in enumerate(_chosen_rows(listed, counts)):
        key = words(task.get("id"))
        if not key or key in taken:
            key = f"[{place}]"
        taken.add(key)
        if images := _pictures(task):
            found.append((key, images, chosen))
        else:
            counts["tasks about no picture"] += 1
    return found


def _chosen_rows(listed: list[Any], counts: Counter[str]) -> list[tuple[dict[str, Any], list[Any]]]:
    full = [task for task in listed if isinstance(task, dict) and isinstance(task.get("data"), dict)]
    found = []
    for task in full:
        counts["predictions"] += len(rows(task.get("predictions")))
        done = [one for one in rows(task.get("annotations", task.get("completions"))) if isinstance(one, dict)]
        counts["cancelled annotations"] += sum(bool(one.get("was_cancelled")) for one in done)
        valid = [one for one in done if not one.get("was_cancelled") and isinstance(one.get("result"), list)]
        if valid:
            found.append((task, _latest(valid, [one["result"] for one in valid], counts)))
        elif done or not full:
            counts["tasks without a valid annotation"] += 1
    by_task: dict[str, list[dict[str, Any]]] = {}
    for row in listed:
        if _is_min(row):
            by_task.setdefault(f"{words(row.get('id'))}|{_pictures(row)}", []).append(row)
    found += [(same[0], _latest(same, list(map(_min_results, same)), counts)) for same in by_task.values()]
    return found


def _latest(done: list[dict[str, Any]], results: list[list[Any]], counts: Counter[str]) -> list[Any]:
    if len(done) > 1:
        counts["several"] += 1
        counts["annotations of further annotators"] += len(done) - 1
        counts["differ"] += len({_fingerprint(result) for result in results}) > 1
    order = [
        (one.get("ground_truth") is True, words(one.get("updated_at")), words(one.get("created_at")), place)
        for place, one in enumerate(done)
    ]
    return results[max(order)[-1]]


def _fingerprint(results: list[Any]) -> str:
    said = [json.dumps([table(one).get("type"), table(one).get("value")], sort_keys=True) for one in results]
    return "\n".join(sorted(said))


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

    Raises:
        InputError: The photo has no task.
        FormatError: A region has no outline that can be read, no size is known, or the photo was turned in the tool.
    """
    content = listing.content
    if record.label is None or not isinstance(content, dict):
        raise InputError("this photo has no labels", where=listing.root / record.name)
    task: _Task = content[f"{record.label}#{record.key}"]
    hw = stated_hw(task.regions, where=task.where)
    size = hw or (None if record.image is None else read_header(record.image).upright_hw)
    if size is None:
        raise FormatError(
            "the size of the photo is not known: neither original_width and original_height nor the photo are here",
            where=task.where,
            fix="put the photo beside the export, or give its folder with --photos",
        )
    check_hw(size, where=task.where, max_pixels=listing.max_pixels)
    shapes = tuple(
        shape_of(region, size, where=f"{task.where}: region {place}", stated=hw is not None)
        for place, region in enumerate(task.regions)
    )
    return Drawing(shapes, hw, "centre")
