"""N105 where one file holds what several people drew in one photo."""

from pathlib import Path

import pytest

from data.label_studio import annotation, box, export, label_studio, task
from data.layouts import photo_of, save
from tessella.checking import check
from tessella.checking.looking import annotators
from tessella.core.finding import Finding
from tessella.dataset import open_dataset

ANN, BEN, CAT = (
    {"completed_by": {"id": n, "email": f"{name}@farm.org"}} for n, name in enumerate(("ann", "ben", "cat"))
)


def _found(root: Path, *tasks: list[dict], **options: str) -> list[Finding]:
    listed = []
    for number, done in enumerate(tasks):
        save(root / f"p{number}.png", photo_of(number))
        listed.append(task(number + 1, f"p{number}.png", *done))
    export(root / "tasks.json", *listed)
    return list(check(open_dataset(root, options=options)).by_code().get("N105", ()))


def test_two_people_who_drew_different_boxes_are_named_with_their_share(tmp_path: Path) -> None:
    differ = [annotation(box("road", 2, 1, 10, 6), **ANN), annotation(box("road", 2, 1, 10, 12), **BEN)]
    agree = [annotation(box("road", 2, 1, 10, 6), **ANN), annotation(box("road", 2, 1, 10, 6), **BEN)]
    alone = [annotation(box("road", 2, 1, 10, 6), **ANN)]
    (finding,) = _found(tmp_path, agree, differ, alone)
    assert (finding.severity, finding.where) == ("info", "tasks.json#2")
    # 8 x 6 of 192 pixels
    assert (
        finding.what
        == "ann@farm.org and ben@farm.org agree in 75.0% of the pixels; they first differ at row 6, column 2"
    )


def test_below_one_half_it_is_a_warning(tmp_path: Path) -> None:
    whole = [annotation(box("road", 0, 0, 16, 12), **ANN), annotation(box("road", 0, 0, 2, 2), **BEN)]
    (finding,) = _found(tmp_path, whole)
    assert finding.severity == "warning"
    assert "agree in 2.1% of the pixels; they first differ at row 0, column 2" in finding.what


@pytest.mark.parametrize("options", [{}, {"annotator": "majority"}, {"annotator": "cat@farm.org"}])
def test_of_three_the_two_furthest_apart_are_named_whosever_annotation_counts(tmp_path: Path, options: dict) -> None:
    three = [
        annotation(box("road", 0, 0, 8, 12), **ANN),
        annotation(box("road", 0, 0, 9, 12), **BEN),
        annotation(box("road", 0, 0, 12, 12), **CAT),
    ]
    (finding,) = _found(tmp_path, three, **options)
    assert finding.what.startswith(
        "ann@farm.org and cat@farm.org, of 3 annotators the two furthest apart, agree in 75.0% of the pixels"
    )


def test_what_one_person_drew_anew_is_no_disagreement(tmp_path: Path) -> None:
    again = [annotation(box("road", 0, 0, 8, 12), **ANN), annotation(box("road", 0, 0, 2, 2), **ANN)]
    assert _found(tmp_path, again) == []


def test_people_without_a_name_are_different_people(tmp_path: Path) -> None:
    (finding,) = _found(tmp_path, [annotation(box("road", 0, 0, 8, 12)), annotation(box("road", 0, 0, 9, 12))])
    assert finding.what.startswith("annotator 1 and annotator 2 agree in 93.8% of the pixels")


def test_other_outlines_of_the_same_pixels_are_no_disagreement(tmp_path: Path) -> None:
    halves = [box("road", 0, 0, 4, 12, region="a"), box("road", 4, 0, 8, 12, region="b")]
    assert _found(tmp_path, [annotation(box("road", 0, 0, 8, 12), **ANN), annotation(*halves, **BEN)]) == []


def test_a_task_that_cannot_be_painted_is_left_to_its_own_rule(tmp_path: Path) -> None:
    turned = box("road", 0, 0, 8, 12) | {"image_rotation": 90}
    assert _found(tmp_path, [annotation(turned, **ANN), annotation(box("road", 0, 0, 9, 12), **BEN)]) == []


def test_a_set_of_one_annotator_per_photo_is_compared_with_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = open_dataset(label_studio(tmp_path))
    painted: list[int] = []
    monkeypatch.setattr(type(index), "resolve", lambda *_: painted.append(1))
    assert [annotators.dispute_of(index, position) for position in range(len(index))] == [None] * len(index)
    assert painted == []
