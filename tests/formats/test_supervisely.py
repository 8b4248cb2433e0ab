"""supervisely: bitmaps with their origin, polygons with holes, boxes, lines, tags; and writing it all again."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.layouts import TABLE, ids_of, photo_of, save
from data.supervisely import annotation, bitmap, box, meta, polygon
from tessella.core.annotation import Drawing, Shape
from tessella.core.classes import LabelCoding
from tessella.core.errors import FormatError, InputError
from tessella.core.labelmap import LabelMap
from tessella.dataset.convert import convert
from tessella.dataset.index import Index, open_dataset
from tessella.formats.listing import Item
from tessella.formats.platforms.supervisely.writing import write_one
from tessella.formats.tools.painting import covered


def one(root: Path, *objects: dict, **more: object) -> Index:
    meta(root)
    save(root / "ds" / "img" / "p.png", photo_of(0))
    annotation(root / "ds" / "ann" / "p.png.json", *objects, **more)
    return open_dataset(root)


def test_a_bitmap_lies_at_its_origin(tmp_path: Path) -> None:
    mask = np.array([[True, False], [True, True]])
    ids = one(tmp_path, bitmap("road", mask, (5, 3)))[0].labels.ids
    assert ids.sum() == 3
    assert ids[3, 5] == ids[4, 5] == ids[4, 6] == 1


def test_interior_rings_are_holes(tmp_path: Path) -> None:
    ring = polygon("road", [(2, 2), (10, 2), (10, 10), (2, 10)], [(4, 4), (6, 4), (6, 6), (4, 6)])
    assert one(tmp_path, ring)[0].labels.ids.sum() == 64 - 4


def test_later_objects_paint_over_earlier_ones(tmp_path: Path) -> None:
    ids = one(tmp_path, box("road", 0, 0, 4, 4), box("tree", 2, 2, 4, 4))[0].labels.ids
    assert np.bincount(ids.ravel()).tolist()[1:] == [12, 4]


def test_an_oriented_box_turns_clockwise_around_its_centre(tmp_path: Path) -> None:
    turned = polygon("road", [(4, 4), (10, 6)], geometryType="oriented_bbox", angle=np.pi / 2)
    ids = one(tmp_path, turned)[0].labels.ids
    assert ids.sum() == 12
    assert ids[2:8, 6:8].all()


def test_tags_of_objects_are_attributes_and_those_of_photos_are_counted(tmp_path: Path) -> None:
    tags = [{"name": "occluded", "value": None}, {"name": "age", "value": 7}]
    index = one(tmp_path, box("road", 0, 0, 4, 4) | {"tags": tags}, tags=[{"name": "night"}])
    drawing = index.annotation(0)
    assert isinstance(drawing, Drawing)
    assert drawing.shapes[0].attributes == (("occluded", "yes"), ("age", "7"))
    assert index.listing.left_out == {"tags of photos": 1}


def test_key_points_and_unknown_objects_are_left_out_and_counted(tmp_path: Path) -> None:
    graph = {"classTitle": "road", "geometryType": "graph", "nodes": {}}
    odd = {"classTitle": "road", "geometryType": "blob"}
    index = one(tmp_path, graph, odd, box("road", 0, 0, 4, 4))
    assert index.listing.left_out == {"keypoints": 1, "objects of kind blob": 1}
    assert index[0].labels.ids.sum() == 16


def test_classes_and_colours_come_from_meta_with_background_first(tmp_path: Path) -> None:
    index = one(tmp_path, box("road", 0, 0, 4, 4))
    meta(tmp_path, {"road": "#FF0000", "tree": "#ff0000", "sky": "nonsense"})
    table = open_dataset(tmp_path).table
    assert table.names == ("background", "road", "tree", "sky")
    assert len(set(table.colours)) == 4  # two classes share a colour in the file
    assert index.table.colours[1:] == ((255, 0, 0), (0, 255, 0))


def test_a_label_that_meta_does_not_name_is_said_and_refused(tmp_path: Path) -> None:
    index = one(tmp_path, box("raod", 0, 0, 4, 4))
    assert "labels that are no class: 'raod'" in index.listing.notes
    with pytest.raises(InputError, match=r"'raod'.*did you mean 'road'"):
        index.labels(0)


def test_photos_of_one_name_in_two_data_sets_are_kept_apart(tmp_path: Path) -> None:
    meta(tmp_path)
    for folder, side in (("train", 3), ("val", 5)):
        save(tmp_path / folder / "img" / "p.png", photo_of(side))
        annotation(tmp_path / folder / "ann" / "p.png.json", box("road", 0, 0, side, side))
    index = open_dataset(tmp_path)
    assert [(record.name, record.split) for record in index.records] == [("train/img/p", "train"), ("val/img/p", "val")]
    assert [sample.labels.ids.sum() for sample in index] == [9, 25]


def test_annotation_files_without_the_photos_suffix_are_understood(tmp_path: Path) -> None:
    meta(tmp_path)
    save(tmp_path / "ds" / "img" / "p.jpg", photo_of(0))
    annotation(tmp_path / "ds" / "ann" / "p.json", box("road", 0, 0, 4, 4))
    assert open_dataset(tmp_path).records[0].image == tmp_path / "ds" / "img" / "p.jpg"


def test_one_annotation_file_finds_its_classes_above(tmp_path: Path) -> None:
    one(tmp_path, box("road", 0, 0, 4, 4))
    index = open_dataset(tmp_path / "ds" / "ann" / "p.png.json", photos=tmp_path / "ds" / "img")
    assert index.table.names == ("background", "road", "tree")
    assert index[0].labels.ids.sum() == 16


def test_a_missing_photo_stays_with_its_size(tmp_path: Path) -> None:
    meta(tmp_path)
    annotation(tmp_path / "ds" / "ann" / "lost.jpg.json", box("road", 0, 0, 4, 4))
    index = open_dataset(tmp_path)
    assert (index.records[0].name, index.records[0].image) == ("ds/img/lost", None)
    assert index.labels(0).hw == (12, 16)


def test_figures_of_point_clouds_are_no_photos(tmp_path: Path) -> None:
    tree = {"description": "", "objects": [{"key": "a", "classTitle": "car"}], "figures": []}
    (tmp_path / "frame.pcd.json").write_text(json.dumps(tree))
    with pytest.raises(FormatError, match="these are Supervisely figures: they lie in point clouds or videos"):
        open_dataset(tmp_path)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"bitmap": {"data": "AAAA", "origin": [1, 2]}}, "zlib"),
        ({"bitmap": {"data": 7, "origin": [1, 2]}}, "base64"),
        ({"bitmap": {"data": "", "origin": [1]}}, "no origin"),
        ({"bitmap": 3}, "no origin"),
        ({"geometryType": "polygon", "points": {"exterior": 3}}, "no points"),
    ],
)
def test_a_broken_object_is_refused_with_its_place(tmp_path: Path, wrong: dict, says: str) -> None:
    index = one(tmp_path, bitmap("road", np.ones((1, 1), bool), (0, 0)) | wrong)
    with pytest.raises(FormatError, match=says) as refusal:
        index.labels(0)
    assert "p.png.json: objects[0]" in str(refusal.value)


CODING = LabelCoding(TABLE)


def written(drawing: Drawing | None, labels: LabelMap | None, hw: tuple[int, int], dst: Path) -> Index:
    write_one(Item("p", "p", "", hw, None, None, labels, drawing), CODING, dst)
    return open_dataset(dst, format="supervisely", classes=CODING)


SHAPES = [
    Shape("road", "rectangle", np.array([[2.5, 1.25], [9.5, 7.5]])),
    Shape("road", "circle", np.array([[6.0, 5.0], [9.0, 5.0]])),
    Shape("tree", "ellipse", np.array([[6.0, 5.0], [9.0, 7.0], [5.0, 6.5]])),
    Shape("tree", "linestrip", np.array([[1.0, 1.0], [9.0, 9.0], [12, 3]]), attributes=(("state", "wet"),)),
    Shape("tree", "points", np.array([[3.0, 4.0], [9.0, 9.0]])),
    Shape("road", "polygon", np.array([[0.0, 0], [12, 0], [12, 9.3]]), holes=(np.array([[3.0, 1], [6, 1], [6, 3]]),)),
    Shape("road", "mask", np.array([[-1.0, 2.0]]), mask=np.array([[True, False], [True, True]])),
]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.kind)
def test_every_shape_is_written_so_that_it_covers_the_same_pixels(shape: Shape, tmp_path: Path) -> None:
    found = written(Drawing((shape,), (12, 16)), None, (12, 16), tmp_path).annotation(0)
    assert isinstance(found, Drawing)
    assert found.shapes[0].attributes == shape.attributes
    np.testing.assert_array_equal(covered(found.shapes[0], (12, 16)), covered(shape, (12, 16)))


@given(st.integers(0, 30), st.integers(1, 20), st.integers(1, 20))
def test_a_label_map_comes_back_pixel_for_pixel(
    tmp_path_factory: pytest.TempPathFactory, seed: int, height: int, width: int
) -> None:
    ids = np.random.default_rng(seed).choice([0, 1, 2, 255], (height, width)).astype(np.uint8)
    index = written(None, LabelMap(ids, TABLE), ids.shape, tmp_path_factory.mktemp("out"))
    np.testing.assert_array_equal(index.labels(0).ids, ids)


def test_splits_and_folders_become_nested_data_sets(tmp_path: Path) -> None:
    for place in ("train/images/street/a", "train/images/b", "val/images/a"):
        save(tmp_path / "set" / f"{place}.png", photo_of(0))
        save(tmp_path / "set" / f"{place.replace('images', 'masks')}.png", ids_of(1, ignore=False))
    convert(tmp_path / "set", tmp_path / "out", to="supervisely")
    found = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.json"))
    assert found == [
        "meta.json", "train/ann/b.png.json", "train/datasets/street/ann/a.png.json", "val/ann/a.png.json",
    ]  # fmt: skip
    tree = json.loads((tmp_path / "out" / "meta.json").read_text())
    assert [one["title"] for one in tree["classes"]][-1] == "__ignore__"


@pytest.mark.parametrize("to", ["supervisely", "label-studio"])
def test_ignored_pixels_have_a_name_even_where_the_source_gives_none(tmp_path: Path, to: str) -> None:
    save(tmp_path / "set" / "images" / "p.png", photo_of(0))
    save(tmp_path / "set" / "masks" / "p.png", ids_of(1))
    coding = LabelCoding(TABLE, ignore_names=())
    convert(open_dataset(tmp_path / "set", classes=coding), tmp_path / "out", to=to)
    np.testing.assert_array_equal(open_dataset(tmp_path / "out")[0].labels.ids, ids_of(1))


def test_real_lemons_are_where_they_lie(shared_data: Path) -> None:
    index = open_dataset(shared_data / "supervisely_lemons")
    assert (len(index), index.table.names) == (6, ("background", "kiwi", "lemon"))
    assert np.bincount(index[0].labels.ids.ravel()).tolist() == [759823, 46987, 46790]
