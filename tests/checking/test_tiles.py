"""D107 by place: GeoTIFFs that show the same ground, in one split or in two, and those that only touch."""

import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import rasterio
import tifffile
from rasterio.transform import Affine

from data.geo import HERE, TURNED, tiles
from tessella.checking import check
from tessella.checking.rules.sets.tiles import tiles_across_splits
from tessella.checking.survey import Survey, Trace
from tessella.core.classes import ClassTable, LabelCoding
from tessella.core.finding import Finding
from tessella.dataset.index import open_dataset

CODING = LabelCoding(ClassTable.from_names(("ground", "house")))


def found(root: Path) -> list[Finding]:
    return check(open_dataset(root, classes=CODING), codes=["D107"]).by_code().get("D107", [])


@pytest.mark.parametrize("transform", [HERE, TURNED, HERE @ Affine.scale(1, -1)], ids=["upright", "turned", "mirrored"])
def test_photos_of_two_splits_that_show_one_place_are_a_leak(tmp_path: Path, transform: Affine) -> None:
    places = {"train/a": (0, 0), "train/b": (60, 0), "val/c": (30, 0), "val/d": (0, 200), "val/e": (115, 35)}
    (finding,) = found(tiles(tmp_path, places, transform=transform))
    assert (finding.severity, finding.where) == ("warning", "val/images/c.tif")
    assert "2 of 3 photos of 'val' show ground that photos of 'train' show too: at least 1225 px, 25.5%" in finding.what
    assert "The first shares 1200 of its 2400 px with train/images/" in finding.what


def test_what_overlaps_in_one_split_is_said_and_no_leak(tmp_path: Path) -> None:
    (finding,) = found(tiles(tmp_path, {"train/a": (0, 0), "train/b": (50, 30), "val/c": (300, 0), "val/d": (300, 40)}))
    assert (finding.severity, finding.where) == ("info", "train/images/a.tif")
    assert "2 of 2 photos of 'train' overlap another one" in finding.what
    assert "shares 100 of its 2400 px with train/images/b.tif" in finding.what


@pytest.mark.parametrize("transform", [HERE, TURNED], ids=["upright", "turned"])
def test_tiles_that_touch_with_rounded_borders_are_no_overlap(tmp_path: Path, transform: Affine) -> None:
    places = {"train/a": (0, 0), "train/b": (59.2, 0), "val/c": (0, 39), "val/d": (60, 40)}
    assert found(tiles(tmp_path, places, transform=transform)) == []


def test_the_same_coordinates_in_two_systems_are_two_places(tmp_path: Path) -> None:
    tiles(tmp_path, {"train/a": (0, 0), "train/b": (90, 0)})
    tiles(tmp_path, {"val/c": (0, 0), "val/d": (90, 0)}, crs="EPSG:32617")
    assert found(tmp_path) == []


def test_overviews_and_a_mask_within_the_files_hide_no_leak_and_are_no_pictures(tmp_path: Path) -> None:
    tiles(tmp_path, {"train/a": (0, 0), "train/b": (90, 0), "val/c": (30, 0), "val/d": (0, 200)})
    for path in tmp_path.glob("*/images/*.tif"):
        with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(path, "r+") as dataset:
            dataset.write_mask(np.full((40, 60), 255, np.uint8))
            dataset.build_overviews([2, 4])
    with tifffile.TiffFile(tmp_path / "val/images/c.tif") as file:
        assert [int(page.subfiletype) for page in file.pages] == [0, 4, 1, 1, 5, 5]
    codes = check(open_dataset(tmp_path, classes=CODING)).by_code()
    assert "1200 of its 2400 px with train/images/a.tif" in codes["D107"][0].what
    assert "F108" not in codes


def test_photos_of_another_resolution_are_compared_by_their_ground(tmp_path: Path) -> None:
    tiles(tmp_path, {"train/a": (0, 0), "train/b": (90, 0)})
    tiles(tmp_path, {"val/c": (0, 0), "val/d": (200, 0)}, transform=HERE @ Affine.scale(4))
    (finding,) = found(tmp_path)
    assert "1 of 2 photos of 'val'" in finding.what
    assert "shares 150 of its 2400 px" in finding.what


def test_a_system_without_number_is_compared_and_a_photo_without_one_is_not(tmp_path: Path) -> None:
    own = "+proj=tmerc +lat_0=33.6 +lon_0=-84.4 +k=0.9999 +x_0=733000 +y_0=3725000 +datum=WGS84 +units=m"
    places = {"train/a": (0, 0), "train/b": (90, 0), "val/c": (30, 0), "val/d": (300, 0)}
    assert len(found(tiles(tmp_path / "own", places, crs=own))) == 1
    assert found(tiles(tmp_path / "none", places, crs=None)) == []


def test_offsets_in_names_do_not_count_where_photos_say_where_they_lie(tmp_path: Path) -> None:
    names = {"train/t_0_0": (0, 0), "train/t_0_16": (100, 0), "val/t_16_0": (200, 0), "val/t_16_16": (300, 0)}
    assert found(tiles(tmp_path, names)) == []


def test_a_photo_with_two_labels_does_not_overlap_itself(tmp_path: Path) -> None:
    traces = _traces(np.zeros((2, 2)))
    assert list(tiles_across_splits(_survey([traces[0], traces[0]]))) == []


def test_ten_thousand_tiles_take_a_moment_and_little_memory() -> None:
    side = 100
    columns, rows = np.meshgrid(np.arange(side), np.arange(side))
    tracemalloc.start()
    traces = _traces(np.stack([columns.ravel() * 256, rows.ravel() * 512], axis=1))
    survey = _survey(traces)
    began = time.process_time()
    (leak, *inside) = list(tiles_across_splits(survey))
    # all pairs would be 5e7
    assert time.process_time() - began < 10
    assert tracemalloc.get_traced_memory()[1] < 20 << 20
    tracemalloc.stop()
    assert f"of {side * side // 2} photos of 'val'" in leak.finding.what
    assert inside == []


def _traces(places: np.ndarray) -> list[Trace]:
    """Tiles of 512 x 512 px, every second in val."""
    found = []
    for position, place in enumerate(places):
        a, b, c, d, e, f = tuple(HERE @ Affine.translation(*place.tolist()))[:6]
        ground = np.array([a, b, c, d, e, f]).tobytes()
        name, split = f"{position}.tif", "val" if position % 2 else "train"
        found.append(Trace(position, split, name, name, hw=(512, 512), crs="EPSG:32616", ground=ground))
    return found


def _survey(traces: list[Trace]) -> Survey:
    return Survey(tuple(traces), CODING, "index-mask", True, (), True)
