"""label-studio: the annotator who is asked for, and the class that most annotators painted."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from data.label_studio import annotation, box, export, task
from data.layouts import photo_of, save
from tessella.core.annotation import Drawing
from tessella.core.classes import IGNORE, ClassInfo, ClassTable, LabelCoding
from tessella.core.errors import FormatError, LabelError
from tessella.dataset.convert import convert
from tessella.dataset.index import Index, open_dataset
from tessella.formats.tools.label_studio.annotators import majority

ANN, BOB, CYD = {"id": 1, "email": "ann@farm.org"}, {"id": 2, "email": "bob@farm.org"}, {"id": 3, "email": "c@farm.org"}


def by(person: object, *results: dict, **more: object) -> dict:
    return annotation(*results, completed_by=person, **more)


def tasks(root: Path, *annotated: list[dict], annotator: str, **more: object) -> Index:
    for number, _ in enumerate(annotated):
        save(root / f"p{number}.png", photo_of(number))
    export(root / "tasks.json", *(task(n, f"p{n}.png", *done) for n, done in enumerate(annotated)))
    return open_dataset(root, options={"annotator": annotator}, **more)


def three(root: Path, annotator: str) -> Index:
    done = [by(ANN, box("road", 0, 0, 6, 4)), by(BOB, box("road", 2, 0, 8, 4)), by(CYD, box("tree", 4, 0, 10, 4))]
    return tasks(root, done, annotator=annotator)


def test_a_majority_is_counted_pixel_by_pixel_and_ties_are_ignored(tmp_path: Path) -> None:
    index = three(tmp_path, "majority")
    assert index.table.names == ("background", "road", "tree")
    ids = index[0].labels.ids
    # columns 2..5: two of three say road; 6 and 7: ground, road and tree; elsewhere two of three say ground
    row = [0, 0, 1, 1, 1, 1, IGNORE, IGNORE, 0, 0, 0, 0, 0, 0, 0, 0]
    np.testing.assert_array_equal(ids, [row] * 4 + [[0] * 16] * 8)
    assert index.listing.left_out == {}
    assert "annotator=majority as asked" in index.listing.notes
    assert any("class that most annotators painted" in n and "in 1 of them" in n for n in index.listing.notes)


def test_a_majority_is_a_drawing_of_masks(tmp_path: Path) -> None:
    drawing = three(tmp_path, "majority").annotation(0)
    assert isinstance(drawing, Drawing)
    assert [(shape.kind, shape.label) for shape in drawing.shapes] == [("mask", "road"), ("mask", "__ignore__")]


@pytest.mark.parametrize(("name", "left"), [("ann@farm.org", 0), ("BOB@farm.org", 2), ("2", 2), ("3", 4)])
def test_one_annotator_is_chosen_by_e_mail_or_id(tmp_path: Path, name: str, left: int) -> None:
    index = three(tmp_path, name)
    ids = index[0].labels.ids
    assert ids.astype(bool).sum() == 24
    assert ids[:4, left : left + 6].all()
    assert index.listing.left_out == {"annotations of further annotators": 2}
    assert any(f"what {name} annotated counts" in note for note in index.listing.notes)


def test_the_chosen_one_counts_even_against_ground_truth_and_only_their_last(tmp_path: Path) -> None:
    first, last = "2024-01-01T10:00:00Z", "2024-01-02T10:00:00Z"
    done = [
        by(1, box("road", 0, 0, 5, 5), updated_at=last),
        by(1, box("road", 0, 0, 4, 4), updated_at=first),
        by(2, box("road", 0, 0, 9, 9), ground_truth=True),
    ]
    assert tasks(tmp_path, done, annotator="1")[0].labels.ids.sum() == 25


def test_tasks_without_the_chosen_one_have_no_labels_and_are_counted(tmp_path: Path) -> None:
    road = box("road", 0, 0, 4, 4)
    index = tasks(tmp_path, [by(ANN, road)], [by(BOB, road)], [by(BOB, road, was_cancelled=True)], annotator="1")
    assert [record.label is not None for record in index.records] == [True, False, False]
    assert "1 task has no labels, as it was not annotated by 1" in index.listing.notes


def test_nobody_of_that_name_is_refused_with_those_who_are_there(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"nobody called 'ann@farm\.orq'") as caught:
        three(tmp_path, "ann@farm.orq")
    assert "did you mean 'ann@farm.org'" in str(caught.value)
    assert "bob@farm.org" in str(caught.value)


def test_everybody_has_one_vote_however_often_they_submitted(tmp_path: Path) -> None:
    road, tree = box("road", 0, 0, 4, 4), box("tree", 0, 0, 4, 4)
    done = [by(ANN, road, updated_at="2024-01-01"), by(ANN, tree, updated_at="2024-01-02"), by(BOB, tree), by(3, road)]
    index = tasks(tmp_path, done, annotator="majority")
    assert (index[0].labels.ids[:4, :4] == index.table.names.index("tree")).all()
    assert index.listing.left_out == {"annotations of further annotators": 1}


def test_people_without_name_have_a_vote_each(tmp_path: Path) -> None:
    done = [annotation(box("road", 0, 0, 4, 4)), annotation(box("road", 0, 0, 4, 4)), annotation()]
    assert tasks(tmp_path, done, annotator="majority")[0].labels.ids.sum() == 16


def test_an_empty_submission_is_a_vote_for_the_background(tmp_path: Path) -> None:
    index = tasks(tmp_path, [by(ANN, box("road", 0, 0, 4, 4)), by(BOB)], annotator="majority")
    assert (index[0].labels.ids == IGNORE).sum() == 16


def test_a_task_of_one_annotator_stays_as_drawn_under_a_majority(tmp_path: Path) -> None:
    drawing = tasks(tmp_path, [by(ANN, box("road", 0, 0, 4, 4))], annotator="majority").annotation(0)
    assert isinstance(drawing, Drawing)
    assert drawing.shapes[0].kind == "rectangle"


def test_two_names_of_one_class_are_one_vote_and_ignored_pixels_need_no_name(tmp_path: Path) -> None:
    table = ClassTable((ClassInfo("background", (0, 0, 0)), ClassInfo("road", (9, 0, 0))))
    coding = LabelCoding(table, ignore_names=(), aliases=(("street", "road"),))
    done = [by(ANN, box("road", 0, 0, 4, 4)), by(BOB, box("street", 0, 0, 4, 6)), by(CYD)]
    index = tasks(tmp_path, done, annotator="majority", classes=coding)
    assert index[0].labels.ids.sum() == 16
    done[2:] = []
    ids = tasks(tmp_path, done, annotator="majority", classes=coding)[0].labels.ids
    assert (ids[:4, :4] == 1).all()
    assert (ids[4:6, :4] == IGNORE).all()


def test_a_label_that_is_no_class_cannot_vote(tmp_path: Path) -> None:
    done = [by(ANN, box("road", 0, 0, 4, 4)), by(BOB, box("tre", 0, 0, 4, 6))]
    coding = LabelCoding(ClassTable((ClassInfo("background", (0, 0, 0)), ClassInfo("road", (9, 0, 0)))))
    with pytest.raises(LabelError, match="'tre'"):
        tasks(tmp_path, done, annotator="majority", classes=coding).annotation(0)


def test_the_annotators_of_json_min_are_chosen_too(tmp_path: Path) -> None:
    save(tmp_path / "p.png", photo_of(0))
    region = box("road", 0, 0, 4, 4)["value"] | {"original_width": 16, "original_height": 12}
    rows = [{"image": "p.png", "id": 5, "label": [region], "annotator": who} for who in ("ann@farm.org", 2)]
    rows[1]["label"] = [region, region | {"x": 50}]
    (tmp_path / "min.json").write_text(json.dumps(rows))
    for annotator, pixels in (("ann@farm.org", 16), ("2", 32)):
        assert open_dataset(tmp_path, options={"annotator": annotator})[0].labels.ids.sum() == pixels
    ids = open_dataset(tmp_path, options={"annotator": "majority"})[0].labels.ids
    assert ((ids == 1).sum(), (ids == IGNORE).sum()) == (16, 16)


def test_a_majority_is_converted_with_its_ignored_pixels(tmp_path: Path) -> None:
    index = three(tmp_path / "from", "majority")
    for to in ("index-mask", "label-studio"):
        convert(tmp_path / "from", tmp_path / to, to=to, options={"annotator": "majority"})
        np.testing.assert_array_equal(open_dataset(tmp_path / to)[0].labels.ids, index[0].labels.ids)


@given(arrays(np.uint8, st.tuples(st.integers(1, 6), st.integers(1, 4), st.integers(1, 4)), elements=st.integers(0, 3)))
def test_the_majority_is_the_only_most_frequent_value(votes: np.ndarray) -> None:
    counts = np.stack([(votes == value).sum(axis=0) for value in range(4)])
    alone = (counts == counts.max(axis=0)).sum(axis=0) == 1
    np.testing.assert_array_equal(majority(list(votes)), np.where(alone, counts.argmax(axis=0), IGNORE))


def test_two_real_annotators_leave_what_they_agree_on(shared_data: Path) -> None:
    folder = shared_data / "labelstudio_a" / "tests" / "custom" / "converter" / "data" / "test_export_yolo"
    both = open_dataset(folder, options={"annotator": "majority"})
    assert len(both) == 7
    assert both.listing.left_out == {"keypoints": 3, "relations": 5}
