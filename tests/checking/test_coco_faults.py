"""Faults of COCO's files that reading settles and `check` must still name."""

from pathlib import Path

import numpy as np
import pytest

from data.coco import block, document, images, photo, row
from tessella.checking import check
from tessella.core.classes import ClassTable, LabelCoding
from tessella.core.finding import Finding
from tessella.dataset.index import open_dataset


def found(root: Path, code: str, *rows: dict, categories: list | None = None) -> list[Finding]:
    photo(root / "a.png")
    document(root / "a.json", images("a.png"), list(rows), categories)
    return [finding for finding in check(open_dataset(root)).findings if finding.code == code]


@pytest.mark.parametrize(("outline", "says"), [([1, 1, 5, 6], "2 points"), ([3.5, 2], "1 point")])
def test_an_outline_of_too_few_points_is_found_with_its_annotation(tmp_path: Path, outline: list, says: str) -> None:
    good = row(8, 1, 3, [block(0, 0, 4, 4)])
    (finding,) = found(tmp_path, "G102", good, row(71, 1, 17, [outline]), row(72, 1, 17, [outline]))
    assert (finding.severity, finding.where, finding.fixable) == ("error", "a.json#1", True)
    assert finding.what == (
        f"object 71, a polygon labelled 'tree', has {says} and covers nothing, "
        f"at x {outline[0]:.1f}, y {outline[1]:.1f}; 1 more like it"
    )
    assert "--fix" in finding.fix


def test_a_part_of_two_points_beside_a_good_one_is_a_slip_and_no_loss(tmp_path: Path) -> None:
    (finding,) = found(tmp_path, "G102", row(8, 1, 3, [block(0, 0, 4, 4), [1, 1, 5, 6]]))
    assert (finding.severity, finding.what[:9]) == ("warning", "object 8,")


def test_an_outline_of_too_few_points_changes_no_pixel(tmp_path: Path) -> None:
    found(tmp_path, "G102", row(8, 1, 3, [block(0, 0, 4, 4), [1, 1, 5, 6]]))
    index = open_dataset(tmp_path)
    labels = index.labels(0)
    assert labels is not None
    expected = np.zeros((12, 16), np.uint8)
    expected[:4, :4] = 1
    np.testing.assert_array_equal(labels.ids, expected)
    assert index.listing.left_out == {"outlines of fewer than 3 points": 1}


CARS = [{"id": 3, "name": "car"}, {"id": 5, "name": "car"}, {"id": 6, "name": "bus"}]


def test_categories_of_one_name_are_found_with_their_ids(tmp_path: Path) -> None:
    rows = [row(1, 1, 3, [block(0, 0, 4, 4)]), row(2, 1, 5, [block(8, 4, 12, 8)])]
    (finding,) = found(tmp_path, "C105", *rows, categories=CARS)
    assert (finding.severity, finding.where, finding.fixable) == ("warning", "car", False)
    assert (
        finding.what == "the files list 'car' more than once, with the ids 3 and 5: they are read as one class (32 px)"
    )


def test_categories_of_one_name_are_found_where_the_classes_are_given(tmp_path: Path) -> None:
    found(tmp_path, "C105", row(1, 1, 3, [block(0, 0, 4, 4)]), categories=CARS)
    given = LabelCoding(ClassTable.from_names(("background", "vehicle", "bus")), aliases=(("car", "vehicle"),))
    findings = check(open_dataset(tmp_path, classes=given)).by_code()["C105"]
    assert ["'car' more than once" in finding.what for finding in findings] == [True]


def test_files_that_number_a_category_differently_list_it_once_each(tmp_path: Path) -> None:
    for split, number in (("train", 1), ("val", 5)):
        photo(tmp_path / split / "a.png")
        listed = [{"id": number, "name": "road"}]
        document(tmp_path / split / "a.json", images("a.png"), [row(1, 1, number, [block(0, 0, 4, 4)])], listed)
    assert "C105" not in check(open_dataset(tmp_path)).by_code()
