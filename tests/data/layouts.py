"""Tiny data sets in every format, painted from numbers; each function writes into a folder and returns it."""

import base64
import io
import json
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import numpy as np
from PIL import Image

from tessella.core.classes import ClassTable, voc_colour

NAMES = ("background", "road", "tree")
TABLE = ClassTable.from_names(NAMES)


def ids_of(seed: int, hw: tuple[int, int] = (12, 16), *, ignore: bool = True) -> np.ndarray:
    """Three blocks of classes 0, 1, 2 whose borders move with the seed, and a pixel of 255."""
    ids = np.zeros(hw, np.uint8)
    ids[: 3 + seed % 4, 2:9] = 1
    ids[5:, 7 + seed % 3 :] = 2
    if ignore:
        ids[-1, seed % hw[1]] = 255
    return ids


def photo_of(seed: int, hw: tuple[int, int] = (12, 16)) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (*hw, 3), dtype=np.uint8)


def save(path: Path, pixels: np.ndarray, *, palette: bool = False) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.fromarray(pixels)
    if palette:
        picture.putpalette(bytes(channel for index in range(256) for channel in voc_colour(index)))
    picture.save(path)
    return path


def write_classes_toml(root: Path) -> None:
    rows = [f'[[classes]]\nname = "{info.name}"\ncolour = {list(info.colour)}\n' for info in TABLE]
    (root / "classes.toml").write_text("".join(rows), encoding="utf-8")


def index_mask(root: Path, *, count: int = 4) -> Path:
    for seed in range(count):
        save(root / "images" / f"p{seed}.png", photo_of(seed))
        save(root / "masks" / f"p{seed}.png", ids_of(seed))
    write_classes_toml(root)
    return root


def colour_mask(root: Path, *, count: int = 4) -> Path:
    for seed in range(count):
        save(root / "images" / f"p{seed}.png", photo_of(seed))
        save(root / "masks" / f"p{seed}.png", TABLE.palette()[ids_of(seed, ignore=False)])
    write_classes_toml(root)
    return root


def voc(root: Path, *, count: int = 4, lists: bool = True) -> Path:
    for seed in range(count):
        save(root / "JPEGImages" / f"p{seed}.jpg", photo_of(seed))
        save(root / "SegmentationClass" / f"p{seed}.png", ids_of(seed), palette=True)
    if lists:
        folder = root / "ImageSets" / "Segmentation"
        folder.mkdir(parents=True)
        (folder / "train.txt").write_text("".join(f"p{seed}\n" for seed in range(count - 1)))
        (folder / "val.txt").write_text(f"p{count - 1}\n")
    (root / "class_names.txt").write_text("\n".join(NAMES))
    return root


def camvid(root: Path, *, count: int = 4) -> Path:
    """SegNet's lists with absolute paths of another disk; the frames have CamVid's names."""
    for split, seeds in (("train", range(count - 1)), ("val", range(count - 1, count))):
        lines = []
        for seed in seeds:
            name = f"0001TP_{6690 + 30 * seed:06d}.png"
            save(root / split / name, photo_of(seed))
            ids = ids_of(seed)
            save(root / f"{split}annot" / name, np.where(ids == 255, 11, ids).astype(np.uint8))
            lines.append(f"/SegNet/CamVid/{split}/{name} /SegNet/CamVid/{split}annot/{name}\n")
        (root / f"{split}.txt").write_text("".join(lines))
    return root


def shape(label: str, points: list, kind: str = "polygon", **more: object) -> dict:
    return {"label": label, "points": points, "group_id": None, "shape_type": kind, "flags": {}, **more}


def box(label: str, left: float, top: float, right: float, bottom: float) -> dict:
    return shape(label, [[left, top], [right, top], [right, bottom], [left, bottom]])


def labelme_file(path: Path, shapes: list, *, photo: str, hw: tuple[int, int] = (12, 16), **more: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    tree = {"version": "5.2.1", "flags": {}, "shapes": shapes, "imagePath": photo, "imageData": None}
    tree |= {"imageHeight": hw[0], "imageWidth": hw[1], **more}
    path.write_text(json.dumps(tree))
    return path


def png64(pixels: np.ndarray) -> str:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return base64.b64encode(stream.getvalue()).decode()


def labelme(root: Path, *, count: int = 4) -> Path:
    for seed in range(count):
        save(root / f"p{seed}.png", photo_of(seed))
        shapes = [box("road", 2, 0, 9, 3 + seed), box("tree", 7, 5, 16, 12), box("__ignore__", seed, 11, seed + 1, 12)]
        labelme_file(root / f"p{seed}.json", shapes, photo=f"p{seed}.png")
    return root


def _later(module: str, name: str) -> Callable[..., Path]:
    """Return a generator of another module here, which itself builds on this one."""

    def write(root: Path, **more: object) -> Path:
        return getattr(import_module(f"data.{module}"), name)(root, **more)

    return write


WRITERS = {
    "index-mask": index_mask,
    "voc": voc,
    "camvid": camvid,
    "colour-mask": colour_mask,
    "labelme": labelme,
    "coco": _later("coco", "coco"),
    "yolo-seg": _later("yolo", "yolo_seg"),
    "datumaro": _later("datumaro", "datumaro"),
    "coco-stuff": _later("coco", "stuff"),
    "coco-panoptic": _later("coco", "panoptic"),
    "labelme-xml": _later("labelme_xml", "labelme_xml"),
    "cvat": _later("cvat", "cvat"),
    "cvat-mask": _later("cvat", "cvat_mask"),
    "cvat-video": _later("cvat", "cvat_video"),
    "label-studio": _later("label_studio", "label_studio"),
    "supervisely": _later("supervisely", "supervisely"),
    "geojson": _later("geo", "geojson"),
    "shapefile": _later("geo", "shapefile"),
    "geopackage": _later("geo", "geopackage"),
    "spacenet": _later("geo", "spacenet"),
    "superannotate": _later("superannotate", "superannotate"),
    "darwin": _later("darwin", "darwin"),
    "via": _later("via", "via"),
    "labelbox": _later("labelbox", "labelbox"),
    "cityscapes": _later("folders", "cityscapes"),
    "kitti": _later("folders", "kitti"),
    "mapillary": _later("folders", "mapillary"),
    "mapillary-1.2": _later("folders", "mapillary_first"),
    "synthia": _later("folders", "synthia"),
    "mots": _later("folders", "mots"),
    "bdd100k": _later("folders", "bdd100k"),
    "scalabel": _later("folders", "scalabel"),
    "ade20k": _later("folders", "ade20k"),
    "ade20k-full": _later("folders", "ade20k_full"),
    "loveda": _later("folders", "loveda"),
    "inria": _later("folders", "inria"),
    "massachusetts": _later("folders", "massachusetts"),
    "drive": _later("folders", "drive"),
    "isic": _later("folders", "isic"),
    "roboflow-mask": _later("folders", "roboflow_mask"),
    "instances-png": _later("folders", "instances_png"),
    "instance-map": _later("folders", "instance_map"),
    "ctc": _later("folders", "ctc"),
    "class-folder": _later("folders", "class_folder"),
    "class-masks": _later("folders", "class_masks"),
    "array-mask": _later("folders", "array_mask"),
    "mat": _later("folders", "mat"),
    "tiff-stack": _later("folders", "tiff_stack"),
    "hasty": _later("hasty", "hasty"),
    "encord": _later("encord", "encord"),
    "segments-ai": _later("segments_ai", "segments_ai"),
    "nifti": _later("volumes", "nifti"),
    "nrrd": _later("volumes", "nrrd"),
    "dicom-seg": _later("volumes", "dicom_seg"),
    "open-images": _later("open_images", "open_images"),
}
"""A generator per row of the table of formats."""
