"""One photo: any size, any source, exactly its size back."""

import os
import subprocess
import sys

import numpy as np
import pytest

from data.small_bundle import TABLE, make_bundle, photo, small_plan, small_state
from tessella.core.errors import BundleError, ImageError, InputError, RecipeError
from tessella.core.image import Image
from tessella.files.masks import write_image
from tessella.predict.bands import fit_bands
from tessella.predict.load import load, wrap
from tessella.predict.predictor import Predictor


@pytest.fixture(scope="module")
def predictor(tmp_path_factory):
    folder = tmp_path_factory.mktemp("predictor") / "bundle"
    make_bundle(folder)
    return load(folder, device="cpu")


@pytest.mark.parametrize("hw", [(1, 1), (1, 500), (333, 1), (90, 110), (201, 199), (64, 1000)])
def test_a_prediction_has_exactly_the_photos_size(predictor, hw):
    image = photo(hw)
    prediction = predictor.predict(image)
    assert prediction.labels.hw == prediction.confidence.shape == hw
    assert prediction.image is image
    assert prediction.labels.ids.max() < len(TABLE)


def test_tiles_give_the_ids_of_the_whole_photo(tmp_path):
    # the network sees 14 pixels far: 2 convolutions at 3 resolutions and back; a quarter of the overlap is 32
    image = photo((300, 420))
    whole = load(make_bundle(tmp_path / "whole", plan=small_plan(max_whole_pixels=10**6)).path).predict(image)
    tiled_plan = small_plan(max_whole_pixels=1, tile_hw=(256, 256))
    tiled = load(make_bundle(tmp_path / "tiled", plan=tiled_plan).path).predict(image, scores=True)
    np.testing.assert_array_equal(tiled.labels.ids, whole.labels.ids)
    np.testing.assert_allclose(tiled.confidence, whole.confidence, atol=1e-5)


def test_a_photo_above_the_limit_is_tiled_and_below_it_is_not():
    class Watching:
        def __init__(self):
            self.shapes = []

        def logits(self, pixels):
            self.shapes.append(pixels.shape)
            return np.zeros((1, len(TABLE), *pixels.shape[2:]), np.float32)

    runtime = Watching()
    watched = Predictor(runtime, small_plan(max_whole_pixels=100 * 100, tile_hw=(64, 64)), None, "")
    watched.predict(photo((100, 100)))
    assert runtime.shapes == [(1, 3, 100, 100)]
    runtime.shapes.clear()
    watched.predict(photo((100, 101)))
    assert set(runtime.shapes) == {(1, 3, 64, 64), (1, 3, 64, 37), (1, 3, 36, 64), (1, 3, 36, 37)}


def test_scores_are_the_probabilities_of_all_classes(predictor):
    prediction = predictor.predict(photo((150, 160)), scores=True)
    assert prediction.scores.dtype == np.float16
    assert prediction.scores.shape == (3, 150, 160)
    np.testing.assert_allclose(prediction.scores.sum(axis=0, dtype=np.float32), 1, atol=2e-3)
    np.testing.assert_allclose(prediction.scores.max(axis=0), prediction.confidence, atol=1e-3)


def test_confidence_that_was_not_asked_for_is_nan_and_takes_no_memory(predictor):
    prediction = predictor.predict(photo(), confidence=False)
    assert np.isnan(prediction.confidence).all()
    assert prediction.confidence.strides == (0, 0)


def test_a_file_an_image_and_an_array_give_the_same(predictor, tmp_path):
    image = photo()
    write_image(tmp_path / "photo.png", image)
    expected = predictor.predict(image).labels.ids
    for source in (tmp_path / "photo.png", str(tmp_path / "photo.png"), image.pixels):
        np.testing.assert_array_equal(predictor.predict(source).labels.ids, expected)


def test_a_network_that_is_not_sealed_yet_predicts_the_same(predictor):
    from tessella.models.network import network_of

    network = network_of(small_plan()).eval()
    network.load_state_dict(small_state(small_plan()))
    ids = wrap(network, small_plan()).predict(photo()).labels.ids
    np.testing.assert_array_equal(ids, predictor.predict(photo()).labels.ids)


def test_a_missing_photo_is_named(predictor, tmp_path):
    with pytest.raises(InputError, match=r"none\.jpg: there is no such file"):
        predictor.predict(tmp_path / "none.jpg")


def test_alpha_is_left_out_and_grey_is_repeated():
    preprocess = small_plan().preprocess
    colour = photo()
    with_alpha = Image(np.dstack([colour.pixels, np.full(colour.hw, 9, np.uint8)]))
    np.testing.assert_array_equal(fit_bands(with_alpha, preprocess, where="a").pixels, colour.pixels)
    grey = photo(channels=1)
    np.testing.assert_array_equal(fit_bands(grey, preprocess, where="a").pixels, grey.pixels.repeat(3, 2))
    grey_alpha = photo(channels=2)
    np.testing.assert_array_equal(
        fit_bands(grey_alpha, preprocess, where="a").pixels, grey_alpha.pixels[..., :1].repeat(3, 2)
    )


@pytest.mark.parametrize(
    ("image", "says"),
    [
        (photo(channels=5), "other bands; got 5"),
        (photo(channels=2, dtype="uint16"), "another type; got uint16; expected uint8"),
        (photo(dtype="float32"), "another type; got float32"),
    ],
)
def test_a_photo_that_does_not_fit_the_network_is_refused(predictor, image, says):
    with pytest.raises(ImageError, match=says):
        predictor.predict(image)


@pytest.mark.parametrize(("dtype", "bands"), [("uint16", ("red", "nir")), ("float32", ("height",))])
def test_other_types_and_bands_are_predicted_too(tmp_path, dtype, bands):
    plan = small_plan(bands=bands, dtype=dtype)
    predictor = load(make_bundle(tmp_path / "bundle", plan=plan).path)
    assert predictor.predict(photo((150, 200), channels=len(bands), dtype=dtype)).labels.hw == (150, 200)


def test_the_photo_is_not_changed(predictor):
    pixels = photo().pixels.copy()
    kept = pixels.copy()
    predictor.predict(pixels)
    np.testing.assert_array_equal(pixels, kept)


def test_a_folder_that_is_no_bundle_is_refused(tmp_path):
    with pytest.raises(BundleError, match="this is not a bundle"):
        load(tmp_path)


def test_without_torch_the_install_line_is_given(tmp_path):
    make_bundle(tmp_path / "bundle")
    code = (
        "import sys, importlib.util as util\n"
        "find = util.find_spec\n"
        "util.find_spec = lambda name, package=None: None if name == 'torch' else find(name, package)\n"
        "import tessella.core.extras as extras; extras.find_spec = util.find_spec\n"
        "from tessella.predict.load import load\n"
        "from tessella.core.errors import MissingExtraError\n"
        "try:\n"
        "    load(sys.argv[1])\n"
        "except MissingExtraError as error:\n"
        "    print(error, 'torch' in sys.modules)\n"
    )
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "bundle")],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    assert "pip install 'tessella[train]' False" in done.stdout


def test_a_photo_above_the_pixel_budget_is_refused_unless_it_is_raised(tmp_path, predictor, monkeypatch):
    write_image(tmp_path / "a.png", photo((30, 40)))
    monkeypatch.setattr("tessella.files.images.PHOTO_BUDGET", 1000)
    with pytest.raises(ImageError, match="40x30 = 1200 pixels; expected at most 1000"):
        predictor.predict(tmp_path / "a.png")
    assert predictor.predict(tmp_path / "a.png", max_pixels=1200).labels.ids.shape == (30, 40)


@pytest.mark.parametrize("device", ["gpu", "cuda:99", "meta", ""])
def test_a_device_that_is_not_there_is_refused_with_those_that_are(device, tmp_path):
    folder = tmp_path / "bundle"
    make_bundle(folder)
    with pytest.raises(RecipeError, match=r"torch has no such device here.*expected auto, cpu"):
        load(folder, device=device)
