import json
from pathlib import Path

import pytest

from data import faulty
from data.faulty import mask_set, save
from tessella.checking import Checked, check
from tessella.checking.baseline import accept, write_baseline
from tessella.core.errors import FormatError
from tessella.dataset import open_dataset


def _stray(root: Path, number: int, pixels: int) -> None:
    grid = faulty.ids()
    grid[20, 30 : 30 + pixels] = 7
    save(root / f"masks/{number}.png", grid)


def _checked(root: Path) -> Checked:
    return check(open_dataset(root, classes=faulty.CODING))


def _known(root: Path) -> Path:
    mask_set(root, count=6)
    _stray(root, 1, 2)
    _stray(root, 3, 1)
    baseline = root.parent / "known.json"
    write_baseline(baseline, _checked(root))
    return baseline


def test_known_findings_are_left_out_and_counted(tmp_path: Path) -> None:
    baseline = _known(tmp_path / "data")
    checked = accept(_checked(tmp_path / "data"), baseline)
    assert checked.findings == checked.positions == ()
    assert checked.accepted == 2
    assert checked.to_json()["accepted"] == 2
    assert checked.notes[-1] == "known.json accepts 2 known findings"
    assert checked.ok


def test_a_new_finding_and_one_that_changed_are_told(tmp_path: Path) -> None:
    root = tmp_path / "data"
    baseline = _known(root)
    _stray(root, 3, 5)
    _stray(root, 4, 1)
    checked = accept(_checked(root), baseline)
    assert [finding.where for finding in checked.findings] == ["masks/3.png", "masks/4.png"]
    assert checked.positions == (3, 4)
    assert checked.notes[-1] == "known.json accepts 1 known findings; 1 of its findings are no longer there"


def test_the_order_of_lines_does_not_count(tmp_path: Path) -> None:
    baseline = _known(tmp_path / "data")
    content = json.loads(baseline.read_text())
    baseline.write_text(json.dumps(content | {"findings": content["findings"][::-1]}))
    assert accept(_checked(tmp_path / "data"), baseline).findings == ()


def test_counts_in_what_is_said_of_the_whole_set_do_not_count(tmp_path: Path) -> None:
    root = tmp_path / "data"
    mask_set(root)
    for number in range(4):
        save(root / f"masks/{number}.png", faulty.ids().astype("uint16"))
    write_baseline(tmp_path / "known.json", _checked(root))
    save(root / "images/4.png", faulty.photo(4))
    save(root / "masks/4.png", faulty.ids().astype("uint16"))
    checked = accept(_checked(root), tmp_path / "known.json")
    assert checked.findings == ()


def test_the_same_finding_twice_is_accepted_as_often_as_it_is_known(tmp_path: Path) -> None:
    root = tmp_path / "data"
    baseline = _known(root)
    content = json.loads(baseline.read_text())
    baseline.write_text(json.dumps({"findings": content["findings"][:1] * 2}))
    checked = accept(_checked(root), baseline)
    assert (checked.accepted, len(checked.findings)) == (1, 1)


@pytest.mark.parametrize("text", ["[]", "{}", '{"findings": [{"code": "L101"}]}', '{"findings": [3]}'])
def test_something_else_is_no_baseline(tmp_path: Path, text: str) -> None:
    root = mask_set(tmp_path / "data")
    (tmp_path / "known.json").write_text(text)
    with pytest.raises(FormatError, match="no baseline"):
        accept(_checked(root), tmp_path / "known.json")


def test_the_settings_of_a_data_set_may_name_one(tmp_path: Path) -> None:
    root = tmp_path / "data"
    baseline = _known(root)
    (root / "known.json").write_bytes(baseline.read_bytes())
    (root / "tessella.toml").write_text('[check.baseline]\nfile = "known.json"')
    assert _checked(root).accepted == 2
