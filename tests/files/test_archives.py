"""Archives: what honest ones hold is unpacked whole, and what a stranger's could do is refused with nothing left."""

import bz2
import gzip
import hashlib
import io
import lzma
import shutil
import stat
import struct
import tarfile
import warnings
import zipfile
from pathlib import Path

import pytest

from tessella.core.errors import FormatError, InputError, OutputError
from tessella.files.archives import as_given, is_archive, member, opened, unpack

FILES = {"images/a.png": b"photo", "masks/a.png": b"mask", "readme.txt": b"words"}
PACKERS = {"tar": bytes, "tar.gz": gzip.compress, "tar.bz2": bz2.compress, "tar.xz": lzma.compress}


def zipped(path: Path, files: dict = FILES, *, method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a name that occurs twice
        for name, data in files.items() if isinstance(files, dict) else files:
            archive.writestr(name, data)
    return path


def tarred(path: Path, entries: list | None = None, *, pack=bytes, form: int = tarfile.GNU_FORMAT) -> Path:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=form) as archive:
        for info, data in entries or [(entry(name, data), data) for name, data in FILES.items()]:
            archive.addfile(info, io.BytesIO(data))
    path.write_bytes(pack(stream.getvalue()))
    return path


def entry(name: str, data: bytes = b"", **more: object) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for key, value in more.items():
        setattr(info, key, value)
    return info


def content(folder: Path) -> dict:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def refused(path: Path, tmp_path: Path, says: str) -> None:
    before = set(tmp_path.iterdir())
    with pytest.raises(FormatError, match=says):
        unpack(path, tmp_path / "out")
    assert set(tmp_path.iterdir()) == before


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "tessella" / "archives"


@pytest.mark.parametrize("kind", PACKERS)
def test_a_tar_is_unpacked_whatever_its_name_says(kind, tmp_path):
    path = tarred(tmp_path / "set.bin", pack=PACKERS[kind])
    assert is_archive(path)
    assert content(unpack(path, tmp_path / "out")) == FILES


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_is_unpacked_whatever_its_method(method, tmp_path):
    assert content(unpack(zipped(tmp_path / "a", method=method), tmp_path / "out")) == FILES


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_and_foreign_names_survive(form, tmp_path):
    name = "bilder" * 20 + "/" + "ü" * 40 + ".png"
    path = tarred(tmp_path / "a", [(entry(name, b"1"), b"1"), (entry("b", b"x" * 512), b"x" * 512)], form=form)
    assert content(unpack(path, tmp_path / "out")) == {name: b"1", "b": b"x" * 512}


def test_streams_of_bzip2_and_xz_behind_one_another_are_one_archive(tmp_path):
    for pack in (bz2.compress, lzma.compress):
        path = tarred(tmp_path / "a", pack=lambda data, pack=pack: pack(data[:700]) + pack(data[700:]))
        assert content(unpack(path, tmp_path / pack.__module__)) == FILES


def test_windows_separators_and_empty_folders_are_understood(tmp_path):
    path = zipped(tmp_path / "a.zip", {"set\\images\\a.png": b"1", "set/empty/": b""})
    out = unpack(path, tmp_path / "out")
    assert content(out) == {"set/images/a.png": b"1"}
    assert (out / "set" / "empty").is_dir()


def test_archives_inside_stay_as_they_are_and_what_macos_adds_is_left_out(tmp_path):
    inner = zipped(tmp_path / "inner.zip").read_bytes()
    files = {"set/more.zip": inner, "__MACOSX/set/._a.png": b"x", "set/.DS_Store": b"x", "set/._a.png": b"x"}
    assert content(unpack(zipped(tmp_path / "a.zip", files), tmp_path / "out")) == {"set/more.zip": inner}


def test_opened_unpacks_once_and_goes_down_to_the_data_set(tmp_path, home):
    path = zipped(tmp_path / "a.zip", {f"set/data/{name}": data for name, data in FILES.items()} | {"__MACOSX/x": b""})
    folder = opened(path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert folder == home / digest / "set" / "data"
    assert content(folder) == FILES
    (folder / "readme.txt").write_text("seen")
    assert (opened(path) / "readme.txt").read_text() == "seen"
    assert [entry.name for entry in home.iterdir()] == [digest]


def test_a_changed_archive_is_unpacked_anew(tmp_path):
    first = opened(zipped(tmp_path / "a.zip"))
    assert opened(zipped(tmp_path / "a.zip", FILES | {"readme.txt": b"other"})) != first


def test_a_failure_leaves_nothing_in_the_cache(tmp_path, home):
    path = zipped(tmp_path / "a.zip", FILES | {"../out": b""})
    with pytest.raises(FormatError, match="outside"):
        opened(path)
    assert list(home.iterdir()) == []


def test_a_missing_file_is_named(tmp_path):
    for call in (opened, is_archive, lambda path: unpack(path, tmp_path / "out")):
        with pytest.raises(InputError, match="no such file"):
            call(tmp_path / "no.zip")


def test_what_is_no_archive_is_refused(tmp_path):
    for name, data in (
        ("a.png", b"\x89PNG"),
        ("a.nii.gz", gzip.compress(bytes(600))),
        ("b.gz", b"\x1f\x8b\0"),
        ("c", b""),
    ):
        (tmp_path / name).write_bytes(data)
        assert not is_archive(tmp_path / name)
        refused(tmp_path / name, tmp_path, "no archive")
    assert not is_archive(zipped(tmp_path / "arrays.npz"))


@pytest.mark.parametrize(
    "name",
    ["../a", "a/../../b", "/etc/a", "C:\\a", "c:a", "\\\\server\\a", "a\nb", "..", "a/..", "x" * 256, "y/" * 600],
)
def test_a_path_that_leads_outside_or_nowhere_is_refused(name, tmp_path):
    refused(zipped(tmp_path / "a.zip", {"ok": b"1", name: b"1"}), tmp_path, "leads outside")
    refused(tarred(tmp_path / "a.tar", [(entry(name, b"1"), b"1")]), tmp_path, "leads outside")


def test_a_name_with_a_nul_is_refused(tmp_path):
    path = zipped(tmp_path / "a.zip", {"aXb.png": b"1"})
    path.write_bytes(path.read_bytes().replace(b"aXb.png", b"a\0b.png"))
    refused(path, tmp_path, "leads outside")


def test_a_path_that_occurs_twice_is_refused(tmp_path):
    for twin in ("a", "./a", "x//../a"):
        files = [("a", b"1"), (twin, b"2")]
        says = "twice" if ".." not in twin else "outside"
        refused(zipped(tmp_path / "a.zip", files), tmp_path, says)
        refused(tarred(tmp_path / "a.tar", [(entry(name, data), data) for name, data in files]), tmp_path, says)


def test_a_path_cannot_be_a_file_and_a_folder(tmp_path):
    refused(zipped(tmp_path / "a.zip", [("a", b"1"), ("a/b", b"2")]), tmp_path, "file and a folder")
    refused(zipped(tmp_path / "b.zip", [("a/b", b"1"), ("a", b"2")]), tmp_path, "twice")


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_are_refused(kind, tmp_path):
    refused(tarred(tmp_path / "a.tar", [(entry("a", type=kind, linkname="/etc/passwd"), b"")]), tmp_path, "a link")
    info = zipfile.ZipInfo("a")
    info.external_attr = (stat.S_IFLNK if kind == tarfile.SYMTYPE else stat.S_IFCHR) << 16
    refused(zipped(tmp_path / "a.zip", [(info, b"/etc/passwd")]), tmp_path, "a link")


def test_an_encrypted_zip_says_so(tmp_path):
    data = bytearray(zipped(tmp_path / "a.zip").read_bytes())
    for magic, place in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        at = data.find(magic)
        data[at + place] |= 1
    (tmp_path / "a.zip").write_bytes(data)
    refused(tmp_path / "a.zip", tmp_path, "encrypted.*password")


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_a_bomb_is_refused(pack, tmp_path, monkeypatch):
    monkeypatch.setattr("tessella.files.archives.member.FREE_BUDGET", 1 << 20)
    monkeypatch.setattr("tessella.files.archives.tars.FREE_BUDGET", 1 << 20)
    zeros = bytes(3 << 20)
    refused(tarred(tmp_path / "a", [(entry("a", zeros), zeros)], pack=pack), tmp_path, "far more")
    refused(zipped(tmp_path / "a.zip", {"a": zeros}), tmp_path, "far more")


def test_members_that_share_their_bytes_are_refused(tmp_path, monkeypatch):
    """A table of contents can name one packed kilobyte a million times."""
    monkeypatch.setattr("tessella.files.archives.member.FREE_BUDGET", 1 << 20)
    zeros = bytes(200_000)
    data = zipped(
        tmp_path / "a.zip", {f"{number:04}": zeros if not number else b"" for number in range(40)}
    ).read_bytes()
    start = data.find(b"PK\1\2")
    size = struct.unpack_from("<I", data, start + 24)[0]
    first = data[start : start + 50]
    assert size == len(zeros)
    entries = b"".join(first[:46] + f"{number:04}".encode() for number in range(40))
    end = data[data.find(b"PK\5\6") :]
    (tmp_path / "a.zip").write_bytes(data[:start] + entries + end)
    refused(tmp_path / "a.zip", tmp_path, "far more")


def test_too_many_files_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(member, "MEMBER_BUDGET", 2)
    refused(zipped(tmp_path / "a.zip"), tmp_path, "too many files")
    refused(tarred(tmp_path / "a.tar"), tmp_path, "too many files")


def test_a_table_of_contents_that_is_too_long_is_refused_unread(tmp_path):
    data = bytearray(zipped(tmp_path / "a.zip").read_bytes())
    struct.pack_into("<I", data, data.find(b"PK\5\6") + 12, 2**31)
    (tmp_path / "a.zip").write_bytes(data)
    refused(tmp_path / "a.zip", tmp_path, "too many files")


@pytest.mark.parametrize("kind", ["zip", *PACKERS])
def test_damage_anywhere_gives_our_error_or_the_whole_content(kind, tmp_path):
    path = tmp_path / "a"
    zipped(path) if kind == "zip" else tarred(path, pack=PACKERS[kind])
    whole = path.read_bytes()
    for place in range(0, len(whole), max(1, len(whole) // 60)):
        for data in (whole[:place], whole[:place] + b"\xff\xff" + whole[place + 2 :]):
            path.write_bytes(data)
            out = tmp_path / "out"
            try:
                unpack(path, out)
            except FormatError:
                assert not out.exists()
            else:
                assert len(content(out)) <= len(FILES)  # a tar says nothing of its data
                shutil.rmtree(out)


def test_a_damaged_header_in_a_tar_is_not_taken_for_its_end(tmp_path):
    path = tarred(tmp_path / "a.tar")
    data = bytearray(path.read_bytes())
    data[1024 + 10] ^= 1
    path.write_bytes(data)
    refused(path, tmp_path, "damaged")


def test_a_full_disk_is_said_before_it_is_full(tmp_path, monkeypatch):
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr("tessella.files.archives.unpacking.shutil.disk_usage", lambda _: usage)
    with pytest.raises(OutputError, match="no room"):
        unpack(zipped(tmp_path / "a.zip"), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_nothing_is_unpacked_over_something(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("")
    with pytest.raises(OutputError, match="exists"):
        unpack(zipped(tmp_path / "a.zip"), tmp_path / "out")


def test_a_message_names_the_archive_as_it_was_opened_last(tmp_path, home):
    path = zipped(tmp_path / "a.zip")
    folder = opened(path)
    assert as_given(f"{folder}/masks/a.png: no PNG; see {folder}") == f"{path}/masks/a.png: no PNG; see {path}"
    again = path.rename(tmp_path / "b.zip")
    opened(again)
    assert as_given(f"{folder}: empty") == f"{again}: empty"


def test_a_message_about_folders_that_nobody_opened_stays_as_it_is(tmp_path, home):
    for said in (f"{home / ('0' * 64)}: empty", f"{home}: full", f"{tmp_path / ('0' * 64)}: empty", "nothing"):
        assert as_given(said) == said
