"""Colours to values at the speed of memory, exactly: a hash that tells the declared colours apart, then one comparison.

The three bytes of a pixel are one number. Multiplied by a number that was searched for, its highest 8 bits differ for
all declared colours (up to about 50; 16 or 20 bits for more). They index a small table, which gives the declared
colour that the pixel must be, and its value. Only pixels that equal that colour are explained: nothing is mapped to the
nearest.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PIECE: Final = 1 << 15
"""Pixels looked up at a time: what is made of them stays in the cache."""

_TRIES: Final = 1 << 11
_WIDTHS: Final = (8, 16, 20)
"""Bits of the hash, the least first."""

_SAME_WIDTH: Final = {1: np.uint8, 2: np.uint16, 4: np.int32, 8: np.float64}
"""Types that OpenCV knows, by bytes."""

_OPAQUE: Final = np.array([0, 0, 0, 255], np.uint8).view(np.uint32)[0]


class _Hash(NamedTuple):
    """A multiplier and by how many bits its product is shifted; the declared colours by slot, and their numbers."""

    multiplier: np.uint32
    shift: np.uint32
    slots: NDArray[np.int32]
    numbers: NDArray[np.int64]


def look_up(pixels: NDArray[np.uint8], colours: NDArray[np.uint8], values: NDArray[Any]) -> NDArray[Any] | None:
    """Map the colours of a mask to values.

    Args:
        pixels: (H, W, 3 or 4) uint8; alpha is not part of the colour.
        colours: (N, 3) uint8, all different, N >= 1.
        values: (N,) of any dtype: the value of each colour.

    Returns:
        (H, W) of the dtype of `values`, or None when a pixel has a colour that is not declared.
    """
    found = _hash(colours.tobytes())
    if found is None:
        return _searched(pixels, colours, values)
    table = np.zeros(found.slots.size, values.dtype)
    taken = found.numbers >= 0
    table[taken] = values[found.numbers[taken]]
    flat = np.ascontiguousarray(pixels).reshape(1, -1, pixels.shape[2])
    result = np.empty(flat.shape[1], values.dtype)
    for start in range(0, flat.shape[1], _PIECE):
        keys = _keys(flat[:, start : start + _PIECE])
        slot = keys * found.multiplier >> found.shift
        if found.slots.size == 256:
            slot = slot.astype(np.uint8)
        if not np.array_equal(_taken(found.slots, slot), keys.view(np.int32)):
            return None
        _taken(table, slot, result[None, start : start + _PIECE])
    return result.reshape(pixels.shape[:2])


def colour_keys(pixels: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Return (H, W) uint32: red, green and blue of each pixel in one number, 0xRRGGBB."""
    # bytes are moved, not shifted: uint8 colours would overflow at 256 and two classes share a key
    four = np.empty((*pixels.shape[:2], 4), np.uint8)
    four[..., 0] = 0
    four[..., 1:] = pixels[..., :3]
    return np.asarray(four.view(">u4")[..., 0].astype(np.uint32))


def count_runs(pixels: NDArray[np.uint8]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Count the pixels of each colour.

    Masks are made of long runs of one colour, and sorting runs instead of pixels is ten times faster.

    Returns:
        The colours that occur as 0xRRGGBB, ascending: (N,) uint32; and their pixels: (N,) int64.
    """
    keys = _keys(np.ascontiguousarray(pixels).reshape(1, -1, pixels.shape[2]))[0]
    starts = np.concatenate([[0], np.flatnonzero(keys[1:] != keys[:-1]) + 1])
    lengths = np.diff(np.append(starts, keys.size))
    heads = keys[starts]
    found = np.unique(heads)  # without the inverse it sorts four times as fast
    # a float64 sum is exact up to 2**53 pixels
    counts = np.bincount(np.searchsorted(found, heads), weights=lengths).astype(np.int64)
    colours = colour_keys(found.view(np.uint8).reshape(1, -1, 4))[0]
    order = np.argsort(colours)
    return colours[order], counts[order]


def _keys(pixels: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Return one number per pixel of a row: its colour, and 255 for alpha; (1, N) uint32."""
    if pixels.shape[2] == 4:
        return np.asarray(pixels.view(np.uint32)[..., 0] | _OPAQUE)
    import cv2

    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2RGBA), np.uint8).view(np.uint32)[..., 0]


def _taken(table: NDArray[Any], slot: NDArray[Any], out: NDArray[Any] | None = None) -> NDArray[Any]:
    """Return the table's entries, in `out` if given; OpenCV looks bytes up three times as fast as NumPy."""
    if out is None:
        out = np.empty(slot.shape, table.dtype)
    if slot.dtype != np.uint8:
        return np.take(table, slot, out=out, mode="clip")  # with "raise" NumPy buffers
    import cv2

    # entries are copied as they are, so that a number of the same width stands for any type
    same = _SAME_WIDTH[table.dtype.itemsize]
    cv2.LUT(slot, table.view(same), out.view(same))
    return out


@lru_cache(maxsize=64)
def _hash(colours: bytes) -> _Hash | None:
    """Search for a multiplier whose highest bits differ for all colours; None where there are thousands of them."""
    keys = _keys(np.frombuffer(colours, np.uint8).reshape(1, -1, 3))[0]
    tried = np.random.default_rng(0).integers(1, 1 << 32, _TRIES, np.uint32) | np.uint32(1)
    for width in _WIDTHS:
        shift = np.uint32(32 - width)
        for some in np.array_split(tried, 32):
            slots = np.sort(some[:, None] * keys >> shift, axis=1)
            apart = np.flatnonzero((slots[:, 1:] != slots[:, :-1]).all(axis=1))
            if apart.size:
                multiplier = some[apart[0]]
                slot = keys * multiplier >> shift
                # 0 has no alpha, so that no pixel equals an empty slot
                by_slot, numbers = np.zeros(1 << width, np.int32), np.full(1 << width, -1)
                by_slot[slot], numbers[slot] = keys.view(np.int32), np.arange(keys.size)
                return _Hash(multiplier, shift, by_slot, numbers)
    return None


def _searched(pixels: NDArray[np.uint8], colours: NDArray[np.uint8], values: NDArray[Any]) -> NDArray[Any] | None:
    keys, known = colour_keys(pixels), colour_keys(colours[None])[0]
    order = np.argsort(known)
    place = np.minimum(np.searchsorted(known[order], keys), known.size - 1)
    return values[order][place] if np.array_equal(known[order][place], keys) else None
