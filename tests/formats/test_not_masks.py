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

PALIGEMMA = {"image": "a.jpg", "prefix": "how many?", "suffix": "3"}
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
    ("a.csv", "filename, Acne, Dry Skin\na.jpg, 1, 0\nb.jpg, 1, 1\n", "tables of photos and classes"),
    ("a.csv", '"file","label"\n"a.jpg","cat"\n', "tables of photos and classes"),
    ("a.csv", "image,label\na.tif,a_mask.tif\n", "tables of photos and masks"),
    ("a.csv", "img,class_label,bbx_xtl,bbx_ytl,bbx_xbr,bbx_ybr\na.jpg,x,1,2,3,4\n", "tables of boxes"),
    ("a.csv", "photo,lens\na,50\n", "tables"),
    ("a.jsonl", json.dumps(PALIGEMMA) + "\n", "PaliGemma's questions and answers"),
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


def test_a_long_table_is_told_without_the_line_that_is_cut_off(tmp_path: Path) -> None:
    rows = "".join(f"{'x' * 300}{number}.jpg,0,1\n" for number in range(20))
    (tmp_path / "_classes.csv").write_text(f"filename,cat,dog\n{rows}")
    found = explain(Source(tmp_path))
    assert found == ("tables of photos and classes", "they label whole photos")


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("a.csv", "ImageId,EncodedPixels\na.jpg,3 4 9 2\n"),
        ("a.csv", "filename,outline\na.jpg,0 0 4 0 4 4\n"),
        ("a.jsonl", json.dumps({"image": "a.jpg", "prefix": "segment cat", "suffix": "<loc0001><seg002> cat"})),
        ("a.jsonl", "[" * 4000),
    ],
)
def test_what_may_be_masks_in_other_words_is_not_explained_away(tmp_path: Path, file: str, text: str) -> None:
    save(tmp_path / "a.jpg", photo_of(0))
    (tmp_path / file).write_text(text)
    assert explain(Source(tmp_path)) is None
    with pytest.raises(FormatError, match="no labels of a known format were found; got"):
        choose(Source(tmp_path))


def _sorted(root: Path, *places: str) -> Source:
    for number, place in enumerate(places):
        save(root / place, photo_of(number))
    (root / "README.dataset.txt").write_text("Sorted by hand.\n")
    return Source(root)


def test_photos_in_a_folder_for_each_class_are_told_by_their_splits(tmp_path: Path) -> None:
    source = _sorted(tmp_path, "train/cat/a.jpg", "train/dog/b.jpg", "valid/cat/c.jpg", "valid/dog/d.jpg")
    with pytest.raises(FormatError, match=r"photos in a folder for each class: they label whole photos; got 4 \.jpg"):
        choose(source)


@pytest.mark.parametrize(
    "places",
    [
        ("train/left/a.jpg", "train/right/a.jpg", "valid/left/b.jpg", "valid/right/b.jpg"),
        ("train/images/a.jpg", "train/masks/b.jpg", "valid/images/c.jpg", "valid/masks/d.jpg"),
        ("train/rome/a.jpg", "train/bonn/b.jpg", "valid/paris/c.jpg", "valid/oslo/d.jpg"),
        ("train/cat/a.jpg", "valid/cat/c.jpg"),
        ("cat/a.jpg", "dog/b.jpg"),
    ],
)
def test_other_folders_of_photos_are_not_taken_for_classes(tmp_path: Path, places: tuple[str, ...]) -> None:
    assert explain(_sorted(tmp_path, *places)) is None


def test_a_list_of_classes_whose_masks_are_missing_is_said_to_be_one(tmp_path: Path) -> None:
    (tmp_path / "default/instances").mkdir(parents=True)
    (tmp_path / "default/instances/labels.txt").write_text("cat\nother object\n")
    with pytest.raises(FormatError, match=r"these are lists of classes: the masks or outlines .* are missing"):
        choose(Source(tmp_path))


def test_an_unknown_folder_is_answered_with_what_lies_there_and_where_the_formats_are_listed(tmp_path: Path) -> None:
    for name in ("a.dat", "b.dat", "c.x", "d.y", "e.z", "f.w"):
        (tmp_path / name).write_text("?")
    with pytest.raises(FormatError) as refusal:
        choose(Source(tmp_path))
    assert refusal.value.got == "2 .dat, 1 .x, 1 .y, 1 .z, 1 more"
    assert "docs/formats.md" in str(refusal.value)
    assert "labelme" not in str(refusal.value)


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
    "cvat_all_exports/docs/dataset-formats-samples/mots-png": "lists of classes",
    "roboflow_coco/tests/datasets/mosquitos": "tables of boxes",
    "roboflow_coco/tests/datasets/paligemma": "PaliGemma's questions and answers",
    "roboflow_coco/tests/datasets/corrosion-singlelabel-classification": "photos in a folder for each class",
    "roboflow_coco/tests/datasets/skinproblem-multilabel-classification": "tables of photos and classes",
    "spacenet_geotiff/solaris/data/datagen_sample": "tables of photos and masks",
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
