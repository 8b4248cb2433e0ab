"""Writing darwin: shapes that stay shapes, label maps as regions with holes, and what stands beside them."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.layouts import TABLE, ids_of, photo_of, save
from tessella.core.annotation import Drawing, Shape
from tessella.core.classes import LabelCoding
from tessella.core.labelmap import LabelMap
from tessella.dataset.convert import convert
from tessella.dataset.index import Index, open_dataset
from tessella.formats.listing import Item, Written
from tessella.formats.platforms.darwin.writing import close, write_one
from tessella.formats.tools.painting import covered

CODING = LabelCoding(TABLE)
HW = (12, 16)


def written(drawing: Drawing | None, labels: LabelMap | None, hw: tuple[int, int], dst: Path) -> Index:
    entry = write_one(Item("p", "p", "", hw, None, None, labels, drawing), CODING, dst)
    close([Written("p", "p", "", entry)], CODING, dst)
    return open_dataset(dst, format="darwin")


def kept(*shapes: Shape, dst: Path) -> tuple[Shape, ...]:
    found = written(Drawing(shapes, HW), None, HW, dst).annotation(0)
    assert isinstance(found, Drawing)
    return found.shapes


RING = np.array([[0.0, 0], [12, 0], [12, 9.3]])
SHAPES = [
    (Shape("road", "rectangle", np.array([[9.5, 7.5], [2.5, 1.25]])), "rectangle"),
    (Shape("road", "rectangle", np.array([[0.4, 0.7], [1.7, 8.9]])), "polygon"),
    (Shape("road", "circle", np.array([[6.0, 5.0], [9.0, 5.0]])), "ellipse"),
    (Shape("tree", "ellipse", np.array([[6.0, 5.0], [9.0, 7.0], [4.0, 8.0]])), "ellipse"),
    (Shape("tree", "ellipse", np.array([[6.0, 5.0], [9.0, 7.0], [6.0, 9.0]])), "polygon"),
    (Shape("tree", "linestrip", np.array([[1.0, 1.0], [9.0, 9.0], [12, 3]])), "linestrip"),
    (Shape("tree", "points", np.array([[3.0, 4.0], [13.0, 9.0]])), "polygon"),
    (Shape("road", "polygon", RING, holes=(np.array([[3.0, 1], [6, 1], [6, 3]]),)), "polygon"),
    (Shape("road", "mask", np.array([[-1.0, 2.0]]), mask=np.array([[True, False], [True, True]])), "polygon"),
]


@pytest.mark.parametrize(("shape", "kind"), SHAPES, ids=lambda one: getattr(one, "kind", one))
def test_every_shape_is_written_so_that_it_covers_the_same_pixels(shape: Shape, kind: str, tmp_path: Path) -> None:
    (found,) = kept(shape, dst=tmp_path)
    assert (found.label, found.kind) == (shape.label, kind)
    np.testing.assert_array_equal(covered(found, HW), covered(shape, HW))


def test_a_hole_stays_a_hole(tmp_path: Path) -> None:
    (found,) = kept(SHAPES[7][0], dst=tmp_path)
    assert [ring.tolist() for ring in (found.points_xy, *found.holes)] == [
        RING.tolist(), [[3.0, 1], [6, 1], [6, 3]],
    ]  # fmt: skip


def test_a_shape_without_a_pixel_is_not_written(tmp_path: Path) -> None:
    assert kept(Shape("road", "mask", np.zeros((1, 2)), mask=np.zeros((2, 2), bool)), dst=tmp_path) == ()


def test_objects_keep_their_number_or_get_a_free_one(tmp_path: Path) -> None:
    found = kept(*(Shape("road", "polygon", RING, group) for group in ("1", "west", "west", "", "007")), dst=tmp_path)
    assert [shape.group for shape in found] == ["1", "2", "2", "", "3"]


def test_attributes_become_properties_and_text(tmp_path: Path) -> None:
    said = (("state", "wet"), ("text", "hello"))
    (found,) = kept(Shape("road", "polygon", RING, attributes=said), dst=tmp_path)
    assert found.attributes == said
    (row,) = [one for one in metadata(tmp_path) if one["properties"]]
    assert (row["name"], [one["name"] for one in row["properties"]]) == ("road", ["state"])


def test_two_texts_both_come_back(tmp_path: Path) -> None:
    said = (("text", "hello"), ("text", "again"))
    (found,) = kept(Shape("road", "polygon", RING, attributes=said), dst=tmp_path)
    assert found.attributes == said


def metadata(dst: Path) -> list[dict]:
    return json.loads((dst / ".v7" / "metadata.json").read_text())["classes"]


def test_the_metadata_states_every_class_once_per_kind(tmp_path: Path) -> None:
    kept(SHAPES[0][0], SHAPES[3][0], dst=tmp_path)
    rows = [(one["name"], one["type"]) for one in metadata(tmp_path)]
    assert [kind for name, kind in rows if name == "road"] == ["polygon", "bounding_box"]
    assert [kind for name, kind in rows if name == "tree"] == ["polygon", "ellipse"]
    assert len(set(rows)) == len(rows)
    (tmp_path / "classes.toml").unlink()
    again = open_dataset(tmp_path).table
    assert (again.names, again.colours) == (TABLE.names, TABLE.colours)


@given(st.integers(0, 30), st.integers(1, 20), st.integers(1, 20))
def test_a_label_map_comes_back_pixel_for_pixel(
    tmp_path_factory: pytest.TempPathFactory, seed: int, height: int, width: int
) -> None:
    ids = np.random.default_rng(seed).choice([0, 1, 2, 255], (height, width)).astype(np.uint8)
    index = written(None, LabelMap(ids, TABLE), ids.shape, tmp_path_factory.mktemp("out"))
    np.testing.assert_array_equal(index.labels(0).ids, ids)


def test_photos_of_one_name_lie_in_the_folders_of_their_splits(tmp_path: Path) -> None:
    for number, place in enumerate(("train/images/street/a", "train/images/b", "val/images/a")):
        save(tmp_path / "set" / f"{place}.png", photo_of(number))
        save(tmp_path / "set" / f"{place.replace('images', 'masks')}.png", ids_of(number, ignore=False))
    convert(tmp_path / "set", tmp_path / "out", to="darwin")
    found = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.json"))
    assert found == [
        ".v7/metadata.json", "annotations/train/b.json", "annotations/train/street/a.json", "annotations/val/a.json",
    ]  # fmt: skip
    index = open_dataset(tmp_path / "out")
    assert [(one.name, one.split) for one in index.records] == [
        ("images/train/b", "train"), ("images/train/street/a", "train"), ("images/val/a", "val"),
    ]  # fmt: skip
    for sample, number in zip(index, (1, 0, 2), strict=True):
        np.testing.assert_array_equal(sample.image.pixels, photo_of(number))
        assert sample.labels is not None
        np.testing.assert_array_equal(sample.labels.ids, ids_of(number, ignore=False))


def test_the_photo_of_another_folder_is_not_taken_for_a_missing_one(tmp_path: Path) -> None:
    for number, place in enumerate(("train/images/a", "val/images/a")):
        save(tmp_path / "set" / f"{place}.png", photo_of(number))
        save(tmp_path / "set" / f"{place.replace('images', 'masks')}.png", ids_of(number, ignore=False))
    convert(tmp_path / "set", tmp_path / "out", to="darwin")
    (tmp_path / "out" / "images" / "val" / "a.png").unlink()
    index = open_dataset(tmp_path / "out")
    assert [(one.name, one.image is None, one.split) for one in index.records] == [
        ("images/train/a", False, "train"), ("val/a", True, "val"),
    ]  # fmt: skip
    np.testing.assert_array_equal(index.labels(0).ids, ids_of(0, ignore=False))
    np.testing.assert_array_equal(index.labels(1).ids, ids_of(1, ignore=False))


def test_darwins_own_files_are_written_as_they_were_read(shared_data: Path, tmp_path: Path) -> None:
    source = shared_data / "v7_darwin" / "e2e_tests" / "data" / "convert" / "instance_mask" / "from"
    convert(source, tmp_path / "out", to="darwin")
    mine, theirs = open_dataset(source).annotation(0), open_dataset(tmp_path / "out").annotation(0)
    assert isinstance(mine, Drawing)
    assert isinstance(theirs, Drawing)
    assert [(one.label, one.kind, one.points_xy.tolist()) for one in mine.shapes] == [
        (one.label, one.kind, one.points_xy.tolist()) for one in theirs.shapes
    ]
