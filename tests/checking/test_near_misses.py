"""What is nearly a fault and is none: every rule stays silent on it."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pytest
from PIL import Image

from data import faulty
from data.faulty import ground, house, labelme_set, mask_set, polygon, save, save_turned
from data.planted import PNG, SCENE, scene, scenes
from data.planted_labels import (
    BLACK,
    CELLS,
    FROM_ONE,
    GREEN,
    OLIVE,
    RED,
    UNNAMED,
    all_masks,
    colour_masks,
    discs,
    edit,
    greys,
    palette_masks,
)
from data.planted_sets import blocks, different, pictures, specked, tiles, video
from tessella.checking import check
from tessella.core.classes import ClassTable, LabelCoding
from tessella.dataset import open_dataset


class Near(NamedTuple):
    """Something that resembles a fault: codes that must not be found."""

    codes: str
    why: str
    make: Callable[[Path], object]
    coding: LabelCoding | None = faulty.CODING


def _then(make: Callable[[Path], object], *steps: Callable[[Path], object]) -> Callable[[Path], Path]:
    def run(root: Path) -> Path:
        for step in (make, *steps):
            step(root)
        return root

    return run


def _trailing(name: str, more: bytes) -> Callable[[Path], object]:
    return lambda root: (root / name).write_bytes((root / name).read_bytes() + more)


def _with_thumbnail(root: Path) -> None:
    """A JPEG whose EXIF holds a whole JPEG, with an end mark of its own."""
    (root / "images/1.png").unlink()
    exif = Image.Exif()
    exif[0x010E] = "\xff\xd9"
    Image.fromarray(faulty.photo(1)).save(root / "images/1.jpg", exif=exif)


def _jpeg_called(name: str) -> Callable[[Path], None]:
    def plant(root: Path) -> None:
        (root / "images/1.png").unlink()
        Image.fromarray(faulty.photo(1)).save(root / "images" / name, "JPEG")

    return plant


def _opaque(root: Path) -> None:
    for number in range(3):
        colours = np.dstack([faulty.CODING.table.palette()[faulty.ids()], np.full(faulty.HW, 255, np.uint8)])
        save(root / "images" / f"{number}.png", faulty.photo(number))
        save(root / "masks" / f"{number}.png", colours)


def _rename(old: str, new: str) -> Callable[[Path], object]:
    return lambda root: (root / old).rename(root / new)


def _lone(photo: str, label: str) -> Callable[[Path], Path]:
    return _then(mask_set, _rename("images/1.png", f"images/{photo}"), _rename("masks/1.png", f"masks/{label}"))


def _each(count: int, photo: Callable[[int], np.ndarray], mask: np.ndarray | None = None) -> Callable[[Path], Path]:
    def make(root: Path) -> Path:
        for number in range(count):
            pixels = photo(number)
            save(root / "images" / f"{number}.png", pixels)
            ids = scene(0, pixels.shape[:2])[1] if mask is None else mask
            save(root / "masks" / f"{number}.png", ids)
        return root

    return make


def _flat(number: int) -> np.ndarray:
    """Photos that show next to nothing, such as tiles of water, and yet differ."""
    noise = np.random.default_rng(number).integers(-3, 4, (160, 208, 3))
    return (noise + 90).astype(np.uint8)


def _symmetrical(number: int) -> np.ndarray:
    """A scene that is its own mirror image."""
    half = scene(number)[0][:, :104]
    return np.concatenate([half, half[:, ::-1]], axis=1)


def _random_masks(root: Path) -> Path:
    """Masks that have nothing to do with their photos: no turn of them is better than another."""
    for number in range(12):
        save(root / "images" / f"{number}.png", scene(number)[0])
        save(root / "masks" / f"{number}.png", scene(number + 700)[1])
    return root


def _numbered(root: Path) -> Path:
    """Photos whose names count on but that show different scenes, dealt out to two splits."""
    return pictures(root, {f"{'val' if n % 3 == 2 else 'train'}/img_{n:03d}": scene(n)[0] for n in range(24)})


def _grid_of(root: Path) -> Path:
    """Tiles counted by row and column, not by pixel."""
    return pictures(
        root,
        {f"{'val' if row else 'train'}/t_{row}_{col}": scene(9 * row + col)[0] for row in range(2) for col in range(3)},
    )


def _hole_ring() -> dict:
    """A polygon that touches itself in a point, as tools write holes with a bridge."""
    return polygon(
        "building", (5, 5), (25, 5), (25, 15), (15, 15), (15, 10), (10, 10), (10, 12), (15, 12), (15, 15), (5, 15)
    )


def _river() -> dict:
    """A close outline whose ends run along the border of the photo."""
    bank = [(x, 20 + 3 * np.sin(x / 5)) for x in np.arange(0, 60.5, 0.5)]
    return polygon("road", *bank, (60, 40), (0, 40))


HEADLESS = LabelCoding(ClassTable.from_names(("road", "railroad", "building")))
CASES = (
    Near("F", "a PNG with something behind its end", _then(mask_set, _trailing("images/1.png", b"note" * 40))),
    Near("F", "a JPEG with a mark in its EXIF", _then(mask_set, _with_thumbnail)),
    Near("F103", "a JPEG called .jpeg", _then(mask_set, _jpeg_called("1.jpeg"))),
    Near("F103", "a JPEG called .JPG", _then(mask_set, _jpeg_called("1.JPG"))),
    Near("F111", "a colour mask that is opaque throughout", _opaque),
    Near(
        "F109 A101",
        "an upright mark on a mask",
        _then(mask_set, lambda root: save_turned(root / "masks/1.png", faulty.ids(), 1)),
    ),
    Near("P103 P104 P105", "another number", _lone("img_013.png", "img_012.png")),
    Near("P103 P104 P105", "names far apart", _lone("church.png", "bridge.png")),
    Near("P105", "short names", _lone("cat.png", "car.png")),
    Near(
        "S103 S102",
        "a mask of half the size",
        _then(mask_set, lambda root: save(root / "masks/1.png", faulty.ids()[::2, ::2])),
    ),
    Near("A", "masks as they should be", scenes, SCENE),
    Near("A", "masks that have nothing to do with their photos", _random_masks, SCENE),
    Near(
        "A103",
        "masks drawn one pixel too large",
        lambda root: scenes(root, spoil=lambda m: cv2.dilate(m, np.ones((3, 3), np.uint8))),
        SCENE,
    ),
    Near("A", "photos without any edge", _each(10, _flat), SCENE),
    Near("L106 L107", "a class that no photo shows", all_masks(lambda ids: np.maximum(ids, 1))),
    Near(
        "L106",
        "one stray value",
        all_masks(lambda ids: np.where(np.indices(ids.shape)[1] == 3, 3, ids).astype(np.uint8)),
    ),
    Near("L107", "declared from one, stored from one", all_masks(lambda ids: ids + 1), FROM_ONE),
    Near("L108", "two of ten the other way round, then nothing is usual", discs(inverted=(1, 2, 3)), UNNAMED),
    Near("L109", "the annotated class in the middle", discs(), CELLS),
    Near("L109", "names that do not say which is the ground", discs(inverted=range(10)), UNNAMED),
    Near("L113", "values that only partly are brightness", greys(38, 75, 114), None),
    Near("L113", "small ids", greys(1, 2, 3), None),
    Near("L114", "a colour between two declared ones", lambda root: colour_masks(root, (BLACK, (64, 64, 0), GREEN))),
    Near("L115 L116 L117", "one palette for all", palette_masks((BLACK, RED, GREEN), (BLACK, RED, GREEN))),
    Near("L116", "a palette of other colours", palette_masks((BLACK, OLIVE, (0, 0, 128)))),
    Near("G104", "an outline that touches itself", _then(labelme_set, edit("1.json", _hole_ring()))),
    Near("G104 G107", "a plain house and its ground", labelme_set),
    Near("G106", "an outline along the border", _then(labelme_set, edit("1.json", _river()))),
    Near(
        "G107 G108",
        "two houses of one form",
        _then(
            labelme_set, edit("1.json", house(), polygon("building", (30, 5), (50, 5), (50, 15), (30, 15)), ground())
        ),
    ),
    Near("C106", "names that hold another, all of them annotated", mask_set, HEADLESS),
    Near("D", "different photos of one kind", lambda root: pictures(root, different(6)), SCENE),
    Near("D", "photos that show next to nothing", _each(8, _flat), SCENE),
    Near("D105", "scenes that are their own mirror image", _each(6, _symmetrical), SCENE),
    Near("D106", "numbers that count photos of different scenes", _numbered, SCENE),
    Near("D107", "tiles that touch", tiles(128), SCENE),
    Near("D107", "rows and columns", _grid_of, SCENE),
    Near("N101 N102", "clean masks", scenes, SCENE),
    Near("N103", "masks at full size", scenes, SCENE),
    Near("N104", "smooth outlines", scenes, SCENE),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.codes}-{case.why}")
def test_what_is_nearly_a_fault_is_not_called_one(case: Near, tmp_path: Path) -> None:
    case.make(tmp_path)
    checked = check(open_dataset(tmp_path, classes=case.coding))
    found = [finding for finding in checked.findings if finding.code.startswith(tuple(case.codes.split()))]
    assert found == []


def test_a_video_that_ends_in_another_split_is_no_leak(tmp_path: Path) -> None:
    video(tmp_path)
    for path in sorted((tmp_path / "val").rglob("*.png")):
        if path.stem < "drive_030":
            path.rename(tmp_path / "train" / path.parent.name / path.name)
    for path in sorted((tmp_path / "train").rglob("*.png")):
        if path.stem >= "drive_030":
            path.rename(tmp_path / "val" / path.parent.name / path.name)
    assert "D106" not in check(open_dataset(tmp_path, classes=SCENE)).by_code()


def test_a_text_file_that_only_begins_like_a_damaged_png_is_not_repaired(tmp_path: Path) -> None:
    mask_set(tmp_path)
    (tmp_path / "masks/1.png").write_bytes(PNG.replace(b"\r\n", b"\n") + b"\n" * 500)
    (finding,) = check(open_dataset(tmp_path, classes=faulty.CODING), codes=["F"]).findings
    assert (finding.code, finding.fixable) == ("F104", False)


def test_specks_and_blocks_are_remarks_at_most(tmp_path: Path) -> None:
    for number, make in enumerate((specked(1, 0), blocks)):
        checked = check(open_dataset(make(tmp_path / str(number)), classes=SCENE), codes=["N"])
        assert {finding.severity for finding in checked.findings} == {"info"}
