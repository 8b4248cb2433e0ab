"""Colours change as drawn, for every dtype and number of bands, and labels never do."""

import numpy as np
import pytest

from data.augment_plans import plan
from tessella.augment import augment
from tessella.augment.photometry import Photometry, draw_photometry, recolour

STRENGTHS = {
    "brightness": 0.5,
    "contrast": 0.5,
    "saturation": 0.5,
    "hue": 0.2,
    "gamma": 0.5,
    "noise": 0.5,
    "blur": 1.0,
}


def draw(**settings) -> Photometry:
    quiet = {"brightness": 1.0, "contrast": 1.0, "gamma": 1.0, "colour": None, "gains": None, "noise": 0.0}
    return Photometry(**(quiet | {"blur_px": 0.0} | settings))


def ramp(dtype, channels, *, top):
    return (np.arange(24 * 32 * channels).reshape(24, 32, channels) % 97 / 97 * top).astype(dtype)


@pytest.mark.parametrize(("dtype", "top"), [(np.uint8, 255), (np.uint16, 2047), (np.float32, 1.0)])
@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5, 13])
@pytest.mark.parametrize("name", [*STRENGTHS, "all"])
def test_every_operation_keeps_shape_and_dtype_for_any_bands(dtype, top, channels, name):
    photo = ramp(dtype, channels, top=top)
    strengths = STRENGTHS if name == "all" else {name: STRENGTHS[name]}
    drawn = plan(crop_hw=(24, 32), **strengths)
    pixels, labels = augment(photo, np.ones((24, 32), np.uint8), drawn, np.random.default_rng(3))
    assert pixels.dtype == dtype
    assert pixels.shape == photo.shape
    assert pixels.flags.c_contiguous
    assert (labels == 1).all()
    changes = name not in {"saturation", "hue"} or channels == 3 or (name == "saturation" and channels > 1)
    assert (pixels != photo).any() == changes
    again, _ = augment(photo, np.ones((24, 32), np.uint8), drawn, np.random.default_rng(3))
    np.testing.assert_array_equal(pixels, again)


@pytest.mark.parametrize(
    ("settings", "by_hand"),
    [
        ({"brightness": 1.5}, [0, 75, 150, 255]),  # 1.5 * 200 = 300 is clipped
        ({"contrast": 0.5}, [44, 69, 94, 144]),  # mean 87.5: 43.75 + v / 2, rounded half to even after
        ({"gamma": 2.0}, [0, 10, 39, 157]),  # 255 (v / 255) ** 2 = 9.8, 39.2, 156.9
    ],
)
def test_eight_bit_changes_are_as_by_hand(settings, by_hand):
    # recolour takes the mean from every eighth pixel: repeat the four values so that it sees all of them
    values = np.repeat(np.array([0, 50, 100, 200], np.uint8), 8).reshape(1, 32, 1)
    changed = recolour(values, draw(**settings), np.random.default_rng(0))[0, ::8, 0]
    np.testing.assert_array_equal(changed, by_hand)


def test_grey_stays_grey_under_any_hue_and_saturation():
    grey = np.repeat(ramp(np.uint8, 1, top=255), 3, axis=2)
    for seed in range(20):
        drawn = draw_photometry(plan(saturation=1.0, hue=0.5), np.random.default_rng(seed), channels=3)
        changed = recolour(grey, drawn, np.random.default_rng(0))
        assert np.abs(changed.astype(int) - grey).max() <= 1


def test_a_third_of_the_hue_circle_turns_red_into_green():
    drawn = draw_photometry(plan(hue=0.5), np.random.default_rng(0), channels=3)
    third = np.array([[0, 0, 1], [1, 0, 0], [0, 1, 0]], float)
    # the drawn matrix is a power of the same rotation family: it commutes with the third turn and keeps the grey axis
    assert drawn.colour is not None
    np.testing.assert_allclose(drawn.colour @ third, third @ drawn.colour, atol=1e-12)
    np.testing.assert_allclose(drawn.colour @ np.ones(3), 1, atol=1e-12)


def test_no_saturation_leaves_the_luma_of_bt601():
    from tessella.augment.photometry import _colour_matrix

    red = np.full((1, 1, 3), (255, 0, 0), np.uint8)
    changed = recolour(red, draw(colour=_colour_matrix(0.0, turn=0.0)), np.random.default_rng(0))
    assert changed.ravel().tolist() == [76, 76, 76]  # 0.299 * 255 = 76.2


def test_noise_has_the_asked_share_of_the_crops_spread():
    flat = np.full((256, 256, 3), 120, np.uint8)
    flat[::16, ::16] = 240  # every eighth pixel seen is 240 a quarter of the time
    spread = flat[::8, ::8].std()
    noisy = recolour(flat.copy(), draw(noise=0.3), np.random.default_rng(0)).astype(float) - flat
    assert noisy[flat == 120].std() == pytest.approx(0.3 * spread, rel=0.05)
    assert abs(noisy[flat == 120].mean()) < 0.2


def test_an_offset_in_float_data_is_no_brightness():
    # a CT: values around -1000 and 0; contrast and brightness work on the range, not on the distance from zero
    scan = np.where(ramp(np.float32, 1, top=1) > 0.5, np.float32(0), np.float32(-1000))
    changed = recolour(scan, draw(brightness=0.5), np.random.default_rng(0))
    assert np.unique(changed).tolist() == [-1000.0, -500.0]


def test_sixteen_bits_use_their_own_range_and_saturate():
    values = np.array([[[0], [1000], [2000]]], np.uint16)
    changed = recolour(values, draw(brightness=40.0), np.random.default_rng(0))
    assert changed.ravel().tolist() == [0, 40000, 65535]
