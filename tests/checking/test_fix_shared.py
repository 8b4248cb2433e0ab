"""`--fix` in files that describe several photos: COCO's JSON and CVAT's XML."""

import json
from pathlib import Path
from xml.etree.ElementTree import tostring

import numpy as np
import pytest

from data import coco, cvat
from data.layouts import photo_of, save
from tessella.checking import FixReport, check, fix
from tessella.core.classes import ClassTable, LabelCoding
from tessella.dataset import Index, open_dataset
from tessella.files.xml import read_xml

CODING = LabelCoding(ClassTable.from_names(("background", "road", "tree", "building")))


def _fixed(root: Path, coding: LabelCoding | None = None) -> tuple[FixReport, Index]:
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    index = open_dataset(root, classes=coding)
    report = fix(index, check(index), root.parent / "fixed")
    assert {path: path.read_bytes() for path in root.rglob("*") if path.is_file()} == before
    return report, open_dataset(root.parent / "fixed", classes=coding)


def _label_map(index: Index, name: str) -> np.ndarray:
    position = next(place for place, record in enumerate(index.records) if record.name.endswith(name))
    labels = index[position].labels
    assert labels is not None
    return labels.ids


def _spoiled(rows: list[dict]) -> list[dict]:
    """Of two photos: beyond the border, twice, no area, one of two parts outside, a slip in a name, and sound ones."""
    line = [1, 1, 5, 5, 9, 9]
    return [
        coco.row(1, 1, 3, [coco.block(2, 0, 25, 6)], attributes={"wet": True}),
        coco.row(2, 1, 17, [coco.block(7, 7, 16, 12)], score=0.25),
        coco.row(3, 1, 17, [line]),
        coco.row(4, 2, 3, [coco.block(1, 1, 5, 5), coco.block(20, 1, 25, 5)]),
        coco.row(5, 2, 17, [[16, 8, 10, 8, 10, 12, 16, 12]]),
        coco.row(6, 2, 17, [coco.block(10, 8, 16, 12)]),
        coco.row(7, 2, 44, [coco.block(6, 1, 8, 3)]),
        *rows,
    ]


CATEGORIES = [*coco.CATEGORIES, {"id": 44, "name": "bulding", "supercategory": "made", "color": [1, 2, 3]}]


@pytest.fixture
def spoiled(tmp_path: Path) -> Path:
    root = tmp_path / "source"
    for seed in range(3):
        coco.photo(root / "images" / f"p{seed}.png", seed)
    third = [
        coco.row(8, 3, 17, {"size": [12, 16], "counts": [0, 12, 180]}),
        coco.row(9, 3, 3, [coco.block(4, 4, 9, 9)]),
    ]
    coco.document(
        root / "annotations" / "instances_default.json",
        coco.images("p0.png", "p1.png", "p2.png"),
        _spoiled(third),
        CATEGORIES,
        info={"year": 2024, "more": [1.50, None]},
        ours={"kept": "ä"},
    )
    return root


def test_repairs_of_several_photos_meet_in_one_coco_file(spoiled: Path) -> None:
    report, copy = _fixed(spoiled, CODING)
    assert [finding.code for finding in report.person] == ["C101"]  # of the name that is wrong in every place
    assert [one for one in check(copy).findings if one.severity != "info"] == []
    name = "annotations/instances_default.json"
    assert [(change.file, change.code, change.what.split(":")[0]) for change in report.changes] == [
        (f"{name}#1", "G101", "shape 0"),
        (f"{name}#1", "G105", "shape 2"),
        (f"{name}#2", "L110", "shape 4"),
        (f"{name}#2", "G101", "shape 1"),
        (f"{name}#2", "G107", "shape 2"),
    ]
    before = open_dataset(spoiled, classes=LabelCoding(CODING.table, aliases=(("bulding", "building"),)))
    for photo in ("p0", "p1", "p2"):
        assert np.array_equal(_label_map(before, photo), _label_map(copy, photo)), photo


def test_a_coco_file_keeps_all_else_that_it_says(spoiled: Path) -> None:
    _fixed(spoiled, CODING)
    name = "annotations/instances_default.json"
    old, new = (json.loads((root / name).read_text()) for root in (spoiled, spoiled.parent / "fixed"))
    assert list(new) == list(old)
    assert {key: new[key] for key in ("info", "licenses", "images", "ours")} == {
        key: old[key] for key in ("info", "licenses", "images", "ours")
    }
    assert new["categories"] == [*old["categories"], {**CATEGORIES[2], "id": 45, "name": "building"}]
    was = {row["id"]: row for row in old["annotations"]}
    now = {row["id"]: row for row in new["annotations"]}
    assert list(now) == [1, 2, 4, 6, 7, 8, 9]
    assert all(now[number] == was[number] for number in (2, 6, 8, 9))
    assert now[7] == {**was[7], "category_id": 45}
    corners = now[1].pop("segmentation")
    assert sorted(map(tuple, np.reshape(corners[0], (-1, 2)).tolist())) == [(2, 0), (2, 6), (16, 0), (16, 6)]
    assert {**now[1], "segmentation": was[1]["segmentation"]} == {**was[1], "bbox": [2, 0, 14, 6], "area": 84}
    assert now[4] == {**was[4], "segmentation": [coco.block(1, 1, 5, 5)], "bbox": [1, 1, 4, 4], "area": 16}


def test_bytes_between_the_repaired_annotations_stay(spoiled: Path) -> None:
    path = spoiled / "annotations" / "instances_default.json"
    path.write_text(json.dumps(json.loads(path.read_text()), indent=3), encoding="utf-16")
    _fixed(spoiled, CODING)
    old, new = (
        (root / "annotations" / path.name).read_bytes().decode("utf-16") for root in (spoiled, spoiled.parent / "fixed")
    )
    assert new.startswith(old[: old.index('"annotations"')].rpartition("]")[0].rpartition("]")[0].rpartition("}")[0])
    assert new.endswith(old[old.index('"ours"') :])
    assert json.loads(new)["ours"] == {"kept": "ä"}


@pytest.mark.parametrize("gone", [(0,), (1,), (2,), (0, 1), (1, 2), (0, 2), (0, 1, 2)])
def test_annotations_go_with_one_comma_each(tmp_path: Path, gone: tuple[int, ...]) -> None:
    root = tmp_path / "source"
    outside, inside = coco.block(20, 1, 25, 5), coco.block(1, 1, 5, 5)
    rows = [coco.row(n, 1, 3, [outside if n in gone else [v + n for v in inside]]) for n in range(3)]
    coco.photo(root / "images" / "p0.png")
    coco.document(root / "annotations" / "instances_default.json", coco.images("p0.png"), rows)
    index = open_dataset(root)
    report = fix(index, check(index), root.parent / "fixed")
    assert len(report.changes) == len(gone)
    new = json.loads((root.parent / "fixed" / "annotations" / "instances_default.json").read_text())
    assert new["annotations"] == [row for number, row in enumerate(rows) if number not in gone]


def test_a_box_without_outline_is_cut_below_the_outlines(tmp_path: Path) -> None:
    root = tmp_path / "source"
    rows = [
        coco.row(1, 1, 3, [coco.block(1, 1, 5, 5)]),
        coco.row(2, 1, 17, [], bbox=[10, 2, 15, 4], area=60, keypoints=[1, 2, 2]),
        coco.row(3, 1, 3, coco.block(4, 6, 18, 8)),
        coco.row(4, 1, 3, [[[2, 8], [2, 14], [4, 14], [4, 8]], [1, 1, 2, 2]]),
    ]
    coco.photo(root / "images" / "p0.png")
    coco.document(root / "annotations" / "instances_default.json", coco.images("p0.png"), rows)
    report, copy = _fixed(root)
    assert [change.code for change in report.changes] == ["G102", "G101", "G101", "G101"]
    new = json.loads((copy.root / "annotations" / "instances_default.json").read_text())["annotations"]
    assert new[0] == rows[0]
    assert new[1] == {**rows[1], "bbox": [10, 2, 6, 4], "area": 24}
    assert (new[2]["bbox"], new[2]["area"], len(new[2]["segmentation"])) == ([4, 6, 12, 2], 24, 8)
    assert (new[3]["bbox"], new[3]["area"]) == ([2, 8, 2, 4], 8)
    assert [sorted(part) for part in new[3]["segmentation"]] == [[[2, 8], [2, 12], [4, 8], [4, 12]]]


def test_a_part_that_needs_a_person_stays_while_the_others_are_repaired(tmp_path: Path) -> None:
    root = tmp_path / "source"
    lost, far = [1, 1, None, 2, 3, None], coco.block(1, 1, 4, 4)
    rows = [
        coco.row(1, 1, 3, [coco.block(1, 1, 20, 5), lost]),
        coco.row(2, 1, 17, [[1, 9, None, 9, 1, 11, 4, 11], [1, 1, 5, 5, 9, 9]]),
        coco.row(3, 1, 17, [far, [1, 1, 5, 5, 9, 9], coco.block(5, 5, 1e9, 8)]),
    ]
    coco.photo(root / "images" / "p0.png")
    coco.document(root / "annotations" / "instances_default.json", coco.images("p0.png"), rows)
    index = open_dataset(root)
    report = fix(index, check(index), root.parent / "fixed")
    assert {finding.code for finding in report.person} == {"G103"}
    new = json.loads((root.parent / "fixed" / "annotations" / "instances_default.json").read_text())["annotations"]
    assert new[0]["segmentation"][1] == lost
    assert (new[0]["bbox"], new[0]["area"]) == (rows[0]["bbox"], rows[0]["area"])
    assert new[1] == {**rows[1], "segmentation": [[1, 9, None, 9, 1, 11, 4, 11]]}
    assert new[2]["bbox"] == [1, 1, 15, 7]


@pytest.fixture
def cvat_set(tmp_path: Path) -> Path:
    root = tmp_path / "source"
    said = '<attribute name="wet">yes &amp; no</attribute>'
    first = cvat.polygon("tree", [(7, 5), (16, 5), (16, 12), (7, 12)], z=1, inside=said)
    first += cvat.box("road", 2, 0, 25, 6, group_id=3) + '<tag label="night" source="manual"></tag>'
    first += cvat.box("tree", 20, 1, 25, 5) + cvat.box("tree", 14, 4, 18, 8, rotation=45, z=2)
    second = cvat.polygon("raod", [(1, 1), (5, 1), (5, 5)]) + cvat.polygon("tree", [(1, 1), (2, 2)])
    second += cvat.polygon("tree", [(8, 8), (12, 8), (12, 11), ("nan", 3)])
    images = [cvat.image("p0.png", first), cvat.image("p1.png", second, number=1)]
    images += [cvat.image("p2.png", cvat.box("road", 30, 1, 34, 5), number=2), cvat.image("p3.png", first, number=3)]
    for seed in range(4):
        save(root / "images" / f"p{seed}.png", photo_of(seed))
    return cvat.cvat_file(root, "".join(images))


ROADS = LabelCoding(ClassTable.from_names(("background", "road", "tree")))


def test_repairs_of_several_images_meet_in_one_cvat_file(cvat_set: Path) -> None:
    report, copy = _fixed(cvat_set, ROADS)
    assert report.person == ()
    assert [one for one in check(copy).findings if one.severity != "info"] == []
    files = {change.file for change in report.changes}
    assert files == {f"annotations.xml#p{number}.png" for number in range(4)}
    assert {change.code for change in report.changes} == {"G101", "G102", "G103", "L110"}
    before = open_dataset(cvat_set, classes=ROADS)
    for photo in ("p0", "p2", "p3"):
        assert np.array_equal(_label_map(before, photo), _label_map(copy, photo)), photo
    assert (_label_map(copy, "p1")[1, 2:4] == 1).all()


def test_a_cvat_file_keeps_all_else_that_it_says(cvat_set: Path) -> None:
    _fixed(cvat_set, ROADS)
    old, new = (root / "annotations.xml" for root in (cvat_set, cvat_set.parent / "fixed"))
    assert new.read_text().startswith(old.read_text().partition("<image")[0])
    assert new.read_text().endswith("</image>\n\n</annotations>\n")
    was, now = (read_xml(path).findall("image") for path in (old, new))
    assert [image.attrib for image in now] == [image.attrib for image in was]
    tree, road, night, turned = now[0]
    assert tostring(tree) == tostring(was[0][0])
    assert road.attrib == {**was[0][1].attrib, "xbr": "16"}
    assert night.attrib == {"label": "night", "source": "manual"}
    assert turned.tag == "polygon"
    assert set(turned.attrib) == {"label", "source", "occluded", "z_order", "points"}
    assert now[1][0].attrib == {**was[1][0].attrib, "label": "road"}
    assert now[1][1].get("points") == "8,8;12,8;12,11"
    assert len(now[2]) == 0


def test_a_stated_size_that_is_wrong_is_left_to_a_person(tmp_path: Path) -> None:
    root = tmp_path / "source"
    coco.photo(root / "images" / "p0.png")
    rows = [coco.row(1, 1, 3, [coco.block(2, 2, 31, 23)])]
    listed = coco.images("p0.png", hw=(24, 32))
    coco.document(root / "annotations" / "instances_default.json", listed, rows)
    report, _ = _fixed(root)
    assert report.changes == ()
    assert [finding.code for finding in report.person] == ["S101"]
    assert "--fix" not in report.person[0].fix


def test_shapes_of_a_photo_that_is_not_here_are_repaired_too_for_its_entry_stays(tmp_path: Path) -> None:
    root = tmp_path / "source"
    coco.photo(root / "images" / "p0.png")
    rows = [coco.row(n, n, 3, [coco.block(1, 1, 5, 5 + n), [1, 1, 5, 5, 9, 9]]) for n in (1, 2)]
    listed = coco.images("p0.png", "gone.png")
    coco.document(root / "annotations" / "instances_default.json", listed, rows)
    report, copy = _fixed(root)
    assert {change.code for change in report.changes} == {"G105"}
    assert len(report.changes) == 2
    assert [finding.code for finding in report.person if finding.severity == "error"] == ["P102"]
    new = json.loads((copy.root / "annotations" / "instances_default.json").read_text())["annotations"]
    assert [row["segmentation"] for row in new] == [row["segmentation"][:1] for row in rows]


def test_outlines_of_too_few_points_go_and_leave_the_other_parts(tmp_path: Path) -> None:
    root = tmp_path / "source"
    coco.photo(root / "images" / "p0.png")
    coco.photo(root / "images" / "p1.png", 1)
    rows = [
        coco.row(1, 1, 3, [[1, 1, 5, 5], coco.block(1, 1, 5, 5), [7, 7]], bbox=[1, 1, 4, 4]),
        coco.row(2, 1, 17, [[1, 1, 5, 5]]),
        coco.row(3, 1, 17, [coco.block(6, 6, 9, 9)]),
        coco.row(4, 2, 17, [2, 2]),
        coco.row(5, 2, 17, [], bbox=[4, 4, 3, 3]),
        coco.row(6, 2, 3, [coco.block(1, 1, 5, 25), [1, 2, 3, 4]]),
    ]
    coco.document(root / "annotations" / "instances_default.json", coco.images("p0.png", "p1.png"), rows)
    report, copy = _fixed(root)
    assert [finding.code for finding in report.person if finding.severity == "error"] == []
    assert "G102" not in check(copy).by_code()
    assert [change.what for change in report.changes if change.code == "G102"] == [
        "a polygon of 2 points, 'road', of object 1 was deleted",
        "a polygon of 1 points, 'road', of object 1 was deleted",
        "a polygon of 2 points, 'tree', of object 2 was deleted",
        "a polygon of 1 points, 'tree', of object 4 was deleted",
        "a polygon of 2 points, 'road', of object 6 was deleted",
    ]
    new = json.loads((copy.root / "annotations" / "instances_default.json").read_text())["annotations"]
    assert [row["id"] for row in new] == [1, 3, 5, 6]
    assert new[0] == {**rows[0], "segmentation": [coco.block(1, 1, 5, 5)], "area": 16}
    assert new[1:3] == [rows[2], rows[4]]
    assert (new[3]["bbox"], len(new[3]["segmentation"])) == ([1, 1, 4, 11], 1)
    for photo in ("p0", "p1"):
        assert np.array_equal(_label_map(open_dataset(root), photo), _label_map(copy, photo))


def test_a_copy_of_a_photo_stays_where_its_entry_cannot_be_left_out(tmp_path: Path) -> None:
    root = tmp_path / "source"
    for number in (0, 1):
        coco.photo(root / "images" / f"p{number}.png", 7)
    rows = [coco.row(n, n, 3, [coco.block(1, 1, 5, 5), [1, 1, 5, 5, 9, 9]]) for n in (1, 2)]
    coco.document(root / "annotations" / "instances_default.json", coco.images("p0.png", "p1.png"), rows)
    report, copy = _fixed(root)
    assert report.left_out == ()
    (twin,) = [finding for finding in report.person if finding.code in ("D101", "D102")]
    assert (twin.fixable, "--fix" in twin.fix) == (False, False)
    assert {change.code for change in report.changes} == {"G105"}
    assert "P102" not in check(copy).by_code()
