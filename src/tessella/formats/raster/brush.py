"""Label Studio's brush strokes: the bits of an RGBA picture, packed by run lengths, whose alpha is the mask.

The stream (thi.ng's rle-pack, highest bit of a byte first): 32 bits number of items, 5 bits word size - 1, four times
4 bits size - 1 of a run's length; then packets: 1 bit whether the value repeats, 2 bits which of the four sizes, so
many bits length - 1, and one word that repeats, or as many words as the length says. Four items are one pixel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from tessella.core.errors import FormatError
from tessella.formats.raster.rle import checked_size, whole_numbers

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FIX: Final = "export the annotation again from Label Studio"
_HEADER_BITS: Final = 32 + 5 + 4 * 4
_WORD: Final = 8
_SIZES: Final = (4, 8, 12, 16)
"""Bits of a run's length that are written; read are any four."""

_WINDOW: Final = 1 << 16
"""Bits looked through at a time."""

_OPAQUE: Final = 127


class _Packets(NamedTuple):
    """Packets of one window: whether each repeats, its number of items, the bits where its words begin and end."""

    repeats: NDArray[np.bool_]
    items: NDArray[np.int64]
    body: NDArray[np.int64]
    after: NDArray[np.int64]


def brush_pixels(rle: object, *, where: object) -> int:
    """Return how many pixels a brush mask says it has, for exports that do not state the photo's size.

    Raises:
        FormatError: Not a list of bytes, or too short.
    """
    return _opened(rle, where=where)[0] // 4


def decode_brush(rle: object, hw: tuple[int, int], *, where: object) -> NDArray[np.bool_]:
    """Decode `value.rle` of a Label Studio brush result.

    Args:
        rle: The bytes, as a list of numbers.
        hw: `original_height` and `original_width`.
        where: File and key, for messages.

    Returns:
        (H, W) bool: alpha above 127.

    Raises:
        FormatError: No bytes, words of another size than 8 bits, runs that do not fill H * W * 4 items, or a size
            beyond 300 megapixels.
    """
    height, width = checked_size(hw, where=where)
    items, sizes, data = _opened(rle, where=where)
    if items != height * width * 4:
        raise FormatError(
            "a brush mask is of another size than its photo",
            where=where,
            got=f"{items} values",
            expected=f"{height} x {width} x 4",
            fix=_FIX,
        )
    alpha = np.zeros(height * width, np.uint8)
    bit, done, end = _HEADER_BITS, 0, 8 * (data.size - 4)
    while done < items and bit < end:
        packets = _window(data, bit, sizes, left=items - done)
        bit = int(packets.after[-1])
        values, lengths = _runs(data, packets)
        edges = np.minimum(done + np.concatenate([[0], np.cumsum(lengths)]), items)
        done += int(lengths.sum())
        # item 4 p + 3 is the alpha of pixel p, so e items hold the alpha of e // 4 pixels
        pixels = edges // 4
        alpha[pixels[0] : pixels[-1]] = np.repeat(values, np.diff(pixels))
    if done < items or bit > end:
        raise FormatError("a brush mask is cut off", where=where, got=f"{done} values", expected=f"{items}", fix=_FIX)
    return (alpha > _OPAQUE).reshape(height, width)


def encode_brush(mask: NDArray[np.bool_]) -> list[int]:
    """Return a mask, (H, W) bool, as bytes of `value.rle`: 255 in all four channels inside, 0 outside."""
    flat = np.ascontiguousarray(mask, np.bool_).reshape(-1)
    edges = np.concatenate([[0], np.flatnonzero(flat[1:] != flat[:-1]) + 1, [flat.size]]).astype(np.int64)
    lengths, inside = 4 * np.diff(edges), flat[edges[:-1]]
    longest = 1 << _SIZES[-1]
    pieces = -(-lengths // longest)
    last = np.cumsum(pieces) - 1
    parts = np.full(int(pieces.sum()), longest, np.int64)
    parts[last] = lengths - (pieces - 1) * longest
    words = np.repeat(inside, pieces) * np.int64(255)
    which = np.searchsorted(1 << np.array(_SIZES), parts)
    sizes = np.array(_SIZES)[which]
    packets = ((4 | which) << sizes | parts - 1) << _WORD | words
    widest = 3 + _SIZES[-1] + _WORD
    bits = packets[:, None] >> np.arange(widest)[::-1] & 1
    body = bits[np.arange(widest) >= (_SIZES[-1] - sizes)[:, None]].astype(np.uint8)
    start = 4 * flat.size << 5 + 4 * 4 | (_WORD - 1) << 4 * 4
    for place, size in enumerate(_SIZES):
        start |= (size - 1) << 4 * (3 - place)
    header = np.array([start >> place & 1 for place in reversed(range(_HEADER_BITS))], np.uint8)
    return np.packbits(np.concatenate([header, body])).tolist()


def _opened(rle: object, *, where: object) -> tuple[int, NDArray[np.int64], NDArray[np.int64]]:
    """Return the number of items, the four sizes, and the bytes with four more behind them."""
    listed = whole_numbers(rle, where=where)
    if listed.max(initial=0) > 255 or 8 * listed.size < _HEADER_BITS:
        raise FormatError(
            "a brush mask is not a list of bytes",
            where=where,
            got=f"{listed.size} numbers",
            expected="0 to 255",
            fix=_FIX,
        )
    data = np.concatenate([listed, np.zeros(4, np.int64)])
    header = int.from_bytes(listed[:7].astype(np.uint8).tobytes(), "big") >> 56 - _HEADER_BITS
    word = (header >> 16 & 31) + 1
    if word != _WORD:
        raise FormatError(
            "a brush mask has words of another size", where=where, got=f"{word} bits", expected=f"{_WORD}", fix=_FIX
        )
    sizes = np.array([(header >> place & 15) + 1 for place in (12, 8, 4, 0)], np.int64)
    return header >> 21, sizes, data


def _field(data: NDArray[np.int64], bit: NDArray[np.int64], size: NDArray[np.int64] | int) -> NDArray[np.int64]:
    """Return numbers of up to 16 bits that begin at any bit; behind the end of the data are zeros."""
    byte = np.minimum(bit >> 3, data.size - 3)
    three = data[byte] << 16 | data[byte + 1] << 8 | data[byte + 2]
    return np.asarray(three >> 24 - (bit & 7) - size & (1 << size) - 1)


def _window(data: NDArray[np.int64], start: int, sizes: NDArray[np.int64], *, left: int) -> _Packets:
    """Find the packets that begin within one window, as far as items are left; behind the last are stray bits.

    Where a packet ends is known only from its first bits. So the end of a packet is computed as if one began at every
    bit, and the chain of true packets is followed in doubling hops: after 10 rounds it holds 1,024 of them.
    """
    bit = np.arange(start, min(start + _WINDOW, 8 * (data.size - 4)))
    head = _field(data, bit, 3)
    repeats, size = head >= 4, sizes[head & 3]
    items = _field(data, bit + 3, size) + 1
    body = bit + 3 + size
    after = body + _WORD * np.where(repeats, 1, items)
    hop = np.append(np.minimum(after - start, bit.size), bit.size)
    chain = np.zeros(1, np.int64)
    while (more := hop[chain])[0] < bit.size:
        chain = np.concatenate([chain, more[more < bit.size]])
        hop = hop[hop]
    needed = np.cumsum(items[chain]) - items[chain] < left
    chain = chain[needed]
    return _Packets(repeats[chain], items[chain], body[chain], after[chain])


def _runs(data: NDArray[np.int64], packets: _Packets) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return values and how many items each stands for."""
    words = np.where(packets.repeats, 1, packets.items)
    packet = np.repeat(np.arange(words.size), words)
    place = np.arange(packet.size) - np.repeat(np.cumsum(words) - words, words)
    values = _field(data, packets.body[packet] + _WORD * place, _WORD)
    return values.astype(np.uint8), np.where(packets.repeats, packets.items, 1)[packet]
