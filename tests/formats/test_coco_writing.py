import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as cocomask
from pycocotools.coco import COCO

from data.coco import HW, block, coco, document, images, panoptic, panoptic_mask, photo, row
from data.layouts import box, index_mask, labelme_file, save, shape, write_classes_toml
from tessella.core.annotation import Drawing
from tessella.core.classes import IGNORE, ClassTable, LabelCoding
from tessella.core.errors import FormatError, InputError, LabelError
from tessella.core.labelmap import LabelMap
from tessella.dataset.convert import convert
from tessella.dataset.index import open_dataset
from tessella.formats.coco.panoptic_writing import _numbers
from tessella.formats.coco.writing import categories, category_ids, traced_rows
from tessella.formats.raster.rle import decode_coco

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of pycocotools


def ids(root: Path, position: int = 0) -> np.ndarray:
    labels = open_dataset(root).labels(position)
    assert labels is not None
    return labels.ids


def written(root: Path, name: str = "instances_default") -> dict:
    found: dict = json.loads((root / "annotations" / f"{name}.json").read_text())
    return found


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 14), st.integers(1, 14))
def test_pycocotools_paints_what_is_written_as_it_was(seed: int, height: int, width: int) -> None:
    """Random maps with holes, single pixels and touching tips; area and box are those of pycocotools, too."""
    map_of = np.random.default_rng(seed).integers(0, 3, (height, width), dtype=np.uint8)
    coding = LabelCoding(ClassTable.from_names(("background", "a", "b")))
    painted = np.zeros_like(map_of)
    for entry in traced_rows(LabelMap(map_of, coding.table), coding):
        outline = entry["segmentation"]
        if isinstance(outline, dict):
            packed = {"size": outline["size"], "counts": outline["counts"].encode()}
        else:
            packed = cocomask.merge(cocomask.frPyObjects(outline, height, width))
        painted[cocomask.decode(packed).astype(bool)] = entry["value"]
        assert entry["area"] == cocomask.area(packed)
        assert entry["bbox"] == cocomask.toBbox(packed).tolist()
    np.testing.assert_array_equal(painted, map_of)


def test_our_file_is_read_alike_by_pycocotools(tmp_path: Path) -> None:
    convert(index_mask(tmp_path / "set"), tmp_path / "out", to="coco")
    oracle = COCO(tmp_path / "out" / "annotations" / "instances_default.json")
    index = open_dataset(tmp_path / "out")
    assert oracle.getCatIds(catNms=["road"]) == [1]
    for place, record in enumerate(index.records):
        truth = np.zeros(HW, np.uint8)
        for annotation in oracle.loadAnns(oracle.getAnnIds(int(record.key))):
            value = annotation["category_id"]
            truth[oracle.annToMask(annotation).astype(bool)] = IGNORE if value == 256 else value
        labels = index.labels(place)
        assert labels is not None
        np.testing.assert_array_equal(labels.ids, truth)


def test_objects_stay_objects_with_the_coordinates_that_were_drawn(tmp_path: Path) -> None:
    ring = [1.25, 1.5, 7.125, 2.75, 4.0, 9.333333]
    rows = [row(8, 1, 3, [ring, block(10, 1, 14, 5)], iscrowd=1, attributes={"colour": "red"}), row(9, 1, 17, [ring])]
    photo(tmp_path / "set" / "a.png")
    document(tmp_path / "set" / "a.json", images("a.png"), rows)
    convert(tmp_path / "set", tmp_path / "out", to="coco")
    first, second = written(tmp_path / "out")["annotations"]
    assert first["segmentation"] == [ring, block(10, 1, 14, 5)]
    assert (first["iscrowd"], first["attributes"]) == (1, {"colour": "red"})
    assert (second["segmentation"], second["iscrowd"], second["category_id"]) == ([ring], 0, 2)
    np.testing.assert_array_equal(ids(tmp_path / "out"), ids(tmp_path / "set"))


def test_area_and_box_are_those_of_pycocotools_also_where_rounding_decides(tmp_path: Path) -> None:
    rng, hw = np.random.default_rng(3), (90, 120)
    rings = [(rng.normal(60, 20, (6, 2)) * 10).round() / 10 for _ in range(200)]
    photo(tmp_path / "set" / "a.png", hw=hw)
    rows = [row(number, 1, 3, [ring.ravel().tolist()]) for number, ring in enumerate(rings)]
    document(tmp_path / "set" / "a.json", images("a.png", hw=hw), rows)
    convert(tmp_path / "set", tmp_path / "out", to="coco")
    for entry in written(tmp_path / "out")["annotations"]:
        packed = cocomask.frPyObjects(entry["segmentation"], *hw)[0]
        assert entry["area"] == cocomask.area(packed)
        assert entry["bbox"] == cocomask.toBbox(packed).tolist()


def test_an_object_whose_parts_another_crosses_stays_one_as_the_pixels_that_are_seen(tmp_path: Path) -> None:
    photo(tmp_path / "set" / "a.png")
    shapes = [
        box("a", 0, 0, 4, 4) | {"group_id": 1},
        box("b", 2, 2, 8, 8),
        box("a", 6, 6, 10, 10) | {"group_id": 1},
        box("a", 12, 0, 14, 2) | {"group_id": 1},
    ]
    labelme_file(tmp_path / "set" / "a.json", shapes, photo="a.png")
    done = convert(tmp_path / "set", tmp_path / "out", to="coco")
    first, second = written(tmp_path / "out")["annotations"]
    assert (first["segmentation"], first["area"]) == ([block(2, 2, 8, 8)], 36)
    seen = np.zeros(HW, bool)
    seen[:4, :4] = seen[6:10, 6:10] = seen[:2, 12:14] = True
    seen[2:4, 2:4] = False
    np.testing.assert_array_equal(decode_coco(second["segmentation"], where=""), seen)
    np.testing.assert_array_equal(ids(tmp_path / "out"), ids(tmp_path / "set"))
    assert done.left_out == {"outlines of objects with another between their parts, kept as the pixels they show": 3}


def test_parts_come_together_where_nothing_lies_between_them(tmp_path: Path) -> None:
    photo(tmp_path / "set" / "a.png")
    shapes = [
        box("a", 0, 0, 4, 4) | {"group_id": 1, "flags": {"wet": True}},
        box("b", 5, 5, 8, 8),
        box("a", 10, 0, 14, 2) | {"group_id": 1, "flags": {"wet": False}, "description": "far"},
    ]
    labelme_file(tmp_path / "set" / "a.json", shapes, photo="a.png")
    done = convert(tmp_path / "set", tmp_path / "out", to="coco")
    first, _ = written(tmp_path / "out")["annotations"]
    assert first["segmentation"] == [block(0, 0, 4, 4), block(10, 0, 14, 2)]
    assert first["attributes"] == {"wet": "true", "description": "far"}
    assert done.left_out == {"attributes in which the parts of an object differ": 1}


def test_what_is_no_polygon_becomes_run_lengths_of_its_pixels(tmp_path: Path) -> None:
    photo(tmp_path / "set" / "a.png")
    shapes = [shape("a", [[6, 6], [6, 9]], "circle"), shape("b", [[1, 1], [14, 1]], "line")]
    labelme_file(tmp_path / "set" / "a.json", shapes, photo="a.png")
    convert(tmp_path / "set", tmp_path / "out", to="coco")
    assert all(isinstance(entry["segmentation"], dict) for entry in written(tmp_path / "out")["annotations"])
    np.testing.assert_array_equal(ids(tmp_path / "out"), ids(tmp_path / "set"))


def test_photos_without_labels_are_copied_and_in_no_list(tmp_path: Path) -> None:
    index_mask(tmp_path / "set")
    (tmp_path / "set" / "masks" / "p2.png").unlink()
    convert(tmp_path / "set", tmp_path / "out", to="coco")
    assert [image["file_name"] for image in written(tmp_path / "out")["images"]] == ["p0.png", "p1.png", "p3.png"]
    again = open_dataset(tmp_path / "out")
    assert [record.label is None for record in again.records] == [False, False, True, False]


def test_a_photo_that_is_all_background_stays_labelled(tmp_path: Path) -> None:
    for number in range(2):
        save(tmp_path / "set" / "images" / f"p{number}.png", np.zeros((*HW, 3), np.uint8))
        save(tmp_path / "set" / "masks" / f"p{number}.png", np.full(HW, number, np.uint8))
    write_classes_toml(tmp_path / "set")
    convert(tmp_path / "set", tmp_path / "out", to="coco")
    assert (ids(tmp_path / "out", 0) == 0).all()
    assert (ids(tmp_path / "out", 1) == 1).all()


@pytest.mark.parametrize(
    ("names", "numbers"),
    [(("background", "a", "b"), [0, 1, 2]), (("a", "b"), [1, 2]), (("a", "background"), [1, 2])],
)
def test_category_ids_are_class_ids_where_background_is_the_first(names: tuple[str, ...], numbers: list[int]) -> None:
    coding = LabelCoding(ClassTable.from_names(names))
    assert [category_ids(coding)[number] for number in range(len(names))] == numbers
    assert [entry["name"] for entry in categories(coding, set())] == [name for name in names if name != "background"]


def test_the_info_block_and_ids_make_a_whole_coco_file(tmp_path: Path) -> None:
    convert(coco(tmp_path / "set"), tmp_path / "out", to="coco")
    tree = written(tmp_path / "out")
    assert list(tree) == ["info", "licenses", "categories", "images", "annotations"]
    assert [entry["id"] for entry in tree["annotations"]] == list(range(1, 9))
    assert {entry["image_id"] for entry in tree["annotations"]} == {image["id"] for image in tree["images"]}


def test_panoptic_segments_are_objects_and_stuff_is_a_region(tmp_path: Path) -> None:
    index = open_dataset(panoptic(tmp_path))
    assert index.table.names == ("road", "tree", "sky")
    drawing = index.annotation(1)
    assert isinstance(drawing, Drawing)
    assert sorted((one.label, one.group) for one in drawing.shapes) == [("road", ""), ("tree", "300"), ("tree", "5")]
    found = ids(tmp_path, 1)
    assert (found[:, -1] == IGNORE).all()
    assert np.unique(found, return_counts=True)[1].tolist() == [12 * 15 - 28 - 48, 28 + 48, 12]


def test_void_is_ignored_also_beside_a_background(tmp_path: Path) -> None:
    photo(tmp_path / "a.jpg")
    panoptic_mask(tmp_path / "p" / "a.png", np.tile([0] * 8 + [9] * 8, (12, 1)))
    listed = [{"id": 4, "name": "background", "isthing": 0}]
    rows = [{"image_id": 1, "file_name": "a.png", "segments_info": [{"id": 9, "category_id": 4}]}]
    document(tmp_path / "p.json", images("a.jpg"), rows, listed)
    assert np.unique(ids(tmp_path)).tolist() == [0, IGNORE]


@pytest.mark.parametrize(
    ("segments", "error", "says"),
    [
        (
            [{"id": 9, "category_id": 1}],
            LabelError,
            r"1 segments of the mask.*number 300 at row 0, column 8",
        ),
        ([{"id": 9}, {"id": 9}], FormatError, "two segments have one number"),
        ([{"id": -9}], FormatError, "whole number"),
        ([7], FormatError, "no segments"),
        (None, FormatError, "no segments"),
    ],
)
def test_a_mask_and_its_row_that_do_not_fit_are_named(tmp_path: Path, segments: object, error: type, says: str) -> None:
    photo(tmp_path / "a.jpg")
    panoptic_mask(tmp_path / "p" / "a.png", np.tile([9] * 8 + [300] * 8, (12, 1)))
    document(tmp_path / "p.json", images("a.jpg"), [{"image_id": 1, "file_name": "a.png", "segments_info": segments}])
    with pytest.raises(error, match=says):
        open_dataset(tmp_path, format="coco-panoptic").labels(0)


def test_a_grey_mask_is_no_panoptic_mask(tmp_path: Path) -> None:
    photo(tmp_path / "a.jpg")
    save(tmp_path / "p" / "a.png", np.zeros(HW, np.uint8))
    rows = [{"image_id": 1, "file_name": "a.png", "segments_info": []}]
    document(tmp_path / "p.json", images("a.jpg"), rows)
    with pytest.raises(FormatError, match=r"a\.png: a panoptic mask is not red, green and blue"):
        open_dataset(tmp_path).labels(0)


def test_masks_and_photos_of_the_same_name_are_told_apart(tmp_path: Path) -> None:
    for folder in ("photos", "masks_2ch", "p"):
        photo(tmp_path / folder / "a.png")
    panoptic_mask(tmp_path / "p" / "a.png", np.full(HW, 9))
    rows = [{"image_id": 1, "file_name": "a.png", "segments_info": [{"id": 9, "category_id": 3}]}]
    document(tmp_path / "p.json", images("a.png"), rows)
    [record] = [record for record in open_dataset(tmp_path).records if record.label]
    assert (record.image, record.parts) == (tmp_path / "photos" / "a.png", (tmp_path / "p" / "a.png",))


def test_masks_that_are_not_here_are_counted(tmp_path: Path) -> None:
    panoptic(tmp_path)
    (tmp_path / "annotations" / "panoptic_default" / "p1.png").unlink()
    index = open_dataset(tmp_path)
    assert [record.label is None for record in index.records] == [False, True, False, False]
    assert "masks that annotations/panoptic_default.json names and that are not here: 1" in index.listing.notes


def test_two_rows_for_one_photo_are_refused(tmp_path: Path) -> None:
    row_of = {"image_id": 1, "file_name": "a.png", "segments_info": []}
    document(tmp_path / "p.json", images("a.jpg"), [row_of, row_of])
    with pytest.raises(InputError, match=r"annotations\[1\]: two rows describe one photo"):
        open_dataset(tmp_path, format="coco-panoptic")


def test_panoptic_to_panoptic_keeps_objects_things_and_pixels(tmp_path: Path) -> None:
    convert(panoptic(tmp_path / "set"), tmp_path / "out", to="coco-panoptic")
    tree = written(tmp_path / "out", "panoptic_default")
    assert [(entry["name"], entry["isthing"]) for entry in tree["categories"]] == [("road", 0), ("tree", 1), ("sky", 0)]
    assert [len(entry["segments_info"]) for entry in tree["annotations"]] == [3] * 4
    assert sorted(entry["area"] for entry in tree["annotations"][0]["segments_info"]) == [28, 48, 104]
    np.testing.assert_array_equal(ids(tmp_path / "out"), ids(tmp_path / "set"))


def test_segments_of_a_class_have_colours_near_to_its_own_and_no_two_alike() -> None:
    red, black = (200, 0, 0), (0, 0, 0)
    numbers = _numbers([red] * 600 + [black])
    assert numbers[0] == 200
    assert len({0, *numbers}) == 602
    assert max(numbers) < 1 << 24


def test_objects_beyond_255_are_segments(tmp_path: Path) -> None:
    hw = (40, 40)
    photo(tmp_path / "set" / "a.png", hw=hw)
    rows = [
        row(number, 1, 3, [block(number % 20 * 2, number // 20 * 2, number % 20 * 2 + 1, number // 20 * 2 + 1)])
        for number in range(400)
    ]
    document(tmp_path / "set" / "a.json", images("a.png", hw=hw), rows)
    convert(tmp_path / "set", tmp_path / "out", to="coco-panoptic")
    [entry] = written(tmp_path / "out", "panoptic_default")["annotations"]
    assert len(entry["segments_info"]) == 401
    np.testing.assert_array_equal(ids(tmp_path / "out"), ids(tmp_path / "set"))


def test_real_panoptic_samples(shared_data: Path) -> None:
    index = open_dataset(shared_data / "coco_panoptic_sample")
    assert (index.format, len(index), len(index.table)) == ("coco-panoptic", 2, 133)
    folder = shared_data / "labelbox_panoptic" / "libs" / "labelbox" / "tests" / "data" / "assets" / "coco"
    assert len(open_dataset(folder / "panoptic.json").labelled()) == 20
    with pytest.raises(FormatError, match="two formats lie here"):
        open_dataset(folder)
