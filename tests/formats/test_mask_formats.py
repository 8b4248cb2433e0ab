"""What is particular to index-mask, voc, camvid and colour-mask."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data.layouts import NAMES, TABLE, camvid, colour_mask, ids_of, index_mask, photo_of, save, voc
from tessella.core.classes import ClassTable, LabelCoding
from tessella.core.errors import ClassTableError, FormatError, InputError, LabelError
from tessella.dataset.convert import convert
from tessella.dataset.index import open_dataset
from tessella.files.classes import read_classes
from tessella.formats.folders.camvid import CAMVID, FRAMES
from tessella.formats.folders.voc import VOC


def splits(root: Path) -> dict[str, str]:
    return {Path(record.name).name: record.split for record in open_dataset(root).records}


def test_without_a_class_file_index_masks_are_discovered_and_said(tmp_path: Path) -> None:
    root = index_mask(tmp_path)
    (root / "classes.toml").unlink()
    listing = open_dataset(root).listing
    assert listing.discovered
    assert listing.coding.table.names == ("class_0", "class_1", "class_2")
    assert any("0 = class_0, 1 = class_1, 2 = class_2" in note for note in listing.notes)


def test_a_class_file_in_the_split_folders_counts_when_they_agree(tmp_path: Path) -> None:
    for split in ("test", "valid"):
        save(tmp_path / split / f"{split}.jpg", photo_of(0))
        save(tmp_path / split / f"{split}_mask.png", ids_of(0, ignore=False))
        (tmp_path / split / "_classes.csv").write_text("Pixel Value, Class\n0, background\n1, road\n2, tree\n")
    assert open_dataset(tmp_path).table.names == NAMES
    (tmp_path / "valid" / "_classes.csv").write_text("Pixel Value, Class\n0, background\n1, tree\n2, road\n")
    with pytest.raises(ClassTableError, match="two class files of one data set differ"):
        open_dataset(tmp_path)


def test_given_classes_win_over_those_beside(tmp_path: Path) -> None:
    root = index_mask(tmp_path)
    coding = LabelCoding(ClassTable.from_names(["rest", "tree"]), values=((0, 1), (2,)))
    labels = open_dataset(root, classes=coding).labels(0)
    assert labels is not None
    assert set(np.unique(labels.ids)) == {0, 1, 255}


def test_an_rgb_mask_among_index_masks_is_an_error_not_a_grey_reading(tmp_path: Path) -> None:
    root = index_mask(tmp_path)
    save(root / "masks" / "p0.png", np.full((12, 16, 3), 1, np.uint8))
    index = open_dataset(root)
    assert index.format == "index-mask"
    with pytest.raises(LabelError, match=r"colours \(1, 1, 1\)"):
        index.labels(0)


def test_a_palette_mask_is_read_by_index_not_by_colour(tmp_path: Path) -> None:
    root = voc(tmp_path)
    labels = open_dataset(root).labels(1)
    assert labels is not None
    np.testing.assert_array_equal(labels.ids, ids_of(1))


def test_voc_lists_give_the_splits_and_leave_out_what_they_do_not_name(tmp_path: Path) -> None:
    root = voc(tmp_path)
    lists = root / "ImageSets" / "Segmentation"
    (lists / "train.txt").write_text("p0\np1\ngone\n")
    assert splits(root) == {"p0": "train", "p1": "train", "p3": "val"}
    notes = open_dataset(root).listing.notes
    assert "1 listed photo is missing" in notes
    assert "1 photo with a mask is in no list and left out" in notes


def test_trainval_and_default_say_what_belongs_to_the_set(tmp_path: Path) -> None:
    root = voc(tmp_path)
    (root / "ImageSets" / "Segmentation" / "trainval.txt").write_text("p0\np1\np2\np3\n")
    (root / "ImageSets" / "Segmentation" / "train.txt").write_text("p0\n")
    assert splits(root) == {"p0": "train", "p1": "", "p2": "", "p3": "val"}


def test_a_photo_in_two_voc_lists_is_refused(tmp_path: Path) -> None:
    root = voc(tmp_path)
    (root / "ImageSets" / "Segmentation" / "val.txt").write_text("p0\n")
    with pytest.raises(FormatError, match="the lists name p0 twice"):
        open_dataset(root)


def test_masks_in_a_second_folder_do_not_keep_voc_from_being_voc(tmp_path: Path) -> None:
    root = voc(tmp_path)
    save(root / "masks" / "p0.png", ids_of(0))
    assert open_dataset(root).format == "voc"


def test_two_masks_of_one_photo_are_named_when_nothing_else_fits(tmp_path: Path) -> None:
    root = index_mask(tmp_path)
    save(root / "labels" / "p0.png", ids_of(0))
    with pytest.raises(FormatError, match=r"two masks claim one photo; got labels/p0\.png and masks/p0\.png"):
        open_dataset(root)


def test_without_lists_all_of_jpegimages_belongs(tmp_path: Path) -> None:
    root = voc(tmp_path, lists=False)
    assert set(splits(root)) == {"p0", "p1", "p2", "p3"}


def test_voc_is_found_below_vocdevkit(tmp_path: Path) -> None:
    voc(tmp_path / "VOCdevkit" / "VOC2012")
    index = open_dataset(tmp_path)
    assert index.format == "voc"
    assert index.records[0].name == "VOCdevkit/VOC2012/JPEGImages/p0"


def test_vocs_palette_without_a_class_file_means_its_21_classes_and_is_said(tmp_path: Path) -> None:
    root = voc(tmp_path)
    (root / "class_names.txt").unlink()
    listing = open_dataset(root).listing
    assert listing.coding == VOC
    assert any("PASCAL VOC's palette" in note for note in listing.notes)


def test_another_palette_in_vocs_folders_is_discovered(tmp_path: Path) -> None:
    root = voc(tmp_path)
    (root / "class_names.txt").unlink()
    for seed in range(4):
        picture = Image.fromarray(ids_of(seed))
        picture.putpalette(bytes(range(256)) * 3)
        picture.save(root / "SegmentationClass" / f"p{seed}.png")
    assert open_dataset(root).table.names == ("class_0", "class_1", "class_2")


def test_rgb_masks_in_vocs_folders_are_read_by_colour(tmp_path: Path) -> None:
    root = voc(tmp_path)
    (root / "class_names.txt").unlink()
    for seed in range(4):
        save(root / "SegmentationClass" / f"p{seed}.png", TABLE.palette()[ids_of(seed)])
    index = open_dataset(root)
    labels = index.labels(2)
    assert index.coding == VOC
    assert labels is not None
    np.testing.assert_array_equal(labels.ids, ids_of(2))


def test_camvids_frames_get_segnets_classes_and_11_is_ignore(tmp_path: Path) -> None:
    index = open_dataset(camvid(tmp_path))
    assert index.coding == CAMVID
    assert index.table.names == (
        "sky", "building", "pole", "road", "pavement", "tree", "signsymbol", "fence", "car", "pedestrian", "bicyclist",
    )  # fmt: skip
    labels = index.labels(0)
    assert labels is not None
    np.testing.assert_array_equal(labels.ids, ids_of(0))
    assert {record.group for record in index.records} == {"0001TP"}


def test_other_peoples_lists_in_camvids_form_get_discovered_classes(tmp_path: Path) -> None:
    for seed in range(3):
        save(tmp_path / "data" / f"{seed}.png", photo_of(seed))
        save(tmp_path / "dataannot" / f"{seed}.png", ids_of(seed, ignore=False))
    lines = [f"D:\\me\\data\\{seed}.png D:\\me\\dataannot\\{seed}.png\n" for seed in range(3)]
    (tmp_path / "train.txt").write_text("".join(lines))
    index = open_dataset(tmp_path)
    assert index.format == "camvid"
    assert index.table.names == ("class_0", "class_1", "class_2")


def test_list_lines_with_blanks_in_the_names_are_read(tmp_path: Path) -> None:
    save(tmp_path / "my data" / "a 1.png", photo_of(0))
    save(tmp_path / "my dataannot" / "a 1.png", ids_of(0))
    (tmp_path / "train.txt").write_text("/x/my data/a 1.png /x/my dataannot/a 1.png\n")
    assert [record.name for record in open_dataset(tmp_path).records] == ["my data/a 1"]


def test_a_list_line_without_a_pair_is_refused(tmp_path: Path) -> None:
    root = camvid(tmp_path)
    (root / "val.txt").write_text("/SegNet/CamVid/val/0001TP_006780.png\n")
    with pytest.raises(FormatError, match=r"val\.txt:1: a line does not hold a photo and a mask"):
        open_dataset(root)


def test_a_photo_in_two_camvid_lists_is_refused(tmp_path: Path) -> None:
    root = camvid(tmp_path)
    (root / "val.txt").write_text((root / "train.txt").read_text())
    with pytest.raises(InputError, match=r"in train\.txt and val\.txt"):
        open_dataset(root)


def test_colour_masks_are_discovered_and_listed(tmp_path: Path) -> None:
    root = colour_mask(tmp_path)
    (root / "classes.toml").unlink()
    index = open_dataset(root)
    assert index.listing.discovered
    assert index.table.colours[0] == (0, 0, 0)
    assert any("(128, 0, 0)" in note for note in index.listing.notes)


def test_ignore_gets_a_colour_of_its_own_in_colour_masks(tmp_path: Path) -> None:
    convert(index_mask(tmp_path / "set"), tmp_path / "out", to="colour-mask")
    coding = open_dataset(tmp_path / "out").coding
    assert coding.ignore_colours == ((224, 224, 192),)
    assert coding.ignore_colours[0] not in coding.table.colours


def test_the_real_sets_are_recognised(shared_data: Path) -> None:
    expected = {
        "camvid": ("camvid", 701, 11),
        "isbi2012_membrane": ("index-mask", 30, 2),
        "wbc_cells": ("index-mask", 122, 3),
        "dhcn_png": ("roboflow-mask", 120, 11),
        "sd_saliency": ("index-mask", 330, 2),
        "cwfid_plants": ("colour-mask", 8, 3),
        "magnetic_tile": ("class-folder", 232, 6),
        "magnetic_tile/MT_Blowhole": ("index-mask", 40, 2),
        "dsb2018_instances": ("instances-png", 60, 2),
        "ade20k_150": ("ade20k", 3, 150),
        "ade20k_full": ("ade20k-full", 3, 24),
        "stardist_instances": ("instance-map", 2, 2),
        "annotation_tools_same_images/datasets/voc1.1": ("cvat-mask", 1, 9),
    }
    found = {}
    for name in expected:
        index = open_dataset(shared_data / name)
        found[name] = (index.format, len(index.labelled()), len(index.table))
    assert found == expected


@pytest.mark.parametrize("place", ["set", "set/VOCdevkit", "set/VOCdevkit/VOC2012"])
def test_vocs_classes_may_lie_at_the_folder_that_was_given_or_beside_the_photos(tmp_path: Path, place: str) -> None:
    home = voc(tmp_path / "set" / "VOCdevkit" / "VOC2012")
    (home / "class_names.txt").unlink()
    (tmp_path / place / "labels.txt").write_text("ground\nway\nplant\n")
    root = tmp_path / "set" if place == "set" else tmp_path / "set" / "VOCdevkit"
    index = open_dataset(root)
    assert index.table.names == ("ground", "way", "plant")


def test_vocs_classes_at_the_given_folder_come_before_those_of_the_year(tmp_path: Path) -> None:
    voc(tmp_path / "VOC2012")
    (tmp_path / "classes.toml").write_text("".join(f'[[classes]]\nname = "{name}"\n' for name in "xyz"))
    assert open_dataset(tmp_path).table.names == ("x", "y", "z")


def test_datumaros_class_file_names_values_and_colours(tmp_path: Path) -> None:
    meta = {"label_map": {"0": "void", "2": "road"}, "segmentation_colors": [[0, 0, 0], [1, 2, 3]]}
    path = tmp_path / "dataset_meta.json"
    path.write_text(json.dumps(meta))
    coding = read_classes(path)
    assert coding.table.names == ("void", "road")
    assert coding.values == ((0,), (2,))
    assert coding.table.colours[1] == (1, 2, 3)
    path.write_text(json.dumps({"label_map": {"x": "road"}}))
    with pytest.raises(FormatError, match="label_map does not name values"):
        read_classes(path)


def test_camvids_frames_in_their_own_colours_have_its_31_classes(tmp_path: Path) -> None:
    colours = np.zeros((256, 3), np.uint8)
    colours[:3] = [(128, 64, 128), (64, 128, 64), (128, 128, 0)]
    for seed in range(2):
        name = f"0001TP_{6690 + 30 * seed:06d}.png"
        save(tmp_path / "train" / name, photo_of(seed))
        save(tmp_path / "trainannot" / name, colours[ids_of(seed)])
    lines = [f"/train/{path.name} /trainannot/{path.name}" for path in sorted((tmp_path / "train").iterdir())]
    (tmp_path / "train.txt").write_text("\n".join(lines))
    index = open_dataset(tmp_path)
    assert index.coding == FRAMES
    labels = index.labels(0)
    assert labels is not None
    assert labels.ids[0, 2] == FRAMES.table.id_of("Animal")
