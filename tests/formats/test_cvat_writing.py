"""What is written for CVAT: shapes as drawn, label maps as polygons, groups, attributes and splits that CVAT reads."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.cvat import box, cvat_file, element, image, polygon
from data.layouts import labelme, labelme_file, photo_of, save, shape
from tessella.core.annotation import Drawing, Shape
from tessella.core.classes import ClassTable, LabelCoding
from tessella.dataset.convert import convert
from tessella.dataset.index import Index, open_dataset
from tessella.files.xml import read_xml
from tessella.formats.cvat.writing import WRITER, depths
from tessella.formats.listing import Item, Written
from tessella.formats.raster.labels import resolve

SQUARE = [(2, 2), (8, 2), (8, 8), (2, 8)]


def drawing(index: Index) -> Drawing:
    found = index.annotation(0)
    assert isinstance(found, Drawing)
    return found


def ids(index: Index, position: int = 0) -> np.ndarray:
    labels = index.labels(position)
    assert labels is not None
    return labels.ids


def same(first: Index, second: Index) -> None:
    for position in range(len(first)):
        np.testing.assert_array_equal(ids(first, position), ids(second, position))


def test_shapes_survive_writing(tmp_path: Path) -> None:
    inside = '<attribute name="wet">yes</attribute>'
    shapes = box("road", 1.25, 2, 9, 7.123456, group_id=3, inside=inside) + polygon("tree", SQUARE, z=2)
    shapes += element("ellipse", "tree", cx=5, cy=6, rx=3, ry=2, rotation=20, z=3)
    shapes += element("mask", "road", rle="1, 2, 1", left=3, top=4, width=2, height=2, z=4)
    save(tmp_path / "set" / "images" / "a.png", photo_of(0))
    index = open_dataset(cvat_file(tmp_path / "set", image("a.png", shapes)))
    convert(index, tmp_path / "out", to="cvat")
    again = open_dataset(tmp_path / "out")
    same(index, again)
    mine, theirs = drawing(index).shapes, drawing(again).shapes
    assert [part.kind for part in theirs] == [part.kind for part in mine]
    assert [part.attributes for part in theirs] == [part.attributes for part in mine]
    assert [part.group for part in theirs] == [part.group for part in mine]
    for before, after in zip(mine, theirs, strict=True):
        np.testing.assert_allclose(after.points_xy, before.points_xy, atol=1e-9)
    head = read_xml(tmp_path / "out" / "annotations.xml")
    assert head.findtext("meta/task/labels/label[name='road']/attributes/attribute/name") == "wet"
    assert head.findtext("meta/task/labels/label[name='road']/color") == "#800000"


def test_shapes_of_labelme_are_kept_with_groups_that_cvat_can_hold(tmp_path: Path) -> None:
    root = tmp_path / "set"
    save(root / "a.png", photo_of(0))
    parts = [
        shape("h", [[5, 5], [5, 8]], "circle", group_id="left") | {"flags": {"wet": True}},
        shape("h", [[1, 1], [3, 3]], "rectangle", group_id=2),
        shape("g", [[0, 9], [9, 9]], "line", group_id=None, description="dry"),
    ]
    labelme_file(root / "a.json", parts, photo="a.png")
    index = open_dataset(root)
    convert(index, tmp_path / "out", to="cvat")
    again = open_dataset(tmp_path / "out")
    same(index, again)
    found = drawing(again).shapes
    assert [part.kind for part in found] == ["ellipse", "rectangle", "linestrip"]
    assert [part.group for part in found] == ["3", "2", ""]
    assert [part.attributes for part in found] == [(("wet", "true"),), (), (("description", "dry"),)]


def test_polygons_with_holes_become_masks_of_the_same_pixels(tmp_path: Path) -> None:
    coding = LabelCoding(ClassTable.from_names(["background", "ring"]))
    ring = Shape("ring", "polygon", np.array(SQUARE, float), holes=(np.array([[4, 4], [6, 4], [6, 6], [4, 6]], float),))
    slanted = Shape("ring", "ellipse", np.array([[12, 6], [14, 7], [12.0, 8]]))
    before = Drawing((ring, slanted), (12, 16))
    item = Item("a", "a", "", (12, 16), None, None, None, before)
    entry = WRITER.one(item, coding, tmp_path)
    WRITER.close([Written("a", "a", "", entry)], coding, tmp_path)
    again = open_dataset(tmp_path)
    assert [part.kind for part in drawing(again).shapes] == ["mask", "mask"]
    np.testing.assert_array_equal(ids(again), resolve(before, coding).ids)


def test_splits_are_written_as_subsets_of_a_project(tmp_path: Path) -> None:
    source = tmp_path / "set"
    for split in ("train", "val"):
        save(source / split / f"{split}.png", photo_of(0))
        labelme_file(
            source / split / f"{split}.json", [shape("h", [list(point) for point in SQUARE])], photo=f"{split}.png"
        )
    convert(source, tmp_path / "out", to="cvat")
    tree = read_xml(tmp_path / "out" / "annotations.xml")
    assert [(one.get("name"), one.get("subset")) for one in tree.iterfind("image")] == [
        ("train.png", "train"), ("val.png", "val"),
    ]  # fmt: skip
    assert tree.findtext("meta/project/subsets") == "train\nval"
    assert sorted(path.name for path in (tmp_path / "out" / "images").rglob("*.png")) == ["train.png", "val.png"]


def test_the_name_of_ignored_regions_is_declared_only_where_it_is_used(tmp_path: Path) -> None:
    convert(labelme(tmp_path / "a"), tmp_path / "out", to="cvat")
    tree = read_xml(tmp_path / "out" / "annotations.xml")
    names = [one.findtext("name") for one in tree.iterfind("meta/task/labels/label")]
    assert names == ["background", "road", "tree", "__ignore__"]


def test_shapes_that_do_not_touch_share_a_layer() -> None:
    def square(left: float) -> Shape:
        return Shape("a", "polygon", np.array([[left, 0], [left + 9, 0], [left + 9, 9], [left, 9]], float))

    assert depths([square(0), square(100), square(5), square(105), square(6)]) == [0, 0, 1, 1, 2]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_label_map_comes_back_from_cvat(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    root = tmp_path_factory.mktemp("any")
    height, width = data.draw(st.tuples(st.integers(1, 9), st.integers(1, 9)))
    drawn = data.draw(st.lists(st.sampled_from([0, 1, 2, 255]), min_size=height * width, max_size=height * width))
    grid = np.array(drawn, np.uint8).reshape(height, width)
    save(root / "set" / "images" / "a.png", photo_of(0, (height, width)))
    save(root / "set" / "masks" / "a.png", grid)
    (root / "set" / "classes.toml").write_text(
        '[[classes]]\nname = "background"\n[[classes]]\nname = "x"\n[[classes]]\nname = "y"\n'
    )
    convert(root / "set", root / "out", to="cvat")
    np.testing.assert_array_equal(ids(open_dataset(root / "out")), grid)
