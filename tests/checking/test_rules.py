"""Every rule on a planted fault, and on clean data."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from data import faulty, planted, planted_labels, planted_sets
from data.faulty import ground, house, labelme, labelme_set, mask_set, polygon, save, save_turned
from data.planted import Case
from tessella.checking import RULES, check
from tessella.core.classes import ClassTable, LabelCoding
from tessella.core.finding import Finding
from tessella.dataset import open_dataset

BINARY = LabelCoding(ClassTable.from_names(("background", "cell")), values=((0,), (255,)), ignore_values=())


def _nothing(root: Path) -> None:
    """The set is made with its fault."""


def _copy_photo_with_another_label(root: Path) -> None:
    _copy_photo(root)
    _value_7(root)
    shutil.move(root / "masks/1.png", root / "masks/3.png")


def _copy_photo_without_label(root: Path) -> None:
    _copy_photo(root)
    (root / "masks/3.png").unlink()


def _cut_json(root: Path) -> None:
    path = root / "2.json"
    path.write_text(path.read_text()[:60])


def _value_7(root: Path) -> None:
    grid = faulty.ids()
    grid[20, 30:33] = 7
    save(root / "masks/1.png", grid)


def _two_pixels_of_7(root: Path) -> None:
    grid = faulty.ids()
    grid[20, 30:32] = 7
    save(root / "masks/1.png", grid)


def _rgb_ids(root: Path) -> None:
    save(root / "masks/1.png", np.dstack([faulty.ids()] * 3))


def _rgb_colours(root: Path) -> None:
    save(root / "masks/1.png", faulty.CODING.table.palette()[faulty.ids()])


def _rgb_unknown(root: Path) -> None:
    save(root / "masks/1.png", faulty.photo(3))


def _binary(root: Path, *, spoil: Callable[[np.ndarray], np.ndarray] | None = None, suffix: str = ".png") -> Path:
    for number in range(4):
        pixels = faulty.disc().astype(np.uint8) * 255
        if spoil is not None and number == 1:
            pixels = spoil(pixels)
        save(root / "images" / f"{number}.png", faulty.photo(number, pixels.shape))
        save(root / "masks" / f"{number}{suffix if number == 1 else '.png'}", pixels)
    return root


def _soft(root: Path) -> Path:
    return _binary(root, spoil=lambda _: faulty.soft(faulty.disc((384, 480), 120).astype(np.uint8) * 255))


def _was_jpeg(root: Path) -> Path:
    return _binary(root, spoil=faulty.jpeg)


def _is_jpeg(root: Path) -> Path:
    return _binary(root, suffix=".jpg")


def _jpeg_of_close_ids(root: Path) -> None:
    (root / "masks/1.png").unlink()
    save(root / "masks/1.jpg", np.zeros(faulty.HW, np.uint8))


def _edit(name: str, *shapes: dict, hw: tuple[int, int] = faulty.HW) -> Callable[[Path], None]:
    return lambda root: labelme(root / name, *shapes, hw=hw) and None


def _sideways_mask(root: Path) -> None:
    save_turned(root / "images/1.jpg", np.rot90(faulty.photo(1)), 6)
    (root / "images/1.png").unlink()
    save(root / "masks/1.png", np.rot90(faulty.ids()))


def _sideways_drawing(root: Path) -> None:
    save_turned(root / "1.jpg", np.rot90(faulty.photo(1)), 6)
    (root / "1.png").unlink()
    labelme(root / "1.json", polygon("building", (5, 35), (15, 35), (15, 55)), hw=(60, 40), photo_name="1.jpg")


def _half_turned_photo(root: Path) -> None:
    (root / "images/1.png").unlink()
    save_turned(root / "images/1.jpg", faulty.photo(1), 3)


def _half_photo(root: Path) -> None:
    save(root / "images/1.png", faulty.photo(1, (20, 30)))


def _cropped_photo(root: Path) -> None:
    save(root / "images/1.png", faulty.photo(1, (40, 40)))


def _copy_photo(root: Path) -> None:
    shutil.copy(root / "images/0.png", root / "images/3.png")


def _leak(root: Path) -> None:
    shutil.copy(root / "val/images/0.png", root / "train/images/2.png")


def _two_splits(root: Path) -> Path:
    return mask_set(mask_set(root, split="train"), split="val")


def _without_roads_in_val(root: Path) -> None:
    for path in (root / "val/masks").iterdir():
        save(path, np.where(faulty.ids() == 2, 0, faulty.ids()).astype(np.uint8))


def _flooded(root: Path) -> Path:
    mask_set(root, count=7)
    save(root / "masks/6.png", np.full(faulty.HW, 1, np.uint8))
    return root


def _one_road_pixel(root: Path) -> Path:
    mask_set(root, count=4)
    for path in (root / "masks").iterdir():
        grid = np.where(faulty.ids() == 2, 0, faulty.ids()).astype(np.uint8)
        grid[30, 30] = 2
        save(path, grid)
    return root


def _twelve(root: Path) -> Path:
    return mask_set(root, count=12)


def _many_names(root: Path) -> Path:
    labelme_set(root)
    (root / "labels.txt").unlink()
    labelme(root / "3.json", *[house()] * 5, house("bulding"))
    return root


NAN = float("nan")
CASES = (
    Case("F101", _cut_json, ("2.json",), says="not valid JSON", make=labelme_set),
    Case("F101", lambda root: (root / "masks/0.png").write_bytes(b"") and None, ("masks/0.png",), says="empty"),
    Case("P101", lambda root: (root / "masks/1.png").unlink(), ("images/1.png",), "warning"),
    Case("P101", lambda root: (root / "1.json").unlink(), ("1.png",), "warning", make=labelme_set),
    Case("P102", lambda root: (root / "images/1.png").unlink(), ("masks/1.png",)),
    Case("P102", lambda root: (root / "1.png").unlink(), ("1.json",), make=labelme_set),
    Case("A101", _sideways_mask, ("masks/1.png",), says="orientation 6", fixable=True),
    Case("A101", _sideways_drawing, ("1.json",), says="drawing lies as the photo", fixable=True, make=labelme_set),
    Case("A101", _half_turned_photo, ("masks/1.png",), "info", says="do not tell"),
    Case("S101", _half_photo, ("masks/1.png",), says="60x40 where the photo is 30x20 (the same aspect)", fixable=True),
    Case("S101", _cropped_photo, ("masks/1.png",), says="another aspect"),
    Case(
        "S101",
        _edit("1.json", polygon("building", (0, 0), (118, 0), (118, 78)), hw=(80, 120)),
        ("1.json",),
        says="fit what it states",
        fixable=True,
        make=labelme_set,
    ),
    Case(
        "S101",
        _edit("1.json", house(), ground(), hw=(200, 300)),
        ("1.json",),
        says="fit the photo",
        fixable=True,
        make=labelme_set,
    ),
    Case("S101", _edit("1.json", house(), hw=(80, 120)), ("1.json",), says="do not tell", make=labelme_set),
    Case("L101", _value_7, ("masks/1.png",), says="values 7 (3 px) are in no class; first at row 20, column 30"),
    Case("L102", _rgb_ids, ("masks/1.png",), "warning", says="equal channels", fixable=True),
    Case("L102", _rgb_colours, ("masks/1.png",), "warning", says="its colours are those", fixable=True),
    Case("L102", _rgb_unknown, ("masks/1.png",), says="not those of the class table"),
    Case("L103", _nothing, ("masks/1.png",), says="anti-aliased", fixable=True, coding=BINARY, make=_soft),
    Case("L104", _nothing, ("masks/1.png",), says="once", fixable=True, coding=BINARY, make=_was_jpeg),
    Case("L104", _nothing, ("masks/1.jpg",), says="is a JPEG", fixable=True, coding=BINARY, make=_is_jpeg),
    Case("L104", _jpeg_of_close_ids, ("masks/1.jpg",), says="close together"),
    Case(
        "L105",
        _nothing,
        tuple(f"masks/{number}.png" for number in range(4)),
        says="foreground would not be learned",
        fixable=True,
        coding=LabelCoding(BINARY.table),
        make=_binary,
    ),
    Case("L110", _edit("1.json", house("bulding")), ("1.json",), says="'bulding'", fixable=True, make=labelme_set),
    Case("L110", _edit("1.json", house("pond")), ("1.json",), says="'pond'", make=labelme_set),
    Case("L111", _nothing, ("3.json",), "warning", says="nearly 'building'", coding=None, make=_many_names),
    Case("L112", _two_pixels_of_7, ("masks/1.png",), "warning", says="only 2 px in 1 of 12", coding=None, make=_twelve),
    Case(
        "G101",
        _edit("1.json", polygon("road", (0, 30), (97.5, 30), (60, 40)), ground()),
        ("1.json",),
        "warning",
        says="by 37.50 px",
        fixable=True,
        make=labelme_set,
    ),
    Case(
        "G101",
        _edit("1.json", polygon("road", (0, 30), (60.77, 30), (60, 40)), ground()),
        ("1.json",),
        "info",
        says="by 0.77 px",
        fixable=True,
        make=labelme_set,
    ),
    Case(
        "G101",
        _edit("1.json", polygon("road", (90, 30), (97, 30), (95, 40)), ground()),
        ("1.json",),
        says="wholly outside",
        fixable=True,
        make=labelme_set,
    ),
    Case(
        "G102",
        _edit("1.json", polygon("road", (1, 1), (4, 7))),
        ("1.json",),
        says="2 points",
        fixable=True,
        make=labelme_set,
    ),
    Case(
        "G102",
        _edit("1.json", polygon("road", (1, 1), kind="rectangle")),
        ("1.json",),
        says="1 point ",
        fixable=True,
        make=labelme_set,
    ),
    Case(
        "G103",
        _edit("1.json", polygon("road", (1, 1), (NAN, 7), (9, 9), (1, 9))),
        ("1.json",),
        says="1 of 4 points",
        fixable=True,
        make=labelme_set,
    ),
    Case("G103", _edit("1.json", polygon("road", (1, 1), (9, NAN), (1, 9))), ("1.json",), make=labelme_set),
    Case(
        "C101",
        _nothing,
        ("tree",),
        "warning",
        coding=LabelCoding(ClassTable.from_names((*faulty.NAMES, "tree"))),
    ),
    Case("C102", _without_roads_in_val, ("road",), "warning", says="'train' only, not in 'val'", make=_two_splits),
    Case(
        "C103",
        lambda root: save(root / "masks/1.png", np.full(faulty.HW, 255, np.uint8)) and None,
        ("masks/1.png",),
        "warning",
    ),
    Case(
        "C104",
        lambda root: save(root / "masks/1.png", np.zeros(faulty.HW, np.uint8)) and None,
        ("masks/1.png",),
        "info",
        says="'background'",
    ),
    Case("C104", _nothing, ("masks/6.png",), "warning", says="in this photo alone", make=_flooded),
    Case(
        "D101",
        _copy_photo,
        ("images/3.png",),
        "warning",
        says="same photo as images/0.png, with the same",
        fixable=True,
    ),
    Case(
        "D101",
        _copy_photo_with_another_label,
        ("images/3.png",),
        "warning",
        says="another label",
    ),
    Case("D101", _copy_photo_without_label, ("images/3.png",), "info", says="while this one has none"),
    Case("D102", _leak, ("train/images/2.png",), says="as val/images/0.png in 'val'", fixable=True, make=_two_splits),
    Case("C110", _nothing, ("road",), "info", says="'road' 0.04%", make=_one_road_pixel),
    *planted.CASES,
    *planted_labels.CASES,
    *planted_sets.CASES,
)


def _found(case: Case, root: Path) -> list[Finding]:
    case.make(root)
    case.plant(root)
    index = open_dataset(root, classes=case.coding, format=case.format)
    return [finding for finding in check(index).findings if finding.code == case.code]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.code}-{case.says or case.severity}")
def test_a_planted_fault_is_found_where_it_lies(case: Case, tmp_path: Path) -> None:
    found = _found(case, tmp_path)
    assert tuple(finding.where for finding in found) == case.where
    assert {finding.severity for finding in found} == {case.severity}
    assert {finding.fixable for finding in found} == {case.fixable}
    assert all(case.says in finding.what for finding in found)
    assert all(finding.fix for finding in found)


def test_every_rule_has_a_planted_fault() -> None:
    assert {case.code for case in CASES} == set(RULES)


def test_no_finding_is_graver_than_its_rule_says() -> None:
    gravity = ("info", "warning", "error")
    for case in CASES:
        assert gravity.index(case.severity) <= gravity.index(RULES[case.code].severity)
    for code, rule in RULES.items():
        assert rule.severity in {case.severity for case in CASES if case.code == code}


CLEAN = {
    "masks": (mask_set, faulty.CODING),
    "masks whose classes are discovered": (mask_set, None),
    "masks in two splits": (_two_splits, faulty.CODING),
    "twelve masks whose classes are discovered": (_twelve, None),
    "labelme": (labelme_set, None),
    "binary masks": (_binary, BINARY),
    "binary masks whose classes are discovered": (_binary, None),
}


@pytest.mark.parametrize("name", CLEAN)
def test_clean_data_gives_no_finding_at_all(name: str, tmp_path: Path) -> None:
    make, coding = CLEAN[name]
    assert check(open_dataset(make(tmp_path), classes=coding)).findings == ()


def test_a_turned_photo_with_an_upright_mask_is_clean(tmp_path: Path) -> None:
    mask_set(tmp_path)
    (tmp_path / "images/1.png").unlink()
    save_turned(tmp_path / "images/1.jpg", np.rot90(faulty.photo(1)), 6)
    assert check(open_dataset(tmp_path, classes=faulty.CODING)).findings == ()


def test_a_turned_photo_whose_mask_bears_the_same_mark_is_found_even_where_it_is_square(tmp_path: Path) -> None:
    mask_set(tmp_path)
    (tmp_path / "images/1.png").unlink()
    save_turned(tmp_path / "images/1.jpg", faulty.photo(1, (40, 40)), 6)
    save_turned(tmp_path / "masks/1.png", faulty.ids((40, 40)), 6)
    found = [
        finding for finding in check(open_dataset(tmp_path, classes=faulty.CODING)).findings if finding.code == "A101"
    ]
    assert [finding.severity for finding in found] == ["error"]


def test_a_flooded_class_that_others_also_hold_alone_is_only_information(tmp_path: Path) -> None:
    _flooded(tmp_path)
    save(tmp_path / "masks/5.png", np.full(faulty.HW, 1, np.uint8))
    found = check(open_dataset(tmp_path, classes=faulty.CODING)).by_code()["C104"]
    assert {finding.severity for finding in found} == {"info"}


def test_a_class_in_one_split_is_only_information_where_we_drew_the_splits(tmp_path: Path) -> None:
    mask_set(tmp_path, count=5)
    for number in range(4):
        save(tmp_path / f"masks/{number}.png", np.where(faulty.ids() == 2, 0, faulty.ids()).astype(np.uint8))
    found = check(open_dataset(tmp_path, classes=faulty.CODING)).by_code()["C102"]
    assert {finding.severity for finding in found} == {"info"}


def test_stray_values_in_a_16_bit_mask_are_found(tmp_path: Path) -> None:
    mask_set(tmp_path)
    grid = faulty.ids().astype(np.uint16)
    grid[7, 9] = 40000
    save(tmp_path / "masks/1.png", grid)
    found = check(open_dataset(tmp_path, classes=faulty.CODING)).by_code()
    assert list(found) == ["F110", "L101"]
    assert "values 40000 (1 px) are in no class; first at row 7, column 9" in found["L101"][0].what


def test_a_stray_colour_is_found(tmp_path: Path) -> None:
    for number in range(3):
        colours = faulty.CODING.table.palette()[faulty.ids()]
        colours[12, 34] = (50, 60, 70) if number == 2 else colours[12, 34]
        save(tmp_path / "images" / f"{number}.png", faulty.photo(number))
        save(tmp_path / "masks" / f"{number}.png", colours)
    found = check(open_dataset(tmp_path, classes=faulty.CODING)).by_code()
    assert list(found) == ["L101"]
    assert "colours (50, 60, 70) (1 px) are in no class; first at row 12, column 34" in found["L101"][0].what


def test_photos_of_a_single_colour_are_not_called_identical(tmp_path: Path) -> None:
    _two_splits(tmp_path)
    for split in ("train", "val"):
        save(tmp_path / split / "images/0.png", np.zeros((*faulty.HW, 3), np.uint8))
    assert check(open_dataset(tmp_path, classes=faulty.CODING)).findings == ()


def test_an_unlabelled_copy_in_another_split_is_no_leak(tmp_path: Path) -> None:
    _leak(_two_splits(tmp_path))
    (tmp_path / "train/masks/2.png").unlink()
    found = check(open_dataset(tmp_path, classes=faulty.CODING)).by_code()
    assert [finding.severity for finding in found["D101"]] == ["info"]
    assert "D102" not in found


def test_the_same_picture_in_another_file_format_is_identical(tmp_path: Path) -> None:
    mask_set(tmp_path)
    (tmp_path / "images/3.png").unlink()
    save(tmp_path / "images/3.bmp", faulty.photo(0))
    (finding,) = check(open_dataset(tmp_path, classes=faulty.CODING)).findings
    assert (finding.code, finding.where) == ("D101", "images/3.bmp")
