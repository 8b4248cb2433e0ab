"""Tiny Hasty JSON exports."""

import json
from pathlib import Path

from data.layouts import photo_of, save


def label(name: str, **outline: object) -> dict:
    return {"class_name": name, "bbox": None, "polygon": None, "mask": None, "z_index": 1, "attributes": {}, **outline}


def image(name: str, *labels: dict, hw: tuple[int, int] | None = (12, 16), **more: object) -> dict:
    height, width = hw or (None, None)
    tree = {"image_name": name, "dataset_name": "images", "width": width, "height": height, "image_status": "DONE"}
    return tree | {"labels": list(labels), "tags": [], **more}


def export(path: Path, *images: dict) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    classes = [{"class_name": "road", "color": "#ff00004d", "class_type": "object"}]
    classes.append({"class_name": "tree", "color": "#00ff004d", "class_type": "object"})
    tree = {"project_name": "p", "export_format_version": "1.1", "label_classes": classes, "images": list(images)}
    path.write_text(json.dumps(tree))
    return path


def hasty(root: Path, *, count: int = 4) -> Path:
    images = []
    for seed in range(count):
        save(root / "images" / f"p{seed}.png", photo_of(seed))
        tree = label("tree", polygon=[[7, 5], [16, 5], [16, 12], [7, 12]], z_index=2)
        images.append(image(f"p{seed}.png", tree, label("road", bbox=[2, 0, 9, 3 + seed])))
    export(root / "project.json", *images)
    return root
