from pathlib import Path

import numpy as np
import pytest
from pycocotools import mask as cocomask

from data.coco import HW, block, photo
from data.datumaro import annotation, document, item
from tessella.core.annotation import Drawing
from tessella.core.classes import IGNORE
from tessella.core.errors import FormatError, InputError
from tessella.dataset.index import Index, open_dataset


def one(root: Path, *annotations: dict, **more: object) -> Index:
    photo(root / "images" / "default" / "a.png")
    document(root / "annotations" / "default.json", item("a", *annotations), **more)
    return open_dataset(root)


def ids(index: Index, position: int = 0) -> np.ndarray:
    labels = index.labels(position)
    assert labels is not None
    return labels.ids


def area(label: int | None = 0, **more: object) -> dict:
    return annotation("polygon", label, points=block(0, 0, 4, 4), **more)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of pycocotools
def test_polygons_masks_and_ellipses_are_areas(tmp_path: Path) -> None:
    mask = np.zeros(HW, np.uint8)
    mask[6:9, 1:5] = 1
    packed = cocomask.encode(np.asfortranarray(mask))["counts"].decode()
    rle = annotation("mask", 1, rle={"counts": packed, "size": list(HW)})
    round_one = annotation("ellipse", 2, points=[8.0, 2.0, 16.0, 8.0])
    index = one(tmp_path, area(), rle, round_one)
    found = ids(index)
    assert (found[:4, :4] == 1).all()
    np.testing.assert_array_equal(found == 2, mask == 1)
    assert found[5, 12] == 3
    assert abs(int((found == 3).sum()) - np.pi * 4 * 3) < 3


def test_the_level_decides_what_covers_what(tmp_path: Path) -> None:
    below, above = area(0, z_order=-1), area(1, z_order=5)
    assert ids(one(tmp_path, above, below))[0, 0] == 2


def test_boxes_are_ignored_and_what_is_no_area_is_counted(tmp_path: Path) -> None:
    others = [
        annotation("bbox", 1, bbox=[6, 2, 4, 3]),
        annotation("rotated_bbox", 1, points=[4.0, 9.0, 4.0, 2.0, 90.0]),
        annotation("caption", None, caption="hello"),
        annotation("label", 1),
        annotation("points", 1, points=[1, 2]),
        annotation("polyline", 1, points=[1, 2, 3, 4]),
        annotation("cuboid_3d", 1),
        annotation("hologram", 1),
        area(None),
    ]
    index = one(tmp_path, area(), *others)
    assert dict(index.listing.left_out) == {
        "boxes without outline": 2, "captions": 1, "labels of whole photos": 1, "sets of keypoints": 1, "lines": 1,
        "cuboids": 1, "annotations of unknown kind": 1, "shapes without label": 1,
    }  # fmt: skip
    expected = np.zeros(HW, np.uint8)
    expected[2:5, 6:10] = IGNORE
    expected[7:11, 3:5] = IGNORE  # turned upright
    expected[:4, :4] = 1
    np.testing.assert_array_equal(ids(index), expected)


def test_objects_and_attributes_are_kept(tmp_path: Path) -> None:
    drawing = one(tmp_path, area(group=7, attributes={"occluded": False, "x": 1}), area()).annotation(0)
    assert isinstance(drawing, Drawing)
    assert [(shape.group, shape.attributes) for shape in drawing.shapes] == [("7", (("x", "1"),)), ("", ())]


def test_photos_of_one_name_are_found_by_their_subset(tmp_path: Path) -> None:
    for subset in ("train", "val"):
        photo(tmp_path / "images" / subset / "deep" / "a.png")
        path = f"/home/someone/images/{subset}/deep/a.png"
        document(tmp_path / "annotations" / f"{subset}.json", item("deep/a", area(), path=path))
    index = open_dataset(tmp_path)
    assert {record.split: record.image for record in index.records} == {
        subset: tmp_path / "images" / subset / "deep" / "a.png" for subset in ("train", "val")
    }


def test_a_photo_that_is_not_here_stays_with_its_size(tmp_path: Path) -> None:
    document(tmp_path / "default.json", item("a", area()), {"id": "b", "annotations": []})
    index = open_dataset(tmp_path)
    assert [(record.name, record.image) for record in index.records] == [("a", None)]
    assert ids(index).shape == HW
    assert index.listing.orphan_labels == ("default.json#1",)


def test_files_without_areas_are_refused_with_what_they_hold(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"hold no areas.*1 boxes without outline, 2 captions"):
        one(tmp_path, annotation("bbox", bbox=[1, 1, 2, 2]), *[annotation("caption", None)] * 2)


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (annotation("polygon", points=[1, 2, 3]), "no points"),
        (annotation("polygon", points=None), "no points"),
        (annotation("mask", rle={"size": [2, 3], "counts": "06"}), "another size"),
        (annotation("mask", rle=7), "no object"),
        (annotation("ellipse", points=[1, 2, 3, 4, 5, 6]), "two corners"),
    ],
)
def test_a_broken_annotation_is_named_by_its_place(tmp_path: Path, broken: dict, says: str) -> None:
    with pytest.raises(FormatError, match=rf"\.json#0: annotations\[0\]: .*{says}"):
        one(tmp_path, broken).annotation(0)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"items": [', "not valid JSON"),
        ('{"items": {}, "categories": {}}', "not a Datumaro file"),
        ('{"items": [7], "categories": {}}', "not an object"),
        ('{"items": [{"id": 1, "id": 2}], "categories": {}}', "twice"),
        ('{"items": [{"id": 1, "image": {"size": [-1, 2]}}], "categories": {}}', "whole number"),
    ],
)
def test_a_broken_file_is_an_error_that_names_it(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(InputError, match=rf"a\.json.*{says}"):
        open_dataset(tmp_path / "a.json", format="datumaro")


def test_labels_beyond_the_list_and_without_name(tmp_path: Path) -> None:
    index = one(tmp_path, area(), labels=[{"name": " "}, 7, {"name": "tree"}])
    assert index.table.names == ("background", "label_0", "label_1", "tree")


def test_real_exports(shared_data: Path) -> None:
    folder = shared_data / "cvat_all_exports" / "docs" / "dataset-formats-samples" / "datumaro"
    index = open_dataset(folder)
    assert (index.format, len(index)) == ("datumaro", 4)
    assert index.table.names == ("background", "cat", "Other object", "abcd_category")
