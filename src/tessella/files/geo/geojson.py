"""GeoJSON (RFC 7946, and the `crs` member of its forerunner of 2008): features read within limits, and written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tessella.core.errors import FormatError
from tessella.files.geo.crs import LON_LAT, named
from tessella.files.geo.vectors import FEATURE_BUDGET, Feature, VectorFile, as_text, check_ring
from tessella.files.text import read_json
from tessella.files.values.numbers import pairs
from tessella.files.write import write_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from tessella.files.geo.vectors import Polygon

_MOST_NESTED: Final = 8
_KINDS: Final = {
    "Point": "points", "MultiPoint": "points", "LineString": "lines", "MultiLineString": "lines",
}  # fmt: skip
_GEOMETRIES: Final = frozenset({*_KINDS, "Polygon", "MultiPolygon", "GeometryCollection"})


def is_geojson(tree: object) -> bool:
    """Whether parsed JSON, or the head of it, is a collection of features or a feature."""
    return isinstance(tree, dict) and (
        (tree.get("type") == "FeatureCollection" and isinstance(tree.get("features", []), list))
        or (tree.get("type") == "Feature" and isinstance(tree.get("geometry"), dict))
    )


def read_geojson(path: Path) -> VectorFile:
    """Read a GeoJSON file.

    Raises:
        InputError: The file cannot be read.
        FormatError: Not GeoJSON, a coordinate that is no finite number, or a coordinate system of unknown name.
    """
    return parse_geojson(read_json(path), path=path)


def parse_geojson(tree: object, *, path: Path) -> VectorFile:
    """Like `read_geojson`, for parsed JSON; a list of features without a collection around it is read too."""
    if isinstance(tree, list):
        tree = {"type": "FeatureCollection", "features": tree}
    if not isinstance(tree, dict) or not is_geojson(tree):
        raise FormatError(
            "this is not GeoJSON", where=path, expected='"type": "FeatureCollection" with a list of "features"'
        )
    entries = tree.get("features", []) if tree["type"] == "FeatureCollection" else [tree]
    if len(entries) > FEATURE_BUDGET:
        raise FormatError("too many features", where=path, got=len(entries), expected=f"at most {FEATURE_BUDGET}")
    features = tuple(_feature(entry, f"{path}: features[{number}]") for number, entry in enumerate(entries))
    columns = tuple(dict.fromkeys(name for feature in features for name in feature.attributes))
    crs = tree.get("crs", ...)
    if crs is ...:
        return VectorFile(path, "", LON_LAT, features, stated=False, columns=columns)
    return VectorFile(path, "", _crs(crs, path), features, columns=columns)


def _crs(member: object, path: Path) -> str:
    """Read the `crs` member (GeoJSON 2008, 3): null says that no system can be assumed."""
    if member is None:
        return ""
    if not isinstance(member, dict) or not isinstance(properties := member.get("properties"), dict):
        raise FormatError("the crs member is damaged", where=path, expected='{"type": "name", "properties": ...}')
    if member.get("type") == "link":
        raise FormatError(
            "the coordinate system is a link, and Tessella fetches nothing", where=path, fix="name it: EPSG:32616"
        )
    if str(member.get("type")).upper() == "EPSG":
        return named(f"EPSG:{properties.get('code')}", where=path)
    return named(properties.get("name"), where=path)


def _feature(entry: object, where: str) -> Feature:
    if not isinstance(entry, dict):
        raise FormatError("a feature is not an object", where=where, got=type(entry).__name__)
    polygons, kind = _geometry(entry.get("geometry"), where)
    properties = entry.get("properties")
    attributes = dict(_flattened(properties)) if isinstance(properties, dict) else {}
    return Feature(polygons, attributes, kind)


def _flattened(properties: Mapping[Any, Any]) -> Iterable[tuple[str, str]]:
    for name, value in properties.items():
        if isinstance(value, dict) and isinstance(value.get("name"), str):
            value = value["name"]  # QuPath: "classification": {"name": "Tumor", "color": ...}  # noqa: PLW2901
        if text := as_text(value):
            yield str(name), text


def _geometry(geometry: object, where: str, depth: int = 0) -> tuple[tuple[Polygon, ...], str]:
    if geometry is None:
        return (), "features without geometry"
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    if not isinstance(geometry, dict) or not isinstance(kind, str) or kind not in _GEOMETRIES or depth > _MOST_NESTED:
        raise FormatError("a geometry is of an unknown kind", where=where, got=repr(kind)[:80], expected="a Polygon")
    if kind == "GeometryCollection":
        return _collection(geometry.get("geometries"), where, depth)
    if kind in _KINDS:
        return (), _KINDS[kind]
    listed = geometry.get("coordinates")
    if kind == "Polygon":
        listed = [listed]
    if not isinstance(listed, list):
        raise FormatError("a geometry has no coordinates", where=where)
    return tuple(polygon for part in listed if (polygon := _polygon(part, where))), ""


def _collection(members: object, where: str, depth: int) -> tuple[tuple[Polygon, ...], str]:
    if not isinstance(members, list):
        raise FormatError("a geometry collection has no geometries", where=where)
    found = [_geometry(member, where, depth + 1) for member in members]
    polygons = tuple(polygon for parts, _ in found for polygon in parts)
    return polygons, "" if polygons else next((kind for _, kind in found if kind), "features without geometry")


def _polygon(rings: object, where: str) -> Polygon:
    if not isinstance(rings, list):
        raise FormatError("a polygon is not a list of rings", where=where)
    found = []
    for ring in rings:
        if not isinstance(ring, list) or not all(isinstance(point, list) and len(point) >= 2 for point in ring):
            raise FormatError("a ring is not a list of points", where=where, expected="[[x, y], ...]")
        points = _open(check_ring(pairs([point[:2] for point in ring], where=where), where=where))
        if len(points) >= 3:
            found.append(points)
    return tuple(found)


def _open(ring: NDArray[np.float64]) -> NDArray[np.float64]:
    return ring[:-1] if len(ring) > 1 and np.array_equal(ring[0], ring[-1]) else ring


def write_geojson(path: Path, features: Iterable[Feature], *, epsg: int | None) -> None:
    """Write polygons as GeoJSON.

    Args:
        path: The file.
        features: Their coordinates are in the system `epsg`; one part makes a Polygon, several a MultiPolygon.
        epsg: The number of the coordinate system, written as `crs`: RFC 7946 knows longitude and latitude only, but
            moving the corners of pixels there would bend what is straight. None for longitude and latitude.

    Raises:
        OutputError: The file cannot be written.
    """
    tree: dict[str, Any] = {"type": "FeatureCollection"}
    if epsg is not None:
        tree["crs"] = {"type": "name", "properties": {"name": f"urn:ogc:def:crs:EPSG::{epsg}"}}
    tree["features"] = [
        {"type": "Feature", "properties": dict(feature.attributes), "geometry": _written(feature.polygons)}
        for feature in features
    ]
    write_text(path, json.dumps(tree, ensure_ascii=False, allow_nan=False) + "\n")


def _written(polygons: tuple[Polygon, ...]) -> dict[str, Any]:
    listed = [
        [closed(ring, clockwise=number > 0).tolist() for number, ring in enumerate(polygon)] for polygon in polygons
    ]
    if len(listed) == 1:
        return {"type": "Polygon", "coordinates": listed[0]}
    return {"type": "MultiPolygon", "coordinates": listed}


def closed(ring: NDArray[np.float64], *, clockwise: bool) -> NDArray[np.float64]:
    """Return a ring that ends where it begins and runs in the direction asked for, with y upwards."""
    x, y = (ring - ring[0]).T
    turns_left = float(x @ np.roll(y, -1) - y @ np.roll(x, -1)) > 0
    turned = ring[::-1] if turns_left == clockwise else ring
    return np.concatenate([turned, turned[:1]])
