"""What LabelMe says of a shape besides its outline, and shapes that it has no words for."""

import json
from pathlib import Path

import numpy as np
import pytest

from data.layouts import labelme_file, photo_of, png64, save, shape
from tessella.core.annotation import Drawing, Shape
from tessella.core.classes import ClassTable, LabelCoding
from tessella.core.errors import FormatError, ImageError
from tessella.dataset.convert import convert
from tessella.dataset.index import open_dataset
from tessella.formats.labelme import read_drawing
from tessella.formats.labelme.writing import WRITER
from tessella.formats.listing import Item
from tessella.formats.raster.labels import resolve

SQUARE = [[2, 2], [8, 2], [8, 8], [2, 8]]


def read(root: Path, *shapes: dict, **more: object) -> Drawing:
    save(root / "a.png", photo_of(0))
    return read_drawing(labelme_file(root / "a.json", list(shapes), photo="a.png", **more))


def test_flags_description_and_the_attributes_of_its_fork_are_kept(tmp_path: Path) -> None:
    more = {
        "description": "near the bridge", "flags": {"wet": True, "deep": False}, "difficult": True,
        "attributes": {"colour": "grey", "lanes": 2},
    }  # fmt: skip
    part = read(tmp_path, shape("road", SQUARE) | more).shapes[0]
    assert part.attributes == (
        ("description", "near the bridge"), ("difficult", "true"), ("wet", "true"), ("deep", "false"),
        ("colour", "grey"), ("lanes", "2"),
    )  # fmt: skip


def test_they_are_written_where_labelme_and_its_fork_look_for_them(tmp_path: Path) -> None:
    more = {"description": "x", "flags": {"wet": True}, "attributes": {"colour": "grey"}, "group_id": 3}
    read(tmp_path / "set", shape("road", SQUARE) | more)
    convert(tmp_path / "set", tmp_path / "out", to="labelme")
    written = json.loads((tmp_path / "out" / "a.json").read_text())["shapes"][0]
    assert {key: written[key] for key in more} == more
    assert read_drawing(tmp_path / "out" / "a.json").shapes[0].attributes == (
        ("description", "x"), ("wet", "true"), ("colour", "grey"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("group", "means"),
    [(None, ""), (7, "7"), (7.0, "7"), ("left", "left"), ([1], ""), ({}, ""), (True, "")],
)
def test_groups_of_any_kind_are_read(tmp_path: Path, group: object, means: str) -> None:
    assert read(tmp_path, shape("road", SQUARE) | {"group_id": group}).shapes[0].group == means


def test_files_before_version_3_know_polygons_only(tmp_path: Path) -> None:
    old = {"label": "road", "line_color": None, "fill_color": None, "points": SQUARE}
    drawing = read(tmp_path, old, version="2.9.0", lineColor=[0, 255, 0, 128])
    assert [(part.kind, part.group) for part in drawing.shapes] == [("polygon", "")]


@pytest.mark.parametrize("kind", [["polygon"], {"a": 1}, 7, "heart"])
def test_a_kind_that_is_none_is_named(tmp_path: Path, kind: object) -> None:
    with pytest.raises(FormatError, match=r"shapes\[0\]: a shape is of an unknown kind"):
        read(tmp_path, shape("road", SQUARE) | {"shape_type": kind})


@pytest.mark.parametrize("stated", [(None, None), (0, 16), ("", 16)])
def test_a_size_that_is_not_stated_is_not_invented(tmp_path: Path, stated: tuple[object, object]) -> None:
    assert read(tmp_path, shape("road", SQUARE), imageHeight=stated[0], imageWidth=stated[1]).declared_hw is None


@pytest.mark.parametrize("stated", [(-3, 16), ("wide", 16), (10**9, 16), ([], 16)])
def test_a_size_that_is_none_is_refused(tmp_path: Path, stated: tuple[object, object]) -> None:
    with pytest.raises(FormatError, match="not a whole number"):
        read(tmp_path, shape("road", SQUARE), imageHeight=stated[0], imageWidth=stated[1])


def test_masks_of_one_file_share_the_pixel_budget(tmp_path: Path) -> None:
    mask = shape("road", [[0, 0], [9, 9]], "mask", mask=png64(np.full((10, 10), 255, np.uint8)))
    path = labelme_file(tmp_path / "a.json", [mask] * 3, photo="a.png")
    assert len(read_drawing(path, max_pixels=300).shapes) == 3
    with pytest.raises(ImageError, match="budget"):
        read_drawing(path, max_pixels=299)


def test_flags_of_whole_photos_are_counted_as_left_out(tmp_path: Path) -> None:
    read(tmp_path, shape("road", SQUARE), flags={"blurred": True, "night": False, "rain": True})
    assert dict(open_dataset(tmp_path).listing.left_out) == {"flags of photos": 2}


def test_ellipses_and_holes_become_masks_of_the_same_pixels(tmp_path: Path) -> None:
    coding = LabelCoding(ClassTable.from_names(["background", "ring"]))
    hole = np.array([[4, 4], [6, 4], [6, 6], [4, 6]], float)
    ring = Shape("ring", "polygon", np.array(SQUARE, float), "5", holes=(hole,))
    slanted = Shape("ring", "ellipse", np.array([[12, 6], [14, 7], [11.5, 7.0]]))
    plain = Shape("ring", "polygon", np.array([[0.5, 9], [3, 9], [3, 11.25]]))
    before = Drawing((ring, slanted, plain), (12, 16))
    WRITER.one(Item("a", "a", "", (12, 16), None, None, None, before), coding, tmp_path)
    after = read_drawing(tmp_path / "a.json")
    assert [(part.kind, part.group) for part in after.shapes] == [("mask", "5"), ("mask", ""), ("polygon", "")]
    np.testing.assert_array_equal(resolve(after, coding).ids, resolve(before, coding).ids)


def test_a_shape_outside_the_photo_is_written_as_an_empty_mask(tmp_path: Path) -> None:
    coding = LabelCoding(ClassTable.from_names(["background", "ring"]))
    far = Shape("ring", "ellipse", np.array([[90, 90], [92, 90], [90, 91.0]]))
    WRITER.one(Item("a", "a", "", (12, 16), None, None, None, Drawing((far,), (12, 16))), coding, tmp_path)
    mask = read_drawing(tmp_path / "a.json").shapes[0].mask
    assert mask is not None
    assert not mask.any()


def test_a_box_of_four_points_is_written_with_two(tmp_path: Path) -> None:
    coding = LabelCoding(ClassTable.from_names(["background", "box"]))
    box = Shape("box", "rectangle", np.array(SQUARE, float))
    WRITER.one(Item("a", "a", "", (12, 16), None, None, None, Drawing((box,), (12, 16))), coding, tmp_path)
    assert json.loads((tmp_path / "a.json").read_text())["shapes"][0]["points"] == [[2, 2], [8, 8]]
