import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data.cvat import cvat
from data.layouts import box, ids_of, index_mask, labelme, labelme_file, photo_of, save, shape, voc
from tessella.checking import check
from tessella.cli.commands.convert import convert as command
from tessella.core.errors import FormatError, InputError, LabelError, OutputError
from tessella.dataset.convert import convert
from tessella.dataset.index import open_dataset


def leftovers(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_was_written_is_told(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    done = convert(index_mask(tmp_path / "set"), tmp_path / "out", to="voc", progress=lambda *step: told.append(step))
    assert (done.source_formats, done.format, done.samples, done.labelled) == (("index-mask",), "voc", 4, 4)
    assert done.classes == ("background", "road", "tree")
    assert told[-1] == (4, 4)
    assert leftovers(tmp_path) == ["out", "set"]


def test_photos_are_copied_byte_for_byte(tmp_path: Path) -> None:
    root = voc(tmp_path / "set")
    convert(root, tmp_path / "out", to="index-mask")
    old = (root / "JPEGImages" / "p0.jpg").read_bytes()
    assert (tmp_path / "out" / "train" / "images" / "p0.jpg").read_bytes() == old


def test_a_photo_that_exif_turns_is_written_upright(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (16, 12, 3), dtype=np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6
    (tmp_path / "set" / "images").mkdir(parents=True)
    Image.fromarray(pixels).save(tmp_path / "set" / "images" / "a.jpg", exif=exif)
    save(tmp_path / "set" / "masks" / "a.png", ids_of(0, (12, 16)))
    convert(tmp_path / "set", tmp_path / "out", to="labelme")
    assert (tmp_path / "out" / "a.png").is_file()
    before, after = open_dataset(tmp_path / "set")[0], open_dataset(tmp_path / "out")[0]
    assert before.labels is not None
    assert after.labels is not None
    np.testing.assert_array_equal(before.image.pixels, after.image.pixels)
    np.testing.assert_array_equal(before.labels.ids, after.labels.ids)


def test_values_are_normalised_and_the_class_file_says_so(tmp_path: Path) -> None:
    root = tmp_path / "set"
    for seed in range(3):
        save(root / "images" / f"{seed}.png", np.zeros((12, 16, 3), np.uint8))
        save(root / "masks" / f"{seed}.png", (ids_of(seed, ignore=False) > 0).astype(np.uint8) * np.uint8(255))
    convert(root, tmp_path / "out", to="index-mask")
    with Image.open(tmp_path / "out" / "masks" / "0.png") as mask:
        assert mask.mode == "P"
        assert set(np.unique(np.asarray(mask))) == {0, 1}
    assert open_dataset(tmp_path / "out").table.names == ("background", "foreground")


def test_the_tools_fill_can_be_baked_in(tmp_path: Path) -> None:
    root = labelme(tmp_path / "set")
    convert(root, tmp_path / "out", to="index-mask", fill="tool")
    tools, written = open_dataset(root, fill="tool").labels(0), open_dataset(tmp_path / "out").labels(0)
    assert tools is not None
    assert written is not None
    np.testing.assert_array_equal(tools.ids, written.ids)


def test_photos_without_labels_come_along(tmp_path: Path) -> None:
    root = index_mask(tmp_path / "set")
    (root / "masks" / "p0.png").unlink()
    done = convert(root, tmp_path / "out", to="labelme")
    assert (done.samples, done.labelled) == (4, 3)
    assert (tmp_path / "out" / "p0.png").is_file()


def test_stems_that_meet_in_one_folder_stay_apart(tmp_path: Path) -> None:
    for scene in ("north", "south"):
        save(tmp_path / "set" / scene / "images" / "1.png", np.zeros((12, 16, 3), np.uint8))
        save(tmp_path / "set" / scene / "masks" / "1.png", ids_of(len(scene)))
    convert(tmp_path / "set", tmp_path / "out", to="voc")
    assert leftovers(tmp_path / "out" / "JPEGImages") == ["north__1.png", "south__1.png"]


@pytest.mark.parametrize("stray", [77, 3])
def test_a_fault_in_the_labels_leaves_nothing_behind(tmp_path: Path, stray: int) -> None:
    root = index_mask(tmp_path / "set")
    save(root / "masks" / "p3.png", np.full((12, 16), stray, np.uint8))
    with pytest.raises(LabelError, match=r"p3\.png"):
        convert(root, tmp_path / "out", to="voc")
    assert leftovers(tmp_path) == ["set"]


def test_a_broken_photo_leaves_nothing_behind(tmp_path: Path) -> None:
    root = index_mask(tmp_path / "set")
    (root / "images" / "p3.png").write_bytes(b"broken")
    with pytest.raises(InputError, match=r"p3\.png"):
        convert(root, tmp_path / "out", to="voc")
    assert leftovers(tmp_path) == ["set"]


def test_an_existing_output_is_replaced_only_when_asked_and_only_when_tessella_made_it(tmp_path: Path) -> None:
    root = index_mask(tmp_path / "set")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "precious.txt").write_text("keep me")
    with pytest.raises(OutputError, match="exists already"):
        convert(root, tmp_path / "out", to="voc")
    with pytest.raises(OutputError, match="replaces only folders that Tessella made"):
        convert(root, tmp_path / "out", to="voc", overwrite=True)
    assert (tmp_path / "out" / "precious.txt").read_text() == "keep me"
    convert(root, tmp_path / "made", to="index-mask")
    convert(root, tmp_path / "made", to="voc", overwrite=True)
    assert open_dataset(tmp_path / "made").format == "voc"


@pytest.mark.parametrize("inside", ["set/out", "."])
def test_an_output_inside_or_around_the_data_is_refused(tmp_path: Path, inside: str) -> None:
    root = index_mask(tmp_path / "set")
    with pytest.raises(OutputError, match=r"cannot lie in the data set or hold it|only folders that Tessella made"):
        convert(root, tmp_path / inside, to="voc", overwrite=True)
    assert len(open_dataset(root)) == 4


def test_a_format_that_cannot_be_written_is_answered_with_those_that_can(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"camvid can be read but not written; expected index-mask, voc"):
        convert(index_mask(tmp_path / "set"), tmp_path / "out", to="camvid")


def test_the_command_answers_in_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command([index_mask(tmp_path / "set"), tmp_path / "out"], "voc", json=True)
    answer = json.loads(capsys.readouterr().out)
    assert (answer["format"], answer["samples"]) == ("voc", 4)


def test_the_command_says_in_a_line_what_it_wrote(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command([index_mask(tmp_path / "set"), tmp_path / "out"], "voc")
    said = capsys.readouterr()
    assert said.out.startswith("4 photos (4 with labels) of 3 classes written as voc")
    assert "classes: background, road, tree" in said.err


def test_labels_without_photo_are_told_whether_they_are_written_or_not(tmp_path: Path) -> None:
    (labelme(tmp_path / "set") / "p0.png").unlink()
    sizeless = {"imageHeight": None, "imageWidth": None}
    labelme_file(tmp_path / "set" / "p0.json", [box("road", 2, 0, 9, 3)], photo="p0.png", **sizeless)
    done = convert(tmp_path / "set", tmp_path / "out", to="voc")
    assert done.notes[-1] == "1 label without photo is not written, such as p0.json"
    photo = next(cvat(tmp_path / "sized").rglob("p0.png"))
    photo.unlink()
    done = convert(tmp_path / "sized", tmp_path / "masks", to="voc")
    assert done.notes[-1] == "1 photo is not here: its labels alone are written; --photos names where to look"


def test_what_no_label_map_can_hold_is_counted_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save(tmp_path / "set" / "1.png", photo_of(0))
    boxed = {"id": 1, "image_id": 1, "category_id": 3, "segmentation": [], "bbox": [2, 1, 8, 6], "iscrowd": 0}
    drawn = boxed | {"id": 2, "segmentation": [[1, 1, 5, 1, 5, 5]]}
    tree = {
        "images": [{"id": 1, "file_name": "1.png", "width": 16, "height": 12}],
        "categories": [{"id": 3, "name": "road"}],
        "annotations": [boxed, drawn],
    }
    (tmp_path / "set" / "a.json").write_text(json.dumps(tree))
    command([tmp_path / "set", tmp_path / "out"], "voc")
    said = [line for line in capsys.readouterr().err.splitlines() if "1 boxes without outline" in line]
    assert said == ["left out: 1 boxes without outline"]
    counted = [note for note in check(open_dataset(tmp_path / "set")).notes if "1 boxes without outline" in note]
    assert counted == ["left out, for no label map can hold them: 1 boxes without outline"]


def test_an_unknown_format_is_answered_with_those_that_can_be_written(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="no format 'coc'; expected index-mask, voc, colour-mask") as caught:
        convert(index_mask(tmp_path / "set"), tmp_path / "out", to="coc")
    assert "camvid" not in str(caught.value)


def test_what_shapes_lose_on_their_way_is_counted(tmp_path: Path) -> None:
    save(tmp_path / "set" / "a.png", photo_of(0))
    shapes = [
        {**box("road", 1, 1, 4, 4), "group_id": 1, "flags": {"wet": True}},
        {**box("road", 6, 1, 9, 4), "group_id": 1},
        {**box("tree", 1, 6, 4, 9), "group_id": 2},
        shape("tree", [[2, 2], [9, 9]], "line"),
    ]
    labelme_file(tmp_path / "set" / "a.json", shapes, photo="a.png")

    def left_out(to: str) -> dict[str, int]:
        return convert(tmp_path / "set", tmp_path / to, to=to).left_out

    lines = {"lines and points, kept as the pixels they cover": 1}
    assert left_out("cvat") == {}
    assert left_out("coco") == lines
    assert left_out("label-studio") == {**lines, "objects told apart": 1}
    assert left_out("voc") == {"shapes with attributes": 1, "objects of which no pixel is seen": 2}  # under the line
    assert left_out("index-mask") == {"shapes with attributes": 1, "objects told apart": 3}


def test_shapes_of_one_class_are_objects_that_a_mask_of_classes_cannot_tell_apart(tmp_path: Path) -> None:
    save(tmp_path / "set" / "a.png", photo_of(0))
    touching = [box("road", 1, 1, 4, 4), box("road", 4, 1, 8, 4)]
    others = [box("tree", 1, 6, 4, 9), box("__ignore__", 9, 1, 12, 4), box("__ignore__", 9, 6, 12, 9)]
    labelme_file(tmp_path / "set" / "a.json", [*touching, *others], photo="a.png")

    def left_out(to: str) -> dict[str, int]:
        return convert(tmp_path / "set", tmp_path / to, to=to).left_out

    assert left_out("index-mask") == {"objects told apart": 2}
    assert left_out("colour-mask") == {"objects told apart": 2}
    assert left_out("voc") == left_out("coco") == left_out("label-studio") == {}
