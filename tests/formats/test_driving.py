import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from data.folders import CONFIG, bdd100k, kitti, mapillary, mots, synthia
from data.layouts import ids_of, photo_of, save
from tessella.core.classes import IGNORE
from tessella.core.errors import ClassTableError, FormatError
from tessella.dataset.index import open_dataset
from tessella.formats.driving.bdd100k import PANOPTIC, read_bitmask
from tessella.formats.driving.kitti import decode_high_byte
from tessella.formats.driving.mapillary import coding_of, read_polygons
from tessella.formats.driving.mots import decode_tracks
from tessella.formats.driving.synthia import (
    CITYSCAPES_CLASSES,
    SAN_FRANCISCO_CLASSES,
    SEQUENCE_CLASSES,
    read_first_channel,
)


def ids(index, position: int = 0) -> np.ndarray:
    labels = index.labels(position)
    assert labels is not None
    return labels.ids


def mapped(seed: int, *values: int) -> np.ndarray:
    return np.array([*values, *[0] * (255 - len(values)), 255], np.uint8)[ids_of(seed)]


def test_kitti_uses_the_ids_of_cityscapes(tmp_path: Path) -> None:
    index = open_dataset(kitti(tmp_path))
    np.testing.assert_array_equal(ids(index, 2), mapped(2, 0, 2, 11))
    assert {record.split for record in index.records} == {"train"}


def test_kittis_object_numbers_say_the_class_in_the_high_byte(tmp_path: Path) -> None:
    path = save(tmp_path / "x.png", np.array([[0, 256 * 26 + 3, 256 * 7]], np.uint16))
    assert decode_high_byte(path).pixels.tolist() == [[0, 26, 7]]
    with pytest.raises(FormatError, match="has not 16 bits"):
        decode_high_byte(save(tmp_path / "y.png", np.zeros((2, 2), np.uint8)))


def test_vistas_classes_come_from_its_config(tmp_path: Path) -> None:
    index = open_dataset(mapillary(tmp_path))
    assert index.table.names == ("animal--bird", "object--car", "nature--sky")
    assert index.table.colours[:2] == ((165, 42, 42), (0, 0, 142))
    assert any("1 class shares a colour" in note for note in index.listing.notes)
    np.testing.assert_array_equal(ids(index), ids_of(0))  # void is ignored


def test_of_two_versions_the_newer_counts_unless_the_older_is_asked_for(tmp_path: Path) -> None:
    mapillary(mapillary(tmp_path), version="1.2")
    assert open_dataset(tmp_path).format == "mapillary"
    older = open_dataset(tmp_path, format="mapillary-1.2")
    assert older.format == "mapillary-1.2"
    assert older.records[0].label is not None
    assert "v1.2" in older.records[0].label.parts


def test_without_labels_vistas_instances_are_read(tmp_path: Path) -> None:
    root = mapillary(tmp_path)
    for path in root.rglob("labels/*.png"):
        path.unlink()
    index = open_dataset(root)
    np.testing.assert_array_equal(ids(index), ids_of(0))


def test_vistas_polygons_are_read_in_both_spellings_of_points(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    one = {"label": "a", "polygon": [[0, 0], [4, 0], [4, 4]]}
    flat = {"label": "b", "polygon": [[0, 0, 4, 0, 4, 4]]}
    path.write_text(json.dumps({"heigth": 5, "width": 6, "objects": [one, flat]}))
    drawing = read_polygons(path)
    assert drawing.declared_hw == (5, 6)
    np.testing.assert_array_equal(drawing.shapes[0].points_xy, drawing.shapes[1].points_xy)
    path.write_text(json.dumps({"objects": [{"label": "a", "polygon": "0 0"}]}))
    with pytest.raises(FormatError, match=r"x\.json"):
        read_polygons(path)


def test_a_config_without_an_evaluated_class_or_with_a_broken_colour_is_refused() -> None:
    with pytest.raises(ClassTableError, match="no class is evaluated"):
        coding_of([{"name": "void", "evaluate": False}], where="c")
    with pytest.raises(FormatError, match="no colour"):
        coding_of([{"name": "sky", "color": "red"}], where="c")
    with pytest.raises(FormatError, match=r"labels\[0\]"):
        coding_of([{"name": "sky", "color": [0, 0, 256]}], where="c")
    with pytest.raises(ClassTableError, match="sky"):
        coding_of([CONFIG["labels"][2], {**CONFIG["labels"][2], "color": [1, 2, 3]}], where="c")


def test_the_first_channel_of_synthias_16_bit_maps_is_the_class(tmp_path: Path) -> None:
    index = None
    for seed in range(2):
        save(tmp_path / "RGB" / f"{seed}.png", photo_of(seed))
        stored = np.zeros((12, 16, 3), np.uint16)
        stored[..., 2] = np.array([3, 2, 10, *[0] * 253], np.uint16)[ids_of(seed)]  # OpenCV writes blue first
        stored[..., 1] = 700
        (tmp_path / "GT" / "LABELS").mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(tmp_path / "GT" / "LABELS" / f"{seed}.png"), stored)
    assert read_first_channel(tmp_path / "GT/LABELS/0.png").pixels.max() == 10
    index = open_dataset(tmp_path)
    assert index.format == "synthia"
    road, building, pedestrian = (index.table.id_of(name) for name in ("road", "building", "pedestrian"))
    np.testing.assert_array_equal(ids(index, 1), mapped(1, road, building, pedestrian))


def test_synthias_tables_hold_its_published_numbers() -> None:
    assert CITYSCAPES_CLASSES.values[CITYSCAPES_CLASSES.table.id_of("lanemarking")] == (22,)
    assert CITYSCAPES_CLASSES.colour_to_id()[102, 102, 156] == CITYSCAPES_CLASSES.table.id_of("wall")
    assert SEQUENCE_CLASSES.values[SEQUENCE_CLASSES.table.id_of("traffic light")] == (15,)
    assert SAN_FRANCISCO_CLASSES.colour_to_id()[0, 80, 100] == SAN_FRANCISCO_CLASSES.table.id_of("truck")
    for coding in (CITYSCAPES_CLASSES, SEQUENCE_CLASSES, SAN_FRANCISCO_CLASSES):
        assert coding.value_to_id()[0] == coding.colour_to_id()[0, 0, 0] == IGNORE


def test_synthias_sequences_lie_one_folder_deeper(tmp_path: Path) -> None:
    for seed in range(2):
        save(tmp_path / f"RGB/Stereo_Left/Omni_F/{seed}.png", photo_of(seed))
        colours = np.array([(128, 64, 128), (0, 172, 0), (0, 128, 128), *[(0, 0, 0)] * 253], np.uint8)
        save(tmp_path / f"GT/COLOR/Stereo_Left/Omni_F/{seed}.png", colours[ids_of(seed)])
    index = open_dataset(tmp_path)
    assert {record.group for record in index.records} == {"Stereo_Left/Omni_F"}
    lane, light = index.table.id_of("lanemarking"), index.table.id_of("traffic light")
    np.testing.assert_array_equal(ids(index), mapped(0, index.table.id_of("road"), lane, light))


def test_synthias_own_classes_give_way_to_a_class_file(tmp_path: Path) -> None:
    root = synthia(tmp_path)
    (root / "label_colors.txt").write_text("128 64 128 street\n128 0 0 house\n64 64 0 person\n0 0 0 void\n")
    assert open_dataset(root).table.names == ("street", "house", "person", "void")


def test_tracks_of_one_class_are_one(tmp_path: Path) -> None:
    path = save(tmp_path / "x.png", np.array([[0, 1001, 1002, 2007, 10000]], np.uint16))
    assert decode_tracks(path).pixels.tolist() == [[0, 1, 1, 2, 10]]
    index = open_dataset(mots(tmp_path / "set"))
    assert index.table.names == ("background", "car", "pedestrian")
    np.testing.assert_array_equal(ids(index), ids_of(0))


def test_labels_txt_names_the_classes_of_tracks(tmp_path: Path) -> None:
    root = mots(tmp_path)
    (root / "train" / "instances" / "labels.txt").write_text("cell\nnucleus\n")
    assert open_dataset(root).table.names == ("background", "cell", "nucleus")


def test_numbers_below_1000_are_no_tracks(tmp_path: Path) -> None:
    root = mots(tmp_path)
    (root / "train" / "instances" / "labels.txt").write_text("cell\n")
    index = open_dataset(root, format="mots")
    save(root / "train" / "instances" / "p0.png", np.full((12, 16), 7, np.uint16))
    with pytest.raises(FormatError, match=r"p0\.png: numbers below 1000 belong to no class; got 7"):
        index.labels(0)


def test_other_maps_of_16_bits_are_no_tracks(tmp_path: Path) -> None:
    for seed in range(2):
        save(tmp_path / "train/images" / f"{seed}.png", photo_of(seed))
        save(tmp_path / "train/instances" / f"{seed}.png", np.full((12, 16), 4711, np.uint16))
    with pytest.raises(FormatError, match="no labels"):
        open_dataset(tmp_path)


def test_the_flags_of_a_bitmask_can_say_ignore(tmp_path: Path) -> None:
    pixels = np.array([[[7, 0, 0, 1], [35, 8, 0, 2], [35, 1, 0, 3], [0, 0, 0, 0]]], np.uint8)
    assert read_bitmask(save(tmp_path / "x.png", pixels)).pixels.tolist() == [[7, 35, 255, 0]]
    assert PANOPTIC.value_to_id()[35] == PANOPTIC.table.id_of("car")
    assert PANOPTIC.value_to_id()[0] == IGNORE
    with pytest.raises(FormatError, match="four channels"):
        read_bitmask(save(tmp_path / "y.png", photo_of(0)))


def test_of_several_tasks_the_semantic_masks_are_read(tmp_path: Path) -> None:
    root = bdd100k(tmp_path)
    for seed in range(4):
        split = "train" if seed < 3 else "val"
        save(root / "labels/drivable/masks" / split / f"p{seed}.png", np.zeros((12, 16), np.uint8))
        save(root / "labels/lane/masks" / split / f"p{seed}.png", np.full((12, 16), 255, np.uint8))
    index = open_dataset(root)
    assert any("semantic masks" in note for note in index.listing.notes)
    assert len(index.table) == 19
    for path in root.rglob("sem_seg/masks/*/*.png"):
        path.unlink()
    assert open_dataset(root).table.names == ("direct", "alternative", "background")


def test_the_older_download_of_bdd100k_is_read(tmp_path: Path) -> None:
    for seed in range(2):
        save(tmp_path / "seg/images/train" / f"p{seed}.jpg", photo_of(seed))
        save(tmp_path / "seg/labels/train" / f"p{seed}_train_id.png", ids_of(seed))
    index = open_dataset(tmp_path)
    assert index.format == "bdd100k"
    np.testing.assert_array_equal(ids(index), ids_of(0))


ZOO = {
    "ade20k2017_dataset/dataset": ("ade20k-full", 2, 1),
    "ade20k2020_dataset/dataset": ("ade20k-full", 2, 2),
    "camvid_dataset": ("camvid", 4, 31),
    "cityscapes_dataset/dataset": ("cityscapes", 4, 19),
    "cityscapes_dataset/train_dataset": ("cityscapes", 4, 19),
    "common_semantic_segmentation_dataset/dataset": ("colour-mask", 2, 6),
    "kaggle_dataset/image_mask_with_labelmap": ("index-mask", 3, 3),
    "kitti_dataset/kitti_segmentation": ("kitti", 2, 19),
    "mapillary_vistas_dataset": ("mapillary", 3, 3),
    "mots_dataset": ("mots", 3, 5),
    "mots_dataset/train": ("mots", 2, 5),
    "mvtec_dataset": ("class-folder", 2, 3),
    "synthia_dataset/al": ("synthia", 2, 13),
    "synthia_dataset/rand": ("synthia", 2, 13),
    "synthia_dataset/rand_meta_file": ("synthia", 2, 5),
    "synthia_dataset/sf": ("synthia", 2, 22),
}
"""Format, labelled photos and classes of the tiny samples that another converter is tested with."""


@pytest.mark.parametrize("name", ZOO)
def test_samples_of_others_are_recognised(shared_data: Path, name: str) -> None:
    index = open_dataset(shared_data / "format_zoo_a" / "tests" / "assets" / name)
    assert (index.format, len(index.labelled()), len(index.table)) == ZOO[name]


def test_16_bit_labels_of_real_sequences_are_read(shared_data: Path) -> None:
    root = shared_data / "format_zoo_b" / "tests" / "assets" / "synthia_dataset" / "labels_segm_dataset"
    index = open_dataset(root)
    assert index.format == "synthia"
    sky, building, road = (index.table.id_of(name) for name in ("sky", "building", "road"))
    assert ids(index, 2).tolist() == [[sky, sky, building, building, road]]
