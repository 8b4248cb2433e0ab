"""Tiny GeoTIFFs with vector labels, written by rasterio and by hand; each function writes into a folder."""

import json
from pathlib import Path

import numpy as np
import rasterio
from rasterio.transform import Affine
from rasterio.windows import Window

from data.layouts import ids_of, photo_of, save

HERE = Affine(0.5, 0, 733_601, 0, -0.5, 3_725_139)
"""Half a metre per pixel near Atlanta, in UTM zone 16 north, as SpaceNet's."""

TURNED = HERE @ Affine.rotation(30)


def geotiff(
    path: Path, pixels: np.ndarray, *, transform: Affine = HERE, crs: object = "EPSG:32616", **more: object
) -> Path:
    """Write (H, W, C) pixels as a GeoTIFF."""
    path.parent.mkdir(parents=True, exist_ok=True)
    height, width, bands = pixels.shape
    profile = {"driver": "GTiff", "height": height, "width": width, "count": bands, "dtype": pixels.dtype.name}
    with rasterio.open(path, "w", **profile, transform=transform, crs=crs, **more) as dataset:
        dataset.write(np.moveaxis(pixels, 2, 0))
    return path


def feature(name: str | None, rings: list, *, transform: Affine = HERE, **attributes: object) -> dict:
    """A polygon whose corners are pixels."""
    placed = [[list(transform @ tuple(point)) for point in [*ring, ring[0]]] for ring in rings]
    properties = attributes | ({} if name is None else {"class": name})
    return {"type": "Feature", "properties": properties, "geometry": {"type": "Polygon", "coordinates": placed}}


def square(left: float, top: float, right: float, bottom: float) -> list:
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def collection(path: Path, features: list, *, crs: str | None = "urn:ogc:def:crs:EPSG::32616") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    tree: dict = {"type": "FeatureCollection", "features": features}
    if crs is not None:
        tree["crs"] = {"type": "name", "properties": {"name": crs}}
    path.write_text(json.dumps(tree))
    return path


def shapes_of(seed: int, transform: Affine = HERE) -> list:
    """The blocks of `ids_of(seed)`, as polygons."""
    return [
        feature("road", [square(2, 0, 9, 3 + seed % 4)], transform=transform),
        feature("tree", [square(7 + seed % 3, 5, 16, 12)], transform=transform),
        feature("__ignore__", [square(seed, 11, seed + 1, 12)], transform=transform),
    ]


def geojson(root: Path, *, count: int = 4) -> Path:
    for seed in range(count):
        transform = HERE @ Affine.translation(20 * seed, 0)
        geotiff(root / "images" / f"p{seed}.tif", photo_of(seed), transform=transform)
        collection(root / "labels" / f"p{seed}.geojson", shapes_of(seed, transform))
    return root


def _converted(root: Path, to: str, count: int) -> Path:
    """The same labels, written by Tessella: what other programs read of it is tested in `test_geo_files`."""
    from tessella.dataset.convert import convert

    convert(geojson(root.with_name(f"{root.name}-geojson"), count=count), root, to=to)
    (root / ".tessella").unlink(missing_ok=True)
    return root


def shapefile(root: Path, *, count: int = 4) -> Path:
    return _converted(root, "shapefile", count)


def geopackage(root: Path, *, count: int = 4) -> Path:
    return _converted(root, "geopackage", count)


def spacenet(root: Path, *, count: int = 4) -> Path:
    """One table for all photos, in their pixels."""
    rows = ["ImageId,BuildingId,PolygonWKT_Pix,class"]
    for seed in range(count):
        geotiff(
            root / "images" / f"RGB_p_{seed}.tif", photo_of(seed), transform=HERE @ Affine.translation(20 * seed, 0)
        )
        for number, shape in enumerate(shapes_of(seed, Affine.identity())):
            rows.append(f'p_{seed},{number},"{wkt(shape)}",{shape["properties"]["class"]}')
    (root / "summary.csv").write_text("\n".join(rows) + "\n")
    return root


def wkt(shape: dict) -> str:
    rings = ["(" + ",".join(f"{x} {y} 0" for x, y in ring) + ")" for ring in shape["geometry"]["coordinates"]]
    return f"POLYGON ({','.join(rings)})"


def tiles(root: Path, places: dict[str, tuple[float, float]], *, transform: Affine = HERE, **more: object) -> Path:
    """Photos of noise with masks, by name (`train/a`), each at a column and row of a raster."""
    for seed, (name, place) in enumerate(places.items()):
        folder, _, stem = name.rpartition("/")
        photo = np.random.default_rng(seed).integers(0, 255, (40, 60, 3), dtype=np.uint8)
        geotiff(
            root / folder / "images" / f"{stem}.tif", photo, transform=transform @ Affine.translation(*place), **more
        )
        save(root / folder / "masks" / f"{stem}.png", photo[..., 0] // 128)
    return root


def half_empty(path: Path, *, sparse: bool, dtype: str = "uint8", bands: int = 1, **more: object) -> Path:
    """A raster of 150 x 200 px of which one block of 64 x 64 px alone was written; the rest is left out if sparse."""
    palette = more.pop("palette", None)
    path.parent.mkdir(parents=True, exist_ok=True)
    profile = {"driver": "GTiff", "height": 150, "width": 200, "count": bands, "dtype": dtype, "transform": HERE}
    with rasterio.open(path, "w", **profile, SPARSE_OK=sparse, **more) as dataset:
        if palette is not None:
            dataset.write_colormap(1, palette)
        for band in range(1, bands + 1):
            block = np.random.default_rng(band).integers(0, 2, (64, 64)).astype(dtype)
            dataset.write(block, band, window=Window(64, 64, 64, 64))
    return path


__all__ = ["geojson", "geopackage", "geotiff", "half_empty", "ids_of", "shapefile", "spacenet", "tiles"]
