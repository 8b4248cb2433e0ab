"""A model against a data set: counted once, at the photos' own size, with nothing dropped in silence."""

import json

import numpy as np
import pytest
from PIL import Image as Pillow

from tessella.core.classes import ClassInfo, ClassTable, LabelCoding
from tessella.core.errors import FormatError, InputError, LabelError
from tessella.core.finding import Finding
from tessella.core.labelmap import LabelMap
from tessella.core.prediction import Prediction
from tessella.dataset import open_dataset
from tessella.evaluation import Report, evaluate, require_same_classes

TABLE = ClassTable.from_names(["ground", "left", "right"])


class Shifted:
    """Predicts the colours of the photo, which the photos of these tests carry in their red band."""

    def __init__(self, table=TABLE, shift=0):
        self.table = table
        self.shift = shift
        self.calls = 0

    def predict(self, image):
        self.calls += 1
        ids = np.roll(image.pixels[..., 0] // 80, self.shift, axis=1).astype(np.uint8)
        return Prediction(LabelMap(ids, self.table), np.ones(image.hw, np.float32), image)


def write_photos(root, *, sizes, ignored=0):
    """Write photos whose red band is 80 times the class id, and their masks; each of its own size."""
    for folder in ("images", "masks"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    for number, (height, width) in enumerate(sizes):
        ids = np.zeros((height, width), np.uint8)
        ids[:, : width // 3] = 1
        ids[:, -(width // 3) :] = 2
        photo = np.dstack([ids * 80, np.full_like(ids, number), ids])
        Pillow.fromarray(photo).save(root / "images" / f"p{number}.png")
        ids[:ignored] = 255
        Pillow.fromarray(ids).save(root / "masks" / f"p{number}.png")
    return root


def index_of(root):
    return open_dataset(root, classes=LabelCoding(TABLE))


def test_a_model_without_a_mistake_scores_one_and_every_photo_has_a_row(tmp_path):
    index = index_of(write_photos(tmp_path, sizes=[(12, 30), (20, 18), (9, 9)], ignored=2))
    report = evaluate(Shifted(), index)
    assert report.miou == 1
    assert report.scores.images == 3
    assert report.scores.counts.pixels == 10 * 30 + 18 * 18 + 7 * 9
    assert report.scores.counts.ignored == 2 * (30 + 18 + 9)
    assert [row.name.rpartition("/")[2] for row in report.rows] == ["p0", "p1", "p2"]
    assert all(row.mistake is None and row.miou == 1 for row in report.rows)


def test_the_matrix_is_added_over_photos_of_different_sizes_and_divided_once(tmp_path):
    index = index_of(write_photos(tmp_path, sizes=[(10, 30), (40, 90)]))
    report = evaluate(Shifted(shift=1), index)
    # in each row the border of left and ground moves by a pixel, and a pixel of the right wraps round to the left edge
    assert report.confusion.tolist() == [
        [10 * 9 + 40 * 29, 50, 0],
        [0, 10 * 9 + 40 * 29, 50],
        [50, 0, 10 * 9 + 40 * 29],
    ]
    per_photo = np.mean([row.miou for row in report.rows])
    assert report.miou == pytest.approx(1250 / 1350) != pytest.approx(per_photo)
    assert report.rows[0].mistake.pixels == 10


def test_progress_is_told_for_every_photo(tmp_path):
    told = []
    index = index_of(write_photos(tmp_path, sizes=[(6, 6)] * 4))
    evaluate(Shifted(), index, progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_a_photo_that_cannot_be_read_is_named_and_in_no_score(tmp_path):
    write_photos(tmp_path, sizes=[(6, 6)] * 12)
    photo = tmp_path / "images" / "p3.png"
    photo.write_bytes(photo.read_bytes()[:60])
    report = evaluate(Shifted(), index_of(tmp_path))
    assert report.scores.images == 11
    assert [lost.name.rpartition("/")[2] for lost in report.unscored] == ["p3"]
    assert "p3.png" in report.unscored[0].why
    assert any("could not be scored" in note and "1" in note for note in report.notes)


def test_too_many_unreadable_photos_end_the_run(tmp_path):
    write_photos(tmp_path, sizes=[(6, 6)] * 12)
    for number in (2, 4, 6):
        (tmp_path / "images" / f"p{number}.png").write_bytes(b"\x89PNG\r\n\x1a\n rubbish")
    with pytest.raises(InputError, match="2 of 12 photos cannot be scored") as caught:
        evaluate(Shifted(), index_of(tmp_path))
    assert "p2.png" in str(caught.value)


def test_photos_without_labels_are_counted_in_a_note(tmp_path):
    write_photos(tmp_path, sizes=[(6, 6)] * 3)
    (tmp_path / "masks" / "p1.png").unlink()
    report = evaluate(Shifted(), index_of(tmp_path))
    assert report.scores.images == 2
    assert report.notes == ("Photos without labels, which are in no score: 1.",)


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["ground", "left", "up"], "only the model has 'right'; only the data set has 'up'"),
        (["ground", "left"], "only the model has 'right'"),
        (["ground", "right", "left"], "the names are the same, but id 1 is another class"),
    ],
)
def test_other_classes_are_refused_before_anything_is_predicted(names, says):
    with pytest.raises(LabelError, match=says) as caught:
        require_same_classes(TABLE, ClassTable.from_names(names))
    assert "--classes" in str(caught.value)


def test_colours_may_differ():
    painted = ClassTable(tuple(ClassInfo(name, (number, 7, 9)) for number, name in enumerate(TABLE.names)))
    require_same_classes(TABLE, painted)


def test_the_best_the_middle_and_the_worst_are_kept_small(tmp_path):
    sizes = [(8, 12 + 12 * number) for number in range(9)] + [(700, 1400)]
    report = evaluate(Shifted(shift=2), index_of(write_photos(tmp_path, sizes=sizes)), examples=2)
    by_rank = {
        rank: [shown.name for shown in report.examples if shown.rank == rank] for rank in ("best", "median", "worst")
    }
    ranked = [row.name for row in sorted(report.rows, key=lambda row: -row.miou)]
    assert by_rank == {"best": ranked[:2], "median": ranked[4:6], "worst": ranked[-2:]}
    assert all(max(shown.truth.shape) <= 640 for shown in report.examples)
    largest = next(shown for shown in report.examples if shown.name.endswith("p9"))
    assert largest.photo.shape == (320, 640, 3)
    assert set(np.unique(largest.truth)) == {0, 1, 2}


def test_a_report_written_as_json_is_read_back_equal(tmp_path):
    write_photos(tmp_path, sizes=[(6, 9), (8, 8)], ignored=1)
    finding = Finding("L101", "error", "masks/a.png", "value 7", "map it", fixable=True)
    report = evaluate(Shifted(shift=1), index_of(tmp_path), split="val").with_findings([finding])
    stored = json.loads(json.dumps(report.to_json(), allow_nan=False))
    again = Report.from_json(stored)
    assert again.to_json() == report.to_json()
    assert again.findings == (finding,)
    assert again.rows == report.rows
    assert again.provenance["split"] == "val"
    np.testing.assert_array_equal(again.confusion, report.confusion)


@pytest.mark.parametrize("broken", [{}, {"report_version": 2}, {"report_version": 1, "classes": [{}]}])
def test_what_is_no_report_is_refused(broken):
    with pytest.raises(FormatError, match="no report"):
        Report.from_json(broken, where="x.json")


def test_our_own_predictor_computes_no_confidence_that_nobody_reads(tmp_path, monkeypatch):
    import torch

    from data.small_bundle import TABLE as OURS
    from data.small_bundle import small_plan
    from tessella.models.network import network_of
    from tessella.predict.load import wrap

    root = write_photos(tmp_path, sizes=[(8, 8)] * 3)
    plan = small_plan()
    torch.manual_seed(0)
    predictor = wrap(network_of(plan).eval(), plan)
    index = open_dataset(root, classes=LabelCoding(OURS))
    expected = evaluate(predictor, index).confusion
    monkeypatch.setattr("tessella.predict.predictor.confidence_of", None)
    np.testing.assert_array_equal(evaluate(predictor, index).confusion, expected)
