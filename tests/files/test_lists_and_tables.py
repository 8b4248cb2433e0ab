"""Lists, tables and lines of JSON: read piece by piece in any encoding, within limits that real files never meet."""

import contextlib
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tessella.core.errors import FormatError, InputError
from tessella.files import text
from tessella.files.text import read_csv, read_head, read_json, read_json_lines, read_text, read_text_lines, read_toml

MARKED = [("utf-8", ""), ("utf-8", "\ufeff"), ("utf-16-le", "\ufeff"), ("utf-16-be", "\ufeff")]
"""Encodings, and the mark that they need."""

NAMES = ["a", "\u00e9t\u00e9", "\u4e2d\u6587", "\U0001f600 photo"]


def saved(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(("encoding", "mark"), MARKED)
@pytest.mark.parametrize("piece", [1, 2, 3, 7, 1 << 18])
def test_text_is_read_in_every_encoding_that_windows_programs_write(
    tmp_path: Path, encoding: str, mark: str, piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text, "_PIECE", piece)

    def file(content: str) -> Path:
        return saved(tmp_path / "a.txt", (mark + content).encode(encoding))

    assert list(read_text_lines(file("\r\n".join([*NAMES, "", "  last  "])))) == [*NAMES, "last"]
    table = "name,of\r\n" + "".join(f'{name},"1,\r\n2"\r\n' for name in NAMES)
    assert list(read_csv(file(table))) == [{"name": name, "of": "1,\r\n2"} for name in NAMES]
    assert list(read_json_lines(file('{"a": "\U0001f600"}\n\n[1]'))) == [{"a": "\U0001f600"}, [1]]
    assert read_json(file('{"a": "\u00e9"}')) == {"a": "\u00e9"}
    assert read_toml(file('a = "\u00e9"')) == {"a": "\u00e9"}
    assert read_text(file("\u00e9\n")) == "\u00e9\n"
    assert read_head(file("\u00e9abc"), max_bytes=400) == "\u00e9abc"


@pytest.mark.parametrize(("ends", "lines"), [("\n", 3), ("\r\n", 3), ("\r", 3), ("\x0b", 1), ("\u2028", 1)])
def test_a_line_ends_where_editors_end_it(tmp_path: Path, ends: str, lines: int) -> None:
    assert len(list(read_text_lines(saved(tmp_path / "a.txt", ends.join("abc").encode())))) == lines


@pytest.mark.parametrize("read", [read_text_lines, read_csv, read_json_lines])
@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"a\0b", r"holds a NUL \(character 1\)|UTF-16 text, or none"),
        (b"name\nb\0", r"holds a NUL \(character 6\)"),
        (b"name\nb\xff", r"not UTF-8 text \(near byte 6\)"),
        (b"\xff\xfe7\0\n\0\0\xd8", "not UTF-16 text"),
        (b"\xff\xfe7\0\n\0b", "not UTF-16 text"),
        (b"\xff\xfe\0\0a\0\0\0", "UTF-16 text, or none"),
    ],
)
def test_what_is_no_text_is_named(
    tmp_path: Path, read: Callable[[Path], Iterator[Any]], data: bytes, says: str
) -> None:
    if read is read_json_lines:
        data = data.replace(b"name", b"\x20\x20\x20\x20")
    with pytest.raises(FormatError, match=rf"a\.txt: .*({says})"):
        list(read(saved(tmp_path / "a.txt", data)))


def test_a_list_that_is_missing_is_named(tmp_path: Path) -> None:
    for read in (read_text_lines, read_csv, read_json_lines):
        with pytest.raises(InputError, match="no such file"):
            list(read(tmp_path / "a.txt"))
        with pytest.raises(InputError, match="cannot be read"):
            list(read(tmp_path))
    with pytest.raises(InputError, match="too large; got 3 bytes; expected at most 2"):
        list(read_text_lines(saved(tmp_path / "a.txt", b"a\nb"), max_bytes=2))


@pytest.mark.parametrize("before", [0, 3, 100_000])
def test_a_line_that_no_list_has_is_refused_with_its_number(tmp_path: Path, before: int) -> None:
    longest = text.LINE_BUDGET
    path = saved(tmp_path / "a.txt", b"a\n" * before + b"b" * longest + b"\nlast\n")
    assert len(list(read_text_lines(path))) == before + 2
    for end in (b"", b"\n", b"\nlast"):
        path = saved(tmp_path / "a.txt", b"a\n" * before + b"b" * (longest + 1) + end)
        with pytest.raises(FormatError, match=rf"a\.txt: line {before + 1}: .*expected at most {longest} characters"):
            list(read_text_lines(path))


def test_a_row_that_no_table_has_is_refused(tmp_path: Path) -> None:
    cell = b'"' + b"x" * 100_000 + b'",'
    assert len(list(read_csv(saved(tmp_path / "a.csv", b"a,b,c\n" + (cell * 2 + b"\n") * 20)))) == 20
    with pytest.raises(FormatError, match="line 2: the line is longer"):
        list(read_csv(saved(tmp_path / "a.csv", b"a,b,c\n" + cell * 11)))
    with pytest.raises(FormatError, match="a row of the table has no end"):
        list(read_csv(saved(tmp_path / "a.csv", b"a,b,c\n" + b'"\n",' * 800_000)))


def test_a_million_lines_are_read_and_a_crowd_of_short_ones_is_refused_at_once(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.txt", b"".join(b"%07d\n" % number for number in range(1_000_000)))
    assert sum(map(int, read_text_lines(path))) == 499_999_500_000
    path = saved(tmp_path / "b.txt", b"ab\n" * (text.CROWD + 1))
    with pytest.raises(FormatError, match=rf"more lines than a list or table.*got {text.CROWD + 1} lines in .* bytes"):
        next(read_text_lines(path))
    long = b"c" * 63 + b"\n"
    path = saved(tmp_path / "c.txt", long * (text.CROWD + 1))
    assert next(read_text_lines(path)) == "c" * 63


def test_lines_of_json_are_weighed_together(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.ndjson", b"[" + b"[]," * 30_000 + b"[]]\n")
    assert len(list(read_json_lines(path))) == 1
    path = saved(path, path.read_bytes() * 700)
    with pytest.raises(FormatError, match="more values than fit into memory"):
        list(read_json_lines(path))
    with pytest.raises(FormatError, match=r"a\.ndjson: line 3: this is not valid JSON"):
        list(read_json_lines(saved(path, b"{}\n\n[}\n")))


@pytest.mark.parametrize("read", [read_text_lines, read_csv])
@pytest.mark.parametrize(
    "data",
    [
        b"a" * 60_000_000, b"a" * 59_999_996 + b"\xf0\x9f\x98\x80", b"a\n" * 30_000_000, (b"a" * 79 + b"\n") * 200_000,
    ],
    ids=["one line", "one line with an emoji", "lines of a letter", "honest lines"],
)  # fmt: skip
def test_a_file_is_never_held_whole(tmp_path: Path, read: Callable[[Path], Iterator[Any]], data: bytes) -> None:
    path = saved(tmp_path / "a.txt", data)
    tracemalloc.start()
    with contextlib.suppress(FormatError):
        for _ in read(path):
            pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 << 20
