"""GeoTIFF: the patch of ground that a photo shows, from its tags alone; needs no extra.

World files beside a photo are not looked at: they name no coordinate system, and the photo would lie nowhere in
particular.
"""

from __future__ import annotations

import contextlib
import hashlib
from typing import TYPE_CHECKING, Any, BinaryIO, Final, NamedTuple

import numpy as np

from tessella.core.errors import InputError
from tessella.files.tiff import MAGIC, read_values

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

_SCALE: Final = 33550
_TIEPOINT: Final = 33922
_TRANSFORM: Final = 34264
_KEYS: Final = 34735
_NUMBERS: Final = 34736
_WORDS: Final = 34737
"""ModelPixelScale, ModelTiepoint, ModelTransformation, GeoKeyDirectory and its two stores (GeoTIFF 1.1, 7)."""

_MODEL: Final = 1024
_RASTER: Final = 1025
_GEODETIC: Final = 2048
_PROJECTED: Final = 3072
_POINT: Final = 2
_OWN_SYSTEM: Final = 32767
"""GTModelType, GTRasterType (2: a pixel's coordinates are its centre's), and the keys that number a system."""

_FARTHEST: Final = 1e12
"""No map has coordinates as large, in any unit."""


class Ground(NamedTuple):
    """Where a photo lies.

    Args:
        crs: `EPSG:32616`, or a hash of the keys that describe a system without number: equal for equal systems.
        affine: (a, b, c, d, e, f): x = a * column + b * row + c and y = d * column + e * row + f, as in `GeoFrame`.
    """

    crs: str
    affine: tuple[float, float, float, float, float, float]


def read_ground(path: Path) -> Ground | None:
    """Read which patch of ground a photo shows.

    Args:
        path: Any file.

    Returns:
        None when it is no TIFF, or one that does not say where it lies and in which coordinate system.

    Raises:
        InputError: The file cannot be read.
        ImageError: Its tags are damaged.
    """
    with opened_tiff(path) as stream:
        if stream is None:
            return None
        values = read_values(stream, (_SCALE, _TIEPOINT, _TRANSFORM, _KEYS, _NUMBERS, _WORDS), where=path)
    keys = _keys(values)
    crs = _system(keys, values)
    affine = _affine(values, centred=keys.get(_RASTER) == _POINT) if crs else None
    if affine is None or affine[0] * affine[4] == affine[1] * affine[3]:
        return None
    a, b, c, d, e, f = affine.tolist()
    return Ground(crs, (a, b, c, d, e, f))


@contextlib.contextmanager
def opened_tiff(path: Path) -> Iterator[BinaryIO | None]:
    """Open a file that begins as a TIFF does, at its start; None for any other.

    Raises:
        InputError: The file cannot be read.
    """
    try:
        with path.open("rb") as stream:
            if stream.read(4) in MAGIC:
                stream.seek(0)
                yield stream
            else:
                yield None
    except OSError as error:
        raise InputError(f"the file cannot be read ({error.strerror or error})", where=path) from error


def _keys(values: Mapping[int, Any]) -> dict[int, int]:
    """Return the keys whose value stands in the directory itself: four numbers per key, behind four of its own."""
    directory = _numbers(values.get(_KEYS))
    if not np.isfinite(directory).all():
        return {}
    rows = directory[4 : len(directory) // 4 * 4].reshape(-1, 4)
    return {int(key): int(value) for key, place, _, value in rows.tolist() if place == 0}


def _system(keys: Mapping[int, int], values: Mapping[int, Any]) -> str:
    number = keys.get(_PROJECTED) or (keys.get(_GEODETIC) if keys.get(_MODEL) == 2 else None)
    if number and number != _OWN_SYSTEM:
        return f"EPSG:{number}"
    if not keys.get(_MODEL):
        return ""
    stores = [repr(values.get(code)).encode() for code in (_KEYS, _NUMBERS, _WORDS)]
    return hashlib.blake2b(b"\0".join(stores), digest_size=8).hexdigest()


def _affine(values: Mapping[int, Any], *, centred: bool) -> NDArray[np.float64] | None:
    whole, tie, scale = (_numbers(values.get(code)) for code in (_TRANSFORM, _TIEPOINT, _SCALE))
    if not all((np.abs(numbers) < _FARTHEST).all() for numbers in (whole, tie, scale)):
        return None
    if len(whole) >= 8:
        affine = whole[[0, 1, 3, 4, 5, 7]]
    elif len(tie) == 6 and len(scale) >= 2:
        x, y = scale[0], -abs(scale[1])
        affine = np.array([x, 0, tie[3] - x * tie[0], 0, y, tie[4] - y * tie[1]], np.float64)
    else:
        return None  # several tie points bend the photo
    if centred:
        affine[[2, 5]] -= (affine[[0, 3]] + affine[[1, 4]]) / 2
    return affine


def _numbers(value: object) -> NDArray[np.float64]:
    if not isinstance(value, tuple) or not all(isinstance(number, int | float) for number in value):
        return np.empty(0)
    return np.array(value, np.float64)
