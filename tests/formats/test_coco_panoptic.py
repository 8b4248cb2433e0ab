"""Panoptic files of COCO: what damaged ones are answered with, and what becomes of other lists beside them."""

import json
from pathlib import Path

import pytest

from data.coco import block, document, images, panoptic, row
from data.layouts import WRITERS
from tessella.core.errors import FormatError
from tessella.dataset.index import open_dataset


def test_a_mask_name_that_is_no_utf_8_is_refused_by_the_file_that_holds_it(tmp_path: Path) -> None:
    root = WRITERS["coco-panoptic"](tmp_path)
    (path,) = root.rglob("*.json")
    path.write_bytes(path.read_bytes().replace(b"p1.png", b"p\xe0.png"))
    with pytest.raises(FormatError, match=rf"{path.name}.*not UTF-8"):
        open_dataset(root, format="coco-panoptic")


def beside_panoptic(root: Path, path: str, *names: str, categories: list | None = None) -> Path:
    """A panoptic set of p0.jpg to p3.jpg, and a list of instances of some photos with its categories, or others."""
    panoptic(root)
    listed = json.loads((root / "annotations" / "panoptic_default.json").read_text())["categories"]
    rows = [row(1, 1, 17, [block(0, 0, 2, 2)])]
    return document(root / path, images(*names), rows, listed if categories is None else categories)


def test_the_copy_for_detection_of_a_panoptic_file_is_left_to_it_and_a_note_says_so(tmp_path: Path) -> None:
    beside_panoptic(tmp_path, "elsewhere/detection.json", "p0.jpg", "p3.jpg")
    index = open_dataset(tmp_path)
    assert (index.format, len(index)) == ("coco-panoptic", 4)
    (told,) = (note for note in index.listing.notes if "detection" in note)
    assert told.endswith("hold, and not read: elsewhere/detection.json")
    assert told.startswith("1 file is a copy for detection of what the panoptic files")
    assert open_dataset(tmp_path / "elsewhere" / "detection.json").format == "coco"


def test_instances_of_other_photos_are_no_copy_of_a_panoptic_file_with_their_categories(tmp_path: Path) -> None:
    beside_panoptic(tmp_path, "instances.json", "p0.jpg", "new.jpg")
    with pytest.raises(FormatError, match=r"two formats lie here.*coco-panoptic.*coco"):
        open_dataset(tmp_path)
    index = open_dataset(tmp_path, format="coco-panoptic")
    assert "1 JSON file says other things and is not read: instances.json" in index.listing.notes


def test_json_files_that_only_look_like_coco_do_not_hinder_panoptic_ones(tmp_path: Path) -> None:
    panoptic(tmp_path)
    (tmp_path / "other.json").write_text('{"images": ["a.jpg"], "annotations": [{"image_id": 1}]}')
    index = open_dataset(tmp_path, format="coco-panoptic")
    assert "1 JSON file says other things and is not read: other.json" in index.listing.notes


def test_instances_of_another_split_are_no_copy_of_a_panoptic_file(tmp_path: Path) -> None:
    beside_panoptic(tmp_path, "val/instances.json", "p0.jpg")
    (tmp_path / "annotations" / "panoptic_default.json").rename(tmp_path / "annotations" / "panoptic_train.json")
    with pytest.raises(FormatError, match="two formats lie here"):
        open_dataset(tmp_path)


def test_large_files_whose_categories_come_last_are_no_copies_of_each_other(tmp_path: Path) -> None:
    path = beside_panoptic(tmp_path, "instances.json", "p0.jpg", categories=[{"id": 1, "name": "roof"}])
    for large in (path, tmp_path / "annotations" / "panoptic_default.json"):
        tree = json.loads(large.read_text())
        categories = tree.pop("categories")
        large.write_text(json.dumps({**tree, "padding": "-" * (1 << 24), "categories": categories}))
    with pytest.raises(FormatError, match="two formats lie here"):
        open_dataset(tmp_path)
