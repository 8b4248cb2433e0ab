"""Small files that would become large or slow: each must be refused before it does."""

import io
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tessella.files.archives import unpack
from tessella.files.images import read_image
from tessella.files.masks import read_mask
from tessella.files.sections import read_sections
from tessella.files.text import read_csv, read_json, read_json_lines, read_text_lines
from tessella.files.values.arrays import read_array
from tessella.files.values.packed import inflate
from tessella.files.xml import read_xml, scan_xml
from tessella.formats.raster.rle import decode_coco

Arm = Callable[[Path], Any]


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(*, hw: tuple[int, int] = (12, 16), more: bytes = b"", bits: int = 8) -> bytes:
    row = b"\0" + bytes(-(-hw[1] * bits // 8) if hw[1] < 1000 else 16)
    head = struct.pack(">IIBBBBB", hw[1], hw[0], bits, 0, 0, 0, 0)
    pixels = zlib.compress(row * min(hw[0], 100))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + more + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def saved(name: str, make: Callable[[], bytes]) -> Arm:
    def arm(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(make())
        return path

    return arm


def zeros_zip(megabytes: int) -> bytes:
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive,
        archive.open("a", "w") as inner,
    ):
        for _ in range(megabytes):
            inner.write(bytes(1 << 20))
    return stream.getvalue()


def shared_zip() -> bytes:
    """A table of contents that names the same 4 MiB of zeros ten thousand times: 40 GB from 600 kB."""
    data = zeros_zip(4)
    start, end = data.find(b"PK\1\2"), data.find(b"PK\5\6")
    entry = data[start:end]
    table = b"".join(entry[:28] + struct.pack("<H", 5) + entry[30:46] + b"%05d" % number for number in range(10_000))
    last = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 10_000, 10_000, len(table), start, 0)
    return data[:start] + table + last


def zeros_tar() -> bytes:
    info = tarfile.TarInfo("a")
    info.size = 1 << 33
    pack = zlib.compressobj(1, zlib.DEFLATED, 31)
    return pack.compress(info.tobuf()) + pack.compress(bytes(1 << 22)) + pack.flush()


def long_name_tar() -> bytes:
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 1 << 30
    pack = zlib.compressobj(1, zlib.DEFLATED, 31)
    return pack.compress(info.tobuf()) + b"".join(pack.compress(b"a" * (1 << 20)) for _ in range(64)) + pack.flush()


def npy(shape: tuple[int, ...]) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "|u1", "fortran_order": False, "shape": shape})
    return stream.getvalue() + bytes(192)


def npz(shape: tuple[int, ...]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", npy(shape))
    return stream.getvalue()


def mat(items: int) -> bytes:
    flags, shape = struct.pack("<IIII", 6, 8, 9, 0), struct.pack("<IIii", 5, 8, items, 12)
    matrix = flags + shape + struct.pack("<IIc7x", 1, 1, b"m") + struct.pack("<II", 2, items * 12) + bytes(192)
    body = zlib.compress(struct.pack("<II", 14, len(matrix)) + matrix)
    return b"MATLAB 5.0 MAT-file".ljust(124) + b"\0\1IM" + struct.pack("<II", 15, len(body)) + body


def tiff(tags: dict[int, tuple[int, int, int]]) -> bytes:
    """A picture of 12x16 with some of its tags replaced by (type, count, value)."""
    plain = {
        256: (3, 1, 16), 257: (3, 1, 12), 258: (3, 1, 8), 259: (3, 1, 1), 262: (3, 1, 1), 273: (4, 1, 300),
        277: (3, 1, 1), 278: (3, 1, 12), 279: (4, 1, 192),
    }  # fmt: skip
    entries = sorted((plain | tags).items())
    table = b"".join(struct.pack("<HHII", code, *rest) for code, rest in entries)
    return (b"II*\0" + struct.pack("<IH", 8, len(entries)) + table + bytes(4)).ljust(300, b"\0") + bytes(192)


def chained_tiff(count: int) -> bytes:
    """Pictures without tags, one behind the other."""
    body = tiff({})
    at = 8 + 2 + 9 * 12
    first = body[:at] + struct.pack("<I", len(body)) + body[at + 4 :]
    return first + b"".join(struct.pack("<HI", 0, len(first) + 6 * (number + 1)) for number in range(count))


def animation(suffix: str) -> Callable[[], bytes]:
    def make() -> bytes:
        stream = io.BytesIO()
        pictures = [Image.fromarray(np.full((4, 4), value, np.uint8)) for value in range(0, 250, 10)]
        pictures[0].save(stream, suffix, save_all=True, append_images=pictures[1:])
        return stream.getvalue()

    return make


def webp() -> bytes:
    """A lossless picture of one colour, 16383 pixels on each side, in 80 bytes."""
    stream = io.BytesIO()
    Image.new("RGB", (8, 8)).save(stream, "WEBP", lossless=True)
    data = bytearray(stream.getvalue())
    at = data.find(b"VP8L") + 9
    (bits,) = struct.unpack_from("<I", data, at)
    struct.pack_into("<I", data, at, bits & ~0xFFFFFFF | 16382 | 16382 << 14)
    return bytes(data)


def laughs() -> bytes:
    lines = b"".join(b'<!ENTITY l%d "%s">' % (number, b"&l%d;" % (number - 1) * 10) for number in range(1, 13))
    return b'<!DOCTYPE a [<!ENTITY l0 "ha">' + lines + b"]><a>&l12;</a>"


def scan(path: Path) -> None:
    visitor = type("Visitor", (), {"start": lambda *_: None, "end": lambda *_: None})()
    scan_xml(path, visitor)


def rle(counts: object) -> Arm:
    return lambda _: {"size": [10**6, 10**6], "counts": counts}


HONEST_RLE: Arm = lambda _: {"size": [3, 4], "counts": [12]}  # noqa: E731 - a row of the table
HONEST = {
    "png": saved("honest.png", png), "json": saved("honest.json", lambda: b'{"a": [1]}'), "rle": HONEST_RLE,
    "xml": saved("honest.xml", lambda: b"<a><b/></a>"), "zip": saved("honest.zip", lambda: zeros_zip(1)),
    "tar": saved("honest.tar", lambda: b"\0"), "npy": saved("honest.npy", lambda: npy((12, 16))),
    "npz": saved("honest.npz", lambda: npz((12, 16))), "mat": saved("honest.mat", lambda: mat(16)),
    "tif": saved("honest.tif", lambda: tiff({})), "csv": saved("honest.csv", lambda: b"a,b\n1,2\n"),
    "zlib": lambda _: zlib.compress(b"abc"),
}  # fmt: skip


def _unpack(path: Path) -> None:
    if path.name != "honest.tar":
        unpack(path, path.parent / f"{path.stem}.out")


def _rows(path: Path) -> list[dict[str, str]]:
    return list(read_csv(path))


def _lines(path: Path) -> list[str]:
    return list(read_text_lines(path))


def _json_lines(path: Path) -> list[object]:
    return list(read_json_lines(path))


def _inflate(data: bytes) -> bytes:
    return inflate(data, limit=1 << 20, where="a value")


def _decode(value: dict) -> object:
    return decode_coco(value, where="a mask")


def packed_chunk(kind: bytes) -> Callable[[], bytes]:
    return lambda: png(more=chunk(kind, b"a\0\0" + zlib.compress(bytes(1 << 28), 1)))


SECRET = b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'

_ROWS: dict[str, tuple[str, str, Callable[[], bytes], Callable[[Any], object]]] = {
    "png of 10^10 pixels": ("png", "a.png", lambda: png(hw=(100_000, 100_000)), read_mask),
    "photo png of 10^10 pixels": ("png", "a.png", lambda: png(hw=(100_000, 100_000)), read_image),
    "png of 2.5e8 pixels in 200 bytes": ("png", "a.png", lambda: png(hw=(16_000, 16_000)), read_image),
    "png with a quarter gigabyte of packed text": ("png", "a.png", packed_chunk(b"zTXt"), read_mask),
    "png with a quarter gigabyte of packed profile": ("png", "a.png", packed_chunk(b"iCCP"), read_image),
    "webp of 2.7e8 pixels in 80 bytes": ("png", "a.webp", webp, read_image),
    "animated gif as a mask": ("png", "a.gif", animation("GIF"), read_mask),
    "animated png as a mask": ("png", "a.png", animation("PNG"), read_mask),
    "tiff of 10^12 pixels": ("tif", "a.tif", lambda: tiff({256: (4, 1, 10**6), 257: (4, 1, 10**6)}), read_image),
    "tiff of 60000 bands": (
        "tif", "a.tif", lambda: tiff({277: (3, 1, 60_000), 256: (4, 1, 4000), 257: (4, 1, 4000)}), read_image,
    ),
    "tiff of 10^9 strips": ("tif", "a.tif", lambda: tiff({273: (4, 10**9, 300)}), read_image),
    "tiff of 500000 pictures": ("tif", "a.tif", lambda: chained_tiff(500_000), read_image),
    "zip of 1000 times its size": ("zip", "a.zip", lambda: zeros_zip(320), _unpack),
    "zip that shares its bytes": ("zip", "a.zip", shared_zip, _unpack),
    "tar of 400000 times its size": ("tar", "a.tar.gz", zeros_tar, _unpack),
    "tar with a name of a gigabyte": ("tar", "a.tar.gz", long_name_tar, _unpack),
    "xml of a billion laughs": ("xml", "a.xml", laughs, read_xml),
    "scanned xml of a billion laughs": ("xml", "a.xml", laughs, scan),
    "xml that reads a file": ("xml", "a.xml", lambda: SECRET, read_xml),
    "xml of a million levels": ("xml", "a.xml", lambda: b"<a>" * 10**6, read_xml),
    "scanned xml of one tag of 60 MB": ("xml", "a.xml", lambda: b'<a b="' + b"c" * 60_000_000, scan),
    "json of ten million levels": ("json", "a.json", lambda: b"[" * 10**7, read_json),
    "sections of ten million levels": ("json", "a.json", lambda: b'{"a":' + b"[" * 10**7, read_sections),
    "json integer of ten million digits": ("json", "a.json", lambda: b"1" * 10**7, read_json),
    "json of 20 million lists": ("json", "a.json", lambda: b"[" + b"[]," * 21_000_000, read_json),
    "json with 100000 keys and one of them twice": (
        "json", "a.json", lambda: b"{" + b"".join(b'"%d":1,' % key for key in range(100_000)) + b'"7":2}', read_json,
    ),
    "csv of 60 million cells": ("csv", "a.csv", lambda: b"," * 60_000_000, _rows),
    "csv of 20 million rows": ("csv", "a.csv", lambda: b",\n" * 20_000_000, _rows),
    "csv of one row of 15 million lines": ("csv", "a.csv", lambda: b"a\n" + b'"\n",' * 15_000_000, _rows),
    "list of one line of 60 MB": ("csv", "a.txt", lambda: b"a" * 60_000_000, _lines),
    "list of 20 million lines": ("csv", "a.txt", lambda: b"ab\n" * 20_000_000, _lines),
    "list in utf-16 of 15 million lines": ("csv", "a.txt", lambda: b"\xff\xfe" + b"a\0\n\0" * 15_000_000, _lines),
    "json lines of 20 million lists": ("json", "a.ndjson", lambda: b"[" + b"[]," * 21_000_000, _json_lines),
    "xml in utf-16 of a billion laughs": ("xml", "a.xml", lambda: laughs().decode().encode("utf-16"), read_xml),
    "npy of 10^12 numbers": ("npy", "a.npy", lambda: npy((10**6, 10**6)), read_array),
    "npz of 10^12 numbers": ("npz", "a.npz", lambda: npz((10**6, 10**6)), read_array),
    "mat of 2.4e9 numbers": ("mat", "a.mat", lambda: mat(2 * 10**8), read_array),
}  # fmt: skip

BOMBS: dict[str, tuple[Arm, Arm, Callable[[Any], object]]] = {
    **{name: (saved(file, make), HONEST[kind], read) for name, (kind, file, make, read) in _ROWS.items()},
    "rle of 10^12 pixels": (rle([10**12]), HONEST["rle"], _decode),
    "packed rle of 10^12 pixels": (rle("PPPPPPPPYd`0"), HONEST["rle"], _decode),
    "zlib of 256 MB": (lambda _: zlib.compress(bytes(1 << 28), 1), HONEST["zlib"], _inflate),
}
"""By name: how it is made, something honest of its kind, and what reads both."""
