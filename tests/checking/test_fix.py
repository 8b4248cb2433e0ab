import json
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data import faulty
from data.faulty import ground, house, labelme, labelme_set, mask_set, polygon, save, save_turned
from tessella.checking import FixReport, check, fix
from tessella.core.classes import ClassTable, LabelCoding
from tessella.core.errors import InputError, OutputError
from tessella.dataset import Index, open_dataset

BINARY = LabelCoding(ClassTable.from_names(("background", "cell")), values=((0,), (255,)), ignore_values=())


def _fixed(root: Path, coding: LabelCoding | None = faulty.CODING) -> tuple[FixReport, Index]:
    index = open_dataset(root, classes=coding)
    out = root.parent / "fixed"
    report = fix(index, check(index), out)
    return report, open_dataset(out, classes=coding)


def _read(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path))


def _tree(root: Path) -> dict[str, str]:
    return {
        str(path.relative_to(root)): sha256(path.read_bytes()).hexdigest() for path in root.rglob("*") if path.is_file()
    }


@pytest.fixture
def source(tmp_path: Path) -> Path:
    root = tmp_path / "source"
    root.mkdir()
    return root


def test_a_clean_data_set_is_copied_byte_for_byte(source: Path) -> None:
    labelme_set(source)
    report, copy = _fixed(source, None)
    assert report.changes == report.left_out == report.person == ()
    copied = _tree(copy.root)
    assert {name: copied[name] for name in _tree(source)} == _tree(source)
    assert set(copied) - set(_tree(source)) == {".tessella", "changes.json", "changes.txt"}


def _spoil_labelme(root: Path) -> None:
    labelme_set(root, count=9)
    labelme(root / "0.json", house("bulding"), ground(), polygon("road", (1, 1), (4, 7)))
    labelme(
        root / "1.json",
        polygon("road", (0, 30), (97.5, 30), (60, 40)),
        house(),
        polygon("road", (70, 1), (80, 1), (75, 9)),
    )
    labelme(root / "2.json", polygon("building", (5, 5), (25, 5), (float("nan"), 9), (25, 15), (5, 15)), ground())
    labelme(
        root / "3.json",
        polygon("building", (10, 10), (50, 10), (50, 30), (10, 30)),
        polygon("road", (0, 68), (120, 80), (0, 80)),
        hw=(80, 120),
    )
    save_turned(root / "4.png", np.rot90(faulty.photo(4)), 6)
    labelme(root / "4.json", polygon("building", (5, 35), (15, 35), (15, 55), (5, 55)), ground_turned(), hw=(60, 40))
    (root / "5.json").write_text("{")
    save(root / "6.png", faulty.photo(7))
    (root / "8.png").unlink()


def ground_turned() -> dict:
    return polygon("road", (34, 0), (40, 0), (40, 60), (34, 60))


def test_every_fault_of_drawn_shapes_that_can_be_repaired_is_repaired(source: Path) -> None:
    _spoil_labelme(source)
    before = _tree(source)
    report, copy = _fixed(source, None)
    assert _tree(source) == before
    assert {change.code for change in report.changes} == {"L110", "G101", "G102", "G103", "S101", "A101"}
    assert {(left.file, left.code) for left in report.left_out} == {
        ("5.json", "F101"), ("5.png", "F101"), ("7.json", "D101"), ("7.png", "D101"), ("8.json", "P102"),
    }  # fmt: skip
    assert {finding.code for finding in report.person} == {"F101", "P102"}
    assert check(copy).findings == ()
    ids = {record.name: position for position, record in enumerate(copy.records)}
    for name in ("0", "2", "3", "4"):
        labels = copy[ids[name]].labels
        assert labels is not None
        assert labels.counts()[1] == 200, name
        # scene 4 is annotated on its side, so its building lies elsewhere
        assert name == "4" or (labels.ids[5:15, 5:25] == 1).all(), name


def test_what_a_labelme_file_says_besides_stays_as_it_is(source: Path) -> None:
    _spoil_labelme(source)
    _fixed(source, None)
    old, new = (json.loads((folder / "0.json").read_text()) for folder in (source, source.parent / "fixed"))
    assert [shape["label"] for shape in new["shapes"]] == ["building", "road"]
    assert new["shapes"][0] == {**old["shapes"][0], "label": "building"}
    assert new["shapes"][1] == old["shapes"][1]
    assert {key: value for key, value in new.items() if key != "shapes"} == {
        k: v for k, v in old.items() if k != "shapes"
    }


def test_changes_name_shapes_by_their_place_in_the_source(source: Path) -> None:
    labelme_set(source)
    gone = polygon("road", (70, 1), (80, 1), (75, 9))
    labelme(source / "0.json", polygon("road", (1, 1)), gone, house(), polygon("road", (0, 30), (61.5, 30), (60, 40)))
    report, _ = _fixed(source, None)
    assert [change.what for change in report.changes] == [
        "shape 0: a polygon of 1 points, 'road', was deleted",
        "shape 1: 'road' lay wholly outside the photo and was deleted",
        "shape 3: 'road' was cut at the border; it reached 1.50 px beyond",
    ]


def test_the_report_lies_in_the_copy_for_machines_and_for_people(source: Path) -> None:
    _spoil_labelme(source)
    report, copy = _fixed(source, None)
    assert json.loads((copy.root / "changes.json").read_text()) == report.to_json()
    text = (copy.root / "changes.txt").read_text()
    assert (
        "0.json: shape 0: 'bulding' became 'building' (L110: 1 shape is labelled 'bulding', which is no class)" in text
    )
    assert "Left to a person: 2" in text


def _soft_set(root: Path) -> None:
    fine = faulty.disc((384, 480), 120)
    for number in range(3):
        save(root / "images" / f"{number}.png", faulty.photo(number, (96, 120)))
        save(root / "masks" / f"{number}.png", faulty.soft(fine.astype(np.uint8) * 255))


def test_soft_masks_are_snapped_in_place(source: Path) -> None:
    _soft_set(source)
    _, copy = _fixed(source, BINARY)
    assert check(copy).findings == ()
    stored = _read(copy.root / "masks/1.png")
    assert set(np.unique(stored)) == {0, 255}
    assert np.array_equal(stored, np.where(_read(source / "masks/1.png") >= 128, 255, 0))


def test_a_repaired_jpeg_mask_becomes_a_png_and_still_finds_its_photo(source: Path) -> None:
    for number in range(3):
        save(source / "images" / f"{number}.png", faulty.photo(number, (96, 120)))
        save(source / "masks" / f"{number}.jpg", faulty.disc().astype(np.uint8) * 255)
    _, copy = _fixed(source, BINARY)
    assert sorted(path.name for path in (copy.root / "masks").iterdir()) == ["0.png", "1.png", "2.png"]
    assert check(copy).findings == ()
    assert np.array_equal(_read(copy.root / "masks/1.png"), faulty.disc().astype(np.uint8) * 255)


def test_binary_masks_get_the_id_of_the_foreground(source: Path) -> None:
    for number in range(3):
        save(source / "images" / f"{number}.png", faulty.photo(number, (96, 120)))
        save(source / "masks" / f"{number}.png", faulty.disc().astype(np.uint8) * 255)
    _, copy = _fixed(source, LabelCoding(BINARY.table))
    assert check(copy).findings == ()
    assert np.array_equal(_read(copy.root / "masks/1.png"), faulty.disc().astype(np.uint8))


@pytest.mark.parametrize("kind", ["equal channels", "colours"])
def test_an_rgb_mask_gets_its_ids_back(source: Path, kind: str) -> None:
    mask_set(source)
    palette = faulty.CODING.table.palette()
    rgb = palette[faulty.ids()] if kind == "colours" else np.dstack([faulty.ids()] * 3)
    save(source / "masks/1.png", rgb)
    _, copy = _fixed(source)
    assert check(copy).findings == ()
    assert np.array_equal(_read(copy.root / "masks/1.png"), faulty.ids())


@pytest.mark.parametrize("orientation", range(5, 9))
def test_a_mask_is_turned_as_its_photo_is(source: Path, orientation: int) -> None:
    from tessella.files.images import orient

    mask_set(source)
    (source / "images/1.png").unlink()
    save_turned(source / "images/1.jpg", faulty.photo(1), orientation)
    save(source / "masks/1.png", faulty.ids())
    _, copy = _fixed(source)
    assert check(copy).findings == ()
    assert np.array_equal(_read(copy.root / "masks/1.png"), orient(faulty.ids(), orientation))


def test_a_mask_of_twice_the_size_is_halved_exactly(source: Path) -> None:
    mask_set(source)
    save(source / "masks/1.png", faulty.ids().repeat(2, axis=0).repeat(2, axis=1))
    _, copy = _fixed(source)
    assert check(copy).findings == ()
    assert np.array_equal(_read(copy.root / "masks/1.png"), faulty.ids())


def test_the_palette_of_a_repaired_mask_survives(source: Path) -> None:
    mask_set(source)
    big = Image.fromarray(faulty.ids().repeat(2, axis=0).repeat(2, axis=1))
    big.putpalette([7, 8, 9, 200, 0, 0, 0, 100, 0])
    big.save(source / "masks/1.png")
    _, copy = _fixed(source)
    with Image.open(copy.root / "masks/1.png") as mended:
        assert mended.mode == "P"
        assert mended.getpalette()[:9] == [7, 8, 9, 200, 0, 0, 0, 100, 0]  # type: ignore[index]


def test_a_leaked_photo_stays_where_it_is_scored(source: Path) -> None:
    mask_set(mask_set(source, split="train"), split="val")
    save(source / "train/images/2.png", _read(source / "val/images/0.png"))
    report, copy = _fixed(source)
    assert {left.file for left in report.left_out} == {"train/images/2.png", "train/masks/2.png"}
    assert check(copy).findings == ()


def test_stray_values_are_left_to_a_person(source: Path) -> None:
    mask_set(source)
    grid = faulty.ids()
    grid[20, 30] = 7
    save(source / "masks/1.png", grid)
    report, copy = _fixed(source)
    assert report.changes == ()
    assert [(finding.code, finding.where) for finding in report.person] == [("L101", "masks/1.png")]
    assert np.array_equal(_read(copy.root / "masks/1.png"), grid)


def test_an_existing_copy_is_refused_unless_it_may_be_replaced(source: Path, tmp_path: Path) -> None:
    index = open_dataset(mask_set(source))
    out = tmp_path / "out"
    save(out / "mine.png", faulty.ids())
    with pytest.raises(OutputError, match="exists already"):
        fix(index, check(index), out)
    with pytest.raises(OutputError, match="replaces only folders that Tessella made"):
        fix(index, check(index), out, overwrite=True)
    assert [path.name for path in out.iterdir()] == ["mine.png"]
    made = tmp_path / "made"
    fix(index, check(index), made)
    (made / "masks/1.png").unlink()
    fix(index, check(index), made, overwrite=True)
    assert (made / "masks/1.png").exists()


@pytest.mark.parametrize("place", [".", "inside", ".."])
def test_a_copy_in_the_data_set_or_around_it_is_refused(source: Path, place: str) -> None:
    index = open_dataset(mask_set(source))
    before = _tree(source)
    with pytest.raises(OutputError, match="cannot lie in the data set or hold it"):
        fix(index, check(index), source / place, overwrite=True)
    assert _tree(source) == before


def test_nothing_is_left_of_a_copy_that_could_not_be_finished(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import errno
    import shutil

    index = open_dataset(mask_set(source))
    checked = check(index)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(OutputError, match="the disk is full"):
        fix(index, checked, source.parent / "fixed")
    assert [path.name for path in source.parent.iterdir()] == ["source"]


def test_a_copy_keeps_the_class_table_that_was_given_from_elsewhere(source: Path) -> None:
    mask_set(source)
    report, copy = _fixed(source)
    assert report.added == ("classes.toml",)
    assert open_dataset(copy.root).coding == faulty.CODING


def test_a_copy_of_a_set_whose_classes_were_discovered_gets_no_class_table(source: Path) -> None:
    mask_set(source)
    report, copy = _fixed(source, None)
    assert report.added == ()
    assert not (copy.root / "classes.toml").exists()


def test_a_coordinate_of_astronomic_size_is_cut_like_any_other(source: Path) -> None:
    labelme_set(source)
    labelme(source / "0.json", polygon("road", (0, 30), (1e300, 30), (1e300, 1e300), (0, 40)), house())
    _, copy = _fixed(source, None)
    points = json.loads((copy.root / "0.json").read_text())["shapes"][0]["points"]
    assert all(0 <= x <= 60 and 0 <= y <= 40 for x, y in points)


OTHER = LabelCoding(ClassTable.from_names(("nothing", "house", "way")))


@pytest.mark.parametrize(
    "beside", ["classes.toml", "labels.txt", "broken"], ids=["another table", "another list", "a broken table"]
)
def test_a_copy_is_read_under_the_table_it_was_repaired_under(source: Path, beside: str) -> None:
    mask_set(source)
    if beside == "labels.txt":
        (source / beside).write_text("a\nb\nc\n")
    else:
        text = (
            '[[classes]]\nname = "a"\n' * 2
            if beside == "broken"
            else '[[classes]]\nname = "a"\n[[classes]]\nname = "b"'
        )
        (source / "classes.toml").write_text(text)
    before = _tree(source)
    report, copy = _fixed(source, OTHER)
    assert report.added == ("classes.toml",)
    assert open_dataset(copy.root).coding == OTHER
    assert _tree(source) == before


def test_a_copy_whose_own_table_was_given_gets_no_other(source: Path) -> None:
    labelme_set(source)
    report, copy = _fixed(source, open_dataset(source).coding)
    assert report.added == ()
    assert not (copy.root / "classes.toml").exists()


def test_a_source_file_that_cannot_be_read_is_named_not_the_copy(source: Path) -> None:
    index = open_dataset(mask_set(source))
    checked = check(index)
    (source / "notes.txt").symlink_to(source / "gone.txt")
    with pytest.raises(InputError, match=r"notes\.txt: the file cannot be read"):
        fix(index, checked, source.parent / "fixed")
    assert [path.name for path in source.parent.iterdir()] == ["source"]
