"""Large JSON files: checked whole, but kept as places in the file, so that 500 MB cost seconds and no tree.

`read_json` builds an object per number: a COCO file of 500 MB takes 25 s and 3.2 GiB that way. Here msgspec checks the
file's syntax in one pass, the named fields of each row come out as columns, and a row is parsed, with every limit of
`read_json`, when it is asked for.
"""

from __future__ import annotations

import codecs
import contextlib
import re
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tessella.core.errors import FormatError, InputError
from tessella.files.text import as_utf8, parse_json, read_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

SECTIONS_BUDGET: Final = 1 << 32
"""Largest JSON file that is read in sections, in bytes; it is held in memory once while it is read."""

_BETWEEN: Final = re.compile(rb'\s*[,{]\s*"((?:[^"\\]|\\.)*)"\s*:\s*')
_LIST: Final = re.compile(rb"\s*\[")
_COMMA: Final = re.compile(rb"[\s,]*")
_BOM: Final = b"\xef\xbb\xbf"
_FIX: Final = "export the file again"


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """The items of one list in a JSON file, by their places in it; small and picklable.

    Args:
        path: The file.
        stamp: Its size in bytes and its time of change, which must be the same when rows are parsed.
        name: The key of the list, for messages.
        starts: (N,) int64, where each item begins, in bytes.
        stops: (N,) int64, where it ends.
        encoding: Of the file.
    """

    path: Path
    stamp: tuple[int, int]
    name: str
    starts: NDArray[np.int64]
    stops: NDArray[np.int64]
    encoding: str = "utf-8"

    def __len__(self) -> int:
        return len(self.starts)

    def parse(self, positions: Sequence[int], *, allow_nan: bool = False) -> list[Any]:
        """Parse some of the items.

        Args:
            positions: Which, in any order.
            allow_nan: Let NaN through, as `read_json`; it never is, for such a file is refused when it is opened.

        Raises:
            InputError: The file cannot be read any more.
            FormatError: It was changed, or an item breaks a limit of `read_json`; the message names the item.
        """
        try:
            with self.path.open("rb") as stream:
                if _stamp(self.path) != self.stamp:
                    raise FormatError(
                        "the file was changed while it was being read", where=self.path, fix="start again"
                    )
                found = []
                for position in positions:
                    stream.seek(int(self.starts[position]))
                    data = stream.read(int(self.stops[position] - self.starts[position]))
                    where = f"{self.path}: {self.name}[{position}]"
                    found.append(_parsed(data, where=where, allow_nan=allow_nan, encoding=self.encoding))
                return found
        except OSError as error:
            raise InputError(f"the file cannot be read ({error.strerror or error})", where=self.path) from error


class Sections:
    """A JSON file whose values were not built yet: `read_sections` makes it, and it holds the file's bytes.

    Args:
        path: The file.
        stamp: Its size and time of change.
        data: Its text in UTF-8.
        encoding: Of the file.
        values: For each key of the object at its top the place of its value in `data`; for a list at its top, "".
    """

    def __init__(
        self, path: Path, stamp: tuple[int, int], *, data: bytes, encoding: str, values: Mapping[str, tuple[int, int]]
    ) -> None:
        self.path = path
        self.stamp = stamp
        self._data = data
        self._encoding = encoding
        self._values = dict(values)

    @property
    def names(self) -> tuple[str, ...]:
        """The keys of the object at the file's top; ("",) where that is a list."""
        return tuple(self._values)

    def is_list(self, name: str) -> bool:
        """Whether there is a value of this name, and it is a list."""
        start, _ = self._values.get(name, (0, 0))
        return name in self._values and self._data[start : start + 1] == b"["

    def parse(self, name: str, *, allow_nan: bool = False) -> Any:  # noqa: ANN401 - JSON can be any of its types
        """Build one value, with the limits of `read_json`.

        Raises:
            FormatError: There is no such key, or the value breaks a limit.
        """
        start, stop = self._place(name)
        return _parsed(self._data[start:stop], where=f"{self.path}: {name}" if name else self.path, allow_nan=allow_nan)

    def rows(self, name: str, columns: Mapping[str, Any] | None = None) -> tuple[Rows, dict[str, list[Any]]]:
        """Take a list apart without building its items.

        Args:
            name: The list's key; "" for a list at the top.
            columns: Keys of each item to read now and the types that they may have, such as `{"image_id": int | str}`;
                an item without the key has None there. `msgspec.Raw` takes any value and gives its text, as a buffer
                that keeps the file's bytes in memory. Of a key that an item holds twice, `Rows.parse` says so.

        Returns:
            The places of the items, and for each of `columns` its value by item.

        Raises:
            FormatError: There is no such list, an item is no object, or a value has another type.
        """
        import msgspec

        start, stop = self._place(name)
        where = f"{self.path}: {name}" if name else str(self.path)
        with _explained(where):
            raws = msgspec.json.decode(memoryview(self._data)[start:stop], type=list[msgspec.Raw])
        places = _item_places(raws, self._data, start + 1)
        if self._encoding != "utf-8":
            places = _places_in_utf16(places, self._data)
        rows = Rows(self.path, self.stamp, name, places[:, 0], places[:, 1], self._encoding)
        if not columns:
            return rows, {}
        # Raw takes any value, null too, and msgspec lets it into no union
        kinds = [kind if kind is msgspec.Raw else kind | None for kind in columns.values()]
        fields = [(f"field{number}", kind, None) for number, kind in enumerate(kinds)]
        names = {f"field{number}": key for number, key in enumerate(columns)}
        shape = msgspec.defstruct("Row", fields, rename=names, gc=False)
        decode = msgspec.json.Decoder(shape).decode
        found: list[Any] = []
        with _explained(where, found):
            for raw in raws:
                found.append(decode(raw))  # noqa: PERF401 - the length says which item failed
        return rows, {key: [getattr(row, field) for row in found] for field, key in names.items()}

    def _place(self, name: str) -> tuple[int, int]:
        if name not in self._values:
            raise FormatError(
                f"there is no {name!r} in this JSON file",
                where=self.path,
                got=", ".join(repr(key[:40]) for key in list(self._values)[:8]) or "an empty object",
            )
        return self._values[name]


def read_sections(path: Path, *, max_bytes: int = SECTIONS_BUDGET) -> Sections:
    """Read a JSON file without building what it holds; its syntax is checked whole.

    Args:
        path: A file with an object or a list at its top.
        max_bytes: Refuse larger files.

    Raises:
        InputError: The file cannot be read, or is too large.
        FormatError: Not JSON, NaN, a key that occurs twice at the top, or nesting that no annotation has.
    """
    import msgspec

    try:
        stamp = _stamp(path)
    except OSError:
        stamp = (0, 0)  # reading says what is wrong
    data, encoding = as_utf8(read_bytes(path, max_bytes=max_bytes), path)
    skip = len(_BOM) if data[:3] == _BOM else 0
    inner = memoryview(data)[skip:]
    if _LIST.match(data, skip):
        with _explained(path):
            whole = msgspec.json.decode(inner, type=msgspec.Raw)
        start, stop = _places([whole], data)[0].tolist()
        return Sections(path, stamp, data=data, encoding=encoding, values={"": (start, stop)})
    with _explained(path):
        raws = msgspec.json.decode(inner, type=dict[str, msgspec.Raw])
    places = [(start, stop) for start, stop in _places(list(raws.values()), data).tolist()]
    _refuse_twins(data, sorted(places), skip, path)
    return Sections(path, stamp, data=data, encoding=encoding, values=dict(zip(raws, places, strict=True)))


def _refuse_twins(data: bytes, places: list[tuple[int, int]], start: int, path: Path) -> None:
    """Look between the values: a key that occurs twice leaves its first value there."""
    end = start
    for begin, stop in places:
        if not _BETWEEN.fullmatch(data, end, begin):
            raise FormatError("a key occurs twice at the top of the file", where=path, fix="remove one of the two")
        end = stop
    if places and data[end:].strip() != b"}":
        raise FormatError("a key occurs twice at the top of the file", where=path, fix="remove one of the two")


def _places(raws: Sequence[Any], data: bytes) -> NDArray[np.int64]:
    """Return where raw values lie in the bytes that they are views of: (N, 2) int64, start and stop."""
    base = np.frombuffer(data, np.uint8).__array_interface__["data"][0] if data else 0
    places = np.empty((len(raws), 2), np.int64)
    for number, raw in enumerate(raws):
        view = np.frombuffer(raw, np.uint8)
        start = view.__array_interface__["data"][0] - base
        places[number] = start, start + view.size
    return places


def _item_places(raws: Sequence[Any], data: bytes, place: int) -> NDArray[np.int64]:
    """Do as `_places` for the items of one list, whose first bytes begin at `place`: three times as fast."""
    ends = array("q")
    for raw in raws:
        place = _COMMA.match(data, place).end()  # type: ignore[union-attr]  # it matches nothing at all, too
        ends.append(place)
        place += memoryview(raw).nbytes
        ends.append(place)
    return np.array(ends, np.int64).reshape(-1, 2)


def _places_in_utf16(places: NDArray[np.int64], data: bytes) -> NDArray[np.int64]:
    """Return where places in UTF-8 lie in the same text in UTF-16 behind its mark, in bytes."""
    letters = np.frombuffer(data, np.uint8)
    further, wide = np.flatnonzero(letters & 0xC0 == 0x80), np.flatnonzero(letters >= 0xF0)
    units = places - np.searchsorted(further, places) + np.searchsorted(wide, places)
    return np.asarray(2 * units + len(codecs.BOM_UTF16), np.int64)


def _parsed(data: bytes, *, where: object, allow_nan: bool, encoding: str = "utf-8") -> Any:  # noqa: ANN401 - JSON can be any of its types
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise FormatError(
            f"this is not {encoding.upper()} text", where=where, fix="save the file with UTF-8 encoding"
        ) from error
    return parse_json(text, where=where, allow_nan=allow_nan)


def _stamp(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_size, found.st_mtime_ns


@contextlib.contextmanager
def _explained(where: object, rows: Sequence[object] | None = None) -> Iterator[None]:
    """Turn what msgspec raises into our error; with `rows`, the message names the item behind them."""
    import msgspec

    try:
        yield
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError, ValueError) as error:
        place = where if rows is None else f"{where}[{len(rows)}]"
        raise FormatError(f"this is not valid JSON ({error})", where=place, fix=_FIX) from error
