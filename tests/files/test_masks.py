import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from data.bombs import chunk
from tessella.core.classes import ClassTable
from tessella.core.errors import ImageError
from tessella.core.labelmap import LabelMap
from tessella.files.masks import read_mask, write_mask


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_palette_indices_are_kept_at_every_bit_depth(tmp_path: Path, bits: int) -> None:
    ids = (np.arange(6 * 9) % 2**bits).astype(np.uint8).reshape(6, 9)
    picture = Pillow.fromarray(ids)
    picture.putpalette(np.random.default_rng(1).integers(0, 256, 3 * 2**bits, np.uint8).tobytes())
    picture.save(tmp_path / "m.png", bits=bits)
    mask = read_mask(tmp_path / "m.png")
    assert mask.mode == "P"
    assert mask.palette is not None
    assert np.array_equal(mask.pixels, ids)


def grey_png(path: Path, ids: np.ndarray, bits: int) -> Path:
    """Write a grey PNG of 1, 2 or 4 bits by hand; Pillow writes only 8 and 16 (PNG specification, chapter 11)."""
    import struct
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b""
    for row in ids:
        packed = "".join(f"{value:0{bits}b}" for value in row)
        packed += "0" * (-len(packed) % 8)
        rows += b"\0" + bytes(int(packed[at : at + 8], 2) for at in range(0, len(packed), 8))
    header = struct.pack(">IIBBBBB", ids.shape[1], ids.shape[0], bits, 0, 0, 0, 0)
    data = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + data)
    return path


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_grey_masks_of_few_bits_keep_their_stored_values(tmp_path: Path, bits: int) -> None:
    ids = (np.arange(6 * 9) % 2**bits).astype(np.uint8).reshape(6, 9)
    assert np.array_equal(read_mask(grey_png(tmp_path / "m.png", ids, bits)).pixels, ids)


def test_a_palette_that_ends_inside_a_colour_has_the_whole_ones(tmp_path: Path) -> None:
    head = struct.pack(">IIBBBBB", 2, 1, 8, 3, 0, 0, 0)
    rows = chunk(b"PLTE", bytes(range(1, 12))) + chunk(b"IDAT", zlib.compress(b"\0\1\2"))
    path = tmp_path / "a.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + rows + chunk(b"IEND", b""))
    mask = read_mask(path)
    assert mask.pixels.tolist() == [[1, 2]]
    assert mask.palette is not None
    assert mask.palette[:3].tolist() == [[1, 2, 3], [4, 5, 6], [7, 8, 9]]


def test_sixteen_bit_masks_are_not_clipped(tmp_path: Path) -> None:
    ids = np.array([[0, 7], [300, 65535]], np.uint16)
    Pillow.fromarray(ids).save(tmp_path / "m.png")
    mask = read_mask(tmp_path / "m.png")
    assert mask.pixels.dtype == np.uint16
    assert np.array_equal(mask.pixels, ids)


def test_a_grey_mask_is_not_turned_into_brightness_and_a_colour_mask_keeps_colours(tmp_path: Path) -> None:
    colours = np.array([[[15, 15, 15], [128, 0, 0]]], np.uint8)
    Pillow.fromarray(colours).save(tmp_path / "c.png")
    mask = read_mask(tmp_path / "c.png")
    assert mask.is_colour
    assert np.array_equal(mask.pixels, colours)


def test_an_opaque_alpha_is_dropped_and_a_real_one_is_kept(tmp_path: Path) -> None:
    both = np.dstack([np.array([[3, 4]], np.uint8), np.full((1, 2), 255, np.uint8)])
    Pillow.fromarray(both).save(tmp_path / "opaque.png")
    assert np.array_equal(read_mask(tmp_path / "opaque.png").pixels, [[3, 4]])
    both[0, 0, 1] = 0
    Pillow.fromarray(both).save(tmp_path / "clear.png")
    assert read_mask(tmp_path / "clear.png").pixels.tolist() == [[[3, 3, 3, 0], [4, 4, 4, 255]]]


def test_the_exif_of_a_mask_is_told_and_not_applied(tmp_path: Path) -> None:
    exif = Pillow.Exif()
    exif[0x0112] = 6
    ids = np.arange(6, dtype=np.uint8).reshape(2, 3)
    Pillow.fromarray(ids).save(tmp_path / "m.png", exif=exif)
    mask = read_mask(tmp_path / "m.png")
    assert mask.orientation == 6
    assert np.array_equal(mask.pixels, ids)


@pytest.mark.parametrize("picture", [Pillow.new("F", (2, 2), 0.5), Pillow.new("CMYK", (2, 2))])
def test_a_picture_that_cannot_hold_ids_is_refused(tmp_path: Path, picture: Pillow.Image) -> None:
    picture.save(tmp_path / "m.tif")
    with pytest.raises(ImageError, match="cannot hold class ids"):
        read_mask(tmp_path / "m.tif")


def test_negative_values_are_refused_with_their_range(tmp_path: Path) -> None:
    Pillow.fromarray(np.array([[-1, 5]], np.int32)).save(tmp_path / "m.tif")
    with pytest.raises(ImageError, match=r"got -1 to 5"):
        read_mask(tmp_path / "m.tif")


def test_writing_then_reading_a_mask_gives_the_same_ids(tmp_path: Path) -> None:
    ids = np.array([[0, 1, 2], [255, 1, 0]], np.uint8)
    write_mask(tmp_path / "deep/er/m.png", LabelMap(ids, ClassTable.from_names(["a", "b", "c"])))
    mask = read_mask(tmp_path / "deep/er/m.png")
    assert mask.mode == "P"
    assert np.array_equal(mask.pixels, ids)
    assert mask.palette is not None
    assert mask.palette[1].tolist() == [128, 0, 0]
