"""Coordinate systems: named as files name them, compared, and coordinates moved from one to another; by rasterio.

Coordinates are always x, y: east before north, longitude before latitude, whatever order the system's authority lists.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tessella.core.errors import FormatError
from tessella.core.extras import require

if TYPE_CHECKING:
    from numpy.typing import NDArray

LON_LAT: Final = "EPSG:4326"
"""Longitude and latitude on WGS 84, what GeoJSON means when it names no system (RFC 7946, 4)."""

_LONGEST_WKT: Final = 1 << 16
_NAMED: Final = (
    re.compile(r"^(?:urn:(?:x-)?ogc:def:crs:)?(?P<who>EPSG|ESRI|OGC):(?:[\d.]*:)?(?P<code>\w+)$", re.IGNORECASE),
    re.compile(r"^https?://www\.opengis\.net/def/crs/(?P<who>EPSG|ESRI|OGC)/[\d.]+/(?P<code>\w+)$", re.IGNORECASE),
    re.compile(r"^https?://www\.opengis\.net/gml/srs/(?P<who>epsg)\.xml#(?P<code>\d+)$", re.IGNORECASE),
)
_GRID_FILE: Final = re.compile(r"nadgrids\s*=\s*(?!@?null\b)[^\"\s]*[/\\:]", re.IGNORECASE)


def named(name: object, *, where: object) -> str:
    """Return the coordinate system that a name stands for: `EPSG:32616`.

    Args:
        name: `EPSG:32616`, `urn:ogc:def:crs:EPSG::32616`, `urn:ogc:def:crs:OGC:1.3:CRS84` or the address of one of the
            two at opengis.net, which is read as a name and not fetched.
        where: The file, for messages.

    Raises:
        FormatError: No such name.
    """
    for pattern in _NAMED:
        if isinstance(name, str) and (found := pattern.match(name.strip())):
            if found["code"].upper() in ("CRS84", "CRS83", "CRS27") or found["who"].upper() == "OGC":
                return _ogc(found["code"].upper(), where)
            return f"{found['who'].upper()}:{found['code']}"
    raise FormatError(
        "the coordinate system is named in an unknown way",
        where=where,
        got=repr(name)[:120],
        expected="a name such as EPSG:32616 or urn:ogc:def:crs:EPSG::32616",
    )


def _ogc(code: str, where: object) -> str:
    systems = {"CRS84": LON_LAT, "CRS83": "EPSG:4269", "CRS27": "EPSG:4267"}  # the same, longitude first
    if code not in systems:
        raise FormatError("the coordinate system is unknown", where=where, got=f"OGC:{code}")
    return systems[code]


def same(one: str, other: str, *, where: object) -> bool:
    """Whether two coordinate systems give one place the same coordinates.

    Args:
        one: A name such as `EPSG:32616`, or WKT.
        other: Likewise.
        where: The file that states `one`, for messages.

    Raises:
        FormatError: One of them cannot be understood.
        MissingExtraError: rasterio is not installed.
    """
    return one == other or bool(_crs(one, where) == _crs(other, where))


def reproject(points_xy: NDArray[np.float64], *, source: str, target: str, where: object) -> NDArray[np.float64]:
    """Move coordinates from one system to another.

    Args:
        points_xy: (N, 2) float64 x, y.
        source: A name such as `EPSG:4326`, or WKT.
        target: Likewise.
        where: The file of the coordinates, for messages.

    Raises:
        FormatError: A system cannot be understood, or a point lies where the target has no coordinates.
        MissingExtraError: rasterio is not installed.
    """
    if not len(points_xy) or same(source, target, where=where):
        return points_xy
    from rasterio import warp

    with np.errstate(all="ignore"):
        try:
            moved = warp.transform(_crs(source, where), _crs(target, where), points_xy[:, 0], points_xy[:, 1])
        except Exception as error:  # rasterio raises private classes that share no public one
            raise _cannot_move(where, error) from error
    result = np.stack([np.asarray(axis, np.float64) for axis in moved[:2]], axis=1)
    if not np.isfinite(result).all():
        raise _cannot_move(where, "a coordinate is infinite")
    return result


def reproject_bounds(
    bounds: tuple[float, float, float, float], *, source: str, target: str, where: object
) -> tuple[float, float, float, float] | None:
    """Return the box in another system that holds a box; None where the other system does not reach there.

    Args:
        bounds: Left, bottom, right, top.
        source: The system of `bounds`: a name or WKT.
        target: The other system.
        where: The file, for messages.
    """
    if same(source, target, where=where):
        return bounds
    from rasterio import warp

    try:
        box = warp.transform_bounds(_crs(source, where), _crs(target, where), *bounds, densify_pts=21)
    except FormatError:
        raise
    except Exception:  # noqa: BLE001 - as above
        return None
    return box if np.isfinite(box).all() else None


def epsg_of(crs: str) -> int | None:
    """Return the EPSG number of a coordinate system, or None where it has none that gives the same coordinates."""
    system = _crs(crs, "the coordinate system")
    number = system.to_epsg(confidence_threshold=70)
    return None if number is None or _crs(f"EPSG:{number}", "the coordinate system") != system else int(number)


def to_wkt(crs: str, *, esri: bool = False) -> str:
    """Return a coordinate system as WKT 1, in the words of Esri's `.prj` files if asked for."""
    from rasterio.enums import WktVersion

    system = _crs(crs, "the coordinate system")
    text: str = system.to_wkt(version=WktVersion.WKT1_ESRI if esri else WktVersion.WKT1_GDAL)
    return text


def _crs(text: str, where: object) -> Any:  # noqa: ANN401 - rasterio has no types
    require("rasterio", needs="coordinate systems", extra="geo")
    authority, _, code = text.partition(":")
    is_name = authority in ("EPSG", "ESRI") and code.isalnum()
    if not is_name and (len(text) > _LONGEST_WKT or _GRID_FILE.search(text)):
        raise FormatError("the coordinate system is too long, or names a file", where=where, got=text[:80])
    try:
        return _parsed(text, is_name=is_name)
    except Exception as error:  # see `reproject`
        raise FormatError(
            f"the coordinate system cannot be understood ({error})",
            where=where,
            got=repr(text[:80]),
            fix="state it as an EPSG number",
        ) from error


@lru_cache(maxsize=64)  # the tiles of a mosaic have one system
def _parsed(text: str, *, is_name: bool) -> Any:  # noqa: ANN401
    from rasterio.crs import CRS

    return CRS.from_string(text) if is_name else CRS.from_wkt(text, morph_from_esri_dialect=True)


def _cannot_move(where: object, error: object) -> FormatError:
    return FormatError(
        f"a shape lies where the raster's coordinate system has no coordinates ({error})",
        where=where,
        fix="check the coordinate system of the shapes, and whether latitude and longitude are swapped",
    )
