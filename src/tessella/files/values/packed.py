"""Bytes that text carries: base64 and zlib, each with a limit that holds before memory is taken."""

from __future__ import annotations

import base64
import binascii
import zlib
from typing import Final

from tessella.core.errors import FormatError

PACKED_BUDGET: Final = 1 << 28
"""Most bytes that one embedded value may hold, packed or unpacked."""

_FIX: Final = "export the file again from the tool that wrote it"


def decode_base64(text: object, *, where: object, max_bytes: int = PACKED_BUDGET) -> bytes:
    """Decode base64, such as a mask or photo that is embedded in JSON or XML.

    Args:
        text: The text; line breaks and blanks in it are passed over, and so is `data:image/png;base64,` before it.
        where: File and key, for messages.
        max_bytes: Most bytes of the result.

    Raises:
        FormatError: Not a string, not base64, or too long.
    """
    if not isinstance(text, str):
        raise FormatError("there is no base64 text", where=where, got=type(text).__name__, expected="a string")
    if text[:5] == "data:":
        head, comma, text = text.partition(",")
        if not comma or not head.endswith(";base64"):
            raise FormatError("this data URL is not base64", where=where, got=repr(head[:60]), fix=_FIX)
    if len(text) // 4 * 3 > max_bytes:
        raise FormatError(
            "the embedded value is too long", where=where, got=f"{len(text)} letters", expected=f"{max_bytes} bytes"
        )
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise FormatError(f"this is not base64 ({error})", where=where, fix=_FIX) from error


def inflate(data: bytes, *, limit: int, where: object) -> bytes:
    """Unpack a zlib stream.

    Args:
        data: The packed bytes.
        limit: Most bytes of the result; a stream that holds more is refused without unpacking it.
        where: File and key, for messages.

    Raises:
        FormatError: Not zlib, cut off, something behind its end, or more than `limit` bytes.
    """
    unpacker = zlib.decompressobj()
    try:
        result = unpacker.decompress(data, max(limit, 0) + 1)
    except zlib.error as error:
        raise FormatError(f"this is not zlib ({error})", where=where, fix=_FIX) from error
    if len(result) > limit:
        raise FormatError("the packed value is larger than it may be", where=where, expected=f"at most {limit} bytes")
    if not unpacker.eof or unpacker.unused_data:
        raise FormatError("the packed value is cut off, or something follows it", where=where, fix=_FIX)
    return result
