"""The XML of LabelMe for the web: outlines, masks, parts, deleted objects, and where photos and masks lie."""

from pathlib import Path

import numpy as np
import pytest

from data.labelme_xml import box, labelme_xml, polygon, segm, thing, xml_file
from data.layouts import photo_of, save
from tessella.core.annotation import Drawing
from tessella.core.errors import FormatError, InputError
from tessella.dataset.index import Index, open_dataset

TRIANGLE = [(1, 1), (9, 1), (9, 9)]


def one(root: Path, *things: str, **more: object) -> Index:
    save(root / "a.png", photo_of(0))
    xml_file(root / "a.xml", things, photo="a.png", **more)  # type: ignore[arg-type]
    return open_dataset(root, format="labelme-xml")


def drawing(index: Index, position: int = 0) -> Drawing:
    found = index.annotation(position)
    assert isinstance(found, Drawing)
    return found


@pytest.mark.parametrize("folder", ["", "street", "a/b"])
def test_the_folders_of_the_web_tool_are_followed(tmp_path: Path, folder: str) -> None:
    index = open_dataset(labelme_xml(tmp_path, folder=folder))
    assert index.format == "labelme-xml"
    assert index.table.names == ("background", "road", "tree")
    for position in range(4):
        np.testing.assert_array_equal(index.image(position).pixels, photo_of(position))
        labels = index.labels(position)
        assert labels is not None
        assert int((labels.ids == 255).sum()) == 3 * (position + 1)


def test_a_box_is_a_rectangle_and_few_points_are_a_line_or_a_point(tmp_path: Path) -> None:
    index = one(
        tmp_path,
        thing("a", box(1, 2, 3, 4)),
        thing("a", polygon(TRIANGLE)),
        thing("a", polygon(TRIANGLE[:2])),
        thing("a", polygon(TRIANGLE[:1])),
    )
    assert [part.kind for part in drawing(index).shapes] == ["rectangle", "polygon", "line", "point"]
    assert drawing(index).shapes[0].points_xy.tolist() == [[1, 2], [3, 4]]
    assert drawing(index).declared_hw == (12, 16)


def test_deleted_objects_are_passed_over_and_noted(tmp_path: Path) -> None:
    index = one(tmp_path, thing("a", polygon(TRIANGLE)), thing("b", polygon(TRIANGLE), deleted=1))
    assert index.table.names == ("background", "a")
    assert [part.label for part in drawing(index).shapes] == ["a"]
    assert "1 object is marked as deleted, and passed over" in index.listing.notes


def test_parts_are_one_object_with_their_whole(tmp_path: Path) -> None:
    parts = "<parts><hasparts>{}</hasparts><ispartof>{}</ispartof></parts>"
    index = one(
        tmp_path,
        thing("car", polygon(TRIANGLE), number=0, more=parts.format("1,2", "")),
        thing("door", polygon(TRIANGLE), number=1, more=parts.format("", "0")),
        thing("handle", polygon(TRIANGLE), number=2, more=parts.format("", "1")),
        thing("tree", polygon(TRIANGLE), number=3, more=parts.format("", "")),
    )
    assert [part.group for part in drawing(index).shapes] == ["0", "0", "0", ""]


def test_parts_that_are_parts_of_each_other_end(tmp_path: Path) -> None:
    parts = "<parts><ispartof>{}</ispartof></parts>"
    index = one(
        tmp_path,
        thing("a", polygon(TRIANGLE), number=0, more=parts.format("1")),
        thing("a", polygon(TRIANGLE), number=1, more=parts.format("0")),
    )
    assert len(drawing(index).shapes) == 2


def test_attributes_are_taken_apart(tmp_path: Path) -> None:
    more = "<occluded>yes</occluded><attributes>rotation=0.0, old, colour=dark red</attributes>"
    index = one(tmp_path, thing("a", polygon(TRIANGLE), more=more))
    assert drawing(index).shapes[0].attributes == (
        ("occluded", "1"), ("rotation", "0.0"), ("attributes", "old"), ("colour", "dark red"),
    )  # fmt: skip


def test_a_mask_may_be_as_large_as_its_box(tmp_path: Path) -> None:
    save(tmp_path / "Masks" / "m.png", np.full((3, 4), 255, np.uint8))
    index = one(tmp_path, thing("a", segm("m.png", (5, 6, 9, 9), "s.png")))
    labels = index.labels(0)
    assert labels is not None
    assert np.argwhere(labels.ids == 1)[[0, -1]].tolist() == [[6, 5], [8, 8]]
    assert dict(index.listing.left_out) == {"scribbles": 1}


def test_a_mask_of_another_size_is_refused(tmp_path: Path) -> None:
    save(tmp_path / "Masks" / "m.png", np.full((3, 4), 255, np.uint8))
    index = one(tmp_path, thing("a", segm("m.png", (0, 0, 9, 9))))
    with pytest.raises(FormatError, match=r"m\.png: a mask is neither as large as its photo nor as its box"):
        index.labels(0)


@pytest.mark.parametrize(
    ("mask", "says"), [("m.png", "missing; got m.png"), ("../../m.png", "missing|outside"), ("/etc/m.png", "missing")]
)
def test_a_mask_that_is_not_in_the_data_set_is_named(tmp_path: Path, mask: str, says: str) -> None:
    save(tmp_path / "m.png", np.full((12, 16), 255, np.uint8))
    index = one(tmp_path / "set", thing("a", segm(mask, (0, 0, 9, 9))))
    with pytest.raises(InputError, match=says):
        index.labels(0)


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (thing("", polygon(TRIANGLE)), "object 0: an object has no name"),
        (thing("a", ""), "neither an outline nor a mask"),
        (thing("a", polygon([])), "too few points"),
        (thing("a", polygon([(1, 1), (2, "x"), (3, 3)])), "not a number"),  # type: ignore[list-item]
    ],
)
def test_a_broken_object_is_named(tmp_path: Path, broken: str, says: str) -> None:
    index = one(tmp_path, thing("a", polygon(TRIANGLE)).replace("<object>", "<object>"), broken)
    with pytest.raises(InputError, match=says.replace("object 0", "object 1")):
        index.labels(0)


def test_pascals_boxes_are_not_taken_for_labelme(tmp_path: Path) -> None:
    save(tmp_path / "a.png", photo_of(0))
    (tmp_path / "a.xml").write_text(
        "<annotation><filename>a.png</filename><size><width>16</width></size><object><name>car</name>"
        "<bndbox><xmin>1</xmin></bndbox></object></annotation>"
    )
    with pytest.raises(FormatError):
        open_dataset(tmp_path)
    with pytest.raises(FormatError, match="no XML file of LabelMe"):
        open_dataset(tmp_path, format="labelme-xml")


def test_a_missing_photo_keeps_its_labels_where_the_size_is_stated(tmp_path: Path) -> None:
    xml_file(tmp_path / "a.xml", [thing("a", polygon(TRIANGLE))], photo="a.png")
    save(tmp_path / "b.png", photo_of(0))
    xml_file(tmp_path / "b.xml", [thing("a", polygon(TRIANGLE))], photo="b.png", hw=None)
    xml_file(tmp_path / "c.xml", [thing("a", polygon(TRIANGLE))], photo="c.png", hw=None)
    index = open_dataset(tmp_path)
    assert [(record.name, record.image is None) for record in index.records] == [("a", True), ("b", False)]
    assert index.listing.orphan_labels == ("c.xml",)


def test_whose_rule_draws_is_told_by_the_origin(tmp_path: Path) -> None:
    for origin, tool in (("Datumaro", "cvat"), ("LabelMe Webtool", "centre")):
        root = tmp_path / tool
        assert drawing(one(root, thing("a", polygon(TRIANGLE)), origin=origin)).tool == tool


def test_two_files_of_one_photo_are_refused(tmp_path: Path) -> None:
    xml_file(tmp_path / "b.xml", [thing("a", polygon(TRIANGLE))], photo="a.png")
    with pytest.raises(FormatError, match=r"two XML files describe the photo a; got a\.xml and b\.xml"):
        one(tmp_path, thing("a", polygon(TRIANGLE)))


def test_the_real_examples_are_read(shared_data: Path) -> None:
    expected = {
        "annotation_tools_same_images/datasets/labelme3.0": [2, 0, 4, 17],
        "cvat_all_exports/docs/dataset-formats-samples/labelme": [0, 0, 1, 1],
        "format_zoo_a/tests/assets/labelme_dataset": [7],
        "format_zoo_b/tests/assets/labelme_dataset": [7],
    }
    for name, counts in expected.items():
        index = open_dataset(shared_data / name)
        assert index.format == "labelme-xml"
        assert [len(drawing(index, position).shapes) for position in range(len(index))] == counts
        for position in range(len(index)):
            assert index.labels(position) is not None
