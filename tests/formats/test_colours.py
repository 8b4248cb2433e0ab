import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tessella.formats.raster.colours import colour_keys, count_runs, look_up


def distinct(count, seed=0):
    keys = np.random.default_rng(seed).choice(1 << 24, count, replace=False)
    return np.stack([keys >> 16, keys >> 8 & 255, keys & 255], axis=1).astype(np.uint8)


palettes = st.integers(1, 70).flatmap(lambda count: st.integers(0, 99).map(lambda seed: distinct(count, seed)))


@given(colours=palettes, data=st.data(), alpha=st.booleans())
def test_every_declared_colour_gives_its_value(colours, data, alpha) -> None:
    which = data.draw(hnp.arrays(np.intp, (5, 7), elements=st.integers(0, len(colours) - 1)))
    pixels = colours[which]
    if alpha:
        pixels = np.concatenate([pixels, which[..., None].astype(np.uint8)], axis=2)
    values = np.random.default_rng(0).integers(0, 256, len(colours)).astype(np.uint8)
    np.testing.assert_array_equal(look_up(pixels, colours, values), values[which])


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.float64])
@pytest.mark.parametrize("count", [1, 19, 150, 700, 3000])
def test_values_of_any_type_and_any_number_of_colours(dtype, count) -> None:
    rng = np.random.default_rng(0)
    colours, which = distinct(count), rng.integers(0, count, (300, 200))
    values = rng.integers(0, 127, count).astype(dtype)
    if dtype != np.float64:
        values[0] = np.iinfo(dtype).max
    found = look_up(colours[which], colours, values)
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, values[which])


@given(colours=palettes, place=st.integers(0, 34), channel=st.integers(0, 2), step=st.integers(1, 255))
def test_a_colour_that_is_not_declared_is_never_taken_for_another(colours, place, channel, step) -> None:
    pixels = np.repeat(colours[:1], 35, axis=0)
    pixels[place, channel] ^= np.uint8(step)
    declared = set(map(tuple, colours.tolist()))
    found = look_up(pixels.reshape(5, 7, 3), colours, np.arange(len(colours)))
    assert (found is None) == (tuple(pixels[place].tolist()) not in declared)


def test_a_stray_pixel_is_found_in_every_piece() -> None:
    colours = distinct(19)
    for place in (0, 2**15 - 1, 2**15, 99_999):
        pixels = np.repeat(colours[:1], 100_000, axis=0)
        pixels[place] ^= 1
        assert look_up(pixels.reshape(100, 1000, 3), colours, np.arange(19)) is None


@given(pixels=hnp.arrays(np.uint8, (4, 6, 3), elements=st.integers(0, 2)))
def test_colours_are_counted_in_ascending_order(pixels) -> None:
    keys, counts = count_runs(pixels)
    expected, numbers = np.unique(colour_keys(pixels), return_counts=True)
    np.testing.assert_array_equal(keys, expected)
    np.testing.assert_array_equal(counts, numbers)


def test_a_key_is_red_green_blue_and_a_view_is_read_right() -> None:
    pixels = np.array([[[1, 2, 3], [9, 9, 9], [255, 0, 128]]], np.uint8)
    assert colour_keys(pixels).tolist() == [[0x010203, 0x090909, 0xFF0080]]
    assert colour_keys(pixels[:, ::2]).tolist() == [[0x010203, 0xFF0080]]
    assert look_up(pixels[:, ::2], pixels[0, ::2], np.array([4, 5])).tolist() == [[4, 5]]
