"""Tiny data sets in YOLO's form for segmentation."""

from pathlib import Path

from data.coco import HW, block, photo

NAMES = "names:\n  0: road\n  1: tree\n"


def line(number: int, points: list[float], hw: tuple[int, int] = HW) -> str:
    """Corners in pixels as a line of normalised numbers."""
    sides = (hw[1], hw[0])
    return " ".join([str(number), *(f"{value / sides[place % 2]:.9g}" for place, value in enumerate(points))]) + "\n"


def label(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(lines))
    return path


def yolo_seg(root: Path, *, count: int = 4) -> Path:
    for seed in range(count):
        split = "val" if seed == count - 1 else "train"
        photo(root / "images" / split / f"p{seed}.png", seed)
        shapes = [line(0, block(7, 5, 16, 12)), line(1, block(2, 0, 9, 3 + seed))]
        label(root / "labels" / split / f"p{seed}.txt", *shapes)
    (root / "data.yaml").write_text(f"path: .\ntrain: images/train\nval: images/val\n{NAMES}")
    return root
