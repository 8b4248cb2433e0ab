"""Writing polygons on the map: the corners of pixels, or shapes as drawn, moved to the coordinates of their GeoTIFF."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np

from tessella.core.classes import IGNORE
from tessella.core.errors import InputError
from tessella.files.geo.crs import LON_LAT, epsg_of, reproject
from tessella.files.geo.frame import read_frame
from tessella.files.geo.geojson import write_geojson
from tessella.files.geo.geopackage import write_geopackage
from tessella.files.geo.shapefile import write_shapefile
from tessella.files.geo.vectors import Feature
from tessella.formats.labelme.writing import with_ignore_name
from tessella.formats.layout.export import in_split, write_classes_beside, write_photo
from tessella.formats.raster.labels import background_id
from tessella.formats.raster.rasterise import draw
from tessella.formats.raster.tracing import regions
from tessella.formats.tools.objects import WITHOUT_PIXELS, corners_of, objects_of
from tessella.formats.tools.painting import kept_drawing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from tessella.core.annotation import Shape
    from tessella.core.classes import LabelCoding
    from tessella.core.labelmap import LabelMap
    from tessella.files.geo.frame import GeoFrame
    from tessella.files.geo.vectors import Polygon
    from tessella.formats.listing import Item, Written

COLUMN: Final = "class"
"""The attribute that names the class."""

_TAKEN: Final = "attributes whose name is taken"
_MOST_COLUMNS: Final = 1000
_OWN: Final = {".geojson": {COLUMN}, ".gpkg": {COLUMN, "fid", "geom"}}
"""Names, in lower case, that an attribute cannot have; a Shapefile has no others than the class."""


def write_one(item: Item, coding: LabelCoding, dst: Path, *, suffix: str) -> None:
    """Write `images/` and `labels/`, below a folder per split: the GeoTIFF as it is, and one vector file.

    Args:
        item: The photo and its labels.
        coding: The classes.
        dst: The new data set.
        suffix: `.geojson`, `.shp` or `.gpkg`.

    Raises:
        InputError: The photo does not say where on Earth it lies.
    """
    coding = with_ignore_name(coding)
    folder = in_split(item, dst)
    frame = None if item.photo is None else read_frame(item.photo)
    if frame is None or not frame.crs:
        raise InputError(
            "the photo does not say where on Earth it lies, so its labels cannot be put on a map",
            where=item.photo or item.name,
            expected="a GeoTIFF with a transform and a coordinate system",
            fix="write another format: coco and labelme hold polygons in pixels",
        )
    write_photo(item, folder / "images")
    features = _drawn(item, coding, suffix)
    if features is None:
        return
    placed = [_moved(feature, frame.to_world) for feature in features]
    path = folder / "labels" / f"{item.stem}{suffix}"
    if suffix == ".gpkg":
        write_geopackage(path, placed, crs=frame.crs, table="labels", column=COLUMN)
    elif suffix == ".shp":
        write_shapefile(path, placed, crs=frame.crs, column=COLUMN)
    else:
        _write_geojson(path, placed, frame)


def close(written: Sequence[Written], coding: LabelCoding, dst: Path) -> None:
    """Write `classes.toml`."""
    write_classes_beside(with_ignore_name(coding), dst)


def _drawn(item: Item, coding: LabelCoding, suffix: str) -> list[Feature] | None:
    """Return the objects as they were drawn, in pixels; what is no polygon as the outlines of its pixels."""
    drawing = kept_drawing(item, coding)
    if drawing is None:
        return _traced(item.labels, coding)
    features = []
    columns: dict[str, str] = {}
    for one in objects_of(drawing, coding, item.hw, rule="centre", lost=item.lost):
        polygons = tuple(polygon for shape in one.shapes for polygon in _polygons(shape, item.hw))
        if polygons:
            said = {name: value for name, value in one.attributes.items() if _is_free(name, suffix, columns)}
            item.lost[_TAKEN] += len(one.attributes) - len(said) if suffix in _OWN else 0
            features.append(Feature(polygons, {COLUMN: one.label} | said))
        else:
            item.lost[WITHOUT_PIXELS] += 1
    return features


def _is_free(name: str, suffix: str, columns: dict[str, str]) -> bool:
    """Whether an attribute keeps its name; what is called as the class would be taken for it when it is read again.

    Args:
        name: Of the attribute.
        suffix: Of the file.
        columns: The columns of the table so far, by their names in lower case; the new one is added.
    """
    key = name.casefold()
    if suffix not in _OWN or key in _OWN[suffix]:
        return False
    if suffix != ".gpkg":
        return True
    if "\0" in name or (key not in columns and len(columns) == _MOST_COLUMNS):
        return False
    return columns.setdefault(key, name) == name


def _polygons(shape: Shape, hw: tuple[int, int]) -> tuple[Polygon, ...]:
    if shape.kind == "polygon":
        return ((shape.points_xy, *shape.holes),)
    if shape.kind == "rectangle":
        return ((corners_of(shape.points_xy),),)
    corner, mask = np.zeros(2), shape.mask
    if mask is None:
        mask = draw([shape], [1], hw, ground=0).view(np.bool_)
    else:
        corner = np.floor(shape.points_xy[0])
    found = [region for region in regions(mask) if region.value]
    return tuple(tuple(ring + corner for ring in (region.outer, *region.holes)) for region in found)


def _traced(labels: LabelMap | None, coding: LabelCoding) -> list[Feature] | None:
    if labels is None:
        return None
    names, ground = dict(enumerate(coding.table.names)) | {IGNORE: coding.ignore_names[0]}, background_id(coding)
    return [
        Feature(((region.outer, *region.holes),), {COLUMN: names[region.value]})
        for region in regions(labels.ids)
        if region.value != ground
    ]


def _moved(feature: Feature, move: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> Feature:
    """Return a feature with its points moved to other coordinates."""
    return replace(feature, polygons=tuple(tuple(move(ring) for ring in polygon) for polygon in feature.polygons))


def _write_geojson(path: Path, features: Sequence[Feature], frame: GeoFrame) -> None:
    epsg = epsg_of(frame.crs)
    if epsg is None:  # a system without a number cannot be named; corners of pixels stay corners
        move = partial(reproject, source=frame.crs, target=LON_LAT, where=path)
        features = [_moved(feature, move) for feature in features]
    write_geojson(path, features, epsg=epsg)
