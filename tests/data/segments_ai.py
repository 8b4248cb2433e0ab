"""Tiny releases of Segments.ai, with the bitmaps that its own tool downloads."""

import json
from pathlib import Path

import numpy as np

from data.layouts import photo_of, save

CATEGORIES = [{"id": 1, "name": "road", "color": [255, 0, 0]}, {"id": 2, "name": "tree", "color": [0, 255, 0]}]


def sample(key: str, photo: str, *annotations: dict, bitmap: str | None = "b.png") -> dict:
    said: dict = {"format_version": "0.1", "annotations": list(annotations)}
    if bitmap is not None:
        said["segmentation_bitmap"] = {"url": f"https://s.example.com/assets/{bitmap}"}
    labels = {"ground-truth": {"label_status": "LABELED", "attributes": said}}
    image = {"image": {"url": f"https://s.example.com/{photo}"}}
    return {"uuid": key, "name": photo, "attributes": image, "labels": labels}


def annotation(number: int, category: int, **more: object) -> dict:
    return {"id": number, "category_id": category, **more}


def release(path: Path, *samples: dict, task: str = "segmentation-bitmap") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    held = {"name": "d", "task_type": task, "task_attributes": {"categories": CATEGORIES}, "samples": list(samples)}
    path.write_text(json.dumps({"name": "v1.0", "dataset": held}))
    return path


def coloured(numbers: np.ndarray) -> np.ndarray:
    """Return instance numbers as red + 256 green + 65536 blue, opaque."""
    full = np.full(numbers.shape, 255)
    return np.stack([numbers & 255, numbers >> 8 & 255, numbers >> 16 & 255, full], axis=-1).astype(np.uint8)


def segments_ai(root: Path, *, count: int = 4) -> Path:
    samples = []
    for seed in range(count):
        save(root / f"p{seed}.png", photo_of(seed))
        numbers = np.zeros((12, 16), np.int64)
        numbers[: 3 + seed, 2:9] = 1
        numbers[5:, 7:] = 300
        save(root / f"p{seed}_label_ground-truth.png", coloured(numbers))
        samples.append(
            sample(f"uuid-{seed}", f"p{seed}.png", annotation(1, 1), annotation(300, 2), bitmap=f"x{seed}.png")
        )
    release(root / "release-v1.0.json", *samples)
    return root
