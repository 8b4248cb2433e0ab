import json
import math
from pathlib import Path

import numpy as np
import pytest

from data.layouts import box, labelme, labelme_file, photo_of, png64, save, shape
from tessella.checking import check, fix
from tessella.core.annotation import Drawing
from tessella.core.errors import FormatError, InputError, LabelError
from tessella.dataset.convert import convert
from tessella.dataset.index import open_dataset
from tessella.dataset.inspect import inspect
from tessella.formats.labelme import read_drawing

SQUARE = [[2, 2], [6, 2], [6, 6], [2, 6]]


def one(tmp_path: Path, *shapes: dict, photo: str = "a.png", **more: object) -> Drawing:
    return read_drawing(labelme_file(tmp_path / "a.json", list(shapes), photo=photo, **more))


def test_all_shape_kinds_are_read_in_drawing_order(tmp_path: Path) -> None:
    mask = np.array([[255, 0], [255, 255]], np.uint8)
    kinds = [
        shape("a", SQUARE, "polygon"),
        shape("b", [[0, 0], [5, 5]], "rectangle"),
        shape("c", [[5, 5], [5, 8]], "circle"),
        shape("d", [[0, 0], [5, 5]], "line"),
        shape("e", [[0, 0], [5, 5], [9, 2]], "linestrip"),
        shape("f", [[4, 4]], "point"),
        shape("g", [[4, 4], [8, 8]], "points"),
        shape("h", [[3, 4], [5, 6]], "mask", mask=png64(mask)),
        shape("i", SQUARE, "oriented_rectangle"),
    ]
    drawing = one(tmp_path, *kinds)
    assert [(part.label, part.kind) for part in drawing.shapes] == [
        ("a", "polygon"), ("b", "rectangle"), ("c", "circle"), ("d", "line"), ("e", "linestrip"), ("f", "point"),
        ("g", "points"), ("h", "mask"), ("i", "polygon"),
    ]  # fmt: skip
    last = drawing.shapes[7].mask
    assert last is not None
    assert last.tolist() == [[True, False], [True, True]]
    assert drawing.declared_hw == (12, 16)


@pytest.mark.parametrize("values", [(0, 1), (0, 255)])
def test_a_mask_is_read_whether_it_is_stored_as_1_or_255(tmp_path: Path, values) -> None:
    mask = np.array([values], np.uint8)
    part = one(tmp_path, shape("h", [[0, 0], [1, 0]], "mask", mask=png64(mask))).shapes[0]
    assert part.mask is not None
    assert part.mask.tolist() == [[False, True]]


def test_a_file_of_version_2_knows_polygons_only_and_no_size(tmp_path: Path) -> None:
    old = {"label": "a", "points": SQUARE, "line_color": None, "fill_color": [0, 255, 0, 128]}
    tree = {"shapes": [old], "lineColor": [0, 255, 0, 128], "imagePath": "a.png", "imageData": None}
    (tmp_path / "a.json").write_text(json.dumps(tree))
    drawing = read_drawing(tmp_path / "a.json")
    assert drawing.shapes[0].kind == "polygon"
    assert drawing.declared_hw is None


def test_groups_are_kept_as_text(tmp_path: Path) -> None:
    drawing = one(tmp_path, shape("a", SQUARE) | {"group_id": 3}, shape("a", SQUARE))
    assert [part.group for part in drawing.shapes] == ["3", ""]


@pytest.mark.parametrize("bad", ["NaN", "Infinity", "null", '"seven"', "true", "9" * 400])
def test_a_coordinate_that_is_no_number_is_kept_as_nan_and_never_painted(tmp_path: Path, bad: str) -> None:
    save(tmp_path / "a.png", photo_of(0))
    text = json.dumps({"version": "5.2.1", "shapes": [shape("a", [[1, 1], ["X", 2], [3, 3]])], "imagePath": "a.png"})
    (tmp_path / "a.json").write_text(text.replace('"X"', bad))
    assert math.isnan(read_drawing(tmp_path / "a.json").shapes[0].points_xy[1, 0])
    with pytest.raises(LabelError, match="not a number"):
        open_dataset(tmp_path).labels(0)


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        ({"points": SQUARE}, "no label"),
        (
            {"label": "a", "points": SQUARE, "shape_type": "cuboid"},
            r"shapes\[0\]: a shape is of an unknown kind; got 'cuboid'",
        ),
        ({"label": "a", "points": [[1]]}, "no points"),
        ({"label": "a", "points": None}, "no points"),
        ({"label": "a", "points": [[0, 0], [1, 1]], "shape_type": "mask"}, "holds no mask"),
        ({"label": "a", "points": [[0, 0], [1, 1]], "shape_type": "mask", "mask": "%%%"}, "not base64"),
        ({"label": "a", "points": [[0, 0], [1, 1]], "shape_type": "mask", "mask": "aGVsbG8="}, "not a picture"),
        ("text", "no label"),
    ],
)
def test_a_broken_shape_is_named(tmp_path: Path, broken: object, says: str) -> None:
    (tmp_path / "a.json").write_text(json.dumps({"version": "5", "shapes": [broken], "imagePath": "a.png"}))
    with pytest.raises(InputError, match=says):
        read_drawing(tmp_path / "a.json")


@pytest.mark.parametrize(
    ("json_at", "photo_at", "listed"),
    [
        ("a.json", "a.png", "a.png"),
        ("json/a.json", "img/a.png", "../img/a.png"),
        ("json/a.json", "img/a.png", "..\\img\\a.png"),
        ("a.json", "a.png", "C:\\Users\\someone\\a.png"),
        ("a.json", "a.png", "/home/someone/a.png"),
        ("a.json", "a.jpg", "a.json"),
        ("json/a.json", "img/a.png", "D:\\elsewhere\\a.png"),
        ("a.json", "a.jpg", "renamed_since.png"),
    ],
)
def test_the_photo_is_found(tmp_path: Path, json_at: str, photo_at: str, listed: str) -> None:
    save(tmp_path / photo_at, photo_of(0))
    labelme_file(tmp_path / json_at, [box("a", 1, 1, 5, 5)], photo=listed)
    index = open_dataset(tmp_path)
    assert [record.image for record in index.records] == [tmp_path / photo_at]
    assert index.listing.orphan_labels == ()


def test_a_path_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    save(tmp_path / "secret" / "b.png", photo_of(0))
    sizeless = {"imageHeight": None, "imageWidth": None}
    labelme_file(tmp_path / "set" / "a.json", [box("a", 1, 1, 5, 5)], photo="../secret/b.png", **sizeless)
    with pytest.raises(FormatError, match="no photo of this data set is here"):
        open_dataset(tmp_path / "set")


def test_an_embedded_photo_is_used_when_the_file_is_missing(tmp_path: Path) -> None:
    pixels = photo_of(3)
    for name in ("a", "b"):
        labelme_file(tmp_path / f"{name}.json", [box("x", 1, 1, 5, 5)], photo="gone.jpg", imageData=png64(pixels))
    index = open_dataset(tmp_path)
    assert [record.image for record in index.records] == [None, None]
    assert [record.name for record in index.records] == ["a", "b"]
    np.testing.assert_array_equal(index[0].image.pixels, pixels)
    assert len(index.labelled()) == 2
    convert(index, tmp_path.with_name("out"), to="index-mask")
    np.testing.assert_array_equal(open_dataset(tmp_path.with_name("out"))[0].image.pixels, pixels)


def _some_photos_missing(root: Path) -> Path:
    """Of a the photo is missing, of b the size as well, c embeds its photo, and d has all."""
    sizeless = {"imageHeight": None, "imageWidth": None}
    labelme_file(root / "a.json", [box("x", 1, 1, 5, 5)], photo="a.png", hw=(20, 30))
    labelme_file(root / "b.json", [box("x", 1, 1, 5, 5)], photo="b.png", **sizeless)
    labelme_file(root / "c.json", [box("x", 1, 1, 5, 5)], photo="c.png", imageData=png64(photo_of(2)))
    labelme_file(root / "d.json", [box("x", 1, 1, 5, 5)], photo="d.png")
    save(root / "d.png", photo_of(3))
    return root


def test_a_missing_photo_keeps_its_labels_where_the_size_is_stated(tmp_path: Path) -> None:
    index = open_dataset(_some_photos_missing(tmp_path))
    assert [(record.name, index.has_photo(record)) for record in index.records] == [
        ("a", False), ("c", True), ("d", True)
    ]  # fmt: skip
    assert index.listing.orphan_labels == ("b.json",)
    assert [record.name for record in index.labelled().records] == ["c", "d"]
    labels = index.labels(0)
    assert labels is not None
    assert labels.hw == (20, 30)
    assert labels.counts()[1] == 16
    with pytest.raises(InputError, match="the photo is missing"):
        index.image(0)


@pytest.mark.parametrize("to", ["coco", "labelme", "index-mask"])
def test_labels_whose_photo_is_missing_are_written_alone(tmp_path: Path, to: str) -> None:
    index = open_dataset(_some_photos_missing(tmp_path / "set"))
    done = convert(index, tmp_path / "out", to=to)
    assert done.notes[-2:] == (
        "1 photo is not here: its labels alone are written; --photos names where to look",
        "1 label without photo is not written, such as b.json",
    )
    if to == "index-mask":  # a mask states its size by itself, and its photo is missing still
        assert {path.name for path in (tmp_path / "out").rglob("a.*")} == {"a.png"}
    else:
        again = open_dataset(tmp_path / "out")
        labels, place = index.labels(0), [record.name.rsplit("/")[-1] for record in again.records].index("a")
        theirs = again.labels(place)
        assert labels is not None
        assert theirs is not None
        np.testing.assert_array_equal(theirs.ids, labels.ids)


def test_a_missing_photo_is_reported_and_counted(tmp_path: Path) -> None:
    root = _some_photos_missing(tmp_path)
    found = check(open_dataset(root), codes=["F", "P"]).findings
    assert [(one.code, one.where) for one in found] == [("P102", "a.json"), ("P102", "b.json")]
    answer = inspect(root).to_json()
    assert (answer["without_photo"], answer["labels_without_photo"]) == (1, 1)


@pytest.mark.parametrize(("photo", "code"), [("House.png", "P103"), ("houze.png", "P105")])
@pytest.mark.parametrize("size", [12, None])
def test_names_that_nearly_meet_are_told_whether_the_size_is_stated_or_not(
    tmp_path: Path, photo: str, code: str, size: int | None
) -> None:
    save(tmp_path / photo, photo_of(0))
    more = {"imageHeight": size, "imageWidth": size and 16}
    labelme_file(tmp_path / "house.json", [box("x", 1, 1, 5, 5)], photo="house.png", **more)
    labelme_file(tmp_path / "d.json", [box("x", 1, 1, 5, 5)], photo="d.png")
    save(tmp_path / "d.png", photo_of(3))
    index = open_dataset(tmp_path)
    checked = check(index, codes=["P"])
    assert [(one.code, one.where) for one in checked.findings] == [(code, "house.json")]
    if code == "P103":
        copy = tmp_path.with_name(f"{tmp_path.name}_fixed")
        fix(index, checked, copy)
        assert check(open_dataset(copy), codes=["P"]).findings == ()


def test_two_files_for_one_photo_are_refused(tmp_path: Path) -> None:
    save(tmp_path / "a.png", photo_of(0))
    labelme_file(tmp_path / "a.json", [], photo="a.png")
    labelme_file(tmp_path / "b.json", [], photo="a.png")
    with pytest.raises(FormatError, match=r"two JSON files describe the photo a; got a\.json and b\.json"):
        open_dataset(tmp_path)


def test_a_label_list_one_folder_up_counts_when_it_explains_everything(tmp_path: Path) -> None:
    root = labelme(tmp_path / "data")
    (tmp_path / "labels.txt").write_text("__ignore__\n_background_\ntree\nroad\n")
    index = open_dataset(root)
    assert index.table.names == ("_background_", "tree", "road")
    assert "classes from labels.txt one folder up" in index.listing.notes
    (tmp_path / "labels.txt").write_text("something\nelse\n")
    assert open_dataset(root).table.names == ("background", "road", "tree")


def test_a_label_list_without_background_is_noted(tmp_path: Path) -> None:
    root = labelme(tmp_path)
    (root / "labels.txt").write_text("road\ntree\n")
    index = open_dataset(root)
    assert any("pixels that no shape covers are ignored" in note for note in index.listing.notes)
    labels = index.labels(0)
    assert labels is not None
    assert labels.ids[11, 0] == 255


def test_shapes_are_kept_when_labelme_is_written_from_labelme(tmp_path: Path) -> None:
    root = labelme(tmp_path / "set")
    convert(root, tmp_path / "out", to="labelme")
    old, new = open_dataset(root), open_dataset(tmp_path / "out")
    for position in range(len(old)):
        mine, theirs = old.annotation(position), new.annotation(position)
        assert isinstance(mine, Drawing)
        assert isinstance(theirs, Drawing)
        assert [part.kind for part in mine.shapes] == [part.kind for part in theirs.shapes]
        for one_shape, other in zip(mine.shapes, theirs.shapes, strict=True):
            np.testing.assert_array_equal(one_shape.points_xy, other.points_xy)


def test_masks_survive_writing(tmp_path: Path) -> None:
    save(tmp_path / "set" / "a.png", photo_of(0))
    mask = shape("h", [[3, 4], [4, 5]], "mask", mask=png64(np.array([[1, 0], [1, 1]], np.uint8))) | {"group_id": 4}
    labelme_file(tmp_path / "set" / "a.json", [mask], photo="a.png")
    convert(tmp_path / "set", tmp_path / "out", to="labelme")
    part = read_drawing(tmp_path / "out" / "a.json").shapes[0]
    assert part.mask is not None
    assert part.mask.tolist() == [[True, False], [True, True]]
    assert part.group == "4"


def test_the_reading_of_labelmes_own_example_matches_its_own_conversion(shared_data: Path) -> None:
    example = shared_data / "labelme_examples" / "examples" / "semantic_segmentation"
    theirs = open_dataset(example / "data_dataset_voc")
    for fill, bar in (("centre", 0.995), ("tool", 0.9999)):
        ours = open_dataset(example / "data_annotated", classes=example / "labels.txt", fill=fill)
        equal = pixels = 0
        for position in range(len(ours)):
            mine, tool = ours.labels(position), theirs.labels(position)
            assert mine is not None
            assert tool is not None
            equal += int((mine.ids == tool.ids).sum())
            pixels += mine.ids.size
        assert equal / pixels >= bar


def test_all_shapes_of_a_real_project_are_read(shared_data: Path) -> None:
    index = open_dataset(shared_data / "annotation_tools_same_images" / "datasets" / "labelme")
    assert [Path(record.name).name for record in index.records] == ["birds", "crack", "shapes", "strawberry"]
    drawings = [index.annotation(position) for position in range(4)]
    assert [len(drawing.shapes) for drawing in drawings if isinstance(drawing, Drawing)] == [2, 1, 5, 17]
    for position in range(4):
        labels = index.labels(position)
        assert labels is not None
        assert labels.hw == index.image(position).hw


def test_two_photos_of_one_stem_keep_their_own_labels(tmp_path: Path) -> None:
    root = labelme(tmp_path / "set", count=2)
    save(root / "p0.bmp", photo_of(7))
    index = open_dataset(root, format="labelme")
    assert [(record.name, record.label is None) for record in index.records] == [
        ("p0", False), ("p0.bmp", True), ("p1", False),
    ]  # fmt: skip
    convert(index, tmp_path / "out", to="index-mask")
    written = open_dataset(tmp_path / "out")
    pairs = {record.name.rpartition("/")[2]: place for place, record in enumerate(written.records)}
    np.testing.assert_array_equal(written.image(pairs["p0"]).pixels, photo_of(0))
    labels, drawn = written.labels(pairs["p0"]), index.labels(0)
    assert labels is not None
    assert drawn is not None
    np.testing.assert_array_equal(labels.ids, drawn.ids)
    np.testing.assert_array_equal(written.image(pairs["p0.bmp"]).pixels, photo_of(7))
    assert written.records[pairs["p0.bmp"]].label is None


def test_two_labelled_photos_of_one_stem_are_two_photos(tmp_path: Path) -> None:
    for suffix, label in ((".png", "a"), (".bmp", "b")):
        save(tmp_path / f"x{suffix}", photo_of(0))
        labelme_file(tmp_path / f"{label}.json", [box(label, 1, 1, 5, 5)], photo=f"x{suffix}")
    records = open_dataset(tmp_path, format="labelme").records
    assert [(record.name, record.image, record.label) for record in records] == [
        ("x", tmp_path / "x.png", tmp_path / "a.json"),
        ("x.bmp", tmp_path / "x.bmp", tmp_path / "b.json"),
    ]


@pytest.mark.parametrize("label", ["", "  ", None, 7])
def test_a_shape_without_a_name_makes_no_class_and_is_reported(tmp_path: Path, label: object) -> None:
    root = labelme(tmp_path)
    labelme_file(root / "p1.json", [box("road", 2, 0, 9, 4) | {"label": label}], photo="p1.png")
    index = open_dataset(root)
    assert index.table.names == ("background", "road", "tree")
    found = [finding.where for finding in check(index).findings if finding.severity == "error"]
    assert found == ["p1.json" if isinstance(label, str) else "p1.json: shapes[0]"]


def test_spellings_of_background_are_one_class_and_a_note_says_so(tmp_path: Path) -> None:
    save(tmp_path / "a.png", photo_of(0))
    shapes = [box("road", 0, 0, 16, 12), box("Background", 0, 0, 4, 4), box("background", 8, 8, 16, 12)]
    labelme_file(tmp_path / "a.json", shapes, photo="a.png")
    index = open_dataset(tmp_path)
    assert index.table.names == ("background", "road")
    labels = index.labels(0)
    assert labels is not None
    assert labels.counts()[:2].tolist() == [16 + 32, 192 - 48]
    assert "labels that mean background too: 'Background'" in index.listing.notes
