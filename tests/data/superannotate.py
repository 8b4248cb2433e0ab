"""Tiny SuperAnnotate projects: vector (shapes) and pixel (a mask with a colour per part)."""

import json
from pathlib import Path

import numpy as np

from data.layouts import photo_of, save

CLASSES = [
    {"id": 1, "project_id": 7, "name": "road", "color": "#ff0000", "attribute_groups": []},
    {"id": 2, "project_id": 7, "name": "tree", "color": "#00ff00", "attribute_groups": []},
]


def classes(root: Path) -> None:
    folder = root / "classes"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "classes.json").write_text(json.dumps(CLASSES))


def polygon(label: str, points: list, **more: object) -> dict:
    listed = [value for point in points for value in point]
    return {"type": "polygon", "className": label, "points": listed, "groupId": 0, "attributes": [], **more}


def box(label: str, left: float, top: float, right: float, bottom: float, **more: object) -> dict:
    points = {"x1": left, "y1": top, "x2": right, "y2": bottom}
    return {"type": "bbox", "className": label, "points": points, "groupId": 0, "attributes": [], **more}


def parts(label: str, *colours: str, **more: object) -> dict:
    return {"className": label, "parts": [{"color": colour} for colour in colours], "attributes": [], **more}


def annotation(path: Path, *instances: dict, photo: str, hw: tuple[int, int] | None = (12, 16), **more: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    height, width = hw or (None, None)
    metadata = {"name": photo, "width": width, "height": height}
    path.write_text(
        json.dumps({"metadata": metadata, "instances": list(instances), "tags": [], "comments": [], **more})
    )
    return path


def superannotate(root: Path, *, count: int = 4) -> Path:
    classes(root)
    for seed in range(count):
        name = f"p{seed}.png"
        save(root / name, photo_of(seed))
        tree = polygon("tree", [(7, 5), (16, 5), (16, 12), (7, 12)])
        annotation(root / f"{name}___objects.json", box("road", 2, 0, 9, 3 + seed), tree, photo=name)
    return root


def pixel_project(root: Path, *, count: int = 2) -> Path:
    """Photos p0, p1, ... with a road in two parts (#000002, #00000f) and a tree (#0002a3)."""
    classes(root)
    for seed in range(count):
        name = f"p{seed}.png"
        save(root / name, photo_of(seed))
        mask = np.zeros((12, 16, 4), np.uint8)
        mask[:3, 2:5] = (0, 0, 2, 255)
        mask[:3, 7:9] = (0, 0, 0x0F, 255)
        mask[5:, 7 + seed :] = (0, 2, 0xA3, 255)
        save(root / f"{name}___save.png", mask)
        save(root / f"{name}___fuse.png", mask)
        instances = [parts("road", "#000002", "#00000F"), parts("tree", "#0002a3")]
        annotation(root / f"{name}___pixel.json", *instances, photo=name, hw=None)
    return root
