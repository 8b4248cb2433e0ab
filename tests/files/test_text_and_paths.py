import os
from pathlib import Path

import pytest

from tessella.core.errors import FormatError, InputError
from tessella.files.hashes import sha256_bytes, sha256_file
from tessella.files.paths import contain, relative_name, require_folder, walk
from tessella.files.text import parse_json, read_bytes, read_csv, read_json, read_text, read_text_lines, read_toml


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"a": NaN}', "NaN is not a JSON value"),
        ("[Infinity]", "Infinity is not a JSON value"),
        ('{"a": 1, "a": 2}', "the key 'a' occurs twice"),
        ('{"a": 1', "not valid JSON"),
        ("[" * 100 + "]" * 100, "nested too deeply"),
        ("[" * 100_000, "not valid JSON"),
    ],
)
def test_json_that_hides_a_fault_is_refused(text: str, says: str) -> None:
    with pytest.raises(FormatError, match=f"^x.json: .*{says}"):
        parse_json(text, where="x.json")


def test_ordinary_json_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b'\xef\xbb\xbf{"a": [1, 2.5, null, "\xc3\xa9"]}')
    assert read_json(tmp_path / "a.json") == {"a": [1, 2.5, None, "é"]}


def test_a_file_that_is_missing_too_large_or_not_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_text(tmp_path / "a.txt")
    (tmp_path / "a.txt").write_bytes(b"a\xff")
    with pytest.raises(FormatError, match=r"not UTF-8 text \(byte 1\)"):
        read_text(tmp_path / "a.txt")
    with pytest.raises(InputError, match="too large; got 2 bytes; expected at most 1"):
        read_bytes(tmp_path / "a.txt", max_bytes=1)
    with pytest.raises(InputError, match="cannot be read"):
        read_bytes(tmp_path)


def test_lists_tables_and_toml(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text(" one \n\n two\r\n")
    assert list(read_text_lines(path)) == ["one", "two"]
    path.write_text("name, r\nsky, 1\n\nsea,2\n")
    assert list(read_csv(path)) == [{"name": "sky", "r": "1"}, {"name": "sea", "r": "2"}]
    path.write_text("name,r\nsky\n")
    with pytest.raises(FormatError, match="row 2 has 1 cells; expected 2"):
        list(read_csv(path))
    path.write_text("")
    with pytest.raises(FormatError, match="empty"):
        list(read_csv(path))
    path.write_text("a = 1")
    assert read_toml(path) == {"a": 1}
    path.write_text("a =\n")
    with pytest.raises(FormatError, match=r"not valid TOML .*line 1"):
        read_toml(path)


@pytest.mark.parametrize(
    "path", ["../x", "/etc/passwd", "a/../../x", "C:\\x", "\\\\server\\share\\x", "..\\..\\x", "a\0b", "c:/x"]
)
def test_every_way_out_of_the_data_set_is_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(InputError, match="outside the data set"):
        contain(tmp_path, path)


def test_both_separators_lead_inside(tmp_path: Path) -> None:
    assert contain(tmp_path, "a\\b/./c.png") == tmp_path / "a" / "b" / "c.png"
    assert contain(tmp_path, "a/../b.png") == tmp_path / "b.png"


@pytest.mark.skipif(os.name == "nt", reason="makes symbolic links")
def test_a_link_that_leads_outside_is_refused(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "secret").touch()
    (tmp_path / "set" / "photo.png").symlink_to(tmp_path / "secret")
    with pytest.raises(InputError, match="outside the data set"):
        contain(tmp_path / "set", "photo.png")


def test_files_are_listed_in_one_order_without_hidden_ones(tmp_path: Path) -> None:
    for name in ("b/2.PNG", "b/1.png", "a/x.txt", ".git/3.png", "b/.4.png", "c.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = [relative_name(path, tmp_path) for path in walk(tmp_path, {".png", ".jpg"})]
    assert found == ["b/1.png", "b/2.PNG", "c.jpg"]
    assert len(walk(tmp_path)) == 4


def test_a_missing_folder_is_answered_with_the_nearest_name(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    with pytest.raises(InputError, match=r"no such folder; did you mean .*photos\?"):
        require_folder(tmp_path / "photo")
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="a file, not a folder"):
        require_folder(tmp_path / "file")


def test_the_hash_of_nothing_is_the_published_one(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    published = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert sha256_file(tmp_path / "a") == sha256_bytes(b"") == published


def test_a_folder_that_cannot_be_read_is_named_not_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret").mkdir()
    listed = os.scandir

    def locked(path: str) -> object:
        if Path(path).name == "secret":
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(os, "scandir", locked)
    with pytest.raises(InputError, match=r"secret: a folder cannot be read \(Permission denied\)"):
        walk(tmp_path)


def test_a_contained_path_begins_as_its_root_was_written(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "x.png").touch()
    root = tmp_path / "a" / ".." / "data"
    assert contain(root, "b/../x.png") == root / "x.png"
    assert contain(root, "x.png") in walk(root)


@pytest.mark.skipif(os.name == "nt", reason="makes symbolic links")
def test_a_root_reached_through_a_link_is_not_taken_by_its_words(tmp_path: Path) -> None:
    (tmp_path / "far" / "deep").mkdir(parents=True)
    (tmp_path / "far" / "data").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "far" / "deep")
    root = tmp_path / "link" / ".." / "data"
    assert contain(root, "x.png").resolve() == tmp_path.resolve() / "far" / "data" / "x.png"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_pipes_are_passed_over_and_broken_links_are_listed(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    os.mkfifo(tmp_path / "b.png")
    (tmp_path / "c.png").symlink_to("nowhere.png")
    (tmp_path / "d.png").symlink_to("a.png")
    (tmp_path / "e.png").symlink_to(tmp_path)
    assert [path.name for path in walk(tmp_path, {".png"})] == ["a.png", "c.png", "d.png"]
