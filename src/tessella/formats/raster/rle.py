"""Run lengths to masks and back: COCO's counts and strings (column by column), CVAT's and other tools' (row by row).

Every form begins with pixels outside the mask and alternates. A decoder checks that the runs fill the mask exactly
before it takes memory for a pixel, and none loops over runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tessella.core.errors import FormatError
from tessella.files.images import PHOTO_BUDGET

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_FIX: Final = "export the annotation again from the tool that wrote it"

_LONGEST_RUN: Final = 1 << 32
"""No run is longer: it would not fit into the largest mask that is read."""

_MOST_GROUPS: Final = 7
"""Letters of one run in COCO's string: 35 bits."""


def decode_counts(counts: object, hw: tuple[int, int], *, where: object) -> NDArray[np.bool_]:
    """Decode COCO's uncompressed counts, which run down the columns.

    Args:
        counts: Lengths of runs, as JSON holds them: outside, inside, outside, ...
        hw: Height and width in pixels.
        where: File and key, for messages.

    Returns:
        (H, W) bool, C-contiguous.

    Raises:
        FormatError: No list of whole numbers, a negative one, a sum that is not H * W, or a size beyond 300 megapixels.
    """
    height, width = checked_size(hw, where=where)
    mask = _unrolled(whole_numbers(counts, where=where), height * width, where=where)
    return np.ascontiguousarray(mask.reshape(width, height).T)


def decode_string(text: object, hw: tuple[int, int], *, where: object) -> NDArray[np.bool_]:
    """Decode COCO's compressed counts, as `pycocotools.mask.encode` writes them.

    Each run is a signed number in groups of 5 bits, the lowest first, one letter from "0" per group; 32 is added where
    another group follows. From the fourth run on, the number is the difference to the run before the last.

    Args:
        text: The string, or its bytes.
        hw: Height and width in pixels.
        where: File and key, for messages.

    Returns:
        (H, W) bool, C-contiguous.

    Raises:
        FormatError: A letter or number that the form does not have, runs that do not fill the mask, or a size beyond
            300 megapixels.
    """
    height, width = checked_size(hw, where=where)
    mask = _unrolled(_counts_of_string(text, where=where), height * width, where=where)
    return np.ascontiguousarray(mask.reshape(width, height).T)


def decode_coco(segmentation: object, *, where: object) -> NDArray[np.bool_]:
    """Decode a COCO `segmentation` that is an object: `{"size": [height, width], "counts": list or string}`.

    Returns:
        (H, W) bool, C-contiguous.

    Raises:
        FormatError: As `decode_counts` and `decode_string`, or a key is missing.
    """
    if not isinstance(segmentation, dict):
        raise _broken(
            "a run-length mask is no object", where, type(segmentation).__name__, '{"size": .., "counts": ..}'
        )
    size, counts = segmentation.get("size"), segmentation.get("counts")
    if not isinstance(size, list | tuple) or len(size) != 2:
        raise _broken("a run-length mask states no size", where, repr(size)[:60], "[height, width]")
    hw = (size[0], size[1])
    if isinstance(counts, str | bytes):
        return decode_string(counts, hw, where=where)
    return decode_counts(counts, hw, where=where)


def decode_rows(counts: object, hw: tuple[int, int], *, where: object) -> NDArray[np.bool_]:
    """Decode runs along the rows, as CVAT's XML holds for the box of a mask.

    Args:
        counts: Lengths of runs: a list of whole numbers, or text such as "3, 5, 12".
        hw: Height and width of the box in pixels.
        where: File and key, for messages.

    Returns:
        (H, W) bool.

    Raises:
        FormatError: As `decode_counts`.
    """
    height, width = checked_size(hw, where=where)
    if isinstance(counts, str):
        counts = _numbers_of_text(counts, where=where)
    return _unrolled(whole_numbers(counts, where=where), height * width, where=where).reshape(height, width)


def encode_string(
    part: NDArray[np.bool_], hw: tuple[int, int] | None = None, *, corner: tuple[int, int] = (0, 0)
) -> str:
    """Return COCO's compressed counts of a mask, letter by letter as pycocotools.

    Args:
        part: (h, w) bool, the mask or a box of it beyond which it covers nothing.
        hw: Height and width of the mask; None where the part is all of it.
        corner: Left and top of the part in the mask.
    """
    runs = _columns(part, part.shape if hw is None else hw, corner)
    steps = runs.copy()
    steps[3:] -= runs[1:-2]
    edges = np.int64(1) << np.arange(4, 5 * _MOST_GROUPS, 5)  # n groups hold -edges[n - 1] to edges[n - 1] - 1
    groups = 1 + ((steps[:, None] < -edges[:-1]) | (steps[:, None] >= edges[:-1])).sum(axis=1)
    place = np.arange(_MOST_GROUPS)
    letters = ((steps[:, None] >> 5 * place) & 31) | (place < groups[:, None] - 1) * 32
    kept = letters[place < groups[:, None]] + 48
    return bytes(kept.astype(np.uint8)).decode("ascii")


def encode_rows(mask: NDArray[np.bool_]) -> list[int]:
    """Return the runs of a mask, (H, W) bool, along its rows."""
    return _rolled(mask).tolist()  # type: ignore[no-any-return]


def checked_size(hw: tuple[object, object], *, where: object) -> tuple[int, int]:
    """Return a height and width that a file states, as whole numbers.

    Raises:
        FormatError: Not whole numbers, below 1, or beyond 300 megapixels.
    """
    height, width = hw
    if type(height) is not int or type(width) is not int or height < 1 or width < 1:
        raise _broken("a mask's size is not two whole numbers of pixels", where, repr(hw)[:60], "1 or more each")
    if height * width > PHOTO_BUDGET:
        raise _broken("a mask is larger than the pixel budget", where, f"{width}x{height}", f"at most {PHOTO_BUDGET}")
    return height, width


def whole_numbers(values: object, *, where: object) -> NDArray[np.int64]:
    """Return a list from JSON as numbers, with every other content refused.

    Returns:
        (N,) int64, each at least 0 and at most 2**32.

    Raises:
        FormatError: Not a list, something in it that is no whole number, one below 0, or one beyond any mask.
    """
    if isinstance(values, list | tuple):
        values = _array(values, where=where)
    if not isinstance(values, np.ndarray) or values.ndim != 1 or values.dtype.kind not in "iu":
        raise _broken("runs are not a list of whole numbers", where, type(values).__name__, "[12, 3, ...]")
    if values.size and (values.min() < 0 or values.max() > _LONGEST_RUN):
        at = int(np.flatnonzero((values < 0) | (values > _LONGEST_RUN))[0])
        raise _broken(f"run {at} has an impossible length", where, values[at], "0 or more, within the mask")
    return values.astype(np.int64, copy=False)


def _array(values: Sequence[object], *, where: object) -> NDArray[Any]:
    if not values:
        return np.zeros(0, np.int64)
    # one pass of the interpreter's own loop; numpy would take true for 1, and 1.5 or "7" for a number
    if set(map(type, values)) != {int}:
        odd = next(value for value in values if type(value) is not int)
        raise _broken("runs are not a list of whole numbers", where, repr(odd)[:60], "[12, 3, ...]")
    try:
        return np.array(values, np.int64)
    except OverflowError as error:
        raise _broken("a run has an impossible length", where, "more than 2**63", "a length within the mask") from error


def _numbers_of_text(text: str, *, where: object) -> list[int]:
    expected = '"12, 3, 7"'
    if not text.isascii() or "_" in text:  # int() would read them
        raise _broken("runs are not whole numbers with commas between", where, repr(text[:60]), expected)
    try:
        return list(map(int, text.split(","))) if text.strip() else []
    except ValueError as error:
        raise _broken("runs are not whole numbers with commas between", where, repr(text[:60]), expected) from error


def _counts_of_string(text: object, *, where: object) -> NDArray[np.int64]:
    data = text.encode("utf-8", "replace") if isinstance(text, str) else text
    if not isinstance(data, bytes):
        raise _broken("compressed runs are no string", where, type(text).__name__, "a string")
    letters = np.frombuffer(data, np.uint8).astype(np.int64) - 48
    if letters.size == 0:
        return letters
    if letters.min() < 0 or letters.max() > 63 or letters[-1] & 32:
        raise _broken("compressed runs are damaged or cut off", where, repr(data[-20:]), "letters from '0' to 'o'")
    ends = np.flatnonzero(letters < 32)
    starts = np.concatenate([[0], ends[:-1] + 1])
    groups = ends - starts + 1
    if groups.max() > _MOST_GROUPS:
        raise _broken("a compressed run has an impossible length", where, f"{groups.max()} letters", _MOST_GROUPS)
    place = np.arange(letters.size) - np.repeat(starts, groups)
    steps = np.add.reduceat((letters & 31) << 5 * place, starts)
    steps -= (letters[ends] & 16 > 0) * (np.int64(1) << 5 * groups)  # the sign is the last group's highest bit
    steps[1::2] = np.cumsum(steps[1::2])
    steps[2::2] = np.cumsum(steps[2::2])
    return whole_numbers(steps, where=where)


def _unrolled(runs: NDArray[np.int64], size: int, *, where: object) -> NDArray[np.bool_]:
    if runs.max(initial=0) > size or (total := int(runs.sum())) != size:
        got = "a run beyond it" if runs.max(initial=0) > size else f"runs of {total} pixels"
        raise _broken("runs do not fill their mask", where, got, f"{size} pixels")
    return np.repeat(np.arange(runs.size, dtype=np.uint8) & 1, runs).view(np.bool_)


def _columns(part: NDArray[np.bool_], hw: tuple[int, ...], corner: tuple[int, int]) -> NDArray[np.int64]:
    """Return the runs down the columns of a mask that covers nothing beyond a part of it."""
    (height, width), (left, top) = hw, corner
    framed = np.zeros((part.shape[1], part.shape[0] + 2), bool)
    framed[:, 1:-1] = part.T
    column, row = np.divmod(np.flatnonzero(framed.reshape(-1)[1:] != framed.reshape(-1)[:-1]), framed.shape[1])
    turns = (column + left) * height + row + top
    # a run that goes on at the top of the next column ends and begins at one place
    meet = np.flatnonzero(turns[1:-1:2] == turns[2::2]) * 2 + 1
    turns = np.delete(turns, np.concatenate([meet, meet + 1]))
    ends = turns if turns.size and turns[-1] == height * width else np.append(turns, height * width)
    return np.diff(ends, prepend=0)


def _rolled(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    flat = np.ascontiguousarray(mask, np.bool_).reshape(-1)
    turns = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    first = [0, 0] if flat.size and flat[0] else [0]
    return np.diff(np.concatenate([first, turns, [flat.size]]))


def _broken(what: str, where: object, got: object, expected: object) -> FormatError:
    return FormatError(what, where=where, got=got, expected=expected, fix=_FIX)
