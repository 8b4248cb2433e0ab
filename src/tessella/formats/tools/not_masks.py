"""Well-known annotations that say nothing of pixels: told by their files, so that the answer can say what they are."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

from tessella.files.paths import IMAGE_SUFFIXES
from tessella.files.text import read_head
from tessella.formats.layout.class_files import CLASS_FILES
from tessella.formats.layout.pairing import SPLIT_NAMES, role_of
from tessella.formats.tools.plain import rows, table, words

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tessella.formats.source import Source

_LOOK_AT: Final = 20
_HEAD: Final = 4096
_BOXES: Final = "they say where objects are, not which pixels belong to them"
_WHOLE: Final = "they label whole photos"
_POINTS: Final = "they mark points, not areas"
_FRAMES: Final = "they label times of videos"
_WORDS: Final = "they answer with words about whole photos"
_RENAME: Final = "no format of such tables is read; put the masks into masks/ and name each as its photo in images/"
_PICTURES: Final = tuple(sorted(IMAGE_SUFFIXES))
_NUMBER: Final = re.compile(r"-?\d+(\.\d*)?([eE][-+]?\d+)?")


class _Seen:
    """What is looked at: the first words of JSON, XML, CSV and text files, and the names of all files but readmes."""

    def __init__(self, source: Source) -> None:
        self.trees = [outline.tree for outline in source.outlines]
        self.tags = [set(tags) for _, tags in source.xml_tags]
        self.files = [path for path in source.files() if not path.name.lower().startswith("readme")]
        self.root = source.root
        self.is_folder = source.file is None
        self._csv, self._txt, self._jsonl = source.files(".csv"), source.files(".txt"), source.files(".jsonl")

    @cached_property
    def sheets(self) -> list[list[list[str]]]:
        """The cells of the first lines of some CSV files, without quotes; files without a line are left out."""
        heads = [_head(path).splitlines()[:_LOOK_AT] for path in self._csv[:_LOOK_AT]]
        cells = [[[cell.strip(' "') for cell in line.split(",")] for line in head if line.strip()] for head in heads]
        return [lines for lines in cells if lines]

    @cached_property
    def headers(self) -> list[set[str]]:
        """The cells of the first line of some CSV files, without quotes."""
        return [set(lines[0]) for lines in self.sheets]

    @cached_property
    def said(self) -> list[dict[str, object]]:
        """The object in the first line of some JSON-lines files; an empty one for anything else."""
        return [_object("".join(_head(path).splitlines()[:1])) for path in self._jsonl[:_LOOK_AT]]

    @cached_property
    def texts(self) -> list[list[list[str]]]:
        """The words of the first lines of some text files."""
        heads = [_head(path).splitlines()[:_LOOK_AT] for path in self._txt[:_LOOK_AT]]
        return [[line.replace(",", " ").split() for line in head if line.strip()] for head in heads]

    def named(self, *endings: str) -> bool:
        """Whether a file's name, in lower case, has one of these endings."""
        return any(path.name.lower().endswith(endings) for path in self.files)

    def has_header(self, *cells: str) -> bool:
        """Whether a CSV file has all these columns."""
        return any(set(cells) <= header for header in self.headers)

    def has_table(self, fits: Callable[[list[str], list[str]], bool]) -> bool:
        """Whether all lines of a CSV file below its header have a form, which is asked of the header and a line."""
        return any(len(lines) > 1 and all(fits(lines[0], line) for line in lines[1:]) for lines in self.sheets)

    def has_text(self, fits: Callable[[list[str]], bool]) -> bool:
        """Whether all lines of a text file have a form."""
        return any(lines and all(map(fits, lines)) for lines in self.texts)

    def all_are(self, *endings: str) -> bool:
        """Whether a folder holds nothing but files whose names have one of these endings."""
        return self.is_folder and bool(self.files) and all(path.name.lower().endswith(endings) for path in self.files)


class _Kind(NamedTuple):
    """A kind of annotations: what people call them, what they say instead, and how they are told."""

    name: str
    reason: str
    fits: Callable[[_Seen], bool]


def explain(source: Source) -> tuple[str, str] | None:
    """Return what the files of a source are and why they hold no masks; None where nothing is recognised."""
    seen = _Seen(source)
    return next(((kind.name, kind.reason) for kind in _KINDS if kind.fits(seen)), None)


def _head(path: Path) -> str:
    """Return the first lines of a file; of a long one without the line that is cut off."""
    try:
        text, is_whole = read_head(path, max_bytes=_HEAD), path.stat().st_size <= _HEAD
    except OSError:
        return ""
    return text if is_whole or "\n" not in text else text[: text.rindex("\n") + 1]


def _object(text: str) -> dict[str, object]:
    try:
        return table(json.loads(text))
    except (ValueError, RecursionError):
        return {}


def _first(tree: object) -> dict[str, object]:
    return table(next(iter(rows(tree)), None)) if isinstance(tree, list) else table(tree)


def _createml(seen: _Seen) -> bool:
    listed = [rows(_first(tree).get("annotations")) for tree in seen.trees if isinstance(tree, list)]
    return any({"label", "coordinates"} <= table(one).keys() for annotations in listed for one in annotations[:1])


def _vott(seen: _Seen) -> bool:
    return any({"assets", "tags"} <= table(tree).keys() for tree in seen.trees)


def _labelbox_import(seen: _Seen) -> bool:
    return any({"uuid", "dataRow"} <= _first(tree).keys() for tree in seen.trees)


def _label_studio_tasks(seen: _Seen) -> bool:
    data = [table(_first(tree).get("data")) for tree in seen.trees]
    return any(
        "image" in one or any(words(value).lower().endswith(_PICTURES) for value in one.values()) for one in data
    )


def _segment_anything(seen: _Seen) -> bool:
    first = [next(iter(rows(table(tree).get("annotations"))), None) for tree in seen.trees if "image" in table(tree)]
    return any({"segmentation", "predicted_iou"} <= table(one).keys() for one in first)


def _supervisely_clouds(seen: _Seen) -> bool:
    return any({"objects", "figures"} <= table(tree).keys() for tree in seen.trees)


def _cvat_api(seen: _Seen) -> bool:
    levels = [table(tree) for tree in seen.trees]
    if any({"count", "next", "previous", "results"} <= level.keys() for level in levels):
        return True
    for _ in range(3):
        if any({"tags", "shapes", "tracks"} <= level.keys() for level in levels):
            return True
        levels = [table(value) for level in levels for value in list(level.values())[:_LOOK_AT]]
    return False


def _poses(seen: _Seen) -> bool:
    return any({"joint_self", "img_paths"} <= _first(tree).keys() for tree in seen.trees)


def _voc_boxes(seen: _Seen) -> bool:
    return any({"annotation", "object", "bndbox"} <= tags and "polygon" not in tags for tags in seen.tags)


def _are_numbers(cells: list[str]) -> bool:
    return all(_NUMBER.fullmatch(cell) for cell in cells)


def _yolo(line: list[str]) -> bool:
    return len(line) in (5, 6) and line[0].isdecimal() and _are_numbers(line[1:])


def _kitti(line: list[str]) -> bool:
    return len(line) in (15, 16) and not _are_numbers(line[:1]) and _are_numbers(line[1:])


def _dota(line: list[str]) -> bool:
    return len(line) == 10 and _are_numbers(line[:8]) and not _are_numbers(line[8:9])


def _listed_photo(line: list[str]) -> bool:
    return len(line) == 2 and line[0].lower().endswith(_PICTURES) and line[1].isdecimal()


def _person(line: list[str]) -> bool:
    return len(line) == 1 and line[0].startswith(("bounding_box_", "query/"))


def _icdar(seen: _Seen) -> bool:
    return any(path.name.startswith("gt_") and path.suffix == ".txt" for path in seen.files)


def _mnist(seen: _Seen) -> bool:
    return seen.named("-ubyte", "-ubyte.gz", "mnist_train.csv", "mnist_test.csv")


def _cifar(seen: _Seen) -> bool:
    names = {path.name for path in seen.files}
    return bool({"data_batch_1", "test_batch", "batches.meta"} & names) or {"meta", "train", "test"} == names


def _boxes_in_table(seen: _Seen) -> bool:
    headers = [{cell.lower() for cell in header} for header in seen.headers]
    sides = [tuple(any(cell.endswith(side) for cell in header) for side in ("xtl", "xbr")) for header in headers]
    return any({"xmin", "xmax"} <= header for header in headers) or any(all(found) for found in sides)


def _photos_in(line: list[str]) -> int:
    return sum(cell.lower().endswith(_PICTURES) for cell in line)


def _yes_or_no_per_class(header: list[str], line: list[str]) -> bool:
    answers = [cell for cell in line if cell in {"0", "1"}]
    return _photos_in(line) == 1 and len(line) == len(header) > 1 and len(answers) == len(line) - 1


def _class_of_photo(header: list[str], line: list[str]) -> bool:
    known = {cell.lower() for cell in header} & _CLASS_COLUMNS
    return len(line) == len(header) == 2 and _photos_in(line) == 1 and bool(known)


def _photo_and_mask(header: list[str], line: list[str]) -> bool:
    return len(line) == len(header) == 2 and _photos_in(line) == 2


def _tables(seen: _Seen) -> bool:
    if not seen.named(".csv") or not seen.all_are(".csv", *_PICTURES):
        return False
    return not any(word in cell.lower() for header in seen.headers for cell in header for word in _AREAS)


def _questions(seen: _Seen) -> bool:
    """PaliGemma's rows; one that names `<seg...>` spells an outline in words of its own."""
    rows_said = [row for row in seen.said if {"image", "prefix", "suffix"} <= row.keys()]
    return bool(rows_said) and not any("<seg" in words(row["suffix"], whole=True) for row in rows_said)


def _class_lists(seen: _Seen) -> bool:
    return seen.is_folder and bool(seen.files) and all(path.name in CLASS_FILES for path in seen.files)


def _sorted_by_class(seen: _Seen) -> bool:
    """Whether all splits hold the same folders of pictures, and no two of these hold pictures of the same name.

    Masks and other layers of a photo lie in folders with a role, or under the photo's own name.
    """
    if not seen.all_are(*_PICTURES):
        return False
    places = [path.relative_to(seen.root).parts for path in seen.files]
    if any(len(place) != 3 or place[0].casefold() not in SPLIT_NAMES for place in places):
        return False
    folders, stems = defaultdict(set), defaultdict(set)
    for split, folder, name in places:
        folders[split].add(folder)
        stems[folder].add(name.rpartition(".")[0])
    names, *others = folders.values()
    twins = sum(map(len, stems.values())) > len(set().union(*stems.values()))
    alike = bool(others) and len(names) > 1 and all(other == names for other in others)
    return alike and not twins and not any(role_of(name)[0] for name in names)


_CLASS_COLUMNS: Final = frozenset({"class", "classname", "class_name", "label", "labelname", "label_name", "category"})
_AREAS: Final = ("mask", "pixel", "rle", "polygon", "segment", "outline", "contour", "wkt", "geom", "shape", "points")
_CLOUDS: Final = (".pcd", ".ply", ".las", ".laz")
_VIDEOS: Final = (".mp4", ".avi", ".mov", ".mkv", ".webm")
_VOTT: Final = ("image", "xmin", "ymin", "xmax", "ymax", "label")
_CELEBA: Final = ("identity_celeba.txt", "list_bbox_celeba.txt", "list_attr_celeba.txt")

_KINDS: Final = (
    _Kind("CreateML boxes", _BOXES, _createml),
    _Kind("VoTT projects", _BOXES, _vott),
    _Kind("VoTT tables of boxes", _BOXES, lambda seen: seen.has_header(*_VOTT)),
    _Kind("Open Images' tables of boxes", _BOXES, lambda seen: seen.has_header("ImageID", "XMin", "XMax")),
    _Kind("Open Images' tables of labels", _WHOLE, lambda seen: seen.has_header("ImageID", "LabelName")),
    _Kind("Open Images' lists of photos", _WHOLE, lambda seen: seen.has_header("ImageID", "OriginalURL")),
    _Kind("VGGFace2's tables of boxes", _BOXES, lambda seen: seen.has_header("NAME_ID", "X", "Y", "W", "H")),
    _Kind("Kinetics tables", _FRAMES, lambda seen: seen.has_header("label", "youtube_id")),
    _Kind("tables of boxes", _BOXES, _boxes_in_table),
    _Kind("Labelbox import rows", "they go into Labelbox and name no photo; export the project", _labelbox_import),
    _Kind("Segment Anything's outlines", "they have no classes", _segment_anything),
    _Kind("Supervisely figures", "they lie in point clouds or videos, not on photos", _supervisely_clouds),
    _Kind("answers of CVAT's API", "they name labels and photos by number; export the task from CVAT", _cvat_api),
    _Kind("MPII poses", _POINTS, lambda seen: _poses(seen) or seen.named("mpii_human_pose_v1_u12_1.mat")),
    _Kind("Label Studio tasks", "nobody has annotated a picture in them yet", _label_studio_tasks),
    _Kind("PASCAL VOC boxes", _BOXES, _voc_boxes),
    _Kind("WIDER FACE boxes", _BOXES, lambda seen: seen.named("_bbx_gt.txt")),
    _Kind("CelebA lists", "they hold names, boxes, points and properties of faces", lambda seen: seen.named(*_CELEBA)),
    _Kind("ImageNet's lists", _WHOLE, lambda seen: seen.named("synsets.txt")),
    _Kind("Market-1501's lists", "they tell persons apart on whole photos", lambda seen: seen.has_text(_person)),
    _Kind("ICDAR's boxes of text", _BOXES, _icdar),
    _Kind("LFW pairs", _WHOLE, lambda seen: seen.named("pairs.txt") and seen.named("people.txt", "landmarks.txt")),
    _Kind("YOLO boxes", _BOXES, lambda seen: seen.has_text(_yolo)),
    _Kind("KITTI boxes", _BOXES, lambda seen: seen.has_text(_kitti)),
    _Kind("DOTA's turned boxes", _BOXES, lambda seen: seen.has_text(_dota)),
    _Kind("MOT boxes", _BOXES, lambda seen: seen.named("gt.txt", "det.txt", "seqinfo.ini")),
    _Kind("lists of photos with a class each", _WHOLE, lambda seen: seen.has_text(_listed_photo)),
    _Kind("AVA actions", _FRAMES, lambda seen: seen.named(".pbtxt") and seen.named(".csv")),
    _Kind("TensorFlow records", "no format of them is read", lambda seen: seen.named(".tfrecord", ".pbtxt")),
    _Kind("MNIST's digits", _WHOLE, _mnist),
    _Kind("CIFAR's batches", _WHOLE, _cifar),
    _Kind("point clouds", "they lie in space, not on photos", lambda seen: seen.named(*_CLOUDS)),
    _Kind("videos", "their frames have to be exported as photos first", lambda seen: seen.named(*_VIDEOS)),
    _Kind("archives", "give one of them itself", lambda seen: seen.all_are(".zip", ".tar", ".tar.gz", ".tgz")),
    _Kind("tables of photos and masks", _RENAME, lambda seen: seen.has_table(_photo_and_mask)),
    _Kind("tables of photos and classes", _WHOLE, lambda seen: seen.has_table(_yes_or_no_per_class)),
    _Kind("tables of photos and classes", _WHOLE, lambda seen: seen.has_table(_class_of_photo)),
    _Kind("tables", "they name neither masks nor outlines", _tables),
    _Kind("PaliGemma's questions and answers", _WORDS, _questions),
    _Kind("lists of classes", "the masks or outlines that they belong to are missing", _class_lists),
    _Kind("photos in a folder for each class", _WHOLE, _sorted_by_class),
)
"""The surest first."""
