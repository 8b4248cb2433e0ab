"""Tiny Label Studio exports: one file of tasks beside the photos."""

import json
from pathlib import Path

from data.layouts import photo_of, save

HW = (12, 16)


def result(kind: str, label: str, *, region: str = "r", hw: tuple[int, int] | None = HW, **value: object) -> dict:
    tree = {"id": region, "type": kind, "from_name": "tag", "to_name": "image", "image_rotation": 0}
    if hw is not None:
        tree |= {"original_height": hw[0], "original_width": hw[1]}
    return tree | {"value": {**value, kind: [label]}}


def percent(points: list, hw: tuple[int, int] = HW) -> list:
    return [[100 * x / hw[1], 100 * y / hw[0]] for x, y in points]


def polygon(label: str, points: list, **more: object) -> dict:
    return result("polygonlabels", label, points=percent(points), **more)


def box(label: str, left: float, top: float, right: float, bottom: float, **more: object) -> dict:
    (x, y), (width, height) = percent([(left, top), (right - left, bottom - top)])
    return result("rectanglelabels", label, x=x, y=y, width=width, height=height, rotation=0, **more)


def annotation(*results: dict, **more: object) -> dict:
    listed = [{**one, "id": f"r{place}"} if one.get("id", "r") == "r" else one for place, one in enumerate(results)]
    return {
        "was_cancelled": False,
        "ground_truth": False,
        "updated_at": "2024-01-01T00:00:00Z",
        "result": listed,
        **more,
    }


def task(number: int, image: str, *annotations: dict, **more: object) -> dict:
    return {"id": number, "data": {"image": image}, "annotations": list(annotations), "predictions": [], **more}


def export(path: Path, *tasks: dict) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(list(tasks)), encoding="utf-8")
    return path


def label_studio(root: Path, *, count: int = 4) -> Path:
    tasks = []
    for seed in range(count):
        save(root / "images" / f"p{seed}.png", photo_of(seed))
        tree = [(7, 5), (16, 5), (16, 12), (7, 12)]
        done = annotation(
            box("road", 2, 0, 9, 3 + seed), polygon("tree", tree), box("__ignore__", seed, 11, seed + 1, 12)
        )
        tasks.append(task(seed + 1, f"/data/upload/7/0123abcd-p{seed}.png", done))
    export(root / "project-7.json", *tasks)
    return root
