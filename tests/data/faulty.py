"""Small data sets with one fault planted, and clean ones beside them; each function writes into a folder."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tessella.core.classes import ClassTable, LabelCoding

HW = (40, 60)
NAMES = ("background", "building", "road")
CODING = LabelCoding(ClassTable.from_names(NAMES))


def photo(seed: int, hw: tuple[int, int] = HW) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (*hw, 3), dtype=np.uint8)


def ids(hw: tuple[int, int] = HW) -> np.ndarray:
    """Background, a building of 10 x 20 at (5, 5), a road along the bottom."""
    grid = np.zeros(hw, np.uint8)
    grid[5:15, 5:25] = 1
    grid[-6:] = 2
    return grid


def save(path: Path, pixels: np.ndarray, **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)
    return path


def save_turned(path: Path, stored: np.ndarray, orientation: int) -> Path:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return save(path, stored, exif=exif)


def mask_set(root: Path, *, count: int = 4, split: str = "") -> Path:
    """Write a clean folder: images/0.png, masks/0.png and so on."""
    for number in range(count):
        save(root / split / "images" / f"{number}.png", photo(number + 100 * len(split)))
        save(root / split / "masks" / f"{number}.png", ids())
    return root


def polygon(label: str, *points: tuple[float, float], kind: str = "polygon") -> dict[str, Any]:
    return {
        "label": label,
        "points": [list(point) for point in points],
        "group_id": None,
        "shape_type": kind,
        "flags": {"checked": True},
    }


def house(label: str = "building") -> dict[str, Any]:
    return polygon(label, (5, 5), (25, 5), (25, 15), (5, 15))


def ground() -> dict[str, Any]:
    return polygon("road", (0, 34), (60, 34), (60, 40), (0, 40))


def labelme(path: Path, *shapes: dict[str, Any], hw: tuple[int, int] = HW, photo_name: str | None = None) -> Path:
    """Write a LabelMe file; NaN is written as the tool writes it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "version": "5.5.0",
        "flags": {},
        "shapes": list(shapes),
        "imagePath": photo_name or f"{path.stem}.png",
        "imageData": None,
        "imageHeight": hw[0],
        "imageWidth": hw[1],
        "note": "kept",
    }
    path.write_text(json.dumps(content))
    return path


def labelme_set(root: Path, *, count: int = 4) -> Path:
    """Write a clean LabelMe folder: 0.png, 0.json and so on, and labels.txt."""
    for number in range(count):
        save(root / f"{number}.png", photo(number))
        labelme(root / f"{number}.json", house(), ground())
    (root / "labels.txt").write_text("__ignore__\n" + "\n".join(NAMES) + "\n")
    return root


def jpeg(pixels: np.ndarray, quality: int = 85) -> np.ndarray:
    """Return what JPEG makes of grey pixels."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=quality)
    return np.asarray(Image.open(stream))


def disc(hw: tuple[int, int] = (96, 120), radius: float = 30) -> np.ndarray:
    """Return (H, W) bool: a disc in the middle."""
    rows, columns = np.indices(hw)
    return np.hypot(rows - hw[0] / 2, columns - hw[1] / 2) <= radius


def soft(pixels: np.ndarray) -> np.ndarray:
    """Return pixels as an anti-aliasing painter leaves them: drawn four times as large, then averaged."""
    height, width = pixels.shape
    return np.asarray(Image.fromarray(pixels).resize((width // 4, height // 4), Image.Resampling.BOX))
