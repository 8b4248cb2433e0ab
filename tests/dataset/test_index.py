from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data.layouts import (
    NAMES,
    box,
    camvid,
    colour_mask,
    ids_of,
    index_mask,
    labelme,
    labelme_file,
    photo_of,
    png64,
    save,
    shape,
    voc,
)
from tessella.checking import check
from tessella.core.errors import ClassTableError, FormatError, ImageError, InputError, LabelError
from tessella.dataset.cache import DecodedCache
from tessella.dataset.facts import measure
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


@pytest.mark.parametrize("stated", [(40, 60), (30, 20)])
def test_a_drawing_made_on_another_size_is_an_error_with_the_cure(tmp_path: Path, stated: tuple[int, int]) -> None:
    save(tmp_path / "a.png", photo_of(0, (20, 30)))
    labelme_file(tmp_path / "a.json", [box("x", 0, 0, 9, 9)], photo="a.png", hw=stated)
    index = open_dataset(tmp_path)
    says = rf"a\.json: .*another size.*got {stated[1]}x{stated[0]} .*expected 30x20.*tessella check --fix"
    with pytest.raises(LabelError, match=says):
        index.labels(0)
    with pytest.raises(LabelError, match=says):
        _ = index[0]


def test_a_drawing_made_on_the_photo_before_exif_turned_it_is_an_error(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(photo_of(0, (20, 30))).save(tmp_path / "a.jpg", exif=exif)
    labelme_file(tmp_path / "a.json", [box("x", 0, 0, 9, 9)], photo="a.jpg", hw=(20, 30))
    with pytest.raises(LabelError, match="expected 20x30 as the photo is shown"):
        open_dataset(tmp_path).labels(0)
    labelme_file(tmp_path / "a.json", [box("x", 0, 0, 9, 9)], photo="a.jpg", hw=(30, 20))
    labels = open_dataset(tmp_path).labels(0)
    assert labels is not None
    assert labels.hw == (30, 20)


def test_a_drawing_of_another_size_is_counted_as_broken_and_found_by_check(tmp_path: Path) -> None:
    root = labelme(tmp_path)
    labelme_file(root / "p2.json", [box("road", 0, 0, 32, 24)], photo="p2.png", hw=(24, 32))
    index = open_dataset(root)
    facts = measure(index)
    assert (facts.measured, facts.broken) == (3, 1)
    assert [(found.code, found.where) for found in check(index).findings if found.severity == "error"] == [
        ("S101", "p2.json")
    ]


def test_the_fill_rule_can_be_the_tools(tmp_path: Path) -> None:
    root = labelme(tmp_path)
    ours, tools = open_dataset(root).labels(0), open_dataset(root, fill="tool").labels(0)
    assert ours is not None
    assert tools is not None
    assert (tools.ids == 1).sum() > (ours.ids == 1).sum()


def test_an_annotation_file_is_opened_alone(tmp_path: Path) -> None:
    root = labelme(tmp_path)
    assert [record.name for record in open_dataset(root / "p1.json").records] == ["p1"]


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


@pytest.mark.parametrize("layout", [index_mask, colour_mask, voc, camvid, labelme])
def test_the_pixel_budget_of_a_data_set_holds_for_its_photos_and_masks(
    tmp_path: Path, layout: Callable[[Path], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = layout(tmp_path)
    narrow = open_dataset(root, classes=open_dataset(root).coding, max_pixels=12 * 16 - 1)
    with pytest.raises(ImageError, match="16x12 = 192 pixels; expected at most 191"):
        narrow.image(0)
    if layout is not labelme:  # shapes have no pixels
        with pytest.raises(ImageError, match="at most 191"):
            narrow.labels(0)
    monkeypatch.setattr("tessella.files.images.PHOTO_BUDGET", 100)
    wide = open_dataset(root, max_pixels=12 * 16)
    assert wide[0].image.hw == (12, 16)
    assert wide.table.names == open_dataset(root, max_pixels=10**9).table.names
    with pytest.raises(ImageError, match="at most 100"):
        open_dataset(root, classes=wide.coding).image(0)


def test_a_mask_and_a_photo_embedded_in_a_labelme_file_keep_to_the_budget(tmp_path: Path) -> None:
    labelme_file(
        tmp_path / "a.json",
        [shape("a", [[0, 0], [15, 11]], "mask", mask=png64(np.ones((12, 16), np.uint8)))],
        photo="gone.png",
        imageData=png64(photo_of(0)),
    )
    narrow = open_dataset(tmp_path, max_pixels=191)
    for read in (narrow.image, narrow.annotation):
        with pytest.raises(ImageError, match="at most 191"):
            read(0)
    assert open_dataset(tmp_path, max_pixels=192)[0].image.hw == (12, 16)
