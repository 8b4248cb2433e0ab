"""The lock: one changed byte is enough, nothing is exempt but the lock itself, and nothing else is written."""

import hashlib
import json
import os
import shutil
from pathlib import Path

import pytest

from data.layouts import voc
from tessella import check, lock
from tessella.cli.main import COMMANDS
from tessella.core.errors import FormatError, InputError, OutputError
from tessella.dataset.lock import LOCK, difference, lock_files, read_lock, verify_lock, write_lock


@pytest.fixture
def root(tmp_path: Path) -> Path:
    voc(tmp_path / "set")
    (tmp_path / "set" / ".hidden").write_bytes(b"hidden")
    return tmp_path / "set"


def content(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_the_lock_lists_every_file_and_is_the_only_thing_written(root):
    before = content(root)
    made = write_lock(root)
    after = content(root)
    text = after.pop(LOCK).decode()
    assert after == before
    rows = json.loads(text)["files"]
    assert [row["path"] for row in rows] == sorted(before)
    assert all(row["sha256"] == hashlib.sha256(before[row["path"]]).hexdigest() for row in rows)
    assert all(row["size"] == len(before[row["path"]]) for row in rows)
    assert read_lock(root / LOCK) == made
    assert text.count("\n") == len(rows) + 6  # a file per line, so that two locks can be compared


def test_the_digest_stands_for_the_list(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"abc")
    sha = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert lock_files(tmp_path).files[0].sha256 == sha  # FIPS 180-2, appendix B.1
    assert lock_files(tmp_path).digest == hashlib.sha256(f'{sha} 3 "a.txt"\n'.encode()).hexdigest()


def test_a_data_set_that_did_not_change_is_verified(root):
    assert verify_lock(root) is None
    digest = write_lock(root).digest
    assert verify_lock(root) == digest
    os.utime(next(root.rglob("*.png")), (1, 1))  # only bytes count
    assert verify_lock(root) == digest


def test_one_changed_byte_is_named_though_size_and_time_stay(root):
    write_lock(root)
    path = root / "SegmentationClass" / "p0.png"
    found, data = path.stat(), bytearray(path.read_bytes())
    data[40] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))
    with pytest.raises(InputError, match=r"not the one that was locked; got 1 changed \(SegmentationClass/p0.png\);"):
        verify_lock(root)


def test_missing_and_new_files_are_named_and_counted(root):
    write_lock(root)
    for path in sorted(root.rglob("*.jpg"))[:2]:
        path.unlink()
    for number in range(7):
        (root / f".new{number}").write_bytes(b"")
    with pytest.raises(InputError, match=r"got 2 missing \(JPEGImages/p0.jpg, .*\), 7 new \(.new0, .*.new4, ...\);"):
        verify_lock(root)


def test_the_lock_is_excluded_in_the_top_folder_alone(root):
    write_lock(root)
    (root / "JPEGImages" / LOCK).write_text("{}")
    with pytest.raises(InputError, match=f"1 new .JPEGImages/{LOCK}"):
        verify_lock(root)


def test_a_lock_is_not_replaced_by_accident(root):
    made = write_lock(root)
    assert write_lock(root) == made
    (root / ".hidden").write_bytes(b"other")
    with pytest.raises(OutputError, match=r"locked already, and differs from its lock; got 1 changed \(.hidden\)"):
        write_lock(root)
    assert read_lock(root / LOCK) == made
    assert write_lock(root, overwrite=True).digest == verify_lock(root)


def test_a_lock_may_lie_elsewhere(root, tmp_path):
    before = content(root)
    write_lock(root, out=tmp_path / "elsewhere.json")
    assert content(root) == before
    assert verify_lock(root) is None
    (root / ".hidden").unlink()
    with pytest.raises(InputError, match=r"1 missing \(.hidden\)"):
        verify_lock(root, path=tmp_path / "elsewhere.json")


def test_strange_names_are_locked(tmp_path):
    for name in ("a\nb.txt", "ü 漢.txt", '"quoted"', " blank ", "x" * 200):
        (tmp_path / name).write_text(name)
    digest = write_lock(tmp_path).digest
    assert verify_lock(tmp_path) == digest


def test_a_name_that_is_not_unicode_is_refused(tmp_path):
    try:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/a\xff")).write_bytes(b"")
    except OSError:
        pytest.skip("this file system takes Unicode names only")
    with pytest.raises(InputError, match="not Unicode"):
        lock_files(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_refused_and_never_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a")
    with pytest.raises(InputError, match="no ordinary file"):
        lock_files(tmp_path)


def test_an_empty_or_missing_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="no file to lock"):
        lock_files(tmp_path)
    with pytest.raises(InputError, match="no such folder"):
        lock_files(tmp_path / "none")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda tree: tree | {"version": 2}, "another version; got 2; expected 1"),
        (lambda tree: tree | {"digest": "0" * 64}, "the lock itself was changed"),
        (lambda tree: tree | {"files": tree["files"][1:]}, "the lock itself was changed"),
        (lambda tree: tree | {"files": tree["files"][::-1]}, "the lock itself was changed"),
        (lambda tree: tree | {"files": [7]}, r"files\[0\]: this is not the entry of a file"),
        (lambda tree: tree | {"files": [tree["files"][0] | {"size": "3"}]}, "not the entry of a file"),
        (lambda tree: tree | {"files": {}}, "not a lock"),
        (lambda _: [], "not a lock"),
    ],
)
def test_a_damaged_lock_is_one_error(change, says, root):
    write_lock(root)
    tree = json.loads((root / LOCK).read_text())
    (root / LOCK).write_text(json.dumps(change(tree)))
    with pytest.raises(FormatError, match=says):
        verify_lock(root)


def test_check_refuses_what_was_changed_since(root):
    write_lock(root)
    assert check(root).samples
    with (root / "class_names.txt").open("ab") as stream:
        stream.write(b"\n")
    with pytest.raises(InputError, match=r"1 changed \(class_names.txt\)"):
        check(root)


def test_the_command_locks_verifies_and_says_the_digest(root, capsys):
    command = COMMANDS["lock"][0]
    command(root, json=True)
    answer = json.loads(capsys.readouterr().out)
    assert answer == {
        "path": str(root / LOCK), "files": len(content(root)) - 1, "digest": read_lock(root / LOCK).digest,
        "bytes": sum(map(len, content(root).values())) - len((root / LOCK).read_bytes()),
    }  # fmt: skip
    command(root, verify=True)
    assert "as it was locked" in capsys.readouterr().out
    (root / ".hidden").unlink()
    with pytest.raises(InputError, match="1 missing"):
        command(root, verify=True)


def test_the_door_takes_a_file_of_the_set_and_no_archive(root, tmp_path):
    assert lock(root / "class_names.txt").path == root / LOCK
    shutil.make_archive(str(tmp_path / "a"), "zip", root)
    with pytest.raises(InputError, match="known by its own hash already"):
        lock(tmp_path / "a.zip")


def test_progress_ends_with_all_files(root):
    seen: list = []
    lock_files(root, progress=lambda done, total: seen.append((done, total)))
    count = len(content(root))
    assert seen == [(number, count) for number in range(1, count + 1)]


def test_the_same_files_in_another_folder_have_the_same_digest(root, tmp_path):
    shutil.copytree(root, tmp_path / "copy")
    one, other = lock_files(root), lock_files(tmp_path / "copy")
    assert one.digest == other.digest
    assert not difference(one, other)
