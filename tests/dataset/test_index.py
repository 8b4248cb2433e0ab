from pathlib import Path

import numpy as np
import pytest

from data.layouts import NAMES, box, camvid, ids_of, index_mask, labelme, labelme_file, photo_of, save
from tessella.core.errors import ClassTableError, FormatError, InputError, LabelError
from tessella.dataset.cache import DecodedCache
from tessella.dataset.index import open_dataset


def test_a_sample_holds_photo_labels_and_name(tmp_path: Path) -> None:
    index = open_dataset(index_mask(tmp_path))
    sample = index[2]
    assert sample.labels is not None
    np.testing.assert_array_equal(sample.image.pixels, photo_of(2))
    np.testing.assert_array_equal(sample.labels.ids, ids_of(2))
    assert sample.name == "images/p2"
    assert sample.source.endswith("masks/p2.png")
    assert index[-1].name == "images/p3"


def test_an_index_can_be_walked_and_ends(tmp_path: Path) -> None:
    index = open_dataset(index_mask(tmp_path))
    assert [sample.name for sample in index] == [f"images/p{n}" for n in range(4)]
    with pytest.raises(IndexError):
        _ = index[4]


def test_splits_part_the_index(tmp_path: Path) -> None:
    index = open_dataset(camvid(tmp_path))
    assert index.split_names == ("train", "val")
    train, val = index.split("train"), index.split("val")
    assert (len(train), len(val)) == (3, 1)
    assert val.split_names == ("val",)
    assert val[0].group == "0001TP"
    assert not set(train.records) & set(val.records)


def test_dropping_unlabelled_photos_first_or_last_gives_the_same_split(tmp_path: Path) -> None:
    root = index_mask(tmp_path, count=12)
    (root / "masks" / "p5.png").unlink()
    index = open_dataset(root)
    first = [record.name for record in index.labelled().split("val").records]
    assert first == [record.name for record in index.split("val").labelled().records]
    assert "images/p5" not in first


def test_a_subset_keeps_the_splits_it_was_cut_from(tmp_path: Path) -> None:
    index = open_dataset(index_mask(tmp_path, count=12))
    part = index.subset([0, 3, 4])
    assert part.splits == tuple(index.splits[n] for n in (0, 3, 4))


def test_labels_of_another_size_than_the_photo_are_an_error(tmp_path: Path) -> None:
    root = index_mask(tmp_path)
    save(root / "masks" / "p1.png", ids_of(0, (12, 15)))
    with pytest.raises(LabelError, match=r"another size.*15x12.*16x12"):
        _ = open_dataset(root)[1]


def test_drawings_are_painted_at_the_photos_size_not_the_declared_one(tmp_path: Path) -> None:
    save(tmp_path / "a.png", photo_of(0, (20, 30)))
    labelme_file(tmp_path / "a.json", [box("x", 0, 0, 9, 9)], photo="a.png", hw=(5, 5))
    labels = open_dataset(tmp_path).labels(0)
    assert labels is not None
    assert labels.hw == (20, 30)


def test_the_fill_rule_can_be_the_tools(tmp_path: Path) -> None:
    root = labelme(tmp_path)
    ours, tools = open_dataset(root).labels(0), open_dataset(root, fill="tool").labels(0)
    assert ours is not None
    assert tools is not None
    assert (tools.ids == 1).sum() > (ours.ids == 1).sum()


def test_an_annotation_file_stands_for_its_folder(tmp_path: Path) -> None:
    root = labelme(tmp_path)
    assert len(open_dataset(root / "p1.json")) == 4


def test_classes_may_come_from_a_file(tmp_path: Path) -> None:
    root = index_mask(tmp_path / "set")
    (tmp_path / "names.txt").write_text("a\nb\nc\n")
    index = open_dataset(root, classes=tmp_path / "names.txt")
    assert index.table.names == ("a", "b", "c")
    assert not index.listing.discovered
    assert open_dataset(root).table.names == NAMES


def test_a_class_table_with_a_duplicate_is_refused(tmp_path: Path) -> None:
    root = index_mask(tmp_path)
    (root / "classes.toml").write_text('[[classes]]\nname = "a"\n[[classes]]\nname = "a"\n')
    with pytest.raises(ClassTableError, match=r"classes\.toml: two classes share the name 'a'"):
        open_dataset(root)


def test_what_was_read_and_why_is_noted(tmp_path: Path) -> None:
    index = open_dataset(index_mask(tmp_path))
    assert index.listing.notes[0] == "read as index-mask: 4 photos have a single-channel mask"
    assert "classes from classes.toml" in index.listing.notes


@pytest.mark.parametrize("name", ["voc", "camvid", "labelme", "index-mask", "colour-mask"])
def test_a_format_named_for_the_wrong_folder_is_one_clear_error(tmp_path: Path, name: str) -> None:
    save(tmp_path / "a.png", photo_of(0))
    with pytest.raises(FormatError):
        open_dataset(tmp_path, format=name)


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        open_dataset(tmp_path / "nowhere", format="voc")


def test_the_cache_decodes_once_and_stops_at_its_limit(tmp_path: Path) -> None:
    root = index_mask(tmp_path)
    one = 12 * 16 * 4
    cache = DecodedCache(open_dataset(root), max_bytes=2 * one)
    first = cache.read(0)
    assert cache.read(0)[0] is first[0]
    _, _ = cache.read(1), cache.read(2)
    assert cache.bytes_kept == 2 * one
    np.testing.assert_array_equal(cache.read(2)[1], ids_of(2))
    assert len(cache) == 4
    assert not first[0].flags.writeable


def test_the_cache_names_a_broken_photo_every_time_it_is_asked(tmp_path: Path) -> None:
    root = index_mask(tmp_path)
    (root / "images" / "p1.png").write_bytes(b"broken")
    cache = DecodedCache(open_dataset(root), max_bytes=1 << 20)
    for _ in range(2):
        with pytest.raises(InputError, match=r"p1\.png"):
            cache.read(1)


def test_the_cache_refuses_a_photo_without_labels(tmp_path: Path) -> None:
    root = index_mask(tmp_path)
    (root / "masks" / "p1.png").unlink()
    with pytest.raises(LabelError, match="without labels"):
        DecodedCache(open_dataset(root), max_bytes=1 << 20).read(1)
