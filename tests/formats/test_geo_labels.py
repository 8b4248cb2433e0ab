"""Polygons on the map painted on GeoTIFF photos: which photo, which class, which pixels, and what is refused."""

import json
from pathlib import Path

import numpy as np
import pyogrio.raw
import pytest
import rasterio.features
from hypothesis import given
from hypothesis import strategies as st
from rasterio.transform import Affine

from data.geo import HERE, TURNED, collection, feature, geojson, geotiff, shapes_of, spacenet, square, wkt
from data.layouts import ids_of, index_mask, photo_of, save, write_classes_toml
from tessella.core.classes import IGNORE
from tessella.core.errors import FormatError, InputError, LabelError, MissingExtraError
from tessella.dataset.convert import convert
from tessella.dataset.index import open_dataset
from tessella.files.geo.crs import LON_LAT, reproject
from tessella.files.geo.wkb import pack_wkb
from tessella.formats import Source, choose
from tessella.formats.geo.cutting import cut
from tessella.formats.geo.names import Stems, class_of
from tessella.formats.raster.rasterise import polygon_mask

UTM = "EPSG:32616"


def ids_in(root: Path, place: int = 0) -> np.ndarray:
    labels = open_dataset(root)[place].labels
    assert labels is not None
    return labels.ids


def to_lon_lat(features: list) -> list:
    for one in features:
        one["geometry"]["coordinates"] = [
            reproject(np.array(ring), source=UTM, target=LON_LAT, where="x").tolist()
            for ring in one["geometry"]["coordinates"]
        ]
    return features


def test_the_pixels_are_those_of_the_blocks(tmp_path: Path) -> None:
    index = open_dataset(geojson(tmp_path / "set"))
    assert index.table.names == ("background", "road", "tree")
    for seed, sample in enumerate(index):
        assert sample.labels is not None
        np.testing.assert_array_equal(sample.labels.ids, ids_of(seed))


def test_longitude_and_latitude_give_the_same_pixels(tmp_path: Path) -> None:
    geotiff(tmp_path / "p.tif", photo_of(0))
    collection(tmp_path / "p.geojson", to_lon_lat(shapes_of(0)), crs=None)
    np.testing.assert_array_equal(ids_in(tmp_path), ids_of(0))


def test_swapped_axes_are_named(tmp_path: Path) -> None:
    geotiff(tmp_path / "p.tif", photo_of(0))
    features = to_lon_lat(shapes_of(0))
    for one in features:
        one["geometry"]["coordinates"] = [[[y, x] for x, y in ring] for ring in one["geometry"]["coordinates"]]
    collection(tmp_path / "p.geojson", features, crs=None)
    with pytest.raises(LabelError, match="x and y are swapped"):
        ids_in(tmp_path)


def test_metres_in_geojson_that_names_no_system_are_taken_for_the_photos_own_and_this_is_said(tmp_path: Path) -> None:
    geotiff(tmp_path / "p.tif", photo_of(0))
    collection(tmp_path / "p.geojson", shapes_of(0), crs=None)
    index = open_dataset(tmp_path)
    assert any("1 layer states no coordinate system" in note for note in index.listing.notes)
    np.testing.assert_array_equal(ids_in(tmp_path), ids_of(0))


def test_shapes_elsewhere_are_refused_with_both_places(tmp_path: Path) -> None:
    geotiff(tmp_path / "p.tif", photo_of(0))
    collection(tmp_path / "p.geojson", shapes_of(0, HERE @ Affine.translation(500, 0)))
    with pytest.raises(LabelError, match=r"none of the shapes touches .* the photo in x 733601 to 733609"):
        ids_in(tmp_path)


@pytest.mark.parametrize("to", ["geojson", "shapefile", "geopackage"])
def test_a_turned_raster_is_written_and_read_again_exactly(tmp_path: Path, to: str) -> None:
    rng = np.random.default_rng(7)
    geotiff(tmp_path / "set" / "images" / "p.tif", photo_of(0, (40, 50)), transform=TURNED)
    ids = rng.choice(np.array([0, 1, 2, 255], np.uint8), (40, 50))
    save(tmp_path / "set" / "masks" / "p.png", ids)
    write_classes_toml(tmp_path / "set")
    convert(tmp_path / "set", tmp_path / "out", to=to)
    assert choose(Source(tmp_path / "out"))[0] == to
    np.testing.assert_array_equal(ids_in(tmp_path / "out"), ids)


def test_a_system_without_number_is_written_as_longitude_and_latitude_in_geojson(tmp_path: Path) -> None:
    own = "+proj=tmerc +lat_0=33.6 +lon_0=-84.4 +k=0.9999 +x_0=733000 +y_0=3725000 +datum=WGS84 +units=m"
    geotiff(tmp_path / "set" / "images" / "p.tif", photo_of(0), crs=own)
    save(tmp_path / "set" / "masks" / "p.png", ids_of(0))
    write_classes_toml(tmp_path / "set")
    convert(tmp_path / "set", tmp_path / "out", to="geojson")
    assert "crs" not in json.loads((tmp_path / "out" / "labels" / "p.geojson").read_text())
    np.testing.assert_array_equal(ids_in(tmp_path / "out"), ids_of(0))


def test_photos_without_a_place_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"p0\.png: the photo does not say where on Earth it lies"):
        convert(index_mask(tmp_path / "set"), tmp_path / "out", to="geojson")
    assert not (tmp_path / "out").exists()


def test_shapes_are_kept_as_they_were_drawn(tmp_path: Path) -> None:
    slanted = [(1.25, 1.5), (9.75, 2.0), (5.0, 9.5)]
    geotiff(tmp_path / "set" / "p.tif", photo_of(0))
    collection(tmp_path / "set" / "p.geojson", [feature("road", [slanted, square(4, 3, 5, 4)])])
    convert(tmp_path / "set", tmp_path / "out", to="geopackage")
    drawing = open_dataset(tmp_path / "out").annotation(0)
    (shape,) = drawing.shapes
    np.testing.assert_allclose(sorted(shape.points_xy.tolist()), sorted(map(list, slanted)), atol=1e-6)
    assert len(shape.holes) == 1


def test_attributes_and_the_parts_of_one_object_are_written(
    tmp_path: Path,
) -> None:
    geotiff(tmp_path / "set" / "p.tif", photo_of(0))
    one, other = feature("road", [square(0, 0, 4, 4)], lanes=2), feature("road", [square(6, 6, 9, 9)])
    parts = [part["geometry"]["coordinates"] for part in (one, other)]
    multi = {**one, "geometry": {"type": "MultiPolygon", "coordinates": parts}}
    collection(tmp_path / "set" / "p.geojson", [multi, feature("tree", [square(3, 3, 7, 7)])])
    convert(tmp_path / "set", tmp_path / "out", to="geojson")
    tree = json.loads((tmp_path / "out" / "labels" / "p.geojson").read_text())
    assert [one["properties"] for one in tree["features"]] == [{"class": "road", "lanes": "2"}, {"class": "tree"}]
    assert tree["features"][0]["geometry"]["type"] == "MultiPolygon"
    np.testing.assert_array_equal(ids_in(tmp_path / "out"), ids_in(tmp_path / "set"))


def test_nodata_is_ignored(tmp_path: Path) -> None:
    pixels = np.full((12, 16, 3), 9, np.uint16)
    pixels[:, 12:] = 0
    geotiff(tmp_path / "p.tif", pixels, nodata=0)
    collection(tmp_path / "p.geojson", shapes_of(0))
    expected = ids_of(0)
    expected[:, 12:] = IGNORE
    np.testing.assert_array_equal(ids_in(tmp_path), expected)


def test_one_file_across_several_tiles_is_cut_at_their_borders(tmp_path: Path) -> None:
    for place in range(3):
        geotiff(
            tmp_path / "tiles" / f"t{place}.tif", photo_of(place), transform=HERE @ Affine.translation(16 * place, 0)
        )
    geotiff(tmp_path / "tiles" / "t9.tif", photo_of(9), transform=HERE @ Affine.translation(5000, 0))
    collection(
        tmp_path / "roads.geojson", [feature(None, [square(8, 2, 40, 5)]), feature(None, [square(33, 7, 34, 9)])]
    )
    index = open_dataset(tmp_path)
    assert index.table.names == ("background", "roads")
    assert [Path(record.name).name for record in index.labelled().records] == ["t0", "t1", "t2"]
    whole = np.zeros((12, 48), np.uint8)
    whole[2:5, 8:40] = 1
    whole[7:9, 33] = 1
    found = [index.labels(place) for place in range(3)]
    np.testing.assert_array_equal(np.concatenate([one.ids for one in found if one], axis=1), whole)
    assert any("1 vector file lies across photos" in note for note in index.listing.notes)


def test_several_files_on_one_tile_are_painted_in_turn(tmp_path: Path) -> None:
    geotiff(tmp_path / "t1.tif", photo_of(0))
    collection(tmp_path / "t1_buildings.geojson", [feature(None, [square(0, 0, 8, 8)])])
    collection(tmp_path / "t1_water.geojson", [feature(None, [square(4, 4, 16, 12)])])
    index = open_dataset(tmp_path)
    assert index.table.names == ("background", "buildings", "water")
    expected = np.zeros((12, 16), np.uint8)
    expected[:8, :8] = 1
    expected[4:, 4:] = 2
    np.testing.assert_array_equal(ids_in(tmp_path), expected)


@pytest.mark.parametrize(
    ("label", "photo"),
    [
        ("buildings_AOI_2_Vegas_img1", "RGB-PanSharpen_AOI_2_Vegas_img1"),
        ("Geo_AOI_1_RIO_img11", "3band_AOI_1_RIO_img11"),
        ("global_monthly_2018_01_L15-0331E_13_Buildings", "global_monthly_2018_01_L15-0331E_13"),
        ("same", "same"),
        ("roads", None),
    ],
)
def test_files_and_photos_meet_by_the_words_of_their_names(label: str, photo: str | None) -> None:
    stems = [
        "RGB-PanSharpen_AOI_2_Vegas_img1", "RGB-PanSharpen_AOI_2_Vegas_img11", "3band_AOI_1_RIO_img11",
        "global_monthly_2018_01_L15-0331E_13", "same", "other",
    ]  # fmt: skip
    found = Stems([Path(f"{stem}.tif") for stem in stems]).find(label, Path(f"{label}.geojson"))
    assert (found and found.stem) == photo


@pytest.mark.parametrize(
    ("stem", "photo", "name"),
    [
        ("geojson_buildings_AOI_2_Vegas_img1", "RGB-PanSharpen_AOI_2_Vegas_img1", "buildings"),
        ("Geo_AOI_1_RIO_img11", "3band_AOI_1_RIO_img11", "object"),
        ("land_use", None, "land use"),
        ("10_104005000FDC8300", None, "object"),
    ],
)
def test_the_name_of_a_file_is_the_class_where_nothing_else_is(stem: str, photo: str | None, name: str) -> None:
    assert class_of(stem, photo) == name


def test_the_attribute_that_names_the_class_is_found_and_said(tmp_path: Path) -> None:
    geotiff(tmp_path / "p.tif", photo_of(0))
    shapes = [
        feature(None, [square(0, 0, 4, 4)], TYPE="x", Label="field", id=1),
        feature(None, [square(4, 4, 8, 8)], TYPE="y", Label="wood", id=2),
        feature(None, [square(8, 8, 9, 9)], TYPE="y"),
    ]
    collection(tmp_path / "p.geojson", shapes)
    index = open_dataset(tmp_path)
    assert index.table.names == ("background", "field", "object", "wood")
    assert any("the class is the attribute 'label'; 1 of 3 shapes have none" in note for note in index.listing.notes)
    assert index.annotation(0).shapes[0].attributes == (("TYPE", "x"), ("id", "1"))


def test_an_attribute_whose_name_is_there_in_two_cases_counts_once_and_the_first_value_is_the_class(
    tmp_path: Path,
) -> None:
    geotiff(tmp_path / "t1.tif", photo_of(0))
    shapes = [
        feature(None, [square(1, 1, 4, 4)], Type="road", type="r"),
        feature(None, [square(5, 1, 9, 4)], type="tree", Type="t"),
        feature(None, [square(5, 5, 9, 8)], id=3),
    ]
    collection(tmp_path / "t1.geojson", shapes)
    index = open_dataset(tmp_path)
    said = "the class is the attribute 'type'; 1 of 3 shapes have none and are called object"
    assert any(said in note for note in index.listing.notes)
    assert index.table.names == ("background", "object", "road", "tree")
    assert [shape.label for shape in index.annotation(0).shapes] == ["road", "tree", "object"]


def test_where_classes_are_known_an_attribute_with_their_names_or_values_counts(tmp_path: Path) -> None:
    geotiff(tmp_path / "p.tif", photo_of(0))
    write_classes_toml(tmp_path)
    shapes = [
        feature(None, [square(0, 0, 4, 4)], kind="x", what="road"),
        feature(None, [square(4, 4, 8, 8)], what="tree"),
    ]
    collection(tmp_path / "p.geojson", shapes)
    assert np.unique(ids_in(tmp_path)).tolist() == [0, 1, 2]
    collection(tmp_path / "p.geojson", [feature(None, [square(0, 0, 4, 4)], **{"class": 2})])
    assert np.unique(ids_in(tmp_path)).tolist() == [0, 2]


def several(root: Path) -> Path:
    """Shapes with four attributes, two of which may be the class."""
    geotiff(root / "p.tif", photo_of(0))
    shapes = [
        feature(None, [square(4 * place, 0, 4 * place + 4, 4)], Label=label, landuse=use, id=place, type="polygon")
        for place, (label, use) in enumerate((("field", "rural"), ("wood", "rural"), ("house", "urban")))
    ]
    collection(root / "p.geojson", shapes)
    return root


def test_the_attribute_that_is_asked_for_is_the_class(tmp_path: Path) -> None:
    index = open_dataset(several(tmp_path), options={"class": "LandUse"})
    assert index.table.names == ("background", "rural", "urban")
    assert [shape.label for shape in index.annotation(0).shapes] == ["rural", "rural", "urban"]
    assert dict(index.annotation(0).shapes[0].attributes) == {"Label": "field", "id": "0", "type": "polygon"}
    assert "the class is the attribute 'landuse'" in index.listing.notes
    labels = index.labels(0)
    assert labels is not None
    assert labels.ids[0].tolist() == [1] * 8 + [2] * 4 + [0] * 4


def test_where_several_attributes_may_be_the_class_the_choice_is_said(tmp_path: Path) -> None:
    notes = open_dataset(several(tmp_path)).listing.notes
    said = "the class is the attribute 'label'; it could be 'type' with 1 value as well (--option class=type)"
    assert said in notes


@pytest.mark.parametrize("asked", ["landus", ""])
def test_an_attribute_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path, asked: str) -> None:
    with pytest.raises(FormatError, match=f"no shape has an attribute '{asked}'") as caught:
        open_dataset(several(tmp_path), options={"class": asked})
    there = "'type' with 1 value, 'landuse' with 2 values, 'label' with 3 values, 'id' with 3 values"
    assert caught.value.expected == there
    assert ("did you mean 'landuse'?" in str(caught.value)) == bool(asked)


def test_an_attribute_with_more_values_than_classes_is_refused(tmp_path: Path) -> None:
    geotiff(tmp_path / "p.tif", photo_of(0))
    shapes = [feature("road", [square(0, 0, 2, 2)], id=place) for place in range(255)]
    collection(tmp_path / "p.geojson", shapes)
    with pytest.raises(FormatError, match=r"'id' has more values than there can be classes.*'id' with 255 values"):
        open_dataset(tmp_path, options={"class": "id"})


@pytest.mark.parametrize("name", ["p.shp", "p.gpkg"])
def test_a_column_is_the_class_in_every_form_of_vectors(tmp_path: Path, name: str) -> None:
    geotiff(tmp_path / "p.tif", photo_of(0))
    layer(tmp_path / name, {"what": ["a", "b"], "zone": ["north", "south"]})
    assert open_dataset(tmp_path, options={"class": "zone"}).table.names == ("background", "north", "south")
    with pytest.raises(FormatError, match=r"expected 'what' with 2 values, 'zone' with 2 values"):
        open_dataset(tmp_path, options={"class": "kind"})


def layer(path: Path, columns: dict[str, list[str]], **more: object) -> None:
    """Two squares on `photo_of(0)`, written by GDAL."""
    corners = [[HERE @ corner for corner in [*square(x, 0, x + 4, 4), (x, 0)]] for x in (0, 8)]
    pyogrio.raw.write(
        path,
        np.array([pack_wkb([[np.array(ring)]]) for ring in corners], object),
        [np.array(values, object) for values in columns.values()],
        list(columns),
        geometry_type="MultiPolygon",
        crs=UTM,
        driver="GPKG" if path.suffix == ".gpkg" else "ESRI Shapefile",
        **more,
    )


def two_layers(root: Path) -> Path:
    geotiff(root / "p.tif", photo_of(0))
    layer(root / "p.gpkg", {"kind": ["gravel", "tar"]}, layer="roads")
    layer(root / "p.gpkg", {"floors": ["1", "2"]}, layer="buildings", append=True)
    return root


def test_all_layers_count_or_the_one_that_is_asked_for(tmp_path: Path) -> None:
    index = open_dataset(two_layers(tmp_path))
    assert index.table.names == ("background", "buildings", "roads")
    said = "1 GeoPackages have several layers ('buildings' with 2 features, 'roads' with 2 features): all count"
    assert any(said in note for note in index.listing.notes)
    roads = open_dataset(tmp_path, options={"layer": "Roads"})
    assert roads.table.names == ("background", "roads")
    assert len(roads.annotation(0).shapes) == 2
    kinds = open_dataset(tmp_path, options={"layer": "roads", "class": "kind"})
    assert kinds.table.names == ("background", "gravel", "tar")
    with pytest.raises(FormatError, match=r"no GeoPackage has a layer 'roofs'.*'roads' with 2 features; did"):
        open_dataset(tmp_path, options={"layer": "roofs"})


def test_a_geopackage_without_the_layer_leaves_its_photo_without_shapes(tmp_path: Path) -> None:
    two_layers(tmp_path)
    geotiff(tmp_path / "q.tif", photo_of(1))
    layer(tmp_path / "q.gpkg", {"floors": ["1", "2"]}, layer="buildings")
    index = open_dataset(tmp_path, options={"layer": "roads"})
    assert "1 GeoPackages have no layer 'roads'" in index.listing.notes
    assert [len(index.annotation(place).shapes) for place in range(2)] == [2, 0]


def test_a_column_of_spacenets_table_is_the_class_when_asked_for(tmp_path: Path) -> None:
    root = spacenet(tmp_path / "set", count=2)
    table = root / "summary.csv"
    head, *rows = table.read_text().splitlines()
    roofs = [f"{row},{'flat' if place % 2 else 'steep'}" for place, row in enumerate(rows)]
    table.write_text("\n".join([f"{head},Roof", *roofs]))
    assert open_dataset(root, options={"class": "roof"}).table.names == ("background", "flat", "steep")
    assert open_dataset(root).table.names == ("background", "road", "tree")
    with pytest.raises(FormatError, match=r"expected 'roof' with 2 values, 'buildingid' with 3 values, 'class' with 3"):
        open_dataset(root, options={"class": "rof"})


def test_lines_and_points_are_counted_and_not_lost_silently(tmp_path: Path) -> None:
    geotiff(tmp_path / "p.tif", photo_of(0))
    line = {"type": "Feature", "properties": {}, "geometry": {"type": "LineString", "coordinates": [[0, 0], [1, 1]]}}
    collection(tmp_path / "p.geojson", [*shapes_of(0), line, line])
    assert open_dataset(tmp_path).listing.left_out == {"lines": 2}


def test_parts_of_a_multipolygon_are_one_object(tmp_path: Path) -> None:
    geotiff(tmp_path / "p.tif", photo_of(0))
    one, other = feature("road", [square(0, 0, 2, 2)]), feature("road", [square(5, 5, 7, 7)])
    parts = [part["geometry"]["coordinates"] for part in (one, other)]
    both = {**one, "geometry": {"type": "MultiPolygon", "coordinates": parts}}
    collection(tmp_path / "p.geojson", [both, other])
    groups = [shape.group for shape in open_dataset(tmp_path).annotation(0).shapes]
    assert groups[0] == groups[1] != ""
    assert groups[2] == ""


def test_coordinates_are_pixels_where_the_photo_has_no_place(tmp_path: Path) -> None:
    save(tmp_path / "p.png", photo_of(0))
    collection(tmp_path / "p.geojson", shapes_of(0, Affine.identity()), crs=None)
    np.testing.assert_array_equal(ids_in(tmp_path), ids_of(0))
    collection(tmp_path / "p.geojson", to_lon_lat(shapes_of(0)), crs=None)
    with pytest.raises(LabelError, match="does not say where on Earth"):
        ids_in(tmp_path)


def test_the_classification_of_qupath_is_the_class(tmp_path: Path) -> None:
    save(tmp_path / "p.png", photo_of(0))
    shape = feature(None, [square(1, 1, 3, 3)], transform=Affine.identity(), objectType="annotation")
    shape["properties"]["classification"] = {"name": "Tumor", "color": [200, 0, 0]}
    collection(tmp_path / "p.geojson", [shape], crs=None)
    assert open_dataset(tmp_path).table.names == ("background", "Tumor")


def test_without_rasterio_the_format_is_known_and_the_install_line_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    geojson(tmp_path / "set")
    monkeypatch.setattr("tessella.core.extras.find_spec", lambda _: None)
    assert choose(Source(tmp_path / "set"))[0] == "geojson"
    with pytest.raises(MissingExtraError, match=r"pip install 'tessella\[geo\]'"):
        open_dataset(tmp_path / "set").labels(0)


def test_a_damaged_file_is_named_when_its_photo_is_loaded(tmp_path: Path) -> None:
    geojson(tmp_path / "set")
    (tmp_path / "set" / "labels" / "p1.geojson").write_text('{"type": "FeatureCollection", "features": [')
    index = open_dataset(tmp_path / "set")
    assert any("1 vector file cannot be read" in note for note in index.listing.notes)
    with pytest.raises(FormatError, match=r"p1\.geojson"):
        index.labels(1)


def test_spacenets_table_is_read_in_pixels_and_a_photo_without_buildings_is_background(tmp_path: Path) -> None:
    root = spacenet(tmp_path / "set", count=2)
    table = root / "summary.csv"
    geotiff(root / "images" / "RGB_p_7.tif", photo_of(7))
    table.write_text(table.read_text() + "p_7,-1,POLYGON EMPTY,\n")
    index = open_dataset(root)
    assert [record.key for record in index.records] == ["p_0", "p_1", "p_7"]
    np.testing.assert_array_equal(ids_in(root, 1), ids_of(1))
    assert not ids_in(root, 2).any()


def test_the_row_numbers_that_pandas_saved_in_a_nameless_column_are_no_classes(tmp_path: Path) -> None:
    root = spacenet(tmp_path / "set", count=2)
    table = root / "summary.csv"
    head, *rows = table.read_text().splitlines()
    bare = [row.rpartition(",")[0] for row in rows]
    numbered = [f"{number},{row}" for number, row in enumerate(bare)]
    table.write_text("\n".join([f",{head.rpartition(',')[0]}", *numbered]) + "\n")
    index = open_dataset(root)
    assert index.table.names == ("background", "building")
    np.testing.assert_array_equal(ids_in(root), ids_of(0) > 0)
    (told,) = (note for note in index.listing.notes if "no attribute names a class" in note)
    assert "(there are: 'buildingid' with 3 values)" in told
    with pytest.raises(FormatError, match="no shape has an attribute ''"):
        open_dataset(root, options={"class": ""})


def test_two_tables_of_one_photo_are_refused(tmp_path: Path) -> None:
    root = spacenet(tmp_path / "set", count=2)
    (root / "again.csv").write_text(f'ImageId,PolygonWKT_Pix\np_0,"{wkt(shapes_of(0, Affine.identity())[0])}"\n')
    with pytest.raises(FormatError, match="two tables describe the photo"):
        open_dataset(root)


def test_geotiff_label_rasters_beside_geotiff_photos_are_index_masks(tmp_path: Path) -> None:
    for seed in range(2):
        geotiff(tmp_path / "images" / f"p{seed}.tif", photo_of(seed).astype(np.uint16), compress="deflate")
        geotiff(tmp_path / "masks" / f"p{seed}.tif", ids_of(seed)[..., None], compress="lzw")
    index = open_dataset(tmp_path)
    assert (index.format, index.image(0).dtype) == ("index-mask", "uint16")
    np.testing.assert_array_equal(ids_in(tmp_path, 1), ids_of(1))


def ring(rng: np.random.Generator, count: int, centre: tuple, radius: float) -> np.ndarray:
    angles = np.sort(rng.uniform(0, 2 * np.pi, count))
    lengths = radius * rng.uniform(0.4, 1, count)
    return np.stack([centre[0] + lengths * np.cos(angles), centre[1] + lengths * np.sin(angles)], axis=1)


def test_the_pixels_are_those_of_rasterio_where_no_centre_lies_on_an_edge() -> None:
    rng = np.random.default_rng(3)
    covered = 0
    for _ in range(200):
        rings = [ring(rng, int(rng.integers(3, 30)), (32, 32), 30), ring(rng, 8, (32, 32), 6)]
        mine = polygon_mask(rings, (64, 64))
        shape = {"type": "Polygon", "coordinates": [[*map(tuple, one), tuple(one[0])] for one in rings]}
        theirs = rasterio.features.rasterize([(shape, 1)], out_shape=(64, 64), all_touched=False)
        np.testing.assert_array_equal(mine, theirs.astype(bool))
        covered += int(mine.sum())
    assert covered > 100_000


@given(st.integers(0, 2**32 - 1), st.sampled_from([25, 80, 4e6]))
def test_a_polygon_that_is_cut_at_the_borders_covers_the_same_pixels_piece_by_piece(seed: int, reach: float) -> None:
    rng = np.random.default_rng(seed)
    hw = (30, 40)
    centre = rng.uniform(0, 40, 2) if reach < 1e6 else rng.uniform(-2e6, 2e6, 2)
    count = int(rng.integers(5, 20))
    angles = 2 * np.pi * (np.arange(count) + rng.uniform(0, 0.9, count)) / count
    lengths = reach * rng.uniform(0.2, 1, count)
    outer = centre + lengths[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    polygon = (outer, centre + (outer[::-1] - centre) * 0.4)
    pieces = cut(polygon, hw)
    found = np.zeros(hw, int)
    for piece in pieces:
        for one in piece:
            assert one.min() >= 0
            assert (one.max(axis=0) <= (40, 30)).all()
        found += polygon_mask(piece, hw)
    # where edges are millions of pixels long, their products lose the last thousandth: a centre on the edge may flip
    assert np.count_nonzero(found != polygon_mask(polygon, hw)) <= (2 if reach > 1e6 else 0)


@given(st.integers(0, 2**32 - 1))
def test_a_pixel_that_a_cut_changes_has_its_centre_on_an_edge_that_is_cut(seed: int) -> None:
    rng = np.random.default_rng(seed)
    hw = (24, 24)
    for _ in range(8):
        outer = ring(rng, int(rng.integers(5, 14)), tuple(rng.uniform(-5, 29, 2)), float(rng.uniform(10, 30))).round()
        differs = sum(polygon_mask(piece, hw).astype(int) for piece in cut((outer,), hw)) != polygon_mask((outer,), hw)
        # (1, E, 2) against (P, 1, 2), in half pixels, which are whole numbers: a product of exactly 0 lies on the line
        starts, ends = (2 * corners[None] for corners in (outer, np.roll(outer, -1, axis=0)))
        centres = 2 * np.argwhere(differs)[:, None, ::-1] + 1
        along, to = ends - starts, centres - starts
        on_line = along[..., 0] * to[..., 1] == along[..., 1] * to[..., 0]
        within = (np.minimum(starts, ends) <= centres).all(axis=2) & (centres <= np.maximum(starts, ends)).all(axis=2)
        low, high = np.minimum(starts, ends), np.maximum(starts, ends)
        is_cut = ((low < 0) | (high > 48)).any(axis=2)
        assert (on_line & within & is_cut).any(axis=1).all()


def test_a_cut_makes_clean_pieces_and_holes_go_with_theirs() -> None:
    comb = np.array([(-5, 2), (8, 2), (8, 12), (-5, 12), (-5, 9), (4, 9), (4, 5), (-5, 5)], np.float64)  # two teeth
    hole = np.array(square(1, 10, 2, 11), np.float64)
    across = np.array(square(6, 6, 7.5, 7), np.float64)  # in the solid part, over the border
    pieces = cut((comb[::-1], hole, across), (20, 7))
    assert sorted(sorted(map(tuple, piece[0].tolist())) for piece in pieces) == [
        sorted([(0, 2), (7, 2), (7, 6), (6, 6), (6, 7), (7, 7), (7, 12), (0, 12), (0, 9), (4, 9), (4, 5), (0, 5)])
    ]
    assert [len(piece) for piece in pieces] == [2]
    teeth = cut((comb, hole), (20, 3))
    assert sorted((len(piece), float(piece[0][:, 1].min())) for piece in teeth) == [(1, 2.0), (2, 9.0)]
    assert cut((comb + 100,), (20, 20)) == []
    broken = np.where(comb == 12, np.nan, comb)
    assert cut((broken,), (20, 7)) == [(broken,)]  # left to be refused by name


def test_a_photo_in_the_bay_of_a_hole_is_covered() -> None:
    """The cut goes along nothing but the hole's border, and what it leaves is no hole."""
    around = np.array(square(-100, -100, 140, 130), np.float64)
    bay = [(-50, -50), (90, -50), (90, -20), (-20, -20), (-20, 50), (90, 50), (90, 80), (-50, 80)]
    for turn in range(4):
        hole = np.array(bay if turn % 2 else bay[::-1], np.float64) - 15
        hole = hole @ np.linalg.matrix_power(np.array([[0, 1], [-1, 0]]), turn) + 15
        (piece,) = cut((around, hole), (30, 40))
        assert polygon_mask(piece, (30, 40)).all()
        assert polygon_mask((around, hole), (30, 40)).all()
    narrow = np.array([(-20, -20), (60, -20), (60, 5), (20, 10), (60, 25), (60, 50), (-20, 50)], np.float64)
    pieces = cut((around, narrow), (30, 40))
    painted = sum(polygon_mask(piece, (30, 40)).astype(int) for piece in pieces)
    np.testing.assert_array_equal(painted, polygon_mask((around, narrow), (30, 40)))


@given(st.integers(0, 2**32 - 1))
def test_neighbours_that_share_an_edge_over_the_border_leave_no_gap_and_do_not_overlap(seed: int) -> None:
    rng = np.random.default_rng(seed)
    top, bottom = np.array([rng.integers(-9, 50), -7.0]), np.array([rng.integers(-9, 50), 41.0])
    left = np.array([top, bottom, (-60, 41), (-60, -7)], np.float64)
    right = np.array([bottom, top, (90, -7), (90, 41)], np.float64)
    painted = sum(polygon_mask(piece, (30, 40)).astype(int) for one in (left, right) for piece in cut((one,), (30, 40)))
    assert (painted == 1).all()


def test_shapes_that_reach_over_a_border_are_no_findings(tmp_path: Path) -> None:
    geotiff(tmp_path / "t1.tif", photo_of(0))
    collection(tmp_path / "woods.geojson", [feature(None, [square(-30, -3, 8, 90)])])
    (shape,) = open_dataset(tmp_path).annotation(0).shapes
    assert sorted(map(tuple, shape.points_xy.tolist())) == [(0, 0), (0, 12), (8, 0), (8, 12)]
