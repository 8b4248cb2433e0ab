"""GeoTIFF frames, coordinate systems, and vector files against other programs' reading and writing of them."""

import json
import math
import sqlite3
import struct
from pathlib import Path

import numpy as np
import pyogrio.raw
import pytest
import rasterio
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from rasterio.transform import Affine

from data.geo import HERE, TURNED, collection, feature, geotiff, square
from data.layouts import photo_of
from tessella.core.errors import FormatError, ImageError, InputError, MissingExtraError
from tessella.files.geo.crs import LON_LAT, epsg_of, named, reproject, reproject_bounds, same, to_wkt
from tessella.files.geo.frame import GeoFrame, has_frame, read_frame, read_nodata
from tessella.files.geo.geojson import read_geojson, write_geojson
from tessella.files.geo.geopackage import read_geopackage, write_geopackage
from tessella.files.geo.ground import read_ground
from tessella.files.geo.shapefile import read_shapefile, write_shapefile
from tessella.files.geo.vectors import Feature, as_text, parts_of
from tessella.files.geo.wkb import pack_wkb, parse_wkt, read_wkb

UTM = "EPSG:32616"
HERE_XY = np.array([733_600.0, 3_725_000.0])
OUTER = HERE_XY + np.array([[0, 0], [0, 10], [10, 10], [10, 0]])
HOLE = HERE_XY + np.array([[2, 2], [4, 2], [4, 4], [2, 4]])
FAR = OUTER + np.array([50, 0])
FEATURES = [Feature(((OUTER, HOLE), (FAR,)), {"class": "road"}), Feature(((FAR,),), {"class": "Straße"})]


def shape_of(polygons: tuple) -> list:
    """Polygons as sets of corners, whatever corner they begin with and whichever way they run."""
    return [[sorted(map(tuple, ring.tolist())) for ring in polygon] for polygon in polygons]


def test_pixels_count_from_the_outer_corner_of_the_first_pixel(tmp_path: Path) -> None:
    frame = read_frame(geotiff(tmp_path / "a.tif", photo_of(0)))
    assert frame is not None
    assert frame.hw == (12, 16)
    assert not frame.has_nodata
    np.testing.assert_array_equal(
        frame.to_world(np.array([[0, 0], [16, 12.0]])), [[733601, 3725139], [733609, 3725133]]
    )
    assert frame.bounds == (733601, 3725133, 733609, 3725139)


def test_a_raster_whose_tiepoint_is_the_centre_of_a_pixel_is_shifted_by_half_of_one(tmp_path: Path) -> None:
    path = geotiff(tmp_path / "a.tif", photo_of(0))
    with rasterio.open(path, "r+") as dataset:
        dataset.update_tags(AREA_OR_POINT="Point")
    frame = read_frame(path)
    assert frame is not None
    np.testing.assert_allclose(frame.affine, (0.5, 0, 733_601, 0, -0.5, 3_725_139))


@given(
    st.tuples(st.floats(-3, 3), st.floats(-3, 3), st.floats(-3, 3), st.floats(-3, 3)).filter(
        lambda m: abs(m[0] * m[3] - m[1] * m[2]) > 0.1
    ),
    st.lists(st.tuples(st.floats(0, 1e4), st.floats(0, 1e4)), min_size=1, max_size=8),
)
def test_to_the_world_and_back_is_the_same_pixel_to_a_millionth(matrix: tuple, points: list) -> None:
    a, b, d, e = matrix
    frame = GeoFrame((a, b, 733_601.0, d, e, 3_725_139.0), UTM, (10, 10))
    pixels = np.array(points, np.float64)
    np.testing.assert_allclose(frame.to_pixels(frame.to_world(pixels)), pixels, atol=1e-6)


def test_a_photo_that_does_not_say_where_it_lies_has_no_frame(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (tmp_path / "b.tif").write_bytes(b"<VRTDataset rasterXSize='1'/>")
    assert not has_frame(tmp_path / "a.png")
    assert read_frame(tmp_path / "b.tif") is None


def test_nodata_is_found_by_value_by_alpha_and_by_mask(tmp_path: Path) -> None:
    pixels = np.full((12, 16, 2), 7, np.uint16)
    pixels[:3, :4] = 0
    expected = pixels[..., 0] == 0
    by_value = geotiff(tmp_path / "value.tif", pixels, nodata=0)
    alpha = np.where(pixels == 0, 0, 65535).astype(np.uint16)[..., :1]
    by_alpha = geotiff(
        tmp_path / "alpha.tif", np.concatenate([pixels, pixels[..., :1], alpha], axis=2), photometric="RGB"
    )
    with rasterio.open(by_alpha, "r+") as dataset:
        dataset.colorinterp = [*dataset.colorinterp[:3], rasterio.enums.ColorInterp.alpha]
    by_mask = geotiff(tmp_path / "mask.tif", pixels)
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(by_mask, "r+") as dataset:
        dataset.write_mask(~expected)
    for path in (by_value, by_alpha, by_mask):
        frame = read_frame(path)
        assert frame is not None
        assert frame.has_nodata, path
        np.testing.assert_array_equal(read_nodata(path), expected, err_msg=path.name)
    assert not read_nodata(geotiff(tmp_path / "all.tif", pixels)).any()


def test_a_raster_larger_than_the_budget_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    path = geotiff(tmp_path / "a.tif", photo_of(0), nodata=0)
    with pytest.raises(ImageError, match="pixel budget"):
        read_nodata(path, max_pixels=191)


@pytest.mark.parametrize("keep", [10, 100])
def test_a_geotiff_that_is_cut_off_is_an_error_that_names_it(tmp_path: Path, keep: int) -> None:
    path = geotiff(tmp_path / "a.tif", photo_of(0))
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(InputError, match=r"a\.tif"):
        assert read_frame(path) is not None


def test_without_rasterio_the_install_line_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = geotiff(tmp_path / "a.tif", photo_of(0))
    monkeypatch.setattr("tessella.core.extras.find_spec", lambda _: None)
    assert has_frame(path)
    with pytest.raises(MissingExtraError, match=r"pip install 'tessella\[geo\]'"):
        read_frame(path)


@pytest.mark.parametrize(
    ("name", "means"),
    [
        ("EPSG:32616", UTM),
        ("urn:ogc:def:crs:EPSG::32616", UTM),
        ("urn:ogc:def:crs:EPSG:8.5:32616", UTM),
        ("urn:ogc:def:crs:OGC:1.3:CRS84", LON_LAT),
        ("http://www.opengis.net/def/crs/OGC/1.3/CRS84", LON_LAT),
        ("http://www.opengis.net/gml/srs/epsg.xml#4326", LON_LAT),
    ],
)
def test_coordinate_systems_are_known_by_their_usual_names(name: str, means: str) -> None:
    assert named(name, where="x") == means


@pytest.mark.parametrize("name", ["+init=/etc/passwd:1", "", None, 7, "http://example.com/crs", "OGC:CRS1"])
def test_other_names_are_refused_and_nothing_is_looked_up(name: object) -> None:
    with pytest.raises(FormatError, match="coordinate system"):
        named(name, where="x")


def test_a_system_that_names_a_grid_file_is_refused() -> None:
    text = 'GEOGCS["x",DATUM["y",SPHEROID["z",6378137,298]],EXTENSION["PROJ4","+proj=longlat +nadgrids=/etc/passwd"]]'
    with pytest.raises(FormatError, match="names a file"):
        same(text, LON_LAT, where="x.prj")


def test_longitude_comes_before_latitude_whatever_the_authority_says() -> None:
    moved = reproject(np.array([[-87.0, 0.0]]), source=LON_LAT, target=UTM, where="x")
    np.testing.assert_allclose(moved, [[500_000, 0]], atol=1e-6)  # the central meridian of zone 16 at the equator
    back = reproject(moved, source=UTM, target=LON_LAT, where="x")
    np.testing.assert_allclose(back, [[-87.0, 0.0]], atol=1e-9)


def test_a_place_without_coordinates_is_an_error_and_its_box_is_unknown() -> None:
    with pytest.raises(FormatError, match=r"swapped|no coordinates"):
        reproject(np.array([[35.0, 95.0]]), source=LON_LAT, target=UTM, where="x")
    assert reproject_bounds((0, 91, 1, 92), source=LON_LAT, target=UTM, where="x") is None


def test_a_system_is_recognised_in_the_words_of_esri() -> None:
    assert same(to_wkt(UTM, esri=True), UTM, where="x")
    assert epsg_of(to_wkt(UTM)) == 32616
    own = to_wkt(UTM).replace('"central_meridian",-87', '"central_meridian",-86.5').replace("32616", "99999")
    assert epsg_of(own) is None


def test_a_shapefile_is_read_back_by_us_and_by_gdal(tmp_path: Path) -> None:
    path = tmp_path / "a.shp"
    write_shapefile(path, FEATURES, crs=UTM, column="class")
    mine = read_shapefile(path)
    assert [one.attributes for one in mine.features] == [{"class": "road"}, {"class": "Straße"}]
    assert [shape_of(one.polygons) for one in mine.features] == [shape_of(one.polygons) for one in FEATURES]
    assert same(mine.crs, UTM, where=path)
    _as_gdal_reads(path)


def test_a_geopackage_is_read_back_by_us_and_by_gdal(tmp_path: Path) -> None:
    path = tmp_path / "a.gpkg"
    write_geopackage(path, FEATURES, crs=UTM, table="labels", column="class")
    (mine,) = read_geopackage(path)
    assert (mine.name, mine.crs, mine.columns) == ("", UTM, ("class",))
    assert [shape_of(one.polygons) for one in mine.features] == [shape_of(one.polygons) for one in FEATURES]
    _as_gdal_reads(path)


def test_geojson_is_read_back_by_us_and_by_gdal(tmp_path: Path) -> None:
    path = tmp_path / "a.geojson"
    write_geojson(path, FEATURES, epsg=32616)
    mine = read_geojson(path)
    assert (mine.crs, mine.stated) == (UTM, True)
    assert [shape_of(one.polygons) for one in mine.features] == [shape_of(one.polygons) for one in FEATURES]
    _as_gdal_reads(path)


def _as_gdal_reads(path: Path) -> None:
    meta, _, geometry, fields = pyogrio.raw.read(path)
    assert meta["crs"] == UTM
    assert fields[0].tolist() == ["road", "Straße"]
    theirs = [read_wkb(blob, where=path)[0] for blob in geometry]
    assert [shape_of(one) for one in theirs] == [shape_of(one.polygons) for one in FEATURES]


@pytest.mark.parametrize(
    ("name", "driver"), [("b.shp", "ESRI Shapefile"), ("b.gpkg", "GPKG"), ("b.geojson", "GeoJSON")]
)
def test_what_gdal_writes_is_read(tmp_path: Path, name: str, driver: str) -> None:
    geometry = np.array([pack_wkb([[_closed(OUTER), _closed(HOLE[::-1])]]), None], object)
    fields = [np.array(["tree", "road"], object), np.array([1.5, 2.0]), np.array([7, 8], np.int32)]
    pyogrio.raw.write(
        tmp_path / name,
        geometry,
        fields,
        ["label", "share", "count"],
        geometry_type="MultiPolygon",
        crs=UTM,
        driver=driver,
    )
    path = tmp_path / name
    file = {".shp": read_shapefile, ".gpkg": lambda one: read_geopackage(one)[0], ".geojson": read_geojson}[
        path.suffix
    ](path)
    assert [dict(one.attributes) for one in file.features] == [
        {"label": "tree", "share": "1.5", "count": "7"},
        {"label": "road", "share": "2", "count": "8"},
    ]
    assert shape_of(file.features[0].polygons) == shape_of(((OUTER, HOLE),))
    assert (file.features[1].polygons, file.features[1].kind) == ((), "features without geometry")
    assert same(file.crs, UTM, where=path)


def _closed(ring: np.ndarray) -> np.ndarray:
    return np.concatenate([ring, ring[:1]])


def test_geojson_without_crs_means_longitude_and_latitude_and_null_means_unknown(tmp_path: Path) -> None:
    assert not read_geojson(collection(tmp_path / "a.geojson", [], crs=None)).stated
    (tmp_path / "b.geojson").write_text('{"type": "FeatureCollection", "crs": null, "features": []}')
    assert read_geojson(tmp_path / "b.geojson").crs == ""


def test_points_and_lines_are_told_apart_from_polygons(tmp_path: Path) -> None:
    line = {"type": "LineString", "coordinates": [[0, 0], [1, 1]]}
    both = {"type": "GeometryCollection", "geometries": [line, feature(None, [square(0, 0, 1, 1)])["geometry"]]}
    tree = {
        "type": "FeatureCollection",
        "features": [{"type": "Feature", "properties": None, "geometry": one} for one in (line, both, None)],
    }
    (tmp_path / "a.geojson").write_text(json.dumps(tree))
    kinds = [(len(one.polygons), one.kind) for one in read_geojson(tmp_path / "a.geojson").features]
    assert kinds == [(0, "lines"), (1, ""), (0, "features without geometry")]


@pytest.mark.parametrize(
    "geometry",
    [
        {"type": "Polygon", "coordinates": [[[0, 0], [1, "x"], [1, 1]]]},
        {"type": "Polygon", "coordinates": [[0, 1]]},
        {"type": "Polygon"},
        {"type": ["Polygon"]},
        {"type": "CircularString", "coordinates": []},
        [],
    ],
)
def test_a_damaged_geometry_is_named_by_its_feature(tmp_path: Path, geometry: object) -> None:
    tree = {"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": geometry}]}
    (tmp_path / "a.geojson").write_text(json.dumps(tree))
    with pytest.raises(FormatError, match=r"features\[0\]"):
        read_geojson(tmp_path / "a.geojson")


def test_a_crs_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    crs = {"type": "link", "properties": {"href": "http://example.com/crs/42", "type": "proj4"}}
    (tmp_path / "a.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [], "crs": crs}))
    with pytest.raises(FormatError, match="fetches nothing"):
        read_geojson(tmp_path / "a.geojson")


def test_a_deleted_row_of_a_shapefile_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.shp"
    write_shapefile(path, FEATURES, crs=UTM, column="class")
    table = bytearray(path.with_suffix(".dbf").read_bytes())
    table[65] = ord("*")
    path.with_suffix(".dbf").write_bytes(bytes(table))
    assert [one.attributes["class"] for one in read_shapefile(path).features] == ["Straße"]


@pytest.mark.parametrize(("suffix", "keep"), [(".shp", 150), (".dbf", 70), (".dbf", 10), (".shp", 3)])
def test_a_shapefile_that_is_cut_off_is_an_error_that_names_it(tmp_path: Path, suffix: str, keep: int) -> None:
    path = tmp_path / "a.shp"
    write_shapefile(path, FEATURES, crs=UTM, column="class")
    part = path.with_suffix(suffix)
    part.write_bytes(part.read_bytes()[:keep])
    with pytest.raises(FormatError, match=r"a\.(shp|dbf)"):
        read_shapefile(path)


@pytest.mark.parametrize(("parts", "points"), [(0, 9), (-1, 9), (1, -1), (3, 9), (1, 2**30)])
def test_a_polygon_with_impossible_counts_is_an_error(tmp_path: Path, parts: int, points: int) -> None:
    path = tmp_path / "a.shp"
    write_shapefile(path, FEATURES[1:], crs=UTM, column="class")
    data = bytearray(path.read_bytes())
    data[144:152] = struct.pack("<ii", parts, points)
    path.write_bytes(bytes(data))
    with pytest.raises(FormatError, match="shape 0"):
        read_shapefile(path)
    data[144:152] = bytes(8)
    path.write_bytes(bytes(data))
    assert read_shapefile(path).features[0].polygons == ()


def test_a_geopackage_is_never_written_to_and_a_view_without_end_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tessella.files.geo.geopackage._SECONDS", 0.05)
    path = tmp_path / "a.gpkg"
    write_geopackage(path, FEATURES, crs=UTM, table="labels", column="class")
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE labels")
        connection.execute(
            "CREATE VIEW labels AS WITH RECURSIVE n(fid) AS (SELECT 1 UNION ALL SELECT fid FROM n) "
            "SELECT max(fid) AS fid, NULL AS geom FROM n"
        )
    connection.close()
    before = path.read_bytes()
    with pytest.raises(FormatError, match="damaged"):
        read_geopackage(path)
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["a.gpkg"]


def test_rings_are_sorted_into_parts_by_their_direction() -> None:
    island = HERE_XY + np.array([[2.5, 2.5], [2.5, 3.5], [3.5, 3.5], [3.5, 2.5]])  # clockwise, in the hole
    wrong = FAR[::-1]  # counterclockwise, in nothing
    assert [len(part) for part in parts_of([OUTER, HOLE, island, wrong])] == [2, 1, 1]


@pytest.mark.parametrize(("order", "code"), [("<", 3), (">", 3), ("<", 1003), ("<", 0x80000003), ("<", 3003)])
def test_well_known_binary_is_read_in_either_order_and_without_height(order: str, code: int) -> None:
    sides = {3: 2, 1003: 3, 0x80000003: 3, 3003: 4}[code]
    ring = np.zeros((5, sides))
    ring[:, :2] = _closed(OUTER)
    head = struct.pack(f"{order}BIII", order == "<", code, 1, 5)
    (polygon,), kind = read_wkb(head + ring.astype(f"{order}f8").tobytes(), where="x")
    np.testing.assert_array_equal(polygon[0], OUTER)
    assert kind == ""


def test_well_known_text_is_read_with_holes_parts_and_heights() -> None:
    one = parse_wkt("POLYGON ((0 0 5,4 0 5,4 4 5,0 4 5,0 0 5),(1 1,2 1,2 2,1 1))", where="x")
    assert [len(ring) for ring in one[0]] == [4, 3]
    assert len(parse_wkt("MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0)), ((5 5, 6 5, 6 6, 5 5)))", where="x")) == 2
    assert parse_wkt("POLYGON EMPTY", where="x") == ()
    for text in (
        "LINESTRING (0 0, 1 1)",
        "POLYGON ((0 0, 1 x, 1 1))",
        "POLYGON ((0, 1, 2))",
        "POLYGON ((nan 0, 1 1, 2 2))",
    ):
        with pytest.raises(FormatError):
            parse_wkt(text, where="x")


@pytest.mark.parametrize(
    ("value", "text"), [(7.0, "7"), (1.5, "1.5"), (None, ""), (True, "true"), ([1], ""), (" a ", "a")]
)
def test_attributes_are_written_as_people_do(value: object, text: str) -> None:
    assert as_text(value) == text


def test_the_rotated_transform_of_the_fixtures_is_read(tmp_path: Path) -> None:
    frame = read_frame(geotiff(tmp_path / "a.tif", photo_of(0), transform=TURNED))
    assert frame is not None
    np.testing.assert_allclose(frame.to_world(np.array([[3.0, 4.0]]))[0], tuple(TURNED @ (3, 4)))
    assert Affine(*frame.affine).almost_equals(TURNED)
    assert not HERE.almost_equals(TURNED)


@pytest.mark.parametrize("transform", [HERE, TURNED, HERE @ Affine.scale(2, 3)], ids=["upright", "turned", "oblong"])
@pytest.mark.parametrize("more", [{}, {"AREA_OR_POINT": "Point"}], ids=["area", "point"])
def test_the_ground_is_where_gdal_says(tmp_path: Path, transform: Affine, more: dict) -> None:
    path = geotiff(tmp_path / "p.tif", photo_of(0), transform=transform)
    with rasterio.open(path, "r+") as dataset:
        dataset.update_tags(**more)
    ground, frame = read_ground(path), read_frame(path)
    assert ground is not None
    assert frame is not None
    assert ground.crs == "EPSG:32616"
    np.testing.assert_allclose(ground.affine, frame.affine, rtol=1e-12)


def test_ground_needs_a_transform_and_a_system(tmp_path: Path) -> None:
    own = "+proj=tmerc +lat_0=33.6 +lon_0=-84.4 +k=0.9999 +x_0=733000 +y_0=3725000 +datum=WGS84 +units=m"
    other = own.replace("33.6", "33.7")
    systems = [
        read_ground(geotiff(tmp_path / f"{number}.tif", photo_of(number), crs=crs))
        for number, crs in enumerate(["EPSG:4326", own, own, other])
    ]
    one, two, three, four = (ground.crs for ground in systems if ground)
    assert one == "EPSG:4326"
    assert two == three != four
    assert read_ground(geotiff(tmp_path / "a.tif", photo_of(0), crs=None)) is None
    flat = geotiff(tmp_path / "b.tif", photo_of(0), transform=Affine(1e-200, 0, 0, 0, -1e-200, 0))
    assert read_ground(flat) is None
    far = geotiff(tmp_path / "c.tif", photo_of(0), transform=Affine(1, 0, 1e300, 0, -1, 0))
    assert read_ground(far) is None
    Image.fromarray(photo_of(0)).save(tmp_path / "d.tif")
    Image.fromarray(photo_of(0)).save(tmp_path / "e.png")
    assert read_ground(tmp_path / "d.tif") is None
    assert read_ground(tmp_path / "e.png") is None


@pytest.mark.parametrize("keys", [(1.0, 1.0, 0.0, 1.0, math.nan, 0.0, 1.0, 1.0), (1.0,) * 7, "keys"])
@pytest.mark.parametrize("scale", [(1.0, 1.0, 0.0), (math.inf, 1.0, 0.0), (1e300, 1e300, 0.0)])
def test_tags_that_make_no_sense_place_nothing(tmp_path: Path, keys: object, scale: tuple) -> None:
    directory = (34735, "s" if isinstance(keys, str) else "d", 0 if isinstance(keys, str) else len(keys), keys, True)
    tie = (33922, "d", 6, (9.0, 9.0, 0.0, 5.0, 5.0, 0.0), True)
    tags = [directory, tie, (33550, "d", 3, scale, True)]
    tifffile.imwrite(tmp_path / "p.tif", photo_of(0), photometric="rgb", extratags=tags)
    assert read_ground(tmp_path / "p.tif") is None
