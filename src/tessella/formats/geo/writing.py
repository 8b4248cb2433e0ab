"""Writing polygons on the map: the corners of pixels, or shapes as drawn, moved to the coordinates of their GeoTIFF."""

from __future__ import annotations

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
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from tessella.core.annotation import Drawing
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
    placed = [_moved(label, polygons, frame) for label, polygons in features]
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


def _drawn(drawing: Drawing | None, coding: LabelCoding) -> list[tuple[str, list[Polygon]]] | None:
    """Return the shapes as they were drawn, parts of one object together; None where not all are polygons."""
    names = coding.name_to_id()
    if drawing is None or drawing.tool == "coco":
        return None
    by_object: dict[object, tuple[str, list[Polygon]]] = {}
    for number, shape in enumerate(drawing.shapes):
        if shape.label not in names or (shape.kind != "polygon" and shape.mask is None) or len(shape.points_xy) < 1:
            return None
        if shape.mask is not None:
            parts = [(region.outer, *region.holes) for region in regions(shape.mask) if region.value]
            parts = [tuple(ring + shape.points_xy[0] for ring in part) for part in parts]
        else:
            parts = [(shape.points_xy, *shape.holes)]
        key = (shape.group, shape.label) if shape.group else number
        by_object.setdefault(key, (shape.label, []))[1].extend(parts)
    return list(by_object.values())


def _traced(labels: LabelMap | None, coding: LabelCoding) -> list[tuple[str, list[Polygon]]] | None:
    if labels is None:
        return None
    names, ground = dict(enumerate(coding.table.names)) | {IGNORE: coding.ignore_names[0]}, background_id(coding)
    return [
        (names[region.value], [(region.outer, *region.holes)])
        for region in regions(labels.ids)
        if region.value != ground
    ]


def _moved(label: str, polygons: Iterable[Polygon], frame: GeoFrame) -> Feature:
    return Feature(tuple(tuple(frame.to_world(ring) for ring in polygon) for polygon in polygons), {COLUMN: label})


def _write_geojson(path: Path, features: Sequence[Feature], frame: GeoFrame) -> None:
    epsg = epsg_of(frame.crs)
    if epsg is None:  # a system without a number cannot be named; corners of pixels stay corners
        features = [
            Feature(
                tuple(
                    tuple(reproject(ring, source=frame.crs, target=LON_LAT, where=path) for ring in polygon)
                    for polygon in feature.polygons
                ),
                feature.attributes,
            )
            for feature in features
        ]
    write_geojson(path, features, epsg=epsg)
