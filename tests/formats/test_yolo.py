from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from data.coco import HW, block, document, images, photo, row
from data.layouts import index_mask
from data.yolo import NAMES, label, line, yolo_seg
from tessella.core.annotation import Drawing
from tessella.core.classes import IGNORE, ClassTable, LabelCoding
from tessella.core.errors import FormatError, InputError, LabelError
from tessella.core.labelmap import LabelMap
from tessella.dataset.convert import convert
from tessella.dataset.index import Index, open_dataset
from tessella.formats import Source, choose
from tessella.formats.raster.rasterise import polygon_mask
from tessella.formats.tools.yolo.data_yaml import read_data_yaml
from tessella.formats.tools.yolo.writing import traced

CODING = LabelCoding(ClassTable.from_names(("background", "road", "tree")))


def one(root: Path, *lines: str, names: str = NAMES) -> Index:
    photo(root / "images" / "a.png")
    label(root / "labels" / "a.txt", *lines)
    (root / "data.yaml").write_text(names)
    return open_dataset(root)


def ids(index: Index, position: int = 0) -> np.ndarray:
    labels = index.labels(position)
    assert labels is not None
    return labels.ids


def test_corners_are_multiplied_by_the_size_of_the_photo(tmp_path: Path) -> None:
    index = one(tmp_path, line(1, block(2, 1, 9, 4)), line(0, block(4, 2, 6, 11)))
    drawing = index.annotation(0)
    assert isinstance(drawing, Drawing)
    assert drawing.shapes[0].points_xy.tolist() == [[2, 1], [9, 1], [9, 4], [2, 4]]
    assert [shape.group for shape in drawing.shapes] == ["0", "1"]
    expected = np.zeros(HW, np.uint8)
    expected[1:4, 2:9] = 2
    expected[2:11, 4:6] = 1
    np.testing.assert_array_equal(ids(index), expected)


def test_the_size_is_that_of_the_photo_as_it_is_shown(tmp_path: Path) -> None:
    one(tmp_path, line(1, block(0, 0, 6, 4), hw=(16, 12)))
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (16, 12)).save(tmp_path / "images" / "a.jpg", exif=exif)
    (tmp_path / "images" / "a.png").unlink()
    found = ids(open_dataset(tmp_path))
    assert found.shape == (16, 12)
    assert (found[:4, :6] == 2).all()


@pytest.mark.parametrize(
    ("names", "classes"),
    [
        ("names: [road, 'a tree']\n", ("background", "road", "a tree")),
        ('names: {0: road, 1: "a: b"}\nnc: 2\n', ("background", "road", "a: b")),
        ("nc: 2\nnames:\n- road\n- tree # leaves\n", ("background", "road", "tree")),
        ("names:\n  1: tree\n  0: background\n", ("background", "tree")),
    ],
)
def test_names_are_read_in_every_form(tmp_path: Path, names: str, classes: tuple[str, ...]) -> None:
    assert one(tmp_path, line(1, block(2, 1, 9, 4)), names=names).table.names == classes


def test_classes_without_names_are_called_by_their_numbers(tmp_path: Path) -> None:
    one(tmp_path, line(7, block(2, 1, 9, 4)), line(3, block(0, 0, 2, 2)))
    (tmp_path / "data.yaml").unlink()
    index = open_dataset(tmp_path)
    assert index.table.names == ("background", "class_3", "class_7")
    assert index.listing.discovered


def test_a_number_beyond_the_names_is_named_when_it_is_painted(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="class_7"):
        one(tmp_path, line(7, block(2, 1, 9, 4))).labels(0)


def test_boxes_beside_polygons_are_ignored_regions_and_counted(tmp_path: Path) -> None:
    index = one(tmp_path, line(0, block(0, 0, 4, 4)), "1 0.5 0.5 0.5 0.5\n")
    expected = np.zeros(HW, np.uint8)
    expected[3:9, 4:12] = IGNORE
    expected[:4, :4] = 1
    np.testing.assert_array_equal(ids(index), expected)
    assert index.listing.left_out == {"boxes without outline": 1}


def test_boxes_alone_are_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="YOLO boxes"):
        one(tmp_path, "1 0.5 0.5 0.5 0.5\n")
    with pytest.raises(FormatError, match=r"boxes, so they say nothing of pixels.*1 box in 1 file"):
        open_dataset(tmp_path, format="yolo-seg")


def test_poses_are_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="poses"):
        one(tmp_path, "0 0.5 0.5 0.5 0.5 0.1 0.1 0.2 0.2\n", names="kpt_shape: [2, 2]\n" + NAMES)


def test_polygons_of_four_corners_only_may_be_turned_boxes(tmp_path: Path) -> None:
    few = one(tmp_path / "few", *[line(0, block(0, 0, 4, 4))] * 20)
    many = one(tmp_path / "many", *[line(0, block(0, 0, 4, 4))] * 21)
    assert not any("turned boxes" in note for note in few.listing.notes)
    assert any("turned boxes" in note for note in many.listing.notes)


def test_an_empty_file_is_all_background_and_a_missing_one_no_label(tmp_path: Path) -> None:
    one(tmp_path)
    photo(tmp_path / "images" / "b.png")
    index = open_dataset(tmp_path)
    assert [record.label is None for record in index.records] == [False, True]
    assert (ids(index) == 0).all()


@pytest.mark.parametrize(
    ("image", "text"),
    [("train/images/a.png", "train/labels/a.txt"), ("a.png", "a.txt"), ("photos/a.png", "labels/a.txt")],
)
def test_label_files_are_found_where_tools_put_them(tmp_path: Path, image: str, text: str) -> None:
    photo(tmp_path / image)
    label(tmp_path / text, line(0, block(0, 0, 4, 4)))
    (tmp_path / "classes.txt").write_text("road\n")
    index = open_dataset(tmp_path)
    assert [(record.image, record.label) for record in index.records] == [(tmp_path / image, tmp_path / text)]
    assert index.table.names == ("background", "road")


def test_photos_may_lie_in_another_folder(tmp_path: Path) -> None:
    photo(tmp_path / "photos" / "a.png")
    label(tmp_path / "set" / "labels" / "a.txt", line(0, block(0, 0, 4, 4)))
    (tmp_path / "set" / "data.yaml").write_text(NAMES)
    index = open_dataset(tmp_path / "set" / "data.yaml", photos=tmp_path / "photos")
    assert (ids(index) == 1).sum() == 16


def test_splits_that_folders_do_not_say_are_read_off_data_yaml(tmp_path: Path) -> None:
    for name in ("one/a", "two/b", "three/c"):
        photo(tmp_path / "images" / f"{name}.png")
        label(tmp_path / "labels" / f"{name}.txt", line(0, block(0, 0, 4, 4)))
    (tmp_path / "list.txt").write_text("./images/two/b.png\n")
    folders = "train: /home/someone/set/images/one\nval: list.txt\ntest: [images/three/c.png]\n"
    (tmp_path / "data.yaml").write_text(folders + NAMES)
    assert [record.split for record in open_dataset(tmp_path).records] == ["train", "test", "val"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("0 0.1 0.1 0.5 0.1 0.5\n", "neither a box nor a polygon; got 5 numbers"),
        ("0 0.1 0.1 0.5 0.1 0.5 x\n", "no number; got 'x'"),
        ("0.5 0.1 0.1 0.5 0.1 0.5 0.5\n", "class number"),
        ("-1 0.1 0.1 0.5 0.1 0.5 0.5\n", "class number"),
        ("0 0.1 0.1 0.5 0.1 nan 0.5\n", "no number"),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, text: str, says: str) -> None:
    photo(tmp_path / "images" / "b.png")
    label(tmp_path / "labels" / "b.txt", line(0, block(0, 0, 4, 4)))
    index = one(tmp_path, line(0, block(0, 0, 4, 4)), text)
    place = [record.name for record in index.records].index("images/a")
    with pytest.raises(FormatError, match=rf"a\.txt: line 2: .*{says}"):
        index.annotation(place)


def test_lists_of_numbers_that_are_no_labels_are_not_claimed(tmp_path: Path) -> None:
    photo(tmp_path / "a.png")
    label(tmp_path / "a.txt", "120 340 55 60 70 80 90\n")
    with pytest.raises(FormatError, match="no labels of a known format"):
        choose(Source(tmp_path))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.integers(1, 12))
def test_rings_joined_over_holes_cover_the_very_pixels(seed: int, height: int, width: int) -> None:
    map_of = np.random.default_rng(seed).integers(0, 3, (height, width), dtype=np.uint8)
    painted = np.zeros_like(map_of)
    for value, ring in traced(LabelMap(map_of, CODING.table), CODING):
        scale = np.array([width, height])
        again = np.round(np.array([float(f"{x:.12g}") for x in (ring / scale).ravel()]).reshape(-1, 2) * scale, 6)
        painted[polygon_mask([again], (height, width))] = value
    np.testing.assert_array_equal(painted, map_of)


def test_drawn_polygons_are_kept_and_parts_are_joined(tmp_path: Path) -> None:
    photo(tmp_path / "set" / "a.png")
    ring = [1.25, 1.5, 7.125, 2.75, 4.0, 9.5]
    rows = [row(1, 1, 3, [ring]), row(2, 1, 17, [block(8, 1, 10, 3), block(12, 8, 15, 11)])]
    document(tmp_path / "set" / "a.json", images("a.png"), rows)
    convert(tmp_path / "set", tmp_path / "out", to="yolo-seg")
    first, second = (tmp_path / "out" / "labels" / "a.txt").read_text().splitlines()
    numbers = np.array(first.split()[1:], float).reshape(-1, 2) * [16, 12]
    np.testing.assert_allclose(numbers.ravel(), ring)
    assert len(second.split()) == 1 + 2 * (4 + 4 + 2)
    np.testing.assert_array_equal(ids(open_dataset(tmp_path / "out")) == 2, ids(open_dataset(tmp_path / "set")) == 2)


def test_parts_that_overlap_are_one_line_around_what_they_cover(tmp_path: Path) -> None:
    photo(tmp_path / "set" / "a.png")
    document(tmp_path / "set" / "a.json", images("a.png"), [row(1, 1, 3, [block(0, 0, 6, 6), block(4, 4, 9, 9)])])
    done = convert(tmp_path / "set", tmp_path / "out", to="yolo-seg")
    assert len((tmp_path / "out" / "labels" / "a.txt").read_text().splitlines()) == 1
    np.testing.assert_array_equal(ids(open_dataset(tmp_path / "out")), ids(open_dataset(tmp_path / "set")))
    assert done.left_out == {
        "outlines that overlap within their object, kept as the outline of the pixels they cover": 2
    }


def test_data_yaml_names_ignore_only_where_it_occurs(tmp_path: Path) -> None:
    convert(index_mask(tmp_path / "set"), tmp_path / "out", to="yolo-seg")
    assert read_data_yaml(tmp_path / "out" / "data.yaml") == {
        "path": ".", "train": "images", "val": "images", "names": {"0": "road", "1": "tree", "2": "__ignore__"},
    }  # fmt: skip
    convert(yolo_seg(tmp_path / "clean"), tmp_path / "out2", to="yolo-seg")
    again = read_data_yaml(tmp_path / "out2" / "data.yaml")
    assert again == {"path": ".", "train": "images/train", "val": "images/val", "names": {"0": "road", "1": "tree"}}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("names: ['it''s', \"a # b\", o'b]", ["it's", "a # b", "o'b"]),
        ("names: [\n  a,\n  b\n]", ["a", "b"]),
        ("names: {0: a, 1: http://x}", {"0": "a", "1": "http://x"}),
        ("names:\n  0: a\n  1:\n", {"0": "a", "1": ""}),
        ("names: []", []),
        ("names: [[a]]", None),
        ("names: [a", None),
        ("names:\n  a:\n    b: c", None),
        ("# names: x", None),
        ("names: ~", None),
    ],
)
def test_the_yaml_that_is_known(tmp_path: Path, text: str, found: object) -> None:
    path = tmp_path / "data.yaml"
    path.write_text(text)
    assert read_data_yaml(path).get("names") == found


def test_yaml_with_a_key_twice_or_too_large_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "data.yaml"
    path.write_text("names: [a]\nnames: [b]\n")
    with pytest.raises(FormatError, match="twice"):
        read_data_yaml(path)
    path.write_text("names: [" + "a," * (1 << 20))
    with pytest.raises(InputError, match="too large"):
        read_data_yaml(path)


@pytest.mark.parametrize("text", ["[", "{", "'", '"', "[a" + " " * 9, "[',", " #'", "['\"',", "[ a "])
def test_long_yaml_is_read_in_linear_time(tmp_path: Path, text: str) -> None:
    path = tmp_path / "data.yaml"
    path.write_text("names: " + text * (900_000 // len(text)) + "]")
    read_data_yaml(path)


def test_real_samples(shared_data: Path) -> None:
    index = open_dataset(shared_data / "yolo_seg_sample")
    assert (index.format, len(index), len(index.table)) == ("yolo-seg", 8, 81)
    assert {record.split for record in index.records} == {"train", "val"}
    turned = open_dataset(shared_data / "roboflow_coco" / "tests" / "datasets" / "sharks-tiny-yolov9")
    assert turned.table.names == ("background", "fish", "primary", "shark")


def test_another_file_of_the_folder_is_not_taken_for_all_of_it(tmp_path: Path) -> None:
    root = yolo_seg(tmp_path)
    (root / "README.md").write_text("how this was made")
    with pytest.raises(FormatError, match=r"README.md: no labels of a known format"):
        choose(Source(root, root / "README.md"))
    assert choose(Source(root, root / "data.yaml"))[0] == "yolo-seg"


def test_a_box_whose_edge_meets_centres_but_for_rounding_survives_writing(tmp_path: Path) -> None:
    boxes = one(tmp_path / "set", "0 0.2812500000001 0.5 0.3125 0.5", line(0, block(4, 2, 6, 11)))
    convert(boxes, tmp_path / "out", to="yolo-seg")
    np.testing.assert_array_equal(ids(open_dataset(tmp_path / "out")), ids(boxes))
