"""What is no segmentation is answered with what it is."""

import gzip
import json
from pathlib import Path

import pytest

from data.layouts import photo_of, save
from tessella.core.errors import FormatError
from tessella.dataset.inspect import inspect
from tessella.formats import Source, choose
from tessella.formats.tools.not_masks import explain

BOXES = "they say where objects are, not which pixels belong to them"

CREATEML = [
    {"image": "a.jpg", "annotations": [{"label": "x", "coordinates": {"x": 1, "y": 2, "width": 3, "height": 4}}]}
]
VOC = "<annotation><object><name>x</name><bndbox><xmin>1</xmin></bndbox></object></annotation>"
KITTI = "Car 0.00 0 -1.57 614.24 181.78 727.31 284.77 1.57 1.73 4.15 1.00 1.75 13.22 -1.62\n"

SAM = {"image": {}, "annotations": [{"segmentation": {}, "predicted_iou": 1}]}

FILES = [
    ("a.json", json.dumps(CREATEML), "CreateML boxes"),
    ("a.json", json.dumps({"name": "n", "assets": {}, "tags": []}), "VoTT projects"),
    ("a.csv", '"image","xmin","ymin","xmax","ymax","label"\n"a.jpg",1,2,3,4,"x"\n', "VoTT tables of boxes"),
    ("a.csv", "file,xmin,ymin,xmax,ymax,c\n", "tables of boxes"),
    ("a.csv", "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax\n", "Open Images' tables of boxes"),
    ("a.csv", "ImageID,Source,LabelName,Confidence\n", "Open Images' tables of labels"),
    ("a.csv", "label,youtube_id,time_start,time_end,split\n", "Kinetics tables"),
    ("a.xml", VOC, "PASCAL VOC boxes"),
    ("a.txt", "0 0.5 0.5 0.1 0.1\n3 0.25 0.5 0.1 0.1\n", "YOLO boxes"),
    ("a.txt", KITTI, "KITTI boxes"),
    ("a.txt", "0 0 4 0 4 4 0 4 plane 0\n", "DOTA's turned boxes"),
    ("gt.txt", "1,-1,0,4,4,8,1,3,1.0\n", "MOT boxes"),
    ("train.txt", "a.jpg 4\nb.jpg 2\n", "lists of photos with a class each"),
    ("a.json", json.dumps([{"data": {"image": "a.jpg"}}]), "Label Studio tasks"),
    ("a.json", json.dumps([{"joint_self": [], "img_paths": "a.jpg"}]), "MPII poses"),
    ("a.json", json.dumps(SAM), "Segment Anything's outlines"),
    ("identity_CelebA.txt", "a.jpg 7 9\n", "CelebA lists"),
    ("wider_face_train_bbx_gt.txt", "a.jpg\n1\n1 2 2 2 0 0 0 0 0 0\n", "WIDER FACE boxes"),
    ("a.pcd", "VERSION .7", "point clouds"),
    ("a.mp4", "ftyp", "videos"),
    ("label_map.pbtxt", "item {}", "TensorFlow records"),
    ("synsets.txt", "cat\nother object\n", "ImageNet's lists"),
    ("images_default.txt", "bounding_box_default/a.jpg\n", "Market-1501's lists"),
    ("gt_a.txt", "129.01 62.48 388.08 316.51\n", "ICDAR's boxes of text"),
    ("a.json", json.dumps({"count": 0, "next": None, "previous": None, "results": []}), "answers of CVAT's API"),
    ("a.json", json.dumps({"job": {"2": {"tags": [], "shapes": [], "tracks": []}}}), "answers of CVAT's API"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "text", "name"), FILES, ids=[name for _, _, name in FILES])
def test_well_known_files_are_named(tmp_path: Path, file: str, text: str, name: str) -> None:
    save(tmp_path / "a.jpg", photo_of(0))
    (tmp_path / file).write_text(text)
    found = explain(Source(tmp_path))
    assert found is not None
    assert found[0] == name
    with pytest.raises(FormatError, match=f"these are {name}: "):
        choose(Source(tmp_path))


@pytest.mark.parametrize(
    ("file", "name"),
    [("train-images-idx3-ubyte.gz", "MNIST's digits"), ("data_batch_1", "CIFAR's batches"), ("a.zip", "archives")],
)
def test_well_known_names_are_enough(tmp_path: Path, file: str, name: str) -> None:
    (tmp_path / file).write_bytes(gzip.compress(b"x"))
    found = explain(Source(tmp_path))
    assert found is not None
    assert found[0] == name


def test_the_answer_says_what_is_missing(tmp_path: Path) -> None:
    save(tmp_path / "a.jpg", photo_of(0))
    (tmp_path / "a.json").write_text(json.dumps(CREATEML))
    with pytest.raises(
        FormatError, match=rf"CreateML boxes: {BOXES}; got 1 \.jpg, 1 \.json; expected outlines or masks"
    ):
        choose(Source(tmp_path))


def test_notes_and_broken_files_are_not_explained(tmp_path: Path) -> None:
    save(tmp_path / "a.jpg", photo_of(0))
    (tmp_path / "readme.txt").write_text("Take care of the lens.\n")
    (tmp_path / "a.json").write_text("{")
    (tmp_path / "b.csv").write_text("\n")
    assert explain(Source(tmp_path)) is None


def test_pictures_alone_are_said_to_be_alone(tmp_path: Path) -> None:
    save(tmp_path / "a.jpg", photo_of(0))
    with pytest.raises(FormatError, match="no labels of a known format were found: there are pictures alone; got 1"):
        choose(Source(tmp_path))


REAL = {
    "annotation_tools_same_images/datasets/CreateML": "CreateML boxes",
    "annotation_tools_same_images/datasets/labelImg": "PASCAL VOC boxes",
    "annotation_tools_same_images/datasets/yolo": "YOLO boxes",
    "format_zoo_a/tests/assets/vott_json_dataset": "VoTT projects",
    "format_zoo_a/tests/assets/vott_csv_dataset": "VoTT tables of boxes",
    "format_zoo_a/tests/assets/dota_dataset": "DOTA's turned boxes",
    "format_zoo_a/tests/assets/mot_dataset": "MOT boxes",
    "format_zoo_a/tests/assets/widerface_dataset": "WIDER FACE boxes",
    "format_zoo_a/tests/assets/imagenet_txt_dataset": "ImageNet's lists",
    "format_zoo_a/tests/assets/sly_pointcloud_dataset": "Supervisely figures",
}


@pytest.mark.parametrize("folder", REAL)
def test_real_sets_without_masks_are_answered_with_the_reason(shared_data: Path, folder: str) -> None:
    with pytest.raises(FormatError, match=f"these are {REAL[folder]}: "):
        choose(Source(shared_data / folder))


def test_a_single_file_is_explained_too_and_a_class_file_is_none(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(CREATEML))
    (tmp_path / "classes.csv").write_text("name,r,g,b\nroad,1,2,3\n")
    with pytest.raises(FormatError, match="these are CreateML boxes"):
        inspect(tmp_path / "a.json")
    assert inspect(tmp_path / "classes.csv").kind == "classes"
