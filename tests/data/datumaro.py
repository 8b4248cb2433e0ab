"""Tiny data sets in Datumaro's own JSON."""

import json
from pathlib import Path

from data.coco import HW, block, photo

LABELS = [{"name": name, "parent": "", "attributes": []} for name in ("road", "tree", "pole")]


def annotation(kind: str, label: int | None = 0, **more: object) -> dict:
    return {"id": 0, "type": kind, "attributes": {}, "group": 0, "label_id": label, "z_order": 0, **more}


def item(name: str, *annotations: dict, hw: tuple[int, int] = HW, path: str = "") -> dict:
    return {"id": name, "annotations": list(annotations), "image": {"path": path or f"{name}.png", "size": list(hw)}}


def document(path: Path, *items: dict, labels: list | None = None) -> Path:
    tree = {"info": {}, "categories": {"label": {"labels": LABELS if labels is None else labels}}, "items": list(items)}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(tree))
    return path


def datumaro(root: Path, *, count: int = 4) -> Path:
    """The tree stands before the road in the file, and above it by its z-order."""
    items = []
    for seed in range(count):
        photo(root / "images" / "default" / f"p{seed}.png", seed)
        tree = annotation("polygon", 1, points=block(7, 5, 16, 12), z_order=2)
        road = annotation("polygon", 0, points=block(2, 0, 9, 7 + seed), z_order=1)
        items.append(item(f"p{seed}", tree, road, path=f"/home/someone/p{seed}.png"))
    document(root / "annotations" / "default.json", *items)
    return root
