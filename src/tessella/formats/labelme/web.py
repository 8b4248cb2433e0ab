"""labelme-xml: the XML of the LabelMe web tool (version 3.0), which CVAT and Datumaro write too: a file per photo."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from tessella.core.annotation import Drawing, Shape, ShapeKind
from tessella.core.errors import FormatError, InputError
from tessella.core.wording import counted
from tessella.files.images import PHOTO_BUDGET
from tessella.files.masks import read_mask
from tessella.files.paths import contain, relative_name
from tessella.files.values.numbers import POINT_BUDGET, number, size_hw
from tessella.files.xml import read_xml
from tessella.formats.labelme.reading import refuse_twins
from tessella.formats.layout.discover import classes_by_name
from tessella.formats.layout.photos import PhotoFinder, named_apart, unclaimed, unreadable
from tessella.formats.listing import Listing, Match

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from xml.etree.ElementTree import Element

    from numpy.typing import NDArray

    from tessella.core.annotation import Annotation, Tool
    from tessella.core.classes import LabelCoding
    from tessella.formats.listing import Record
    from tessella.formats.source import Source

NAME: Final = "labelme-xml"
_OWN_TAGS: Final = frozenset({"nrows", "segm", "pt"})
"""Elements that PASCAL VOC, whose root has the same name, does not know."""

_SMALL: Final[dict[int, ShapeKind]] = {1: "point", 2: "line"}
"""What an outline of too few points is."""


def detect(source: Source) -> Match | None:
    """Say whether XML files of the LabelMe web tool are there; about eight, spread over the list, are looked at."""
    found = [tags for _, tags in source.xml_tags if tags[:1] == ("annotation",) and _OWN_TAGS.intersection(tags)]
    if not found:
        return None
    why = f"{len(found)} of {len(source.xml_tags)} XML files looked at are LabelMe's"
    # the masks that the files name are no second labelling, though a format of masks may see one in them
    return Match(90, why, "masks" if any("segm" in tags for tags in found) else "shapes")


def _is_own(root: Element) -> bool:
    if root.tag != "annotation":
        return False
    return root.find("imagesize") is not None or root.find("object/segm") is not None or _has_points(root)


def _has_points(root: Element) -> bool:
    return root.find("object/polygon/pt") is not None


def read(source: Source, coding: LabelCoding | None) -> Listing:
    """List the XML files, their photos, and the photos beside them that have none.

    A photo is looked for as `<filename>` beside the file, in `<folder>`, in `Images/<folder>` as the web tool has it,
    then by its name anywhere. A file whose photo is missing stays in the list when it states the photo's size.

    Args:
        source: The data set's folder, or one XML file of it.
        coding: The classes, or None to take them from a class file or else from the names found.

    Raises:
        FormatError: No file of LabelMe's lies here, or two of them describe one photo.
        ClassTableError: The class file contradicts itself.
    """
    root, finder = source.root, PhotoFinder(source)
    records: list[Record] = []
    orphans: list[str] = []
    names, left_out = Counter[str](), Counter[str]()
    broken: dict[Path, str] = {}
    deleted = 0
    for path in source.files(".xml"):
        try:
            tree = read_xml(path)
        except InputError as error:
            broken[path] = error.fault
            continue
        if not _is_own(tree):
            continue
        deleted += sum(_is_deleted(one) for one in tree.iterfind("object"))
        names.update(name for one in _kept(tree) if (name := _text(one, "name")))
        left_out["scribbles"] += sum(one.find("segm/scribbles") is not None for one in _kept(tree))
        photo = _photo(finder, path, tree)
        if photo is None and _size(tree, path) is None:
            orphans.append(relative_name(path, root))
        else:
            records.append(finder.record(photo, path))
    # a damaged file stays the label of the photo that its name tells: loading it names the fault
    torn = unclaimed(((path, finder.find(path, path.stem)) for path in broken), [record.image for record in records])
    records += [finder.record(image, path) for path, image in torn]
    if not records and not orphans and not broken:
        raise FormatError("no XML file of LabelMe's lies here", where=source.file or root, expected="<annotation>")
    refuse_twins(records, root)
    meaning, notes, discovered = classes_by_name(root, names, coding)
    notes += [f"{counted(len(broken), 'XML file')} cannot be read"] if broken else []
    notes += [f"{counted(deleted, 'object is', 'objects are')} marked as deleted, and passed over"] if deleted else []
    lone = finder.unlabelled(records) if source.file is None else []
    everything = named_apart([*records, *lone])
    return Listing(
        NAME, root, everything, meaning, discovered, tuple(notes), tuple(orphans), source.max_pixels, +left_out,
        unreadable=unreadable(broken, records, root),
    )  # fmt: skip


def _photo(finder: PhotoFinder, path: Path, tree: Element) -> Path | None:
    name, folder = _text(tree, "filename"), _text(tree, "folder").replace("\\", "/").strip("/")
    listed = [name, f"{folder}/{name}", f"Images/{folder}/{name}"] if folder else [name]
    for one in reversed(listed):
        if photo := finder.find(path, one):
            return photo
    return None


def _text(element: Element, path: str) -> str:
    return (element.findtext(path) or "").strip()


def _size(tree: Element, path: Path) -> tuple[int, int] | None:
    return size_hw(_text(tree, "imagesize/nrows"), _text(tree, "imagesize/ncols"), where=f"{path}: imagesize")


def _is_deleted(one: Element) -> bool:
    return _text(one, "deleted") == "1"


def _kept(tree: Element) -> Iterator[Element]:
    return (one for one in tree.iterfind("object") if not _is_deleted(one))


def load(record: Record, listing: Listing) -> Annotation:
    """Read the objects of one file, in its order.

    Raises:
        InputError: The record has no labels, or the file or one of its masks cannot be read.
        FormatError: Not LabelMe's, an object without a name or outline, or a mask of another size than its photo.
        ImageError: A mask is no picture, damaged, or larger than the budget.
    """
    path = listing.label_of(record)
    tree = read_xml(path)
    if not _is_own(tree):
        raise FormatError("this is not an XML file of LabelMe's", where=path, expected="<annotation> with <object>")
    hw = _size(tree, path)
    wholes = _wholes(tree)
    left = PHOTO_BUDGET if listing.max_pixels is None else listing.max_pixels
    shapes = []
    for place, one in enumerate(_kept(tree)):
        where = f"{path}: object {place}"
        name = _text(one, "name")
        if not name:
            raise FormatError("an object has no name", where=where, expected="<name>car</name>")
        shape_of = _outline(one, where=where) or _mask(one, _Place(path, listing.root, tree), hw, left)
        if shape_of is None:
            raise FormatError(
                "an object has neither an outline nor a mask", where=where, expected="<polygon> or <segm>"
            )
        kind, points, mask = shape_of
        left -= 0 if mask is None else mask.size
        group = wholes.get(_text(one, "id"), "")
        shapes.append(Shape(name, kind, points, group, mask, attributes=_attributes(one)))
    origin = _text(tree, "source/sourceAnnotation").casefold()
    tool: Tool = "cvat" if origin in ("datumaro", "cvat") else "centre"
    return Drawing(tuple(shapes), hw, tool)


_Geometry = tuple[ShapeKind, "NDArray[np.float64]", "NDArray[np.bool_] | None"]


def _outline(one: Element, *, where: str) -> _Geometry | None:
    polygon = one.find("polygon")
    if polygon is None:
        return None
    listed = polygon.findall("pt")
    if len(listed) > POINT_BUDGET:
        raise FormatError("a shape has too many points", where=where, got=len(listed), expected=POINT_BUDGET)
    points = np.array([[number(_text(pt, "x")), number(_text(pt, "y"))] for pt in listed]).reshape(-1, 2)
    if _text(one, "type") == "bounding_box" and _is_upright(points):
        return "rectangle", np.stack([points.min(axis=0), points.max(axis=0)]), None
    return _SMALL.get(len(points), "polygon"), points, None


def _is_upright(points: NDArray[np.float64]) -> bool:
    return len(points) == 4 and all(len(np.unique(axis)) == 2 for axis in points.T)


class _Place(NamedTuple):
    """Where the masks of a file are looked for."""

    path: Path
    root: Path
    tree: Element

    def mask(self, name: str) -> Path:
        folder = _text(self.tree, "folder").replace("\\", "/").strip("/")
        beside = relative_name(self.path.parent, self.root)
        for listed in (f"{beside}/Masks/{name}", f"Masks/{folder}/{name}", f"Masks/{name}", f"{beside}/{name}"):
            found = contain(self.root, listed)
            if found.is_file():
                return found
        raise InputError(
            "the mask of an object is missing", where=self.path, got=name, fix="put it into Masks/ beside the file"
        )


def _mask(one: Element, place: _Place, hw: tuple[int, int] | None, max_pixels: int) -> _Geometry | None:
    name = _text(one, "segm/mask")
    if not name:
        return None
    path = place.mask(name)
    stored = read_mask(path, max_pixels=max_pixels)
    pixels = (stored.pixels[..., :3] > 0).any(axis=-1) if stored.is_colour else stored.pixels > 0
    corner = [0.0, 0.0]
    if hw is not None and stored.hw != hw:
        box = [number(_text(one, f"segm/box/{side}")) for side in ("xmin", "ymin", "xmax", "ymax")]
        sides = round(box[3] - box[1]), round(box[2] - box[0])
        if not np.isfinite(box).all() or not all(
            0 <= own - side <= 1 for own, side in zip(stored.hw, sides, strict=True)
        ):
            raise FormatError(
                "a mask is neither as large as its photo nor as its box",
                where=path,
                got=f"{stored.hw[1]}x{stored.hw[0]}",
                expected=f"{hw[1]}x{hw[0]}",
            )
        corner = [float(int(box[0])), float(int(box[1]))]
    end = [corner[0] + stored.hw[1] - 1, corner[1] + stored.hw[0] - 1]
    return "mask", np.array([corner, end]), np.asarray(pixels)


def _attributes(one: Element) -> tuple[tuple[str, str], ...]:
    """Return `occluded` and the attributes: free text, in which CVAT writes `name=value, name=value`."""
    found = [("occluded", "1")] if _text(one, "occluded") == "yes" else []
    for part in filter(None, (part.strip() for part in _text(one, "attributes").split(","))):
        name, equals, value = part.partition("=")
        found.append((name.strip(), value.strip()) if equals else ("attributes", part))
    return tuple(found)


def _wholes(tree: Element) -> dict[str, str]:
    """Return for each object that is a part or has parts the id of the whole it belongs to, as its group."""
    above = {_text(one, "id"): _text(one, "parts/ispartof") for one in _kept(tree)}
    wholes = {}
    for one in above:
        top, seen = one, {one}
        while (up := above.get(top, "")) and up in above and up not in seen:
            seen.add(up)
            top = up
        wholes[one] = top
    members = Counter(wholes.values())
    return {one: top for one, top in wholes.items() if members[top] > 1}
