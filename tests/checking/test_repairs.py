"""What `--fix` does about the rules that need no guess, and that nothing but the fault changes."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data import faulty
from data.faulty import ground, house, labelme, labelme_set, mask_set, polygon, save, save_turned
from data.planted import CASES as FILES
from data.planted import Case
from data.planted_labels import CASES as LABELS
from tessella.checking import FixReport, check, fix
from tessella.dataset import Index, open_dataset

REPAIRED = ("F103", "F104", "F109", "P103", "P104", "L114", "G105", "G107")


def _fixed(root: Path, case: Case | None = None) -> tuple[FixReport, Index]:
    coding = faulty.CODING if case is None else case.coding
    index = open_dataset(root, classes=coding)
    report = fix(index, check(index), root.parent / "fixed")
    return report, open_dataset(root.parent / "fixed", classes=coding)


@pytest.mark.parametrize(
    "case", [case for case in (*FILES, *LABELS) if case.fixable and case.code in REPAIRED], ids=lambda case: case.code
)
def test_a_repaired_copy_is_free_of_the_fault_and_says_what_was_done(case: Case, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    case.make(source)
    case.plant(source)
    before = {path: path.read_bytes() for path in source.rglob("*") if path.is_file()}
    report, copy = _fixed(source, case)
    assert [change.code for change in report.changes if change.code == case.code]
    assert all(change.why for change in report.changes)
    assert case.code not in check(copy).by_code()
    assert {path: path.read_bytes() for path in before} == before


def test_line_ends_are_restored_byte_for_byte(tmp_path: Path) -> None:
    source = mask_set(tmp_path / "source")
    whole = (source / "masks/1.png").read_bytes()
    photo = (source / "images/2.png").read_bytes()
    (source / "masks/1.png").write_bytes(whole.replace(b"\r\n", b"\n"))
    (source / "images/2.png").write_bytes(photo.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
    report, copy = _fixed(source)
    assert (copy.root / "masks/1.png").read_bytes() == whole
    assert (copy.root / "images/2.png").read_bytes() == photo
    assert report.left_out == report.person == ()


def test_a_damaged_file_that_cannot_be_proved_is_left_out_and_left_to_a_person(tmp_path: Path) -> None:
    source = mask_set(tmp_path / "source")
    whole = (source / "masks/1.png").read_bytes()
    (source / "masks/1.png").write_bytes(whole.replace(b"\r\n", b"\n")[:-30] + b"x" * 30)
    report, copy = _fixed(source)
    assert {change.file for change in report.left_out} == {"images/1.png", "masks/1.png"}
    assert [finding.code for finding in report.person if finding.where == "masks/1.png"] == ["F104"]
    assert len(copy) == 3


def test_a_renamed_label_meets_its_photo_in_the_copy(tmp_path: Path) -> None:
    source = mask_set(tmp_path / "source")
    (source / "images/1.png").rename(source / "images/Ab.png")
    (source / "masks/1.png").rename(source / "masks/AB.png")
    report, copy = _fixed(source)
    assert [(change.file, change.what) for change in report.changes] == [("masks/AB.png", "renamed to masks/Ab.png")]
    assert sorted(record.label.name for record in copy.records if record.label) == ["0.png", "2.png", "3.png", "Ab.png"]
    assert copy.listing.orphan_labels == ()


def test_a_mask_of_another_kind_keeps_every_value(tmp_path: Path) -> None:
    source = mask_set(tmp_path / "source")
    Image.fromarray(faulty.ids()).save(source / "masks/1.png", "TIFF")
    _, copy = _fixed(source)
    with Image.open(copy.root / "masks/1.png") as picture:
        assert picture.format == "PNG"
        assert np.array_equal(np.asarray(picture), faulty.ids())


@pytest.mark.parametrize("stored", [np.rot90(faulty.ids()), faulty.ids()], ids=["sideways", "upright"])
def test_a_mask_with_a_mark_of_its_own_lies_as_its_photo_afterwards(stored: np.ndarray, tmp_path: Path) -> None:
    source = mask_set(tmp_path / "source")
    save_turned(source / "masks/1.png", stored, 6)
    _, copy = _fixed(source)
    with Image.open(copy.root / "masks/1.png") as picture:
        assert picture.getexif().get(0x0112, 1) == 1
        assert np.array_equal(np.asarray(picture), faulty.ids())


def test_shapes_without_area_and_drawn_twice_go_and_not_a_pixel_changes(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    labelme_set(source)
    again = polygon("building", (25, 15), (5, 15), (5, 5), (25, 5))
    labelme(source / "1.json", house(), polygon("road", (1, 1), (9, 9), (5, 5)), ground(), again)
    index = open_dataset(source, classes=faulty.CODING)
    before = index[1].labels
    report, copy = _fixed(source)
    after = copy[1].labels
    assert before is not None
    assert after is not None
    assert np.array_equal(before.ids, after.ids)
    assert [(change.code, change.what.split(":")[0]) for change in report.changes] == [
        ("G105", "shape 1"),
        ("G107", "shape 0"),
    ]
    assert [shape.label for shape in copy.annotation(1).shapes] == ["road", "building"]


def test_what_cannot_be_written_in_a_format_is_not_called_fixable(tmp_path: Path) -> None:
    # a mask of arrays: there is no file that a repaired picture could replace
    (tmp_path / "images").mkdir(parents=True)
    (tmp_path / "masks").mkdir()
    for number in range(4):
        save(
            tmp_path / "images" / f"{number}.png",
            faulty.photo(number, (20, 30)) if number == 1 else faulty.photo(number),
        )
        np.save(tmp_path / "masks" / f"{number}.npy", faulty.ids())
    found = check(open_dataset(tmp_path, classes=faulty.CODING)).by_code()["S101"]
    assert [(finding.fixable, "--fix" in finding.fix) for finding in found] == [(False, False)]
