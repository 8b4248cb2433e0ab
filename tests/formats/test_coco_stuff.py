from pathlib import Path

import numpy as np
import pytest

from data.coco import HW, photo, stuff
from data.layouts import save
from tessella.core.errors import FormatError, LabelError
from tessella.dataset.index import open_dataset
from tessella.formats.coco.stuff import COCO_STUFF, TRAIN_IDS


def test_the_table_has_the_published_numbers() -> None:
    numbers = {name: values[0] + 1 for name, values in zip(COCO_STUFF.table.names, COCO_STUFF.values, strict=True)}
    assert len(numbers) == 171
    known = {"person": 1, "stop sign": 13, "toothbrush": 90, "banner": 92, "grass": 124, "sky-other": 157, "wood": 182}
    assert {name: numbers[name] for name in known} == known
    never = {12, 26, 29, 30, 45, 66, 68, 69, 71, 83, 91}
    assert set(range(1, 183)) - set(numbers.values()) == never
    assert TRAIN_IDS.values[-1] == (170,)


def test_values_are_numbers_less_one_and_255_is_ignored(tmp_path: Path) -> None:
    index = open_dataset(stuff(tmp_path))
    labels = index.labels(0)
    assert labels is not None
    assert {index.table.names[value] for value in np.unique(labels.ids) if value != 255} == {"person", "banner", "wood"}
    assert (labels.ids == 255).sum() == 1
    assert {record.split for record in index.records} == {"train"}


def test_a_number_that_was_never_annotated_is_refused(tmp_path: Path) -> None:
    stuff(tmp_path)
    save(tmp_path / "stuffthingmaps" / "train2017" / f"{0:012d}.png", np.full(HW, 11, np.uint8))
    with pytest.raises(LabelError, match=r"11 .192 px. have no class"):
        open_dataset(tmp_path).labels(0)


def test_maps_of_train_ids_are_numbered_without_gaps(tmp_path: Path) -> None:
    home = tmp_path / "coco_stuff164k"
    photo(home / "images" / "val2017" / "1.jpg")
    save(home / "annotations" / "val2017" / "1_labelTrainIds.png", np.full(HW, 170, np.uint8))
    index = open_dataset(home)
    assert (index.format, index.records[0].split) == ("coco-stuff", "val")
    labels = index.labels(0)
    assert labels is not None
    assert index.table.names[labels.ids[0, 0]] == "wood"


def test_of_two_photos_of_one_stem_the_one_of_the_same_split_is_meant(tmp_path: Path) -> None:
    for split in ("train2017", "val2017"):
        photo(tmp_path / split / "1.jpg")
    save(tmp_path / "stuffthingmaps" / "val2017" / "1.png", np.zeros(HW, np.uint8))
    save(tmp_path / "stuffthingmaps" / "val2017" / "2.png", np.zeros(HW, np.uint8))
    index = open_dataset(tmp_path)
    [record] = [record for record in index.records if record.label]
    assert record.image == tmp_path / "val2017" / "1.jpg"
    assert index.listing.orphan_labels == ("stuffthingmaps/val2017/2.png",)


def test_grey_maps_elsewhere_are_not_claimed(tmp_path: Path) -> None:
    photo(tmp_path / "images" / "1.jpg")
    save(tmp_path / "masks" / "1.png", np.zeros(HW, np.uint8))
    assert open_dataset(tmp_path).format == "index-mask"
    with pytest.raises(FormatError, match="no map of COCO-Stuff"):
        open_dataset(tmp_path, format="coco-stuff")
