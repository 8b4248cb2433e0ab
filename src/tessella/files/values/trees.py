"""How much memory the values of a JSON text take, and how deep they are nested, judged by the text alone."""

from __future__ import annotations

import re
from typing import Final

import numpy as np

from tessella.core.errors import FormatError

MEMORY_BUDGET: Final = 1 << 31
"""Most memory that a parsed JSON or CSV file may take, in bytes, judged by its commas and brackets beforehand."""

_BYTES_OF: Final = {",": 40, "[": 64, "{": 240}
"""About what CPython takes for a value, a list and a dictionary."""

_PIECE: Final = 1 << 20
_LEVELS: Final = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")
_NO_LEVEL: Final = bytes(sorted(set(range(256)) - set(b'[]{}"')))


def weight_of(text: str) -> int:
    """Judge the memory of a tree by its text, in bytes, for brackets alone become sixty times as large."""
    return len(text) + sum(text.count(sign) * size for sign, size in _BYTES_OF.items())


def refuse_heavy(needed: int, *, where: object) -> None:
    """Refuse values that take more memory than `MEMORY_BUDGET`.

    Raises:
        FormatError: They do.
    """
    if needed > MEMORY_BUDGET:
        raise FormatError(
            "the file holds more values than fit into memory",
            where=where,
            got=f"about {needed >> 30} GiB",
            expected=f"at most {MEMORY_BUDGET >> 30} GiB",
            fix="split the data set into several files",
        )


def depth_exceeds(text: str, budget: int) -> bool:
    """Whether valid JSON is nested deeper than `budget`, by its text: to visit every value takes up to half of parsing.

    All but brackets and quotes is thrown away, then what lies between quotes, and what is left is counted up and down.
    """
    if len(text) < _PIECE and text.count("[") + text.count("{") <= budget:
        return False
    data = text.encode("utf-8", "surrogatepass")
    if b"\\" in data:
        data = re.sub(rb"\\.", b"", data, flags=re.DOTALL)  # a quote behind a backslash ends no string
    # two quotes in a row end a string and begin one, or hold nothing: without them the rest is inside as it was
    data = data.translate(None, _NO_LEVEL).replace(b'""', b"")
    steps = re.sub(rb'"[^"]*"', b"", data).translate(_LEVELS)
    level = 0
    for start in range(0, len(steps), _PIECE):
        levels = np.frombuffer(steps, np.int8, min(_PIECE, len(steps) - start), start).cumsum(dtype=np.int32) + level
        if levels.max() > budget:
            return True
        level = int(levels[-1])
    return False
