"""labelbox: exports of Labelbox, version 1 (JSON) and version 2 (NDJSON or JSON); nothing is fetched."""

from __future__ import annotations

from collections import Counter
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeGuard

import numpy as np

from tessella.core.annotation import Drawing, Shape
from tessella.core.errors import FormatError, InputError
from tessella.core.wording import counted
from tessella.files.images import read_header
from tessella.files.masks import read_mask
from tessella.files.text import parse_json, read_head, read_json_lines
from tessella.files.values.numbers import named, number, size_hw
from tessella.formats.listing import Listing, Match, Record
from tessella.formats.tools.entries import Entry, Found, json_trees, listing_of, named_label, names_in_url
from tessella.formats.tools.geometry import box_points, mask_shape
from tessella.formats.tools.plain import attributes, hex_colour, rows, table, words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from tessella.core.annotation import Annotation
    from tessella.core.classes import Colour, LabelCoding
    from tessella.formats.source import Source

NAME: Final = "labelbox"
_LINES: Final = (".ndjson", ".jsonl")
_LOOK_AT: Final = 20


class _Object(NamedTuple):
    """An annotation in one form for both versions, and the file of its mask (None where it has none here)."""

    tree: dict[str, Any]
    mask: Path | None


class _Label(NamedTuple):
    """What `load` needs of a photo."""

    objects: list[_Object]
    hw: tuple[int, int] | None


class _Row(NamedTuple):
    """What one label says of a photo, in one form for both versions.

    Args:
        photo: Names that the photo may have here.
        key: The data row.
        hw: Height and width, or None.
        objects: Its annotations.
        newest: What tells later labels of one data row from earlier ones.
    """

    photo: tuple[str, ...]
    key: str
    hw: tuple[int, int] | None
    objects: list[dict[str, Any]]
    newest: str


def detect(source: Source) -> Match | None:
    """Say whether rows of a Labelbox export are there; some JSON files and the first lines of NDJSON are read."""
    found = sum(_is_export(outline.tree) for outline in source.outlines)
    if found:
        return Match(90, f"{found} of {len(source.outlines)} JSON files looked at are Labelbox exports", "shapes")
    lines = [path for path in source.files(*_LINES) if _is_export(_first_line(path))]
    return Match(90, f"{lines[0].name} holds Labelbox data rows", "shapes") if lines else None


def _is_export(tree: object) -> bool:
    listed = rows(tree) if isinstance(tree, list) else [tree]
    return any(_is_first(row) or _is_second(row) for row in listed[:_LOOK_AT])


def _is_first(row: object) -> TypeGuard[dict[str, Any]]:
    return isinstance(row, dict) and {"ID", "DataRow ID", "Labeled Data", "Label"} <= row.keys()


def _is_second(row: object) -> TypeGuard[dict[str, Any]]:
    return isinstance(row, dict) and isinstance(row.get("data_row"), dict) and isinstance(row.get("projects"), dict)


def _first_line(path: Path) -> object:
    try:
        return parse_json(read_head(path, max_bytes=1 << 20).partition("\n")[0], where=path, allow_nan=True)
    except (InputError, OSError):
        return None


def read(source: Source, coding: LabelCoding | None) -> Listing:
    """List the data rows that somebody labelled, and their photos.

    Masks that lie behind an address are looked for here, as pictures called like their feature or like the end of the
    address; they are never fetched.

    Raises:
        FormatError: No label of a photo lies here, or two data rows describe one photo.
    """
    broken: dict[Path, str] = {}
    counts: Counter[str] = Counter()
    masks = _Masks(source)
    entries: list[Entry] = []
    content: dict[str, _Label] = {}
    colours: dict[str, Colour | None] = {}
    for path, tree in _trees(source, broken):
        for row in _newest(_rows_of(tree, counts), counts):
            objects = [_Object(one, masks.find(one)) for one in row.objects if _has_area(one, counts)]
            if row.objects and not objects and not any("point" in one for one in row.objects):
                continue  # a text, a page or a map
            counts["masks behind an address"] += sum(_by_address(one.tree) and one.mask is None for one in objects)
            content[f"{path}#{row.key}"] = _Label(objects, row.hw)
            colours |= {_label(one.tree): hex_colour(one.tree.get("color")) for one in objects}
            entries.append(_entry(path, row, objects))
    if not entries and counts:
        said = ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()) if count)
        raise FormatError("this Labelbox export holds no labels of photos", where=source.file or source.root, got=said)
    found = Found(
        entries,
        sorted(colours.items()) if any(colours.values()) else (),
        "the labels found, with the colours of the export",
        left_out=counts,
        content=content,
        broken=broken,
        not_photos=tuple(sorted(path.name for path in masks.taken)),
    )
    return listing_of(NAME, source, coding, found)


def _entry(path: Path, row: _Row, objects: list[_Object]) -> Entry:
    names = tuple(_label(one.tree) for one in objects)
    boxes = sum("bounding_box" in one.tree for one in objects)
    parts = tuple(sorted({one.mask for one in objects if one.mask is not None}))
    return Entry(path, row.photo, row.key, row.hw, names, boxes, parts)


def _trees(source: Source, broken: dict[Path, str]) -> Iterator[tuple[Path, Any]]:
    torn: dict[Path, str] = {}
    yield from json_trees(source, torn)
    for path in [*torn, *source.files(*_LINES)]:
        if path in torn and not _is_export(_first_line(path)):
            broken[path] = torn[path]
            continue
        yield path, list(read_json_lines(path, allow_nan=True))


class _Masks:
    """The pictures that may be masks, by name."""

    def __init__(self, source: Source) -> None:
        self._by_stem: dict[str, list[Path]] = {}
        self.taken: set[Path] = set()
        folder = source if source.file is None else type(source)(source.root)
        for path in folder.files(".png"):
            self._by_stem.setdefault(path.stem, []).append(path)

    def find(self, one: dict[str, Any]) -> Path | None:
        """Return the one picture that is called like the feature of a mask or the end of its address."""
        if not _by_address(one):
            return None
        stems = [words(one.get("feature_id")), *(PurePosixPath(name).stem for name in names_in_url(_address(one)))]
        for stem in filter(None, stems):
            if len(self._by_stem.get(stem, ())) == 1:
                self.taken.add(self._by_stem[stem][0])
                return self._by_stem[stem][0]
        return None


def _rows_of(tree: object, counts: Counter[str]) -> Iterator[_Row]:
    for row in rows(tree) if isinstance(tree, list) else [tree]:
        if _is_first(row):
            yield from _of_first(row, counts)
        elif _is_second(row):
            yield from _of_second(row, counts)


def _of_first(row: dict[str, Any], counts: Counter[str]) -> Iterator[_Row]:
    label = row["Label"]
    if row.get("Skipped") is True or not isinstance(label, dict):
        counts["labels of video frames" if isinstance(label, list) else "skipped data rows"] += 1
        return
    counts["answers about a whole photo"] += len(rows(label.get("classifications")))
    counts["relations"] += len(rows(label.get("relationships")))
    photo = tuple(filter(None, (words(row.get("External ID")), *names_in_url(row.get("Labeled Data")))))
    size = table(row.get("Media Attributes"))
    objects = [
        {
            **table(one),
            "name": table(one).get("title"),
            "feature_id": table(one).get("featureId"),
            **({"bounding_box": table(one)["bbox"]} if "bbox" in table(one) else {}),
        }
        for one in rows(label.get("objects"))
    ]
    newest = words(row.get("Updated At")) or words(row.get("Created At"))
    yield _Row(photo, words(row.get("DataRow ID")) or words(row.get("ID")), _size(size), objects, newest)


def _of_second(row: dict[str, Any], counts: Counter[str]) -> Iterator[_Row]:
    data = row["data_row"]
    called = (words(data.get("external_id")), words(data.get("global_key")), *names_in_url(data.get("row_data")))
    photo = tuple(filter(None, called))
    for project in map(table, row["projects"].values()):
        for label in map(table, rows(project.get("labels"))):
            said = table(label.get("annotations"))
            if "frames" in said:
                counts["labels of video frames"] += 1
                continue
            counts["answers about a whole photo"] += len(rows(said.get("classifications")))
            counts["relations"] += len(rows(said.get("relationships")))
            details = table(label.get("label_details"))
            newest = words(details.get("updated_at")) or words(details.get("created_at"))
            objects = [table(one) for one in rows(said.get("objects"))]
            yield _Row(photo, words(data.get("id")), _size(table(row.get("media_attributes"))), objects, newest)


def _size(stated: dict[str, Any]) -> tuple[int, int] | None:
    try:
        return size_hw(stated.get("height"), stated.get("width"), where="")
    except FormatError:
        return None  # the photo here says it


def _newest(labels: Iterable[_Row], counts: Counter[str]) -> list[_Row]:
    by_row: dict[str, _Row] = {}
    for label in labels:
        other = by_row.get(label.key)
        counts["further labels of a photo"] += other is not None
        if other is None or label.newest >= other.newest:
            by_row[label.key] = label
    return list(by_row.values())


_KINDS: Final = ("polygon", "bounding_box", "line", "mask", "composite_mask")


def _by_address(one: dict[str, Any]) -> bool:
    """Whether an annotation is a mask; in version 1 every object has an address, and masks have nothing else."""
    if isinstance(one.get("mask"), dict) or isinstance(one.get("composite_mask"), dict):
        return True
    return "instanceURI" in one and not {"polygon", "bounding_box", "line", "point", "geometry", "data"} & one.keys()


def _address(one: dict[str, Any]) -> object:
    return table(one.get("mask", one.get("composite_mask"))).get("url", one.get("instanceURI"))


def _has_area(one: dict[str, Any], counts: Counter[str]) -> bool:
    if "page" in one or "unit" in one:
        counts["boxes on pages"] += 1
    elif "geometry" in one:
        counts["outlines on a map"] += 1
    elif _by_address(one) or any(kind in one for kind in _KINDS):
        return True
    else:
        counts["keypoints" if "point" in one else "annotations without outline"] += 1
    return False


def _label(one: dict[str, Any]) -> str:
    return named_label(one.get("name"))


def load(record: Record, listing: Listing) -> Annotation:
    """Return the annotations of one photo as shapes, in the order of the export.

    Raises:
        InputError: The photo has no label.
        FormatError: A mask lies behind an address and not here.
    """
    label: _Label = listing.kept_of(record)
    where = listing.place(record)
    absent = [one.tree for one in label.objects if one.mask is None and _by_address(one.tree)]
    if absent:
        raise FormatError(
            "masks of this photo lie behind an address, and nothing is fetched",
            where=where,
            got=f"{counted(len(absent), 'mask')}, such as that of {_label(absent[0])!r}",
            expected=f"{words(absent[0].get('feature_id')) or 'feature id'}.png in the folder",
            fix="download them with your Labelbox key, each named by its feature id",
        )
    hw = label.hw
    if hw is None and record.image is not None and any(one.mask is not None for one in label.objects):
        hw = read_header(record.image).upright_hw
    shapes = tuple(
        _shape(one, f"{where}: object {place}", hw, max_pixels=listing.max_pixels)
        for place, one in enumerate(label.objects)
    )
    return Drawing(shapes, label.hw, "centre")


def _shape(one: _Object, where: str, hw: tuple[int, int] | None, *, max_pixels: int | None) -> Shape:
    tree, name = one.tree, _label(one.tree)
    said = attributes(_answers(rows(tree.get("classifications"))))
    if one.mask is not None:
        mask = _pixels(one, where, max_pixels)
        if hw is not None and mask.shape != hw:
            raise FormatError(
                "a mask is of another size than its photo",
                where=one.mask,
                got=f"{mask.shape[1]}x{mask.shape[0]}",
                expected=f"{hw[1]}x{hw[0]}",
            )
        return mask_shape(name, mask, attributes=said)
    if "polygon" in tree:
        return Shape(name, "polygon", named(tree["polygon"], where=where), attributes=said)
    if "line" in tree:
        return Shape(name, "linestrip", named(tree["line"], where=where), attributes=said)
    left, top, width, height = (number(table(tree.get("bounding_box")).get(key)) for key in _SIDES)
    return Shape(name, "rectangle", box_points(left, top, width, height), attributes=said)


_SIDES: Final = ("left", "top", "width", "height")


def _pixels(one: _Object, where: str, max_pixels: int | None) -> NDArray[np.bool_]:
    """Return the pixels of a mask: those of its colour in a composite mask, else all that are not black."""
    if one.mask is None:
        return np.zeros((1, 1), np.bool_)
    pixels = read_mask(one.mask, max_pixels=max_pixels).pixels
    if pixels.ndim == 2:
        return np.asarray(pixels > 0)
    if isinstance(one.tree.get("composite_mask"), dict):
        wanted = [number(channel) for channel in rows(one.tree["composite_mask"].get("color_rgb"))]
        if len(wanted) != 3:
            raise FormatError("a composite mask has no colour", where=where, expected='"color_rgb": [r, g, b]')
        return np.asarray((pixels[..., :3] == wanted).all(axis=2))
    seen = pixels[..., :3].any(axis=2)
    return np.asarray(seen & (pixels[..., 3] > 0) if pixels.shape[2] == 4 else seen)


def _answers(classifications: list[Any]) -> Iterator[tuple[object, object]]:
    """Yield questions and answers about an object, both versions; a question within an answer comes after it."""
    for one in map(table, classifications):
        given = one.get("answer", one.get("answers", one.get("radio_answer", one.get("checklist_answers"))))
        listed = rows(given) if isinstance(given, list) else [given]
        named_ = [
            words(table(answer).get("name", table(answer).get("title"))) or words(answer, whole=True)
            for answer in listed
        ]
        text = words(table(one.get("text_answer")).get("content"), whole=True)
        yield one.get("name", one.get("title")), ", ".join(filter(None, [*named_, text]))
        for answer in map(table, listed):
            yield from _answers(rows(answer.get("classifications")))
