"""via: three versions, JSON and CSV, invented attributes, and byte sizes."""

import json
from pathlib import Path

import numpy as np
import pytest

from data.layouts import photo_of, save
from data.via import box, image, polygon, project, region, spreadsheet
from tessella.core.annotation import Drawing
from tessella.core.errors import FormatError
from tessella.dataset.index import Index, open_dataset

SQUARE = [(0, 0), (8, 0), (8, 8), (0, 8)]


def one(root: Path, *regions: dict, **more: object) -> Index:
    save(root / "p.png", photo_of(0))
    project(root / "v.json", image("p.png", *regions, **more))
    return open_dataset(root)


def shapes(index: Index) -> tuple:
    drawing = index.annotation(0)
    assert isinstance(drawing, Drawing)
    return drawing.shapes


@pytest.mark.parametrize(
    ("drawn", "kind", "pixels"),
    [
        (region("rect", {}, x=1, y=2, width=4, height=2), "rectangle", 8),
        (region("circle", {}, cx=8, cy=6, r=2), "circle", 12),
        (region("ellipse", {}, cx=8, cy=6, rx=4, ry=2, theta=np.pi / 2), "ellipse", 28),
        (region("polyline", {}, all_points_x=[0, 16], all_points_y=[6, 6]), "linestrip", 160),
        (region("point", {}, cx=8, cy=6), "point", 80),
        (polygon(SQUARE), "polygon", 64),
    ],
)
def test_every_shape_is_read(tmp_path: Path, drawn: dict, kind: str, pixels: int) -> None:
    index = one(tmp_path, drawn)
    assert shapes(index)[0].kind == kind
    assert index[0].labels.ids.sum() == pixels


def test_an_ellipse_is_turned_by_radians(tmp_path: Path) -> None:
    index = one(tmp_path, region("ellipse", {}, cx=8, cy=6, rx=4, ry=2, theta=np.pi / 2))
    np.testing.assert_allclose(shapes(index)[0].points_xy, [[8, 6], [8, 10], [6, 6]], atol=1e-12)


def test_the_class_is_the_attribute_that_most_regions_give(tmp_path: Path) -> None:
    index = one(
        tmp_path,
        polygon(SQUARE, material="stone", state="wet"),
        polygon(SQUARE, material="wood", state=""),
        polygon(SQUARE, material="wood"),
    )
    assert "the class of a region is its attribute 'material'" in index.listing.notes
    assert index.table.names == ("background", "stone", "wood")
    assert shapes(index)[0].attributes == (("state", "wet"),)


def test_of_attributes_given_equally_often_the_usual_name_wins(tmp_path: Path) -> None:
    index = one(tmp_path, polygon(SQUARE, zz="1", Label="car"), polygon(SQUARE, zz="2", Label="bus"))
    assert index.table.names == ("background", "bus", "car")


def test_a_tick_of_a_check_box_is_a_class_and_a_second_one_is_counted(tmp_path: Path) -> None:
    ticked = {"car": True, "bus": False, "taxi": True}
    index = one(tmp_path, polygon(SQUARE, kind=ticked))
    assert index.table.names == ("background", "car")
    assert index.listing.left_out == {"further labels of a region": 1}


def test_a_project_without_attributes_has_one_class(tmp_path: Path) -> None:
    index = one(tmp_path, polygon(SQUARE), polygon(SQUARE))
    assert index.table.names == ("background", "unlabelled")
    assert any("2 of 2 shapes have no label" in note for note in index.listing.notes)


def test_regions_may_be_a_list_or_an_object_by_number(tmp_path: Path) -> None:
    save(tmp_path / "p.png", photo_of(0))
    (tmp_path / "v.json").write_text(json.dumps(image("p.png", polygon(SQUARE), listed=False, size=7)))
    assert open_dataset(tmp_path)[0].labels.ids.sum() == 64


def test_a_table_says_the_same_as_the_project(tmp_path: Path) -> None:
    one(tmp_path / "json", box("road", 0, 0, 4, 4), polygon(SQUARE, **{"class": "tree"}))
    save(tmp_path / "csv" / "p.png", photo_of(0))
    spreadsheet(
        tmp_path / "csv" / "v.csv", image("p.png", box("road", 0, 0, 4, 4), polygon(SQUARE, **{"class": "tree"}))
    )
    ours, theirs = open_dataset(tmp_path / "json"), open_dataset(tmp_path / "csv")
    assert theirs.format == "via"
    np.testing.assert_array_equal(ours[0].labels.ids, theirs[0].labels.ids)


def test_the_first_version_begins_its_table_with_a_hash(tmp_path: Path) -> None:
    save(tmp_path / "p.png", photo_of(0))
    spreadsheet(tmp_path / "v.csv", image("p.png", box("road", 0, 0, 4, 4)), header="#filename")
    assert open_dataset(tmp_path)[0].labels.ids.sum() == 16


def test_a_table_beside_a_project_is_not_read_twice(tmp_path: Path) -> None:
    save(tmp_path / "p.png", photo_of(0))
    held = image("p.png", box("road", 0, 0, 4, 4))
    project(tmp_path / "v.json", held)
    spreadsheet(tmp_path / "v.csv", held)
    assert "v.csv is not read: a JSON export lies beside it" in open_dataset(tmp_path).listing.notes


def test_a_photo_without_regions_is_all_background(tmp_path: Path) -> None:
    for name in ("p", "q"):
        save(tmp_path / f"{name}.png", photo_of(0))
    spreadsheet(tmp_path / "v.csv", image("p.png", box("road", 0, 0, 4, 4)), image("q.png"))
    index = open_dataset(tmp_path)
    assert [sample.labels.ids.sum() for sample in index] == [16, 0]


def third(root: Path, **shapes_: list) -> None:
    """Write a project of version 3 with one photo."""
    save(root / "p.png", photo_of(0))
    metadata = {key: {"vid": "1", "flg": 0, "z": [], "xy": xy, "av": {"1": "0"}} for key, xy in shapes_.items()}
    tree = {
        "project": {"pid": "x"}, "config": {}, "metadata": metadata,
        "attribute": {"1": {"aname": "class", "options": {"0": "road", "1": "tree"}}},
        "file": {"1": {"fid": "1", "fname": "p.png", "type": 2, "loc": 1, "src": ""}},
        "view": {"1": {"fid_list": ["1"]}},
    }  # fmt: skip
    (root / "v.json").write_text(json.dumps(tree))


def test_version_3_is_read(tmp_path: Path) -> None:
    third(tmp_path, a=[2, 1, 2, 4, 2], b=[7, 8, 0, 12, 0, 12, 4, 8, 4], c=[3, 8, 9, 2])
    index = open_dataset(tmp_path)
    assert [shape.kind for shape in shapes(index)] == ["rectangle", "polygon", "circle"]
    assert index.table.names == ("background", "road")
    assert index[0].labels.ids.sum() == 8 + 16 + 12


def test_the_byte_sizes_that_the_file_states_are_kept_for_the_check(tmp_path: Path) -> None:
    index = one(tmp_path, polygon(SQUARE), size=123)
    assert index.listing.declared_bytes == {"p": 123}


def test_an_address_instead_of_a_file_states_no_size(tmp_path: Path) -> None:
    assert one(tmp_path, polygon(SQUARE), size=-1).listing.declared_bytes == {}


def test_a_missing_photo_is_an_orphan_for_its_size_is_not_known(tmp_path: Path) -> None:
    save(tmp_path / "p.png", photo_of(0))
    project(tmp_path / "v.json", image("p.png", polygon(SQUARE)), image("lost.png", polygon(SQUARE)))
    assert open_dataset(tmp_path).listing.orphan_labels == ("v.json#lost.png-1",)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (region("polygon", {}, all_points_x=[1, 2, 3], all_points_y=[1]), "more x than y.*got 3 and 1"),
        (region("blob", {}), "unknown shape; got 'blob'"),
    ],
)
def test_a_broken_region_is_refused_with_its_place(tmp_path: Path, wrong: dict, says: str) -> None:
    with pytest.raises(FormatError, match=says) as refusal:
        one(tmp_path, wrong).labels(0)
    assert "v.json#p.png-1: region 0" in str(refusal.value)


def test_a_broken_cell_is_refused_with_its_row(tmp_path: Path) -> None:
    save(tmp_path / "p.png", photo_of(0))
    path = spreadsheet(tmp_path / "v.csv", image("p.png", polygon(SQUARE)))
    path.write_text(path.read_text().replace('"{""name""', '"{name""'))
    with pytest.raises(FormatError, match=r"row 2: region_shape_attributes: this is not valid JSON"):
        open_dataset(tmp_path)


def test_a_real_project_is_read_with_all_its_roofs(shared_data: Path) -> None:
    index = open_dataset(shared_data / "via_roof")
    assert len(index) == 11
    assert [record.split for record in index.records].count("val") == 1
    assert int((index[2].labels.ids > 0).sum()) > 0
