"""Many photos: names, kept sub-folders, one bad file among good ones, and nothing lost."""

import json

import numpy as np
import pytest
import typer
from PIL import Image as Pillow
from typer.testing import CliRunner

from data.small_bundle import TABLE, make_bundle, photo
from tessella.cli.commands.predict import predict
from tessella.core.errors import InputError, OutputError
from tessella.files.masks import read_mask, write_image
from tessella.predict.folder import predict_files
from tessella.predict.load import load


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    folder = tmp_path_factory.mktemp("folder") / "bundle"
    make_bundle(folder)
    return folder


@pytest.fixture(scope="module")
def predictor(bundle):
    return load(bundle)


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    (folder / "day 2").mkdir(parents=True)
    write_image(folder / "a.png", photo((40, 50), seed=1))
    write_image(folder / "b.2024.jpg", photo((33, 21), seed=2))
    write_image(folder / "day 2" / "a.png", photo((21, 60), seed=3))
    return folder


def test_photos_keep_their_place_and_give_palette_pngs_of_their_size(predictor, photos, tmp_path):
    seen = []
    done = predict_files(predictor, [photos], tmp_path / "out", progress=lambda *step: seen.append(step))
    names = [path.relative_to(tmp_path / "out").as_posix() for path in done.written]
    assert names == ["a.png", "b.2024.png", "day 2/a.png"]
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert sorted(path for path in (tmp_path / "out").rglob("*") if path.is_file()) == sorted(done.written)
    for path, source in zip(done.written, ["a.png", "b.2024.jpg", "day 2/a.png"], strict=True):
        stored = read_mask(path)
        assert stored.mode == "P"
        np.testing.assert_array_equal(stored.pixels, predictor.predict(photos / source).labels.ids)
        np.testing.assert_array_equal(stored.palette[:3], TABLE.colours)


def test_overlay_and_confidence_lie_beside_the_mask(predictor, photos, tmp_path):
    predict_files(predictor, [photos / "a.png"], tmp_path / "out", overlay=True, confidence=True)
    prediction = predictor.predict(photos / "a.png")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"a.png", "a-overlay.png", "a-confidence.png"}
    with Pillow.open(tmp_path / "out" / "a-overlay.png") as overlay:
        np.testing.assert_array_equal(np.asarray(overlay), np.asarray(prediction.overlay()))
    with Pillow.open(tmp_path / "out" / "a-confidence.png") as confidence:
        assert confidence.mode == "L"
        np.testing.assert_allclose(np.asarray(confidence) / 255, prediction.confidence, atol=0.5 / 255 + 1e-6)


def test_one_bad_file_is_reported_at_the_end_and_stops_nothing(predictor, photos, tmp_path):
    (photos / "a.png").write_bytes(b"no picture")
    write_image(photos / "five.png", photo((8, 8), channels=4))
    done = predict_files(predictor, [photos], tmp_path / "out")
    assert [path.name for path in done.written] == ["b.2024.png", "a.png", "five.png"]
    (failure,) = done.failed
    assert failure.where == (photos / "a.png").as_posix()
    assert "not a picture" in failure.what
    assert done.to_json()["failed"] == [{"where": failure.where, "what": failure.what}]


def test_two_photos_for_one_result_are_refused_before_anything_is_written(predictor, photos, tmp_path):
    write_image(photos / "A.bmp", photo((8, 8)))
    with pytest.raises(InputError, match="two photos would write the same file"):
        predict_files(predictor, [photos], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_photo_named_like_an_overlay_is_refused_when_overlays_are_asked_for(predictor, photos, tmp_path):
    write_image(photos / "a-overlay.png", photo((8, 8)))
    with pytest.raises(InputError, match="two photos would write the same file"):
        predict_files(predictor, [photos], tmp_path / "out", overlay=True)
    assert len(predict_files(predictor, [photos], tmp_path / "out").written) == 4


def test_existing_results_are_kept_unless_overwrite_is_said(predictor, photos, tmp_path):
    predict_files(predictor, [photos / "a.png"], tmp_path / "out")
    with pytest.raises(OutputError, match="1 of the results exist already"):
        predict_files(predictor, [photos], tmp_path / "out")
    assert not (tmp_path / "out" / "b.2024.png").exists()
    assert len(predict_files(predictor, [photos], tmp_path / "out", overwrite=True).written) == 3


def test_a_photo_is_never_replaced_by_its_own_mask(predictor, photos):
    with pytest.raises(OutputError, match="would replace the photo itself"):
        predict_files(predictor, [photos], photos, overwrite=True)
    with Pillow.open(photos / "a.png") as kept:
        assert kept.mode == "RGB"


def test_results_inside_the_photo_folder_are_no_photos_of_the_next_run(predictor, photos):
    first = predict_files(predictor, [photos], photos / "out")
    again = predict_files(predictor, [photos], photos / "out", overwrite=True)
    assert again.written == first.written


def test_results_may_lie_in_a_folder_above_the_photos(predictor, photos):
    assert len(predict_files(predictor, [photos / "day 2"], photos / "..").written) == 1


@pytest.mark.parametrize("name", ["nowhere", "nowhere.jpg"])
def test_an_input_that_does_not_exist_is_named(predictor, tmp_path, name):
    with pytest.raises(InputError, match=f"{name}: there is no such file or folder"):
        predict_files(predictor, [tmp_path / name], tmp_path / "out")


def test_an_empty_folder_is_said_to_hold_no_photo(predictor, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="the folder holds no photo"):
        predict_files(predictor, [tmp_path / "empty"], tmp_path / "out")


@pytest.fixture
def command():
    app = typer.Typer()
    app.command()(predict)
    return lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_the_command_prints_what_it_wrote(command, bundle, photos, tmp_path):
    done = command(bundle, photos, "--out", tmp_path / "out")
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [str(tmp_path / "out" / name) for name in ("a.png", "b.2024.png", "day 2/a.png")]


def test_the_command_exits_1_when_a_photo_failed_and_says_which(command, bundle, photos, tmp_path):
    (photos / "a.png").write_bytes(b"")
    done = command(bundle, photos, "--out", tmp_path / "out", "--json")
    assert done.exit_code == 1
    answer = json.loads(done.stdout)
    assert len(answer["written"]) == 2
    assert answer["failed"][0]["where"].endswith("a.png")
    assert "1 of 3 photos failed" in done.stderr
    assert "the file is empty" in done.stderr
