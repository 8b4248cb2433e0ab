import contextlib
import json
from pathlib import Path

import numpy as np
import pytest

from data.folders import scalabel, scalabel_frame
from data.layouts import ids_of, photo_of, save
from tessella.core.annotation import Drawing
from tessella.core.errors import FormatError, InputError
from tessella.dataset.index import open_dataset
from tessella.formats.driving.scalabel import outline
from tessella.formats.raster.rle import encode_string

SQUARE = [[0, 0], [4, 0], [4, 4], [0, 4]]


def write(root: Path, tree: object, *photos: str, name: str = "labels.json") -> Path:
    root.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(json.dumps(tree))
    for photo in photos:
        save(root / photo, photo_of(0))
    return root


def label(category: str, **more: object) -> dict:
    return {"id": 7, "category": category, "poly2d": [{"vertices": SQUARE, "types": "LLLL", "closed": True}], **more}


def drawing_of(root: Path) -> Drawing:
    annotation = open_dataset(root).annotation(0)
    assert isinstance(annotation, Drawing)
    return annotation


def test_polygons_are_painted_in_their_order(tmp_path: Path) -> None:
    index = open_dataset(scalabel(tmp_path))
    for sample in index:
        assert sample.labels is not None
        expected = np.where(ids_of(int(sample.name[-1])) == 255, 0, ids_of(int(sample.name[-1])))
        expected[-1] = np.where(ids_of(int(sample.name[-1]))[-1] == 255, sample.labels.ids[-1], expected[-1])
        np.testing.assert_array_equal(sample.labels.ids, expected)
    assert {record.group for record in index.records} == {"v"}


def test_a_list_of_frames_and_the_first_version_are_read_too(tmp_path: Path) -> None:
    frame = scalabel_frame(0)
    write(tmp_path / "list", [frame], "p0.jpg")
    road = {"category": "road", "id": 1, "poly2d": [[x, y, "L"] for x, y in SQUARE]}
    first = {"name": "p0", "frames": [{"objects": [road]}]}
    write(tmp_path / "first", first, "p0.jpg")
    assert len(drawing_of(tmp_path / "list").shapes) == 3
    (shape,) = drawing_of(tmp_path / "first").shapes
    assert shape.label == "road"
    assert shape.points_xy.tolist() == SQUARE


def test_the_polygons_of_one_label_are_one_object_with_its_attributes(tmp_path: Path) -> None:
    two = {**label("car", attributes={"occluded": True}), "poly2d": [{"vertices": SQUARE}, {"vertices": SQUARE}]}
    shapes = drawing_of(write(tmp_path, [{"name": "a.png", "labels": [two]}], "a.png")).shapes
    assert [shape.group for shape in shapes] == ["7", "7"]
    assert shapes[0].attributes == (("occluded", "True"),)


def test_run_lengths_are_masks_and_state_the_size(tmp_path: Path) -> None:
    mask = ids_of(0) == 1
    rle = {"counts": encode_string(mask), "size": [12, 16]}
    frame = {"name": "gone.jpg", "labels": [{"category": "road", "rle": rle}], "size": None}
    index = open_dataset(write(tmp_path, {"frames": [frame]}))
    assert index.records[0].image is None
    labels = index.labels(0)
    assert labels is not None
    np.testing.assert_array_equal(labels.ids == 1, mask)


def test_open_lines_are_lines_and_boxes_are_counted(tmp_path: Path) -> None:
    lane = {"category": "lane", "poly2d": [{"vertices": SQUARE, "types": "LLLL", "closed": False}]}
    box = {"category": "car", "box2d": {"x1": 0, "y1": 0, "x2": 3, "y2": 3}}
    root = write(tmp_path, [{"name": "a.png", "labels": [lane, box, box]}], "a.png")
    assert [shape.kind for shape in drawing_of(root).shapes] == ["linestrip"]
    assert open_dataset(root).listing.left_out == {"boxes without outline": 2}


def test_boxes_alone_are_refused_with_their_number(tmp_path: Path) -> None:
    box = {"category": "car", "box2d": {"x1": 0, "y1": 0, "x2": 3, "y2": 3}}
    with pytest.raises(FormatError, match=r"1 boxes without outline.*boxes say nothing of pixels"):
        open_dataset(write(tmp_path, [{"name": "a.png", "labels": [box]}], "a.png"))


def test_a_bezier_curve_meets_its_ends_and_its_middle() -> None:
    vertices = [[0, 0], [0, 3], [9, 3], [9, 0], [0, -4]]
    points = outline({"vertices": vertices, "types": "LCCCL"}, where="x")
    assert len(points) == 1 + 16 + 1
    np.testing.assert_allclose(points[16], [9, 0])
    # at half of a cubic: (start + 3 * one + 3 * two + end) / 8
    np.testing.assert_allclose(points[8], [(0 + 0 + 27 + 9) / 8, (0 + 9 + 9 + 0) / 8])


@pytest.mark.parametrize("types", ["LL", "LLLX", 5])
def test_types_that_do_not_fit_are_refused(types: object) -> None:
    with pytest.raises(FormatError, match="types do not fit"):
        outline({"vertices": SQUARE, "types": types}, where="x")


def test_a_split_may_be_in_the_files_name_and_unlabelled_frames_stay(tmp_path: Path) -> None:
    frames = [{"name": "a.png", "labels": [label("car")]}, {"name": "b.png", "labels": None}]
    index = open_dataset(write(tmp_path, frames, "a.png", "b.png", name="sem_seg_val.json"))
    assert [(record.name, record.split, record.label is None) for record in index.records] == [
        ("a", "val", False),
        ("b", "val", True),
    ]


def test_two_frames_of_one_photo_are_refused(tmp_path: Path) -> None:
    frames = [{"name": "a.png", "labels": [label("car")]}] * 2
    with pytest.raises(FormatError, match="two frames describe"):
        open_dataset(write(tmp_path, frames, "a.png"))


def test_a_frame_whose_photo_is_missing_is_named_by_file_and_place(tmp_path: Path) -> None:
    frames = [{"name": "a.png", "labels": [label("car")]}, {"name": "b.png", "labels": [label("car")]}]
    assert open_dataset(write(tmp_path, frames, "a.png")).listing.orphan_labels == ("labels.json#1",)


@pytest.mark.parametrize(
    "labels",
    [[3], [{"category": 3}], [{"category": "a", "poly2d": [{"vertices": "x"}]}],
     [{"category": "a", "rle": {"counts": "1", "size": [10**6, 10**6]}}], {}, [label("a", id=[1])]],
)  # fmt: skip
def test_hostile_labels_end_in_our_own_errors_or_are_passed_over(tmp_path: Path, labels: object) -> None:
    frames = [{"name": "a.png", "labels": [label("car")]}, {"name": "b.png", "labels": labels}]
    root = write(tmp_path, frames, "a.png", "b.png")
    with contextlib.suppress(InputError):
        _ = [sample.labels for sample in open_dataset(root)]
