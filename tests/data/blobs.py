"""A tiny data set for training: noisy photos with bright squares (class 1) and dark discs (class 2) on grey."""

from pathlib import Path

import numpy as np
from PIL import Image


def write_blobs(
    root: Path, *, train: int = 8, val: int = 3, test: int = 0, hw: tuple[int, int] = (48, 64), seed: int = 0
) -> Path:
    """Write `train/images`, `train/masks`, `val/images`, `val/masks` and `classes.toml`; return the folder."""
    rng = np.random.default_rng(seed)
    for split, count in (("train", train), ("val", val), ("test", test)):
        for number in range(count):
            pixels, ids = _scene(rng, hw)
            for kind, array in (("images", pixels), ("masks", ids)):
                path = root / split / kind / f"{split}{number:02d}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(array).save(path)
    names = ("ground", "square", "disc")
    colours = ((90, 90, 90), (255, 0, 0), (0, 0, 255))
    rows = [
        f'[[classes]]\nname = "{name}"\ncolour = {list(colour)}\n' for name, colour in zip(names, colours, strict=True)
    ]
    (root / "classes.toml").write_text("\n".join(rows))
    return root


def _scene(rng, hw):
    height, width = hw
    ids = np.zeros(hw, np.uint8)
    rows, columns = np.mgrid[:height, :width]
    for _ in range(3):
        y, x, r = rng.integers(height), rng.integers(width), rng.integers(4, 10)
        ids[(abs(rows - y) < r) & (abs(columns - x) < r)] = 1
        y, x, r = rng.integers(height), rng.integers(width), rng.integers(3, 7)
        ids[(rows - y) ** 2 + (columns - x) ** 2 < r * r] = 2
    ids[:2] = 255
    levels = np.array([110, 200, 40], np.uint8)[np.where(ids == 255, 0, ids)]
    noise = rng.normal(0, 18, (*hw, 3))
    return np.clip(levels[..., None] + noise, 0, 255).astype(np.uint8), ids
