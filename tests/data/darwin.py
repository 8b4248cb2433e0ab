"""Tiny Darwin exports: one JSON file per photo, shapes and raster layers."""

import json
from pathlib import Path

import numpy as np

from data.layouts import photo_of, save


def points(listed: list) -> list:
    return [{"x": x, "y": y} for x, y in listed]


def polygon(label: str, *paths: list, **more: object) -> dict:
    return {"id": f"{label}-p", "name": label, "polygon": {"paths": [points(path) for path in paths]}, **more}


def box(label: str, left: float, top: float, right: float, bottom: float, **more: object) -> dict:
    sides = {"x": left, "y": top, "w": right - left, "h": bottom - top}
    return {"id": f"{label}-b", "name": label, "bounding_box": sides, **more}


def layer(values: np.ndarray, ids: dict[str, int], **more: object) -> dict:
    flat = values.reshape(-1)
    starts = np.concatenate([[0], np.flatnonzero(flat[1:] != flat[:-1]) + 1])
    lengths = np.diff(np.append(starts, flat.size))
    runs = [int(number) for pair in zip(flat[starts], lengths, strict=True) for number in pair]
    packed = {"dense_rle": runs, "mask_annotation_ids_mapping": ids, "total_pixels": int(flat.size)}
    return {"id": "layer", "name": "__raster_layer__", "raster_layer": packed, **more}


def slot(name: str, file: str, *, hw: tuple[int, int] = (12, 16), **more: object) -> dict:
    tree = {"type": "image", "slot_name": name, "width": hw[1], "height": hw[0]}
    return tree | {"source_files": [{"file_name": file}], **more}


def item(path: Path, *annotations: dict, photo: str, slots: list | None = None, folder: str = "/") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    tree = {"version": "2.0", "item": {"name": photo, "path": folder, "slots": slots or [slot("0", photo)]}}
    path.write_text(json.dumps(tree | {"annotations": list(annotations), "properties": []}))
    return path


def darwin(root: Path, *, count: int = 4) -> Path:
    for seed in range(count):
        save(root / "images" / f"p{seed}.png", photo_of(seed))
        values = np.zeros((12, 16), int)
        values[5:, 7:] = 1
        tree = {"id": "tree-m", "name": "tree", "mask": {}}
        road = box("road", 2, 0, 9, 3 + seed)
        item(root / "annotations" / f"p{seed}.json", road, tree, layer(values, {"tree-m": 1}), photo=f"p{seed}.png")
    return root
