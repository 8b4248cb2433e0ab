from pathlib import Path

import numpy as np
import pytest

from data.layouts import save
from tessella.core.errors import FormatError
from tessella.formats import detect
from tessella.formats.layout import pairing
from tessella.formats.layout.pairing import pair, role_of
from tessella.formats.source import Source

GREY = np.zeros((2, 3), np.uint8)


def lay(root: Path, *files: str) -> Path:
    for file in files:
        save(root / file, GREY)
    return root


def pairs_of(root: Path) -> dict[str, str]:
    return {
        record.image.relative_to(root).as_posix(): record.label.relative_to(root).as_posix() if record.label else ""
        for record in pair(Source(root)).records
        if record.image
    }


@pytest.mark.parametrize(
    ("photo", "mask"),
    [
        ("images/a.jpg", "masks/a.png"),
        ("imgs/a.jpg", "labels/a.png"),
        ("img/a.png", "mask/a.png"),
        ("image/a.png", "label/a.png"),
        ("Images/a.JPG", "Masks/a.PNG"),
        ("JPEGImages/a.jpg", "SegmentationClass/a.png"),
        ("images/a.tif", "annotations/a.tif"),
        ("Source Images/a.bmp", "Ground truth/a.png"),
        ("train/a.png", "trainannot/a.png"),
        ("train/a.png", "train_masks/a.png"),
        ("train/images/a.jpg", "train/masks/a.png"),
        ("images/train/a.jpg", "masks/train/a.png"),
        ("train_images/a.jpg", "train_masks/a.png"),
        ("images/city/a.jpg", "masks/city/a.png"),
        ("a/b/image/a.jpg", "a/b/label/a.png"),
        ("photos_2023/a.jpg", "masks/a.png"),
        ("a.jpg", "masks/a.png"),
        ("a.jpg", "a_mask.png"),
        ("a.jpg", "a_label.png"),
        ("a.png", "a-seg.png"),
        ("a.jpg", "a_mask.gif"),
        ("a.jpg", "a.png"),
        ("a.bmp", "a.png"),
        ("MT_Blowhole/Imgs/exp1_num_4727.jpg", "MT_Blowhole/Imgs/exp1_num_4727.png"),
        ("Dataset 1/001.bmp", "Dataset 1/001.png"),
        ("images/001_image.png", "annotations/001_annotation.png"),
        ("images/image_1.png", "masks/gt_1.png"),
        ("images/a.png", "masks/a_mask.png"),
    ],
)
def test_the_usual_layouts_are_paired(tmp_path: Path, photo: str, mask: str) -> None:
    assert pairs_of(lay(tmp_path, photo, mask)) == {photo: mask}
    assert pair(Source(tmp_path)).orphans == ()


def test_several_photos_are_paired_each_with_its_own(tmp_path: Path) -> None:
    lay(tmp_path, "images/1.jpg", "images/10.jpg", "images/2.jpg", "masks/1.png", "masks/10.png", "masks/2.png")
    assert pairs_of(tmp_path) == {f"images/{n}.jpg": f"masks/{n}.png" for n in ("1", "10", "2")}


def test_the_same_stem_in_two_scenes_is_two_photos(tmp_path: Path) -> None:
    lay(tmp_path, "a/images/1.jpg", "a/masks/1.png", "b/images/1.jpg", "b/masks/1.png")
    assert pairs_of(tmp_path) == {"a/images/1.jpg": "a/masks/1.png", "b/images/1.jpg": "b/masks/1.png"}
    assert [record.name for record in pair(Source(tmp_path)).records] == ["a/images/1", "b/images/1"]


def test_splits_are_read_off_folder_names(tmp_path: Path) -> None:
    lay(tmp_path, "train/a.png", "trainannot/a.png", "valid/b.png", "validannot/b.png", "c/c.png", "cannot/c.png")
    assert {record.name: record.split for record in pair(Source(tmp_path)).records} == {
        "train/a": "train",
        "valid/b": "val",
        "c/c": "",
    }


def test_a_split_in_the_role_folders_name_counts(tmp_path: Path) -> None:
    lay(tmp_path, "train_images/a.jpg", "train_masks/a.png", "images-val/b.jpg", "masks-val/b.png")
    assert {record.name: record.split for record in pair(Source(tmp_path)).records} == {
        "train_images/a": "train",
        "images-val/b": "val",
    }


def test_photos_without_mask_and_masks_without_photo_are_told(tmp_path: Path) -> None:
    lay(tmp_path, "images/a.jpg", "images/b.jpg", "masks/a.png", "masks/c.png")
    pairs = pair(Source(tmp_path))
    assert [(record.name, record.label is not None) for record in pairs.records] == [
        ("images/a", True),
        ("images/b", False),
    ]
    assert pairs.orphans == ("masks/c.png",)


def test_two_masks_of_one_photo_are_refused(tmp_path: Path) -> None:
    lay(tmp_path, "images/a.jpg", "masks/a.png", "labels/a.png")
    with pytest.raises(FormatError, match=r"two masks claim one photo; got labels/a.png and masks/a.png"):
        pair(Source(tmp_path))


def test_photos_alone_pair_with_nothing(tmp_path: Path) -> None:
    assert not pair(Source(lay(tmp_path, "a.jpg", "b.jpg", "c.png"))).masks


def test_two_photo_folders_beside_masks_are_not_guessed_at(tmp_path: Path) -> None:
    # two dates of one scene: which of them the masks describe is not for us to say
    lay(tmp_path, "A/1.png", "B/1.png", "label/1.png")
    with pytest.raises(FormatError, match=r"label/1\.png for A/1\.png and B/1\.png.*change between two dates"):
        pair(Source(tmp_path))


def test_names_that_start_with_their_role_pair_in_one_folder(tmp_path: Path) -> None:
    assert pairs_of(lay(tmp_path, "img2d.tif", "mask2d.tif", "histo.jpg")) == {
        "img2d.tif": "mask2d.tif",
        "histo.jpg": "",
    }


def test_masks_here_and_photos_in_a_folder_of_their_own_pair_by_path(tmp_path: Path) -> None:
    lay(tmp_path, "labels/train/a.png", "labels/val/b.png", "photos/train/a.jpg", "photos/val/b.jpg")
    pairs = pair(Source(tmp_path / "labels", photos=tmp_path / "photos"))
    assert [(record.name, record.split, record.label is not None) for record in pairs.records] == [
        ("train/a", "train", True),
        ("val/b", "val", True),
    ]


@pytest.mark.parametrize(
    ("folder", "role"),
    [
        ("train_masks", ("mask", "train")),
        ("Images", ("photo", "")),
        ("label_studio_export", ("", "")),
        ("image_masks_val", ("mask", "val")),
        ("train", ("", "")),
    ],
)
def test_roles_of_folders(folder: str, role: tuple[str, str]) -> None:
    assert role_of(folder) == role


@pytest.mark.parametrize(
    ("files", "orphan"),
    [
        (("a.jpg", "a.png", "b.jpg", "b.png", "c.png"), "c.png"),
        (("a.jpg", "a_mask.png", "b_mask.png"), "b_mask.png"),
    ],
)
def test_a_mask_beside_the_photos_whose_photo_is_missing_is_no_photo(
    tmp_path: Path, files: tuple[str, ...], orphan: str
) -> None:
    pairs = pair(Source(lay(tmp_path, *files)))
    assert pairs.orphans == (orphan,)
    assert all(record.label is not None for record in pairs.records)


def test_predictions_are_not_taken_for_photos(tmp_path: Path) -> None:
    pairs = pair(Source(lay(tmp_path, "seg/gt/a.png", "seg/pred/a.png", "seg/images/b.png")))
    assert not pairs.masks
    assert pairs.orphans == ("seg/gt/a.png",)


def test_masks_without_a_single_photo_stand_alone(tmp_path: Path) -> None:
    pairs = pair(Source(lay(tmp_path, "train/masks/a.png", "val/masks/b.png")))
    assert [(record.name, record.image, record.split) for record in pairs.records] == [
        ("train/masks/a", None, "train"),
        ("val/masks/b", None, "val"),
    ]
    assert "stand alone" in pairs.how


@pytest.mark.parametrize(
    "files", [("images/a.jpg", "masks/a.png"), ("images/a.jpg", "labels/a.png", "masks/a.png")], ids=["pairs", "twins"]
)
def test_a_folder_is_paired_once_for_all_formats_even_where_nothing_pairs(tmp_path, monkeypatch, files):
    asked = []
    own = pairing._pair

    def counted(source, pictures, labels=None):
        asked.append(labels)
        return own(source, pictures, labels)

    monkeypatch.setattr(pairing, "_pair", counted)
    source = Source(lay(tmp_path, *files))
    assert detect(source)
    assert asked.count(None) == 1


def test_photos_said_to_lie_in_a_folder_of_the_data_set_are_told_from_masks_whatever_the_folders_are_called(tmp_path):
    root = lay(tmp_path, "pics/a.png", "pics/b.png", "painted/a.png", "painted/b.png")
    assert pair(Source(root)).masks == []
    found = pair(Source(root, photos=root / "pics"))
    assert [(record.name, record.label) for record in found.records] == [
        ("pics/a", root / "painted" / "a.png"),
        ("pics/b", root / "painted" / "b.png"),
    ]


def test_photos_of_a_folder_around_the_data_set_are_found_beside_its_own(tmp_path):
    root = lay(tmp_path, "set/images/a.png", "set/masks/a.png", "set/masks/b.png", "elsewhere/b.png") / "set"
    found = pair(Source(root, photos=tmp_path))
    assert {record.image: record.label for record in found.records} == {
        root / "images" / "a.png": root / "masks" / "a.png",
        tmp_path / "elsewhere" / "b.png": root / "masks" / "b.png",
    }
