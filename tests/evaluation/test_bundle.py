"""`tessella evaluate` on a sealed bundle: the scores are those of its own predictions, whatever the photos' sizes."""

import json

import numpy as np
import pytest
from PIL import Image as Pillow
from sklearn.metrics import confusion_matrix

from data.small_bundle import TABLE, labelled, make_bundle
from tessella.cli.main import main
from tessella.predict.load import load


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A bundle, four labelled photos of different sizes, and what scikit-learn counts for the bundle's predictions."""
    root = tmp_path_factory.mktemp("evaluated")
    make_bundle(root / "bundle")
    predictor = load(root / "bundle")
    names = "\n".join(TABLE.names)
    (root / "labels.txt").write_text(names + "\n")
    total = np.zeros((3, 3), np.int64)
    for number, hw in enumerate([(40, 56), (64, 64), (57, 33), (90, 190)]):
        sample = labelled(hw, seed=number)
        for folder, pixels in (("images", sample.image.pixels), ("masks", sample.labels.ids)):
            (root / "data" / folder).mkdir(parents=True, exist_ok=True)
            Pillow.fromarray(pixels).save(root / "data" / folder / f"p{number}.png")
        truth, guess = sample.labels.ids.ravel(), predictor.predict(sample.image).labels.ids.ravel()
        total += confusion_matrix(truth[truth != 255], guess[truth != 255], labels=[0, 1, 2])
    return root, total


def tessella(monkeypatch, *arguments):
    monkeypatch.setattr("sys.argv", ["tessella", *map(str, arguments)])
    with pytest.raises(SystemExit) as caught:
        main()
    return caught.value.code or 0


def test_a_bundle_is_scored_on_every_photo_at_its_own_size(run, monkeypatch, capsys):
    root, total = run
    flags = ["--classes", root / "labels.txt", "--split", "all", "--json", "--out", root / "report"]
    assert tessella(monkeypatch, "evaluate", root / "bundle", root / "data", *flags) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["images"] == 4
    assert answer["confusion"] == total.tolist()
    assert answer["provenance"]["split"] == "all"
    page = (root / "report" / "report.html").read_text(encoding="utf-8")
    assert page.count("<img ") >= 3 * 4


def test_classes_that_are_not_the_bundles_are_refused(run, monkeypatch, capsys):
    root, _ = run
    (root / "other.txt").write_text("meadow\nroof|top\nroad\n")
    flags = ["--classes", root / "other.txt", "--split", "all"]
    assert tessella(monkeypatch, "evaluate", root / "bundle", root / "data", *flags) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "the names are the same, but id 1 is another class" in said.err


def test_a_split_that_does_not_exist_is_refused_with_those_that_do(run, monkeypatch, capsys):
    root, _ = run
    flags = ["--classes", root / "labels.txt", "--split", "tset"]
    assert tessella(monkeypatch, "evaluate", root / "bundle", root / "data", *flags) == 2
    assert "there is no split 'tset'" in capsys.readouterr().err
