"""Text files from strangers: JSON, TOML, CSV and lists with limits, and errors that name the file."""

from __future__ import annotations

import codecs
import contextlib
import csv
import io
import json
import tomllib
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from tessella.core.errors import FormatError, InputError
from tessella.files.paths import plain_size
from tessella.files.values.trees import depth_exceeds, refuse_heavy, weight_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from typing import BinaryIO

TEXT_BUDGET: Final = 1 << 30
"""Largest text file that is read, in bytes; an option of every reader raises it."""

DEPTH_BUDGET: Final = 64
"""Deepest nesting of JSON and XML."""

LINE_BUDGET: Final = 1 << 13
"""Longest line of a list, in characters: two of the longest paths that there are."""

ROW_BUDGET: Final = 1 << 20
"""Longest row of a table, in characters; its cells have at most 131,072, as Python's `csv` has it."""

CLASSES_BUDGET: Final = 1 << 20
"""Largest class file of any kind, in bytes: there are 255 classes at most."""

TOML_BUDGET: Final = 1 << 24
"""Largest TOML file, in bytes."""

CROWD: Final = 5 << 18
"""Most lines of a list or table; more where they have 64 bytes each on average, for a line costs about 120."""

_FEWEST: Final = 64

_SMALL: Final = 1 << 20
_PIECE: Final = 1 << 18
_BOMS: Final = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_UTF32: Final = b"\xff\xfe\0\0"


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn what the system says of a file into our errors."""
    try:
        yield
    except FileNotFoundError as error:
        raise InputError("there is no such file", where=path, fix="check the spelling") from error
    except OSError as error:
        raise InputError(f"the file cannot be read ({error.strerror or error})", where=path) from error


def _require_small(path: Path, max_bytes: int) -> int:
    size = plain_size(path)
    if size > max_bytes:
        raise InputError("the file is too large", where=path, got=f"{size} bytes", expected=f"at most {max_bytes}")
    return size


def read_bytes(path: Path, *, max_bytes: int = TEXT_BUDGET) -> bytes:
    """Read a whole file.

    Raises:
        InputError: It does not exist, cannot be read, is a pipe or a device, or is larger than `max_bytes`.
    """
    with _explained(path):
        _require_small(path, max_bytes)
        return path.read_bytes()


def read_text(path: Path, *, max_bytes: int = TEXT_BUDGET) -> str:
    """Read a text file in UTF-8 (a byte-order mark is allowed) or, by its byte-order mark, in UTF-16.

    Raises:
        InputError: It cannot be read.
        FormatError: It is neither, or holds a NUL.
    """
    return _decoded(read_bytes(path, max_bytes=max_bytes), path)


def as_utf8(data: bytes, path: Path) -> tuple[bytes, str]:
    """Return the bytes of a text file in UTF-8, and the encoding that it has: UTF-8 stays as it is, mark and all.

    Raises:
        FormatError: As `read_text`; UTF-8 is not looked at.
    """
    encoding, _ = _encoding_of(data[:4], path)
    return (data if encoding == "utf-8" else _decoded(data, path).encode()), encoding


def read_head(path: Path, *, max_bytes: int) -> str:
    """Read the first words of a text file of any kind, to see what it is; what is no text is left out.

    Args:
        path: The file; XML may be in UTF-16 without a byte-order mark.
        max_bytes: How much is read.

    Raises:
        OSError: It cannot be read.
    """
    with path.open("rb") as stream:
        data = stream.read(max_bytes)
    encoding = {b"<\0": "utf-16-le", b"\0<": "utf-16-be"}.get(data[:2], "utf-8")
    with contextlib.suppress(FormatError):
        encoding, skip = _encoding_of(data[:4], path)
        data = data[skip:]
    return data.decode(encoding, "ignore")


def _encoding_of(head: bytes, path: Path) -> tuple[str, int]:
    """Return the encoding that the first four bytes of a text say, and how many of them only say that."""
    found = next(((name, len(mark)) for mark, name in _BOMS if head.startswith(mark)), ("utf-8", 0))
    if head[:4] == _UTF32 or (b"\0" in head and found[0] == "utf-8"):
        raise FormatError("this is UTF-16 text, or none", where=path, fix="save the file with UTF-8 encoding")
    return found


def _decoded(data: bytes, path: Path) -> str:
    encoding, skip = _encoding_of(data[:4], path)
    try:
        # the codec "utf-8-sig" takes five times as long, and a file of brackets must be refused quickly
        text = str(memoryview(data)[skip:], encoding)
    except UnicodeDecodeError as error:
        raise _no_text(encoding, f"byte {error.start + skip}", path) from error
    if "\0" in text:
        raise _holds_nul(f"character {text.index(chr(0))}", path)
    return text


def _no_text(encoding: str, place: str, path: Path) -> FormatError:
    name = encoding.upper().removesuffix("-LE").removesuffix("-BE")
    return FormatError(f"this is not {name} text ({place})", where=path, fix="save the file with UTF-8 encoding")


def _holds_nul(place: str, path: Path) -> FormatError:
    return FormatError(f"this is not text: it holds a NUL ({place})", where=path, fix="export the file again")


def read_text_lines(path: Path, *, max_bytes: int = TEXT_BUDGET) -> Iterator[str]:
    """Read the lines of a list one by one, without surrounding blanks and without empty lines.

    The file is never held whole: a million lines cost what the caller keeps of them.

    Raises:
        InputError: The file cannot be read, or is too large.
        FormatError: Not text, a line of more than 8192 characters, or more lines than a data set has.
    """
    for line in _lines(path, max_bytes=max_bytes, longest=LINE_BUDGET):
        if stripped := line.strip():
            yield stripped


def _lines(path: Path, *, max_bytes: int, longest: int, any_end: bool = True, weighed: bool = False) -> Iterator[str]:
    r"""Yield the lines of a text without their ends.

    Args:
        path: The file.
        max_bytes: Refuse larger files.
        longest: Refuse longer lines, in characters.
        any_end: Whether a lone `\r` ends a line, too.
        weighed: Whether values are built of the text, so that their memory is judged.
    """
    count = length = 0
    begun: list[str] = []
    for piece in _pieces(path, max_bytes, any_end=any_end, weighed=weighed):
        first, *lines = piece.split("\n")
        begun.append(first)
        length += len(first)
        if lines:
            lines.insert(0, "".join(begun))
            begun = [lines.pop()]
            longer = (place for place, line in enumerate(lines) if len(line) > longest)
            if max(map(len, lines)) > longest:
                raise _too_long(f"{path}: line {count + next(longer) + 1}", longest)
            count, length = count + len(lines), len(begun[0])
            yield from lines
        if length > longest:
            raise _too_long(f"{path}: line {count + 1}", longest)
    if length:
        yield "".join(begun)


def _too_long(where: str, longest: int) -> FormatError:
    return FormatError(
        "the line is longer than any of such a file",
        where=where,
        expected=f"at most {longest} characters",
        fix="export the file again",
    )


def _pieces(path: Path, max_bytes: int, *, any_end: bool, weighed: bool) -> Iterator[str]:
    """Yield a text piece by piece; one that holds too much is refused before the first."""
    place = 0
    with _explained(path):
        size = _require_small(path, max_bytes)
        with path.open("rb") as stream:
            _refuse_crowd(stream, size, path, weighed=weighed)
            encoding, skip = _encoding_of(stream.read(4), path)
            stream.seek(skip)
            decode: Any = codecs.getincrementaldecoder(encoding)()
            if any_end:
                decode = io.IncrementalNewlineDecoder(decode, translate=True)
            data = b"more"
            while data:
                data = stream.read(_PIECE)
                try:
                    text = decode.decode(data, final=not data)
                except UnicodeDecodeError as error:
                    raise _no_text(encoding, f"near byte {stream.tell() - len(data) + error.start}", path) from error
                if "\0" in text:
                    raise _holds_nul(f"character {place + text.index(chr(0))}", path)
                place += len(text)
                yield text


def _refuse_crowd(stream: BinaryIO, size: int, path: Path, *, weighed: bool) -> None:
    """Refuse millions of short lines, of which each costs a hundred bytes once it is kept, and of values."""
    if size <= CROWD:
        return
    count = needed = 0
    while data := stream.read(_SMALL):
        count += max(data.count(b"\n"), data.count(b"\r"))
        if weighed:
            needed += weight_of(str(data, "latin-1"))
            refuse_heavy(needed, where=path)
    stream.seek(0)
    if count > CROWD and size < count * _FEWEST:
        raise FormatError(
            "the file has more lines than a list or table of a data set",
            where=path,
            got=f"{count} lines in {size} bytes",
            expected=f"at most {CROWD}, or {_FEWEST} bytes per line",
            fix="split the data set into several ones",
        )


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


def read_json_lines(path: Path, *, allow_nan: bool = False) -> Iterator[Any]:
    """Read a file of JSON line by line, with the limits of `read_json` for all lines together.

    Raises:
        InputError: The file cannot be read.
        FormatError: As `read_json`; the message names the line.
    """
    lines = _lines(path, max_bytes=TEXT_BUDGET, longest=TEXT_BUDGET, weighed=True)
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield parse_json(line, where=f"{path}: line {number}", allow_nan=allow_nan)


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

    if len(text) >= _SMALL:
        refuse_heavy(weight_of(text), where=where)
    try:
        value = json.loads(text, parse_constant=constant, object_pairs_hook=refuse_twins)
    except (json.JSONDecodeError, RecursionError, ValueError) as error:
        raise FormatError(f"this is not valid JSON ({error})", where=where, fix="export the file again") from error
    if depth_exceeds(text, DEPTH_BUDGET):
        raise FormatError("the JSON is nested too deeply", where=where, expected=f"at most {DEPTH_BUDGET} levels")
    return value


def _twin(names: Iterable[str]) -> str:
    return next(name for name, count in Counter(names).items() if count > 1)


def read_toml(path: Path, *, max_bytes: int = TOML_BUDGET) -> dict[str, Any]:
    """Read TOML.

    Raises:
        InputError: The file cannot be read.
        FormatError: It is not TOML; the message holds the line.
    """
    try:
        return tomllib.loads(read_text(path, max_bytes=max_bytes))
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        raise FormatError(f"this is not valid TOML ({error})", where=path, fix="correct that line") from error


def read_csv(path: Path, *, max_bytes: int = TEXT_BUDGET) -> Iterator[dict[str, str]]:
    """Read a CSV file with a header row, row by row; names and cells lose surrounding blanks.

    The file is never held whole: a million rows cost what the caller keeps of them.

    Raises:
        InputError: The file cannot be read, or is too large.
        FormatError: No header, a column that occurs twice, a row with another number of cells, no CSV at all, a row of
            more than a million characters, or more cells than 2 GiB of memory hold.
    """
    rows = (row for row in _cells(path, max_bytes) if any(cell.strip() for cell in row))
    header = [name.strip() for name in next(rows, ())]
    if not header:
        raise FormatError("the table is empty", where=path, expected="a header row")
    named = [name for name in header if name]  # spreadsheets leave columns without a name behind
    if len(set(named)) < len(named):
        raise FormatError(f"the column {_twin(named)[:60]!r} occurs twice", where=path, fix="remove one of the two")
    for number, row in enumerate(rows, start=2):
        if len(row) != len(header):
            raise FormatError(f"row {number} has {len(row)} cells", where=path, expected=f"{len(header)} as the header")
        yield dict(zip(header, map(str.strip, row), strict=True))


def _cells(path: Path, max_bytes: int) -> Iterator[list[str]]:
    """Yield the rows of a table; a cell in quotes may go on over several lines."""
    begun = 0

    def lines() -> Iterator[str]:
        nonlocal begun
        for line in _lines(path, max_bytes=max_bytes, longest=ROW_BUDGET, any_end=False, weighed=True):
            begun += len(line)
            if begun > ROW_BUDGET:
                raise FormatError(
                    "a row of the table has no end", where=path, expected=f"at most {ROW_BUDGET} characters"
                )
            yield f"{line}\n"

    try:
        for row in csv.reader(lines()):
            begun = 0
            yield row
    except csv.Error as error:  # lone carriage returns, or a cell without end
        raise FormatError(
            f"this is not a CSV table ({error})", where=path, fix="save it again as CSV with ordinary line ends"
        ) from error
