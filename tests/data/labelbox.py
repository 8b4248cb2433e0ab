"""Tiny Labelbox exports: version 1 as JSON, version 2 as NDJSON."""

import json
from pathlib import Path

from data.layouts import photo_of, save


def points(listed: list) -> list:
    return [{"x": x, "y": y} for x, y in listed]


def polygon(name: str, listed: list, **more: object) -> dict:
    return {
        "name": name,
        "feature_id": f"f-{name}",
        "annotation_kind": "ImagePolygon",
        "polygon": points(listed),
        **more,
    }


def box(name: str, left: float, top: float, right: float, bottom: float, **more: object) -> dict:
    sides = {"left": left, "top": top, "width": right - left, "height": bottom - top}
    return {
        "name": name,
        "feature_id": f"f-{name}",
        "annotation_kind": "ImageBoundingBox",
        "bounding_box": sides,
        **more,
    }


def mask(name: str, feature: str, **more: object) -> dict:
    url = f"https://api.labelbox.com/masks/feature/{feature}?token=abc"
    return {
        "name": name,
        "feature_id": feature,
        "annotation_kind": "ImageSegmentationMask",
        "mask": {"url": url},
        **more,
    }


def label(*objects: dict, updated: str = "2024-01-01T00:00:00Z", **more: object) -> dict:
    said = {"objects": list(objects), "classifications": [], "relationships": []}
    return {"label_kind": "Default", "label_details": {"updated_at": updated}, "annotations": said, **more}


def row(key: str, photo: str, *labels: dict, hw: tuple[int, int] | None = (12, 16)) -> dict:
    size = {} if hw is None else {"height": hw[0], "width": hw[1]}
    data = {"id": key, "external_id": photo, "row_data": f"https://storage.example.com/{key}%2F{photo}"}
    return {"data_row": data, "media_attributes": size, "projects": {"p1": {"name": "p", "labels": list(labels)}}}


def first(key: str, photo: str, *objects: dict, updated: str = "2021-01-01T00:00:00Z", **more: object) -> dict:
    """A row of version 1."""
    said = {"objects": list(objects), "classifications": [], "relationships": []}
    tree = {"ID": f"label-{key}-{updated}", "DataRow ID": key, "Labeled Data": f"https://s.example.com/{photo}"}
    return tree | {"Label": said, "External ID": photo, "Updated At": updated, **more}


def lines(path: Path, *data_rows: dict) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{json.dumps(one)}\n" for one in data_rows))
    return path


def labelbox(root: Path, *, count: int = 4) -> Path:
    data_rows = []
    for seed in range(count):
        save(root / "photos" / f"p{seed}.png", photo_of(seed))
        tree = polygon("tree", [(7, 5), (16, 5), (16, 12), (7, 12)])
        data_rows.append(row(f"dr{seed}", f"p{seed}.png", label(box("road", 2, 0, 9, 3 + seed), tree)))
    lines(root / "export.ndjson", *data_rows)
    return root
