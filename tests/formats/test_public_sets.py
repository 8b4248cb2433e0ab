import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data.folders import (
    ADE_OBJECTS,
    ade20k,
    ade20k_full,
    ade_colours,
    drive,
    inria,
    isic,
    loveda,
    massachusetts,
)
from data.layouts import ids_of, photo_of, save
from tessella.core.classes import IGNORE, ClassTable, LabelCoding
from tessella.core.errors import FormatError, LabelError
from tessella.dataset.index import Index, open_dataset
from tessella.files.masks import read_mask
from tessella.formats.layout.binary import is_yes, read_binary
from tessella.formats.public.ade20k import NAMES, SCENES


def ids(index: Index, position: int = 0) -> np.ndarray:
    labels = index.labels(position)
    assert labels is not None
    return labels.ids


def test_other_of_ade20k_is_ignored_and_1_is_the_first_class(tmp_path: Path) -> None:
    index = open_dataset(ade20k(tmp_path))
    np.testing.assert_array_equal(ids(index), np.array([0, 2, 149, *[0] * 252, 255], np.uint8)[ids_of(0)])
    assert len(set(NAMES)) == len(NAMES) == 150
    assert SCENES.value_to_id()[0] == IGNORE
    assert {record.split for record in index.records} == {"train", "val"}


def test_the_names_of_ade20k_are_those_of_its_list(shared_data: Path) -> None:
    lines = (shared_data / "ade20k_150" / "objectInfo150.txt").read_text().splitlines()[1:]
    assert [line.split("\t")[-1].split(",")[0].strip() for line in lines] == list(NAMES)


def test_the_full_release_names_its_objects_by_the_lists_beside_the_photos(tmp_path: Path) -> None:
    index = open_dataset(ade20k_full(tmp_path))
    assert index.table.names == tuple(sorted(ADE_OBJECTS.values()))
    by_value = {index.coding.values[place][0]: name for place, name in enumerate(index.table.names)}
    assert by_value == ADE_OBJECTS
    assert index.listing.left_out == {"maps of object numbers": 4, "maps of object parts": 4}
    order = [index.table.id_of(name) for name in ADE_OBJECTS.values()]
    np.testing.assert_array_equal(ids(index), np.array([*order, *[0] * 252, 255], np.uint8)[ids_of(0)])


def test_the_lists_of_2017_name_objects_by_the_order_of_blue(tmp_path: Path) -> None:
    save(tmp_path / "a.jpg", photo_of(0))
    save(tmp_path / "a_seg.png", ade_colours(0))
    rows = [f'{number:03d} # 0 # 0 # {name} # x # ""' for number, name in enumerate(ADE_OBJECTS.values(), start=1)]
    (tmp_path / "a_atr.txt").write_text("\n".join([*rows, '001 # 1 # 0 # rim # rim # ""', "nonsense"]))
    index = open_dataset(tmp_path)
    assert index.format == "ade20k-full"
    assert index.table.names == tuple(sorted(ADE_OBJECTS.values()))


def test_objects_that_are_not_asked_for_are_ignored(tmp_path: Path) -> None:
    coding = LabelCoding(ClassTable.from_names(("house", "sky", "boat")), aliases=(("building", "house"),))
    index = open_dataset(ade20k_full(tmp_path), classes=coding)
    assert any("1 names of objects are not among the classes" in note for note in index.listing.notes)
    np.testing.assert_array_equal(ids(index), np.array([0, 1, 255, *[255] * 253], np.uint8)[ids_of(0)])
    with pytest.raises(LabelError, match="no object of this data set"):
        open_dataset(tmp_path, classes=LabelCoding(ClassTable.from_names(("boat",))))


def test_more_names_than_a_table_holds_are_refused_with_the_cure(tmp_path: Path) -> None:
    root = ade20k_full(tmp_path)
    rows = [{"name": f"thing {number}", "name_ndx": number, "parts": {}} for number in range(1, 400)]
    next(root.rglob("*.json")).write_text(json.dumps({"annotation": {"object": rows}}))
    with pytest.raises(LabelError, match="--classes FILE with the objects"):
        open_dataset(root)


@pytest.mark.parametrize("tree", [[], {"annotation": 3}, {"annotation": {"object": {"name": 3, "name_ndx": []}}}])
def test_a_broken_list_of_objects_is_passed_over(tmp_path: Path, tree: object) -> None:
    root = ade20k_full(tmp_path)
    next(root.rglob("*.json")).write_text(json.dumps(tree))
    assert len(open_dataset(root).table) == 3


def test_no_data_of_loveda_is_ignored(tmp_path: Path) -> None:
    index = open_dataset(loveda(tmp_path))
    assert index.table.names[0] == "background"
    by_name = {record.name: position for position, record in enumerate(index.records)}
    position = by_name["Train/Rural/images_png/0"]
    np.testing.assert_array_equal(ids(index, position), np.array([0, 1, 5, *[0] * 252, 255], np.uint8)[ids_of(0)])


def test_the_tiles_of_a_city_are_a_group(tmp_path: Path) -> None:
    assert {record.group for record in open_dataset(inria(tmp_path)).records} == {"austin", "vienna"}


@pytest.mark.parametrize(("folder", "name"), [("mass_roads", "road"), ("buildings", "building"), ("x", "foreground")])
def test_a_folder_says_which_class_massachusetts_has(tmp_path: Path, folder: str, name: str) -> None:
    assert open_dataset(massachusetts(tmp_path / folder)).table.names == ("background", name)


def test_outside_the_field_of_view_drive_is_ignored(tmp_path: Path) -> None:
    index = open_dataset(drive(tmp_path))
    found = ids(index)
    assert (found[0] == IGNORE).all()
    np.testing.assert_array_equal(found[1:] == 1, (ids_of(0) == 1)[1:])
    save(tmp_path / "training/mask/21_training_mask.gif", np.zeros((3, 3), np.uint8))
    with pytest.raises(LabelError, match="field of view has another size"):
        index.labels(0)


def test_isics_photos_and_masks_meet_by_number_wherever_they_lie(tmp_path: Path) -> None:
    index = open_dataset(isic(tmp_path))
    assert {record.split for record in index.records} == {"train"}
    assert len(index.labelled()) == 4
    save(tmp_path / "more" / "ISIC_0000000_Segmentation.png", ids_of(0))
    with pytest.raises(FormatError, match="two label maps claim one photo"):
        open_dataset(tmp_path)


def test_the_real_ade20k_is_read_without_a_stray(shared_data: Path) -> None:
    for name, classes in (("ade20k_150", 150), ("ade20k_full", 24)):
        index = open_dataset(shared_data / name)
        assert len(index.table) == classes
        assert all(sample.labels is not None for sample in index)


@pytest.mark.parametrize(
    ("pixels", "expected"),
    [
        (np.array([[0, 1]], np.uint8), [[False, True]]),
        (np.array([[0, 127, 128, 255]], np.uint8), [[False, False, True, True]]),
        (np.array([[0, 100]], np.uint8), [[False, True]]),
        (np.array([[1, 2, 3]], np.uint8), [[False, False, False]]),
        (np.array([[38, 38]], np.uint8), [[True, True]]),
        (np.array([[0, 65535]], np.uint16), [[False, True]]),
        (np.array([[[0, 0, 0], [200, 0, 0]]], np.uint8), [[False, True]]),
        (np.array([[[255, 255, 255, 0], [255, 0, 0, 9]]], np.uint8), [[False, True]]),
        (np.zeros((1, 2), np.uint8), [[False, False]]),
    ],
)
def test_yes_and_no_are_told_however_they_are_stored(tmp_path: Path, pixels: np.ndarray, expected: list) -> None:
    path = save(tmp_path / "x.png", pixels)
    assert is_yes(read_mask(path)).tolist() == expected
    assert read_binary(path).pixels.tolist() == np.array(expected, int).tolist()


def test_a_palette_is_yes_where_it_is_not_black(tmp_path: Path) -> None:
    picture = Image.fromarray(np.array([[0, 1, 2]], np.uint8))
    picture.putpalette(bytes([0, 0, 0, 0, 0, 40, 255, 255, 255]))
    picture.save(tmp_path / "dark.png")
    assert read_binary(tmp_path / "dark.png").pixels.tolist() == [[0, 1, 1]]
    picture.putpalette(bytes([255, 255, 255, 0, 0, 0, 90, 90, 90]))
    picture.save(tmp_path / "white.png")
    assert read_binary(tmp_path / "white.png").pixels.tolist() == [[1, 0, 0]]
