import math
import pickle

import numpy as np
import pytest

from tessella.core.classes import ClassTable
from tessella.core.errors import ImageError, LabelError, TessellaError
from tessella.core.extras import require
from tessella.core.image import Image, default_bands
from tessella.core.labelmap import LabelMap
from tessella.core.prediction import Prediction, blend
from tessella.core.sample import Sample

TABLE = ClassTable.from_names(["a", "b"])


@pytest.mark.parametrize(
    "pixels", [np.zeros((2, 2), np.uint8), np.zeros((2, 2, 3), np.int32), np.zeros((2, 0, 3), np.uint8)]
)
def test_what_is_no_image_is_refused(pixels: np.ndarray) -> None:
    with pytest.raises(ImageError, match=r"expected \(H, W, C\)"):
        Image(pixels)


def test_bands_get_their_usual_names() -> None:
    assert Image(np.zeros((1, 1, 3), np.uint8)).bands == ("red", "green", "blue")
    assert default_bands(6) == ("band1", "band2", "band3", "band4", "band5", "band6")
    with pytest.raises(ImageError, match="band names"):
        Image(np.zeros((1, 1, 3), np.uint8), bands=("red",))


@pytest.mark.parametrize("window", [(40, 40), (0, math.inf), (-math.inf, 0), (math.nan, 1)])
def test_a_window_without_width_or_end_is_refused(window: tuple[float, float]) -> None:
    with pytest.raises(ImageError, match=r"window has no width or no end; got .*; expected two finite values that dif"):
        Image(np.zeros((1, 1, 1), np.float32), window=window)


@pytest.mark.parametrize(
    ("window", "shown"),
    [((0, 4), [0, 127.5, 255]), ((4, 0), [255, 127.5, 0]), ((1, 3), [0, 127.5, 255]), ((2, 2.5), [0, 0, 255])],
)
def test_what_a_window_says_is_shown(window: tuple[float, float], shown: list[float]) -> None:
    image = Image(np.array([[[0], [2], [4]]], np.float32), window=window)
    assert image.shown().ravel().tolist() == shown


@pytest.mark.parametrize(("dtype", "white"), [(np.uint8, 255), (np.uint16, 65535), (np.float32, 1.0)])
def test_brightness_for_people_follows_the_dtype_never_the_content(dtype: type, white: float) -> None:
    dim = np.full((1, 1, 1), white / 5, dtype)
    assert Image(dim).to_rgb8().tolist() == [[[51, 51, 51]]]


def test_a_sample_refuses_labels_of_another_size_and_says_both() -> None:
    image = Image(np.zeros((2, 3, 3), np.uint8))
    with pytest.raises(LabelError, match=r"m\.png.*labels 2x3.*3x2 \(width x height\)"):
        Sample(image, LabelMap(np.zeros((3, 2), np.uint8), TABLE), name="m", source="m.png")


def test_a_prediction_has_the_size_of_its_image() -> None:
    image = Image(np.zeros((2, 3, 3), np.uint8))
    labels = LabelMap(np.zeros((2, 3), np.uint8), TABLE)
    assert Prediction(labels, np.ones((2, 3), np.float32), image).overlay().size == (3, 2)
    with pytest.raises(LabelError, match="differ in size"):
        Prediction(labels, np.ones((3, 3), np.float32), image)


def test_an_overlay_mixes_by_opacity_and_leaves_ignored_pixels_alone() -> None:
    image = Image(np.full((1, 3, 3), 100, np.uint8))
    labels = LabelMap(np.array([[0, 1, 255]], np.uint8), TABLE)  # black, (128, 0, 0), ignore
    half = np.asarray(blend(image, labels, opacity=0.5))
    assert half.tolist() == [[[50, 50, 50], [114, 50, 50], [100, 100, 100]]]
    assert np.asarray(blend(image, labels, opacity=0)).tolist() == image.pixels.tolist()
    assert np.asarray(blend(image, labels, opacity=1))[0, 1].tolist() == [128, 0, 0]


def test_an_error_says_what_where_got_expected_and_cure_and_survives_pickling() -> None:
    error = LabelError("w", where="file", got=1, expected=2, fix="do this")
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes: worker processes send errors this way
    assert str(again) == "file: w; got 1; expected 2; do this"
    assert (again.what, again.where, again.fix, again.exit_code) == ("w", "file", "do this", 2)


def test_a_missing_extra_is_answered_with_the_install_line() -> None:
    require("json", needs="x", extra="train")
    with pytest.raises(TessellaError, match=r"flying needs .*'no_such_module_here'.*pip install 'tessella\[train\]'"):
        require("no_such_module_here", needs="flying", extra="train")


def _scan() -> np.ndarray:
    """A slice of CT: air, tissue with a lesion of 40 HU more, and a few voxels of metal."""
    units = np.full((100, 100, 1), -1000, np.float32)
    units[20:80, 20:80] = 40
    units[40:50, 40:50] = 80
    units[:3, 0] = 30_000
    return units


def test_numbers_without_a_full_scale_are_shown_between_their_first_and_last_percent() -> None:
    image = Image(_scan())
    assert image.shown_range() == (-1000, 80)
    shown = image.to_rgb8()[..., 0]
    assert [int(shown[at]) for at in ((10, 10), (30, 30), (45, 45), (0, 0))] == [0, 246, 255, 255]


def test_twelve_bits_in_sixteen_are_shown_and_a_dark_photo_of_sixteen_is_left_dark() -> None:
    ramp = np.linspace(0, 4095, 10_000).round().astype(np.uint16).reshape(100, 100, 1)
    black, white = Image(ramp).shown_range()
    assert (black, white) == (pytest.approx(41, abs=1), pytest.approx(4054, abs=1))
    assert Image(ramp).to_rgb8()[50, 0, 0] == pytest.approx(128, abs=1)
    assert Image(ramp * 5).shown_range() == (0, 65535)
    assert Image((ramp / 4095 * 0.1).astype(np.float32)).shown_range() == (0, 1)


def test_what_is_no_number_is_black_and_does_not_count() -> None:
    units = _scan()
    units[90:, :] = np.nan
    units[0, 50] = np.inf
    units[0, 51] = -np.inf
    image = Image(units)
    assert image.shown_range() == (-1000, 80)
    assert image.to_rgb8()[95, 5].tolist() == [0, 0, 0]
    assert image.to_rgb8()[0, 50:52, 0].tolist() == [255, 0]
    assert Image(np.full((2, 2, 1), np.nan, np.float32)).to_rgb8().max() == 0


def test_a_window_that_the_file_states_counts_and_may_be_reversed() -> None:
    assert Image(_scan(), window=(0, 100)).to_rgb8()[30, 30, 0] == 102
    assert Image(_scan(), window=(100, 0)).to_rgb8()[30, 30, 0] == 153


def test_a_picture_that_is_nearly_all_one_value_is_shown_from_its_darkest_to_its_brightest() -> None:
    units = np.zeros((100, 100, 1), np.float32)
    units[0, :5, 0] = 500
    assert Image(units).shown_range() == (0, 500)


def test_the_bands_of_a_colour_picture_keep_their_relation() -> None:
    units = np.zeros((10, 10, 3), np.float32)
    units[..., 0] = np.linspace(0, 400, 100).reshape(10, 10)
    units[..., 1] = units[..., 0] / 2
    red, green, blue = Image(units).to_rgb8()[5, 5].tolist()
    assert green == pytest.approx(red / 2, abs=1)
    assert blue == 0
