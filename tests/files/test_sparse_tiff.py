"""TIFFs that leave out empty strips or tiles, as GDAL writes them: what is left out has the nodata value, else 0."""

import logging
from pathlib import Path

import numpy as np
import pytest
import rasterio
import tifffile

from data.geo import half_empty
from tessella.core.errors import ImageError
from tessella.files.images import read_image
from tessella.files.masks import read_mask
from tessella.files.values.pages import read_page

TILES = {"tiled": True, "blockxsize": 64, "blockysize": 64}
KINDS = {
    "tiles": TILES,
    "strips": {"blockysize": 16},
    "deflate": {**TILES, "compress": "deflate"},
    "lzw with nodata": {**TILES, "compress": "lzw", "nodata": 255},
    "16 bits": {**TILES, "dtype": "uint16", "nodata": 900},
    "BigTIFF": {**TILES, "BIGTIFF": "YES", "nodata": 3},
    "colours": {**TILES, "bands": 3, "photometric": "RGB", "nodata": 9},
    "planes": {**TILES, "bands": 3, "photometric": "RGB", "interleave": "band"},
    "alpha": {**TILES, "bands": 4, "photometric": "RGB", "ALPHA": "YES"},
    "JPEG": {**TILES, "compress": "jpeg"},
}
STORED = {
    **KINDS,
    "four bands": {**TILES, "bands": 4, "photometric": "RGB"},
    "palette": {**TILES, "palette": {0: (0, 0, 0, 255), 1: (200, 10, 0, 255), 2: (0, 9, 0, 255)}, "nodata": 2},
    "one bit": {**TILES, "nbits": 1, "compress": "deflate"},
    "white is zero": {**TILES, "photometric": "MINISWHITE"},
}


def as_gdal_reads(path: Path) -> np.ndarray:
    with rasterio.open(path) as dataset:
        return np.moveaxis(dataset.read(), 0, -1)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_photo_is_what_gdal_reads(tmp_path: Path, kind: dict) -> None:
    path = half_empty(tmp_path / "p.tif", sparse=True, **kind)
    np.testing.assert_array_equal(read_image(path).pixels, as_gdal_reads(path))


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_mask_is_what_gdal_reads(tmp_path: Path, kind: dict) -> None:
    path = half_empty(tmp_path / "m.tif", sparse=True, **kind)
    pixels = read_mask(path).pixels
    np.testing.assert_array_equal(pixels if pixels.ndim == 3 else pixels[..., None], as_gdal_reads(path))


@pytest.mark.parametrize("kind", STORED.values(), ids=STORED)
def test_a_mask_is_the_same_whether_its_empty_tiles_are_left_out_or_not(tmp_path: Path, kind: dict) -> None:
    sparse = half_empty(tmp_path / "sparse.tif", sparse=True, **kind)
    whole = half_empty(tmp_path / "whole.tif", sparse=False, **kind)
    assert sparse.stat().st_size < whole.stat().st_size
    one, other = read_mask(sparse), read_mask(whole)
    np.testing.assert_array_equal(one.pixels, other.pixels)
    assert (one.mode, one.orientation, one.form) == (other.mode, other.orientation, other.form)
    if one.palette is None or other.palette is None:
        assert one.palette is other.palette
    else:
        np.testing.assert_array_equal(one.palette, other.palette)


def test_floats_of_a_photo_keep_their_nodata(tmp_path: Path) -> None:
    path = half_empty(tmp_path / "p.tif", sparse=True, dtype="float32", nodata=-9999, **TILES)
    pixels = read_image(path).pixels
    np.testing.assert_array_equal(pixels, as_gdal_reads(path))
    assert (pixels[:64] == -9999).all()


def test_a_page_of_a_stack_is_filled(tmp_path: Path) -> None:
    path = half_empty(tmp_path / "p.tif", sparse=True, nodata=7, **TILES)
    np.testing.assert_array_equal(read_page(path, 0), as_gdal_reads(path)[..., 0])


def test_a_nodata_value_that_bytes_cannot_hold_is_zero_without_a_word(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])  # of pytest: what nobody listens to goes to stderr
    path = half_empty(tmp_path / "m.tif", sparse=True, nodata=9, **TILES)
    with tifffile.TiffFile(path, mode="r+") as file:
        file.pages.first.tags["GDAL_NODATA"].overwrite("-9999")
    pixels = read_mask(path).pixels
    photo, page = read_image(path).pixels[..., 0], read_page(path, 0)
    assert capsys.readouterr() == ("", "")
    assert (int(pixels[:64].max()), int(pixels.max())) == (0, 1)
    np.testing.assert_array_equal(photo, pixels)
    np.testing.assert_array_equal(page, pixels)


def test_what_tifffile_logs_is_there_for_those_who_listen(tmp_path: Path, caplog) -> None:
    path = half_empty(tmp_path / "m.tif", sparse=True, nodata=9, **TILES)
    with tifffile.TiffFile(path, mode="r+") as file:
        file.pages.first.tags["GDAL_NODATA"].overwrite("-9999")
    read_mask(path)
    assert any("-9999" in record.getMessage() for record in caplog.records if record.name == "tifffile")


def test_a_turned_mask_is_turned_once(tmp_path: Path) -> None:
    sparse, whole = (
        half_empty(tmp_path / f"{kind}.tif", sparse=kind == "sparse", **TILES) for kind in ("sparse", "whole")
    )
    for path in (sparse, whole):
        with rasterio.open(path, "r+") as dataset:
            dataset.update_tags(TIFFTAG_ORIENTATION=6)
    assert read_mask(sparse).pixels.shape == read_mask(whole).pixels.shape
    np.testing.assert_array_equal(read_mask(sparse).pixels, read_mask(whole).pixels)


def test_a_mask_that_cannot_be_filled_is_refused_with_the_cure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = half_empty(tmp_path / "m.tif", sparse=True, **TILES)
    monkeypatch.setattr("tifffile.imwrite", lambda *_, **__: (_ for _ in ()).throw(ValueError("no such bits")))
    with pytest.raises(ImageError, match=r"leaves out strips or tiles, and cannot be filled.*SPARSE_OK=FALSE"):
        read_mask(path)
