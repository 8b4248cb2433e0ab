"""Tiny data sets in COCO's forms: instances, panoptic masks, pixel maps of COCO-Stuff."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

HW = (12, 16)
CATEGORIES = [
    {"id": 3, "name": "road", "supercategory": "ground"},
    {"id": 17, "name": "tree", "supercategory": "plant"},
]


def photo(path: Path, seed: int = 0, hw: tuple[int, int] = HW) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (*hw, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def block(left: float, top: float, right: float, bottom: float) -> list[float]:
    return [left, top, right, top, right, bottom, left, bottom]


def row(number: int, image: int, category: int, segmentation: object, **more: object) -> dict:
    return {
        "id": number,
        "image_id": image,
        "category_id": category,
        "segmentation": segmentation,
        "area": 1.0,
        "bbox": [0, 0, 1, 1],
        "iscrowd": 0,
        **more,
    }


def images(*names: str, hw: tuple[int, int] = HW) -> list[dict]:
    return [{"id": n, "file_name": name, "height": hw[0], "width": hw[1]} for n, name in enumerate(names, start=1)]


def document(path: Path, listed: list, rows: list, categories: list | None = None, **more: object) -> Path:
    tree = {"info": {}, "licenses": [], "categories": CATEGORIES if categories is None else categories}
    tree |= {"images": listed, "annotations": rows, **more}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(tree))
    return path


def coco(root: Path, *, count: int = 4) -> Path:
    """Polygons of two parts, a compressed and an uncompressed mask, sparse category ids."""
    rows = []
    for seed in range(count):
        photo(root / "images" / f"p{seed}.png", seed)
        rows += [
            row(2 * seed, seed + 1, 3, [block(2, 0, 9, 3 + seed), block(0, 11, 2, 12)]),
            row(2 * seed + 1, seed + 1, 17, [block(7, 5, 16, 12)]),
        ]
    listed = images(*(f"p{seed}.png" for seed in range(count)))
    document(root / "annotations" / "instances_default.json", listed, rows)
    return root


def panoptic_mask(path: Path, numbers: np.ndarray) -> Path:
    """Write segment numbers as red + 256 green + 65536 blue."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.stack([numbers >> shift & 255 for shift in (0, 8, 16)], axis=-1).astype(np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def panoptic(root: Path, *, count: int = 4) -> Path:
    """Two trees and a road on each photo, the last column without segment."""
    rows = []
    for seed in range(count):
        photo(root / "images" / f"p{seed}.jpg", seed)
        numbers = np.full(HW, 70_000 + seed)
        numbers[:4, 2:9] = 5
        numbers[6:, 7:] = 300
        numbers[:, -1] = 0
        panoptic_mask(root / "annotations" / "panoptic_default" / f"p{seed}.png", numbers)
        listed = [(70_000 + seed, 1), (5, 17), (300, 17)]
        segments = [{"id": key, "category_id": value, "iscrowd": 0, "area": 1, "bbox": []} for key, value in listed]
        rows.append({"image_id": seed + 1, "file_name": f"p{seed}.png", "segments_info": segments})
    categories = [
        {"id": 1, "name": "road", "supercategory": "", "isthing": 0},
        {"id": 17, "name": "tree", "supercategory": "", "isthing": 1},
        {"id": 200, "name": "sky", "supercategory": "", "isthing": 0},
    ]
    listed_photos = images(*(f"p{seed}.jpg" for seed in range(count)))
    document(root / "annotations" / "panoptic_default.json", listed_photos, rows, categories)
    return root


def stuff(root: Path, *, count: int = 4) -> Path:
    """Maps of COCO-Stuff: person is 0, banner is 91, wood is 181."""
    for seed in range(count):
        photo(root / "images" / "train2017" / f"{seed:012d}.jpg", seed)
        values = np.full(HW, 181, np.uint8)
        values[:4, 2:9] = 0
        values[6:, 7:] = 91
        values[-1, -1] = 255
        path = root / "stuffthingmaps" / "train2017" / f"{seed:012d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(values).save(path)
    return root
