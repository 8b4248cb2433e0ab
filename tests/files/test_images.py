import contextlib
import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageOps

from tessella.core.errors import ImageError, InputError
from tessella.core.image import Image
from tessella.files.images import decode_image, orient, read_header, read_image
from tessella.files.masks import read_mask, write_image

RGB = np.arange(5 * 7 * 3, dtype=np.uint8).reshape(5, 7, 3)


def save(path: Path, pixels: np.ndarray, mode: str | None = None, **options: object) -> Path:
    Pillow.fromarray(pixels, mode).save(path, **options) if mode else Pillow.fromarray(pixels).save(path, **options)
    return path


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif", ".webp"])
def test_lossless_photos_come_back_exactly_in_rgb_order(tmp_path: Path, suffix: str) -> None:
    path = save(tmp_path / f"a{suffix}", RGB, **({"lossless": True} if suffix == ".webp" else {}))
    assert np.array_equal(read_image(path).pixels, RGB)


def test_a_format_is_told_by_content_not_by_suffix(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    save(tmp_path / "a.png", RGB).rename(path)
    assert read_header(path).format == "PNG"
    assert np.array_equal(read_image(path).pixels, RGB)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_all_eight_exif_orientations_come_out_as_pillow_shows_them(tmp_path: Path, orientation: int) -> None:
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    photo = np.zeros((16, 24, 3), np.uint8)
    photo[:8, :12] = (250, 10, 10)
    photo[8:, 12:] = (10, 250, 10)
    path = tmp_path / "a.jpg"
    Pillow.fromarray(photo).save(path, quality=98, exif=exif)
    with Pillow.open(path) as picture:
        shown = np.asarray(ImageOps.exif_transpose(picture), np.int16)
    image = read_image(path)
    assert image.pixels.shape == shown.shape
    assert np.abs(image.pixels.astype(np.int16) - shown).max() <= 3
    header = read_header(path)
    assert header.orientation == orientation
    assert header.hw == (16, 24)
    assert header.upright_hw == image.hw


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_tiff_with_an_orientation_is_turned_once(tmp_path: Path, orientation: int) -> None:
    path = tmp_path / "a.tif"
    Pillow.fromarray(RGB).save(path, tiffinfo={274: orientation})
    assert np.array_equal(read_image(path).pixels, orient(RGB, orientation))


def test_sixteen_bits_stay_sixteen_bits(tmp_path: Path) -> None:
    deep = (np.arange(5 * 7 * 3, dtype=np.uint16) * 601).reshape(5, 7, 3)
    write_image(tmp_path / "deep.png", Image(deep))
    image = read_image(tmp_path / "deep.png")
    assert image.dtype == "uint16"
    assert np.array_equal(image.pixels, deep)
    assert read_header(tmp_path / "deep.png").bits == 16


def test_many_bands_come_back_from_a_tiff_whether_interleaved_or_as_planes(tmp_path: Path) -> None:
    import tifffile

    bands = np.arange(4 * 5 * 7, dtype=np.uint16).reshape(4, 5, 7)
    tifffile.imwrite(tmp_path / "planes.tif", bands, photometric="minisblack", planarconfig="separate")
    tifffile.imwrite(tmp_path / "mixed.tif", np.moveaxis(bands, 0, -1), photometric="minisblack", planarconfig="contig")
    for name in ("planes.tif", "mixed.tif"):
        assert read_header(tmp_path / name).channels == 4
        assert np.array_equal(read_image(tmp_path / name).pixels, np.moveaxis(bands, 0, -1))


def test_grey_and_palette_and_alpha_photos_keep_their_bands(tmp_path: Path) -> None:
    grey = save(tmp_path / "grey.png", RGB[..., 0])
    assert read_image(grey).bands == ("grey",)
    rgba = np.dstack([RGB, RGB[..., :1]])
    assert np.array_equal(read_image(save(tmp_path / "rgba.png", rgba)).pixels, rgba)
    Pillow.fromarray(RGB).quantize(16).save(tmp_path / "palette.png")
    with Pillow.open(tmp_path / "palette.png") as picture:
        assert np.array_equal(read_image(tmp_path / "palette.png").pixels, np.asarray(picture.convert("RGB")))


def test_a_bomb_is_refused_by_its_header_before_decoding(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    Pillow.new("1", (30000, 20000)).save(path)
    assert path.stat().st_size < 200_000
    with pytest.raises(
        ImageError,
        match=r"30000x20000 = 600000000 pixels; expected at most 300000000; if the .* --max-pixels 600000000",
    ):
        read_image(path)
    with pytest.raises(ImageError, match="pixel budget"):
        read_mask(path)
    with pytest.raises(ImageError, match="at most 20"):
        read_image(save(tmp_path / "a.png", RGB), max_pixels=20)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".bmp", ".tif", ".gif"])
@pytest.mark.parametrize("share", [0.0, 0.05, 0.5, 0.97])
def test_a_truncated_file_gives_one_error_that_names_it(tmp_path: Path, suffix: str, share: float) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
    whole = save(tmp_path / f"a{suffix}", noise).read_bytes()
    broken = tmp_path / f"broken{suffix}"
    broken.write_bytes(whole[: int(len(whole) * share)])
    for read in (read_image, read_mask):
        with pytest.raises(ImageError, match="broken"):
            read(broken)


def test_what_is_no_picture_is_named_with_its_first_bytes(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0")
    with pytest.raises(ImageError, match=r"not a picture of a known format; got first bytes b'%!PS-Ado'"):
        read_image(tmp_path / "a.png")
    with pytest.raises(InputError, match="no such file"):
        read_image(tmp_path / "missing.png")
    with pytest.raises(InputError, match="no such file"):
        read_header(tmp_path / "missing.png")


def test_a_header_is_read_without_decoding(tmp_path: Path) -> None:
    stream = io.BytesIO()
    Pillow.fromarray(RGB).save(stream, "PNG")
    without_pixels = stream.getvalue()[:50]
    (tmp_path / "a.png").write_bytes(without_pixels)
    assert read_header(tmp_path / "a.png").hw == (5, 7)
    with pytest.raises(ImageError):
        decode_image(without_pixels, where="a.png")


def test_the_header_of_a_tiff_is_read_without_its_pixels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import tifffile

    path = tmp_path / "large.tif"
    tifffile.imwrite(path, np.zeros((3000, 4000), np.uint8))
    monkeypatch.setattr(Path, "read_bytes", lambda _: pytest.fail("the whole file was read"))
    assert read_header(path).hw == (3000, 4000)


def test_real_photos_with_exif_are_turned(shared_data: Path) -> None:
    folder = shared_data / "cvat_exif_assets/tests/mounted_file_share/images/exif_rotated"
    for name in ("left.jpg", "right.jpg", "tif_left.tif"):
        header, image = read_header(folder / name), read_image(folder / name)
        assert header.orientation in (6, 8)
        assert image.hw == header.hw[::-1]


def test_a_palette_tiff_is_read_in_its_colours(tmp_path: Path) -> None:
    import tifffile

    colormap = np.zeros((3, 256), np.uint16)
    colormap[:, 1], colormap[:, 2] = (65535, 0, 0), (0, 257 * 128, 0)
    tifffile.imwrite(tmp_path / "p.tif", np.array([[0, 1], [2, 1]], np.uint8), photometric="palette", colormap=colormap)
    image = read_image(tmp_path / "p.tif")
    assert image.pixels.tolist() == [[[0, 0, 0], [255, 0, 0]], [[0, 128, 0], [255, 0, 0]]]
    assert read_mask(tmp_path / "p.tif").pixels.tolist() == [[0, 1], [2, 1]]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_tiff_whose_zero_is_white_is_turned_round(tmp_path: Path, dtype: type) -> None:
    import tifffile

    top = int(np.iinfo(dtype).max)
    tifffile.imwrite(tmp_path / "w.tif", np.array([[0, 1, top]], dtype), photometric="miniswhite")
    assert read_image(tmp_path / "w.tif").pixels[..., 0].tolist() == [[top, top - 1, 0]]


def test_a_float_tiff_whose_zero_is_white_is_refused(tmp_path: Path) -> None:
    import tifffile

    tifffile.imwrite(tmp_path / "w.tif", np.ones((2, 2), np.float32), photometric="miniswhite")
    with pytest.raises(ImageError, match=r"w\.tif: the TIFF says that zero is white.*black as zero"):
        read_image(tmp_path / "w.tif")


def test_a_tiff_whose_compressed_pixels_are_damaged_gives_one_error(tmp_path: Path) -> None:
    import tifffile

    path = tmp_path / "z.tif"
    tifffile.imwrite(path, RGB, photometric="rgb", compression="zlib")
    with tifffile.TiffFile(path) as tiff:
        start, size = tiff.pages.first.dataoffsets[0], tiff.pages.first.databytecounts[0]
    data = bytearray(path.read_bytes())
    data[start : start + size] = bytes([7]) * size
    path.write_bytes(data)
    with pytest.raises(ImageError, match=r"z\.tif"):
        read_image(path)


@pytest.mark.parametrize("error", [zlib.error("bad data"), struct.error("short"), AttributeError("no tag"), EOFError()])
def test_whatever_a_tiff_decoder_raises_becomes_one_error_that_names_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    # which of these a damaged file gives depends on whether imagecodecs is installed
    import tifffile

    def broken(*_: object, **__: object) -> np.ndarray:
        raise error

    tifffile.imwrite(tmp_path / "a.tif", RGB, photometric="rgb")
    monkeypatch.setattr(tifffile.TiffPageSeries, "asarray", broken)
    with pytest.raises(ImageError, match=r"a\.tif: the TIFF cannot be decoded"):
        read_image(tmp_path / "a.tif")


def test_a_gif_cut_anywhere_gives_a_header_or_one_error(tmp_path: Path) -> None:
    frames = [Pillow.fromarray(np.full((6, 8), value, np.uint8)) for value in (0, 100, 200)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:], duration=40)
    whole = (tmp_path / "a.gif").read_bytes()
    for end in range(len(whole)):
        (tmp_path / "cut.gif").write_bytes(whole[:end])
        with contextlib.suppress(ImageError):
            assert read_header(tmp_path / "cut.gif").hw == (6, 8)


def test_a_picture_that_opencv_refuses_for_its_size_is_decoded_by_pillow_or_keeps_its_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import cv2

    deep = Image((np.arange(5 * 7 * 3, dtype=np.uint16) * 601).reshape(5, 7, 3))
    write_image(tmp_path / "deep.png", deep)
    path = save(tmp_path / "a.png", RGB)

    def refuse(*_: object) -> None:
        raise cv2.error("CV_IO_MAX_IMAGE_PIXELS")

    monkeypatch.setattr(cv2, "imdecode", refuse)
    assert np.array_equal(read_image(path).pixels, RGB)
    with pytest.raises(ImageError, match=r"deep\.png: .*larger than its decoder takes; got 3 bands of 16 bits"):
        read_image(tmp_path / "deep.png")
