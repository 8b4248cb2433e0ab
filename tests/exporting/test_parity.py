"""Parity counts what differs, and refuses what differs too much; with runtimes of which the answers are known."""

import numpy as np
import pytest

from data.small_bundle import TABLE, labelled
from tessella.core.errors import BundleError, ImageError, ParityError
from tessella.core.labelmap import LabelMap
from tessella.core.sample import Sample
from tessella.exporting.parity import measure


def own_logits(photos):
    """(B, H, W, C) photos to logits: class 0, 1 or 2 where the first band is low, middle or high."""
    band = photos[..., 0].astype(np.float32)
    return np.stack([100 - band, 40 - np.abs(band - 110), band - 120], axis=1)


class Runs:
    def __init__(self, answer):
        self.answer = answer
        self.shapes = []

    def run(self, photos):
        self.shapes.append(photos.shape)
        return self.answer(photos)

    def logits(self, pixels):
        return self.answer(np.moveaxis(pixels, 1, 3))


def own_ids(photos):
    return own_logits(photos).argmax(axis=1).astype(np.uint8)


def compare(*, ids=own_ids, logits=own_logits, samples=None):
    return measure(samples or [labelled((60, 80))], TABLE, bundle=Runs(own_logits), ids=Runs(ids), logits=Runs(logits))


def test_the_same_answers_are_in_full_parity():
    parity = compare(samples=[labelled((60, 80), seed=seed) for seed in range(3)])
    assert parity.to_json() == {"images": 3, "argmax_agreement": 1.0, "max_abs_logit": 0.0, "miou_delta": 0.0}


def test_every_photo_is_run_at_two_sizes_and_in_a_batch():
    ids = Runs(own_ids)
    measure([labelled((60, 80))], TABLE, bundle=Runs(own_logits), ids=ids, logits=Runs(own_logits))
    assert ids.shapes == [(1, 60, 80, 3), (2, 45, 61, 3)]


def test_the_smallest_photo_can_be_compared_too():
    assert compare(samples=[labelled((5, 1))]).images == 1


def test_one_logit_that_is_off_is_found():
    def off(photos):
        logits = own_logits(photos)
        logits[0, 2, 3, 4] += 0.125
        return logits

    assert compare(logits=off).max_abs_logit == pytest.approx(0.125)


def test_a_share_of_ids_is_counted_over_all_pixels_of_both_sizes():
    def off(photos):
        ids = own_ids(photos)
        if len(photos) == 1:
            ids[0, 50, 0] = (ids[0, 50, 0] + 1) % 3
        return ids

    # one of 200 x 300 + 2 x 151 x 225 pixels
    parity = compare(ids=off, samples=[labelled((200, 300))])
    assert parity.argmax_agreement == 1 - 1 / (200 * 300 + 2 * 151 * 225)


@pytest.mark.parametrize("value", [0.5, np.nan, np.inf])
def test_logits_that_differ_too_much_are_refused(value):
    def off(photos):
        logits = own_logits(photos)
        logits[-1, -1, -1, -1] += value
        return logits

    with pytest.raises(ParityError, match=r"logits agree: no.*nothing was written"):
        compare(logits=off)


def test_a_row_of_other_ids_is_refused():
    def off(photos):
        ids = own_ids(photos)
        ids[:, 0] = (ids[:, 0] + 1) % 3
        return ids

    with pytest.raises(ParityError, match="class ids agree: no"):
        compare(ids=off)


def test_a_model_that_fails_at_the_second_size_is_refused():
    def one_size(photos):
        if photos.shape[1] != 60:
            raise BundleError("ONNX Runtime fails on photos of this size")
        return own_ids(photos)

    with pytest.raises(ParityError, match=r"does not run.*nothing was written.*got photos \(2, 45, 61, 3\)"):
        compare(ids=one_size)


def test_a_bundle_that_answers_nan_cannot_be_compared():
    with pytest.raises(ImageError, match="no finite answer"):
        measure(
            [labelled()],
            TABLE,
            bundle=Runs(lambda p: own_logits(p) * np.nan),
            ids=Runs(own_ids),
            logits=Runs(own_logits),
        )


def test_without_truth_the_prediction_of_the_bundle_stands_for_it():
    sample = labelled((60, 80))
    blank = LabelMap(np.full((60, 80), 255, np.uint8), TABLE)
    for other in (Sample(sample.image, None, "no truth"), Sample(sample.image, blank, "all ignored")):
        assert compare(samples=[other]).miou_delta == 0


def test_the_miou_delta_is_worked_out_against_the_truth():
    """Two classes of 3,000 pixels each; the export moves one pixel from class 0, where it was right, to class 1."""
    pixels = np.zeros((60, 100, 3), np.uint8)
    pixels[:, 50:] = 110
    truth = np.zeros((60, 100), np.uint8)
    truth[:, 50:] = 1
    from tessella.core.image import Image

    def off(photos):
        ids = own_ids(photos)
        if photos.shape[1:3] == (60, 100):
            ids[0, 0, 0] = 1
        return ids

    parity = compare(ids=off, samples=[Sample(Image(pixels), LabelMap(truth, TABLE), "halves")])
    expected = (2999 / 3000 + 3000 / 3001) / 2 - 1
    assert parity.miou_delta == pytest.approx(expected)
