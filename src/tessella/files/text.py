"""Text files from strangers: JSON, TOML, CSV and lists with limits, and errors that name the file."""

from __future__ import annotations

import csv
import io
import json
import tomllib
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from tessella.core.errors import FormatError, InputError
from tessella.files.paths import plain_size

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

TEXT_BUDGET: Final = 1 << 30
"""Largest text file that is read, in bytes; an option of every reader raises it."""

DEPTH_BUDGET: Final = 64
"""Deepest nesting of JSON and XML."""

MEMORY_BUDGET: Final = 1 << 31
"""Most memory that a parsed JSON or CSV file may take, in bytes, judged by its commas and brackets beforehand."""

_SMALL: Final = 1 << 20
_BYTES_OF: Final = {",": 40, "[": 64, "{": 240}
"""About what CPython takes for a value, a list and a dictionary."""

_BOM: Final = b"\xef\xbb\xbf"
_TOML_BUDGET: Final = 1 << 24


def read_bytes(path: Path, *, max_bytes: int = TEXT_BUDGET) -> bytes:
    """Read a whole file.

    Raises:
        InputError: It does not exist, cannot be read, is a pipe or a device, or is larger than `max_bytes`.
    """
    try:
        size = plain_size(path)
        if size > max_bytes:
            raise InputError("the file is too large", where=path, got=f"{size} bytes", expected=f"at most {max_bytes}")
        return path.read_bytes()
    except FileNotFoundError as error:
        raise InputError("there is no such file", where=path, fix="check the spelling") from error
    except OSError as error:
        raise InputError(f"the file cannot be read ({error.strerror})", where=path) from error


def read_text(path: Path, *, max_bytes: int = TEXT_BUDGET) -> str:
    """Read a UTF-8 text file (a byte-order mark is allowed).

    Raises:
        InputError: It cannot be read.
        FormatError: It is not UTF-8, or holds a NUL.
    """
    data = read_bytes(path, max_bytes=max_bytes)
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in data[:4]:
        raise FormatError("this is UTF-16 text, or none", where=path, fix="save the file with UTF-8 encoding")
    try:
        # the codec "utf-8-sig" takes five times as long, and a file of brackets must be refused quickly
        text = str(memoryview(data)[3:] if data[:3] == _BOM else data, "utf-8")
    except UnicodeDecodeError as error:
        raise FormatError(
            f"this is not UTF-8 text (byte {error.start})", where=path, fix="save the file with UTF-8 encoding"
        ) from error
    if "\0" in text:
        raise FormatError(
            f"this is not text: it holds a NUL (character {text.index(chr(0))})",
            where=path,
            fix="export the file again",
        )
    return text


def read_text_lines(path: Path, *, max_bytes: int = TEXT_BUDGET) -> list[str]:
    """Read the lines of a text file, without surrounding blanks and without empty lines."""
    return [line.strip() for line in read_text(path, max_bytes=max_bytes).splitlines() if line.strip()]


def read_json(path: Path, *, max_bytes: int = TEXT_BUDGET, allow_nan: bool = False) -> Any:  # noqa: ANN401 - JSON
    """Read JSON, refusing what JSON does not have or what hides a fault.

    Args:
        path: The file.
        max_bytes: Refuse larger files.
        allow_nan: Let NaN and Infinity through, for readers that report them with their place.

    Raises:
        InputError: The file cannot be read.
        FormatError: Not JSON, NaN or Infinity, a key that occurs twice in one object, nesting deeper than 64, or more
            values than 2 GiB of memory hold.
    """
    return parse_json(read_text(path, max_bytes=max_bytes), where=path, allow_nan=allow_nan)


def parse_json(text: str, *, where: object, allow_nan: bool = False) -> Any:  # noqa: ANN401 - JSON can be any of its types
    """Parse JSON text with the limits of `read_json`; `where` names the source in errors."""

    def constant(name: str) -> float:
        if allow_nan:
            return float(name)
        raise FormatError(f"{name} is not a JSON value", where=where, fix="correct the number in the file")

    def refuse_twins(pairs: list[tuple[str, object]]) -> dict[str, object]:
        value = dict(pairs)
        if len(value) != len(pairs):
            twin = _twin(name for name, _ in pairs)
            raise FormatError(
                f"the key {twin[:60]!r} occurs twice in one object", where=where, fix="remove one of the two"
            )
        return value

    _refuse_heavy(text, where=where)
    try:
        value = json.loads(text, parse_constant=constant, object_pairs_hook=refuse_twins)
    except (json.JSONDecodeError, RecursionError, ValueError) as error:
        raise FormatError(f"this is not valid JSON ({error})", where=where, fix="export the file again") from error
    if _depth_exceeds(value, DEPTH_BUDGET):
        raise FormatError("the JSON is nested too deeply", where=where, expected=f"at most {DEPTH_BUDGET} levels")
    return value


def _twin(names: Iterable[str]) -> str:
    return next(name for name, count in Counter(names).items() if count > 1)


def _refuse_heavy(text: str, *, where: object) -> None:
    """Judge the memory of a tree by its text, for brackets alone become sixty times as large."""
    if len(text) < _SMALL:
        return
    needed = len(text) + sum(text.count(sign) * size for sign, size in _BYTES_OF.items())
    if needed > MEMORY_BUDGET:
        raise FormatError(
            "the file holds more values than fit into memory",
            where=where,
            got=f"about {needed >> 30} GiB",
            expected=f"at most {MEMORY_BUDGET >> 30} GiB",
            fix="split the data set into several files",
        )


def _depth_exceeds(value: object, budget: int) -> bool:
    level: list[object] = [value]
    for _ in range(budget):
        below: list[object] = []
        for item in level:
            if isinstance(item, dict):
                below += [child for child in item.values() if isinstance(child, (dict, list))]
            elif isinstance(item, list):
                below += [child for child in item if isinstance(child, (dict, list))]
        if not below:
            return False
        level = below
    return True


def read_toml(path: Path) -> dict[str, Any]:
    """Read TOML.

    Raises:
        InputError: The file cannot be read.
        FormatError: It is not TOML; the message holds the line.
    """
    try:
        return tomllib.loads(read_text(path, max_bytes=_TOML_BUDGET))
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        raise FormatError(f"this is not valid TOML ({error})", where=path, fix="correct that line") from error


def read_csv(path: Path) -> list[dict[str, str]]:
    """Read a CSV file with a header row; names and cells lose surrounding blanks.

    Raises:
        InputError: The file cannot be read.
        FormatError: No header, a column that occurs twice, a row with another number of cells, no CSV at all, or more
            cells than 2 GiB of memory hold.
    """
    text = read_text(path)
    _refuse_heavy(text, where=path)
    try:
        rows = [row for row in csv.reader(io.StringIO(text)) if any(cell.strip() for cell in row)]
    except csv.Error as error:  # lone carriage returns, or a cell without end
        raise FormatError(
            f"this is not a CSV table ({error})", where=path, fix="save it again as CSV with ordinary line ends"
        ) from error
    if not rows:
        raise FormatError("the table is empty", where=path, expected="a header row")
    header = [name.strip() for name in rows[0]]
    named = [name for name in header if name]  # spreadsheets leave columns without a name behind
    if len(set(named)) < len(named):
        raise FormatError(f"the column {_twin(named)[:60]!r} occurs twice", where=path, fix="remove one of the two")
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(header):
            raise FormatError(f"row {number} has {len(row)} cells", where=path, expected=f"{len(header)} as the header")
    return [dict(zip(header, (cell.strip() for cell in row), strict=True)) for row in rows[1:]]
