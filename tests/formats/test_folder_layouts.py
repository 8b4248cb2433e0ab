from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from data.folders import class_folder, class_masks, instance_map, instances_png, roboflow_mask
from data.layouts import NAMES, ids_of, photo_of, save, write_classes_toml
from tessella.core.annotation import Drawing
from tessella.core.classes import IGNORE, ClassTable, LabelCoding
from tessella.core.errors import ClassTableError, FormatError, LabelError
from tessella.dataset.convert import convert
from tessella.dataset.index import Index, open_dataset
from tessella.formats import choose
from tessella.formats.folders.class_masks import folder_of
from tessella.formats.layout.instances import numbers_objects
from tessella.formats.source import Source

YES = np.where(ids_of(0) == 1, 255, 0).astype(np.uint8)


def ids(index: Index, position: int = 0) -> np.ndarray:
    labels = index.labels(position)
    assert labels is not None
    return labels.ids


def test_roboflows_copies_of_one_photo_form_a_group(tmp_path: Path) -> None:
    root = roboflow_mask(tmp_path)
    save(root / "train" / "p0_jpg.rf.ffff.jpg", photo_of(0))
    save(root / "train" / "p0_jpg.rf.ffff_mask.png", ids_of(0))
    index = open_dataset(root)
    assert sorted(record.group for record in index.records) == ["p0_jpg", "p0_jpg", "p1_jpg", "p2_jpg", "p3_jpg"]
    assert any("1 photo is a copy" in note for note in index.listing.notes)


def test_roboflows_lists_must_agree(tmp_path: Path) -> None:
    root = roboflow_mask(tmp_path)
    (root / "valid" / "_classes.csv").write_text("Pixel Value, Class\n0, a\n1, b\n2, c\n")
    with pytest.raises(ClassTableError, match="two class files of one data set differ"):
        open_dataset(root)


def test_a_list_for_classification_is_not_taken_for_one_of_pixel_values(tmp_path: Path) -> None:
    root = roboflow_mask(tmp_path)
    for path in root.rglob("_classes.csv"):
        path.write_text("filename, car, tree\np0.jpg, 1, 0\n")
    assert choose(Source(root))[0] == "index-mask"


def test_the_masks_of_all_objects_are_one(tmp_path: Path) -> None:
    index = open_dataset(instances_png(tmp_path))
    np.testing.assert_array_equal(ids(index), np.isin(ids_of(0), (1, 2)).astype(np.uint8))
    record = index.records[0]
    assert record.label is not None
    assert [path.name for path in (record.label, *record.parts)] == ["0b.png", "0c.png"]


def test_masks_of_another_size_are_named(tmp_path: Path) -> None:
    root = instances_png(tmp_path)
    save(root / "stage1_train/0f3a/masks/0c.png", np.zeros((4, 4), np.uint8))
    with pytest.raises(LabelError, match=r"0c\.png: two masks of one photo differ in size; got 4x4"):
        open_dataset(root).labels(0)


def test_one_mask_with_the_photos_name_is_not_a_mask_per_object(tmp_path: Path) -> None:
    for seed in range(2):
        save(tmp_path / f"{seed}/images/{seed}.png", photo_of(seed))
        save(tmp_path / f"{seed}/masks/{seed}.png", ids_of(seed))
    assert choose(Source(tmp_path))[0] == "index-mask"


def test_the_nuclei_are_read(shared_data: Path) -> None:
    index = open_dataset(shared_data / "dsb2018_instances")
    record = next(record for record in index.records if len(record.parts) > 20)
    found = ids(index, index.records.index(record))
    assert set(np.unique(found)) == {0, 1}


def test_object_numbers_are_told_from_classes() -> None:
    cells = np.zeros((40, 40), np.uint16)
    for number in range(16):
        row, column = divmod(number, 4)
        cells[row * 10 : row * 10 + 8, column * 10 : column * 10 + 8] = number + 1
    assert numbers_objects(cells)
    assert not numbers_objects(cells.astype(np.uint8))  # a face has as many parts, each in one piece
    assert not numbers_objects(cells % 5)  # four classes in many places
    assert not numbers_objects(np.where(cells > 0, cells * 100, 0).astype(np.uint16))  # numbers far apart
    assert not numbers_objects(np.where(cells <= 7, cells, 0).astype(np.uint16))  # too few to tell
    assert not numbers_objects(np.zeros((0, 4), np.uint8))
    scattered = np.tile(np.arange(1, 17, dtype=np.uint8), (4, 4))
    assert not numbers_objects(scattered)


def test_object_numbers_become_one_class_and_stacks_are_left_out(tmp_path: Path) -> None:
    index = open_dataset(instance_map(tmp_path))
    assert index.format == "instance-map"
    assert set(np.unique(ids(index))) == {0, 1}
    assert not any(record.label and not record.key for record in index.records)


def test_the_folder_is_the_class_where_one_says_that_there_is_nothing(tmp_path: Path) -> None:
    index = open_dataset(class_folder(tmp_path))
    assert index.table.names == ("background", "MT_Crack", "MT_Fray")
    by_name = {record.name: position for position, record in enumerate(index.records)}
    found = ids(index, by_name["MT_Fray/Imgs/p1"])
    np.testing.assert_array_equal(found == index.table.id_of("MT_Fray"), ids_of(1) == 1)


def test_a_folder_of_faultless_parts_is_background(tmp_path: Path) -> None:
    for name in ("scratch", "good"):
        for seed in range(2):
            save(tmp_path / name / f"{seed}.jpg", photo_of(seed))
            save(tmp_path / name / f"{seed}.png", YES if name == "scratch" else np.zeros_like(YES))
    index = open_dataset(tmp_path)
    assert index.format == "class-folder"
    assert index.table.names == ("background", "scratch")
    assert [int(ids(index, position).max()) for position in range(4)] == [0, 0, 1, 1]


@pytest.mark.parametrize(
    "names", [("aachen", "ulm"), ("patient_1", "free"), ("site_north", "site_south"), ("train", "val"), ("Dataset 1",)]
)
def test_folders_of_other_things_are_no_classes(tmp_path: Path, names: tuple[str, ...]) -> None:
    for name in names:
        save(tmp_path / name / "0.jpg", photo_of(0))
        save(tmp_path / name / "0.png", YES)
    assert choose(Source(tmp_path))[0] == "index-mask"
    with_digits = open_dataset(tmp_path, format="class-folder")
    assert len(with_digits.table) == len(set(names) - {"free"}) + 1


def test_masks_that_say_more_than_yes_are_no_class_folders(tmp_path: Path) -> None:
    for name in ("MT_a", "MT_free"):
        save(tmp_path / name / "0.jpg", photo_of(0))
        save(tmp_path / name / "0.png", ids_of(0))
    assert choose(Source(tmp_path))[0] == "index-mask"


def test_mvtecs_masks_are_of_the_kind_of_fault(tmp_path: Path) -> None:
    for fault in ("hole", "scratch", "good"):
        save(tmp_path / f"bottle/test/{fault}/000.png", photo_of(0))
        if fault != "good":
            save(tmp_path / f"bottle/ground_truth/{fault}/000_mask.png", YES)
    index = open_dataset(tmp_path)
    assert index.table.names == ("background", "hole", "scratch")
    assert [record.key for record in index.records] == ["", "hole", "scratch"]
    assert len(index.labelled()) == 2


def test_a_folder_that_is_no_class_of_the_given_table_is_refused(tmp_path: Path) -> None:
    coding = LabelCoding(ClassTable.from_names(("background", "MT_Crak")))
    with pytest.raises(LabelError, match="did you mean 'MT_Crak'"):
        open_dataset(class_folder(tmp_path), classes=coding)


def test_one_mask_per_class_is_put_together(tmp_path: Path) -> None:
    index = open_dataset(class_masks(tmp_path))
    np.testing.assert_array_equal(ids(index), ids_of(0))
    assert any("pixels in no mask are ignored" in note for note in index.listing.notes)


def test_without_masks_of_the_background_the_rest_is_background(tmp_path: Path) -> None:
    root = class_masks(tmp_path)
    for path in (root / "masks" / "background").iterdir():
        path.unlink()
    index = open_dataset(root)
    np.testing.assert_array_equal(ids(index), np.where(ids_of(0) == 255, 0, ids_of(0)))
    assert any("pixels in no mask are background" in note for note in index.listing.notes)


def test_classes_may_be_in_the_names_of_masks(tmp_path: Path) -> None:
    for seed in range(2):
        save(tmp_path / "images" / f"a_{seed}.jpg", photo_of(seed))
        for value in (1, 2):
            save(tmp_path / "masks" / f"a_{seed}_{NAMES[value]}.png", ((ids_of(seed) == value) * 255).astype(np.uint8))
    index = open_dataset(tmp_path)
    assert index.format == "class-masks"
    assert index.table.names == NAMES
    np.testing.assert_array_equal(ids(index, 1), np.where(ids_of(1) == 255, 0, ids_of(1)))


def test_pixels_of_two_classes_are_counted_and_the_later_class_counts(tmp_path: Path) -> None:
    save(tmp_path / "images" / "a.jpg", photo_of(0))
    both = np.full((12, 16), 255, np.uint8)
    save(tmp_path / "masks" / "road" / "a.png", both)
    save(tmp_path / "masks" / "tree" / "a.png", YES)
    index = open_dataset(tmp_path)
    count = int((YES > 0).sum())
    assert any(note.startswith(f"{count} px of 1 photo belong to two classes") for note in index.listing.notes)
    np.testing.assert_array_equal(ids(index), np.where(YES > 0, 2, 1))


@pytest.mark.parametrize("names", [("train", "val"), ("COLOR", "LABELS"), ("0", "1")])
def test_folders_of_masks_that_are_no_classes_are_left_alone(tmp_path: Path, names: tuple[str, ...]) -> None:
    save(tmp_path / "img" / "a.jpg", photo_of(0))
    for name in names:
        save(tmp_path / "gt" / name / "a.png", ids_of(0))
    with pytest.raises(FormatError):
        open_dataset(tmp_path)


@pytest.mark.parametrize(
    ("name", "folder"),
    [("road", "road"), ("tree/bush", "tree%2Fbush"), ("..", "%2E%2E"), (".x", "%2Ex"), ("a ", "a%20"), ("é", "%C3%A9")],
)
def test_a_class_becomes_a_folder_that_any_disk_takes(name: str, folder: str) -> None:
    assert folder_of(name) == folder


def test_a_photo_without_any_class_stays_ignored(tmp_path: Path) -> None:
    save(tmp_path / "set/images/a.png", photo_of(0))
    save(tmp_path / "set/masks/a.png", np.full((12, 16), 255, np.uint8))
    save(tmp_path / "set/images/b.png", photo_of(1))
    save(tmp_path / "set/masks/b.png", ids_of(1))
    write_classes_toml(tmp_path / "set")
    convert(open_dataset(tmp_path / "set"), tmp_path / "out", to="class-masks")
    assert (ids(open_dataset(tmp_path / "out")) == IGNORE).all()


def test_classes_with_names_that_no_disk_takes_survive(tmp_path: Path) -> None:
    save(tmp_path / "set/images/a.png", photo_of(0))
    save(tmp_path / "set/masks/a.png", ids_of(0))
    coding = LabelCoding(ClassTable.from_names(("..", "train/val", "images")))
    convert(open_dataset(tmp_path / "set", classes=coding), tmp_path / "out", to="class-masks")
    again = open_dataset(tmp_path / "out")
    assert again.table == coding.table
    np.testing.assert_array_equal(ids(again), ids_of(0))


def test_a_class_file_says_that_values_are_classes(tmp_path: Path) -> None:
    root = instance_map(tmp_path)
    (root / "classes.txt").write_text("\n".join(f"part {number}" for number in range(10)))
    assert choose(Source(root))[0] == "index-mask"


def test_many_numbers_in_8_bits_count_objects() -> None:
    cells = np.zeros((70, 70), np.uint8)
    for number in range(49):
        row, column = divmod(number, 7)
        cells[row * 10 : row * 10 + 8, column * 10 : column * 10 + 8] = number + 1
    assert numbers_objects(cells)


@given(
    ids=arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.sampled_from([0, 1, 2, 3, 255])),
    names=st.lists(st.text("ab/.% é\\", min_size=1).filter(str.strip), min_size=4, max_size=4, unique_by=str.casefold),
    to=st.sampled_from(["class-masks", "array-mask", "cityscapes"]),
)
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_is_written_is_read_again(ids: np.ndarray, names: list[str], to: str) -> None:
    coding = LabelCoding(ClassTable.from_names(names))
    with TemporaryDirectory() as folder:
        root = Path(folder)
        save(root / "set/images/a.png", photo_of(0, ids.shape))
        save(root / "set/masks/a.png", ids)
        convert(open_dataset(root / "set", classes=coding), root / "out", to=to)
        again = open_dataset(root / "out")
        assert (again.format, again.table) == (to, coding.table)
        labels = again.labels(0)
    assert labels is not None
    np.testing.assert_array_equal(labels.ids, ids)


def test_objects_stay_apart_on_their_way_into_coco(tmp_path: Path) -> None:
    instances_png(tmp_path / "nuclei")
    instance_map(tmp_path / "cells")
    for name, objects in (("nuclei", 2), ("cells", 9)):
        index = open_dataset(tmp_path / name)
        convert(index, tmp_path / f"{name}_coco", to="coco")
        again = open_dataset(tmp_path / f"{name}_coco")
        drawing = again.annotation(0)
        assert isinstance(drawing, Drawing)
        assert len({shape.group for shape in drawing.shapes}) == objects
        np.testing.assert_array_equal(ids(again), ids(index))


def test_the_only_class_beside_the_background_names_the_objects(tmp_path: Path) -> None:
    coding = LabelCoding(ClassTable.from_names(("background", "nucleus")))
    index = open_dataset(instances_png(tmp_path), classes=coding)
    assert index.table.names == ("background", "nucleus")
    assert int(ids(index).max()) == 1
