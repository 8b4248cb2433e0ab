"""An exported file answers as its bundle does, at any size, without torch; a damaged one is refused."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from data.small_bundle import TABLE, labelled, make_bundle, photo, small_plan
from tessella._doors.labels import inspect
from tessella._version import __version__
from tessella.bundle.opening import open_bundle
from tessella.cli.commands.export import export as export_command
from tessella.core.errors import BundleError, LabelError, OutputError, ParityError, RecipeError
from tessella.exporting import door
from tessella.exporting.door import export
from tessella.files.masks import write_image, write_mask
from tessella.predict.load import load
from tessella.predict.runtime_onnx import open_sealed
from tessella.predict.seal import check_seal, seal


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A bundle with two validation photos, and its export."""
    folder = tmp_path_factory.mktemp("exported")
    make_bundle(folder / "bundle", parity=[labelled(seed=1), labelled((61, 47), seed=2)])
    export(folder / "bundle", out=folder / "model.onnx")
    return folder


def test_three_files_are_written_and_nothing_else(exported):
    names = {path.name for path in exported.iterdir()}
    assert names == {"bundle", "model.onnx", "model.logits.onnx", "model.parity.json"}


def test_the_report_says_how_near_it_is_and_to_what(exported):
    report = json.loads((exported / "model.parity.json").read_text())
    assert report["parity"]["images"] == 2
    assert report["parity"]["argmax_agreement"] >= 0.9999
    assert report["parity"]["max_abs_logit"] < 1e-3
    assert abs(report["parity"]["miou_delta"]) < 1e-3
    assert report["ok"] is True
    assert report["bundle"] == open_bundle(exported / "bundle").digest


@pytest.mark.parametrize("shape", [(1, 1, 1, 3), (1, 1, 9, 3), (2, 64, 64, 3), (3, 47, 130, 3), (1, 301, 33, 3)])
def test_any_batch_height_and_width_gives_the_ids_of_the_bundle(exported, shape):
    photos = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    ids = open_sealed(exported / "model.onnx").run(photos)
    assert ids.dtype == np.uint8
    bundle = load(exported / "bundle", device="cpu")
    for one, expected in zip(ids, photos, strict=True):
        np.testing.assert_array_equal(one, bundle.predict(expected).labels.ids)


def test_the_metadata_carry_plan_classes_version_and_bundle(exported):
    import onnx

    bundle = open_bundle(exported / "bundle")
    for name, output in (("model.onnx", "ids"), ("model.logits.onnx", "logits")):
        model = onnx.load(exported / name)
        metadata = {entry.key: entry.value for entry in model.metadata_props}
        assert json.loads(metadata["tessella.plan"]) == bundle.plan.to_json()
        assert json.loads(metadata["tessella.classes"]) == TABLE.to_json()
        assert metadata["tessella.version"] == __version__
        assert metadata["tessella.bundle"] == bundle.digest
        assert metadata["tessella.precision"] == "fp32"
        assert metadata["tessella.output"] == model.graph.output[0].name == output
        axes = [axis.dim_param or axis.dim_value for axis in model.graph.input[0].type.tensor_type.shape.dim]
        assert axes == ["batch", "height", "width", 3]
        onnx.checker.check_model(model)


def test_nothing_in_the_file_names_a_folder_of_the_machine_that_made_it(exported):
    import torch

    for name in ("model.onnx", "model.logits.onnx"):
        data = (exported / name).read_bytes()
        assert os.path.dirname(torch.__file__).encode() not in data  # noqa: PTH120
        assert b"site-packages" not in data
        assert os.getcwd().encode() not in data  # noqa: PTH109


@pytest.mark.parametrize("name", ["model.onnx", "model.logits.onnx"])
def test_predict_takes_either_file_in_place_of_the_bundle(exported, name):
    image = photo((150, 190), seed=4)
    expected = load(exported / "bundle", device="cpu").predict(image, scores=True)
    predicted = load(exported / name).predict(image, scores=True)
    np.testing.assert_array_equal(predicted.labels.ids, expected.labels.ids)
    np.testing.assert_allclose(predicted.confidence, expected.confidence, atol=1e-4)
    np.testing.assert_allclose(predicted.scores, expected.scores, atol=1e-3)


def test_predicting_with_an_exported_file_needs_no_torch(exported, tmp_path):
    write_image(tmp_path / "photo.png", photo((150, 190), seed=4))
    code = (
        "import sys\n"
        "class Block:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in ('torch', 'torchvision', 'onnx', 'onnxscript'):\n"
        "            raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Block())\n"
        "from pathlib import Path\n"
        "from tessella.predict.folder import predict_files\n"
        "from tessella.predict.load import load\n"
        "done = predict_files(load(sys.argv[1]), [Path(sys.argv[2])], Path(sys.argv[3]), overlay=True)\n"
        "print(len(done.written), len(done.failed))\n"
    )
    arguments = [str(path) for path in (exported / "model.onnx", tmp_path / "photo.png", tmp_path / "out")]
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "0"]
    assert done.stderr == ""


def test_photos_of_the_wrong_kind_are_refused_by_name(exported):
    with pytest.raises(BundleError, match=r"model\.onnx: ONNX Runtime fails on photos of this size"):
        open_sealed(exported / "model.onnx").run(np.zeros((1, 8, 8, 4), np.uint8))


def test_a_network_that_cannot_be_exported_is_said_so(exported, tmp_path, monkeypatch):
    import torch

    def fail(*_, **__):
        raise torch.onnx.OnnxExporterError("no such operator")

    monkeypatch.setattr(torch.onnx, "export", fail)
    with pytest.raises(ParityError, match=r"cannot export the network 'unet'.*no such operator"):
        export(exported / "bundle", out=tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("place", [0, 200, 5000, -3000, -700, -40, -1])
def test_one_flipped_bit_in_an_exported_file_is_refused(exported, tmp_path, place):
    data = bytearray((exported / "model.logits.onnx").read_bytes())
    data[place] ^= 16
    (tmp_path / "model.logits.onnx").write_bytes(data)
    (tmp_path / "model.onnx").write_bytes((exported / "model.onnx").read_bytes())
    with pytest.raises(BundleError, match=r"model\.logits\.onnx"):
        load(tmp_path / "model.onnx")


def test_a_missing_logits_variant_is_named(exported, tmp_path):
    (tmp_path / "model.onnx").write_bytes((exported / "model.onnx").read_bytes())
    with pytest.raises(BundleError, match=r"model\.logits\.onnx: the logits variant is missing"):
        load(tmp_path / "model.onnx")


def test_a_logits_variant_of_another_bundle_is_refused(exported, tmp_path):
    logits = (exported / "model.logits.onnx").read_bytes()
    digest = open_sealed(exported / "model.onnx").facts.bundle.encode()
    assert logits.count(digest) == 1
    mark = b"tessella.seal\x12\x40"
    body, tail = logits.replace(digest, digest[::-1]).rsplit(mark, 1)
    (tmp_path / "model.logits.onnx").write_bytes(seal(body + mark + b"0" * 64 + tail[64:]))
    (tmp_path / "model.onnx").write_bytes((exported / "model.onnx").read_bytes())
    with pytest.raises(BundleError, match=r"model\.logits\.onnx: the logits variant belongs to another bundle"):
        load(tmp_path / "model.onnx")
    assert load(tmp_path / "model.logits.onnx").digest.encode() == digest[::-1]


def test_a_file_that_gives_ids_is_not_taken_for_the_logits_variant(exported, tmp_path):
    (tmp_path / "model.logits.onnx").write_bytes((exported / "model.onnx").read_bytes())
    with pytest.raises(BundleError, match="does not give logits; got ids"):
        load(tmp_path / "model.logits.onnx")


def test_an_onnx_file_of_another_program_is_refused(tmp_path):
    (tmp_path / "other.logits.onnx").write_bytes(b"\x08\x0a\x12\x07pytorch")
    with pytest.raises(BundleError, match="carries no seal"):
        load(tmp_path / "other.logits.onnx")


def test_an_onnx_file_that_does_not_exist_is_said_so(tmp_path):
    with pytest.raises(BundleError, match="there is no such file"):
        load(tmp_path / "model.onnx")


def test_the_seal_is_the_hash_of_the_file_with_a_blank_seal():
    model = b"weights" + b"tessella.seal\x12\x40" + b"0" * 64 + b"behind"
    sealed = seal(model)
    assert len(sealed) == len(model)
    check_seal(sealed, where="model")
    with pytest.raises(BundleError, match="changed after it was exported"):
        check_seal(model, where="model")


@pytest.fixture
def traced(exported, monkeypatch):
    """Take the traced network from the export above instead of tracing it again, which takes ten seconds."""
    import tessella.exporting.onnx as tracing

    files = tracing.OnnxFiles(*((exported / name).read_bytes() for name in ("model.onnx", "model.logits.onnx")))
    monkeypatch.setattr(tracing, "export_onnx", lambda *_, **__: files)


def test_a_failed_parity_leaves_nothing_behind(exported, traced, tmp_path, monkeypatch):
    run = door.OnnxSession.run

    def run_wrongly(self, photos):
        answer = run(self, photos)
        return answer + 0.5 if answer.ndim == 4 else answer

    monkeypatch.setattr(door.OnnxSession, "run", run_wrongly)
    with pytest.raises(ParityError, match="logits agree: no"):
        export(exported / "bundle", out=tmp_path / "out" / "model.onnx")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_is_said_and_leaves_nothing_behind(exported, traced, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match=r"writing failed|is a file"):
        export(exported / "bundle", out=tmp_path / "file" / "model.onnx")


def test_an_export_can_be_replaced(exported, traced, tmp_path):
    for _ in range(2):
        done = export(exported / "bundle", out=tmp_path / "model.onnx", overwrite=True)
    assert load(done.path).digest == open_bundle(exported / "bundle").digest


@pytest.mark.parametrize("name", ["model.onnx", "model.logits.onnx", "model.parity.json"])
def test_an_existing_file_is_kept_unless_overwrite_is_said(exported, tmp_path, name):
    (tmp_path / name).write_bytes(b"mine")
    with pytest.raises(OutputError, match="exists already"):
        export(exported / "bundle", out=tmp_path / "model.onnx")
    assert (tmp_path / name).read_bytes() == b"mine"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"to": "tensorflow"}, "--to: no such runtime; got tensorflow; expected onnx"),
        ({"precision": "int4"}, "--precision: no such precision"),
        ({"out": "model.pt"}, "expected NAME.onnx"),
        ({"out": "model.logits.onnx"}, "expected NAME.onnx"),
    ],
)
def test_a_request_that_cannot_be_met_is_refused_at_once(exported, changes, says):
    with pytest.raises(RecipeError, match=says):
        export(exported / "bundle", **({"out": "model.onnx"} | changes))


def test_sixteen_bits_and_two_bands_are_exported_as_they_are_and_proved_on_the_probe(tmp_path):
    bundle = make_bundle(tmp_path / "bundle", plan=small_plan(bands=("red", "nir"), dtype="uint16"))
    done = export(bundle.path, out=tmp_path / "model.onnx")
    assert done.parity.images == 1
    image = photo((150, 160), channels=2, dtype="uint16")
    np.testing.assert_array_equal(
        load(tmp_path / "model.onnx").predict(image).labels.ids,
        load(bundle.path, device="cpu").predict(image).labels.ids,
    )


def test_a_data_set_of_other_classes_is_refused(exported, traced, data, tmp_path):
    names = [{"name": name, "colour": [index, 0, 0]} for index, name in enumerate(["sky", "sea", "sand"])]
    (tmp_path / "classes.json").write_text(json.dumps({"classes": names}))
    with pytest.raises(LabelError, match="other classes than the bundle; got sky, sea, sand"):
        export(exported / "bundle", out=tmp_path / "model.onnx", data=data, classes=tmp_path / "classes.json")


@pytest.fixture
def data(tmp_path):
    """Three photos with masks, and their class file."""
    for seed in range(3):
        sample = labelled((70, 80), seed=seed)
        for folder in ("images", "masks"):
            (tmp_path / "data" / folder).mkdir(parents=True, exist_ok=True)
        write_image(tmp_path / "data" / "images" / f"{seed}.png", sample.image)
        write_mask(tmp_path / "data" / "masks" / f"{seed}.png", sample.labels)
    names = [{"name": info.name, "colour": list(info.colour)} for info in TABLE]
    (tmp_path / "classes.json").write_text(json.dumps({"classes": names}))
    return tmp_path / "data"


def test_the_command_measures_parity_on_a_data_set_and_answers_in_json(exported, traced, data, tmp_path):
    app = typer.Typer()
    app.command()(export_command)
    arguments = [exported / "bundle", "--out", tmp_path / "model.onnx", "--data", data]
    arguments += ["--classes", tmp_path / "classes.json", "--json"]
    done = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
    answer = json.loads(done.stdout)
    assert done.stderr == ""
    assert (answer["runtime"], answer["precision"], answer["ok"]) == ("onnx", "fp32", True)
    assert answer["path"] == str(tmp_path / "model.onnx")
    assert set(answer["parity"]) == {"images", "argmax_agreement", "max_abs_logit", "miou_delta"}
    assert answer["parity"]["images"] >= 1


def test_an_exported_file_says_what_it_is_without_an_onnx_parser(exported):
    code = (
        "import sys, json, tessella; sys.modules['onnx'] = sys.modules['onnxruntime'] = None\n"
        "print(json.dumps(tessella.inspect(sys.argv[1]).to_json()))"
    )
    bundle = open_bundle(exported / "bundle")
    for name, output in (("model.onnx", "ids"), ("model.logits.onnx", "logits")):
        done = subprocess.run([sys.executable, "-c", code, exported / name], capture_output=True, text=True, check=True)
        answer = json.loads(done.stdout)
        assert answer["kind"] == "exported model"
        assert (answer["verified"], answer["bundle"], answer["output"]) == (True, bundle.digest, output)
        assert answer["classes"] == TABLE.to_json()
        assert answer["bands"] == ["red", "green", "blue"]
        assert answer["logits_variant_beside"] is True


def test_a_changed_or_foreign_onnx_file_is_refused_when_it_is_inspected(exported, tmp_path):
    data = bytearray((exported / "model.onnx").read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "changed.onnx").write_bytes(data)
    (tmp_path / "foreign.onnx").write_bytes(b"an ONNX file of somebody else")
    for name, says in (("changed", "changed after it was exported"), ("foreign", "no seal")):
        with pytest.raises(BundleError, match=says):
            inspect(tmp_path / f"{name}.onnx")
