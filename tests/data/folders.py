"""Tiny data sets in the layouts of folders: of published data sets, of tools, of arrays and stacks."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

from data.layouts import NAMES, ids_of, photo_of, save, write_classes_toml
from tessella.formats.driving.labels import LABELS

IDS = {label.name: label.id for label in LABELS}
COUNT = 4


def _seeds(count: int = COUNT) -> list[tuple[int, str]]:
    return [(seed, "train" if seed < count - 1 else "val") for seed in range(count)]


def _values(seed: int, *values: int, ignore: int = 255) -> np.ndarray:
    """The usual three blocks, stored as other values."""
    ids = ids_of(seed)
    lookup = np.zeros(256, np.uint16)
    lookup[: len(values)] = values
    lookup[255] = ignore
    return lookup[ids]


def _colours(seed: int, *colours: tuple[int, int, int], ignore: tuple[int, int, int] = (0, 0, 0)) -> np.ndarray:
    ids = ids_of(seed)
    lookup = np.zeros((256, 3), np.uint8)
    lookup[: len(colours)] = colours
    lookup[255] = ignore
    return lookup[ids]


def byte(values: np.ndarray) -> np.ndarray:
    return values.astype(np.uint8)


def cityscapes(root: Path, *, ending: str = "labelIds") -> Path:
    """Road, building and person in two cities."""
    for seed, split in _seeds():
        city = "aachen" if seed % 2 else "bochum"
        stem = f"{city}_000000_{seed:06d}"
        save(root / "leftImg8bit" / split / city / f"{stem}_leftImg8bit.png", photo_of(seed))
        place = root / "gtFine" / split / city
        stored = {
            "labelIds": byte(_values(seed, 7, 11, 24, ignore=3)),
            "labelTrainIds": byte(_values(seed, 0, 2, 11)),
            "instanceIds": _values(seed, 7, 11, 24001, ignore=3),
            "color": _colours(seed, (128, 64, 128), (70, 70, 70), (220, 20, 60)),
        }
        if ending in stored:
            save(place / f"{stem}_gtFine_{ending}.png", stored[ending])
        else:
            place.mkdir(parents=True, exist_ok=True)
            (place / f"{stem}_gtFine_polygons.json").write_text(json.dumps(cityscapes_polygons(seed)))
    return root


def cityscapes_polygons(seed: int) -> dict:
    def block(label: str, left: int, top: int, right: int, bottom: int, **more: object) -> dict:
        return {"label": label, "polygon": [[left, top], [right, top], [right, bottom], [left, bottom]], **more}

    objects = [
        block("road", 0, 0, 16, 12),
        block("car", 0, 0, 16, 12, deleted=1),
        block("building", 2, 0, 9, 3 + seed % 4),
        block("persongroup", 7 + seed % 3, 5, 16, 12),
        block("out of roi", seed % 16, 11, seed % 16 + 1, 12),
    ]
    return {"imgHeight": 12, "imgWidth": 16, "objects": objects}


def kitti(root: Path) -> Path:
    for seed in range(COUNT):
        save(root / "training" / "image_2" / f"{seed:06d}_10.png", photo_of(seed))
        save(root / "training" / "semantic" / f"{seed:06d}_10.png", byte(_values(seed, 7, 11, 24, ignore=3)))
    return root


CONFIG = {
    "labels": [
        {"color": [165, 42, 42], "instances": True, "readable": "Bird", "name": "animal--bird", "evaluate": True},
        {"color": [0, 0, 142], "instances": True, "readable": "Car", "name": "object--car", "evaluate": True},
        {"color": [0, 0, 142], "instances": False, "readable": "Sky", "name": "nature--sky", "evaluate": True},
        {"color": [0, 0, 0], "instances": False, "readable": "Unlabeled", "name": "void", "evaluate": False},
    ],
    "version": "1.1",
}


def mapillary(root: Path, *, version: str = "2.0") -> Path:
    for seed, split in _seeds():
        folder = {"train": "training", "val": "validation"}[split]
        save(root / folder / "images" / f"p{seed}.jpg", photo_of(seed))
        below = root / folder / f"v{version}"
        save(below / "labels" / f"p{seed}.png", byte(_values(seed, 0, 1, 2, ignore=3)), palette=True)
        save(below / "instances" / f"p{seed}.png", _values(seed, 0, 256, 512, ignore=768))
    (root / f"config_v{version}.json").write_text(json.dumps(CONFIG))
    return root


def mapillary_first(root: Path) -> Path:
    return mapillary(root, version="1.2")


def synthia(root: Path) -> Path:
    for seed in range(COUNT):
        save(root / "RGB" / f"{seed:07d}.png", photo_of(seed))
        save(root / "GT" / f"{seed:07d}.png", _colours(seed, (128, 64, 128), (128, 0, 0), (64, 64, 0)))
    return root


def bdd100k(root: Path) -> Path:
    for seed, split in _seeds():
        save(root / "images" / "10k" / split / f"p{seed}.jpg", photo_of(seed))
        save(root / "labels" / "sem_seg" / "masks" / split / f"p{seed}.png", ids_of(seed))
    return root


def mots(root: Path) -> Path:
    for seed, split in _seeds():
        save(root / split / "images" / f"p{seed}.jpg", photo_of(seed))
        save(root / split / "instances" / f"p{seed}.png", _values(seed, 0, 1001, 2003, ignore=10000))
    return root


def scalabel(root: Path) -> Path:
    frames = []
    for seed in range(COUNT):
        save(root / "images" / f"p{seed}.jpg", photo_of(seed))
        frames.append(scalabel_frame(seed))
    (root / "polygons.json").write_text(json.dumps({"frames": frames, "config": None}))
    return root


def scalabel_frame(seed: int) -> dict:
    def block(category: str, left: int, top: int, right: int, bottom: int) -> dict:
        vertices = [[left, top], [right, top], [right, bottom], [left, bottom]]
        poly = [{"vertices": vertices, "types": "LLLL", "closed": True}]
        return {"id": f"{seed}-{category}", "category": category, "poly2d": poly, "attributes": {"occluded": False}}

    labels = [
        block("background", 0, 0, 16, 12),
        block("road", 2, 0, 9, 3 + seed % 4),
        block("tree", 7 + seed % 3, 5, 16, 12),
    ]
    return {"name": f"p{seed}.jpg", "videoName": "v", "frameIndex": seed, "labels": labels}


def loveda(root: Path) -> Path:
    for seed, split in _seeds():
        scene = root / split.title() / ("Urban" if seed % 2 else "Rural")
        save(scene / "images_png" / f"{seed}.png", photo_of(seed))
        save(scene / "masks_png" / f"{seed}.png", byte(_values(seed, 1, 2, 6, ignore=0)))
    return root


def _yes(seed: int) -> np.ndarray:
    return byte(_values(seed, 0, 255, 0, ignore=0))


def inria(root: Path) -> Path:
    for seed in range(COUNT):
        name = f"{('austin', 'vienna')[seed % 2]}{seed + 1}.tif"
        save(root / "train" / "images" / name, photo_of(seed))
        save(root / "train" / "gt" / name, _yes(seed))
    return root


def massachusetts(root: Path) -> Path:
    for seed, split in _seeds():
        name = f"1007866{seed}_15"
        save(root / "tiff" / split / f"{name}.tiff", photo_of(seed))
        save(root / "tiff" / f"{split}_labels" / f"{name}.tif", _yes(seed))
    return root


def drive(root: Path) -> Path:
    for seed in range(COUNT):
        home = root / "training"
        save(home / "images" / f"{21 + seed}_training.tif", photo_of(seed))
        save(home / "1st_manual" / f"{21 + seed}_manual1.gif", _yes(seed))
        view = np.full((12, 16), 255, np.uint8)
        view[0] = 0
        save(home / "mask" / f"{21 + seed}_training_mask.gif", view)
    return root


def isic(root: Path) -> Path:
    for seed in range(COUNT):
        save(root / "ISIC2018_Task1-2_Training_Input" / f"ISIC_{seed:07d}.jpg", photo_of(seed))
        save(root / "ISIC2018_Task1_Training_GroundTruth" / f"ISIC_{seed:07d}_segmentation.png", _yes(seed))
    return root


def ade20k(root: Path) -> Path:
    for seed, split in _seeds():
        folder = {"train": "training", "val": "validation"}[split]
        stem = f"ADE_{split}_{seed:08d}"
        save(root / "images" / folder / f"{stem}.jpg", photo_of(seed))
        save(root / "annotations" / folder / f"{stem}.png", byte(_values(seed, 1, 3, 150, ignore=0)))
    return root


ADE_OBJECTS = {312: "building, edifice", 2420: "sky", 976: "floor, flooring"}


def ade_colours(seed: int) -> np.ndarray:
    """Class index in red and green, object number in blue."""
    seg = np.zeros((12, 16, 3), np.uint8)
    ids = ids_of(seed)
    for value, index in enumerate(ADE_OBJECTS):
        seg[ids == value] = (index // 256 * 10, index % 256, value + 1)
    return seg


def ade20k_full(root: Path) -> Path:
    for seed, split in _seeds():
        folder = root / "images" / {"train": "training", "val": "validation"}[split] / "street"
        save(folder / f"ADE_{seed}.jpg", photo_of(seed))
        save(folder / f"ADE_{seed}_seg.png", ade_colours(seed))
        save(folder / f"ADE_{seed}_parts_1.png", np.zeros((12, 16, 3), np.uint8))
        rows = [
            {"id": number, "name": name, "name_ndx": index, "parts": {"part_level": 0}}
            for number, (index, name) in enumerate(ADE_OBJECTS.items())
        ]
        rows.append({"id": 9, "name": "window", "name_ndx": 3000, "parts": {"part_level": 1}})
        (folder / f"ADE_{seed}.json").write_text(json.dumps({"annotation": {"object": rows}}))
    return root


def roboflow_mask(root: Path) -> Path:
    for seed, split in _seeds():
        folder = root / {"train": "train", "val": "valid"}[split]
        save(folder / f"p{seed}_jpg.rf.0a{seed}.jpg", photo_of(seed))
        save(folder / f"p{seed}_jpg.rf.0a{seed}_mask.png", ids_of(seed))
    for folder in ("train", "valid"):
        rows = "".join(f"{value}, {name}\n" for value, name in enumerate(NAMES))
        (root / folder / "_classes.csv").write_text(f"Pixel Value, Class\n{rows}")
    return root


def instances_png(root: Path) -> Path:
    for seed in range(COUNT):
        home = root / "stage1_train" / f"{seed}f3a"
        save(home / "images" / f"{seed}f3a.png", photo_of(seed))
        save(home / "masks" / f"{seed}b.png", _yes(seed))
        save(home / "masks" / f"{seed}c.png", byte(_values(seed, 0, 0, 255, ignore=0)))
    return root


def instance_map(root: Path) -> Path:
    """Nine cells of 3 x 4 pixels, numbered beyond a byte in one file."""
    for seed in range(COUNT):
        save(root / "images" / f"p{seed}.tif", photo_of(seed))
        cells = np.zeros((12, 16), np.uint16)
        for number in range(9):
            row, column = divmod(number, 3)
            cells[row * 4 : row * 4 + 3, column * 5 : column * 5 + 4 - seed % 2] = number + 1
        save(root / "masks" / f"p{seed}.tif", cells)
    return root


def ctc(root: Path) -> Path:
    """Two sequences of two frames, the gold truth of the Cell Tracking Challenge, and its maps of tracks."""
    for seed in range(COUNT):
        sequence, frame = f"{1 + seed // 2:02d}", f"{seed:03d}"
        cells = byte(_values(seed, 0, 7, 2, ignore=5)).astype(np.uint16)
        save(root / sequence / f"t{frame}.tif", photo_of(seed)[..., 0])
        save(root / f"{sequence}_GT" / "SEG" / f"man_seg{frame}.tif", cells)
        save(root / f"{sequence}_GT" / "TRA" / f"man_track{frame}.tif", cells)
    return root


def class_folder(root: Path) -> Path:
    for seed in range(COUNT):
        home = root / f"MT_{('Crack', 'Fray', 'Free')[seed % 3]}" / "Imgs"
        save(home / f"p{seed}.jpg", photo_of(seed))
        save(home / f"p{seed}.png", _yes(seed) if seed % 3 < 2 else np.zeros((12, 16), np.uint8))
    return root


def class_masks(root: Path) -> Path:
    for seed in range(COUNT):
        save(root / "images" / f"p{seed}.jpg", photo_of(seed))
        for value, name in enumerate(NAMES):
            save(root / "masks" / name / f"p{seed}.png", byte((ids_of(seed) == value) * 255))
    return root


def array_mask(root: Path) -> Path:
    (root / "masks").mkdir(parents=True)
    for seed in range(COUNT):
        save(root / "images" / f"p{seed}.jpg", photo_of(seed))
        np.save(root / "masks" / f"p{seed}.npy", ids_of(seed).astype(np.int64))
    write_classes_toml(root)
    return root


def mat(root: Path) -> Path:
    from scipy.io import savemat

    (root / "cls").mkdir(parents=True)
    for seed in range(COUNT):
        save(root / "img" / f"p{seed}.jpg", photo_of(seed))
        savemat(root / "cls" / f"p{seed}.mat", {"GTcls": {"Segmentation": ids_of(seed), "Boundaries": 0}})
    (root / "train.txt").write_text("p0\np1\np2\n")
    (root / "val.txt").write_text("p3\n")
    return root


def save_stack(path: Path, pages: list[np.ndarray]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    first, *rest = [Image.fromarray(page) for page in pages]
    first.save(path, save_all=True, append_images=rest)
    return path


def tiff_stack(root: Path) -> Path:
    grey = [photo_of(seed)[..., 0] for seed in range(COUNT)]
    save_stack(root / "images" / "volume.tif", grey)
    save_stack(root / "labels" / "volume.tif", [ids_of(seed) for seed in range(COUNT)])
    return root
