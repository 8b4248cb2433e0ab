"""A bundle is opened only when every byte is as it was sealed."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from data.small_bundle import SCORES, labelled, make_bundle, photo, small_plan, small_state
from tessella.bundle.manifest import MANIFEST, digest_of, seal
from tessella.bundle.opening import open_bundle
from tessella.bundle.probe import load_arrays, save_arrays
from tessella.core.errors import BundleError
from tessella.recipe.plan import PLAN_VERSION


@pytest.fixture(scope="module")
def sealed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sealed") / "bundle"
    make_bundle(folder, parity=[labelled()])
    return folder


@pytest.fixture
def bundle(sealed, tmp_path):
    """A copy that a test may damage."""
    return Path(shutil.copytree(sealed, tmp_path / "another place" / "copied"))


def test_a_bundle_works_when_copied_elsewhere(sealed, bundle):
    opened = open_bundle(bundle)
    assert opened.digest == open_bundle(sealed).digest
    assert opened.plan == small_plan()
    assert opened.scores == SCORES
    assert opened.manifest.provenance == {"data": "a test", "seed": 0}


def test_a_bundle_holds_what_the_house_says_and_no_pickle(sealed):
    names = {path.name for path in sealed.iterdir()}
    assert names == {
        "plan.json", "weights.safetensors", "probe.npz", "scores.json", "card.md", "manifest.json", "parity.npz",
    }  # fmt: skip
    for name in ("probe.npz", "parity.npz"):
        assert all(array.dtype != object for array in load_arrays(sealed / name).values())


def test_the_same_bundle_is_sealed_with_the_same_digest(sealed, tmp_path):
    again = make_bundle(tmp_path / "again", parity=[labelled()])
    assert again.digest == open_bundle(sealed).digest


def test_the_weights_are_those_that_were_sealed(sealed):
    weights = open_bundle(sealed).weights()
    for name, tensor in small_state(small_plan()).items():
        np.testing.assert_array_equal(weights[name], tensor.numpy())


@pytest.mark.parametrize(
    "name", ["plan.json", "weights.safetensors", "probe.npz", "scores.json", "card.md", "parity.npz", "manifest.json"]
)
def test_one_changed_bit_anywhere_is_refused_with_the_file_named(bundle, name):
    path = bundle / name
    original = path.read_bytes()
    rng = np.random.default_rng(len(name))
    places = range(len(original)) if name == MANIFEST else {0, len(original) - 1, *rng.integers(0, len(original), 25)}
    for place in places:
        changed = bytearray(original)
        changed[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(changed)
        with pytest.raises(BundleError) as caught:
            open_bundle(bundle)
        assert str(path) in str(caught.value)


@pytest.mark.parametrize("name", ["weights.safetensors", "card.md", "manifest.json"])
@pytest.mark.parametrize("change", [lambda data: data + b"\n", lambda data: data[:-1], lambda _: b""])
def test_a_longer_or_shorter_file_is_refused(bundle, name, change):
    (bundle / name).write_bytes(change((bundle / name).read_bytes()))
    with pytest.raises(BundleError, match=name.replace(".", r"\.")):
        open_bundle(bundle)


@pytest.mark.parametrize("name", ["weights.safetensors", "parity.npz"])
def test_a_missing_file_is_named(bundle, name):
    (bundle / name).unlink()
    with pytest.raises(BundleError, match=f"{name}: a file of the bundle is missing"):
        open_bundle(bundle)


@pytest.mark.parametrize("name", [".DS_Store", "weights.pt", "notes.txt"])
def test_an_extra_file_is_named(bundle, name):
    (bundle / name).write_bytes(b"x")
    with pytest.raises(BundleError, match=f"{name}: this file does not belong"):
        open_bundle(bundle)


def test_an_extra_folder_is_named(bundle):
    (bundle / "more").mkdir()
    with pytest.raises(BundleError, match="more: this file does not belong"):
        open_bundle(bundle)


def test_a_link_in_place_of_a_file_is_refused(bundle, tmp_path):
    path = bundle / "card.md"
    path.rename(tmp_path / "card.md")
    path.symlink_to(tmp_path / "card.md")
    with pytest.raises(BundleError, match=r"card\.md: this is a link"):
        open_bundle(bundle)


def test_a_bundle_of_a_newer_version_is_refused_with_the_cure(bundle):
    path = bundle / MANIFEST
    content = json.loads(path.read_text()) | {"format_version": 2, "tessella": "3.1.0", "something_new": [1]}
    path.write_text(json.dumps(content | {"digest": digest_of(content)}))
    with pytest.raises(BundleError, match=r"written by Tessella 3\.1\.0.*pip install -U 'tessella>=3\.1\.0'"):
        open_bundle(bundle)


def test_a_plan_of_a_newer_version_is_refused_with_the_cure(bundle):
    plan = json.loads((bundle / "plan.json").read_text())
    (bundle / "plan.json").write_text(json.dumps(plan | {"plan_version": PLAN_VERSION + 1}))
    seal(bundle, {})
    with pytest.raises(BundleError, match=r"newer version.*upgrade"):
        open_bundle(bundle)


def test_the_folder_of_a_run_is_answered_with_its_bundle(sealed):
    with pytest.raises(BundleError, match=f"this is not a bundle.*is {sealed}"):
        open_bundle(sealed.parent)


def test_a_folder_that_does_not_exist_is_no_bundle(tmp_path):
    with pytest.raises(BundleError, match="this is not a bundle"):
        open_bundle(tmp_path / "nowhere")


@pytest.mark.parametrize("text", ["", "[]", "{}", "not json", '{"kind": "tessella-bundle"}', '{"a": NaN}'])
def test_a_manifest_that_says_nothing_is_damaged(bundle, text):
    (bundle / MANIFEST).write_text(text)
    with pytest.raises(BundleError, match=r"manifest\.json: the manifest is damaged"):
        open_bundle(bundle)


def test_a_manifest_without_a_required_file_is_refused(bundle):
    (bundle / "probe.npz").unlink()
    seal(bundle, {})
    with pytest.raises(BundleError, match=r"probe\.npz: the manifest does not list"):
        open_bundle(bundle)


def test_weights_that_change_after_opening_are_refused(bundle):
    opened = open_bundle(bundle)
    data = bytearray((bundle / "weights.safetensors").read_bytes())
    data[-1] ^= 1
    (bundle / "weights.safetensors").write_bytes(data)
    with pytest.raises(BundleError, match="changed after the bundle was sealed"):
        opened.weights()


def test_a_pickled_object_in_the_probe_is_refused_and_never_run(bundle):
    class Bomb:
        def __reduce__(self):
            return (pytest.fail, ("a pickle was loaded",))

    np.savez(bundle / "probe.npz", pixels=np.array([Bomb()], dtype=object))
    seal(bundle, {})
    with pytest.raises(BundleError, match=r"probe\.npz: these are not plain arrays"):
        open_bundle(bundle).probe()


def test_a_probe_with_missing_arrays_is_refused(bundle):
    save_arrays(bundle / "probe.npz", {"pixels": photo().pixels})
    seal(bundle, {})
    with pytest.raises(BundleError, match="lacks ids, logits"):
        open_bundle(bundle).probe()


def test_the_parity_photos_come_back_with_their_truth(sealed):
    (sample,) = open_bundle(sealed).parity_samples()
    np.testing.assert_array_equal(sample.image.pixels, labelled().image.pixels)
    np.testing.assert_array_equal(sample.labels.ids, labelled().labels.ids)


def test_opening_and_verifying_needs_no_torch(sealed):
    code = (
        "import sys\n"
        "class Block:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in ('torch', 'cv2', 'onnx', 'onnxruntime'):\n"
        "            raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Block())\n"
        "from tessella.bundle.opening import open_bundle\n"
        "bundle = open_bundle(sys.argv[1])\n"
        "print(len(bundle.table), len(bundle.weights()), bundle.probe().ids.shape, len(bundle.parity_samples()))\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(sealed)], capture_output=True, text=True, check=True)
    assert done.stdout.split()[0] == "3"
    assert done.stdout.strip().endswith("(72, 88) 1")
