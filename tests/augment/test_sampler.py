"""Focus points lie on the class they stand for, and rare classes are favoured."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tessella.augment import Sampler, sampler
from tessella.core.classes import IGNORE


@settings(max_examples=60, deadline=None)
@given(
    ids=arrays.arrays(
        np.uint8, arrays.array_shapes(min_dims=2, max_dims=2, max_side=12), elements=st.sampled_from([0, 1, 3, IGNORE])
    ),
    limit=st.sampled_from([4, 1000]),
)
def test_a_focus_lies_on_a_labelled_pixel_and_every_class_is_reached(ids, limit):
    before, sampler.LOOK_AT_PX = sampler.LOOK_AT_PX, limit  # small: the coarse grid misses classes
    try:
        chooser = Sampler(classes=4, points=4)
        chooser.learn(0, ids)
    finally:
        sampler.LOOK_AT_PX = before
    rng = np.random.default_rng(0)
    present = set(np.unique(ids)) - {IGNORE}
    if not present:
        assert chooser.pick(rng) is None
        return
    picks = [chooser.pick(rng) for _ in range(200)]
    assert {photo for photo, _ in picks} == {0}
    assert {int(ids[place]) for _, place in picks} == present


def test_a_class_of_a_hundredth_is_drawn_once_in_eleven():
    ids = np.zeros((100, 101), np.uint8)
    ids[:, 0] = 1  # 100 of 10,100 pixels: 1 / sqrt gives 10 to 1 in favour of it, so 10 of 11 draws
    chooser = Sampler(classes=2)
    chooser.learn(0, ids)
    rng = np.random.default_rng(0)
    drawn = np.mean([ids[chooser.pick(rng)[1]] for _ in range(4000)])
    assert abs(drawn - 10 / 11) < 0.02


def test_pick_finds_the_one_photo_that_shows_a_class():
    chooser = Sampler(classes=3)
    for photo in range(5):
        ids = np.zeros((10, 10), np.uint8)
        ids[4, 7] = 2 if photo == 3 else 0
        chooser.learn(photo, ids)
    rng = np.random.default_rng(0)
    picks = [chooser.pick(rng) for _ in range(200)]
    assert {place for photo, place in picks if place == (4, 7)} == {(4, 7)}
    assert sum(photo == 3 and place == (4, 7) for photo, place in picks) > 100


def test_learning_twice_counts_once():
    once, twice = Sampler(classes=2), Sampler(classes=2)
    ids = np.eye(6, dtype=np.uint8)
    once.learn(0, ids)
    twice.learn(0, ids)
    twice.learn(0, 1 - ids)
    assert [once.pick(np.random.default_rng(s)) for s in range(9)] == [
        twice.pick(np.random.default_rng(s)) for s in range(9)
    ]
