"""A label stays glued to its pixel through every operation."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from data.augment_plans import plan
from tessella.augment import augment
from tessella.core.classes import IGNORE
from tessella.core.errors import ImageError, LabelError

OPERATIONS = {
    "nothing": {},
    "enlarge": {"scale": (1.0, 2.0)},
    "shrink": {"scale": (0.5, 1.0)},
    "shrink a lot": {"scale": (0.1, 0.4)},
    "flip": {"flip_horizontal": 0.5, "flip_vertical": 0.5},
    "right angles": {"right_angles": 1.0},
    "rotate": {"rotate_degrees": 180.0},
    "shear": {"shear_degrees": 30.0},
    "elastic": {"elastic": 1.0},
    "rotate and shrink a lot": {"rotate_degrees": 30.0, "scale": (0.1, 0.4)},
    "all": {
        "scale": (0.3, 2.0),
        "flip_horizontal": 0.5,
        "flip_vertical": 0.5,
        "right_angles": 0.5,
        "rotate_degrees": 20.0,
        "shear_degrees": 10.0,
        "elastic": 0.5,
    },
}


def coordinates(hw):
    """(H, W, 2) float32: every pixel holds its own row and column."""
    return np.stack(np.mgrid[: hw[0], : hw[1]], axis=2).astype(np.float32)


def own_labels(hw):
    """(H, W) uint8 labels, different for all pixels within 15 rows and 17 columns."""
    rows, columns = np.mgrid[: hw[0], : hw[1]]
    return (rows % 15 * 17 + columns % 17).astype(np.uint8)  # 0..254


def wrong_labels(pixels, labels, hw, *, tolerance, edge=0):
    """Count labels other than that of the source pixel which the pixel's own interpolated value names.

    Left out are pixels within `tolerance` of a tie, and within `edge` pixels of the photo's edge.
    """
    rows, columns = np.rint(pixels[..., 0]).astype(int), np.rint(pixels[..., 1]).astype(int)
    sure = (np.abs(pixels - np.rint(pixels)) < 0.5 - tolerance).all(axis=2)
    inside = ((pixels >= edge) & (pixels <= np.array(hw) - 1 - edge)).all(axis=2)
    told = own_labels(hw)[rows.clip(0, hw[0] - 1), columns.clip(0, hw[1] - 1)]
    return int(((told != labels) & (labels != IGNORE) & sure & inside).sum())


@pytest.mark.parametrize("operation", OPERATIONS)
@settings(max_examples=25, deadline=None)
@given(
    hw=st.tuples(st.integers(1, 90), st.integers(1, 90)),
    crop_hw=st.tuples(st.integers(1, 48), st.integers(1, 48)),
    seed=st.integers(0, 2**32),
)
@example(hw=(64, 80), crop_hw=(32, 40), seed=0)
def test_a_label_stays_glued_to_its_pixel(operation, hw, crop_hw, seed):
    drawn = plan(crop_hw=crop_hw, **OPERATIONS[operation])
    pixels, labels = augment(coordinates(hw), own_labels(hw), drawn, np.random.default_rng(seed))
    assert pixels.shape == (*crop_hw, 2)
    assert labels.shape == crop_hw
    if OPERATIONS[operation].get("scale", (1.0,))[0] >= 0.5:
        # OpenCV 4 samples a warp at 1/32 pixel
        assert wrong_labels(pixels, labels, hw, tolerance=0.04) == 0
    else:
        # 1/32 of an averaged block of up to 10 pixels; blocks that reach over the photo's edge are not whole
        assert wrong_labels(pixels, labels, hw, tolerance=0.35, edge=12) == 0


@pytest.mark.parametrize("operation", OPERATIONS)
@settings(max_examples=15, deadline=None)
@given(data=st.data(), seed=st.integers(0, 2**32))
def test_no_id_is_invented(operation, data, seed):
    hw = data.draw(st.tuples(st.integers(1, 40), st.integers(1, 40)))
    known = data.draw(st.lists(st.integers(0, 254), min_size=1, max_size=4))
    ids = np.random.default_rng(seed).choice(np.array(known, np.uint8), hw)
    _, labels = augment(coordinates(hw), ids, plan(**OPERATIONS[operation]), np.random.default_rng(seed))
    assert set(np.unique(labels)) <= {*known, IGNORE}


@settings(max_examples=50, deadline=None)
@given(hw=st.tuples(st.integers(1, 40), st.integers(1, 40)), seed=st.integers(0, 2**32))
def test_a_crop_larger_than_the_photo_holds_all_of_it_and_ignore_around(hw, seed):
    photo, ids = coordinates(hw), own_labels(hw)
    pixels, labels = augment(photo, ids, plan(crop_hw=(48, 48)), np.random.default_rng(seed))
    rows, columns = (np.flatnonzero((labels != IGNORE).any(axis)) for axis in (1, 0))
    held = np.ix_(range(rows[0], rows[0] + hw[0]), range(columns[0], columns[0] + hw[1]))
    np.testing.assert_array_equal(labels[held], ids)
    np.testing.assert_array_equal(pixels[held], photo)
    assert (labels != IGNORE).sum() == ids.size


@pytest.mark.parametrize(
    ("settings_", "by_hand"),
    [
        ({}, [[1, 2], [3, 4]]),
        ({"flip_horizontal": 1.0}, [[2, 1], [4, 3]]),
        ({"flip_vertical": 1.0}, [[3, 4], [1, 2]]),
        ({"flip_horizontal": 1.0, "flip_vertical": 1.0}, [[4, 3], [2, 1]]),
    ],
)
def test_flips_are_as_by_hand(settings_, by_hand):
    ids = np.array([[1, 2], [3, 4]], np.uint8)
    for bent in (0.0, 1e-9):  # once as a window, once as a warp
        drawn = plan(crop_hw=(2, 2), rotate_degrees=bent, **settings_)
        pixels, labels = augment(ids[..., None] * np.uint8(10), ids, drawn, np.random.default_rng(0))
        np.testing.assert_array_equal(labels, by_hand)
        np.testing.assert_array_equal(pixels[..., 0], np.array(by_hand) * 10)


def test_right_angles_give_the_three_turns_and_no_other_crop():
    ids = np.array([[1, 2], [3, 4]], np.uint8)
    turned = {
        augment(ids[..., None], ids, plan(crop_hw=(2, 2), right_angles=1.0), np.random.default_rng(seed))[1].tobytes()
        for seed in range(40)
    }
    assert turned == {bytes([2, 4, 1, 3]), bytes([4, 3, 2, 1]), bytes([3, 1, 4, 2])}


@settings(max_examples=60, deadline=None)
@given(
    hw=st.tuples(st.integers(1, 90), st.integers(1, 90)),
    crop_hw=st.tuples(st.integers(8, 48), st.integers(8, 48)),
    where=st.tuples(st.floats(0, 0.999), st.floats(0, 0.999)),
    seed=st.integers(0, 2**32),
    rotate=st.sampled_from([0.0, 15.0, 180.0]),
)
def test_a_crop_contains_its_focus(hw, crop_hw, where, seed, rotate):
    focus = int(where[0] * hw[0]), int(where[1] * hw[1])
    ids = np.zeros(hw, np.uint8)
    # one pixel can fall between the samples of a rotated crop; its neighbours cannot all
    ids[max(focus[0] - 1, 0) : focus[0] + 2, max(focus[1] - 1, 0) : focus[1] + 2] = 1
    drawn = plan(crop_hw=crop_hw, scale=(1.0, 1.5), rotate_degrees=rotate)
    _, labels = augment(coordinates(hw), ids, drawn, np.random.default_rng(seed), focus=focus)
    assert (labels == 1).any()


@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_same_seed_gives_the_same_crop_and_leaves_its_input_alone(operation):
    photo, ids = coordinates((50, 60)), own_labels((50, 60))
    before = photo.copy(), ids.copy()
    first, second = (augment(photo, ids, plan(**OPERATIONS[operation]), np.random.default_rng(7)) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)
        assert one.flags.c_contiguous
        assert not np.shares_memory(one, photo)
        assert not np.shares_memory(one, ids)
    np.testing.assert_array_equal(photo, before[0])
    np.testing.assert_array_equal(ids, before[1])


def test_shrinking_averages_instead_of_skipping_pixels():
    checks = (np.indices((64, 64)).sum(0) % 2 * 200).astype(np.uint8)[..., None]
    for rotate in (0.0, 1e-9):
        drawn = plan(crop_hw=(16, 16), scale=(0.25, 0.25), rotate_degrees=rotate)
        pixels, _ = augment(checks, np.zeros((64, 64), np.uint8), drawn, np.random.default_rng(0))
        assert abs(pixels.astype(int) - 100).max() <= 1


@pytest.mark.parametrize(
    ("pixels", "ids", "error"),
    [
        (np.zeros((4, 4), np.uint8), np.zeros((4, 4), np.uint8), ImageError),
        (np.zeros((4, 4, 1), np.int32), np.zeros((4, 4), np.uint8), ImageError),
        (np.zeros((4, 4, 1), np.uint8), np.zeros((4, 5), np.uint8), LabelError),
        (np.zeros((4, 4, 1), np.uint8), np.zeros((4, 4), np.int64), LabelError),
    ],
)
def test_arrays_that_are_not_a_sample_are_refused(pixels, ids, error):
    with pytest.raises(error, match="got"):
        augment(pixels, ids, plan(), np.random.default_rng(0))


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("bands", [1, 5, 8])
def test_any_number_of_bands_is_cut_as_three_are(operation, dtype, bands):
    scene = np.random.default_rng(1).integers(0, 250, (300, 340, bands)).astype(dtype)
    drawn = plan(crop_hw=(24, 40), **OPERATIONS[operation])
    for seed in range(4):
        pixels, labels = augment(scene, own_labels((300, 340)), drawn, np.random.default_rng(seed))
        assert pixels.shape == (24, 40, bands)
        assert pixels.dtype == dtype
        for band in range(bands):
            three = np.repeat(scene[..., band : band + 1], 3, axis=2)
            alone, same = augment(three, own_labels((300, 340)), drawn, np.random.default_rng(seed))
            # OpenCV rounds a half by another path for each number of bands
            assert np.abs(alone[..., 0].astype(float) - pixels[..., band]).max() <= (1 if dtype != np.float32 else 1e-3)
            assert np.array_equal(same, labels)
