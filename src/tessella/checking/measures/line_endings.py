"""PNG files that a program took for text: line ends were changed all through, and the CRCs prove how to undo it."""

from __future__ import annotations

import zlib
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
"""PNG begins with a CR LF and a LF so that this very damage shows (PNG specification, 12.12)."""

REMOVED: Final = b"\x89PNG\n\x1a\n"
ADDED_EVERYWHERE: Final = b"\x89PNG\r\r\n\x1a\r\n"
ADDED_TO_LONE: Final = b"\x89PNG\r\n\x1a\r\n"

_MOST_TOKENS: Final = 600
_MOST_LOST: Final = 4
_LARGEST: Final = 64 << 20
_MOST_UNPACKED: Final = 2 << 30


class _Chunk(NamedTuple):
    data: bytes
    end: int


def damage(head: bytes) -> str:
    """Say in words what was done to the line ends of a PNG file, "" when nothing was.

    Args:
        head: The first 16 bytes of the file.
    """
    if head.startswith(SIGNATURE):
        return ""
    if head.startswith(REMOVED):
        return "CR LF became LF"
    return "LF became CR LF" if head.startswith((ADDED_EVERYWHERE, ADDED_TO_LONE)) else ""


def undo(data: bytes) -> bytes | None:
    """Undo the damage, when the CRCs of all chunks prove that the result is the file as it was.

    Where every LF became CR LF, so did those of a CR LF, and the way back is plain. In the two other cases a LF may
    have been a LF or a CR LF, about one in 256 of them the latter; in each chunk those are sought for which the CRC is
    right. A CRC is linear: the effect of every insertion is worked out once, and up to four are combined by a join.

    Args:
        data: The damaged file.

    Returns:
        The whole repaired file, or None when it cannot be proved.
    """
    if len(data) > _LARGEST or not damage(data[:16]):
        return None
    if data.startswith(ADDED_EVERYWHERE):
        plain = data.replace(b"\r\n", b"\n")
        return plain if _is_sound(plain) else None
    base = data if data.startswith(REMOVED) else data.replace(b"\r\n", b"\n")
    repaired = _walk(base, len(REMOVED))
    return repaired if repaired is not None and _is_sound(repaired) else None


def _walk(base: bytes, start: int) -> bytes | None:
    """Repair chunk after chunk; every step is proved by a CRC, so the first way through is the way."""
    parts, place = [SIGNATURE], start
    while place < len(base):
        chunk = next(_chunks(base, place), None)
        if chunk is None:
            return None
        parts.append(chunk.data)
        place = chunk.end
        if chunk.data[4:8] == b"IEND":
            return b"".join(parts)
    return None


def _is_sound(data: bytes) -> bool:
    """Whether every chunk up to IEND has its CRC, and the pixels their checksum."""
    place, packed = len(SIGNATURE), []
    while place + 12 <= len(data):
        length = int.from_bytes(data[place : place + 4], "big")
        kind, content = data[place + 4 : place + 8], data[place + 8 : place + 8 + length]
        if zlib.crc32(kind + content) != int.from_bytes(data[place + 8 + length : place + 12 + length], "big"):
            return False
        if kind == b"IDAT":
            packed.append(content)
        if kind == b"IEND":
            return _unpacks(packed)
        place += 12 + length
    return False


def _unpacks(packed: list[bytes]) -> bool:
    unpacker, total = zlib.decompressobj(), 0
    try:
        for part in packed:
            rest = part
            while rest:  # in pieces: a bomb must not be held in memory
                total += len(unpacker.decompress(rest, 1 << 20))
                if total > _MOST_UNPACKED:
                    return False
                rest = unpacker.unconsumed_tail
    except zlib.error:
        return False
    return unpacker.eof


def _chunks(base: bytes, start: int) -> Iterator[_Chunk]:
    """Yield the ways of reading a chunk whose CRC is right, the fewest insertions first."""
    for header, body in _inserted(base, start, 8, most=2):
        length, kind = int.from_bytes(header[:4], "big"), header[4:]
        if not kind.isalpha() or length > len(base) - body:
            continue
        for lost in range(_MOST_LOST + 1):
            if lost <= length:
                yield from _bodies(base, body, header=header, length=length, lost=lost)


def _bodies(base: bytes, start: int, *, header: bytes, length: int, lost: int) -> Iterator[_Chunk]:
    end = start + length - lost
    content = base[start:end]
    for crc, after in _inserted(base, end, 4, most=1):
        target = zlib.crc32(header[4:] + content) ^ int.from_bytes(crc, "big")
        for places in _places(content, zlib.crc32(header[4:]), target, lost):
            yield _Chunk(header + _insert(content, places) + crc, after)


def _inserted(base: bytes, start: int, size: int, *, most: int) -> Iterator[tuple[bytes, int]]:
    """Yield the ways in which a field of `size` bytes may have stood here, and where it ends in the damaged file."""
    for lost in range(most + 1):
        window = base[start : start + size - lost]
        tokens = [place for place, byte in enumerate(window) if byte == 0x0A]
        if len(window) < size - lost:
            continue
        for places in combinations(tokens, lost):
            yield _insert(window, places), start + size - lost


def _insert(content: bytes, places: tuple[int, ...]) -> bytes:
    parts, last = [], 0
    for place in places:
        parts += [content[last:place], b"\r"]
        last = place
    return b"".join([*parts, content[last:]])


def _places(content: bytes, start: int, target: int, lost: int) -> Iterator[tuple[int, ...]]:
    """Yield the places of LF in which `lost` inserted CR change the CRC by `target`."""
    if lost == 0:
        if target == 0:
            yield ()
        return
    tokens = np.flatnonzero(np.frombuffer(content, np.uint8) == 0x0A)
    if not lost <= len(tokens) <= _MOST_TOKENS:
        return
    effects = _effects(content, start, tokens, lost)
    if lost == 1:
        yield from ((int(tokens[one]),) for one in np.flatnonzero(effects[0] == target))
        return
    half = lost // 2
    # the first ones have more insertions behind them than the last ones, and so a longer way to be shifted
    first, early = _sums(effects[half:][::-1])
    last, late = _sums(effects[:half][::-1])
    order = np.argsort(late, kind="stable")
    wanted = early ^ np.uint32(target)
    low, high = (np.searchsorted(late[order], wanted, side=side) for side in ("left", "right"))
    for one in np.flatnonzero(high > low):
        for other in order[low[one] : high[one]]:
            chosen = (*first[one], *last[other])
            if all(before < after for before, after in pairwise(chosen)):
                yield tuple(int(tokens[number]) for number in chosen)


def _effects(content: bytes, start: int, tokens: NDArray[np.intp], lost: int) -> NDArray[np.uint32]:
    """Return (lost, T) uint32: how a CR before each LF changes the CRC when r further CR follow, r = 0..lost - 1."""
    effects = np.zeros((lost, len(tokens)), np.uint32)
    zeros = bytes(len(content) + lost)
    state, last = start, 0
    for number, place in enumerate(tokens.tolist()):
        state, last = zlib.crc32(content[last:place], state), place
        changed = state ^ zlib.crc32(b"\r", state)
        for further in range(lost):
            rest = zeros[: len(content) - place + further]
            effects[further, number] = zlib.crc32(rest, changed) ^ zlib.crc32(rest, 0)
    return effects


def _sums(rows: NDArray[np.uint32]) -> tuple[NDArray[np.intp], NDArray[np.uint32]]:
    """Return every ascending choice of one entry per row: which, (N, R), and their sum without carry, (N,)."""
    if len(rows) == 1:
        return np.arange(rows.shape[1])[:, None], rows[0]
    one, other = np.triu_indices(rows.shape[1], 1)
    return np.stack([one, other], axis=1), rows[0][one] ^ rows[1][other]
