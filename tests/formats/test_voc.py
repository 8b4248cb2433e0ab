"""What VOC's folders hold besides masks, and the devkit's palette."""

from pathlib import Path

import numpy as np
from PIL import Image

from data.layouts import box, ids_of, index_mask, labelme_file, save, voc
from tessella.core.classes import ClassTable, voc_colour
from tessella.dataset.convert import convert
from tessella.dataset.index import open_dataset


def devkit_colour(number: int) -> tuple[int, int, int]:
    """VOClabelcolormap.m, step by step: from the lowest bits of the id to the highest of the colour."""
    rest, red, green, blue = number, 0, 0, 0
    for step in range(8):
        red |= (rest >> 0 & 1) << 7 - step
        green |= (rest >> 1 & 1) << 7 - step
        blue |= (rest >> 2 & 1) << 7 - step
        rest >>= 3
    return red, green, blue


def test_the_palette_is_the_devkits() -> None:
    assert [voc_colour(number) for number in range(256)] == [devkit_colour(number) for number in range(256)]
    # as published: aeroplane, bicycle, bird, boat, ..., tvmonitor, and the void along outlines
    assert [voc_colour(number) for number in (0, 1, 2, 3, 4, 20, 255)] == [
        (0, 0, 0), (128, 0, 0), (0, 128, 0), (128, 128, 0), (0, 0, 128), (0, 64, 128), (224, 224, 192),
    ]  # fmt: skip


def test_written_masks_have_the_devkits_palette(tmp_path: Path) -> None:
    root = index_mask(tmp_path / "set")
    (root / "classes.toml").write_text("".join(f'[[classes]]\nname = "c{number}"\n' for number in range(21)))
    convert(root, tmp_path / "out", to="voc")
    with Image.open(tmp_path / "out" / "SegmentationClass" / "p0.png") as mask:
        palette = np.array(mask.getpalette("RGB"), np.uint8).reshape(-1, 3)
    assert palette[:21].tolist() == [list(devkit_colour(number)) for number in range(21)]
    assert palette[255].tolist() == list(devkit_colour(255))
    assert ClassTable.from_names(map(str, range(21))).colours == tuple(map(devkit_colour, range(21)))


def test_boxes_and_objects_of_the_photos_in_the_lists_are_counted(tmp_path: Path) -> None:
    root = voc(tmp_path)
    for seed in range(5):
        sheet = root / "Annotations" / f"p{seed}.xml"
        sheet.parent.mkdir(exist_ok=True)
        box = "<object><name>car</name><bndbox><xmin>1</xmin></bndbox></object>"
        sheet.write_text(f"<annotation>{box * seed}</annotation>")
    save(root / "SegmentationObject" / "p1.png", np.zeros((12, 16), np.uint8))
    save(root / "SegmentationObject" / "strange.png", np.zeros((12, 16), np.uint8))
    assert dict(open_dataset(root).listing.left_out) == {"masks of single objects": 1, "boxes": 0 + 1 + 2 + 3}


def test_a_list_does_not_lead_out_of_the_folder(tmp_path: Path) -> None:
    root = voc(tmp_path / "set")
    (root / "Annotations").mkdir()
    (tmp_path / "secret.xml").write_text("<bndbox>")
    (root / "ImageSets" / "Segmentation" / "trainval.txt").write_text("../../secret\np0\n")
    assert dict(open_dataset(root).listing.left_out) == {}


def test_the_devkits_lists_of_photos_missing_here_are_only_counted(tmp_path: Path) -> None:
    root = voc(tmp_path)
    (root / "ImageSets" / "Segmentation" / "trainval.txt").write_text("2007_000032\np0\np1\np2\np3\n")
    index = open_dataset(root)
    assert len(index) == 4
    assert "1 listed photo is missing" in index.listing.notes


def test_the_masks_of_sbd_and_their_list_are_vocs_too(tmp_path: Path) -> None:
    root = voc(tmp_path)
    (root / "SegmentationClass").rename(root / "SegmentationClassAug")
    lists = root / "ImageSets" / "Segmentation"
    (lists / "train.txt").rename(lists / "train_aug.txt")
    index = open_dataset(root)
    assert index.format == "voc"
    assert [record.split for record in index.records] == ["train", "train", "train", "val"]
    assert len(index.labelled()) == 4


def test_masks_beside_arrays_in_vocs_folder_are_found(tmp_path: Path) -> None:
    root = voc(tmp_path)
    (root / "SegmentationClass").rename(root / "SegmentationClassPNG")
    (root / "SegmentationClass").mkdir()
    (root / "SegmentationClass" / "p0.npy").write_bytes(b"")
    assert len(open_dataset(root, format="voc").labelled()) == 4


def test_a_list_may_name_photos_in_folders_and_with_blanks(tmp_path: Path) -> None:
    root = voc(tmp_path, count=1)
    for kind, pixels in (("JPEGImages", np.zeros((12, 16, 3), np.uint8)), ("SegmentationClass", ids_of(0))):
        save(root / kind / "a street" / "one two.png", pixels, palette=kind != "JPEGImages")
    (root / "ImageSets" / "Segmentation" / "val.txt").write_text("a street/one two\np0 1\n")
    (root / "ImageSets" / "Segmentation" / "train.txt").write_text("")
    index = open_dataset(root)
    assert [(record.name, record.split) for record in index.records] == [
        ("JPEGImages/a street/one two", "val"), ("JPEGImages/p0", "val"),
    ]  # fmt: skip
    assert len(index.labelled()) == 2


def touching(root: Path, *, count: int = 2) -> Path:
    """A photo with a row of roads, each 2 px wide, that touch; one part of an ignored region over the first."""
    hw = (12, 2 * count)
    save(root / "a.png", np.zeros((*hw, 3), np.uint8))
    roads = [box("road", 2 * place, 2, 2 * place + 2, 8) for place in range(count)]
    labelme_file(root / "a.json", [*roads, box("__ignore__", 0, 6, 1, 8)], photo="a.png", hw=hw)
    return root


def test_objects_of_shapes_are_numbered_in_the_order_of_painting(tmp_path: Path) -> None:
    done = convert(touching(tmp_path / "set"), tmp_path / "out", to="voc")
    assert done.left_out == {}
    with Image.open(tmp_path / "out" / "SegmentationObject" / "a.png") as picture:
        palette = picture.getpalette()
        numbers = np.array(picture)
    assert palette is not None
    assert [tuple(palette[3 * value : 3 * value + 3]) for value in (0, 1, 2, 255)] == list(
        map(voc_colour, (0, 1, 2, 255))
    )
    expected = np.zeros((12, 4), np.uint8)
    expected[2:8, :2], expected[2:8, 2:], expected[6:8, 0] = 1, 2, 255
    np.testing.assert_array_equal(numbers, expected)
    assert dict(open_dataset(tmp_path / "out").listing.left_out) == {"masks of single objects": 1}


def test_masks_of_classes_have_no_objects_to_write(tmp_path: Path) -> None:
    convert(voc(tmp_path / "set"), tmp_path / "out", to="voc")
    assert not (tmp_path / "out" / "SegmentationObject").exists()


def test_more_objects_than_a_byte_tells_apart_are_counted_by_voc_and_written_by_cvat(tmp_path: Path) -> None:
    index = open_dataset(touching(tmp_path / "set", count=300))
    key = "objects of photos with more than 254, which a mask of bytes cannot tell apart"
    assert convert(index, tmp_path / "voc", to="voc").left_out == {key: 300}
    assert not (tmp_path / "voc" / "SegmentationObject").exists()
    assert convert(index, tmp_path / "cvat", to="cvat-mask").left_out == {}
    with Image.open(tmp_path / "cvat" / "SegmentationObject" / "a.png") as picture:
        colours = np.array(picture)
    void = (224, 224, 192)
    assert voc_colour(255) == void
    assert tuple(colours[7, 0].tolist()) == void
    assert tuple(colours[0, 0].tolist()) == (0, 0, 0)
    row = [tuple(colour) for colour in colours[3, ::2].tolist()]
    assert row[:3] == [voc_colour(number) for number in (1, 2, 3)]
    assert len(set(row)) == 300
    assert void not in row


def test_an_object_that_nothing_shows_is_counted(tmp_path: Path) -> None:
    root = tmp_path / "set"
    save(root / "a.png", np.zeros((12, 16, 3), np.uint8))
    labelme_file(root / "a.json", [box("road", 2, 2, 4, 4), box("road", 1, 1, 9, 9)], photo="a.png")
    done = convert(root, tmp_path / "out", to="voc")
    assert done.left_out == {"objects of which no pixel is seen": 1}
    with Image.open(tmp_path / "out" / "SegmentationObject" / "a.png") as picture:
        assert np.unique(np.array(picture)).tolist() == [0, 1]
