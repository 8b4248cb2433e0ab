from pathlib import Path

from data import faulty
from data.faulty import labelme_set, mask_set, save
from tessella.checking import check, fix
from tessella.checking.table import check_table, fix_table, plain_text
from tessella.dataset import open_dataset


def _spoilt(root: Path) -> Path:
    mask_set(root, count=8)
    for number in range(5):
        grid = faulty.ids()
        grid[20, 30] = 7
        save(root / "masks" / f"{number}.png", grid)
    return root


def test_findings_are_grouped_by_rule_with_a_count_and_three_examples(tmp_path: Path) -> None:
    text = plain_text(check_table(check(open_dataset(_spoilt(tmp_path), classes=faulty.CODING))))
    row = next(line for line in text.splitlines() if line.startswith("L101"))
    assert row.split()[:3] == ["L101", "5", "error"]
    assert text.count("values 7 (1 px)") == 3
    assert "and 2 more" in text
    assert "5 errors, 0 warnings, 0 info" in text


def test_the_class_histogram_shows_shares_and_pixels(tmp_path: Path) -> None:
    text = plain_text(check_table(check(open_dataset(mask_set(tmp_path), classes=faulty.CODING))))
    lines = {line.split()[0]: line.split() for line in text.splitlines() if line.strip()}
    assert lines["building"][1:3] == ["8.33%", "800"]  # 4 x 200 of 4 x 2400
    assert lines["road"][1:3] == ["15.00%", "1,440"]
    assert "Nothing found." in text


def test_square_brackets_in_file_names_are_shown_and_not_obeyed(tmp_path: Path) -> None:
    mask_set(tmp_path)
    save(tmp_path / "images/[red]x[blink].png", faulty.photo(9))
    assert "[red]x[blink].png" in plain_text(check_table(check(open_dataset(tmp_path, classes=faulty.CODING))))


def test_a_narrow_window_keeps_every_word(tmp_path: Path) -> None:
    text = plain_text(check_table(check(open_dataset(_spoilt(tmp_path), classes=faulty.CODING))), width=50)
    assert "…" not in text


def test_the_repair_is_told_with_what_was_left(tmp_path: Path) -> None:
    labelme_set(tmp_path / "source")
    (tmp_path / "source/1.json").write_text("{")
    index = open_dataset(tmp_path / "source")
    text = plain_text(fix_table(fix(index, check(index), tmp_path / "out")), width=200)
    assert "0 changed" in text
    assert "2 left out" in text
    assert "1 left to a person" in text


def test_an_answer_prints_as_the_command_does(tmp_path: Path) -> None:
    text = str(check(open_dataset(_spoilt(tmp_path), classes=faulty.CODING)))
    assert text.startswith("index-mask: 8 photos")
    assert "5 errors, 0 warnings, 0 info" in text
    assert "\x1b" not in text
