"""The demonstration's data set: photos and LabelMe files as an annotator would leave them, faults included."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tessella.core.classes import ClassInfo, ClassTable, LabelCoding
from tessella.demo.paint import paint
from tessella.demo.scene import CLASSES, CLOUD, Scene, compose
from tessella.files.classes import write_classes
from tessella.files.write import write_bytes, write_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

CLASSES_FILE: Final = "classes.toml"
"""What the label names mean and how they are painted; the class ids follow its order."""

_EXIF_QUARTER_TURN: Final = 6
"""Exif orientation 6: the stored rows are to be shown after a quarter turn clockwise."""


@dataclass(frozen=True, slots=True)
class Planted:
    """A fault that was planted on purpose.

    Args:
        code: The rule of `tessella check` that must find it.
        where: The photo's name without suffix.
        what: What was done, for the story that the demonstration tells.
    """

    code: str
    where: str
    what: str


def write_survey(folder: Path, *, scenes: int, seed: int = 0) -> tuple[Planted, ...]:
    """Write an annotated aerial survey with planted label faults.

    Args:
        folder: An existing folder; photos (`scene_000.jpg`), LabelMe files beside them, and `classes.toml`.
        scenes: Number of photos, at least 27, so that each of the nine faults gets a photo of its own.
        seed: The same seed gives the same bytes.

    Returns:
        What was planted, by photo.
    """
    for number in range(scenes):
        scene = compose(seed * 100_003 + number)
        name = f"scene_{number:03d}"
        write_bytes(folder / f"{name}.jpg", encode_photo(paint(scene)))
        write_json_as_labelme(folder / f"{name}.json", to_labelme(scene, f"{name}.jpg"))
    infos = tuple(ClassInfo(name, colour) for name, colour in CLASSES.items())
    write_classes(folder / CLASSES_FILE, LabelCoding(ClassTable(infos), ignore_names=(CLOUD,)))
    # faults lie on every third photo from the start, so that they are spread and never share a photo
    return tuple(plant(folder, f"scene_{3 * index:03d}") for index, plant in enumerate(_PLANTERS[: scenes // 3]))


def encode_photo(pixels: NDArray[np.uint8], *, orientation: int = 1) -> bytes:
    """Encode a photo as JPEG.

    Args:
        pixels: (H, W, 3) uint8 RGB as stored.
        orientation: The EXIF orientation 1..8 to note down.

    Returns:
        The bytes of the file.
    """
    import io

    from PIL import Image as Pillow

    exif = Pillow.Exif()
    if orientation != 1:
        exif[0x0112] = orientation
    stream = io.BytesIO()
    Pillow.fromarray(pixels).save(stream, "JPEG", quality=92, exif=exif)
    return stream.getvalue()


def to_labelme(scene: Scene, photo: str) -> dict[str, Any]:
    """Describe a scene as a LabelMe 5 file: one polygon per region, in drawing order."""
    height, width = scene.hw
    shapes: list[dict[str, Any]] = [
        {
            "label": region.label,
            "points": [[round(float(x), 2), round(float(y), 2)] for x, y in _within(region.outline_xy, scene.hw)],
            "group_id": None,
            "description": "",
            "shape_type": "polygon",
            "flags": {},
            "mask": None,
        }
        for region in scene.regions
    ]
    return {
        "version": "5.10.1",
        "flags": {},
        "shapes": shapes,
        "imagePath": photo,
        "imageData": None,
        "imageHeight": height,
        "imageWidth": width,
    }


def _within(outline_xy: NDArray[np.float64], hw: tuple[int, int]) -> NDArray[np.float64]:
    return np.clip(outline_xy, 0, (hw[1], hw[0]))


def write_json_as_labelme(path: Path, content: dict[str, Any]) -> None:
    """Write a LabelMe file with the tool's own layout (two blanks of indent)."""
    write_text(path, json.dumps(content, indent=2))


def _misspell(folder: Path, name: str) -> Planted:
    def change(content: dict[str, Any]) -> None:
        _last(content, "building")["label"] = "bulding"

    return _edited(folder, name, change, code="L110", what="one building was labelled 'bulding'")


def _overshoot(folder: Path, name: str) -> Planted:
    def change(content: dict[str, Any]) -> None:
        shape = _last(content, "field")
        right = max(range(len(shape["points"])), key=lambda index: shape["points"][index][0])
        shape["points"][right][0] = content["imageWidth"] + 37.5

    return _edited(folder, name, change, code="G101", what="a polygon was dragged over the right edge")


def _two_points(folder: Path, name: str) -> Planted:
    def change(content: dict[str, Any]) -> None:
        content["shapes"].append({**_last(content, "tree"), "points": [[40.0, 40.0], [44.0, 47.0]]})

    return _edited(folder, name, change, code="G102", what="a polygon was left with two points")


def _wrong_size(folder: Path, name: str) -> Planted:
    def change(content: dict[str, Any]) -> None:
        content["imageHeight"] *= 2
        content["imageWidth"] *= 2
        for shape in content["shapes"]:
            shape["points"] = [[2 * x, 2 * y] for x, y in shape["points"]]

    return _edited(folder, name, change, code="S101", what="the photo was halved after it was annotated")


def _truncate(folder: Path, name: str) -> Planted:
    path = folder / f"{name}.json"
    data = path.read_bytes()
    write_bytes(path, data[: len(data) // 2])
    return Planted("F101", name, "the annotation file was cut off half-way")


def _forget(folder: Path, name: str) -> Planted:
    (folder / f"{name}.json").unlink()
    return Planted("P101", name, "the photo was never annotated")


def _lose_photo(folder: Path, name: str) -> Planted:
    (folder / f"{name}.jpg").unlink()
    return Planted("P102", name, "the annotation's photo was deleted")


def _duplicate(folder: Path, name: str) -> Planted:
    twin = f"{name}_copy"
    write_bytes(folder / f"{twin}.jpg", (folder / f"{name}.jpg").read_bytes())
    content = json.loads((folder / f"{name}.json").read_text())
    write_json_as_labelme(folder / f"{twin}.json", {**content, "imagePath": f"{twin}.jpg"})
    return Planted("D101", name, "the same photo is there twice")


def _turn(folder: Path, name: str) -> Planted:
    """Store the photo on its side with an EXIF note, and the labels as a tool that ignores EXIF would draw them."""
    from PIL import Image as Pillow

    with Pillow.open(folder / f"{name}.jpg") as picture:
        upright = np.asarray(picture)
    stored = np.ascontiguousarray(np.rot90(upright))  # a quarter turn back, which orientation 6 undoes
    write_bytes(folder / f"{name}.jpg", encode_photo(stored, orientation=_EXIF_QUARTER_TURN))
    width = upright.shape[1]

    def change(content: dict[str, Any]) -> None:
        content["imageHeight"], content["imageWidth"] = stored.shape[:2]
        for shape in content["shapes"]:
            shape["points"] = [[y, width - x] for x, y in shape["points"]]

    return _edited(folder, name, change, code="A101", what="the labels ignore the photo's EXIF orientation")


_PLANTERS: Final[tuple[Callable[[Path, str], Planted], ...]] = (
    _misspell,
    _overshoot,
    _two_points,
    _wrong_size,
    _truncate,
    _forget,
    _lose_photo,
    _duplicate,
    _turn,
)


def _edited(folder: Path, name: str, change: Callable[[dict[str, Any]], None], *, code: str, what: str) -> Planted:
    path = folder / f"{name}.json"
    content = json.loads(path.read_text())
    change(content)
    write_json_as_labelme(path, content)
    return Planted(code, name, what)


def _last(content: dict[str, Any], label: str) -> dict[str, Any]:
    return next(shape for shape in reversed(content["shapes"]) if shape["label"] == label)
