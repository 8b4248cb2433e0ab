"""Maps of segment numbers: ids spread over red, green and blue, and numbers beyond 255 to class ids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tessella.core.errors import FormatError, LabelError
from tessella.formats.raster.colours import look_up

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


def segment_ids(pixels: NDArray[Any], *, where: object = None) -> NDArray[np.uint32]:
    """Return the segment numbers of a panoptic mask: red + 256 green + 65,536 blue (COCO panoptic).

    Args:
        pixels: (H, W, 3 or 4) uint8; alpha is not part of the number.
        where: The file, for messages.

    Returns:
        (H, W) uint32.

    Raises:
        FormatError: Not colours.
    """
    if pixels.ndim != 3 or pixels.shape[2] not in (3, 4) or pixels.dtype != np.uint8:
        raise FormatError(
            "a panoptic mask is not red, green and blue of 8 bits",
            where=where,
            got=f"{pixels.dtype} {pixels.shape}",
            fix="export the mask again as an RGB PNG",
        )
    import cv2

    # four bytes are a little-endian number as they lie
    four = np.ascontiguousarray(pixels) if pixels.shape[2] == 4 else cv2.cvtColor(pixels, cv2.COLOR_RGB2RGBA)
    return np.asarray(np.asarray(four, np.uint8).view("<u4")[..., 0] & np.uint32(0xFFFFFF), np.uint32)


def segment_colours(ids: NDArray[Any]) -> NDArray[np.uint8]:
    """Return segment numbers below 2**24 as (H, W, 3) uint8 red, green and blue.

    Raises:
        LabelError: A number that three bytes cannot hold.
    """
    if ids.size and (ids.min() < 0 or ids.max() >= 1 << 24):
        raise LabelError("a segment number does not fit into a colour", got=int(ids.max()), expected="0 to 16,777,215")
    four = np.ascontiguousarray(ids, "<u4")[..., None].view(np.uint8)
    return np.ascontiguousarray(four[..., :3])


def classes_of_segments(
    numbers: NDArray[Any], meaning: Mapping[int, int], *, default: int | None = None, where: object = None
) -> NDArray[np.uint8]:
    """Map segment or instance numbers to class ids.

    Args:
        numbers: (H, W) unsigned or signed whole numbers of any width.
        meaning: For each number its class id 0..255 (IGNORE included).
        default: The class id of numbers that `meaning` does not hold; None refuses them.
        where: The file, for messages.

    Returns:
        (H, W) uint8.

    Raises:
        LabelError: Numbers without a class, with the first place and the count of each.
    """
    known = np.array(sorted(meaning), np.int64)
    wanted = np.array([meaning[int(number)] for number in known], np.uint8)
    if not numbers.size:
        return np.zeros(numbers.shape, np.uint8)
    known = np.array(sorted(meaning), np.int64)
    wanted = np.array([meaning[int(number)] for number in known], np.uint8)
    ids = _by_table(numbers, known, wanted, default)
    return _by_runs(numbers, known, wanted, default=default, where=where) if ids is None else ids


def _by_table(
    numbers: NDArray[Any], known: NDArray[np.int64], wanted: NDArray[np.uint8], default: int | None
) -> NDArray[np.uint8] | None:
    """Look small numbers up in a table and those of three bytes as colours; None when that does not explain all."""
    low, high = int(numbers.min()), int(numbers.max())
    if low >= 0 and high < 1 << 16:
        table = np.full(high + 1, -1 if default is None else default, np.int16)
        meant = (known >= 0) & (known <= high)
        table[known[meant]] = wanted[meant]
        ids = table.take(numbers)
        return None if (ids < 0).any() else ids.astype(np.uint8)
    fits = (known >= 0) & (known < 1 << 24)
    if low < 0 or high >= 1 << 24 or not fits.any():
        return None
    pixels = np.ascontiguousarray(numbers, "<u4")[..., None].view(np.uint8)
    return look_up(pixels, segment_colours(known[None, fits])[0], wanted[fits])


def _by_runs(
    numbers: NDArray[Any],
    known: NDArray[np.int64],
    wanted: NDArray[np.uint8],
    *,
    default: int | None,
    where: object,
) -> NDArray[np.uint8]:
    flat = np.ascontiguousarray(numbers).reshape(-1)
    starts = np.concatenate([[0], np.flatnonzero(flat[1:] != flat[:-1]) + 1])
    lengths = np.diff(np.append(starts, flat.size))
    heads = flat[starts].astype(np.int64)
    place = np.minimum(np.searchsorted(known, heads), max(known.size - 1, 0))
    found = known[place] == heads if known.size else np.zeros(heads.size, bool)
    if default is None and not found.all():
        raise _strays(numbers.shape[1], heads[~found], starts[~found], lengths[~found], where=where)
    ids = np.full(heads.size, 0 if default is None else default, np.uint8)
    ids[found] = wanted[place[found]]
    return np.repeat(ids, lengths).reshape(numbers.shape)


def _strays(
    width: int, heads: NDArray[np.int64], starts: NDArray[np.int64], lengths: NDArray[np.int64], *, where: object
) -> LabelError:
    which, inverse = np.unique(heads, return_inverse=True)
    counts = np.bincount(inverse, weights=lengths).astype(np.int64)
    named = ", ".join(f"{number} ({count} px)" for number, count in zip(which[:8], counts[:8], strict=True))
    more = f" and {which.size - 8} more" if which.size > 8 else ""
    row, column = divmod(int(starts[0]), width)
    return LabelError(
        f"segments {named}{more} have no class (first at row {row}, column {column})",
        where=where,
        fix="export the annotation again, so that masks and list belong together",
    )
