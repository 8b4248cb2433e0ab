import base64
import contextlib
import random
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from tessella.core.errors import FormatError, LabelError
from tessella.formats.raster.bitmap import decode_bitmap, encode_bitmap
from tessella.formats.raster.brush import brush_pixels, decode_brush, encode_brush
from tessella.formats.raster.segments import segment_colours, segment_ids

masks = hnp.arrays(np.bool_, hnp.array_shapes(min_dims=2, max_dims=2, max_side=30))


class Bits:
    """Writes and reads the stream bit by bit, from its description."""

    def __init__(self, data=()) -> None:
        self.text = "".join(f"{byte:08b}" for byte in data)
        self.at = 0

    def put(self, value, size) -> None:
        self.text += f"{value:0{size}b}"

    def get(self, size) -> int:
        self.at += size
        return int(self.text[self.at - size : self.at], 2)

    def bytes(self) -> list[int]:
        padded = self.text + "0" * (-len(self.text) % 8)
        return [int(padded[at : at + 8], 2) for at in range(0, len(padded), 8)]


def read_stream(data):
    bits = Bits(data)
    count, word, sizes = bits.get(32), bits.get(5) + 1, [bits.get(4) + 1 for _ in range(4)]
    items = []
    while len(items) < count:
        repeats, length = bits.get(1), bits.get(sizes[bits.get(2)]) + 1
        items += [bits.get(word)] * length if repeats else [bits.get(word) for _ in range(length)]
    return np.array(items)


def write_stream(items, sizes, rng):
    """Cut items into packets at random: repeats where they are equal, else literal words."""
    bits = Bits()
    bits.put(len(items), 32)
    bits.put(7, 5)
    for size in sizes:
        bits.put(size - 1, 4)
    at = 0
    while at < len(items):
        which = rng.randrange(4)
        length = rng.randint(1, min(1 << sizes[which], len(items) - at))
        part = items[at : at + length]
        repeats = len(set(part)) == 1 and rng.random() < 0.8
        bits.put(repeats, 1)
        bits.put(which, 2)
        bits.put(length - 1, sizes[which])
        for value in part[:1] if repeats else part:
            bits.put(value, 8)
        at += length
    return bits.bytes()


@given(mask=masks)
def test_a_brush_is_written_as_label_studio_reads_it(mask) -> None:
    stream = encode_brush(mask)
    np.testing.assert_array_equal(read_stream(stream), np.repeat(mask.ravel() * 255, 4))
    np.testing.assert_array_equal(decode_brush(stream, mask.shape, where="a"), mask)
    assert brush_pixels(stream, where="a") == mask.size


@given(
    alpha=hnp.arrays(np.uint8, (6, 9), elements=st.sampled_from([0, 127, 128, 255])),
    sizes=st.lists(st.integers(1, 16), min_size=4, max_size=4),
    seed=st.integers(0, 2**32),
)
def test_literal_and_repeated_packets_of_any_sizes_are_read(alpha, sizes, seed) -> None:
    rng = random.Random(seed)  # noqa: S311 - not for secrets
    pixels = [[rng.randrange(2) * 255, 0, 7, int(value)] for value in alpha.ravel()]
    stream = write_stream([item for pixel in pixels for item in pixel], sizes, rng)
    np.testing.assert_array_equal(decode_brush(stream, alpha.shape, where="a"), alpha > 127)


def test_a_brush_longer_than_one_window_is_read() -> None:
    mask = np.random.default_rng(0).random((190, 200)) < 0.5
    assert len(encode_brush(mask)) > 3 * 2**16 // 8
    np.testing.assert_array_equal(decode_brush(encode_brush(mask), mask.shape, where="a"), mask)


@pytest.mark.parametrize(
    ("stream", "says"),
    [
        (None, "not a list"),
        ([], "not a list of bytes"),
        ([0] * 6, "not a list of bytes"),
        ([256] * 20, "not a list of bytes"),
        ([0.5] * 20, "whole numbers"),
        ([0] * 20, "words of another size"),
        (encode_brush(np.ones((3, 3), bool)), "of another size than its photo; got 36 values; expected 2 x 3 x 4"),
        (encode_brush(np.eye(2, 3, dtype=bool))[:-2], "cut off"),
        ([*encode_brush(np.eye(2, 3, dtype=bool))[:7], 0], "cut off"),
    ],
)
def test_a_brush_that_does_not_fill_its_photo_is_refused(stream, says) -> None:
    with pytest.raises(FormatError, match=rf"^a: .*{says}"):
        decode_brush(stream, (2, 3), where="a")


@given(mask=masks, seed=st.integers(0, 2**32))
def test_a_mutated_brush_is_refused_or_read_never_worse(mask, seed) -> None:
    rng, stream = random.Random(seed), encode_brush(mask)  # noqa: S311 - not for secrets
    for _ in range(rng.randint(1, 4)):
        stream[rng.randrange(len(stream))] = rng.randrange(256)
    with contextlib.suppress(FormatError):
        assert decode_brush(stream[: rng.randint(7, len(stream))], mask.shape, where="a").shape == mask.shape


@given(mask=masks)
def test_a_bitmap_comes_back(mask) -> None:
    np.testing.assert_array_equal(decode_bitmap(encode_bitmap(mask), where="a"), mask)


def packed(picture: Image.Image, tmp_path) -> str:
    picture.save(tmp_path / "mask.png")
    return base64.b64encode(zlib.compress((tmp_path / "mask.png").read_bytes())).decode()


def test_alpha_is_the_mask_of_a_bitmap_that_has_it(tmp_path) -> None:
    pixels = np.full((2, 3, 4), 255, np.uint8)
    pixels[0, 1, 3] = 0
    mask = decode_bitmap(packed(Image.fromarray(pixels), tmp_path), where="a")
    assert mask.tolist() == [[True, False, True], [True, True, True]]
    grey = Image.fromarray(np.array([[0, 1], [255, 0]], np.uint8))
    assert decode_bitmap(packed(grey, tmp_path), where="a").tolist() == [[False, True], [True, False]]


@pytest.mark.parametrize(
    "data",
    [None, 7, "", "!!", base64.b64encode(b"no zlib").decode(), base64.b64encode(zlib.compress(b"no PNG")).decode()],
)
def test_a_bitmap_that_is_none_is_refused(data) -> None:
    with pytest.raises(FormatError, match=r"^a: "):
        decode_bitmap(data, where="a")


def test_a_bitmap_beyond_the_budget_is_refused() -> None:
    with pytest.raises(FormatError, match="larger than the pixel budget"):
        decode_bitmap(encode_bitmap(np.ones((20, 20), bool)), where="a", max_pixels=399)


def test_a_segment_number_is_red_and_256_green_and_65536_blue() -> None:
    pixels = np.array([[[1, 2, 3], [255, 255, 255]]], np.uint8)
    assert segment_ids(pixels).tolist() == [[1 + 2 * 256 + 3 * 65536, 2**24 - 1]]
    with_alpha = np.concatenate([pixels, np.full((1, 2, 1), 77, np.uint8)], axis=2)
    assert segment_ids(with_alpha).tolist() == segment_ids(pixels).tolist()


@given(ids=hnp.arrays(np.uint32, (3, 4), elements=st.integers(0, 2**24 - 1)))
def test_segment_numbers_come_back_from_their_colours(ids) -> None:
    np.testing.assert_array_equal(segment_ids(segment_colours(ids)), ids)


def test_what_is_no_colour_and_what_fits_into_none_is_refused() -> None:
    with pytest.raises(FormatError, match="not red, green and blue"):
        segment_ids(np.zeros((2, 2), np.uint8))
    for number in (-1, 1 << 24):
        with pytest.raises(LabelError, match="does not fit into a colour"):
            segment_colours(np.full((2, 2), number))
