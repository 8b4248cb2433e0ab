"""darwin: rings, raster layers, slots, version 1, and what is no photo."""

import json
from pathlib import Path

import numpy as np
import pytest

from data.darwin import box, item, layer, points, polygon, slot
from data.layouts import photo_of, save
from tessella.core.annotation import Drawing
from tessella.core.errors import FormatError
from tessella.dataset.index import Index, open_dataset
from tessella.formats.tools.painting import covered


def one(root: Path, *annotations: dict, **more: object) -> Index:
    save(root / "images" / "p.png", photo_of(0))
    item(root / "p.json", *annotations, photo="p.png", **more)
    return open_dataset(root)


def shapes(index: Index, position: int = 0) -> tuple:
    drawing = index.annotation(position)
    assert isinstance(drawing, Drawing)
    return drawing.shapes


SQUARE = [(0, 0), (8, 0), (8, 8), (0, 8)]
INNER = [(2, 2), (4, 2), (4, 4), (2, 4)]
APART = [(10, 0), (12, 0), (12, 2), (10, 2)]


def test_further_paths_are_holes_inside_and_parts_outside(tmp_path: Path) -> None:
    assert one(tmp_path, polygon("road", SQUARE, INNER, APART))[0].labels.ids.sum() == 64 - 4 + 4


def test_the_box_of_a_polygon_is_not_a_box_of_its_own(tmp_path: Path) -> None:
    index = one(
        tmp_path, polygon("road", SQUARE, bounding_box={"x": 0, "y": 0, "w": 16, "h": 12}), box("tree", 9, 9, 11, 11)
    )
    assert [shape.kind for shape in shapes(index)] == ["polygon", "rectangle"]
    assert any("1 of 2 shapes are boxes" in note for note in index.listing.notes)


def test_an_ellipse_is_turned_by_radians(tmp_path: Path) -> None:
    ellipse = {"center": {"x": 8, "y": 6}, "radius": {"x": 4, "y": 2}, "angle": np.pi / 2}
    index = one(tmp_path, {"id": "e", "name": "road", "ellipse": ellipse})
    np.testing.assert_allclose(shapes(index)[0].points_xy, [[8, 6], [8, 10], [6, 6]], atol=1e-12)


def test_masks_are_the_pixels_of_their_value_in_the_raster_layer(tmp_path: Path) -> None:
    values = np.zeros((12, 16), int)
    values[1:3, 2:5], values[6:, 9:] = 1, 7
    masks = [{"id": "a", "name": "road", "mask": {}}, {"id": "b", "name": "tree", "mask": {}}]
    index = one(tmp_path, *masks, layer(values, {"a": 1, "b": 7}))
    assert index.table.names == ("background", "road", "tree")
    assert np.bincount(index[0].labels.ids.ravel()).tolist() == [192 - 48, 6, 42]


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        ({"dense_rle": [0, 191]}, "does not fill its photo; got 191; expected 192"),
        ({"dense_rle": [0, 192, 1]}, "no list of values and lengths"),
        ({"dense_rle": [0, -5]}, "impossible length"),
        ({"dense_rle": "0 192"}, "whole numbers"),
        ({"mask_annotation_ids_mapping": {"a": 0}}, "not a whole number that fits"),
        ({"mask_annotation_ids_mapping": {}}, "in no raster layer"),
    ],
)
def test_a_broken_raster_layer_is_refused(tmp_path: Path, broken: dict, says: str) -> None:
    good = layer(np.zeros((12, 16), int), {"a": 1})
    good["raster_layer"] |= broken
    index = one(tmp_path, {"id": "a", "name": "road", "mask": {}}, good)
    with pytest.raises(FormatError, match=says):
        index.labels(0)


def test_groups_properties_and_text_are_kept_and_key_points_counted(tmp_path: Path) -> None:
    said = {"instance_id": {"value": 3}, "properties": [{"name": "state", "value": "wet"}], "text": {"text": "hello"}}
    point = {"id": "k", "name": "nose", "keypoint": {"x": 1, "y": 2}}
    index = one(tmp_path, polygon("road", SQUARE, **said), point, {"id": "t", "name": "night", "tag": {}})
    assert shapes(index)[0].group == "3"
    assert shapes(index)[0].attributes == (("state", "wet"), ("text", "hello"))
    assert index.listing.left_out == {"keypoints": 1, "tags of photos": 1}


def test_every_slot_is_a_photo_and_has_its_own_annotations(tmp_path: Path) -> None:
    for name in ("a", "b"):
        save(tmp_path / f"{name}.png", photo_of(0))
    of_b = box("road", 0, 0, 5, 5, slot_names=["right"])
    slots = [slot("left", "a.png"), slot("right", "b.png")]
    item(tmp_path / "pair.json", box("road", 0, 0, 3, 3), of_b, photo="pair", slots=slots)
    index = open_dataset(tmp_path)
    assert [(record.name, record.key) for record in index.records] == [("a", "left"), ("b", "right")]
    assert [sample.labels.ids.sum() for sample in index] == [9, 25]


def test_thousands_of_slots_are_listed_at_once(tmp_path: Path) -> None:
    slots = [slot(str(number), f"{number}.png") for number in range(3_000)]
    item(tmp_path / "p.json", *(box("road", 0, 0, 3, 3, slot_names=["7"]) for _ in range(1000)), photo="p", slots=slots)
    assert len(open_dataset(tmp_path)) == 3_000


def test_videos_and_volumes_are_refused_with_the_reason(tmp_path: Path) -> None:
    film = slot("0", "p.mp4", type="video", frame_count=10)
    item(tmp_path / "p.json", {"id": "f", "name": "road", "frames": {}}, photo="p.mp4", slots=[film])
    with pytest.raises(FormatError, match=r"describe videos or volumes, not photos; got 1 item with"):
        open_dataset(tmp_path)


def test_the_folder_of_an_item_tells_photos_of_one_name_apart(tmp_path: Path) -> None:
    for folder in ("x", "y"):
        save(tmp_path / folder / "p.png", photo_of(0))
        side = 3 if folder == "x" else 5
        item(tmp_path / "ann" / f"{folder}.json", box("road", 0, 0, side, side), photo="p.png", folder=f"/{folder}")
    assert [sample.labels.ids.sum() for sample in open_dataset(tmp_path)] == [9, 25]


def test_version_1_is_read(tmp_path: Path) -> None:
    save(tmp_path / "p.png", photo_of(0))
    image = {"filename": "p.png", "width": 16, "height": 12, "path": "/"}
    flat = {"name": "road", "polygon": {"path": points(SQUARE), "additional_paths": [points(INNER)]}}
    complex_ = {"name": "tree", "complex_polygon": {"path": [points(APART)]}}
    (tmp_path / "p.json").write_text(json.dumps({"dataset": "d", "image": image, "annotations": [flat, complex_]}))
    index = open_dataset(tmp_path)
    assert index.format == "darwin"
    assert np.bincount(index[0].labels.ids.ravel()).tolist()[1:] == [60, 4]


def test_classes_with_an_area_come_from_the_metadata_with_their_colours(tmp_path: Path) -> None:
    listed = [
        {"name": "road", "type": "polygon", "color": "rgba(255,0,10,1.0)"},
        {"name": "night", "type": "tag", "color": "rgba(1,2,3,1.0)"},
        {"name": "sky", "type": "mask", "color": "nonsense"},
    ]
    (tmp_path / ".v7").mkdir()
    (tmp_path / ".v7" / "metadata.json").write_text(json.dumps({"version": "1.0", "classes": listed}))
    table = one(tmp_path, polygon("road", SQUARE)).table
    assert table.names == ("background", "road", "sky")
    assert table.colours[1] == (255, 0, 10)


def test_darwins_own_masks_of_a_real_file_are_matched(shared_data: Path) -> None:
    from PIL import Image
    from scipy.ndimage import binary_dilation

    folder = shared_data / "v7_darwin" / "e2e_tests" / "data" / "convert" / "instance_mask"
    drawing = open_dataset(folder / "from").annotation(0)
    assert isinstance(drawing, Drawing)
    assert drawing.declared_hw is not None
    for shape, path in zip(drawing.shapes, sorted((folder / "to" / "masks").glob("*.png")), strict=True):
        with Image.open(path) as picture:
            theirs = np.asarray(picture.convert("L")) > 0
        mine = covered(shape, drawing.declared_hw)
        # it rounds the corners to whole pixels and draws the outline on top of the inside
        assert (mine & theirs).sum() / (mine | theirs).sum() > 0.965
        assert not (mine & ~binary_dilation(theirs, np.ones((3, 3)))).any()


def test_a_real_raster_layer_is_read(shared_data: Path) -> None:
    index = open_dataset(shared_data / "v7_darwin" / "e2e_tests" / "data" / "convert" / "semantic_mask" / "from")
    assert np.bincount(index.labels(0).ids.ravel()).tolist() == [638771, 2253]
