"""Tiles blended together are the whole photo, wherever the network looks no further than the overlap allows."""

import tracemalloc
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tessella.predict.tiling import blend_tiles, ramp, spans

axes = st.builds(
    lambda length, tile_units, overlap, stride: (length, tile_units * stride, overlap, stride),
    st.integers(1, 400),
    st.integers(1, 12),
    st.floats(0, 0.5),
    st.sampled_from([1, 2, 4, 8]),
)


@given(axes)
def test_every_pixel_has_weights_that_sum_to_one_exactly(axis):
    length, tile, overlap, stride = axis
    total = np.zeros(length, np.float32)
    users = np.zeros(length, int)
    for span in spans(length, tile, overlap, stride=stride):
        total[span.ramp_in[0] : span.ramp_out[1]] += span.weights()
        users[span.ramp_in[0] : span.ramp_out[1]] += 1
    assert (total == 1).all()
    assert users.max() <= 2


@given(axes)
def test_tiles_start_on_the_strides_grid_and_are_hardly_larger_than_asked(axis):
    length, tile, overlap, stride = axis
    tiles = spans(length, tile, overlap, stride=stride)
    assert tiles[0].start == 0
    assert tiles[-1].stop == length
    for span in tiles:
        assert span.start % stride == 0
        assert span.stop - span.start < tile + 2 * stride
        assert span.stop == length or (span.stop - span.start) % stride == 0


@given(axes)
def test_no_pixel_nearer_than_a_quarter_of_the_overlap_to_an_inner_border_is_used(axis):
    length, tile, overlap, stride = axis
    margin = round(overlap * tile) // 4
    for span in spans(length, tile, overlap, stride=stride):
        assert span.start == 0 or span.ramp_in[0] - span.start >= margin
        assert span.stop == length or span.stop - span.ramp_out[1] >= margin


@given(axes)
def test_neighbours_overlap_by_what_was_asked(axis):
    length, tile, overlap, stride = axis
    for one, next_one in pairwise(spans(length, tile, overlap, stride=stride)):
        assert one.stop - next_one.start >= round(overlap * tile)


def test_a_photo_that_fits_is_one_tile():
    (span,) = spans(100, 128, 0.25, stride=32)
    assert (span.start, span.stop) == (0, 100)
    assert (span.weights() == 1).all()


def test_the_tiles_of_ten_pixels_are_as_drawn_on_paper():
    # tile 8, overlap 4, ramp 2 wide in the middle of the overlap [2, 8)
    first, second = spans(10, 8, 0.5, stride=1)
    assert (first.start, first.stop, first.ramp_out) == (0, 8, (4, 6))
    assert (second.start, second.stop, second.ramp_in) == (2, 10, (4, 6))
    # raised cosine at 1/4 and 3/4 of the ramp: 0.1464 and 0.8536, in 1/256: 37 and 219
    assert (second.weights()[:2] * 256).tolist() == [37, 219]
    assert (first.weights()[-2:] * 256).tolist() == [219, 37]


@given(st.integers(0, 300))
def test_a_ramp_rises_without_jumps_and_mirrors_itself(length):
    rise = ramp(length)
    assert (np.diff(rise) >= 0).all()
    assert (rise + rise[::-1] == 1).all()
    if length:
        assert np.abs(np.diff(rise, prepend=0, append=1)).max() <= np.pi / 2 / length + 2 / 256


def assemble(rows, columns, run):
    """Put all blocks together; a pixel that comes twice or never fails."""
    photo = None
    seen = np.zeros((rows[-1].stop, columns[-1].stop), int)
    for block in blend_tiles(rows, columns, run=run):
        if photo is None:
            photo = np.full((block.logits.shape[0], *seen.shape), np.nan, np.float32)
        photo[:, block.rows, block.columns] = block.logits
        seen[block.rows, block.columns] += 1
    assert (seen == 1).all()
    return photo


def local_network(pixels, radius, stride):
    """Integer logits of 3 classes from a box of cells; sees `radius` cells of `stride` pixels to every side."""
    height, width = pixels.shape
    tall, wide = -(-height // stride) * stride, -(-width // stride) * stride
    padded = np.pad(pixels, ((0, tall - height), (0, wide - width)), mode="edge")
    cells = padded.reshape(tall // stride, stride, wide // stride, stride).sum((1, 3))
    far = np.pad(cells, radius)
    size = 2 * radius + 1
    box = sum(
        far[dy : dy + cells.shape[0], dx : dx + cells.shape[1]] * (1 + dy + 2 * dx)
        for dy in range(size)
        for dx in range(size)
    )
    logits = np.stack([box % 7, box % 5, (box // 3) % 6])
    return logits.repeat(stride, 1).repeat(stride, 2)[:, :height, :width].astype(np.float32)


@given(
    hw=st.tuples(st.integers(1, 90), st.integers(1, 90)),
    stride=st.sampled_from([1, 2, 4]),
    tile_units=st.tuples(st.integers(10, 14), st.integers(10, 14)),
    overlap=st.sampled_from([0.4, 0.45, 0.5]),
    seed=st.integers(0, 99),
)
def test_a_local_network_gives_the_same_logits_as_on_the_whole_photo(hw, stride, tile_units, overlap, seed):
    # 4 cells of overlap at least, so a margin of 1 cell, which is as far as this network sees
    pixels = np.random.default_rng(seed).integers(0, 50, hw)
    rows = spans(hw[0], tile_units[0] * stride, overlap, stride=stride)
    columns = spans(hw[1], tile_units[1] * stride, overlap, stride=stride)
    blended = assemble(rows, columns, lambda rs, cs: local_network(pixels[rs, cs], 1, stride))
    np.testing.assert_array_equal(blended, local_network(pixels, 1, stride))


@given(
    hw=st.tuples(st.integers(1, 60), st.integers(1, 60)),
    overlap=st.floats(0, 0.5),
    value=st.floats(-99, 99, width=32, allow_subnormal=False),
)
def test_a_constant_network_gives_a_constant(hw, overlap, value):
    rows, columns = spans(hw[0], 16, overlap, stride=2), spans(hw[1], 12, overlap, stride=2)
    blended = assemble(
        rows, columns, lambda rs, cs: np.full((2, rs.stop - rs.start, cs.stop - cs.start), value, np.float32)
    )
    np.testing.assert_allclose(blended, np.float32(value), rtol=3e-7)


def test_tiles_that_disagree_by_one_meet_without_a_step():
    # every tile answers its own number: the steepest blend of numbers that differ by 1 rises pi/2 over the ramp of 32
    rows, columns = spans(300, 128, 0.5, stride=1), spans(300, 128, 0.5, stride=1)
    row_numbers = {span.start: number for number, span in enumerate(rows)}
    column_numbers = {span.start: number for number, span in enumerate(columns)}

    def run(rs, cs):
        number = row_numbers[rs.start] + column_numbers[cs.start]
        return np.full((1, rs.stop - rs.start, cs.stop - cs.start), number, np.float32)

    blended = assemble(rows, columns, run)[0]
    for axis in (0, 1):
        assert np.abs(np.diff(blended, axis=axis)).max() <= np.pi / 2 / 32 + 2 / 256


@pytest.mark.parametrize("height", [600, 6000])
def test_memory_does_not_grow_with_the_height(height):
    rows, columns = spans(height, 64, 0.25, stride=1), spans(256, 64, 0.25, stride=1)
    tracemalloc.start()
    try:
        for _ in blend_tiles(
            rows, columns, run=lambda rs, cs: np.zeros((8, rs.stop - rs.start, cs.stop - cs.start), np.float32)
        ):
            pass
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # a few tiles of 131 kB and one ramp of 8 x 8 x 256 x 4 = 65 kB
    assert peak < 800_000
