"""Tiny Encord exports: a list of label rows."""

import json
from pathlib import Path

from data.layouts import photo_of, save

HW = (12, 16)


def thing(name: str, shape: str, **outline: object) -> dict:
    tree = {"name": name, "shape": shape, "color": "#FF0000" if name == "road" else "#00FF00", "value": name}
    return tree | {"objectHash": f"hash-{name}", "featureHash": f"feature-{name}", **outline}


def polygon(name: str, points: list, **more: object) -> dict:
    listed = {str(place): {"x": x / HW[1], "y": y / HW[0]} for place, (x, y) in enumerate(points)}
    return thing(name, "polygon", polygon=listed, **more)


def box(name: str, left: float, top: float, right: float, bottom: float) -> dict:
    sides = {"x": left / HW[1], "y": top / HW[0], "w": (right - left) / HW[1], "h": (bottom - top) / HW[0]}
    return thing(name, "bounding_box", boundingBox=sides)


def label_row(key: str, photo: str, *objects: dict, answers: dict | None = None, **more: object) -> dict:
    labels = {"objects": list(objects), "classifications": []}
    unit = {"data_hash": key, "data_title": photo, "data_type": "image/png", "height": HW[0], "width": HW[1]}
    unit |= {"data_link": f"https://s.example.com/{photo}?x=1", "labels": labels, **more}
    tree = {"label_hash": f"l-{key}", "data_title": photo, "data_type": "image", "data_units": {key: unit}}
    return tree | {"object_answers": answers or {}, "classification_answers": {}}


def export(path: Path, *label_rows: dict) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(list(label_rows)))
    return path


def encord(root: Path, *, count: int = 4) -> Path:
    label_rows = []
    for seed in range(count):
        save(root / f"p{seed}.png", photo_of(seed))
        tree = polygon("tree", [(7, 5), (16, 5), (16, 12), (7, 12)])
        label_rows.append(label_row(f"data-{seed}", f"p{seed}.png", box("road", 2, 0, 9, 3 + seed), tree))
    export(root / "labels.json", *label_rows)
    return root
