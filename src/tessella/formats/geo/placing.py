"""Shapes on the map brought to the pixels of one photo: reprojected, through its transform, cut at its borders."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tessella.core.errors import LabelError
from tessella.files.geo.crs import LON_LAT, reproject, reproject_bounds
from tessella.formats.geo.cutting import cut

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from tessella.files.geo.frame import GeoFrame
    from tessella.files.geo.vectors import Polygon, VectorFile

Box = tuple[float, float, float, float]


def system_of(file: VectorFile) -> str:
    """Return the coordinate system of a vector file; "" where it must be the photo's.

    GeoJSON without a `crs` member is longitude and latitude (RFC 7946, 4), unless its coordinates cannot be: many
    programs leave the member out of files in metres.
    """
    bounds = file.bounds
    if file.stated or file.crs != LON_LAT or bounds is None:
        return file.crs
    left, bottom, right, top = bounds
    return file.crs if -180 <= left <= right <= 180 and -90 <= bottom <= top <= 90 else ""


def meets(file: VectorFile, frame: GeoFrame) -> bool:
    """Whether the box around a file's shapes meets a photo."""
    box, bounds = _box_of(file, frame), file.bounds
    return bounds is not None and (box is None or bool(_overlap(np.array([bounds]), box).any()))


def placed(file: VectorFile, frame: GeoFrame) -> Iterator[tuple[int, tuple[Polygon, ...]]]:
    """Yield the number and the polygons, in pixels, of the features whose box meets a photo.

    Raises:
        FormatError: A coordinate system cannot be understood, or a shape lies where the photo's has no coordinates.
    """
    box = _box_of(file, frame)
    near = np.isfinite(file.boxes[:, 0]) if box is None else _overlap(file.boxes, box)
    numbers = np.flatnonzero(near).tolist()
    rings = [ring for number in numbers for polygon in file.features[number].polygons for ring in polygon]
    if not rings:
        return
    points = np.concatenate(rings)
    system = system_of(file)
    if system and frame.crs:
        points = reproject(points, source=system, target=frame.crs, where=file.path)
    moved = iter(np.split(frame.to_pixels(points), np.cumsum([len(ring) for ring in rings[:-1]])))
    for number in numbers:
        polygons = [tuple(next(moved) for _ in polygon) for polygon in file.features[number].polygons]
        yield number, tuple(piece for polygon in polygons for piece in cut(polygon, frame.hw))


def in_pixels(file: VectorFile, hw: tuple[int, int], photo: Path) -> Iterator[tuple[int, tuple[Polygon, ...]]]:
    """Yield the number and the polygons of all features, for a photo without a place on Earth.

    Raises:
        LabelError: The coordinates cannot be pixels of the photo: all lie outside, or within a pixel.
    """
    bounds = file.bounds
    if bounds is None:
        return
    left, top, right, bottom = bounds
    outside = left >= hw[1] or top >= hw[0] or right <= 0 or bottom <= 0
    if outside or max(right - left, bottom - top) < 1:
        raise LabelError(
            "the photo does not say where on Earth it lies, and the shapes are not in its pixels",
            where=file.path,
            got=f"x {left:.6g} to {right:.6g}, y {top:.6g} to {bottom:.6g}; {photo.name} is {hw[1]}x{hw[0]}",
            fix="give the photo as GeoTIFF, with its transform and coordinate system",
        )
    for number, feature in enumerate(file.features):
        if feature.polygons:
            yield number, feature.polygons


def refuse_elsewhere(files: Sequence[VectorFile], frame: GeoFrame) -> None:
    """Refuse shapes of which none touches the photo that they belong to by name.

    Raises:
        LabelError: The message holds both boxes, and says so when latitude and longitude are swapped.
    """
    files = [file for file in files if file.bounds is not None]
    if not files or any(meets(file, frame) for file in files):
        return
    file = files[0]
    box = _box_of(file, frame)
    swapped = box is not None and any(_overlap(one.boxes[:, [1, 0, 3, 2]], box).any() for one in files)
    raise LabelError(
        "none of the shapes touches the photo that they belong to by name",
        where=file.path,
        got=f"shapes in {_spoken(file.bounds)}, the photo in {_spoken(box)}",
        fix="x and y are swapped: export the shapes again, longitude first"
        if swapped
        else "check the coordinate system of the shapes, and whether the names pair the right files",
    )


def _spoken(box: Box | None) -> str:
    return "an unknown place" if box is None else "x {0:.9g} to {2:.9g}, y {1:.9g} to {3:.9g}".format(*box)


def _box_of(file: VectorFile, frame: GeoFrame) -> Box | None:
    """Return the photo's box in the file's coordinates; None where that system does not reach there."""
    system = system_of(file)
    if not system or not frame.crs:
        return frame.bounds
    return reproject_bounds(frame.bounds, source=frame.crs, target=system, where=file.path)


def _overlap(boxes: NDArray[np.float64], box: Box) -> NDArray[np.bool_]:
    left, bottom, right, top = box
    with np.errstate(invalid="ignore"):
        apart = (boxes[:, 0] > right) | (boxes[:, 2] < left) | (boxes[:, 1] > top) | (boxes[:, 3] < bottom)
    return np.asarray(~apart & np.isfinite(boxes[:, 0]))
