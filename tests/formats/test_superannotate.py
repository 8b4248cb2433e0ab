"""superannotate: vector and pixel projects, faulty points, and masks that do not belong."""

import json
from pathlib import Path

import numpy as np
import pytest

from data.layouts import photo_of, save
from data.superannotate import annotation, box, classes, parts, pixel_project, polygon
from tessella.core.annotation import Drawing
from tessella.core.classes import ClassTable, LabelCoding
from tessella.core.errors import FormatError, InputError, LabelError
from tessella.dataset.index import Index, open_dataset

SQUARE = [(0, 0), (8, 0), (8, 8), (0, 8)]


CORNERS = {"x1": 0, "y1": 0, "x2": 4, "y2": 0, "x3": 4, "y3": 4, "x4": 0, "y4": 4}


def one(root: Path, *instances: dict, name: str = "p.png___objects.json", **more: object) -> Index:
    classes(root)
    save(root / "p.png", photo_of(0))
    annotation(root / name, *instances, photo="p.png", **more)
    return open_dataset(root)


def shapes(index: Index) -> tuple:
    drawing = index.annotation(0)
    assert isinstance(drawing, Drawing)
    return drawing.shapes


def test_excluded_rings_are_holes(tmp_path: Path) -> None:
    index = one(tmp_path, polygon("road", SQUARE, exclude=[[2, 2, 4, 2, 4, 4, 2, 4]]))
    assert index[0].labels.ids.sum() == 60


@pytest.mark.parametrize(
    ("instance", "kind", "pixels"),
    [
        (box("road", 1, 2, 5, 4), "rectangle", 8),
        ({"type": "rbbox", "points": CORNERS}, "polygon", 16),
        ({"type": "ellipse", "cx": 8, "cy": 6, "rx": 2, "ry": 1, "angle": 0}, "ellipse", 8),
        ({"type": "polyline", "points": [0, 6, 16, 6]}, "linestrip", 160),
        ({"type": "point", "x": 8, "y": 6}, "point", 80),
    ],
)  # fmt: skip
def test_every_type_is_a_shape(tmp_path: Path, instance: dict, kind: str, pixels: int) -> None:
    index = one(tmp_path, {"className": "road", **instance})
    assert shapes(index)[0].kind == kind
    assert index[0].labels.ids.sum() == pixels


def test_groups_and_attributes_are_kept_and_templates_counted(tmp_path: Path) -> None:
    said = [{"groupName": "Num doors", "name": "4"}]
    template = {"type": "template", "className": "road", "points": []}
    index = one(tmp_path, polygon("road", SQUARE, groupId=3, attributes=said), template, tags=["a"], comments=[{}, {}])
    assert (shapes(index)[0].group, shapes(index)[0].attributes) == ("3", (("Num doors", "4"),))
    assert index.listing.left_out == {"keypoints": 1, "tags of photos": 1, "comments": 2}


def test_the_list_of_the_first_version_is_read(tmp_path: Path) -> None:
    one(tmp_path, box("road", 0, 0, 4, 4))
    size = {"type": "meta", "name": "imageAttributes", "width": 16, "height": 12}
    (tmp_path / "p.png___objects.json").write_text(json.dumps([box("road", 0, 0, 5, 5), size]))
    index = open_dataset(tmp_path)
    assert index[0].labels.ids.sum() == 25
    assert index.annotation(0).declared_hw == (12, 16)


def test_the_parts_of_an_instance_are_one_mask(tmp_path: Path) -> None:
    index = open_dataset(pixel_project(tmp_path))
    assert index.format == "superannotate"
    assert [shape.label for shape in shapes(index)] == ["road", "tree"]
    assert np.bincount(index[0].labels.ids.ravel()).tolist() == [192 - 15 - 63, 15, 63]
    assert len(index) == 2  # the pictures that the tool puts beside the photos are no photos


def test_a_colour_of_no_instance_is_refused_with_its_first_pixel(tmp_path: Path) -> None:
    pixel_project(tmp_path, count=1)
    mask = np.zeros((12, 16, 4), np.uint8)
    mask[4, 3:5] = (1, 2, 3, 255)
    save(tmp_path / "p0.png___save.png", mask)
    with pytest.raises(LabelError, match=r"#010203 belongs to no instance \(first at row 4, column 3\).*2 pixels"):
        open_dataset(tmp_path).labels(0)


def test_transparent_pixels_are_nothing_whatever_their_colour(tmp_path: Path) -> None:
    pixel_project(tmp_path, count=1)
    mask = np.zeros((12, 16, 4), np.uint8)
    mask[..., 0] = 9
    save(tmp_path / "p0.png___save.png", mask)
    assert open_dataset(tmp_path).labels(0).ids.max() == 0


def test_a_pixel_project_without_its_mask_is_refused(tmp_path: Path) -> None:
    pixel_project(tmp_path, count=1)
    (tmp_path / "p0.png___save.png").unlink()
    with pytest.raises(FormatError, match=r"mask of this pixel project is missing.*p0\.png___save\.png beside it"):
        open_dataset(tmp_path).labels(0)


def test_a_mask_of_another_size_than_stated_is_refused(tmp_path: Path) -> None:
    pixel_project(tmp_path, count=1)
    named = parts("road", "#000002", "#00000F", "#0002A3")
    annotation(tmp_path / "p0.png___pixel.json", named, photo="p0.png", hw=(24, 32))
    with pytest.raises(FormatError, match=r"another size than its JSON file states; got 16x12; expected 32x24"):
        open_dataset(tmp_path).labels(0)


def test_a_mask_without_colours_is_refused(tmp_path: Path) -> None:
    pixel_project(tmp_path, count=1)
    save(tmp_path / "p0.png___save.png", np.zeros((12, 16), np.uint8))
    with pytest.raises(FormatError, match="holds no colours"):
        open_dataset(tmp_path).labels(0)


def test_files_without_postfix_are_read_and_a_second_file_of_a_photo_is_an_orphan(tmp_path: Path) -> None:
    one(tmp_path, box("road", 0, 0, 4, 4), name="p.png.json")
    annotation(tmp_path / "old" / "p.png.json", box("tree", 0, 0, 4, 4), photo="p.png")
    index = open_dataset(tmp_path)
    assert index.listing.orphan_labels == ("old/p.png.json",)
    assert index[0].labels.ids.sum() == 16


def test_two_files_beside_one_photo_are_refused(tmp_path: Path) -> None:
    one(tmp_path, box("road", 0, 0, 4, 4))
    annotation(tmp_path / "p.png.json", box("tree", 0, 0, 4, 4), photo="p.png")
    with pytest.raises(FormatError, match="two annotations describe the photo"):
        open_dataset(tmp_path)


def test_a_label_that_the_classes_lack_is_said(tmp_path: Path) -> None:
    index = one(tmp_path, box("road1", 0, 0, 4, 4))
    assert "labels that are no class: 'road1'" in index.listing.notes


def test_real_nan_points_are_refused_with_the_shape(shared_data: Path) -> None:
    folder = shared_data / "superannotate" / "tests" / "data_set" / "sample_vector_annotations_with_NaN"
    names = ("background", "Personal vehicle", "Personal vehicle1", "Large vehicle", "Human", "Plant")
    index = open_dataset(folder, classes=LabelCoding(ClassTable.from_names(names)))
    assert np.isnan(shapes(index)[0].points_xy).any()
    with pytest.raises(InputError, match="not a number"):
        index.labels(0)


def test_a_real_pixel_project_has_every_pixel_that_is_not_transparent(shared_data: Path) -> None:
    index = open_dataset(shared_data / "superannotate" / "tests" / "data_set" / "sample_project_pixel")
    assert [int((sample.labels.ids != 0).sum()) for sample in index] == [67563, 250448, 379013]
