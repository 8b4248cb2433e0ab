"""label-studio: percentages, brush strokes, several annotators, photos by their names, and writing it all again."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.label_studio import annotation, box, export, percent, polygon, result, task
from data.layouts import NAMES, TABLE, ids_of, photo_of, png64, save
from tessella.core.annotation import Drawing, Shape
from tessella.core.classes import LabelCoding
from tessella.core.errors import FormatError, InputError
from tessella.core.labelmap import LabelMap
from tessella.dataset.convert import convert
from tessella.dataset.index import Index, open_dataset
from tessella.formats.listing import Item
from tessella.formats.raster.brush import encode_brush
from tessella.formats.tools.label_studio.regions import Region, in_pixels, shape_of
from tessella.formats.tools.label_studio.writing import write_one
from tessella.formats.tools.painting import covered


def one(root: Path, *results: dict, image: str = "p.png", hw: tuple[int, int] = (12, 16), **more: object) -> Index:
    save(root / "p.png", photo_of(0, hw))
    export(root / "tasks.json", task(1, image, annotation(*results), **more))
    return open_dataset(root)


def brush(label: str, mask: np.ndarray, **more: object) -> dict:
    return result("brushlabels", label, format="rle", rle=encode_brush(mask), **more)


def test_a_polygon_in_percent_lands_on_its_pixels(tmp_path: Path) -> None:
    index = one(tmp_path, polygon("road", [(2, 3), (6, 3), (6, 8), (2, 8)]))
    ids = index[0].labels.ids
    assert ids.sum() == 20
    assert ids[3:8, 2:6].all()


def test_a_turned_box_turns_around_its_top_left_corner_clockwise(tmp_path: Path) -> None:
    turned = box("road", 8, 2, 14, 5)
    turned["value"]["rotation"] = 90
    ids = one(tmp_path, turned)[0].labels.ids
    # 6 wide and 3 high from (8, 2), turned by 90 degrees: 3 wide to the left, 6 high downwards
    assert ids.sum() == 18
    assert ids[2:8, 5:8].all()


def test_an_ellipse_has_radii_in_percent_of_each_side(tmp_path: Path) -> None:
    ellipse = result("ellipselabels", "road", x=50, y=50, radiusX=25, radiusY=25, rotation=0)
    drawing = one(tmp_path, ellipse).annotation(0)
    assert isinstance(drawing, Drawing)
    np.testing.assert_allclose(drawing.shapes[0].points_xy, [[8, 6], [12, 6], [8, 9]])
    assert drawing.shapes[0].kind == "ellipse"


def test_a_brush_region_is_its_alpha(tmp_path: Path) -> None:
    mask = ids_of(1) == 1
    ids = one(tmp_path, brush("road", mask))[0].labels.ids
    np.testing.assert_array_equal(ids > 0, mask)


def test_a_bitmask_is_what_is_not_transparent(tmp_path: Path) -> None:
    pixels = np.zeros((12, 16, 4), np.uint8)
    pixels[2:4, 5:9, 3] = 255
    found = one(tmp_path, result("bitmasklabels", "road", imageDataURL=f"data:image/png;base64,{png64(pixels)}"))
    assert found[0].labels.ids.sum() == 8


def test_a_region_that_comes_bare_and_with_its_label_is_one_shape(tmp_path: Path) -> None:
    mask = ids_of(1) == 1
    bare = brush("", mask, region="m")
    del bare["value"]["brushlabels"]
    labelled = {**brush("Cloud", mask, region="m"), "type": "labels"}
    labelled["value"]["labels"] = labelled["value"].pop("brushlabels")
    drawing = one(tmp_path, bare, labelled).annotation(0)
    assert isinstance(drawing, Drawing)
    assert [shape.label for shape in drawing.shapes] == ["Cloud"]


def test_answers_about_a_region_are_attributes_and_those_about_the_photo_are_counted(tmp_path: Path) -> None:
    choice = {"id": "q", "type": "choices", "from_name": "state", "value": {"choices": ["wet", "dirty"]}}
    whole = {"id": "w", "type": "choices", "from_name": "weather", "value": {"choices": ["sun"]}}
    index = one(tmp_path, polygon("road", [(0, 0), (4, 0), (4, 4)], region="q"), choice, whole)
    drawing = index.annotation(0)
    assert isinstance(drawing, Drawing)
    assert drawing.shapes[0].attributes == (("state", "wet, dirty"),)
    assert index.listing.left_out == {"answers about a whole photo": 1}


def test_keypoints_and_relations_are_left_out_and_counted(tmp_path: Path) -> None:
    point = result("keypointlabels", "nose", x=10, y=10, width=1, region="k")
    index = one(tmp_path, point, {"type": "relation", "from_id": "a", "to_id": "b"}, box("road", 0, 0, 4, 4))
    assert index.listing.left_out == {"keypoints": 1, "relations": 1}
    assert index[0].labels.ids.sum() == 16


def test_a_region_without_label_is_a_class_of_its_own(tmp_path: Path) -> None:
    bare = polygon("", [(0, 0), (4, 0), (4, 4), (0, 4)])
    del bare["value"]["polygonlabels"]
    index = one(tmp_path, bare)
    assert index.table.names == ("background", "unlabelled")
    assert any("1 of 1 shapes have no label" in note for note in index.listing.notes)


def several(root: Path, *annotations: dict) -> Index:
    save(root / "p.png", photo_of(0))
    export(root / "tasks.json", task(1, "p.png", *annotations))
    return open_dataset(root)


def test_of_several_annotators_the_last_change_counts_and_the_disagreement_is_said(tmp_path: Path) -> None:
    early = annotation(box("road", 0, 0, 4, 4), updated_at="2024-01-01T10:00:00Z")
    late = annotation(box("road", 0, 0, 5, 5), updated_at="2024-01-02T09:00:00Z")
    index = several(tmp_path, late, early)
    assert index[0].labels.ids.sum() == 25
    assert index.listing.left_out == {"annotations of further annotators": 1}
    assert any("1 task was annotated more than once" in n and "in 1 of them" in n for n in index.listing.notes)


def test_ground_truth_beats_a_later_change_and_cancelled_annotations_never_count(tmp_path: Path) -> None:
    truth = annotation(box("road", 0, 0, 3, 3), updated_at="2024-01-01T10:00:00Z", ground_truth=True)
    late = annotation(box("road", 0, 0, 5, 5), updated_at="2024-01-02T09:00:00Z")
    dropped = annotation(box("road", 0, 0, 9, 9), updated_at="2024-01-03T09:00:00Z", was_cancelled=True)
    index = several(tmp_path, truth, late, dropped)
    assert index[0].labels.ids.sum() == 9
    assert index.listing.left_out == {"annotations of further annotators": 1, "cancelled annotations": 1}


def test_equal_annotations_do_not_differ(tmp_path: Path) -> None:
    index = several(tmp_path, annotation(box("road", 0, 0, 4, 4)), annotation(box("road", 0, 0, 4, 4)))
    assert any("in 0 of them" in note for note in index.listing.notes)


def test_predictions_are_counted_and_never_labels(tmp_path: Path) -> None:
    index = one(tmp_path, box("road", 0, 0, 4, 4), predictions=[{"result": [box("road", 0, 0, 9, 9)]}])
    assert index.listing.left_out == {"predictions": 1}
    assert index[0].labels.ids.sum() == 16


def test_a_task_that_was_submitted_empty_is_a_photo_of_background(tmp_path: Path) -> None:
    index = one(tmp_path)
    assert index.records[0].label is not None
    assert index[0].labels.ids.max() == 0


def test_a_task_that_nobody_finished_leaves_its_photo_unlabelled(tmp_path: Path) -> None:
    save(tmp_path / "q.png", photo_of(1))
    save(tmp_path / "p.png", photo_of(0))
    export(tmp_path / "tasks.json", task(1, "p.png", annotation(box("road", 0, 0, 4, 4))), task(2, "q.png"))
    index = open_dataset(tmp_path)
    assert [(record.name, record.label is None) for record in index.records] == [("p", False), ("q", True)]


@pytest.mark.parametrize(
    "address",
    [
        "p.png", "/data/upload/3/p.png", "/data/upload/3/0a1b2c3d-p.png", "s3://bucket/some/p.png",
        "https://host/a/p.png?X-Amz=1&y=2", "/data/local-files/?d=some/p.png", r"C:\photos\p.png", "gs://b/p.png",
    ],
)  # fmt: skip
def test_the_photo_is_found_by_the_name_in_any_address(tmp_path: Path, address: str) -> None:
    index = one(tmp_path, box("road", 0, 0, 4, 4), image=address)
    assert index.records[0].image == tmp_path / "p.png"


def test_a_name_that_only_looks_like_an_upload_keeps_its_beginning(tmp_path: Path) -> None:
    save(tmp_path / "someword-p.png", photo_of(0))
    export(tmp_path / "t.json", task(1, "/data/upload/someword-p.png", annotation(box("road", 0, 0, 4, 4))))
    assert open_dataset(tmp_path).records[0].name == "someword-p"


def test_an_address_never_leads_out_of_the_folder(tmp_path: Path) -> None:
    save(tmp_path / "outside.png", photo_of(0))
    export(tmp_path / "set" / "t.json", task(1, "../outside.png", annotation(box("road", 0, 0, 4, 4))))
    record = open_dataset(tmp_path / "set").records[0]
    assert (record.image, record.name) == (None, "outside")


def test_a_missing_photo_with_a_stated_size_stays(tmp_path: Path) -> None:
    export(tmp_path / "t.json", task(7, "/data/upload/1/street.jpg", annotation(box("road", 0, 0, 4, 4))))
    index = open_dataset(tmp_path)
    assert index.records[0].image is None
    assert index.labels(0).hw == (12, 16)


def test_without_original_size_the_photo_gives_it(tmp_path: Path) -> None:
    index = one(tmp_path, polygon("road", [(2, 3), (6, 3), (6, 8), (2, 8)], hw=(12, 16)) | {"original_width": None})
    assert index[0].labels.ids.sum() == 20


def test_without_original_size_and_photo_a_task_is_an_orphan(tmp_path: Path) -> None:
    save(tmp_path / "p.png", photo_of(0))
    lost = task(9, "lost.png", annotation(polygon("road", [(0, 0), (9, 0), (9, 9)]) | {"original_width": None}))
    export(tmp_path / "t.json", task(1, "p.png", annotation(box("road", 0, 0, 4, 4))), lost)
    assert open_dataset(tmp_path).listing.orphan_labels == ("t.json#9",)


def test_a_brush_region_without_original_size_has_to_fit_the_photo(tmp_path: Path) -> None:
    mask = np.zeros((9, 16), bool)
    index = one(tmp_path, brush("road", mask) | {"original_width": None, "original_height": None})
    with pytest.raises(FormatError, match=r"states no original size.*got 144 pixels; expected 16x12"):
        index.labels(0)


def test_a_brush_region_without_original_size_that_fits_is_read(tmp_path: Path) -> None:
    mask = ids_of(2) == 1
    index = one(tmp_path, brush("road", mask) | {"original_width": None, "original_height": None})
    np.testing.assert_array_equal(index[0].labels.ids > 0, mask)


def test_a_photo_that_was_turned_in_the_tool_is_refused(tmp_path: Path) -> None:
    index = one(tmp_path, box("road", 0, 0, 4, 4) | {"image_rotation": 90})
    with pytest.raises(FormatError, match=r"turned in the labelling tool.*image_rotation 90"):
        index.labels(0)


def test_a_task_of_several_photos_gives_a_record_for_each(tmp_path: Path) -> None:
    for name in ("a", "b"):
        save(tmp_path / f"{name}.png", photo_of(0))
    done = annotation(box("road", 0, 0, 4, 4) | {"item_index": 1}, box("road", 0, 0, 2, 2))
    export(tmp_path / "t.json", {"id": 3, "data": {"image": ["x/a.png", "x/b.png"]}, "annotations": [done]})
    index = open_dataset(tmp_path)
    assert [(record.name, record.key) for record in index.records] == [("a", "3/0"), ("b", "3/1")]
    assert [sample.labels.ids.sum() for sample in index] == [4, 16]


def test_json_min_says_the_same(tmp_path: Path) -> None:
    save(tmp_path / "p.png", photo_of(0))
    region = box("road", 0, 0, 4, 4)["value"] | {"original_width": 16, "original_height": 12}
    row = {"image": "/data/upload/1/p.png", "id": 5, "label": [region], "annotator": 1, "updated_at": "2024-01-01"}
    other = row | {"annotator": 2, "updated_at": "2024-02-01", "label": [region, region | {"x": 50}]}
    (tmp_path / "min.json").write_text(json.dumps([row, other]))
    index = open_dataset(tmp_path)
    assert index.format == "label-studio"
    assert index[0].labels.ids.sum() == 32
    assert index.listing.left_out == {"annotations of further annotators": 1}


def test_a_single_task_in_a_file_is_read(tmp_path: Path) -> None:
    save(tmp_path / "p.png", photo_of(0))
    (tmp_path / "1.json").write_text(json.dumps(task(1, "p.png", annotation(box("road", 0, 0, 4, 4)))))
    assert open_dataset(tmp_path)[0].labels.ids.sum() == 16


def test_two_tasks_of_one_photo_are_refused(tmp_path: Path) -> None:
    save(tmp_path / "p.png", photo_of(0))
    export(tmp_path / "t.json", *(task(n, "p.png", annotation(box("road", 0, 0, 4, 4))) for n in (1, 2)))
    with pytest.raises(FormatError, match=r"two annotations describe the photo p\.png; got t\.json#1 and t\.json#2"):
        open_dataset(tmp_path)


def test_a_photo_without_task_has_no_labels(tmp_path: Path) -> None:
    save(tmp_path / "z.png", photo_of(0))
    index = one(tmp_path, box("road", 0, 0, 4, 4))
    with pytest.raises(InputError, match="no labels"):
        index.annotation(1)


@pytest.mark.parametrize("wrong", [{"points": [[1, "x"], [2, 2], [3, 3]]}, {"points": [[1, None], [5, 5], [9, 1]]}])
def test_a_coordinate_that_is_no_number_is_refused_when_painted(tmp_path: Path, wrong: dict) -> None:
    with pytest.raises(InputError, match="not a number"):
        one(tmp_path, result("polygonlabels", "road", **wrong)).labels(0)


CODING = LabelCoding(TABLE)


def written(drawing: Drawing | None, labels: LabelMap | None, hw: tuple[int, int], dst: Path) -> dict:
    return write_one(Item("p", "p", "", hw, None, None, labels, drawing), CODING, dst)


def again(entry: dict, hw: tuple[int, int]) -> list[Shape]:
    listed = entry["annotations"][0]["result"]
    regions = [
        Region(one["value"], [one["value"][one["type"]][0]], size=(one["original_height"], None)) for one in listed
    ]
    return [shape_of(region, hw, where="", stated=True) for region in regions]


sides = st.integers(3, 4000)
where = st.floats(-20, 4000, allow_nan=False)


@given(st.lists(st.tuples(where, where), min_size=3, max_size=9), sides, sides)
def test_a_polygon_is_written_in_percentages_that_paint_the_very_same_pixels(
    points: list[tuple[float, float]], height: int, width: int
) -> None:
    hw = (min(height, 40), min(width, 40))
    shape = Shape("road", "polygon", np.array(points) % 40.0)
    found = again(written(Drawing((shape,), hw), None, hw, Path()), hw)
    np.testing.assert_array_equal(covered(found[0], hw), covered(shape, hw))


@given(sides, st.integers(0, 8000))
def test_half_pixels_come_back_exactly(side: int, halves: int) -> None:
    percentage = np.array([[100 * (halves / 2) / side, 0.0]])
    assert in_pixels(percentage, (8, side))[0, 0] == halves / 2


SHAPES = [
    Shape("road", "rectangle", np.array([[2.5, 1.25], [9.5, 7.5]])),
    Shape("road", "circle", np.array([[6.0, 5.0], [9.0, 5.0]])),
    Shape("tree", "ellipse", np.array([[6.0, 5.0], [9.0, 7.0], [5.0, 6.5]])),
    Shape("tree", "linestrip", np.array([[1.0, 1.0], [9.0, 9.0], [12, 3]])),
    Shape("tree", "points", np.array([[3.0, 4.0], [9.0, 9.0]])),
    Shape(
        "road", "polygon", np.array([[0.0, 0], [12, 0], [12, 9], [0, 9]]), holes=(np.array([[3.0, 3], [6, 3], [6, 6]]),)
    ),
    Shape("road", "mask", np.array([[3.0, 2.0]]), mask=np.array([[True, False], [True, True]])),
]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.kind)
def test_every_shape_is_written_so_that_it_covers_the_same_pixels(shape: Shape, tmp_path: Path) -> None:
    found = again(written(Drawing((shape,), (12, 16)), None, (12, 16), tmp_path), (12, 16))
    np.testing.assert_array_equal(covered(found[0], (12, 16)), covered(shape, (12, 16)))


def test_what_label_studio_draws_stays_drawn(tmp_path: Path) -> None:
    entry = written(Drawing(tuple(SHAPES[:2]), (12, 16)), None, (12, 16), tmp_path)
    assert [one["type"] for one in entry["annotations"][0]["result"]] == ["rectanglelabels", "ellipselabels"]


@given(st.integers(0, 50), st.integers(1, 30), st.integers(1, 30))
def test_a_label_map_comes_back_pixel_for_pixel(seed: int, height: int, width: int) -> None:
    ids = np.random.default_rng(seed).choice([0, 1, 2, 255], (height, width)).astype(np.uint8)
    shapes = again(written(None, LabelMap(ids, TABLE), ids.shape, Path()), (height, width))
    painted = np.zeros_like(ids)
    for shape in shapes:
        painted[covered(shape, ids.shape)] = {**{name: n for n, name in enumerate(NAMES)}, "__ignore__": 255}[
            shape.label
        ]
    np.testing.assert_array_equal(painted, ids)


def test_the_written_project_can_be_imported_and_its_interface_lists_the_classes(tmp_path: Path) -> None:
    index = one(tmp_path / "a", brush("road & rail", ids_of(1) == 1), box('a "b"', 0, 0, 4, 4))
    convert(index, tmp_path / "out", to="label-studio")
    tasks = json.loads((tmp_path / "out" / "tasks.json").read_text())
    assert tasks[0]["data"] == {"image": "/data/local-files/?d=p.png"}
    assert tasks[0]["annotations"][0]["result"][0]["original_width"] == 16
    config = (tmp_path / "out" / "label_config.xml").read_text()
    assert '<Label value="road &amp; rail" background="#' in config
    assert "<Label value='a \"b\"'" in config


def test_real_exports_are_read_to_the_last_stroke(shared_data: Path) -> None:
    index = open_dataset(shared_data / "labelstudio_b" / "examples" / "image_magic_wand")
    labels = index.labels(0)
    assert labels.hw == (2860, 3000)
    assert dict(zip(index.table.names, np.bincount(labels.ids.ravel()).tolist(), strict=True)) == {
        "background": 7941169, "Cloud": 377306, "Cloud Shadow": 261525,
    }  # fmt: skip


def test_two_real_annotators_who_differ_are_said(shared_data: Path) -> None:
    folder = shared_data / "labelstudio_a" / "tests" / "custom" / "converter" / "data" / "test_export_yolo"
    index = open_dataset(folder)
    assert len(index) == 7
    assert index.listing.left_out == {"annotations of further annotators": 1, "keypoints": 3, "relations": 5}
    assert index.labels(2).hw == (768, 597)


def test_percent_of_the_helper_is_what_the_tests_mean() -> None:
    assert percent([(8, 6)]) == [[50.0, 50.0]]


def test_names_that_mean_something_in_an_address_come_back(tmp_path: Path) -> None:
    stems = ["#1, 50%", "a+b", "what?"]
    for seed, stem in enumerate(stems):
        save(tmp_path / "set" / "images" / f"{stem}.png", photo_of(seed))
        save(tmp_path / "set" / "masks" / f"{stem}.png", ids_of(seed))
    convert(tmp_path / "set", tmp_path / "out", to="label-studio")
    again = open_dataset(tmp_path / "out")
    assert [(record.name, record.image is not None) for record in again.records] == [(stem, True) for stem in stems]
