"""What VOC's folders hold besides masks, and the devkit's palette."""

from pathlib import Path

import numpy as np
from PIL import Image

from data.layouts import index_mask, save, voc
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


def test_the_devkits_lists_of_photos_missing_here_are_only_counted(tmp_path: Path) -> None:
    root = voc(tmp_path)
    (root / "ImageSets" / "Segmentation" / "trainval.txt").write_text("2007_000032\np0\np1\np2\np3\n")
    index = open_dataset(root)
    assert len(index) == 4
    assert "1 listed photos are missing" in index.listing.notes
