"""CVAT's XML for images: what each element becomes, where photos lie, and what is written."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from data.cvat import box, cvat, cvat_file, document, element, image, meta, polygon
from data.layouts import photo_of, save
from tessella.core.annotation import Drawing
from tessella.core.errors import FormatError, ImageError, InputError, TessellaError
from tessella.dataset.index import Index, open_dataset

SQUARE = [(2, 2), (8, 2), (8, 8), (2, 8)]


def one(root: Path, shapes: str, head: str | None = None, *, hw: tuple[int, int] = (12, 16)) -> Index:
    """A data set of one photo with these shapes."""
    save(root / "images" / "a.png", photo_of(0, hw))
    return open_dataset(cvat_file(root, image("a.png", shapes, hw=hw), head))


def drawing(index: Index, position: int = 0) -> Drawing:
    found = index.annotation(position)
    assert isinstance(found, Drawing)
    return found


def ids(index: Index, position: int = 0) -> np.ndarray:
    labels = index.labels(position)
    assert labels is not None
    return labels.ids


def test_every_element_becomes_its_shape(tmp_path: Path) -> None:
    shapes = polygon("road", SQUARE) + box("road", 1, 2, 3, 4) + polygon("road", [(0, 0), (3, 3)], "polyline")
    shapes += polygon("road", [(1, 1), (2, 2)], "points") + element("ellipse", "road", cx=5, cy=6, rx=3, ry=2)
    shapes += element("mask", "road", rle="1, 2, 1", left=3, top=4, width=2, height=2)
    index = one(tmp_path, shapes)
    kinds = [part.kind for part in drawing(index).shapes]
    assert kinds == ["polygon", "rectangle", "linestrip", "points", "ellipse", "mask"]
    *_, rectangle, ellipse, mask = (drawing(index).shapes[place] for place in (1, 4, 5))
    assert rectangle.points_xy.tolist() == [[1, 2], [3, 4]]
    assert ellipse.points_xy.tolist() == [[5, 6], [8, 6], [5, 8]]
    assert mask.points_xy[0].tolist() == [3, 4]
    assert mask.mask is not None
    assert mask.mask.tolist() == [[False, True], [True, False]]
    assert drawing(index).declared_hw == (12, 16)
    assert drawing(index).tool == "cvat"


def test_a_box_turns_clockwise_about_its_centre(tmp_path: Path) -> None:
    turned = drawing(one(tmp_path, box("road", 2, 4, 10, 8, rotation=90))).shapes[0]
    assert turned.kind == "polygon"
    # the centre is (6, 6); left top (2, 4) goes to right top (8, 2)
    np.testing.assert_allclose(turned.points_xy, [[8, 2], [8, 10], [4, 10], [4, 2]], atol=1e-12)


def test_an_ellipse_turns_clockwise_about_its_centre(tmp_path: Path) -> None:
    turned = drawing(one(tmp_path, element("ellipse", "road", cx=8, cy=6, rx=4, ry=2, rotation=30))).shapes[0]
    half = np.sqrt(3) / 2
    np.testing.assert_allclose(turned.points_xy, [[8, 6], [8 + 4 * half, 8], [7, 6 + 2 * half]], atol=1e-12)


def test_a_full_turn_is_no_turn(tmp_path: Path) -> None:
    assert drawing(one(tmp_path, box("road", 2, 4, 10, 8, rotation=360))).shapes[0].kind == "rectangle"


def test_higher_z_paints_later_and_equal_z_as_in_the_file(tmp_path: Path) -> None:
    shapes = box("tree", 0, 0, 4, 4, z=5) + box("road", 0, 0, 8, 8) + box("tree", 6, 6, 9, 9)
    labels = [part.label for part in drawing(one(tmp_path, shapes)).shapes]
    assert labels == ["road", "tree", "tree"]
    assert ids(one(tmp_path / "b", shapes))[[1, 5, 7], [1, 5, 7]].tolist() == [2, 1, 2]


@pytest.mark.parametrize("name", ["background", "Background", "_background_"])
def test_a_polygon_called_background_is_a_hole(tmp_path: Path, name: str) -> None:
    index = one(tmp_path, box("road", 0, 0, 10, 10) + box(name, 3, 3, 6, 6, z=1))
    assert index.table.names == ("background", "road", "tree")
    assert int((ids(index) == 1).sum()) == 100 - 9


def test_what_else_cvat_says_is_kept_as_attributes(tmp_path: Path) -> None:
    inside = '<attribute name="colour">dark &amp; wet</attribute><attribute name="parked">true</attribute>'
    shapes = f'<box label="road" source="auto" occluded="1" xtl="0" ytl="0" xbr="2" ybr="2" group_id="4">{inside}</box>'
    part = drawing(one(tmp_path, shapes)).shapes[0]
    assert part.group == "4"
    assert part.attributes == (
        ("occluded", "1"), ("source", "auto"), ("colour", "dark & wet"), ("parked", "true"),
    )  # fmt: skip


def test_what_no_label_map_holds_is_counted(tmp_path: Path) -> None:
    skeleton = '<skeleton label="road"><points label="head" points="1,1"></points></skeleton>'
    shapes = box("road", 0, 0, 3, 3) + '<tag label="road"></tag><cuboid label="road" xtl1="3"></cuboid>' + skeleton * 2
    index = one(tmp_path, shapes)
    assert dict(index.listing.left_out) == {"tags": 1, "cuboids": 1, "skeletons": 2}
    assert len(drawing(index).shapes) == 1


def test_classes_are_the_declared_labels_in_their_order_and_colours(tmp_path: Path) -> None:
    colours = {"zebra": (1, 2, 3), "ape": (1, 2, 3), "background": (9, 9, 9)}
    index = one(tmp_path, box("zebra", 0, 0, 3, 3), meta(["zebra", "ape", "background", "none"], colours=colours))
    assert index.table.names == ("background", "zebra", "ape", "none")
    assert index.table.colours[:2] == ((9, 9, 9), (1, 2, 3))
    assert len(set(index.table.colours)) == 4
    assert not index.listing.discovered


def test_labels_of_skeletons_are_no_classes(tmp_path: Path) -> None:
    more = "<label><name>body</name><type>skeleton</type></label>"
    more += "<label><name>head</name><type>points</type><parent>body</parent></label>"
    head = meta(["road", "tree"]).replace("<labels>", f"<labels>{more}")
    assert one(tmp_path, box("road", 0, 0, 3, 3), head).table.names == ("background", "road", "tree")


def test_a_label_that_is_not_declared_becomes_a_class_and_is_named(tmp_path: Path) -> None:
    index = one(tmp_path, box("river", 0, 0, 3, 3))
    assert index.table.names == ("background", "road", "tree", "river")
    assert "labels of shapes that the file does not declare: river" in index.listing.notes


def test_without_a_head_the_labels_found_are_the_classes(tmp_path: Path) -> None:
    index = one(tmp_path, box("river", 0, 0, 3, 3), "")
    assert index.table.names == ("background", "river")
    assert index.listing.discovered


def test_label_sets_of_several_files_are_merged_by_name(tmp_path: Path) -> None:
    for name, labels in (("a", ["road", "tree"]), ("b", ["tree", "river"])):
        save(tmp_path / f"{name}.png", photo_of(0))
        head = meta(labels, kind="job", colours={"tree": (5, 5, 5) if name == "a" else (6, 6, 6)})
        cvat_file(tmp_path, image(f"{name}.png", box("tree", 0, 0, 3, 3)), head, name=f"{name}.xml")
    index = open_dataset(tmp_path)
    assert index.table.names == ("background", "road", "tree", "river")
    assert index.table.colours[2] == (5, 5, 5)
    assert "labels declared in two colours, the first is taken: tree" in index.listing.notes
    assert [record.key for record in index.records] == ["a.png", "b.png"]


def test_a_project_has_its_photos_in_folders_of_its_subsets(tmp_path: Path) -> None:
    images = ""
    for number, subset in enumerate(("Train", "Validation", "default", "odd")):
        save(tmp_path / "images" / subset / "a.png", photo_of(number))
        images += image("a.png", box("road", number, 0, 9, 9), more=f'subset="{subset}" task_id="{number}"')
    index = open_dataset(cvat_file(tmp_path, images, meta(kind="project")))
    found = {record.name: record.split for record in index.records}
    assert found == {
        "images/Train/a": "train", "images/Validation/a": "val", "images/default/a": "", "images/odd/a": "odd",
    }  # fmt: skip
    for position in range(4):
        np.testing.assert_array_equal(index.image(position).pixels, photo_of(position))
        assert drawing(index, position).shapes[0].points_xy[0, 0] == position


def test_the_subset_of_a_task_is_the_split_of_its_images(tmp_path: Path) -> None:
    index = one(tmp_path, box("road", 0, 0, 3, 3), meta(more="<subset>Test</subset>"))
    assert [record.split for record in index.records] == ["test"]


def test_frames_of_a_video_task_are_one_group(tmp_path: Path) -> None:
    images = ""
    for number in range(2):
        save(tmp_path / "images" / f"frame_{number:06d}.png", photo_of(number))
        images += image(f"frame_{number:06d}", box("road", 0, 0, 3, 3))
    index = open_dataset(cvat_file(tmp_path, images, meta(more="<mode>interpolation</mode>")))
    assert {record.group for record in index.records} == {"task 7"}
    assert all(record.image is not None for record in index.records)


def test_a_missing_photo_keeps_its_labels_where_the_size_is_stated(tmp_path: Path) -> None:
    root = cvat(tmp_path)
    (root / "images" / "p1.png").unlink()
    index = open_dataset(root)
    lone = next(place for place, record in enumerate(index.records) if record.image is None)
    assert index.records[lone].name == "p1"
    assert ids(index, lone).shape == (12, 16)
    assert index.listing.orphan_labels == ()


def test_a_missing_photo_of_unknown_size_is_an_orphan(tmp_path: Path) -> None:
    root = cvat(tmp_path)
    text = (root / "annotations.xml").read_text()
    (root / "annotations.xml").write_text(text.replace('width="16" height="12"', ""))
    (root / "images" / "p1.png").unlink()
    index = open_dataset(root)
    assert index.listing.orphan_labels == ("annotations.xml#p1.png",)
    assert [record.key for record in index.records] == ["p0.png", "p2.png", "p3.png"]


def test_a_name_never_leads_out_of_the_folder(tmp_path: Path) -> None:
    save(tmp_path / "secret.png", photo_of(1))
    root = cvat_file(tmp_path / "set", image("../secret.png", box("road", 0, 0, 3, 3)) + image("/etc/x.png"))
    index = open_dataset(root)
    assert [(record.name, record.image) for record in index.records] == [("etc/x", None), ("secret", None)]


def test_images_without_shapes_count_as_labelled_and_are_noted(tmp_path: Path) -> None:
    save(tmp_path / "a.png", photo_of(0))
    save(tmp_path / "b.png", photo_of(1))
    root = cvat_file(
        tmp_path, image("a.png", box("road", 0, 0, 3, 3)) + '<image id="1" name="b.png" width="16" height="12"/>'
    )
    index = open_dataset(root)
    assert drawing(index, 1).shapes == ()
    assert any(note.startswith("1 of 2 images hold no shape") for note in index.listing.notes)


def test_photos_beside_the_others_that_no_image_names_have_no_labels(tmp_path: Path) -> None:
    root = cvat(tmp_path)
    save(root / "images" / "q.png", photo_of(9))
    index = open_dataset(root)
    assert [record.name for record in index.records if record.label is None] == ["images/q"]
    with pytest.raises(InputError, match="no labels"):
        index.annotation(4)


def test_two_images_of_one_photo_are_refused(tmp_path: Path) -> None:
    save(tmp_path / "images" / "a.png", photo_of(0))
    cvat_file(tmp_path, image("a.png", box("road", 0, 0, 3, 3)), name="job1.xml")
    cvat_file(tmp_path, image("a.png", box("road", 0, 0, 5, 5)), name="job2.xml")
    with pytest.raises(FormatError, match=r"job1\.xml#a\.png and job2\.xml#a\.png"):
        open_dataset(tmp_path)
    cvat_file(tmp_path / "b", image("a.png") + image("a.png"))
    with pytest.raises(FormatError, match=r"annotations\.xml twice"):
        open_dataset(tmp_path / "b", format="cvat")


def test_one_file_may_be_given_instead_of_a_folder(tmp_path: Path) -> None:
    cvat(tmp_path / "a")
    index = open_dataset(tmp_path / "a" / "annotations.xml")
    assert len(index) == 4
    assert all(record.image is not None for record in index.records)


@pytest.mark.parametrize(
    ("shapes", "says"),
    [
        (element("mask", "road", rle="1, 2", left=0, top=0, width=2, height=2), "runs do not fill"),
        (element("mask", "road", rle="1, x", left=0, top=0, width=2, height=2), "whole numbers"),
        (element("mask", "road", rle="1", left=0, top=0, width=0, height=2), "width"),
        (element("mask", "road", rle="9", left="east", top=0, width=3, height=3), "left"),
        ('<polygon label="road"></polygon>', "polygon 1: a shape has no points"),
        ('<polygon label="road" points="1;2;3"></polygon>', "not pairs"),
    ],
)
def test_a_broken_shape_is_named_with_its_image(tmp_path: Path, shapes: str, says: str) -> None:
    index = one(tmp_path, shapes)
    with pytest.raises(FormatError, match=rf"\.xml#a\.png: .*{says}"):
        index.labels(0)


def test_runs_of_a_trillion_pixels_are_refused_before_memory_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    huge = element("mask", "road", rle=str(10**12), left=0, top=0, width=10**6, height=10**6)
    with pytest.raises(ImageError, match="budget"):
        one(tmp_path, huge).labels(0)
    monkeypatch.setattr("tessella.formats.cvat.shapes.PHOTO_BUDGET", 100)
    fits = element("mask", "road", rle="40", left=0, top=0, width=8, height=5)
    assert len(drawing(one(tmp_path / "b", fits * 2)).shapes) == 2
    with pytest.raises(FormatError, match="the masks of one photo hold too many pixels"):
        one(tmp_path / "c", fits * 3).labels(0)


def test_a_coordinate_that_is_no_number_is_kept_for_the_check_and_never_painted(tmp_path: Path) -> None:
    index = one(tmp_path, box("road", "west", 0, 3, 3))
    assert np.isnan(drawing(index).shapes[0].points_xy[0, 0])
    with pytest.raises(TessellaError, match="not a number"):
        index.labels(0)


def test_another_encoding_is_read_from_the_same_places(tmp_path: Path) -> None:
    save(tmp_path / "images" / "ä.png", photo_of(0))
    text = document(image("ä.png", box("bäume", 0, 0, 3, 3)), meta(["bäume"]))
    for encoding in ("utf-16", "iso-8859-1"):
        (tmp_path / "annotations.xml").write_bytes(text.replace("utf-8", encoding).encode(encoding))
        index = open_dataset(tmp_path, format="cvat")
        assert index.table.names == ("background", "bäume")
        assert int((ids(index) == 1).sum()) == 9


def test_the_listing_crosses_processes(tmp_path: Path) -> None:
    index = open_dataset(cvat(tmp_path))
    again = pickle.loads(pickle.dumps(index))  # noqa: S301 - our own objects
    np.testing.assert_array_equal(ids(again), ids(index))


def test_a_file_without_images_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="no CVAT file with images"):
        open_dataset(cvat_file(tmp_path, ""), format="cvat")


def test_the_real_exports_are_read(shared_data: Path) -> None:
    samples = shared_data / "cvat_all_exports" / "docs" / "dataset-formats-samples" / "cvat-images"
    expected = {
        shared_data / "annotation_tools_same_images" / "datasets" / "cvat1.1": ([2, 1, 5, 17], {}),
        samples: ([1, 1, 0, 0], {"cuboids": 2, "tags": 1}),
    }
    for root, (counts, left_out) in expected.items():
        index = open_dataset(root)
        assert index.format == "cvat"
        assert [len(drawing(index, position).shapes) for position in range(len(index))] == counts
        assert dict(index.listing.left_out) == left_out
        for position in range(len(index)):
            ids(index, position)
