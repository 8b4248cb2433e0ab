"""Tiny exports of the VGG Image Annotator: versions 1, 2 and 3, JSON and CSV."""

import csv
import io
import json
from pathlib import Path

from data.layouts import photo_of, save


def polygon(points: list, **said: object) -> dict:
    xs, ys = ([point[axis] for point in points] for axis in (0, 1))
    return {"shape_attributes": {"name": "polygon", "all_points_x": xs, "all_points_y": ys}, "region_attributes": said}


def region(name: str, said: dict, **values: object) -> dict:
    return {"shape_attributes": {"name": name, **values}, "region_attributes": said}


def box(label: str, left: float, top: float, right: float, bottom: float) -> dict:
    return region("rect", {"class": label}, x=left, y=top, width=right - left, height=bottom - top)


def image(name: str, *regions: dict, size: int = -1, listed: bool = True) -> dict:
    held = list(regions) if listed else {str(place): one for place, one in enumerate(regions)}
    return {f"{name}{size}": {"filename": name, "size": size, "regions": held, "file_attributes": {}}}


def project(path: Path, *images: dict) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    merged = {key: value for one in images for key, value in one.items()}
    tree = {"_via_settings": {}, "_via_img_metadata": merged, "_via_attributes": {"region": {}, "file": {}}}
    path.write_text(json.dumps(tree))
    return path


def spreadsheet(path: Path, *images: dict, header: str = "filename") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    stream = io.StringIO()
    writer = csv.writer(stream)
    names = (
        "file_size",
        "file_attributes",
        "region_count",
        "region_id",
        "region_shape_attributes",
        "region_attributes",
    )
    writer.writerow([header, *names])
    for one in (value for held in images for value in held.values()):
        for place, row in enumerate(one["regions"]):
            cells = [json.dumps(row["shape_attributes"]), json.dumps(row["region_attributes"])]
            writer.writerow([one["filename"], one["size"], "{}", len(one["regions"]), place, *cells])
        if not one["regions"]:
            writer.writerow([one["filename"], one["size"], "{}", 0, 0, "{}", "{}"])
    path.write_text(stream.getvalue())
    return path


def via(root: Path, *, count: int = 4) -> Path:
    images = []
    for seed in range(count):
        photo = save(root / f"p{seed}.png", photo_of(seed))
        tree = polygon([(7, 5), (16, 5), (16, 12), (7, 12)], **{"class": "tree", "occluded": "no"})
        images.append(image(photo.name, box("road", 2, 0, 9, 3 + seed), tree, size=photo.stat().st_size))
    project(root / "via_project.json", *images)
    return root
