import math
from pathlib import Path

import numpy as np
import pytest
from pycocotools import mask as cocomask
from pycocotools.coco import COCO

from data.coco import CATEGORIES, HW, block, coco, document, images, photo, row
from tessella.core.annotation import Drawing
from tessella.core.classes import IGNORE, ClassTable, LabelCoding
from tessella.core.errors import FormatError, InputError, LabelError
from tessella.dataset.index import Index, open_dataset
from tessella.formats import Source, choose
from tessella.formats.coco.catalogue import read_categories
from tessella.formats.coco.fields import holds_nothing, key_of


def one(root: Path, *rows: dict, categories: list | None = None, hw: tuple[int, int] = HW) -> Index:
    photo(root / "a.png", hw=hw)
    document(root / "a.json", images("a.png", hw=hw), list(rows), categories)
    return open_dataset(root)


def drawing(index: Index, position: int = 0) -> Drawing:
    found = index.annotation(position)
    assert isinstance(found, Drawing)
    return found


def ids(index: Index, position: int = 0) -> np.ndarray:
    labels = index.labels(position)
    assert labels is not None
    return labels.ids


def counts(mask: np.ndarray) -> list[int]:
    flat = np.concatenate([[0], mask.T.ravel(), [2]])
    turns = np.flatnonzero(flat[1:] != flat[:-1])
    return np.diff(np.concatenate([[0], turns])).tolist()


def test_sparse_ids_become_classes_in_their_order_behind_a_background(tmp_path: Path) -> None:
    listed = [{"id": 90, "name": "z"}, {"id": 0, "name": "m"}, {"id": 7, "name": "a", "color": [1, 2, 3]}]
    index = one(tmp_path, row(1, 1, 90, [block(0, 0, 4, 4)]), row(2, 1, 0, [block(4, 0, 8, 4)]), categories=listed)
    assert index.table.names == ("background", "m", "a", "z")
    assert index.table.colours[2] == (1, 2, 3)
    assert np.unique(ids(index), return_counts=True)[1].tolist() == [12 * 16 - 32, 16, 16]
    assert ids(index)[0, 0] == 3
    assert ids(index)[0, 4] == 1


@pytest.mark.parametrize("spelled", ["background", "Background", "_background_"])
def test_a_category_called_background_is_the_background(tmp_path: Path, spelled: str) -> None:
    listed = [{"id": 1, "name": "road"}, {"id": 2, "name": spelled}]
    index = one(tmp_path, row(1, 1, 1, [block(0, 0, 9, 9)]), row(2, 1, 2, [block(2, 2, 4, 4)]), categories=listed)
    assert index.table.names == ("road", "background")
    assert ids(index)[3, 3] == ids(index)[11, 15] == 1


def test_categories_of_one_name_are_one_class_and_a_note_says_which(tmp_path: Path) -> None:
    listed = [{"id": 3, "name": "car"}, {"id": 5, "name": "car"}]
    index = one(tmp_path, row(1, 1, 3, [block(0, 0, 2, 2)]), row(2, 1, 5, [block(4, 4, 6, 6)]), categories=listed)
    assert index.table.names == ("background", "car")
    assert (ids(index) == 1).sum() == 8
    assert "the categories 3 and 5 are all called 'car' and become one class" in index.listing.notes


def test_the_unused_root_of_roboflow_is_no_class(tmp_path: Path) -> None:
    listed = [
        {"id": 0, "name": "facade", "supercategory": "none"},
        {"id": 1, "name": "window", "supercategory": "facade"},
        {"id": 2, "name": "facade", "supercategory": "facade"},
    ]
    index = one(tmp_path, row(1, 1, 2, [block(0, 0, 2, 2)]), categories=listed)
    assert index.table.names == ("background", "window", "facade")
    assert "the unused root category 'facade' is no class" in index.listing.notes
    used = one(tmp_path, row(1, 1, 0, [block(0, 0, 2, 2)]), categories=listed)
    assert used.table.names == ("background", "facade", "window")


def test_a_later_annotation_covers_an_earlier_one(tmp_path: Path) -> None:
    large, small = row(1, 1, 3, [block(0, 0, 10, 10)]), row(2, 1, 17, [block(2, 2, 6, 6)])
    assert ids(one(tmp_path, large, small))[3, 3] == 2
    assert ids(one(tmp_path, small, large))[3, 3] == 1


def test_crowds_are_painted_as_their_class_and_counted(tmp_path: Path) -> None:
    mask = np.zeros(HW, np.uint8)
    mask[2:5, 3:9] = 1
    crowd = row(1, 1, 3, {"size": list(HW), "counts": counts(mask)}, iscrowd=1)
    index = one(tmp_path, crowd)
    np.testing.assert_array_equal(ids(index), mask)
    assert drawing(index).shapes[0].attributes == (("iscrowd", "1"),)
    assert "crowd regions painted as their class: 1" in index.listing.notes


def test_a_box_without_outline_is_ignored_where_no_outline_covers_it_and_counted(tmp_path: Path) -> None:
    boxed = row(1, 1, 3, [], bbox=[2, 1, 8, 6])
    index = one(tmp_path, row(2, 1, 17, [block(0, 0, 4, 4)]), boxed)
    assert index.listing.left_out == {"boxes without outline": 1}
    expected = np.zeros(HW, np.uint8)
    expected[1:7, 2:10] = IGNORE
    expected[:4, :4] = 2
    np.testing.assert_array_equal(ids(index), expected)


def test_classes_that_know_no_ignore_name_get_one_for_boxes(tmp_path: Path) -> None:
    one(tmp_path, row(1, 1, 3, []), row(2, 1, 17, [block(0, 0, 4, 4)]))
    given = LabelCoding(ClassTable.from_names(("background", "tree", "road")), ignore_names=())
    index = open_dataset(tmp_path, classes=given)
    assert index.table == given.table
    assert ids(index)[0, 0] == 1


def test_what_says_nothing_of_pixels_is_counted(tmp_path: Path) -> None:
    rows = [
        row(1, 1, 3, [block(0, 0, 4, 4)], keypoints=[1, 2, 2], num_keypoints=1),
        row(2, 1, 3, [[1, 1, 5, 5]]),
        row(3, 99, 3, [block(0, 0, 4, 4)]),
        {"id": 4, "image_id": 1, "caption": "a road"},
        {"id": 5, "image_id": 1, "category_id": 17},
    ]
    index = one(tmp_path, *rows)
    assert dict(index.listing.left_out) == {
        "sets of keypoints": 1,
        "outlines of fewer than 3 points": 1,
        "captions": 1,
        "labels of whole photos": 1,
        "annotations of photos that are not listed": 1,
    }
    assert (ids(index) == 1).sum() == 16


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([row(1, 1, 3, []), row(2, 1, 3, None)], "2 boxes without outline"),
        ([{"id": 4, "image_id": 1, "caption": "a road"}], "1 captions"),
        ([], "no annotations"),
    ],
)
def test_a_file_without_outlines_is_refused_with_what_it_holds(tmp_path: Path, rows: list, says: str) -> None:
    with pytest.raises(FormatError, match=f"hold no outlines.*{says}"):
        one(tmp_path, *rows)


def test_files_of_boxes_alone_rival_no_masks(tmp_path: Path) -> None:
    from data.layouts import index_mask

    index_mask(tmp_path)
    document(tmp_path / "boxes.json", images("p0.png"), [row(1, 1, 3, [])])
    assert choose(Source(tmp_path))[0] == "index-mask"


def test_splits_come_from_the_files_names_and_photos_of_one_name_are_told_apart(tmp_path: Path) -> None:
    for number, split in enumerate(("train", "val")):
        photo(tmp_path / "images" / f"{split}2017" / "a.png", number)
        path = tmp_path / "annotations" / f"instances_{split}2017.json"
        document(path, images("a.png"), [row(1, 1, 3, [block(0, 0, 4, 4 + number)])])
    index = open_dataset(tmp_path)
    found = {record.split: record.image for record in index.records}
    assert found == {split: tmp_path / "images" / f"{split}2017" / "a.png" for split in ("train", "val")}
    assert [(ids(index, place) == 1).sum() for place in range(2)] == [16, 20]


def test_files_that_number_their_categories_differently_share_classes_by_name(tmp_path: Path) -> None:
    for split, number in (("train", 1), ("val", 5)):
        photo(tmp_path / split / "a.png")
        listed = [{"id": number, "name": "road"}, {"id": number + 1, "name": f"only {split}"}]
        document(tmp_path / split / "a.json", images("a.png"), [row(1, 1, number, [block(0, 0, 4, 4)])], listed)
    index = open_dataset(tmp_path)
    assert index.table.names == ("background", "road", "only train", "only val")
    assert [(ids(index, place) == 1).sum() for place in range(2)] == [16, 16]


def test_an_annotation_that_is_nested_too_deeply_is_refused(tmp_path: Path) -> None:
    deep: list = []
    for _ in range(80):
        deep = [deep]
    with pytest.raises(FormatError, match="nested too deeply"):
        one(tmp_path, row(1, 1, 3, [block(0, 0, 4, 4)]), row(2, 1, 3, [block(0, 0, 4, 4)], more=deep))
    with pytest.raises(FormatError, match=r"annotations\[1\]: .*nested too deeply"):
        open_dataset(tmp_path, format="coco").annotation(0)


def test_roboflows_folders_are_splits_and_hold_the_photos(tmp_path: Path) -> None:
    for split in ("train", "valid", "test"):
        photo(tmp_path / split / "a.png")
        document(
            tmp_path / split / "_annotations.coco.json",
            images("a.png", "gone.png"),
            [row(1, 1, 3, [block(0, 0, 4, 4)])],
        )
    index = open_dataset(tmp_path)
    assert [(record.name, record.split, record.image is None) for record in index.records] == [
        ("test/a", "test", False), ("test/gone", "test", True), ("train/a", "train", False),
        ("train/gone", "train", True), ("valid/a", "val", False), ("valid/gone", "val", True),
    ]  # fmt: skip
    assert "3 of 6 listed photos are not here" in index.listing.notes


def test_a_photo_that_is_not_here_stays_with_the_size_that_is_stated(tmp_path: Path) -> None:
    document(tmp_path / "a.json", images("sub/a.png", hw=(4, 6)), [row(1, 1, 3, [block(0, 0, 2, 2)])])
    index = open_dataset(tmp_path)
    assert [(record.name, record.image) for record in index.records] == [("sub/a", None)]
    assert ids(index).shape == (4, 6)


def test_a_photo_that_is_not_here_without_size_is_an_orphan(tmp_path: Path) -> None:
    photo(tmp_path / "b.png")
    listed = [{"id": 5, "file_name": "a.png"}, {"id": 6, "file_name": "b.png"}]
    document(tmp_path / "a.json", listed, [row(1, 5, 3, [block(0, 0, 2, 2)])])
    index = open_dataset(tmp_path)
    assert index.listing.orphan_labels == ("a.json#5",)
    assert [record.name for record in index.records] == ["b"]
    assert (ids(index) == 0).all()


def test_a_file_without_annotations_labels_nothing(tmp_path: Path) -> None:
    photo(tmp_path / "a.png")
    photo(tmp_path / "b.png")
    document(tmp_path / "instances_train.json", images("a.png"), [row(1, 1, 3, [block(0, 0, 2, 2)])])
    document(tmp_path / "image_info_test.json", images("b.png"), [])
    index = open_dataset(tmp_path)
    assert [(record.name, record.label is None) for record in index.records] == [("a", False), ("b", True)]


def test_of_files_for_the_same_photos_the_instances_are_read(tmp_path: Path) -> None:
    photo(tmp_path / "a.png")
    document(tmp_path / "instances_train.json", images("a.png"), [row(1, 1, 3, [block(0, 0, 2, 2)])])
    document(tmp_path / "stuff_train.json", images("a.png"), [row(1, 1, 17, [block(0, 0, 16, 12)])])
    document(tmp_path / "captions_train.json", images("a.png"), [{"id": 1, "image_id": 1, "caption": "x"}], [])
    index = open_dataset(tmp_path)
    assert (ids(index) == 1).sum() == 4
    notes = " ".join(index.listing.notes)
    assert "stuff_train.json speaks of the same photos" in notes
    assert "captions_train.json speaks of the same photos" in notes
    assert (ids(open_dataset(tmp_path / "stuff_train.json")) == 2).all()


def test_two_files_of_one_kind_for_one_photo_are_refused(tmp_path: Path) -> None:
    photo(tmp_path / "a.png")
    for name in ("first.json", "second.json"):
        document(tmp_path / name, images("a.png"), [row(1, 1, 3, [block(0, 0, 2, 2)])])
    with pytest.raises(FormatError, match=r"describe the same photo.*first\.json and second\.json"):
        open_dataset(tmp_path)


def test_a_photo_that_is_listed_twice_is_refused(tmp_path: Path) -> None:
    photo(tmp_path / "a.png")
    document(tmp_path / "a.json", images("a.png", "./a.png"), [row(1, 1, 3, [block(0, 0, 2, 2)])])
    with pytest.raises(FormatError, match=r"a\.json: the same photo is listed twice; got 1 and 2 are both a\.png"):
        open_dataset(tmp_path)


@pytest.mark.parametrize("form", ["flat", "pairs", "parts"])
def test_polygons_are_read_in_every_form_that_tools_write(tmp_path: Path, form: str) -> None:
    ring = block(1, 1, 5, 4)
    segmentation = {
        "flat": ring,
        "pairs": [[[1, 1], [5, 1], [5, 4], [1, 4]]],
        "parts": [block(1, 1, 5, 2), [], block(1, 2, 5, 4)],
    }[form]
    assert (ids(one(tmp_path, row(1, 1, 3, segmentation))) == 1).sum() == 12


@pytest.mark.parametrize(
    ("segmentation", "says"),
    [
        ([[1, 2, 3]], "no points"),
        ([[1, 2, 3, 4, 5, 6, 7]], "no points"),
        (7, "neither a list nor an object"),
        ({"size": [12, 16], "counts": [1, 2]}, "do not fill"),
        ({"size": [12, 16]}, "not a list"),
        ({"counts": [192]}, "another size"),
        ({"size": [16, 12], "counts": [192]}, r"another size.*width before height"),
        ({"size": [12, 16], "counts": "~~~"}, "damaged"),
    ],
)
def test_a_broken_outline_is_named_by_its_place(tmp_path: Path, segmentation: object, says: str) -> None:
    index = one(tmp_path, row(1, 1, 3, segmentation))
    with pytest.raises(FormatError, match=rf"a\.json#1: annotations\[0\]: .*{says}"):
        index.annotation(0)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"images": [', "not valid JSON"),
        ('{"images": [], "images": [], "annotations": []}', "twice"),
        ('{"images": [{"id": 1, "file_name": "a.png"}, {"id": 1.0}], "annotations": []}', "id of its own"),
        ('{"images": [{"id": [1]}], "annotations": []}', "id of its own"),
        ('{"images": [7], "annotations": []}', "id of its own"),
        ('{"images": [{"id": 1, "height": -3, "width": 4}], "annotations": []}', "whole number"),
        ('{"images": [], "annotations": {}}', "valid JSON"),
        ('{"images": [], "annotations": [7]}', r"annotations\[0\]"),
        ('{"images": [], "annotations": [{"image_id": []}]}', r"annotations\[0\]"),
        ('{"images": [], "annotations": [], "categories": [{"name": "a"}]}', "id of its own"),
        ('{"images": [], "annotations": [], "categories": 5}', "list of objects"),
        ('{"images": [], "annotations": [{"bbox": [NaN]}]}', "JSON"),
    ],
)
def test_a_broken_file_is_an_error_that_names_it(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(InputError, match=rf"a\.json.*{says}"):
        open_dataset(tmp_path / "a.json", format="coco")


def test_a_key_that_occurs_twice_in_an_annotation_is_refused_when_it_is_read(tmp_path: Path) -> None:
    index = one(tmp_path, row(1, 1, 3, [block(0, 0, 4, 4)]))
    text = (tmp_path / "a.json").read_text()
    (tmp_path / "a.json").write_text(text.replace('"category_id": 3', '"category_id": 17, "category_id": 3'))
    with pytest.raises(FormatError, match="changed while"):
        index.annotation(0)
    with pytest.raises(FormatError, match=r"annotations\[0\]: the key 'category_id' occurs twice"):
        open_dataset(tmp_path, format="coco").annotation(0)


def test_an_empty_mask_covers_nothing_whatever_its_box_says(tmp_path: Path) -> None:
    empty = {"size": list(HW), "counts": [HW[0] * HW[1]]}
    index = one(tmp_path, row(1, 1, 3, empty, bbox=[0, 0, 9, 9]), row(2, 1, 17, [block(0, 0, 2, 2)]))
    assert np.unique(ids(index)).tolist() == [0, 2]


def test_a_category_that_is_not_listed_is_named_when_it_is_painted(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="category_5"):
        one(tmp_path, row(1, 1, 5, [block(0, 0, 4, 4)])).labels(0)


def test_ids_of_every_type_meet(tmp_path: Path) -> None:
    photo(tmp_path / "a.png")
    listed = [{"id": "7", "file_name": "a.png", "height": 12, "width": 16}]
    rows = [row(1, 7, 3, [block(0, 0, 4, 4)]), row(2, 7.0, "17", [block(4, 0, 8, 4)])]
    document(tmp_path / "a.json", listed, rows)
    assert np.unique(ids(open_dataset(tmp_path))).tolist() == [0, 1, 2]


def test_objects_and_attributes_are_kept(tmp_path: Path) -> None:
    said = {"occluded": False, "colour": "red", "rotation": 0.0, "truncated": True}
    rows = [
        row(5, 1, 3, [block(0, 0, 2, 2), block(4, 0, 6, 2)], attributes=said),
        row(5, 1, 3, [block(0, 8, 2, 10)]),
    ]
    shapes = drawing(one(tmp_path, *rows)).shapes
    assert [shape.group for shape in shapes] == ["5", "5", "5#1"]
    assert shapes[0].attributes == (("colour", "red"), ("truncated", "true"))


def test_more_categories_than_ids_are_cut_to_those_that_occur(tmp_path: Path) -> None:
    listed = [{"id": number, "name": f"c{number}"} for number in range(400)]
    index = one(tmp_path, row(1, 1, 399, [block(0, 0, 2, 2)]), categories=listed)
    assert index.table.names == ("background", "c399")
    assert "categories that no annotation uses, which are left out: 399" in index.listing.notes
    rows = [row(number, 1, number, [block(0, 0, 2, 2)]) for number in range(300)]
    with pytest.raises(LabelError, match="more classes than a label map can hold"):
        one(tmp_path, *rows, categories=listed)


def test_paths_of_windows_and_ways_out_of_the_folder(tmp_path: Path) -> None:
    photo(tmp_path / "set" / "images" / "a.png")
    photo(tmp_path / "out.png")
    listed = images("C:\\data\\images\\a.png", "../out.png", "/etc/passwd.png")
    document(tmp_path / "set" / "a.json", listed, [row(1, 1, 3, [block(0, 0, 2, 2)])])
    index = open_dataset(tmp_path / "set")
    assert [(record.name, record.image) for record in index.records] == [
        ("etc/passwd", None),
        ("images/a", tmp_path / "set" / "images" / "a.png"),
        ("out", None),
    ]


def test_a_large_file_is_known_by_looking_in_between(tmp_path: Path) -> None:
    photo(tmp_path / "a.png")
    listed = images("a.png", *(f"{number:0200d}.png" for number in range(75_000)))
    document(tmp_path / "a.json", listed, [row(number, 1, 3, [block(0, 0, 2, 2)]) for number in range(3000)])
    assert (tmp_path / "a.json").stat().st_size > 1 << 24
    assert choose(Source(tmp_path))[0] == "coco"


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of pycocotools
def test_a_thousand_random_annotations_cover_the_pixels_of_pycocotools(tmp_path: Path) -> None:
    """Polygons of one to three parts with fractions, far out and tiny ones; masks in both forms."""
    rng = np.random.default_rng(0)
    hw, rows = (61, 83), []
    for number in range(1000):
        kind = number % 4
        if kind < 2:
            parts = [
                (rng.normal(40, [12, 60][kind], (int(rng.integers(3, 20)), 2))).round(int(rng.integers(0, 4))).ravel()
                for _ in range(int(rng.integers(1, 4)))
            ]
            outline: object = [part.tolist() for part in parts]
        else:
            mask = np.asfortranarray(rng.random(hw) < rng.random(), np.uint8)
            packed = cocomask.encode(mask)
            text = {"size": list(hw), "counts": packed["counts"].decode()}
            outline = text if kind == 2 else {"size": list(hw), "counts": counts(mask)}
        rows.append(row(number + 1, number + 1, 3, outline))
    listed = images(*(f"{number}.png" for number in range(1000)), hw=hw)
    path = document(tmp_path / "a.json", listed, rows)
    oracle, index = COCO(path), open_dataset(tmp_path)
    for place, record in enumerate(index.records):
        [annotation] = oracle.loadAnns(oracle.getAnnIds(int(record.key)))
        np.testing.assert_array_equal(ids(index, place), oracle.annToMask(annotation), err_msg=str(annotation))


def test_its_content_crosses_processes_and_stays_small(tmp_path: Path) -> None:
    import pickle

    listing = open_dataset(coco(tmp_path)).listing
    again = pickle.loads(pickle.dumps(listing))  # noqa: S301 - our own object
    assert Index(again, again.records).labels(3) is not None


@pytest.mark.parametrize(
    ("value", "key"),
    [(7, "7"), (7.0, "7"), ("7", "7"), (-1, "-1"), (1.5, "1.5"), (True, ""), (None, ""), ([1], ""), (10**60, "")],
)
def test_ids_are_text(value: object, key: str) -> None:
    assert key_of(value) == key


@pytest.mark.parametrize("text", [b"[]", b"[[]]", b" [ [ ] , [] ] ", b"null", b"false", b'""', b"{}", b"0", b"0.0"])
def test_a_field_that_holds_nothing(text: bytes) -> None:
    assert holds_nothing(text)
    assert not holds_nothing(b"[1]")
    assert not holds_nothing(b"x" * 100)


def test_colours_that_are_none_or_taken_are_replaced(tmp_path: Path) -> None:
    bad = [[0, 0, 0], [0, 0, 0], "red", [1, 2], [300, 0, 0], [math.inf, 0, 0], [True, 0, 0]]
    listed = [{"id": number, "name": str(number), "color": colour} for number, colour in enumerate(bad)]
    assert [one.colour for one in read_categories(listed, where=tmp_path)][1:] == [(0, 0, 0), *[None] * 5]
    index = one(tmp_path, row(1, 1, 0, [block(0, 0, 2, 2)]), categories=listed[:3] + CATEGORIES)
    assert len(set(index.table.colours)) == len(index.table)


def test_a_set_that_has_real_faults(shared_data: Path) -> None:
    index = open_dataset(shared_data / "facade_coco")
    assert index.table.names[:4] == ("background", "balcony-fence", "car", "facade")
    assert (len(index), len(index.labelled())) == (191, 80)
    assert {record.split for record in index.records} == {"val", "test"}
