"""Faults that only the whole set shows, planted one at a time; beside each what must be found."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from data import faulty
from data.faulty import mask_set, save
from data.planted import SCENE, Case, nothing, scene
from data.planted_labels import all_masks
from tessella.core.classes import ClassTable, LabelCoding

ALIKE = LabelCoding(ClassTable.from_names(("background", "Road", "road ")))
HEADED = LabelCoding(ClassTable.from_names(("objects", "building", "road")))


def pictures(root: Path, photos: dict[str, np.ndarray]) -> Path:
    """Write photos by name (`train/a`), each with the mask of a scene."""
    for name, photo in photos.items():
        folder, _, stem = name.rpartition("/")
        save(root / folder / "images" / f"{stem}.png", photo)
        save(root / folder / "masks" / f"{stem}.png", cv2.resize(scene(0)[1], photo.shape[1::-1]))
    return root


def different(count: int = 3) -> dict[str, np.ndarray]:
    return {
        f"{split}/{number}": scene(number + 50 * (split == "val"))[0]
        for split in ("train", "val")
        for number in range(count)
    }


def again(photo: np.ndarray) -> np.ndarray:
    """Return a photo as a JPEG keeps it."""
    return faulty_jpeg(photo)


def faulty_jpeg(photo: np.ndarray) -> np.ndarray:
    done, data = cv2.imencode(".jpg", photo, [cv2.IMWRITE_JPEG_QUALITY, 80])
    assert done
    return cv2.imdecode(data, cv2.IMREAD_UNCHANGED)


def video(root: Path) -> Path:
    """A slow pan over a wide scene, every third frame in val."""
    wide = cv2.resize(
        np.random.default_rng(5).random((6, 12)).astype(np.float32), (560, 160), interpolation=cv2.INTER_CUBIC
    )
    frames = np.clip(wide * 255, 0, 255).astype(np.uint8)
    return pictures(
        root,
        {
            f"{'val' if number % 3 == 2 else 'train'}/drive_{number:03d}": np.dstack(
                [frames[:, 8 * number :][:, :208]] * 3
            )
            for number in range(40)
        },
    )


def tiles(step: int) -> Callable[[Path], Path]:
    def make(root: Path) -> Path:
        town = np.random.default_rng(6).integers(0, 255, (400, 400, 3), dtype=np.uint8)
        return pictures(
            root,
            {
                f"{'val' if y else 'train'}/town_{y}_{x}": np.ascontiguousarray(town[y : y + 128, x : x + 128])
                for y in (0, step)
                for x in (0, step)
            },
        )

    return make


def specked(value: int, ground: int) -> Callable[[Path], Path]:
    """Masks with 60 single pixels of one class within another."""

    def make(root: Path) -> Path:
        for number in range(4):
            mask = np.full((160, 208), 1 - ground, np.uint8)
            mask[20:140, 30:190] = ground
            if ground:
                mask = np.pad(mask, 100)  # then 0 is the most frequent one, and pixels of it within 1 are holes
            top = 125 if ground else 25
            mask[top : top + 90 : 9, top + 20 : top + 140 : 20] = value
            save(root / "images" / f"{number}.png", faulty.photo(number, mask.shape))
            save(root / "masks" / f"{number}.png", mask)
        return root

    return make


def blocks(root: Path) -> Path:
    for number in range(4):
        mask = np.kron(scene(number)[1], np.ones((4, 4), np.uint8))
        save(root / "images" / f"{number}.png", faulty.photo(number, mask.shape))
        save(root / "masks" / f"{number}.png", mask)
    return root


def frayed(root: Path) -> Path:
    for number in range(4):
        rng = np.random.default_rng(number)
        mask = scene(number)[1]
        near = cv2.dilate(mask, np.ones((9, 9))) - cv2.erode(mask, np.ones((9, 9)))
        mask = np.where((near > 0) & (rng.random(mask.shape) < 0.5), 1 - mask, mask)
        save(root / "images" / f"{number}.png", faulty.photo(number, mask.shape))
        save(root / "masks" / f"{number}.png", mask.astype(np.uint8))
    return root


def _second_opinion(root: Path) -> None:
    (root / "images/3.png").write_bytes((root / "images/0.png").read_bytes())
    grid = faulty.ids()
    grid[:20] = 0
    save(root / "masks/3.png", grid)


def _opposite_opinion(root: Path) -> None:
    (root / "images/3.png").write_bytes((root / "images/0.png").read_bytes())
    save(root / "masks/3.png", 2 - faulty.ids())


def _one_road(root: Path) -> Path:
    all_masks(lambda ids: np.minimum(ids, 1), count=12)(root)
    save(root / "masks/5.png", faulty.ids())
    return root


def _mostly_empty(root: Path) -> Path:
    mask_set(root, count=12)
    for number in range(8):
        save(root / f"masks/{number}.png", np.zeros(faulty.HW, np.uint8))
    return root


def _nearly_all_ignore(ids: np.ndarray) -> np.ndarray:
    return np.where(np.indices(ids.shape)[0] < 38, 255, ids).astype(np.uint8)


def _plus(extra: Callable[[dict[str, np.ndarray]], dict[str, np.ndarray]]) -> Callable[[Path], Path]:
    return lambda root: pictures(root, (photos := different()) | extra(photos))


CASES = (
    Case("C105", nothing, ("road ",), "warning", says="'Road' (800 px) and 'road ' (1440 px)", coding=ALIKE),
    Case(
        "C106",
        nothing,
        ("objects",),
        "warning",
        says="heading",
        coding=HEADED,
        make=all_masks(lambda ids: np.maximum(ids, 1)),
    ),
    Case("C107", nothing, ("masks/5.png",), "info", says="'road' occurs in this photo alone of 12", make=_one_road),
    Case("C108", nothing, ("ignore",), "warning", says="95.0% of all pixels", make=all_masks(_nearly_all_ignore)),
    Case(
        "C109",
        nothing,
        ("masks/0.png",),
        "info",
        says="8 of 12 labels hold nothing but 'background'",
        make=_mostly_empty,
    ),
    Case(
        "D103",
        nothing,
        ("train/images/1.png",),
        "info",
        says="2 photos look nearly the same",
        coding=SCENE,
        make=_plus(lambda photos: {"train/9": again(photos["train/1"])}),
    ),
    Case(
        "D104",
        nothing,
        ("train/images/1.png",),
        "warning",
        says="(1 in 'train', 1 in 'val')",
        coding=SCENE,
        make=_plus(lambda photos: {"val/9": again(photos["train/1"])}),
    ),
    Case(
        "D105",
        nothing,
        ("val/images/9.png",),
        "warning",
        says="train/images/1.png, mirrored left to right",
        coding=SCENE,
        make=_plus(lambda photos: {"val/9": again(np.ascontiguousarray(photos["train/1"][:, ::-1]))}),
    ),
    Case(
        "D105",
        nothing,
        ("train/images/9.png",),
        "info",
        says="train/images/1.png, with other brightness or contrast",
        coding=SCENE,
        make=_plus(lambda photos: {"train/9": (photos["train/1"] * 0.7).astype(np.uint8)}),
    ),
    Case(
        "D106",
        nothing,
        ("val/images/drive_002.png",),
        "warning",
        says="pairs of neighbouring frames",
        coding=SCENE,
        make=video,
    ),
    Case(
        "D107",
        nothing,
        ("val/images/town_64_0.png",),
        "warning",
        says="4 pairs of tiles of 'town' overlap",
        coding=SCENE,
        make=tiles(64),
    ),
    Case(
        "N101",
        nothing,
        ("masks/0.png",),
        "info",
        says="60 specks of at most 4 px, the first at row 25, column 45",
        coding=SCENE,
        make=specked(1, 0),
    ),
    Case("N102", nothing, ("masks/0.png",), "info", says="60 holes of at most 4 px", coding=SCENE, make=specked(0, 1)),
    Case("N103", nothing, ("masks/0.png",), "info", says="mostly of 4x4 px", coding=SCENE, make=blocks),
    Case("N104", nothing, ("masks/3.png",), "info", says="as many pixels as lie on borders", coding=SCENE, make=frayed),
    Case("N105", _second_opinion, ("masks/3.png",), "info", says="agree in 91.7% of the pixels"),
    Case("N105", _opposite_opinion, ("masks/3.png",), "warning", says="agree in 8.3%"),
)
