"""Tiny Supervisely projects: `meta.json`, and `ann` beside `img` in each data set."""

import json
from pathlib import Path

import numpy as np

from data.layouts import photo_of, save
from tessella.formats.raster.bitmap import encode_bitmap

COLOURS = {"background": "#000000", "road": "#FF0000", "tree": "#00FF00"}


def polygon(label: str, points: list, *holes: list, **more: object) -> dict:
    points_of = {"exterior": [list(point) for point in points], "interior": [[list(p) for p in ring] for ring in holes]}
    return {"classTitle": label, "geometryType": "polygon", "tags": [], "points": points_of, **more}


def box(label: str, left: float, top: float, right: float, bottom: float) -> dict:
    return polygon(label, [(left, top), (right, bottom)], geometryType="rectangle")


def bitmap(label: str, mask: np.ndarray, origin: tuple[int, int], **more: object) -> dict:
    packed = {"data": encode_bitmap(mask), "origin": list(origin)}
    return {"classTitle": label, "geometryType": "bitmap", "tags": [], "bitmap": packed, **more}


def annotation(path: Path, *objects: dict, hw: tuple[int, int] = (12, 16), **more: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    size = {"height": hw[0], "width": hw[1]}
    path.write_text(json.dumps({"description": "", "tags": [], "size": size, "objects": list(objects), **more}))
    return path


def meta(root: Path, colours: dict[str, str] = COLOURS) -> None:
    root.mkdir(parents=True, exist_ok=True)
    classes = [{"title": name, "shape": "any", "color": colour} for name, colour in colours.items()]
    (root / "meta.json").write_text(json.dumps({"classes": classes, "tags": [], "projectType": "images"}))


def supervisely(root: Path, *, count: int = 4) -> Path:
    meta(root)
    for seed in range(count):
        name, folder = f"p{seed}.png", root / ("val" if seed == count - 1 else "train")
        save(folder / "img" / name, photo_of(seed))
        tree = bitmap("tree", np.ones((7, 9), bool), (7, 5))
        annotation(folder / "ann" / f"{name}.json", box("road", 2, 0, 9, 3 + seed), tree)
    return root
