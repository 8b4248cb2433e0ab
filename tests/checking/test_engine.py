from pathlib import Path

import pytest

from data import faulty
from data.faulty import labelme_set, mask_set, save
from tessella._version import __version__
from tessella.checking import check, engine
from tessella.core.errors import RecipeError
from tessella.dataset import open_dataset


def _spoilt(root: Path) -> Path:
    mask_set(root, count=12)
    for number in (2, 5, 9):
        grid = faulty.ids()
        grid[20, 30] = 7
        save(root / "masks" / f"{number}.png", grid)
    save(root / "images/7.png", faulty.photo(1))
    (root / "masks/11.png").unlink()
    return root


def test_the_answer_has_the_keys_of_the_contract(tmp_path: Path) -> None:
    answer = check(open_dataset(_spoilt(tmp_path), classes=faulty.CODING)).to_json()
    keys = ["tessella", "format", "samples", "classes", "splits", "pixels", "findings", "counts", "notes", "accepted"]
    assert list(answer) == keys
    assert answer["notes"][0].startswith("read as index-mask: ")  # type: ignore[index]
    assert answer["tessella"] == __version__
    assert answer["format"] == "index-mask"
    assert answer["samples"] == 12
    assert answer["classes"] == list(faulty.NAMES)
    assert sum(answer["splits"].values()) == 11  # type: ignore[attr-defined]
    assert answer["counts"] == {"error": 3, "warning": 2, "info": 0}
    first = answer["findings"][0]  # type: ignore[index]
    assert list(first) == ["code", "severity", "where", "what", "fix", "fixable"]


def test_pixels_are_counted_by_class_and_add_up(tmp_path: Path) -> None:
    checked = check(open_dataset(_spoilt(tmp_path), classes=faulty.CODING))
    # 11 masks of 40 x 60; a building of 10 x 20 and a road of 6 rows in each; three pixels are in no class
    assert checked.pixels == {
        "background": 11 * (2400 - 200 - 360) - 3,
        "building": 11 * 200,
        "road": 11 * 360,
        "ignore": 0,
    }


def test_drawn_shapes_are_counted_as_they_will_be_trained_on(tmp_path: Path) -> None:
    checked = check(open_dataset(labelme_set(tmp_path)))
    assert checked.pixels == {"background": 4 * (2400 - 200 - 360), "building": 800, "road": 1440, "ignore": 0}


def test_findings_come_in_the_order_of_rules_then_records_with_any_number_of_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = open_dataset(_spoilt(tmp_path), classes=faulty.CODING)
    answers = []
    for cores in (1, 2, 8):
        monkeypatch.setattr(engine, "cores", lambda cores=cores: cores)
        answers.append(check(index))
    assert answers[0] == answers[1] == answers[2]
    places = [(finding.code, finding.where) for finding in answers[0].findings]
    assert places == [
        ("P101", "images/11.png"),
        ("L101", "masks/2.png"),
        ("L101", "masks/5.png"),
        ("L101", "masks/9.png"),
        ("D101", "images/7.png"),
    ]


def test_every_file_is_decoded_once_save_identical_photos_and_their_labels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = open_dataset(_spoilt(tmp_path), classes=faulty.CODING)
    decoded: list[str] = []
    photo, annotation = type(index).image, type(index).annotation
    monkeypatch.setattr(type(index), "image", lambda self, n: (decoded.append(f"photo {n}"), photo(self, n))[1])
    monkeypatch.setattr(
        type(index), "annotation", lambda self, n: (decoded.append(f"label {n}"), annotation(self, n))[1]
    )
    check(index)
    twice = {name for name in decoded if decoded.count(name) > 1}
    assert {index.records[int(name.split()[1])].name for name in twice} == {"images/1", "images/7"}


def test_only_the_rules_that_are_asked_for_are_run(tmp_path: Path) -> None:
    index = open_dataset(_spoilt(tmp_path), classes=faulty.CODING)
    assert {finding.code for finding in check(index, codes=["L"]).findings} == {"L101"}
    assert {finding.code for finding in check(index, codes=["P101", "D"]).findings} == {"P101", "D101"}


def test_a_code_that_no_rule_has_is_refused_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"'L1O1'.*did you mean 'L1"):
        check(open_dataset(mask_set(tmp_path)), codes=["L1O1"])


def test_progress_counts_every_record(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    check(open_dataset(mask_set(tmp_path, count=5)), progress=lambda done, total: seen.append((done, total)))
    assert seen == [(number, 5) for number in range(1, 6)]


def test_a_single_photo_is_checked_although_it_cannot_be_split(tmp_path: Path) -> None:
    checked = check(open_dataset(mask_set(tmp_path, count=1), classes=faulty.CODING))
    assert checked.findings == ()
    assert checked.splits == {}
