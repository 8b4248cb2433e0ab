"""CVAT's XML for video: frames, keyframes, what lies between them, and which photo is which frame."""

from pathlib import Path

import numpy as np
import pytest

from data.cvat import at, cvat_file, cvat_video, frame, image, meta, track, video_meta
from data.layouts import photo_of, save
from tessella.core.annotation import Drawing, Shape
from tessella.core.errors import FormatError, InputError
from tessella.dataset.convert import convert
from tessella.dataset.index import Index, open_dataset
from tessella.formats.cvat.interpolation import between, moved, turned


def opened(root: Path, tracks: str, head: str | None = None) -> Index:
    head = video_meta(0, 4) if head is None else head
    return open_dataset(cvat_file(root, tracks, head), format="cvat-video")


def shapes(index: Index, number: int) -> tuple[Shape, ...]:
    place = next(place for place, record in enumerate(index.records) if record.key.endswith(f"frame_{number:06d}"))
    found = index.annotation(place)
    assert isinstance(found, Drawing)
    return found.shapes


def test_a_box_moves_on_a_straight_line_between_keyframes(tmp_path: Path) -> None:
    index = opened(tmp_path, track("road", frame(0, **at(0, 0, 4, 4)), frame(4, **at(8, 4, 16, 8))))
    assert [shapes(index, number)[0].points_xy.tolist() for number in range(5)] == [
        [[0, 0], [4, 4]], [[2, 1], [7, 5]], [[4, 2], [10, 6]], [[6, 3], [13, 7]], [[8, 4], [16, 8]],
    ]  # fmt: skip


def test_an_object_is_gone_from_the_frame_where_it_is_outside(tmp_path: Path) -> None:
    index = opened(tmp_path, track("road", frame(1, **at(0, 0, 4, 4)), frame(3, outside=1, **at(8, 4, 16, 8))))
    assert [len(shapes(index, number)) for number in range(5)] == [0, 1, 1, 0, 0]
    assert shapes(index, 2)[0].points_xy.tolist() == [[4, 2], [10, 6]]


def test_after_its_last_keyframe_an_object_stays(tmp_path: Path) -> None:
    index = opened(tmp_path, track("road", frame(1, **at(0, 0, 4, 4))))
    assert [len(shapes(index, number)) for number in range(5)] == [0, 1, 1, 1, 1]


def test_a_listed_frame_is_as_listed_and_only_keyframes_are_interpolated(tmp_path: Path) -> None:
    listed = frame(1, keyframe=0, **at(9, 9, 10, 10))
    index = opened(tmp_path, track("road", frame(0, **at(0, 0, 4, 4)), listed, frame(4, **at(8, 4, 16, 8))))
    assert shapes(index, 1)[0].points_xy.tolist() == [[9, 9], [10, 10]]
    assert shapes(index, 2)[0].points_xy.tolist() == [[4, 2], [10, 6]]


def test_steps_between_frames_are_the_heads(tmp_path: Path) -> None:
    tracks = track("road", frame(10, **at(0, 0, 4, 4)), frame(16, **at(8, 4, 16, 8)))
    index = opened(tmp_path, tracks, video_meta(10, 19, step=3))
    assert [record.key for record in index.records] == [f"frame_{number:06d}" for number in (10, 13, 16, 19)]
    assert shapes(index, 13)[0].points_xy.tolist() == [[4, 2], [10, 6]]


def test_rotation_goes_the_shorter_way(tmp_path: Path) -> None:
    assert turned(350, 10, 0.5) == pytest.approx(0)
    assert turned(10, 350, 0.25) == pytest.approx(5)
    sides = {"cx": 8, "cy": 6, "rx": 4, "ry": 2}
    tracks = track("road", frame(0, rotation=350, **sides), frame(4, rotation=10, **sides), tag="ellipse")
    assert shapes(opened(tmp_path, tracks), 2)[0].points_xy.tolist() == [[8, 6], [12, 6], [8, 8]]


def test_masks_are_nowhere_between_their_frames(tmp_path: Path) -> None:
    runs = {"rle": "0, 4", "left": 1, "top": 2, "width": 2, "height": 2}
    tracks = track("road", frame(0, **runs), frame(3, **runs), tag="mask")
    index = opened(tmp_path, tracks)
    assert [len(shapes(index, number)) for number in range(5)] == [1, 0, 0, 1, 0]
    mask = shapes(index, 3)[0].mask
    assert mask is not None
    assert mask.all()


def test_one_point_moves_and_several_stay(tmp_path: Path) -> None:
    single = track("road", frame(0, points="0,0"), frame(4, points="4,8"), tag="points")
    several = track("tree", frame(0, points="0,0;1,1"), frame(4, points="4,8;5,5"), tag="points", number=1)
    index = opened(tmp_path, single + several)
    assert [part.points_xy.tolist() for part in shapes(index, 1)] == [[[1, 2]], [[0, 0], [1, 1]]]


def test_keyframes_of_two_kinds_do_not_mix(tmp_path: Path) -> None:
    tracks = '<track id="0" label="road">'
    tracks += f"<box {frame(0, **at(0, 0, 4, 4))}/><polygon {frame(4, points='0,0;9,0;9,9')}/></track>"
    assert shapes(opened(tmp_path, tracks), 2)[0].kind == "rectangle"


def test_polygons_of_equal_form_move_point_by_point() -> None:
    square = np.array([[0, 0], [4, 0], [4, 4], [0, 4]], float)
    np.testing.assert_allclose(between(square, square + 8, 0.25, closed=True), square + 2)


def test_a_corner_that_appears_grows_out_of_the_nearest_point() -> None:
    triangle = np.array([[0, 0], [8, 0], [8, 8]], float)
    square = np.array([[0, 0], [8, 0], [8, 8], [0, 8]], float)
    # along its outline of 27.3 the triangle has its corners at 0, 0.29, 0.59 and 1, the square at 0, 0.25, 0.5, 0.75
    # and 1: its new corner at 0.75 splits off the triangle's third, at 0.59
    found = between(triangle, square, 0.5, closed=True)
    np.testing.assert_allclose(found, [[0, 0], [8, 0], [8, 8], [4, 8]])


def test_points_that_come_too_close_are_dropped() -> None:
    line = np.array([[0, 0], [10, 0]], float)
    dense = np.array([[0, 0], [0.01, 0], [0.2, 0], [10, 0]], float)
    # the first three go to one point: half of their mean spacing is 0.2 / 3 / 2 = 0.033, and the second comes to 0.005
    assert between(dense, line, 0.5, closed=False).tolist() == [[0, 0], [0.1, 0], [10, 0]]


def test_an_outline_without_length_stays() -> None:
    dot = np.zeros((3, 2))
    square = np.array([[0, 0], [4, 0], [4, 4], [0, 4]], float)
    np.testing.assert_array_equal(between(dot, square, 0.5, closed=True), dot)
    np.testing.assert_array_equal(between(square, dot, 0.5, closed=True), square)
    broken = np.full((3, 2), np.nan)
    assert np.isnan(between(broken, square, 0.5, closed=True)).all()


def test_ends_of_the_way_are_the_keyframes() -> None:
    rng = np.random.default_rng(0)
    left, right = rng.uniform(0, 9, (5, 2)), rng.uniform(0, 9, (5, 2))
    np.testing.assert_allclose(moved(left, right, 0), left)
    np.testing.assert_allclose(moved(left, right, 1), right)


def test_tracks_are_objects_and_their_groups_are_kept(tmp_path: Path) -> None:
    tracks = track("road", frame(0, **at(0, 0, 4, 4))) + track("road", frame(0, **at(5, 5, 9, 9)), more='group_id="3"')
    assert [part.group for part in shapes(opened(tmp_path, tracks), 0)] == ["track 0", "3"]


def test_photos_are_found_by_the_number_of_their_frame(tmp_path: Path) -> None:
    index = open_dataset(cvat_video(tmp_path))
    assert [record.name for record in index.records] == [f"images/frame_{number:06d}" for number in range(4)]
    for position in range(4):
        np.testing.assert_array_equal(index.image(position).pixels, photo_of(position))
    assert {record.group for record in index.records} == {"annotations.xml 7"}


def test_other_photos_are_taken_in_the_order_of_their_names_when_they_are_as_many(tmp_path: Path) -> None:
    for number, name in enumerate("cadbe"):
        save(tmp_path / "images" / f"{name}.png", photo_of(number))
    index = opened(tmp_path, track("road", frame(0, **at(0, 0, 4, 4))))
    found = {record.key: record.image and record.image.stem for record in index.records}
    assert found == {f"frame_{number:06d}": name for number, name in enumerate("abcde")}
    assert any("in the order of their names" in note for note in index.listing.notes)


def test_other_photos_are_not_guessed_when_they_are_not_as_many(tmp_path: Path) -> None:
    save(tmp_path / "images" / "a.png", photo_of(0))
    index = opened(tmp_path, track("road", frame(0, **at(0, 0, 4, 4))))
    assert [record.image for record in index.records] == [None] * 5
    assert any("1 photo is not named after frames" in note for note in index.listing.notes)


def test_frames_without_photo_and_size_are_orphans(tmp_path: Path) -> None:
    save(tmp_path / "images" / "frame_000001.png", photo_of(0))
    index = opened(tmp_path, track("road", frame(0, **at(0, 0, 4, 4))), video_meta(0, 2, hw=None))
    assert index.listing.orphan_labels == ("annotations.xml#frame_000000", "annotations.xml#frame_000002")
    assert [record.key for record in index.records] == ["frame_000001"]


def test_videos_of_a_project_keep_their_frames_apart(tmp_path: Path) -> None:
    tasks = ""
    for number, subset in ((4, "Train"), (5, "Validation")):
        save(tmp_path / "images" / subset / "frame_000000.png", photo_of(number))
        tasks += f"<task><id>{number}</id><name>v</name><subset>{subset}</subset><mode>interpolation</mode>"
        tasks += "<start_frame>0</start_frame><stop_frame>0</stop_frame></task>"
    head = meta(kind="project", more=f"<tasks>{tasks}</tasks>")
    tracks = "".join(
        track("road", frame(0, **at(number, 0, 9, 9)), more=f'task_id="{number}"', number=number) for number in (4, 5)
    )
    index = opened(tmp_path, tracks, head)
    assert [(record.key, record.split) for record in index.records] == [
        ("Train-4/frame_000000", "train"), ("Validation-5/frame_000000", "val"),
    ]  # fmt: skip
    for position, number in ((0, 4), (1, 5)):
        drawing = index.annotation(position)
        assert isinstance(drawing, Drawing)
        assert [part.points_xy[0, 0] for part in drawing.shapes] == [number]
        np.testing.assert_array_equal(index.image(position).pixels, photo_of(number))


def test_tracks_that_no_label_map_holds_are_counted(tmp_path: Path) -> None:
    skeleton = '<track id="1" label="road"><skeleton frame="0" keyframe="1"></skeleton></track>'
    index = opened(tmp_path, track("road", frame(0, **at(0, 0, 4, 4))) + skeleton)
    assert dict(index.listing.left_out) == {"tracks of skeletons": 1}


def test_a_video_that_never_ends_is_refused(tmp_path: Path) -> None:
    tracks = track("road", frame(0, **at(0, 0, 4, 4)))
    with pytest.raises(FormatError, match="too many frames"):
        opened(tmp_path, tracks, video_meta(0, 10**12))


def test_a_frame_that_is_no_number_is_named(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"track 0: box 1: frame.*'soon'"):
        opened(tmp_path, track("road", 'frame="soon" keyframe="1" outside="0"'))


def test_a_file_of_images_is_not_one_of_video(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"no CVAT file with tracks lies here.*--format cvat, or leave out --format"):
        opened(tmp_path, image("a.png"))


def test_photos_that_are_no_frame_have_no_labels(tmp_path: Path) -> None:
    root = cvat_video(tmp_path)
    save(root / "images" / "frame_000099.png", photo_of(9))
    index = open_dataset(root)
    assert [record.name for record in index.records if record.label is None] == ["images/frame_000099"]
    with pytest.raises(InputError, match="no labels"):
        index.annotation(4)


def test_a_video_becomes_images_with_the_same_pixels(tmp_path: Path) -> None:
    index = open_dataset(cvat_video(tmp_path / "set"))
    convert(index, tmp_path / "out", to="cvat")
    again = open_dataset(tmp_path / "out")
    assert again.format == "cvat"
    for mine, theirs in zip(index, again, strict=True):
        assert mine.labels is not None
        assert theirs.labels is not None
        np.testing.assert_array_equal(mine.labels.ids, theirs.labels.ids)


def test_the_real_examples_are_read(shared_data: Path) -> None:
    for zoo, left_out in (("format_zoo_a", {}), ("format_zoo_b", {"tracks of skeletons": 1})):
        index = open_dataset(shared_data / zoo / "tests" / "assets" / "cvat_dataset" / "for_video")
        assert index.format == "cvat-video"
        assert dict(index.listing.left_out) == left_out
        assert [len(shapes(index, number)) for number in (10, 13, 16)] == [2, 1, 0]
