"""CVAT's segmentation masks: labelmap.txt, lists, masks that stand without photos."""

from pathlib import Path

import numpy as np
import pytest

from data.cvat import cvat_mask
from data.layouts import ids_of, index_mask, save, voc
from tessella.core.classes import voc_colour
from tessella.core.errors import FormatError, InputError
from tessella.dataset.convert import convert
from tessella.dataset.index import open_dataset


def test_the_label_map_tells_it_from_voc(tmp_path: Path) -> None:
    assert open_dataset(cvat_mask(tmp_path / "a")).format == "cvat-mask"
    assert open_dataset(voc(tmp_path / "b")).format == "voc"


def test_colours_are_the_classes_in_the_order_of_the_label_map(tmp_path: Path) -> None:
    root = cvat_mask(tmp_path)
    (root / "labelmap.txt").write_text("tree:0,128,0::\nbackground:0,0,0::\nroad:128,0,0:wheel,door:drive\n")
    index = open_dataset(root)
    assert index.table.names == ("tree", "background", "road")
    labels = index.labels(1)
    assert labels is not None
    np.testing.assert_array_equal(labels.ids, np.array([1, 2, 0], np.uint8)[ids_of(1, ignore=False)])


def test_objects_are_counted_and_not_read(tmp_path: Path) -> None:
    root = cvat_mask(tmp_path)
    (root / "SegmentationObject" / "p0.png").write_bytes(b"damaged")
    assert dict(open_dataset(root).listing.left_out) == {"masks of single objects": 4}


def test_lists_of_subsets_are_splits(tmp_path: Path) -> None:
    root = cvat_mask(tmp_path)
    lists = root / "ImageSets" / "Segmentation"
    (lists / "default.txt").unlink()
    (lists / "Train.txt").write_text("p0\np1\np2\n")
    (lists / "Validation.txt").write_text("p3\n")
    assert [record.split for record in open_dataset(root).records] == ["train", "train", "train", "val"]


def test_without_a_photo_the_masks_stand_alone(tmp_path: Path) -> None:
    root = cvat_mask(tmp_path)
    for path in (root / "JPEGImages").iterdir():
        path.unlink()
    (root / "JPEGImages").rmdir()
    index = open_dataset(root)
    assert index.format == "cvat-mask"
    assert [record.image for record in index.records] == [None] * 4
    assert any("--photos" in note for note in index.listing.notes)
    labels = index.labels(2)
    assert labels is not None
    np.testing.assert_array_equal(labels.ids, ids_of(2, ignore=False))
    with pytest.raises(InputError, match="photo is missing"):
        index.image(0)


def test_photos_may_lie_in_another_folder(tmp_path: Path) -> None:
    root = cvat_mask(tmp_path / "set")
    (root / "JPEGImages").rename(tmp_path / "photos")
    index = open_dataset(root, photos=tmp_path / "photos")
    assert [record.name for record in index.records] == ["p0", "p1", "p2", "p3"]
    assert index.image(3).hw == (12, 16)


def test_masks_with_one_channel_are_read_by_position(tmp_path: Path) -> None:
    root = cvat_mask(tmp_path)
    for seed in range(4):
        save(root / "SegmentationClass" / f"p{seed}.png", ids_of(seed), palette=True)
    labels = open_dataset(root).labels(0)
    assert labels is not None
    np.testing.assert_array_equal(labels.ids, ids_of(0))


def test_voids_colour_and_labelmes_name_are_ignore(tmp_path: Path) -> None:
    root = cvat_mask(tmp_path)
    with (root / "labelmap.txt").open("a") as stream:
        stream.write("ignored:224,224,192::\n__ignore__:1,2,3::\n")
    coding = open_dataset(root).coding
    assert coding.table.names == ("background", "road", "tree")
    assert coding.ignore_colours == (voc_colour(255), (1, 2, 3))


def test_what_is_written_needs_no_file_of_ours_to_be_read(tmp_path: Path) -> None:
    index = open_dataset(index_mask(tmp_path / "set"))
    convert(index, tmp_path / "out", to="cvat-mask")
    (tmp_path / "out" / "classes.toml").unlink()
    again = open_dataset(tmp_path / "out")
    assert again.table == index.table
    for seed in range(4):
        labels = again.labels(seed)
        assert labels is not None
        np.testing.assert_array_equal(labels.ids, ids_of(seed))
    lines = (tmp_path / "out" / "labelmap.txt").read_text().splitlines()
    assert lines == [
        "# label:color_rgb:parts:actions", "background:0,0,0::", "road:128,0,0::", "tree:0,128,0::",
        "__ignore__:224,224,192::",
    ]  # fmt: skip


def test_a_damaged_label_map_is_named(tmp_path: Path) -> None:
    root = cvat_mask(tmp_path)
    (root / "labelmap.txt").write_text("road:red,green,blue::\n")
    with pytest.raises(FormatError, match=r"labelmap\.txt: this is not a colour"):
        open_dataset(root)
