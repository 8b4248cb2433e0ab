"""A label file that cannot be read is F101 with its name and fault, whatever the format: never a photo gone missing."""

from pathlib import Path

import pytest

from data.layouts import WRITERS
from tessella.checking import check, fix
from tessella.core.errors import InputError, TessellaError
from tessella.core.finding import Finding
from tessella.dataset.convert import convert
from tessella.dataset.index import Index, open_dataset
from tessella.formats import FORMATS

TEXT = (".json", ".xml", ".geojson")
"""Endings of label files that are read to learn which photo they describe."""

DUPLICATE = '{"version": "5.0", "version": "5.0", "shapes": []}'


def _label(index: Index) -> Path | None:
    label = index.records[0].label
    return label if label is not None and label.suffix in TEXT else None


def _is_shared(index: Index) -> bool:
    return len({record.label for record in index.records}) < len(index.records)


def _found(root: Path, name: str) -> list[Finding]:
    return list(check(open_dataset(root, format=name), codes=["F", "P"]).findings)


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_a_truncated_label_named_like_its_photo_is_f101_alone(name: str, tmp_path: Path) -> None:
    root = WRITERS[name](tmp_path / "set")
    index = open_dataset(root)
    label = _label(index)
    if label is None or _is_shared(index):
        return
    _truncate(label)
    found = _found(root, name)
    assert [(one.code, one.where) for one in found] == [("F101", label.relative_to(root).as_posix())]
    assert found[0].what


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_a_truncated_label_of_another_name_is_f101_and_no_photo_is_missed(name: str, tmp_path: Path) -> None:
    root = WRITERS[name](tmp_path / "set")
    index = open_dataset(root)
    label = _label(index)
    if label is None or _is_shared(index):
        return
    torn = label.rename(label.with_name(f"torn{label.suffix}"))
    if len(open_dataset(root, format=name).labelled()) < len(index):
        return  # only its name tells the photo, and so it is no label under another
    _truncate(torn)
    found = _found(root, name)
    assert ("F101", torn.relative_to(root).as_posix()) in [(one.code, one.where) for one in found]
    assert "P102" not in [one.code for one in found]


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_a_truncated_file_beside_one_of_many_photos_is_named(name: str, tmp_path: Path) -> None:
    root = WRITERS[name](tmp_path / "set")
    index = open_dataset(root)
    label = _label(index)
    if label is None or not _is_shared(index):
        return
    torn = label.with_name(f"{label.stem}_torn{label.suffix}")
    torn.write_bytes(label.read_bytes())
    _truncate(torn)
    try:
        found = _found(root, name)
    except TessellaError as error:
        assert torn.name in str(error)  # noqa: PT017 - some refuse the data set
    else:
        assert [(one.code, one.where) for one in found] == [("F101", torn.relative_to(root).as_posix())]


def test_a_key_that_comes_twice_is_named_where_the_file_is_called_like_no_photo(tmp_path: Path) -> None:
    root = WRITERS["labelme"](tmp_path / "set")
    (root / "twice.json").write_text(DUPLICATE)
    (found,) = _found(root, "labelme")
    assert (found.code, found.where) == ("F101", "twice.json")
    assert "version" in found.what


def test_a_damaged_file_does_not_take_the_photo_of_a_sound_one(tmp_path: Path) -> None:
    for name in ("labelme", "labelme-xml", "darwin"):
        root = WRITERS[name](tmp_path / name)
        label = _label(open_dataset(root))
        assert label is not None
        sound = label.with_name(f"sound{label.suffix}")
        sound.write_bytes(label.read_bytes())
        _truncate(label)
        again = open_dataset(root)
        assert sum(record.label == sound for record in again.records if record.image is not None) == 1
        assert [(one.code, one.where) for one in _found(root, name)] == [("F101", label.relative_to(root).as_posix())]


def test_a_damaged_file_of_no_photo_is_said_when_the_set_is_converted_and_left_out_of_a_repaired_copy(
    tmp_path: Path,
) -> None:
    root = WRITERS["labelme"](tmp_path / "set")
    (root / "twice.json").write_text(DUPLICATE)
    index = open_dataset(root)
    assert (
        "1 label cannot be read and is not written, such as twice.json"
        in convert(index, tmp_path / "out", to="voc").notes
    )
    fix(index, check(index), tmp_path / "fixed")
    assert not (tmp_path / "fixed" / "twice.json").exists()
    assert _found(tmp_path / "fixed", "labelme") == []


def test_where_all_that_is_here_is_damaged_the_message_says_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "twice.json").write_text(DUPLICATE)
    with pytest.raises(InputError, match=r"1 label that cannot be read, such as twice\.json: .*version"):
        open_dataset(tmp_path, format="labelme")
