import sys
from pathlib import Path

import numpy as np
import pytest

from data.layouts import index_mask as write_index_mask
from data.layouts import save
from tessella import formats
from tessella.core.errors import FormatError
from tessella.files import paths
from tessella.formats.layout.places import Place, meet, tree
from tessella.formats.source import Source

GREY = np.zeros((2, 3), np.uint8)
PHOTOS = Place.of(r"(?P<above>.+/)?(?P<split>train|val)/photos", r"(?P<stem>.+)\.jpg")
LABELS = Place.of(r"(?P<above>.+/)?(?P<split>train|val)/maps", r"(?P<stem>.+)_map\.png")


def lay(root: Path, *files: str) -> Source:
    for file in files:
        save(root / file, GREY)
    return Source(root)


def test_photos_and_labels_meet_where_all_groups_agree(tmp_path: Path) -> None:
    source = lay(
        tmp_path, "x/train/photos/a.jpg", "x/train/maps/a_map.png", "x/val/photos/a.jpg", "x/val/maps/b_map.png"
    )
    met = meet(source, PHOTOS, LABELS, called="{split}/{stem}", key="k")
    assert [(record.name, record.split, record.label is not None, record.key) for record in met.records] == [
        ("train/a", "train", True, "k"),
        ("val/a", "val", False, ""),
    ]
    assert met.orphans == ("x/val/maps/b_map.png",)


def test_labels_without_a_single_photo_stand_alone(tmp_path: Path) -> None:
    met = meet(lay(tmp_path, "train/maps/a_map.png", "val/maps/a_map.png"), PHOTOS, LABELS, called="{split}/{stem}")
    assert [(record.name, record.image, record.split) for record in met.records] == [
        ("train/a", None, "train"),
        ("val/a", None, "val"),
    ]
    assert met.orphans == ()


def test_case_does_not_matter(tmp_path: Path) -> None:
    met = meet(lay(tmp_path, "Train/Photos/A.JPG", "train/maps/a_Map.PNG"), PHOTOS, LABELS)
    assert [record.label is not None for record in met.records] == [True]


def test_two_labels_of_one_photo_are_refused(tmp_path: Path) -> None:
    source = lay(tmp_path, "train/photos/a.jpg", "train/maps/a_map.png", "train/maps/A_map.png")
    with pytest.raises(FormatError, match="two label maps claim one photo"):
        meet(source, PHOTOS, LABELS)


def test_the_branch_of_a_pattern_that_took_part_fills_the_group() -> None:
    place = Place.of(r"(?:a/(?P<split>train)|b/(?P<split_>[^/]+))", r"(?P<stem>.+)")
    files = {"a/train": [Path("a/train/x")], "b/other": [Path("b/other/y")]}
    assert [groups for groups, _ in place.files(files)] == [
        {"split": "train", "stem": "x"},
        {"split": "other", "stem": "y"},
    ]


def test_the_tree_is_by_folder_below_the_root(tmp_path: Path) -> None:
    source = lay(tmp_path, "a.png", "b/c/d.png")
    assert {folder: [path.name for path in files] for folder, files in tree(source).items()} == {
        "": ["a.png"],
        "b/c": ["d.png"],
    }


def test_all_formats_together_walk_a_folder_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write_index_mask(tmp_path / "set")
    walks = []
    real = paths.walk
    for module in [module for module in sys.modules.values() if getattr(module, "walk", None) is real]:
        monkeypatch.setattr(module, "walk", lambda *given, **more: walks.append(given) or real(*given, **more))
    formats.detect(Source(root))
    assert len(walks) == 1


def test_a_source_is_asked_once(tmp_path: Path) -> None:
    asked = []

    def count(source: Source) -> int:
        asked.append(source)
        return len(asked)

    source = Source(tmp_path)
    assert (source.once(count), source.once(count)) == (1, 1)
