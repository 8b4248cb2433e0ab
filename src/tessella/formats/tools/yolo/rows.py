"""Lines of YOLO's label files: a class number, then a box of 4 numbers or a polygon of 2 for each corner, 0 to 1."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from tessella.core.errors import FormatError
from tessella.files.text import read_text
from tessella.files.values.numbers import number

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

_LARGEST: Final = 1 << 24
_BOX: Final = 4
_LEAST: Final = 6
_HIGHEST: Final = 10_000
_MARGIN: Final = 1.5
"""Nothing that begins like labels lies further outside the photo, in its own sizes."""


class Row(NamedTuple):
    """One line.

    Args:
        key: The class number, as text.
        is_box: Whether it is a box: centre, width, height.
        values: (4,) for a box, (N, 2) for a polygon: x, y; float64, 1 being the photo's width or height.
    """

    key: str
    is_box: bool
    values: NDArray[np.float64]


def read_rows(path: Path) -> list[Row]:
    """Read a label file; an empty one has no rows.

    Raises:
        InputError: The file cannot be read.
        FormatError: A line that is neither a box nor a polygon; the message names it.
    """
    return [_row(words, where=f"{path}: line {line}") for line, words in _lines(path)]


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    for line, text in enumerate(read_text(path, max_bytes=_LARGEST).splitlines(), start=1):
        if words := text.split():
            yield line, words


def _row(words: list[str], *, where: str) -> Row:
    values = np.array([number(word) for word in words], np.float64)
    if np.isnan(values).any():
        odd = words[int(np.flatnonzero(np.isnan(values))[0])]
        raise FormatError("a line holds something that is no number", where=where, got=repr(odd[:40]))
    first, rest = float(values[0]), values[1:]
    if not first.is_integer() or not 0 <= first <= _HIGHEST:
        raise FormatError("a line does not begin with a class number", where=where, got=words[0][:40])
    if rest.size == _BOX:
        return Row(str(int(first)), True, rest)
    if rest.size < _LEAST or rest.size % 2:
        raise FormatError(
            "a line is neither a box nor a polygon",
            where=where,
            got=f"{rest.size} numbers behind the class",
            expected="4, or 2 for each of at least 3 corners",
            fix="export the labels again, without confidences or keypoints",
        )
    return Row(str(int(first)), False, rest.reshape(-1, 2))


class Tally(NamedTuple):
    """What a label file holds: lines by kind (`boxes`, `polygons`, `quads` among them), and its class numbers."""

    kinds: Counter[str]
    keys: frozenset[str]


def tally(path: Path) -> Tally | None:
    """Count the lines of a file by kind, or return None where it is no label file.

    Raises:
        InputError: The file cannot be read.
    """
    kinds: Counter[str] = Counter()
    keys = set()
    for _, words in _lines(path):
        if not looks_like_row(words):
            return None
        size = len(words) - 1
        kinds["boxes" if size == _BOX else "polygons"] += 1
        kinds["quads"] += size == 2 * _BOX
        keys.add(words[0])
    return Tally(kinds, frozenset(keys))


def looks_like_row(words: list[str]) -> bool:
    """Whether a line may be a label: a small whole number, then at least four numbers around 0 to 1."""
    if len(words) <= _BOX or not words[0].isdecimal() or int(words[0][:9]) > _HIGHEST:
        return False
    values = [number(word) for word in words[1:5]]
    return all(-_MARGIN <= value <= _MARGIN + 1 for value in values)
