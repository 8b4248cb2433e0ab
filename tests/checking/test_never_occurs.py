"""C101: what is said of classes that no pixel has, and of what could not be counted."""

from pathlib import Path

import pytest

from data.coco import CATEGORIES, block, document, images, photo, row
from data.faulty import NAMES, ids, mask_set, save
from data.layouts import WRITERS
from tessella.checking import check
from tessella.core.classes import ClassTable, LabelCoding
from tessella.core.finding import Finding
from tessella.dataset.index import open_dataset

REMOVE = "remove it from the class table, or correct its stored value, colour or name there"
UNCOUNTED = "see first to the labels that could not be counted: it may occur there"


def never(root: Path, *more: str) -> list[Finding]:
    coding = LabelCoding(ClassTable.from_names((*NAMES, *more))) if more else None
    return check(open_dataset(root, classes=coding)).by_code().get("C101", [])


def _torn(root: Path) -> None:
    path = root / "masks" / "1.png"
    path.write_bytes(path.read_bytes()[:60])


def _without_photo(root: Path) -> None:
    (root / "images" / "1.png").unlink()


def _stray(root: Path) -> None:
    grid = ids()
    grid[0, 0] = 77
    save(root / "masks" / "1.png", grid)


def test_where_all_was_counted_the_class_is_to_be_removed(tmp_path: Path) -> None:
    (finding,) = never(mask_set(tmp_path), "tree")
    assert (finding.severity, finding.what, finding.fix) == ("warning", "the class 'tree' never occurs", REMOVE)


@pytest.mark.parametrize("harm", [_torn, _without_photo, _stray])
def test_where_a_label_was_not_counted_nobody_is_told_to_remove_a_class(tmp_path: Path, harm: object) -> None:
    harm(mask_set(tmp_path))  # type: ignore[operator]
    (finding,) = never(tmp_path, "tree")
    assert finding.what == "the class 'tree' never occurs in the 3 of 4 labels that could be counted whole"
    assert finding.fix == UNCOUNTED


def test_photos_without_labels_count_as_none(tmp_path: Path) -> None:
    (mask_set(tmp_path) / "masks" / "1.png").unlink()
    (finding,) = never(tmp_path, "tree")
    assert finding.what == "the class 'tree' never occurs"


def test_a_shape_of_an_unknown_name_may_be_of_the_class_that_never_occurs(tmp_path: Path) -> None:
    photo(tmp_path / "a.png")
    rows = [row(1, 1, 3, [block(0, 0, 4, 4)]), row(2, 1, 99, [block(4, 4, 8, 8)])]
    document(tmp_path / "a.json", images("a.png"), rows)
    (finding,) = never(tmp_path)
    assert finding.what == "the class 'tree' never occurs in the 0 of 1 labels that could be counted whole"


def test_a_class_that_has_boxes_alone_is_said_to_have_them(tmp_path: Path) -> None:
    photo(tmp_path / "a.png")
    rows = [row(1, 1, 3, [block(0, 0, 4, 4)]), row(2, 1, 17, [], bbox=[1, 1, 4, 4])]
    document(tmp_path / "a.json", images("a.png"), rows, [*CATEGORIES, {"id": 40, "name": "sky"}])
    boxed, missing = sorted(never(tmp_path), key=lambda finding: finding.where, reverse=True)
    assert boxed.what == "the class 'tree' has boxes without outline alone (1): their pixels are ignored"
    assert boxed.fix == "draw outlines in the boxes; without them nothing is learned of it"
    assert (missing.where, missing.fix) == ("sky", REMOVE)


@pytest.mark.parametrize(("count", "findings"), [(10, 10), (11, 1)])
def test_many_classes_that_never_occur_are_one_finding(tmp_path: Path, count: int, findings: int) -> None:
    found = never(mask_set(tmp_path), *(f"c{number:02d}" for number in range(count)))
    assert len(found) == findings
    if findings == 1:
        assert found[0].where == "c00"
        assert found[0].what == "11 of 14 classes never occur: 'c00', 'c01', 'c02', 'c03', 'c04' and 6 more"


def test_a_published_table_may_have_more_classes_than_a_part_of_its_data_set(tmp_path: Path) -> None:
    root = WRITERS["ade20k"](tmp_path)
    (finding,) = never(root)
    assert finding.severity == "info"
    assert finding.what.endswith(" more")
    assert finding.fix == "nothing, where this is a part of the data set: its published table has them"
    table = open_dataset(root).coding
    (given,) = check(open_dataset(root, classes=table)).by_code()["C101"]
    assert given.severity == "warning"


@pytest.mark.parametrize(("layout", "published"), [("cityscapes", True), ("coco-stuff", True), ("index-mask", False)])
def test_formats_say_whether_their_table_is_published(tmp_path: Path, layout: str, published: bool) -> None:
    assert open_dataset(WRITERS[layout](tmp_path)).listing.published is published


def test_a_class_whose_shapes_lie_below_others_is_not_said_to_be_absent(tmp_path: Path) -> None:
    photo(tmp_path / "a.png")
    rows = [row(1, 1, 17, [block(0, 0, 4, 4)]), row(2, 1, 3, [block(0, 0, 8, 8)])]
    document(tmp_path / "a.json", images("a.png"), rows)
    (finding,) = never(tmp_path)
    assert finding.what == "the class 'tree' has no pixel: its shapes (1) lie below others, or cover nothing"
