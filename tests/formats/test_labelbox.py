"""labelbox: both versions, masks that lie behind addresses, and what is no photo."""

import json
from pathlib import Path

import numpy as np
import pytest

from data.labelbox import box, first, label, lines, mask, points, polygon, row
from data.layouts import photo_of, save
from tessella.core.annotation import Drawing
from tessella.core.errors import FormatError
from tessella.dataset.index import Index, open_dataset

SQUARE = [(0, 0), (8, 0), (8, 8), (0, 8)]


def one(root: Path, *objects: dict, **more: object) -> Index:
    save(root / "photos" / "p.png", photo_of(0))
    lines(root / "export.ndjson", row("dr1", "p.png", label(*objects, **more)))
    return open_dataset(root)


def shapes(index: Index) -> tuple:
    drawing = index.annotation(0)
    assert isinstance(drawing, Drawing)
    return drawing.shapes


def test_lines_and_boxes_and_polygons_are_shapes_and_points_are_counted(tmp_path: Path) -> None:
    line = {"name": "road", "feature_id": "l", "line": points([(0, 6), (16, 6)])}
    point = {"name": "nose", "feature_id": "n", "point": {"x": 1, "y": 1}}
    index = one(tmp_path, line, box("tree", 1, 1, 3, 3), polygon("tree", SQUARE), point)
    assert [shape.kind for shape in shapes(index)] == ["linestrip", "rectangle", "polygon"]
    assert index.listing.left_out == {"keypoints": 1}


def test_answers_about_an_object_are_attributes(tmp_path: Path) -> None:
    said = [
        {"name": "state", "radio_answer": {"name": "wet"}},
        {"name": "marks", "checklist_answers": [{"name": "a"}, {"name": "b"}]},
        {"name": "note", "text_answer": {"content": "look"}},
    ]
    index = one(tmp_path, polygon("road", SQUARE, classifications=said))
    assert shapes(index)[0].attributes == (("state", "wet"), ("marks", "a, b"), ("note", "look"))


def test_a_mask_that_lies_here_is_read_by_its_feature_id(tmp_path: Path) -> None:
    pixels = np.zeros((12, 16), np.uint8)
    pixels[2:5, 3:9] = 255
    save(tmp_path / "photos" / "feat1.png", pixels)
    index = one(tmp_path, mask("road", "feat1"))
    assert len(index) == 1  # the mask is no photo
    assert index.records[0].parts == (tmp_path / "photos" / "feat1.png",)
    assert index[0].labels.ids.sum() == 18


def test_a_mask_of_another_size_than_its_photo_is_refused(tmp_path: Path) -> None:
    save(tmp_path / "feat1.png", np.full((6, 8), 255, np.uint8))
    with pytest.raises(FormatError, match=r"another size than its photo; got 8x6; expected 16x12"):
        one(tmp_path, mask("road", "feat1")).labels(0)


def test_a_composite_mask_without_colour_is_refused(tmp_path: Path) -> None:
    save(tmp_path / "composite.png", np.zeros((12, 16, 3), np.uint8))
    link = {"url": "https://x.example.com/composite.png", "color_rgb": [9, 0]}
    with pytest.raises(FormatError, match="composite mask has no colour"):
        one(tmp_path, {"name": "road", "feature_id": "f", "composite_mask": link}).labels(0)


def test_a_composite_mask_is_the_pixels_of_its_colour(tmp_path: Path) -> None:
    pixels = np.zeros((12, 16, 3), np.uint8)
    pixels[2:5, 3:9], pixels[8:, :] = (9, 0, 0), (0, 9, 0)
    save(tmp_path / "composite.png", pixels)
    link = {"url": "https://x.example.com/a/composite.png?t=1", "color_rgb": [9, 0, 0]}
    index = one(tmp_path, {"name": "road", "feature_id": "f", "composite_mask": link})
    assert index[0].labels.ids.sum() == 18


def test_a_mask_behind_an_address_is_counted_and_its_photo_refused(tmp_path: Path) -> None:
    index = one(tmp_path, polygon("tree", SQUARE), mask("road", "feat1"))
    assert index.listing.left_out == {"masks behind an address": 1}
    with pytest.raises(FormatError, match=r"nothing is fetched; got 1 mask, such as that of 'road'.*feat1\.png"):
        index.labels(0)


def test_of_several_labels_of_a_row_the_last_counts(tmp_path: Path) -> None:
    save(tmp_path / "p.png", photo_of(0))
    late = label(box("road", 0, 0, 5, 5), updated="2024-03-01")
    lines(tmp_path / "e.ndjson", row("d", "p.png", late, label(box("road", 0, 0, 3, 3), updated="2024-02-01")))
    index = open_dataset(tmp_path)
    assert index[0].labels.ids.sum() == 25
    assert index.listing.left_out == {"further labels of a photo": 1}


def test_lines_in_a_file_called_json_are_read_as_lines(tmp_path: Path) -> None:
    save(tmp_path / "p.png", photo_of(0))
    data_rows = [row(key, name, label(box("road", 0, 0, 4, 4))) for key, name in (("a", "p.png"), ("b", "q.png"))]
    lines(tmp_path / "export.json", *data_rows)
    index = open_dataset(tmp_path, format="labelbox")
    assert [record.key for record in index.records] == ["a", "b"]


def old(root: Path, *data_rows: dict) -> Index:
    save(root / "p.png", photo_of(0))
    (root / "export.json").write_text(json.dumps(list(data_rows)))
    return open_dataset(root)


def test_version_1_is_read_with_its_colours(tmp_path: Path) -> None:
    square = {
        "featureId": "a",
        "title": "road",
        "color": "#ff0001",
        "polygon": points(SQUARE),
        "instanceURI": "https://x/a",
    }
    sides = {"top": 0, "left": 10, "height": 2, "width": 2}
    rect = {"featureId": "b", "title": "tree", "color": "#00ff01", "bbox": sides, "instanceURI": "https://x/b"}
    index = old(tmp_path, first("d1", "p.png", square, rect))
    assert index.table.colours[1:] == ((255, 0, 1), (0, 255, 1))
    assert np.bincount(index[0].labels.ids.ravel()).tolist()[1:] == [64, 4]
    assert index.listing.left_out == {}


def test_in_version_1_an_object_with_nothing_but_an_address_is_a_mask(tmp_path: Path) -> None:
    index = old(
        tmp_path, first("d1", "p.png", {"featureId": "f9", "title": "eyes", "instanceURI": "https://x/f9?token=1"})
    )
    assert index.listing.left_out == {"masks behind an address": 1}


def test_pages_texts_maps_and_frames_are_no_photos(tmp_path: Path) -> None:
    page = {"featureId": "a", "title": "boxy", "bbox": {}, "page": 0, "unit": "POINTS"}
    text = {"featureId": "b", "title": "entity", "data": {"location": {}}}
    place = {"featureId": "c", "title": "roof", "geometry": {"coordinates": []}}
    listed = [first(str(place_), f"{place_}.x", one_) for place_, one_ in enumerate((page, text, place))]
    with pytest.raises(
        FormatError, match=r"no labels of photos; got 1 annotations without outline, 1 boxes on pages"
    ) as no:
        old(tmp_path, *listed, first("v", "v.mp4") | {"Label": [{"frameNumber": 1}]})
    assert "1 labels of video frames, 1 outlines on a map" in str(no.value)


def test_import_rows_are_answered_with_the_reason(tmp_path: Path) -> None:
    save(tmp_path / "p.png", photo_of(0))
    (tmp_path / "i.json").write_text(json.dumps([{"uuid": "a", "dataRow": {"id": "b"}, "polygon": points(SQUARE)}]))
    with pytest.raises(FormatError, match="these are Labelbox import rows: they go into Labelbox and name no photo"):
        open_dataset(tmp_path)


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    one(tmp_path, polygon("road", SQUARE))
    with (tmp_path / "export.ndjson").open("a") as stream:
        stream.write("{oops\n")
    with pytest.raises(FormatError, match=r"export\.ndjson: line 2: this is not valid JSON"):
        open_dataset(tmp_path)


def test_real_exports_of_version_1_are_counted_in_full(shared_data: Path) -> None:
    folder = shared_data / "labelbox_panoptic" / "libs" / "labelbox" / "tests" / "data" / "assets" / "labelbox_v1"
    with pytest.raises(FormatError, match="no photo of this data set is here"):
        open_dataset(folder)
    with pytest.raises(FormatError, match=r"no labels of photos; got .*7 boxes on pages"):
        open_dataset(folder / "pdf_export.json")
    with pytest.raises(FormatError, match=r"no labels of photos; got .*1 labels of video frames"):
        open_dataset(folder / "video_export.json")
