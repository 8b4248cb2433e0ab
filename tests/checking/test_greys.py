import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from data.faulty import disc, jpeg, soft
from tessella.checking.measures.greys import smallest_gap, snap, stray_kind

BINARY = np.array([0, 255], np.uint8)
THREE = np.array([0, 128, 255], np.uint8)


def _stray(pixels: np.ndarray, declared: np.ndarray) -> np.ndarray:
    return ~np.isin(pixels, declared)


def test_a_mask_drawn_large_and_averaged_is_called_blurred() -> None:
    pixels = soft(disc((400, 480), 150).astype(np.uint8) * 255)
    assert stray_kind(pixels, _stray(pixels, BINARY), jpeg=False) == "blurred"


def test_a_png_that_was_a_jpeg_is_called_compressed() -> None:
    for quality in (60, 75, 90):
        pixels = jpeg(disc((300, 300), 90).astype(np.uint8) * 255, quality)
        assert stray_kind(pixels, _stray(pixels, BINARY), jpeg=False) == "compressed"


def test_a_jpeg_file_is_called_compressed_whatever_its_values_look_like() -> None:
    pixels = np.zeros((20, 20), np.uint8)
    pixels[3, 4] = 7
    assert stray_kind(pixels, pixels == 7, jpeg=True) == "compressed"


def test_a_line_of_one_wrong_value_along_an_edge_is_stray_and_not_blurred() -> None:
    pixels = np.zeros((60, 60), np.uint8)
    pixels[:, 30:] = 255
    pixels[:, 29] = 7
    assert stray_kind(pixels, _stray(pixels, BINARY), jpeg=False) == "stray"


def test_a_photo_in_place_of_a_mask_is_stray_and_not_blurred() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (80, 80), dtype=np.uint8)
    assert stray_kind(pixels, _stray(pixels, BINARY), jpeg=False) == "stray"


def test_a_soft_edge_in_colours_is_called_blurred() -> None:
    inside = disc((400, 480), 150)
    layers = [soft(np.where(inside, high, low).astype(np.uint8)) for low, high in ((0, 255), (0, 128), (64, 64))]
    pixels = np.dstack(layers)
    stray = ~((pixels == (0, 0, 64)).all(axis=2) | (pixels == (255, 128, 64)).all(axis=2))
    assert stray_kind(pixels, stray, jpeg=False) == "blurred"


def test_snapping_a_soft_disc_gives_the_disc_that_covers_more_than_half_of_each_pixel() -> None:
    fine = disc((400, 480), 150)
    pixels = soft(fine.astype(np.uint8) * 255)
    coverage = fine.reshape(100, 4, 120, 4).mean(axis=(1, 3))
    clear = np.abs(coverage - 0.5) > 0.02  # 127 and 128 may go either way
    snapped = snap(pixels, _stray(pixels, BINARY), BINARY)
    assert np.array_equal(snapped[clear], np.where(coverage > 0.5, 255, 0)[clear])


def test_a_soft_edge_between_0_and_255_does_not_become_a_line_of_128() -> None:
    pixels = np.zeros((20, 30), np.uint8)
    pixels[:, 15:] = 255
    pixels[:, 14] = 120
    pixels[0, 0] = 128
    snapped = snap(pixels, _stray(pixels, THREE), THREE)
    assert (snapped[:, 14] == 0).all()


@given(pixels=arrays(np.uint8, (9, 11)), declared=st.sets(st.integers(0, 255), min_size=1, max_size=5))
def test_snapping_leaves_declared_pixels_alone_and_nothing_undeclared(pixels: np.ndarray, declared: set[int]) -> None:
    values = np.array(sorted(declared), np.uint8)
    stray = _stray(pixels, values)
    snapped = snap(pixels, stray, values)
    assert np.isin(snapped, values).all()
    assert np.array_equal(snapped[~stray], pixels[~stray])


@pytest.mark.parametrize(
    ("declared", "gap"),
    [([0, 255], 255), ([0, 11, 128], 11), ([7], 65535), ([[0, 0, 0], [0, 0, 9], [200, 0, 0]], 9)],
)
def test_the_gap_is_the_smallest_distance_between_two_declared_values(declared: list[int], gap: int) -> None:
    assert smallest_gap(np.array(declared)) == gap
