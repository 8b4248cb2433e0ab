"""GeoTIFF: where its pixels lie on Earth and which of them hold no data; by rasterio, its GTiff driver alone."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tessella.core.errors import ImageError, InputError
from tessella.core.extras import require
from tessella.files.geo.ground import opened_tiff
from tessella.files.images import read_hw
from tessella.files.tiff import read_codes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

_CACHE_BYTES: Final = 64 << 20
_WINDOW_PIXELS: Final = 1 << 22
_TRANSFORM_TAGS: Final = frozenset({33922, 34264})
"""ModelTiepoint, with a scale, and ModelTransformation (GeoTIFF 1.1, 7.2): one of them places the pixels."""

_SAFE: Final[dict[str, Any]] = {
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",  # no overviews, world files or metadata from files beside it
    "GDAL_PAM_ENABLED": "NO",
    "GDAL_CACHEMAX": _CACHE_BYTES,
    "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": "{nothing}",  # a TIFF may name overviews elsewhere: nothing is fetched
    "GDAL_NUM_THREADS": "1",
}


@dataclass(frozen=True, slots=True)
class GeoFrame:
    """Where the pixels of a raster lie.

    Args:
        affine: (a, b, c, d, e, f): x = a * column + b * row + c and y = d * column + e * row + f in the units of `crs`;
            columns and rows count from the outer corner of the first pixel.
        crs: The coordinate system as WKT; "" where the raster states none.
        hw: Height and width in pixels.
        has_nodata: Whether pixels may be without data: a nodata value, an alpha band, a mask.
    """

    affine: tuple[float, float, float, float, float, float]
    crs: str
    hw: tuple[int, int]
    has_nodata: bool = False

    def to_world(self, points_xy: NDArray[np.float64]) -> NDArray[np.float64]:
        """Move (N, 2) pixels to coordinates."""
        a, b, c, d, e, f = self.affine
        x, y = points_xy[:, 0], points_xy[:, 1]
        return np.stack([a * x + b * y + c, d * x + e * y + f], axis=1)

    def to_pixels(self, points_xy: NDArray[np.float64]) -> NDArray[np.float64]:
        """Move (N, 2) coordinates to pixels."""
        a, b, c, d, e, f = self.affine
        # the offset first: coordinates of millions of metres would otherwise cost the digits of a thousandth pixel
        x, y = points_xy[:, 0] - c, points_xy[:, 1] - f
        area = a * e - b * d
        return np.stack([(e * x - b * y) / area, (a * y - d * x) / area], axis=1)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, bottom, right and top of the raster in the units of `crs`."""
        height, width = self.hw
        corners = self.to_world(np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64))
        (left, bottom), (right, top) = corners.min(axis=0), corners.max(axis=0)
        return float(left), float(bottom), float(right), float(top)


def has_frame(path: Path) -> bool:
    """Say whether a picture is a TIFF that states where it lies; needs no extra.

    Raises:
        InputError: The file cannot be read.
        ImageError: Its tags are damaged.
    """
    with opened_tiff(path) as stream:
        return stream is not None and bool(read_codes(stream, where=path) & _TRANSFORM_TAGS)


def read_frame(path: Path) -> GeoFrame | None:
    """Read where a picture lies.

    Returns:
        Its frame, or None when it is no TIFF, or a TIFF that does not say.

    Raises:
        InputError: The file cannot be read.
        ImageError: Damaged tags, a transform that cannot be inverted, or a GeoTIFF that is to be turned by EXIF.
        MissingExtraError: rasterio is not installed.
    """
    if not has_frame(path):
        return None
    with _opened(path) as dataset:
        a, b, c, d, e, f = (float(value) for value in dataset.transform[:6])
        frame = GeoFrame(
            (a, b, c, d, e, f),
            dataset.crs.to_wkt() if dataset.crs else "",
            (int(dataset.height), int(dataset.width)),
            any(len(flags) != 1 or flags[0].name != "all_valid" for flags in dataset.mask_flag_enums),
        )
        turned = dataset.tags().get("TIFFTAG_ORIENTATION", "1")
    if not np.isfinite(frame.affine).all() or abs(a * e - b * d) < 1e-300 or min(frame.hw) < 1:
        raise ImageError("the GeoTIFF's transform places all pixels in one spot or line", where=path, got=frame.affine)
    if turned not in ("0", "1"):
        raise ImageError(
            "a GeoTIFF is stored turned: its transform and its orientation tag contradict each other",
            where=path,
            got=f"orientation {turned}",
            fix="write it upright, for example with gdal_translate",
        )
    return frame


def read_nodata(path: Path, *, max_pixels: int | None = None) -> NDArray[np.bool_]:
    """Read which pixels of a GeoTIFF hold no data: by its nodata value, alpha band or mask, in all bands.

    Args:
        path: The raster.
        max_pixels: Refuse larger ones; by default 2 gigapixels.

    Returns:
        (H, W) bool, True where there is no data.

    Raises:
        ImageError: Damaged, or larger than the budget.
        MissingExtraError: rasterio is not installed.
    """
    from rasterio.windows import Window

    read_hw(path, max_pixels=max_pixels)  # refuses what `read_image` would
    with _opened(path) as dataset:
        height, width = int(dataset.height), int(dataset.width)
        nodata = np.empty((height, width), np.bool_)
        block = max(1, int(dataset.block_shapes[0][0]))
        rows = max(1, _WINDOW_PIXELS // width // block) * block
        for top in range(0, height, rows):
            count = min(rows, height - top)
            valid = dataset.dataset_mask(window=Window(0, top, width, count))
            np.equal(valid, 0, out=nodata[top : top + count])
    return nodata


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Any]:
    require("rasterio", needs="reading where a GeoTIFF lies", extra="geo")
    import rasterio
    from rasterio.errors import RasterioError

    name = str(path.resolve())  # absolute: no scheme, no driver's prefix
    if name.startswith("/vsi"):
        raise InputError("a path that GDAL takes for something else than a file", where=path, fix="move the data set")
    try:
        with rasterio.Env(**_SAFE), rasterio.open(name, driver="GTiff") as dataset:
            yield dataset
    except (RasterioError, *_cpl_errors(), ValueError, TypeError, LookupError, ArithmeticError, Warning) as error:
        raise ImageError(f"the GeoTIFF is damaged ({error})", where=path, fix="export or copy it again") from error


def _cpl_errors() -> tuple[type[Exception], ...]:
    from rasterio._err import CPLE_BaseError

    return (CPLE_BaseError,)
