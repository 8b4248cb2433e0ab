"""Tiny Open Images sets: a table of masks, their pictures, and the names of the classes."""

from pathlib import Path

import numpy as np

from data.layouts import photo_of, save

NAMES = {"/m/01": "road", "/m/02": "tree"}


def describe(root: Path) -> None:
    root.mkdir(parents=True, exist_ok=True)
    lines = ["LabelName,DisplayName", *(f"{code},{name}" for code, name in NAMES.items())]
    (root / "oidv6-class-descriptions.csv").write_text("\n".join(lines) + "\n")


def masks_table(path: Path, *rows: tuple[str, str, str]) -> Path:
    """Write rows of mask file, photo and class code."""
    path.parent.mkdir(parents=True, exist_ok=True)
    header = "MaskPath,ImageID,LabelName,BoxID,BoxXMin,BoxXMax,BoxYMin,BoxYMax,PredictedIoU,Clicks"
    lines = [f"{mask},{photo},{code},b,0,1,0,1,0.5," for mask, photo, code in rows]
    path.write_text("\n".join([header, *lines]) + "\n")
    return path


def open_images(root: Path, *, count: int = 4) -> Path:
    describe(root / "annotations")
    rows = []
    for seed in range(count):
        save(root / "images" / "train" / f"p{seed}.png", photo_of(seed))
        for code, place in (("/m/01", np.s_[: 3 + seed, 2:9]), ("/m/02", np.s_[5:, 7:])):
            mask = np.zeros((12, 16), bool)
            mask[place] = True
            name = f"p{seed}_{code[3:]}_ab.png"
            save(root / "masks" / "train" / name, mask)
            rows.append((name, f"p{seed}", code))
    masks_table(root / "annotations" / "train-annotations-object-segmentation.csv", *rows)
    return root
