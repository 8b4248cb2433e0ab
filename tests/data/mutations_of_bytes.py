"""Damage for pictures and other binary files: bytes anywhere, chunks of a PNG, tags of a TIFF."""

import random
import struct
import zlib
from collections.abc import Iterator

Random = random.Random

NUMBERS = (0, 1, 2, 7, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def mutate_bytes(data: bytes, rng: Random) -> bytes:
    """Flip, cut, move, repeat or insert bytes, or write a number that is out of the ordinary."""
    if not data:
        return rng.randbytes(rng.randrange(64))
    place = rng.randrange(len(data)) if rng.random() < 0.6 else rng.randrange(min(len(data), 128))
    before, after, other = data[:place], data[place:], rng.randrange(len(data))
    form = rng.choice(("<H", ">H", "<I", ">I"))
    number = struct.pack(form, rng.choice(NUMBERS) & (0xFFFF if form[1] == "H" else 0xFFFFFFFF))
    ways = (
        before + bytes([after[0] ^ 1 << rng.randrange(8)]) + after[1:],
        before + rng.randbytes(rng.choice((1, 4, 16))) + after[1:],
        before,
        before + data[other : other + rng.randrange(1, 64)] + after,
        before + after[rng.randrange(1, 64) :],
        data + after,
        before + number + after[len(number) :],
    )
    return rng.choice(ways)


def mutate_png(data: bytes, rng: Random) -> bytes:
    """Change a chunk of a PNG and correct its checksum, so that the decoder believes it."""
    chunks = list(_chunks(data))
    if rng.random() < 0.3 or not chunks:
        return mutate_bytes(data, rng)
    place = rng.randrange(len(chunks))
    kind, body = chunks[place]
    way = rng.randrange(6)
    if kind == b"IHDR" and way < 5 and len(body) == 13:
        at = rng.choice((0, 4, 8, 9, 10, 11, 12))
        new = (
            struct.pack(">I", rng.choice((*NUMBERS, 60000)))
            if at < 8
            else bytes([rng.choice((0, 1, 2, 3, 4, 6, 8, 16, 255))])
        )
        chunks[place] = (kind, body[:at] + new + body[at + len(new) :])
    elif kind == b"IDAT" and way < 4:
        try:
            chunks[place] = (kind, zlib.compress(mutate_bytes(zlib.decompress(body), rng)))
        except zlib.error:
            chunks[place] = (kind, mutate_bytes(body, rng))
    elif way == 4:
        del chunks[place]
    elif way == 5:
        extra = rng.choice((b"zTXt", b"iTXt", b"iCCP", b"tRNS", b"PLTE", b"acTL", b"eXIf", b"tEXt", b"gAMA", b"fcTL"))
        chunks.insert(
            place, (extra, rng.choice((b"a\0\0" + zlib.compress(bytes(3 << 20)), rng.randbytes(20), b"", body)))
        )
    else:
        chunks[place] = (kind, mutate_bytes(body, rng))
    return data[:8] + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = 8
    while place + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, place)
        if place + 12 + length > len(data):
            return
        yield data[place + 4 : place + 8], data[place + 8 : place + 8 + length]
        place += 12 + length


def mutate_tiff(data: bytes, rng: Random) -> bytes:
    """Change one tag of the first picture of a TIFF: its code, type, count or value."""
    if len(data) < 8:
        return mutate_bytes(data, rng)
    order = "<" if data[:2] == b"II" else ">"
    (place,) = struct.unpack_from(order + "I", data, 4)
    if rng.random() < 0.3 or place + 2 > len(data):
        return mutate_bytes(data, rng)
    (count,) = struct.unpack_from(order + "H", data, place)
    at = place + 2 + 12 * rng.randrange(max(count, 1))
    if at + 12 > len(data):
        return mutate_bytes(data, rng)
    code, kind, items, value = struct.unpack_from(order + "HHII", data, at)
    changed = rng.choice(
        (
            (
                rng.choice((256, 257, 258, 259, 262, 273, 277, 278, 279, 284, 320, 322, 323, 338, 339, 34665)),
                kind,
                items,
                value,
            ),
            (code, rng.choice((1, 2, 3, 4, 5, 7, 11, 12, 16, 99)), items, value),
            (code, kind, rng.choice(NUMBERS), value),
            (code, kind, items, rng.choice(NUMBERS)),
            (code, kind, items, rng.randrange(12)),
        )
    )
    return data[:at] + struct.pack(order + "HHII", *changed) + data[at + 12 :]
