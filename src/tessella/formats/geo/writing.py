"""Writing polygons on the map: the corners of pixels, or shapes as drawn, moved to the coordinates of their GeoTIFF."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

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
from tessella.formats.raster.tracing import regions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from tessella.core.annotation import Drawing, Shape
    from tessella.core.classes import LabelCoding
    from tessella.core.labelmap import LabelMap
    from tessella.files.geo.frame import GeoFrame
    from tessella.files.geo.vectors import Polygon
    from tessella.formats.listing import Item, Written

COLUMN: Final = "class"
"""The attribute that names the class."""


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
    features = _drawn(item.drawing, coding) or _traced(item.labels, coding)
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


def _drawn(drawing: Drawing | None, coding: LabelCoding) -> list[Feature] | None:
    """Return the shapes as they were drawn, in pixels; None where not all are polygons or masks.

    Parts of one object become one feature where nothing is painted between them.
    """
    names = coding.name_to_id()
    if drawing is None or drawing.tool == "coco":
        return None
    features: list[Feature] = []
    last = ("", "")
    for shape in drawing.shapes:
        if shape.label not in names or (shape.kind != "polygon" and shape.mask is None):
            return None
        polygons = _polygons(shape)
        if shape.group and (shape.group, shape.label) == last:
            features[-1] = replace(features[-1], polygons=(*features[-1].polygons, *polygons))
        else:
            features.append(Feature(polygons, {COLUMN: shape.label} | _told(shape)))
        last = (shape.group, shape.label)
    return features


def _polygons(shape: Shape) -> tuple[Polygon, ...]:
    if shape.mask is None:
        return ((shape.points_xy, *shape.holes),)
    found = [region for region in regions(shape.mask) if region.value]
    return tuple(tuple(ring + shape.points_xy[0] for ring in (region.outer, *region.holes)) for region in found)


def _told(shape: Shape) -> dict[str, str]:
    """Return the attributes of a shape that would not be taken for its class when they are read again."""
    return {name: value for name, value in shape.attributes if name.casefold() != COLUMN}


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
