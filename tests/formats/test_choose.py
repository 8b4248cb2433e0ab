from pathlib import Path

import pytest

from data.geo import spacenet
from data.layouts import box, index_mask, labelme, labelme_file, photo_of, save
from tessella.core.errors import FormatError, InputError
from tessella.dataset.index import open_dataset
from tessella.formats import Source, choose, detect


def test_a_folder_that_does_not_exist_is_answered_with_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    with pytest.raises(InputError, match=r"no such folder.*did you mean .*photos"):
        choose(Source(tmp_path / "photo"))


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(InputError, match="a file, not a folder"):
        choose(Source(tmp_path / "a.txt"))


def test_an_empty_folder_is_said_to_be_empty(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="the folder is empty"):
        choose(Source(tmp_path))


def test_photos_without_labels_are_counted_in_the_message(tmp_path: Path) -> None:
    save(tmp_path / "a.jpg", photo_of(0))
    save(tmp_path / "b.jpg", photo_of(1))
    with pytest.raises(FormatError, match=r"no labels of a known format.*got 2 \.jpg"):
        choose(Source(tmp_path))


@pytest.mark.parametrize(("name", "what"), [("labelme", "no LabelMe file"), ("voc", "JPEGImages"), ("nifti", "no vol")])
def test_a_format_that_was_asked_for_in_vain_can_be_left_out(tmp_path: Path, name: str, what: str) -> None:
    index_mask(tmp_path / "set")
    with pytest.raises(FormatError, match=rf"{what}.* leave out --format to have the format detected$"):
        open_dataset(tmp_path / "set", format=name)


def test_a_fault_in_files_of_the_format_that_was_asked_for_keeps_its_own_cure(tmp_path: Path) -> None:
    spacenet(tmp_path, count=1)
    (tmp_path / "again.csv").write_text((tmp_path / "summary.csv").read_text())
    with pytest.raises(FormatError, match="two tables describe the photo") as refusal:
        open_dataset(tmp_path, format="spacenet")
    assert "leave out" not in str(refusal.value)


def test_labels_of_two_formats_are_refused_with_both_named(tmp_path: Path) -> None:
    index_mask(tmp_path)
    labelme(tmp_path / "json")
    said = (
        r"two formats.*labelme.*index-mask.*give the folder json \(labelme\); .*--format labelme or --format index-mask"
    )
    with pytest.raises(FormatError, match=said):
        choose(Source(tmp_path))


def test_other_json_files_do_not_look_like_labelme(tmp_path: Path) -> None:
    index_mask(tmp_path)
    (tmp_path / "notes.json").write_text('{"shapes": 3}')
    (tmp_path / "broken.json").write_text("{")
    assert [name for name, _ in detect(Source(tmp_path))] == ["index-mask"]


def test_the_surest_format_comes_first(tmp_path: Path) -> None:
    save(tmp_path / "a.png", photo_of(0))
    labelme_file(tmp_path / "a.json", [box("x", 0, 0, 4, 4)], photo="a.png")
    (name, match), *rest = detect(Source(tmp_path))
    assert (name, rest) == ("labelme", [])
    assert match.why == "1 of 1 JSON files looked at hold LabelMe shapes"
