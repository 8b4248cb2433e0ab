"""Two folders of masks: paired by name, nothing resized, nothing left out in silence, no torch."""

import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image as Pillow

from tessella.core.classes import ClassInfo, ClassTable, LabelCoding
from tessella.core.errors import InputError, LabelError
from tessella.core.labelmap import LabelMap
from tessella.evaluation import folders, score_folders
from tessella.files.masks import write_mask

TABLE = ClassTable((ClassInfo("ground", (0, 0, 0)), ClassInfo("roof", (255, 0, 0))))
CODING = LabelCoding(TABLE, values=((0,), (200,)), ignore_values=(9,), ignore_colours=((1, 2, 3),))

TRUE = np.array([[0, 0, 200, 200], [0, 9, 200, 200]], np.uint8)
GUESS = np.array([[0, 200, 200, 200], [0, 0, 200, 0]], np.uint8)
MATRIX = [[2, 1], [1, 3]]


def save(path, pixels, mode=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    Pillow.fromarray(pixels, mode).save(path)


def test_masks_are_paired_by_path_without_suffix(tmp_path):
    save(tmp_path / "truth" / "a" / "x.png", TRUE)
    save(tmp_path / "truth" / "b" / "x.png", TRUE)
    save(tmp_path / "pred" / "a" / "x.tif", GUESS)
    save(tmp_path / "pred" / "b" / "x.bmp", TRUE)
    report = score_folders(tmp_path / "pred", tmp_path / "truth", CODING)
    assert report.confusion.tolist() == [[2 + 3, 1], [1, 3 + 4]]
    assert [row.name for row in report.rows] == ["a/x", "b/x"]
    assert report.scores.counts.ignored == 2


def test_unique_names_pair_across_folders(tmp_path):
    save(tmp_path / "truth" / "city" / "x.png", TRUE)
    save(tmp_path / "pred" / "x.png", GUESS)
    assert score_folders(tmp_path / "pred", tmp_path / "truth", CODING).confusion.tolist() == MATRIX


def test_colour_masks_and_index_masks_can_be_mixed(tmp_path):
    colours = np.zeros((2, 4, 3), np.uint8)
    colours[GUESS == 200] = (255, 0, 0)
    save(tmp_path / "truth" / "x.png", TRUE)
    save(tmp_path / "pred" / "x.png", colours)
    assert score_folders(tmp_path / "pred", tmp_path / "truth", CODING).confusion.tolist() == MATRIX


def test_masks_with_our_own_palette_hold_ids_whatever_the_class_file_says(tmp_path):
    save(tmp_path / "truth" / "x.png", TRUE)
    write_mask(tmp_path / "pred" / "x.png", LabelMap((GUESS // 200).astype(np.uint8), TABLE))
    assert score_folders(tmp_path / "pred", tmp_path / "truth", CODING).confusion.tolist() == MATRIX


def test_photos_beside_lossless_masks_are_no_masks(tmp_path):
    save(tmp_path / "truth" / "x.png", TRUE)
    save(tmp_path / "pred" / "x.png", GUESS)
    save(tmp_path / "pred" / "x.jpg", GUESS)
    assert score_folders(tmp_path / "pred", tmp_path / "truth", CODING).confusion.tolist() == MATRIX


def test_where_a_prediction_says_ignore_the_pixel_is_missed_and_the_report_says_so(tmp_path):
    abstaining = TRUE.copy()
    abstaining[0] = 9
    save(tmp_path / "truth" / "x.png", TRUE)
    save(tmp_path / "pred" / "x.png", abstaining)
    report = score_folders(tmp_path / "pred", tmp_path / "truth", CODING)
    assert report.scores.counts.abstained.tolist() == [2, 2]
    assert report.scores.pixel_accuracy == 3 / 7
    assert "4 pixels (57.14%)" in report.notes[0]
    assert report.rows[0].mistake.guess == ""


def test_predictions_that_nobody_asked_for_are_named(tmp_path):
    save(tmp_path / "truth" / "x.png", TRUE)
    for name in ("x", "x-overlay"):
        save(tmp_path / "pred" / f"{name}.png", GUESS)
    report = score_folders(tmp_path / "pred", tmp_path / "truth", CODING)
    assert report.notes == ("Predicted masks without a true mask, which are in no score: 1 (x-overlay).",)


def test_missing_predictions_are_an_error_that_names_them(tmp_path):
    for name in "abcdefgh":
        save(tmp_path / "truth" / f"{name}.png", TRUE)
    save(tmp_path / "pred" / "c.png", GUESS)
    with pytest.raises(InputError, match="7 of 8 true masks have no prediction: a, b, d, e, f and 2 more"):
        score_folders(tmp_path / "pred", tmp_path / "truth", CODING)


def test_another_size_is_refused_not_resized(tmp_path):
    save(tmp_path / "truth" / "x.png", TRUE)
    save(tmp_path / "pred" / "x.png", GUESS.T)
    with pytest.raises(LabelError, match=r"x\.png.*got 2x4 .*expected 4x2 \(width x height\)"):
        score_folders(tmp_path / "pred", tmp_path / "truth", CODING)


def test_a_stored_value_without_a_class_is_named(tmp_path):
    save(tmp_path / "truth" / "x.png", TRUE)
    save(tmp_path / "pred" / "x.png", np.full_like(GUESS, 77))
    with pytest.raises(LabelError, match=r"x\.png: stored values 77"):
        score_folders(tmp_path / "pred", tmp_path / "truth", CODING)


def test_the_same_folder_twice_is_refused(tmp_path):
    save(tmp_path / "truth" / "x.png", TRUE)
    with pytest.raises(InputError, match="same folder"):
        score_folders(tmp_path / "truth", tmp_path / "truth" / ".." / "truth", CODING)


def test_folders_that_are_missing_empty_or_ambiguous_are_refused(tmp_path):
    save(tmp_path / "truth" / "x.png", TRUE)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no such folder"):
        score_folders(tmp_path / "nowhere", tmp_path / "truth", CODING)
    with pytest.raises(InputError, match="no masks"):
        score_folders(tmp_path / "empty", tmp_path / "truth", CODING)
    save(tmp_path / "pred" / "x.png", TRUE)
    save(tmp_path / "pred" / "x.bmp", TRUE)
    with pytest.raises(InputError, match="two masks have the same name"):
        score_folders(tmp_path / "pred", tmp_path / "truth", CODING)


def test_scoring_folders_imports_no_torch():
    code = (
        "import tessella.evaluation, tessella.report, sys; sys.exit(bool({'torch', 'cv2', 'onnx'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_masks_of_a_large_set_are_paired_in_a_moment(tmp_path, monkeypatch):
    truths = {f"a/{number}": tmp_path / "t" for number in range(40_000)}
    guesses = {str(number): tmp_path / "p" for number in range(40_000)}
    monkeypatch.setattr(folders, "_masks", lambda folder: truths if folder.name == "truth" else guesses)
    began = time.process_time()
    pairs, spare = folders.pair_masks(tmp_path / "pred", tmp_path / "truth")
    assert time.process_time() - began < 4  # counting each name in the list of names takes half a minute
    assert (len(pairs), spare) == (40_000, [])
