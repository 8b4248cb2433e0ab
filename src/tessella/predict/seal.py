"""The seal of an exported file: a SHA-256 of the file inside the file, readable without an ONNX parser.

ONNX Runtime opens 149 of 150 files in which one bit was flipped, and 140 of these answer something else. The seal is a
metadata entry; what is hashed is the whole file with the 64 digits of the seal set to zero.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tessella.core.errors import BundleError
from tessella.files.hashes import sha256_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable

KEY_SEAL: Final = "tessella.seal"
BLANK: Final = "0" * 64

# protobuf: field 1 (the key) holds these bytes, then field 2 (tag 0x12, the value) of length 64
_MARK: Final = KEY_SEAL.encode() + b"\x12\x40"


def seal(data: bytes) -> bytes:
    """Fill in the seal.

    Args:
        data: A serialised ONNX model whose metadata has `KEY_SEAL: BLANK`.

    Returns:
        The sealed file, as long as before.
    """
    place = _place(data)
    if place is None or data[place : place + 64] != BLANK.encode():
        raise AssertionError("the model carries no blank seal")
    return data[:place] + sha256_bytes(data).encode() + data[place + 64 :]


def check_seal(data: bytes, *, where: object) -> None:
    """Check that a file is as it was exported.

    Raises:
        BundleError: It carries no seal, or was changed.
    """
    place = _place(data)
    if place is None:
        raise BundleError(
            "this file carries no seal of Tessella: it was exported by another program, or is damaged",
            where=where,
            fix="export it with: tessella export BUNDLE --to onnx --out model.onnx",
        )
    blank = data[:place] + BLANK.encode() + data[place + 64 :]
    if data[place : place + 64] != sha256_bytes(blank).encode():
        raise BundleError(
            "the file was changed after it was exported", where=where, fix="copy it again, or export it again"
        )


def _place(data: bytes) -> int | None:
    # the last one: metadata is written behind the weights, and other entries cannot hold the mark's control characters
    found = data.rfind(_MARK)
    return None if found < 0 else found + len(_MARK)


def read_metadata(data: bytes, keys: Iterable[str]) -> dict[str, str]:
    """Read metadata entries of a sealed file without an ONNX parser.

    An entry is a protobuf message: field 1 the key, field 2 the value. Nothing else in the file is taken for one, since
    metadata is written last and its values hold no control characters.

    Args:
        data: A file whose seal was checked.
        keys: The entries wanted; those that are not there are left out.
    """
    return {key: value for key in keys if (value := _entry(data, key)) is not None}


def _entry(data: bytes, key: str) -> str | None:
    name = key.encode()
    mark = b"\x0a" + bytes([len(name)]) + name + b"\x12"
    place = data.rfind(mark)
    if place < 0:
        return None
    place += len(mark)
    length, shift = 0, 0
    # a protobuf varint: seven bits per byte, the lowest first, the eighth says that more follow
    while data[place] & 0x80:
        length |= (data[place] & 0x7F) << shift
        place, shift = place + 1, shift + 7
    length |= data[place] << shift
    return data[place + 1 : place + 1 + length].decode()
