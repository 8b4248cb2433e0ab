"""hasty, encord and segments-ai: their masks and outlines, what they refuse, and what they leave out."""

from pathlib import Path

import numpy as np
import pytest

from data import encord, hasty, segments_ai
from data.layouts import photo_of, save
from tessella.core.annotation import Drawing
from tessella.core.errors import FormatError, LabelError
from tessella.dataset.index import Index, open_dataset
from tessella.formats.raster.rle import encode_string

SQUARE = [[0, 0], [8, 0], [8, 8], [0, 8]]


def shapes(index: Index) -> tuple:
    drawing = index.annotation(0)
    assert isinstance(drawing, Drawing)
    return drawing.shapes


def of_hasty(root: Path, *labels: dict, **more: object) -> Index:
    save(root / "p.png", photo_of(0))
    hasty.export(root / "h.json", hasty.image("p.png", *labels, **more))
    return open_dataset(root)


def test_hasty_paints_in_the_order_of_z_index(tmp_path: Path) -> None:
    top = hasty.label("tree", bbox=[0, 0, 4, 4], z_index=5)
    ids = of_hasty(tmp_path, top, hasty.label("road", polygon=SQUARE, z_index=2))[0].labels.ids
    assert np.bincount(ids.ravel()).tolist()[1:] == [48, 16]


def test_a_hasty_mask_runs_along_the_rows_of_its_box(tmp_path: Path) -> None:
    # a box 4 wide and 3 high at (2, 1): pixels 2 and 3 of its first row, all of its last
    index = of_hasty(tmp_path, hasty.label("road", bbox=[2, 1, 6, 4], mask=[2, 2, 9, 4]))
    ids = index[0].labels.ids
    assert ids.sum() == 6
    assert ids[1, 3:5].all()
    assert ids[3, 2:6].all()


@pytest.mark.parametrize("mask", [[0, 2], [1, 13], [1], [12, 2], [1, -1]])
def test_a_hasty_mask_that_leaves_its_box_is_refused(tmp_path: Path, mask: list[int]) -> None:
    with pytest.raises(FormatError, match=r"does not fit its box|impossible length"):
        of_hasty(tmp_path, hasty.label("road", bbox=[2, 1, 6, 4], mask=mask)).labels(0)


def test_hasty_attributes_colours_tags_and_skipped_images(tmp_path: Path) -> None:
    save(tmp_path / "p.png", photo_of(0))
    labelled = hasty.image("p.png", hasty.label("road", polygon=SQUARE, attributes={"state": "wet"}), tags=["a", "b"])
    hasty.export(tmp_path / "h.json", labelled, hasty.image("q.png", image_status="NEW"))
    index = open_dataset(tmp_path)
    assert shapes(index)[0].attributes == (("state", "wet"),)
    assert index.table.colours[1:] == ((255, 0, 0), (0, 255, 0))
    assert index.listing.left_out == {"tags of photos": 2, "images that nobody labelled": 1}


def of_encord(root: Path, *objects: dict, **more: object) -> Index:
    save(root / "p.png", photo_of(0))
    encord.export(root / "e.json", encord.label_row("d1", "p.png", *objects, **more))
    return open_dataset(root)


def shares(ring: list) -> list:
    return [value for x, y in ring for value in (x / 16, y / 12)]


def test_encord_rings_are_even_odd(tmp_path: Path) -> None:
    inner = [[2, 2], [4, 2], [4, 4], [2, 4]]
    rings = encord.thing("road", "polygon", polygon={}, polygons=[[shares(SQUARE), shares(inner)]])
    assert of_encord(tmp_path, rings)[0].labels.ids.sum() == 60


def test_encord_points_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    corners = {str(n): {"x": x / 16, "y": y / 12} for n, (x, y) in reversed(list(enumerate(SQUARE * 3)))}
    points = shapes(of_encord(tmp_path, encord.thing("road", "polygon", polygon=corners)))[0].points_xy
    np.testing.assert_allclose(points, SQUARE * 3)


def test_an_encord_bitmask_runs_along_the_rows(tmp_path: Path) -> None:
    mask = np.array([[True, True, False], [False, True, False]])
    runs = encode_string(mask.reshape(-1, 1))  # COCO's runs go down the columns: of one column, they are the rows
    packed = {"top": 3, "left": 5, "height": 2, "width": 3, "rleString": runs}
    ids = of_encord(tmp_path, encord.thing("road", "bitmask", bitmask=packed))[0].labels.ids
    np.testing.assert_array_equal(ids[3:5, 5:8] > 0, mask)


def test_a_turned_encord_box_is_refused_with_the_reason(tmp_path: Path) -> None:
    sides = {"x": 0.1, "y": 0.1, "w": 0.2, "h": 0.2, "theta": 30}
    index = of_encord(tmp_path, encord.thing("road", "rotatable_bounding_box", rotatableBoundingBox=sides))
    with pytest.raises(FormatError, match=r"does not document which way; got theta 30"):
        index.labels(0)


def test_encord_answers_are_attributes_and_key_points_are_counted(tmp_path: Path) -> None:
    answers = {"hash-road": {"classifications": [{"name": "state", "answers": [{"name": "wet"}]}]}}
    square = encord.polygon("road", SQUARE)
    index = of_encord(tmp_path, square, encord.thing("nose", "point", point={}), answers=answers)
    assert shapes(index)[0].attributes == (("state", "wet"),)
    assert index.listing.left_out == {"keypoints": 1}


def test_encord_videos_are_refused_with_the_reason(tmp_path: Path) -> None:
    frames = {"data_type": "video/mp4", "labels": {"0": {"objects": []}, "7": {"objects": []}}}
    with pytest.raises(FormatError, match=r"describe no photos; got 2 frames of videos"):
        of_encord(tmp_path, **frames)


def of_segments(root: Path, numbers: np.ndarray, *annotations: dict, file: str = "p_label_ground-truth.png") -> Index:
    save(root / "p.png", photo_of(0))
    save(root / file, segments_ai.coloured(numbers))
    segments_ai.release(root / "r.json", segments_ai.sample("u", "p.png", *annotations, bitmap="abc.png"))
    return open_dataset(root)


NUMBERS = np.zeros((12, 16), np.int64)
NUMBERS[2:4, 3:9] = 70_000


@pytest.mark.parametrize("file", ["p_label_ground-truth.png", "p_label.png", "abc.png"])
def test_a_segments_bitmap_is_found_by_its_usual_names(tmp_path: Path, file: str) -> None:
    index = of_segments(tmp_path, NUMBERS, segments_ai.annotation(70_000, 2), file=file)
    assert len(index) == 1
    assert index[0].labels.ids.sum() == 2 * 12


def test_a_number_of_no_annotation_is_refused_with_its_first_pixel(tmp_path: Path) -> None:
    index = of_segments(tmp_path, NUMBERS, segments_ai.annotation(1, 2))
    with pytest.raises(LabelError, match=r"holds the number 70000, .*first at row 2, column 3"):
        index.labels(0)


def test_an_annotation_whose_number_no_bitmap_can_hold_covers_nothing(tmp_path: Path) -> None:
    known, beyond = segments_ai.annotation(70_000, 2), segments_ai.annotation(10**30, 2)
    assert of_segments(tmp_path, NUMBERS, known, beyond)[0].labels.ids.sum() == 2 * 12


def test_a_segments_bitmap_behind_an_address_is_never_fetched(tmp_path: Path) -> None:
    index = of_segments(tmp_path, NUMBERS, segments_ai.annotation(70_000, 2), file="other.png")
    assert index.listing.left_out == {"bitmaps behind an address": 1}
    with pytest.raises(FormatError, match=r"nothing is fetched; expected p_label_ground-truth\.png"):
        index.labels(next(place for place, record in enumerate(index.records) if record.label))


def test_segments_vector_labels_are_shapes(tmp_path: Path) -> None:
    save(tmp_path / "p.png", photo_of(0))
    square = segments_ai.annotation(1, 1, type="polygon", points=SQUARE, attributes={"state": "wet"})
    spot = segments_ai.annotation(2, 2, type="point", points=[[1, 1]])
    sample = segments_ai.sample("u", "p.png", square, spot, bitmap=None)
    segments_ai.release(tmp_path / "r.json", sample, task="vector")
    index = open_dataset(tmp_path)
    assert index[0].labels.ids.sum() == 64
    assert index.listing.left_out == {"keypoints": 1}
    assert shapes(index)[0].attributes == (("state", "wet"),)


@pytest.mark.parametrize("kind", [[], {}, None, 7])
def test_a_kind_of_another_type_breaks_no_reader(tmp_path: Path, kind: object) -> None:
    save(tmp_path / "p.png", photo_of(0))
    odd = segments_ai.annotation(1, 1, type=kind, points=SQUARE)
    segments_ai.release(tmp_path / "r.json", segments_ai.sample("u", "p.png", odd, bitmap=None), task="vector")
    index = open_dataset(tmp_path)
    assert shapes(index) == ()
    assert index.listing.left_out == {"keypoints": 1}
