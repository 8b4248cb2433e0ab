"""What a training run seals: photos that can still be read, with the bands of the network."""

import numpy as np
import pytest

from data.small_bundle import labelled, photo, small_plan
from tessella._doors.train import _readable
from tessella.core.errors import ImageError
from tessella.core.image import Image
from tessella.core.sample import Sample


class Photos:
    """Twenty photos; those at `broken` cannot be read any more."""

    def __init__(self, *, broken=(), image=None):
        self.broken = broken
        self.image = image

    def __len__(self):
        return 20

    def __getitem__(self, position):
        if position in self.broken:
            raise ImageError("truncated", where=position)
        return Sample(self.image or labelled((9, 11)).image, None, str(position))


@pytest.mark.parametrize("broken", [(), (0,), (0, 2, 5), range(19)])
def test_a_photo_that_broke_meanwhile_is_passed_over(broken):
    names = [int(sample.name) for sample in _readable(Photos(broken=broken), small_plan())]
    assert sorted(names) == sorted(set(range(20)) - set(broken))


def test_the_first_eight_come_from_all_over_the_data_set():
    names = [int(sample.name) for sample in _readable(Photos(), small_plan())]
    assert names[:8] == [0, 2, 5, 7, 10, 12, 15, 17]


def test_an_alpha_band_is_left_out_as_in_training():
    with_alpha = Image(np.dstack([photo((9, 11)).pixels, np.zeros((9, 11), np.uint8)]))
    sample = next(_readable(Photos(image=with_alpha), small_plan()))
    np.testing.assert_array_equal(sample.image.pixels, photo((9, 11)).pixels)
