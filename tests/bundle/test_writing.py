"""A bundle is written whole or not at all, and proves itself when its network is loaded."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from data.small_bundle import labelled, make_bundle, photo, small_plan, small_state
from tessella.bundle.card import write_card
from tessella.bundle.manifest import seal
from tessella.bundle.network import load_network
from tessella.bundle.opening import open_bundle
from tessella.bundle.parity import PARITY_BYTES, load_parity, save_parity
from tessella.bundle.probe import TOLERANCE, Probe, centre_crop, check_answer, load_arrays, save_arrays
from tessella.core.errors import BundleError, OutputError


def test_an_existing_bundle_is_kept_unless_overwrite_is_said(tmp_path):
    first = make_bundle(tmp_path / "bundle")
    with pytest.raises(OutputError, match="exists already"):
        make_bundle(tmp_path / "bundle", seed=1)
    assert open_bundle(tmp_path / "bundle").digest == first.digest
    second = make_bundle(tmp_path / "bundle", seed=1, overwrite=True)
    assert open_bundle(tmp_path / "bundle").digest == second.digest != first.digest


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_never_sealed(tmp_path, value):
    state = small_state(small_plan())
    name = next(iter(state))
    state[name].view(-1)[0] = value
    with pytest.raises(BundleError, match="NaN or infinity"):
        make_bundle(tmp_path / "bundle", state=state)
    assert not list(tmp_path.iterdir())


def test_weights_of_another_network_are_never_sealed(tmp_path):
    state = small_state(small_plan(options={"width": 16, "depth": 2}))
    with pytest.raises(BundleError, match="the weights do not fit the network 'unet'"):
        make_bundle(tmp_path / "bundle", state=state)
    assert not list(tmp_path.iterdir())


def test_provenance_that_is_no_json_leaves_nothing_behind(tmp_path):
    with pytest.raises(BundleError, match="not plain JSON"):
        make_bundle(tmp_path / "bundle", provenance={"when": object()})
    assert not list(tmp_path.iterdir())


def test_bfloat16_weights_are_sealed_in_fp32(tmp_path):
    state = {name: value.bfloat16() if value.is_floating_point() else value for name, value in
             small_state(small_plan()).items()}  # fmt: skip
    weights = make_bundle(tmp_path / "bundle", state=state).weights()
    name = next(name for name, value in state.items() if value.is_floating_point())
    assert weights[name].dtype == np.float32
    np.testing.assert_array_equal(weights[name], state[name].float().numpy())


def test_loading_replays_the_probe(tmp_path):
    bundle = make_bundle(tmp_path / "bundle")
    network = load_network(bundle)
    assert not network.training


def test_other_weights_under_a_valid_seal_fail_the_probe(tmp_path):
    make_bundle(tmp_path / "bundle")
    make_bundle(tmp_path / "other", seed=1)
    (tmp_path / "other" / "weights.safetensors").replace(tmp_path / "bundle" / "weights.safetensors")
    seal(tmp_path / "bundle", {})
    with pytest.raises(BundleError, match="does not answer its probe"):
        load_network(open_bundle(tmp_path / "bundle"))


def test_another_normalisation_under_a_valid_seal_fails_the_probe(tmp_path):
    bundle = make_bundle(tmp_path / "bundle")
    text = (bundle.path / "plan.json").read_text()
    (bundle.path / "plan.json").write_text(text.replace("127.5", "120.5"))
    seal(bundle.path, {})
    with pytest.raises(BundleError, match="does not answer its probe"):
        load_network(open_bundle(bundle.path))


def test_photos_turned_to_bgr_fail_the_probe(tmp_path):
    bundle = make_bundle(tmp_path / "bundle")
    arrays = load_arrays(bundle.path / "probe.npz")
    save_arrays(bundle.path / "probe.npz", arrays | {"pixels": arrays["pixels"][..., ::-1]})
    seal(bundle.path, {})
    with pytest.raises(BundleError, match="does not answer its probe"):
        load_network(open_bundle(bundle.path))


@pytest.mark.parametrize("threads", [1, 2])
def test_the_probe_is_answered_at_any_thread_count(tmp_path, threads):
    bundle = make_bundle(tmp_path / "bundle")
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(threads)
        load_network(bundle)
    finally:
        torch.set_num_threads(before)


def two_class_probe() -> Probe:
    """Logits 0 and 10 left, 5 and 5.1 right: the span is 10, so a logit may be 0.1 off."""
    logits = np.array([[[0.0, 5.0]], [[10.0, 5.1]]], np.float32)
    return Probe(np.zeros((1, 2, 3), np.uint8), logits.argmax(0).astype(np.uint8), logits)


@pytest.mark.parametrize("off", [0.0, 0.09, -0.09])
def test_a_logit_within_the_tolerance_passes_even_where_a_tie_turns(off):
    probe = two_class_probe()
    logits = probe.logits.copy()
    logits[0] += np.float32(off)
    logits[1] -= np.float32(off)
    check_answer(probe, logits, where="bundle")


@pytest.mark.parametrize("off", [0.11, float("nan"), float("inf")])
def test_a_logit_beyond_the_tolerance_fails(off):
    assert TOLERANCE == 0.01
    probe = two_class_probe()
    logits = probe.logits.copy()
    logits[0, 0, 0] += np.float32(off)
    with pytest.raises(BundleError, match="does not answer its probe"):
        check_answer(probe, logits, where="bundle")


def test_ids_that_contradict_their_logits_fail():
    probe = two_class_probe()
    with pytest.raises(BundleError, match="1 pixels differ"):
        check_answer(Probe(probe.pixels, np.zeros((1, 2), np.uint8), probe.logits), probe.logits, where="bundle")


def test_an_answer_of_another_shape_fails():
    with pytest.raises(BundleError, match="another shape"):
        check_answer(two_class_probe(), np.zeros((3, 1, 2), np.float32), where="bundle")


@given(st.tuples(st.integers(1, 9), st.integers(1, 9)), st.tuples(st.integers(1, 9), st.integers(1, 9)))
def test_the_centre_is_never_larger_than_asked_or_there(have, want):
    pixels = np.arange(have[0] * have[1]).reshape(*have)
    part = centre_crop(pixels, want)
    assert part.shape == (min(have[0], want[0]), min(have[1], want[1]))
    top, left = (have[0] - part.shape[0]) // 2, (have[1] - part.shape[1]) // 2
    assert part[0, 0] == pixels[top, left]


def test_parity_photos_stay_within_two_megabytes_and_eight(tmp_path):
    bands = ("red", "green", "blue")
    samples = [labelled((400, 500), seed=seed) for seed in range(12)]
    assert save_parity(tmp_path / "parity.npz", samples, bands=bands) == 8
    assert sum(array.nbytes for array in load_arrays(tmp_path / "parity.npz").values()) <= PARITY_BYTES
    small = [labelled((40, 50), seed=seed) for seed in range(12)]
    assert save_parity(tmp_path / "parity.npz", small, bands=bands) == 8
    loaded = load_parity(tmp_path / "parity.npz", samples[0].labels.table)
    assert [sample.image.hw for sample in loaded] == [(40, 50)] * 8


def test_without_samples_there_is_no_parity_file(tmp_path):
    assert save_parity(tmp_path / "parity.npz", [], bands=("red",)) == 0
    assert not list(tmp_path.iterdir())


def test_the_card_says_classes_scores_limits_and_use():
    from data.small_bundle import SCORES

    card = write_card(small_plan(), SCORES, {"data": "aerial photos"}, parameters=29_973)
    for words in (
        "29,973 parameters",
        "| 1 | road | `#800000` | 0.310 | 0.500 | 0.450 |",
        "| 2 | roof\\|top | `#008000` | - | - | - |",
        "mIoU 0.610, pixel accuracy 0.900 on 4 photos that it was not trained on",
        "Weak classes (IoU below 0.5): road (0.310)",
        "- data: aerial photos",
        "tessella predict",
        "fp32",
    ):
        assert words in card


def test_the_card_of_an_unscored_bundle_says_so():
    card = write_card(small_plan(), {}, {}, parameters=1)
    assert "Not scored" in card
    assert "Where it comes from" not in card


def test_a_photo_smaller_than_the_probe_makes_a_smaller_probe(tmp_path):
    bundle = make_bundle(tmp_path / "bundle", probe_image=photo((5, 7)))
    assert bundle.probe().ids.shape == (5, 7)
    load_network(bundle)
