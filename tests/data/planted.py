"""Faults of files, names, sizes and positions, planted one at a time; beside each what must be found."""

import shutil
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image

from data import faulty
from data.faulty import mask_set, save, save_turned
from tessella.core.classes import ClassTable, LabelCoding


class Case(NamedTuple):
    """A fault: how it is planted, and the findings that must follow: all of its code, and their severities."""

    code: str
    plant: Callable[[Path], object]
    where: tuple[str, ...]
    severity: str = "error"
    says: str = ""
    fixable: bool = False
    coding: LabelCoding | None = faulty.CODING
    make: Callable[[Path], Path] = mask_set
    format: str | None = None


SCENE_HW = (160, 208)
SCENE = LabelCoding(ClassTable.from_names(("background", "thing")))
PNG = b"\x89PNG\r\n\x1a\n"


def nothing(root: Path) -> None:
    """The set is made with its fault."""


def scene(seed: int, hw: tuple[int, int] = SCENE_HW) -> tuple[np.ndarray, np.ndarray]:
    """Return a photo of a few bright things on a dark, uneven ground, and its mask."""
    rng = np.random.default_rng(seed)
    mask = np.zeros(hw, np.uint8)
    for _ in range(5):
        centre = (int(rng.integers(30, hw[1] - 30)), int(rng.integers(30, hw[0] - 30)))
        axes = (int(rng.integers(8, 26)), int(rng.integers(6, 20)))
        cv2.ellipse(mask, centre, axes, float(rng.integers(0, 180)), 0, 360, 1, -1)
    ground = cv2.resize(rng.random((5, 6)).astype(np.float32), hw[::-1], interpolation=cv2.INTER_CUBIC) * 70
    photo = ground + 110 * mask + rng.normal(0, 6, hw)
    return np.clip(np.dstack([photo, photo * 0.8, photo * 0.6]), 0, 255).astype(np.uint8), mask


def scenes(
    root: Path,
    *,
    count: int = 10,
    spoil: Callable[[np.ndarray], np.ndarray] | None = None,
    which: tuple[int, ...] | None = None,
    hw: tuple[int, int] = SCENE_HW,
) -> Path:
    for number in range(count):
        photo, mask = scene(number, hw)
        if spoil is not None and (which is None or number in which):
            mask = np.ascontiguousarray(spoil(mask))
        save(root / "images" / f"{number:02d}.png", photo)
        save(root / "masks" / f"{number:02d}.png", mask)
    return root


def png(width: int, height: int) -> bytes:
    """Return a PNG that is a header alone."""
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    size = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    return PNG + chunk(b"IHDR", size + b"\x08\x02\0\0\0") + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


def _cut(name: str, by: int) -> Callable[[Path], None]:
    def plant(root: Path) -> None:
        data = (root / name).read_bytes()
        (root / name).write_bytes(data[:-by])

    return plant


def _as(name: str, kind: str) -> Callable[[Path], None]:
    def plant(root: Path) -> None:
        with Image.open(root / name) as picture:
            picture.load()
            picture.save(root / name, kind)

    return plant


def _lines(name: str, old: bytes, new: bytes) -> Callable[[Path], None]:
    return lambda root: (root / name).write_bytes((root / name).read_bytes().replace(old, new)) and None


def _bytes(name: str, data: bytes) -> Callable[[Path], None]:
    return lambda root: (root / name).write_bytes(data) and None


def _cmyk(root: Path) -> None:
    (root / "images/1.png").unlink()
    Image.fromarray(faulty.photo(1)).convert("CMYK").save(root / "images/1.jpg")


def _animated(root: Path) -> None:
    (root / "images/1.png").unlink()
    frames = [Image.fromarray(faulty.photo(seed)) for seed in (1, 2, 3)]
    frames[0].save(root / "images/1.gif", save_all=True, append_images=frames[1:])


def _wide(names: tuple[int, ...], value: int = 0) -> Callable[[Path], None]:
    def plant(root: Path) -> None:
        for number in names:
            grid = faulty.ids().astype(np.uint16)
            grid[0, 0] = value
            save(root / f"masks/{number}.png", grid)

    return plant


def clear_black(root: Path) -> Path:
    for number in range(3):
        colours = np.dstack([faulty.CODING.table.palette()[faulty.ids()], np.full(faulty.HW, 255, np.uint8)])
        if number == 1:
            colours[20:24, 30:40, 3] = 0  # background is black, and here transparent too
        save(root / "images" / f"{number}.png", faulty.photo(number))
        save(root / "masks" / f"{number}.png", colours)
    return root


def _rename(*moves: tuple[str, str]) -> Callable[[Path], None]:
    def plant(root: Path) -> None:
        for old, new in moves:
            shutil.move(root / old, root / new)

    return plant


def _second_photo(root: Path) -> None:
    save(root / "images/1.jpg", faulty.photo(8))


def _only_case(root: Path) -> None:
    for name, seed in (("abc", 11), ("ABC", 12)):
        save(root / f"images/{name}.png", faulty.photo(seed))
        save(root / f"masks/{name}.png", faulty.ids())


def _two(name: str) -> tuple[str, str]:
    return unicodedata.normalize("NFC", name), unicodedata.normalize("NFD", name)


_COMPOSED, _DECOMPOSED = _two("café")
CASES = (
    Case("F102", _cut("images/1.png", 400), ("images/1.png",), says="its decoder refuses it"),
    Case("F102", _cut("masks/1.png", 6), ("masks/1.png",), says="the PNG file ends before its end mark"),
    Case("F103", _as("masks/1.png", "BMP"), ("masks/1.png",), "warning", says="this is a BMP file", fixable=True),
    Case("F103", _as("images/1.png", "JPEG"), ("images/1.png",), "info", says="this is a JPEG file"),
    Case("F104", _lines("masks/1.png", b"\r\n", b"\n"), ("masks/1.png",), says="CR LF became LF", fixable=True),
    Case("F104", _lines("images/1.png", b"\n", b"\r\n"), ("images/1.png",), says="LF became CR LF", fixable=True),
    Case("F104", _bytes("masks/1.png", PNG.replace(b"\r\n", b"\n") + b"lost"), ("masks/1.png",), says="as text"),
    Case(
        "F105",
        _bytes("images/1.png", b"version https://git-lfs.github.com/spec/v1\noid"),
        ("images/1.png",),
        says="LFS",
    ),
    Case("F105", _bytes("masks/1.png", b"<!DOCTYPE html><html>"), ("masks/1.png",), says="a web page"),
    Case("F106", _bytes("images/1.png", png(40_000, 40_000)), ("images/1.png",), says="larger than the pixel budget"),
    Case("F107", _cmyk, ("images/1.jpg",), "warning", says="CMYK"),
    Case("F108", _animated, ("images/1.gif",), "warning", says="3 pictures"),
    Case(
        "F109",
        lambda root: save_turned(root / "masks/1.png", np.rot90(faulty.ids()), 6),
        ("masks/1.png",),
        says="only when it is turned",
        fixable=True,
    ),
    Case(
        "F109",
        lambda root: save_turned(root / "masks/1.png", faulty.ids(), 6),
        ("masks/1.png",),
        "warning",
        says="viewers show it turned",
        fixable=True,
    ),
    Case("F110", _wide((0, 1, 2, 3)), ("masks/0.png",), "info", says="4 of 4 masks have 16 bits"),
    Case("F110", _wide((2,)), ("masks/2.png",), "warning", says="1 of 4 masks have 16 bits"),
    Case("F110", _wide((0, 1, 2, 3), 900), ("masks/0.png",), "warning", says="up to 900"),
    Case("F111", nothing, ("masks/1.png",), "warning", says="(40 px), and is read as one class", make=clear_black),
    Case(
        "F112",
        lambda root: save(root / "images/1.png", faulty.photo(1)[..., 0]),
        ("images/1.png",),
        "info",
        says="1 of 1 x uint8",
    ),
    Case(
        "F112",
        lambda root: save(root / "images/1.png", faulty.photo(1)[..., 0].astype(np.uint16)),
        ("images/1.png",),
        "warning",
        says="1 x uint16",
    ),
    Case(
        "P103",
        _rename(("images/1.png", "images/Abc.png"), ("masks/1.png", "masks/ABC.png")),
        ("masks/ABC.png",),
        says="images/Abc.png no label: only small and capital",
        fixable=True,
    ),
    Case(
        "P104",
        _rename(("images/1.png", f"images/{_COMPOSED}.png"), ("masks/1.png", f"masks/{_DECOMPOSED}.png")),
        (f"masks/{_DECOMPOSED}.png",),
        says="Unicode form",
        fixable=True,
    ),
    Case(
        "P105",
        _rename(("images/1.png", "images/house_12.png"), ("masks/1.png", "masks/huose_12.png")),
        ("masks/huose_12.png",),
        "warning",
        says="images/house_12.png no label",
    ),
    Case(
        "P105",
        _rename(("images/1.png", "images/img_012.png"), ("masks/1.png", "masks/img-12.png")),
        ("masks/img-12.png",),
        "warning",
    ),
    Case("P106", _second_photo, ("images/1.png",), "warning", says="the same label as images/1.jpg"),
    Case("P107", _only_case, ("images/abc.png",), "warning", says="the same name as images/ABC.png"),
    Case(
        "S102", lambda root: save(root / "masks/1.png", np.rot90(faulty.ids())), ("masks/1.png",), says="are exchanged"
    ),
    Case(
        "S103",
        lambda root: save(root / "masks/1.png", faulty.ids()[1:, 1:]),
        ("masks/1.png",),
        says="off by +1 columns and +1 rows",
    ),
    Case(
        "A102",
        nothing,
        ("masks/00.png",),
        "warning",
        says="flipped upside down",
        coding=SCENE,
        make=lambda root: scenes(root, spoil=lambda mask: mask[::-1]),
    ),
    Case(
        "A102",
        nothing,
        ("masks/05.png",),
        "warning",
        says="this mask seems to be mirrored left to right",
        coding=SCENE,
        make=lambda root: scenes(root, count=14, spoil=lambda mask: mask[:, ::-1], which=(5,)),
    ),
    Case(
        "A102",
        nothing,
        ("masks/00.png",),
        "warning",
        says="turned by 90 degrees clockwise",
        coding=SCENE,
        make=lambda root: scenes(root, spoil=lambda mask: np.rot90(mask, -1), hw=(192, 192)),
    ),
    Case(
        "A103",
        nothing,
        ("masks/00.png",),
        "warning",
        says="when moved 4 px up",
        coding=SCENE,
        make=lambda root: scenes(root, spoil=lambda mask: np.roll(mask, 4, axis=0)),
    ),
)
