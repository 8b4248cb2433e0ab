import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from data.folders import cityscapes, cityscapes_polygons
from data.layouts import ids_of, photo_of, save
from tessella.core.classes import IGNORE, ClassInfo, ClassTable, LabelCoding
from tessella.core.errors import FormatError, LabelError
from tessella.dataset.convert import convert
from tessella.dataset.index import open_dataset
from tessella.files.masks import read_mask
from tessella.formats.driving.cityscapes import decode_instances, read_polygons
from tessella.formats.driving.labels import BY_ID, BY_TRAIN_ID, LABELS

# cityscapesScripts, helpers/labels.py: train id -> id
PUBLISHED = {
    0: 7, 1: 8, 2: 11, 3: 12, 4: 13, 5: 17, 6: 19, 7: 20, 8: 21, 9: 22, 10: 23, 11: 24, 12: 25, 13: 26, 14: 27, 15: 28,
    16: 31, 17: 32, 18: 33,
}  # fmt: skip


def test_the_table_holds_the_published_ids() -> None:
    assert [label.id for label in LABELS] == list(range(34))
    assert {label.train_id: label.id for label in LABELS if label.train_id != 255} == PUBLISHED
    assert sum(label.train_id == 255 for label in LABELS) == 15
    colours = {label.name: label.colour for label in LABELS}
    assert colours["road"] == (128, 64, 128)
    assert colours["person"] == (220, 20, 60)
    assert colours["bicycle"] == (119, 11, 32)
    assert colours["train"] == (0, 80, 100)


def test_34_ids_become_19_classes_and_ignore() -> None:
    meaning = BY_ID.value_to_id()
    assert {train: meaning[own] for train, own in PUBLISHED.items()} == {train: train for train in PUBLISHED}
    assert all(meaning[label.id] == IGNORE for label in LABELS if label.train_id == 255)
    assert meaning[255] == IGNORE  # -1 as a byte
    assert len(meaning) == 35
    assert BY_TRAIN_ID.value_to_id() == {**{train: train for train in range(19)}, 255: IGNORE}
    assert BY_ID.name_to_id()["cargroup"] == BY_ID.table.id_of("car")
    assert BY_ID.name_to_id()["license plate"] == IGNORE


@pytest.mark.parametrize("ending", ["labelIds", "labelTrainIds", "instanceIds", "color", "polygons"])
def test_every_kind_of_label_means_the_same(tmp_path: Path, ending: str) -> None:
    index = open_dataset(cityscapes(tmp_path, ending=ending))
    assert index.format == "cityscapes"
    assert any(note.startswith(f"labels are {ending} of gtFine") for note in index.listing.notes)
    for sample in index:
        seed = int(sample.name[-1])
        expected = np.array([0, 2, 11, *[0] * 252, 255], np.uint8)[ids_of(seed)]
        assert sample.labels is not None
        np.testing.assert_array_equal(sample.labels.ids, expected)


def test_folders_give_names_splits_and_cities(tmp_path: Path) -> None:
    records = open_dataset(cityscapes(tmp_path)).records
    assert [(record.name, record.split, record.group) for record in records] == [
        ("train/aachen/aachen_000000_000001", "train", "aachen"),
        ("train/bochum/bochum_000000_000000", "train", "bochum"),
        ("train/bochum/bochum_000000_000002", "train", "bochum"),
        ("val/aachen/aachen_000000_000003", "val", "aachen"),
    ]


def test_photos_may_lie_in_another_folder_than_the_labels(tmp_path: Path) -> None:
    cityscapes(tmp_path)
    (tmp_path / "imgsFine").mkdir()
    (tmp_path / "leftImg8bit").rename(tmp_path / "imgsFine" / "leftImg8bit")
    assert len(open_dataset(tmp_path).labelled()) == 4
    (tmp_path / "imgsFine").rename(tmp_path.parent / "elsewhere")
    apart = open_dataset(tmp_path, photos=tmp_path.parent / "elsewhere")
    assert len(apart.labelled()) == 4
    assert apart[0].labels is not None


def test_ids_come_before_coarse_labels_and_object_numbers_are_counted(tmp_path: Path) -> None:
    cityscapes(tmp_path, ending="instanceIds")
    cityscapes(tmp_path, ending="labelIds")
    save(tmp_path / "gtCoarse/train_extra/ulm/a_gtCoarse_labelIds.png", ids_of(0))
    save(tmp_path / "leftImg8bit/train_extra/ulm/a_leftImg8bit.png", photo_of(0))
    index = open_dataset(tmp_path)
    assert index.listing.left_out == {"maps of object numbers": 4}
    assert [(record.split, record.label) for record in index.records if record.label is None] == [("train_extra", None)]


def test_object_numbers_below_1000_are_ids(tmp_path: Path) -> None:
    path = save(tmp_path / "x.png", np.array([[3, 33, 1000, 26003, 33999]], np.uint16))
    assert decode_instances(path).pixels.tolist() == [[3, 33, 1, 26, 33]]
    small = save(tmp_path / "y.png", np.array([[3, 27]], np.uint8))
    assert decode_instances(small).pixels.tolist() == [[3, 27]]
    with pytest.raises(FormatError, match="not stored as colours"):
        decode_instances(save(tmp_path / "z.png", photo_of(0)))


def test_deleted_polygons_are_not_painted_and_order_decides(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(json.dumps(cityscapes_polygons(0)))
    drawing = read_polygons(path)
    assert [shape.label for shape in drawing.shapes] == ["road", "building", "persongroup", "out of roi"]
    assert drawing.declared_hw == (12, 16)


@pytest.mark.parametrize(
    "tree",
    [[], {}, {"objects": {}}, {"objects": [3]}, {"objects": [{"label": 3, "polygon": []}]},
     {"objects": [{"label": "road"}]}, {"objects": [{"label": "road", "polygon": [[1]]}]},
     {"objects": [], "imgHeight": -3, "imgWidth": 2}],
)  # fmt: skip
def test_broken_polygons_are_refused_by_name(tmp_path: Path, tree: object) -> None:
    path = tmp_path / "x_polygons.json"
    path.write_text(json.dumps(tree))
    with pytest.raises(FormatError, match=r"x_polygons\.json"):
        read_polygons(path)


def test_a_label_that_is_not_cityscapes_is_named(tmp_path: Path) -> None:
    root = cityscapes(tmp_path, ending="polygons")
    path = next(root.rglob("*_polygons.json"))
    path.write_text(json.dumps({"objects": [{"label": "raod", "polygon": [[0, 0], [4, 0], [4, 4]]}]}))
    with pytest.raises(LabelError, match="did you mean 'road'"):
        _ = [sample.labels for sample in open_dataset(root)]


def street(root: Path) -> LabelCoding:
    names = ("road", "car", "sky")
    table = ClassTable(tuple(ClassInfo(name, (1 + place, 2, 3)) for place, name in enumerate(names)))
    for seed in range(2):
        save(root / "images" / "ulm" / f"p{seed}.png", photo_of(seed))
        save(root / "masks" / "ulm" / f"p{seed}.png", ids_of(seed))
    return LabelCoding(table)


def test_classes_of_cityscapes_are_written_with_its_numbers(tmp_path: Path) -> None:
    coding = street(tmp_path / "set")
    convert(open_dataset(tmp_path / "set", classes=coding), tmp_path / "out", to="cityscapes")
    place = tmp_path / "out" / "gtFine" / "ulm"
    assert sorted(path.name for path in place.iterdir()) == [
        f"p{seed}_gtFine_{kind}"
        for seed in range(2)
        for kind in ("color.png", "labelIds.png", "labelTrainIds.png", "polygons.json")
    ]
    ids = read_mask(place / "p0_gtFine_labelIds.png").pixels
    np.testing.assert_array_equal(ids, np.array([7, 26, 23, *[0] * 253], np.uint8)[ids_of(0)])
    trained = read_mask(place / "p0_gtFine_labelTrainIds.png").pixels
    np.testing.assert_array_equal(trained, np.array([0, 13, 10, *[0] * 252, 255], np.uint8)[ids_of(0)])
    assert (tmp_path / "out" / "leftImg8bit" / "ulm" / "p0_leftImg8bit.png").is_file()
    again = open_dataset(tmp_path / "out")
    assert again.table == coding.table
    for mine, theirs in zip(open_dataset(tmp_path / "set", classes=coding), again, strict=True):
        np.testing.assert_array_equal(mine.labels.ids, theirs.labels.ids)  # type: ignore[union-attr]


def test_a_folder_called_photos_is_no_city(tmp_path: Path) -> None:
    save(tmp_path / "set/train/images/a.png", photo_of(0))
    save(tmp_path / "set/train/masks/a.png", ids_of(0))
    convert(open_dataset(tmp_path / "set"), tmp_path / "out", to="cityscapes")
    assert (tmp_path / "out/leftImg8bit/train/photos/a_leftImg8bit.png").is_file()
    assert [record.group for record in open_dataset(tmp_path / "out").records] == [""]


def test_labels_alone_are_listed_with_their_own_size(tmp_path: Path) -> None:
    shutil.rmtree(cityscapes(tmp_path) / "leftImg8bit")
    index = open_dataset(tmp_path)
    assert [record.image for record in index.records] == [None] * 4
    labels = index.labels(0)
    assert labels is not None
    assert labels.hw == (12, 16)


@pytest.mark.parametrize("kept", ["polygons.json", "color.png", "labelTrainIds.png"])
def test_each_kind_that_is_written_for_its_own_classes_says_the_same(tmp_path: Path, kept: str) -> None:
    ids = np.random.default_rng(0).integers(0, 20, (40, 60)).astype(np.uint8).repeat(4, 0).repeat(4, 1)
    ids[ids == 19] = IGNORE
    save(tmp_path / "set" / "images" / "a.png", photo_of(0, ids.shape))
    save(tmp_path / "set" / "masks" / "a.png", ids)
    convert(open_dataset(tmp_path / "set", classes=BY_TRAIN_ID), tmp_path / "out", to="cityscapes")
    for path in (*tmp_path.glob("out/gtFine/*/*"), tmp_path / "out" / "classes.toml"):
        if not path.name.endswith(f"_gtFine_{kept}"):
            path.unlink()
    index = open_dataset(tmp_path / "out")
    assert index.format == "cityscapes"
    assert index.table == BY_TRAIN_ID.table
    assert np.array_equal(index.labels(0).ids, ids)
