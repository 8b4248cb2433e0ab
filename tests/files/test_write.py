import errno
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tessella.core.errors import OutputError
from tessella.files.write import (
    MARKER,
    atomic_path,
    new_folder,
    refuse_existing,
    refuse_foreign,
    write_bytes,
    write_json,
    write_text,
)


def contents(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.rglob("*"))


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    write_text(target, "old")
    with pytest.raises(RuntimeError), atomic_path(target) as temporary:
        temporary.write_text("half of the n")
        raise RuntimeError
    assert target.read_text() == "old"
    assert contents(tmp_path) == ["a.txt"]


def test_the_temporary_file_lies_in_the_target_folder_because_renames_do_not_cross_disks(tmp_path: Path) -> None:
    with atomic_path(tmp_path / "deep" / "a.png") as temporary:
        assert temporary.parent == tmp_path / "deep"
        assert temporary.suffix == ".png"
        temporary.write_bytes(b"x")
    assert contents(tmp_path) == ["a.png", "deep"]


def test_a_written_file_has_the_rights_that_open_would_give(tmp_path: Path) -> None:
    write_bytes(tmp_path / "a", b"")
    (tmp_path / "b").touch()
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "b").stat().st_mode


def test_json_without_nan_is_refused_before_the_file_is_touched(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"a": 1})
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a.json", {"a": float("nan")})
    assert (tmp_path / "a.json").read_text() == '{\n  "a": 1\n}\n'


@pytest.mark.parametrize(
    ("number", "says"), [(errno.ENOSPC, "disk is full"), (errno.EROFS, "read-only"), (errno.EACCES, "not permitted")]
)
def test_the_systems_refusals_become_one_sentence_with_a_cure(
    tmp_path: Path, number: int, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OutputError, match=rf"a\.txt: .*{says}"):
        write_text(tmp_path / "a.txt", "x")
    assert contents(tmp_path) == []


def test_a_file_where_a_folder_is_needed_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"a\.txt"):
        write_text(tmp_path / "file" / "a.txt", "x")


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "out"
    with pytest.raises(RuntimeError), new_folder(target) as folder:
        (folder / "half").touch()
        raise RuntimeError
    assert contents(tmp_path) == []
    with new_folder(target) as folder:
        (folder / "whole").touch()
        assert not target.exists()
    assert contents(tmp_path) == ["out", "whole"]


def test_an_existing_result_is_refused_unless_overwriting_was_allowed(tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.mkdir()
    refuse_existing(target, overwrite=False)  # an empty folder counts as absent
    (target / "old").touch()
    with (
        pytest.raises(OutputError, match="exists already; choose another path, or pass --overwrite"),
        new_folder(target),
    ):
        pass
    with new_folder(target, overwrite=True) as folder:
        (folder / "new").touch()
    assert contents(tmp_path) == ["new", "out"]


def test_a_failure_while_overwriting_keeps_the_old_folder(tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.mkdir()
    (target / "old").touch()
    with pytest.raises(RuntimeError), new_folder(target, overwrite=True):
        raise RuntimeError
    assert contents(tmp_path) == ["old", "out"]


WRITER = """
import sys
from pathlib import Path
from tessella.files.write import write_bytes
print("ready", flush=True)
while True:
    for letter in b"ab":
        write_bytes(Path(sys.argv[1]), bytes([letter]) * 3_000_000)
"""


@pytest.mark.skipif(os.name == "nt", reason="sends SIGKILL")
def test_a_writer_killed_at_any_moment_leaves_a_whole_file(tmp_path: Path) -> None:
    target = tmp_path / "a.bin"
    for attempt in range(6):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(target)], stdout=subprocess.PIPE)
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(0.05 + 0.03 * attempt)
        writer.kill()
        writer.wait()
        writer.stdout.close()
        if target.exists():
            data = target.read_bytes()
            assert len(data) == 3_000_000
            assert len(set(data)) == 1
    assert target.exists()


def test_a_folder_that_tessella_made_may_be_replaced_and_no_other(tmp_path: Path) -> None:
    made, foreign = tmp_path / "made", tmp_path / "foreign"
    with new_folder(made, marked=True) as folder:
        (folder / "old").touch()
    with new_folder(made, overwrite=True, marked=True) as folder:
        (folder / "new").touch()
    assert contents(made) == [MARKER, "new"]
    foreign.mkdir()
    (foreign / "mine").touch()
    with (
        pytest.raises(OutputError, match="exists already, and --overwrite replaces only folders that Tessella made"),
        new_folder(foreign, overwrite=True, marked=True),
    ):
        pass
    assert contents(foreign) == ["mine"]
    refuse_foreign(tmp_path / "absent", overwrite=True)
    with pytest.raises(OutputError, match="exists already, and"):
        refuse_foreign(foreign / "mine", overwrite=True)
    with pytest.raises(OutputError, match="exists already; choose another path, or pass --overwrite"):
        refuse_foreign(made, overwrite=False)


@pytest.mark.skipif(os.name == "nt", reason="asks how a file is open by fcntl")
def test_files_are_flushed_while_open_for_writing_because_windows_flushes_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl
    import stat

    modes = []

    def note(handle: int) -> None:
        if stat.S_ISREG(os.fstat(handle).st_mode):
            modes.append(fcntl.fcntl(handle, fcntl.F_GETFL) & os.O_ACCMODE)

    monkeypatch.setattr(os, "fsync", note)
    write_text(tmp_path / "a.txt", "x")
    assert modes == [os.O_RDWR]


def test_a_folder_is_replaced_where_no_folder_may_be_renamed_onto_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = Path.replace

    def like_windows(self: Path, target: Path) -> Path:
        if target.is_dir():
            raise PermissionError(errno.EACCES, "Access is denied")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", like_windows)
    with new_folder(tmp_path / "out") as folder:
        (folder / "old").touch()
    with new_folder(tmp_path / "out", overwrite=True) as folder:
        (folder / "new").touch()
    assert contents(tmp_path) == ["new", "out"]
