"""PNG files that were treated as text come back byte for byte, or not at all."""

import io
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tessella.checking.measures.line_endings import ADDED_EVERYWHERE, ADDED_TO_LONE, REMOVED, SIGNATURE, damage, undo

DAMAGES = {
    "CR LF to LF": lambda data: data.replace(b"\r\n", b"\n"),
    "every LF to CR LF": lambda data: data.replace(b"\n", b"\r\n"),
    "lone LF to CR LF": lambda data: data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"),
}


def encoded(seed: int, hw: tuple[int, int], values: int) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, values, hw, dtype=np.uint8)).save(stream, "PNG")
    return stream.getvalue()


@pytest.mark.parametrize("name", DAMAGES)
@given(seed=st.integers(0, 10_000), side=st.integers(1, 200), values=st.integers(1, 255))
@settings(max_examples=25)
def test_the_file_comes_back_byte_for_byte(name: str, seed: int, side: int, values: int) -> None:
    whole = encoded(seed, (side, side), values)
    bad = DAMAGES[name](whole)
    assert damage(bad[:16])
    assert undo(bad) == whole


def test_a_large_noisy_mask_with_several_lost_returns_in_one_part_comes_back_in_a_moment() -> None:
    whole = next(data for seed in range(40) if (data := encoded(seed, (480, 640), 16)).count(b"\r\n") >= 4)
    began = time.process_time()
    assert undo(whole.replace(b"\r\n", b"\n")) == whole
    assert time.process_time() - began < 3


def test_a_sound_file_is_no_damaged_one() -> None:
    whole = encoded(0, (9, 9), 3)
    assert damage(whole[:16]) == ""
    assert undo(whole) is None


@pytest.mark.parametrize("start", [REMOVED, ADDED_EVERYWHERE, ADDED_TO_LONE])
@given(rest=st.binary(max_size=400))
def test_anything_else_behind_a_damaged_signature_gives_nothing(start: bytes, rest: bytes) -> None:
    assert undo(start + rest) is None


@given(flips=st.lists(st.tuples(st.integers(8, 200), st.integers(1, 255)), min_size=1, max_size=3))
def test_a_flipped_byte_is_never_repaired_into_something_else(flips: list[tuple[int, int]]) -> None:
    whole = encoded(1, (20, 20), 5)
    bad = bytearray(whole.replace(b"\r\n", b"\n"))
    for place, by in flips:
        bad[place % (len(bad) - 8) + 8] ^= by
    result = undo(bytes(bad))
    assert result is None or result == whole or result.startswith(SIGNATURE)
    if result is not None:
        with Image.open(io.BytesIO(result)) as picture:
            picture.load()


def test_a_bomb_is_unpacked_in_pieces() -> None:
    import tracemalloc
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    packed = zlib.compress(bytes(64 << 20))
    size = (8192).to_bytes(4, "big") * 2 + b"\x08\0\0\0\0"
    whole = SIGNATURE + chunk(b"IHDR", size) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")
    tracemalloc.start()
    undo(whole.replace(b"\r\n", b"\n"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 << 20
