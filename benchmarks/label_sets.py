"""What `labels.py` measures on: label maps in blobs, COCO annotations and files, folders of any size; by a seed."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tessella.core.classes import ClassTable

SEED = 0


def blobs(
    rng: np.random.Generator,
    hw: tuple[int, int],
    classes: int,
    *,
    cells: tuple[int, int] = (24, 48),
    detail: float = 0.1,
) -> NDArray[np.uint8]:
    """Return ids in blobs: smooth noise with some finer noise on it, cut into levels."""
    coarse, fine = (
        cv2.resize(rng.random((cells[0] * scale, cells[1] * scale)).astype(np.float32), hw[::-1], interpolation=2)
        for scale in (1, 5)
    )
    field = (1 - detail) * coarse + detail * fine
    return np.clip(field * classes, 0, classes - 1).astype(np.uint8)


def coco_like(rng: np.random.Generator, count: int) -> list[list[dict[str, Any]]]:
    """Return annotations of photos of 640 x 480: 8 star-shaped polygons each, of 8 to 50 corners."""
    photos = []
    for number in range(count):
        entries = []
        for place in range(8):
            corners = int(rng.integers(8, 51))
            # the side of a square of the same area is log-normal: 41 % below 32 pixels, 76 % below 96
            radius = np.exp(rng.normal(3.73, 1.18)) / np.sqrt(np.pi)
            angle = np.sort(rng.uniform(0, 2 * np.pi, corners))
            reach = radius * rng.uniform(0.7, 1.25, corners)
            ring = np.stack([np.cos(angle), np.sin(angle)], axis=1) * reach[:, None] + rng.uniform(0, [640, 480])
            ring = np.clip(ring, 0, [640, 480]).round(2)
            entry = {
                "id": number * 8 + place,
                "image_id": number,
                "category_id": int(rng.integers(1, 81)),
                "iscrowd": 0,
            }
            entries.append(entry | {"segmentation": [ring.ravel().tolist()]})
        photos.append(entries)
    return photos


def write_coco(path: Path, *, photos: int, annotations: int) -> None:
    """Write a COCO file of polygons with 17 corners, photos of 640 x 480, photo by photo in no order, as COCO's own."""
    rng = np.random.default_rng(SEED)
    with path.open("w") as stream:
        listed = (
            f'{{"license": 3, "file_name": "{number:012d}.jpg", "height": 480, "width": 640, '
            f'"date_captured": "2013-11-14 11:18:45", "id": {number}}}'
            for number in range(photos)
        )
        stream.write('{"info": {}, "licenses": [], "images": [' + ", ".join(listed) + '], "annotations": [')
        for start in range(0, annotations, 10_000):
            points = (rng.random((10_000, 34)) * 480).round(2).tolist()
            rows = (
                f'{{"segmentation": [{ring}], "area": 702.1057, "iscrowd": 0, "image_id": {number * 7919 % photos}, '
                f'"bbox": [473.07, 395.93, 38.65, 28.67], "category_id": {number % 80 + 1}, "id": {number}}}'
                for number, ring in enumerate(points, start)
            )
            stream.write((", " if start else "") + ", ".join(rows))
        classes = (f'{{"supercategory": "thing", "id": {number}, "name": "class {number}"}}' for number in range(1, 81))
        stream.write('], "categories": [' + ", ".join(classes) + "]}")


def write_street(folder: Path, count: int, hw: tuple[int, int]) -> None:
    """Write photos and index masks with 19 classes in blobs, masks as palette PNG."""
    rng = np.random.default_rng(SEED)
    colours = ClassTable.from_names([f"class_{index}" for index in range(19)]).palette().tobytes()
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    for number in range(count):
        ids = blobs(rng, hw, 19, cells=(6, 12), detail=0.02)
        mask = Image.fromarray(ids)
        mask.putpalette(colours)
        mask.save(folder / "masks" / f"{number:06d}.png")
        grain = rng.integers(0, 24, (*hw, 1), np.uint8)
        Image.fromarray(ids[..., None] * np.array([9, 11, 12], np.uint8) + grain).save(
            folder / "images" / f"{number:06d}.jpg", quality=90
        )


def write_stamps(folder: Path, count: int) -> None:
    """Write photos and index masks of 24 x 16 pixels, all different."""
    rng = np.random.default_rng(SEED)
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    for number in range(count):
        Image.fromarray(rng.integers(0, 256, (16, 24, 3), np.uint8)).save(folder / "images" / f"{number:06d}.bmp")
        Image.fromarray(np.sort(rng.integers(0, 4, (16, 24), np.uint8))).save(folder / "masks" / f"{number:06d}.png")
