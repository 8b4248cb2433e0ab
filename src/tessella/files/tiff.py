"""TIFF photos: any number of bands, 8 or 16 bits or float, bands interleaved or as planes; by tifffile."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tessella.core.errors import ImageError
from tessella.core.image import FULL_SCALE

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAGIC: Final = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_BROKEN = (OSError, ValueError, KeyError, IndexError, TypeError, RuntimeError)


def read_tags(data: bytes, *, where: object) -> tuple[tuple[int, int], int, int, int, int]:
    """Read the size and layout of the first picture without decoding it.

    Returns:
        (height, width) as stored, bits per band, number of bands, EXIF orientation 1..8, number of pages.

    Raises:
        ImageError: The tags are damaged.
    """
    import tifffile

    try:
        with tifffile.TiffFile(io.BytesIO(data)) as tiff:
            page = tiff.pages.first
            bands = int(page.samplesperpixel)
            series = tiff.series[0]
            if bands == 1 and len(series.shape) == 3 and series.axes.endswith("YX"):
                bands = int(series.shape[0])  # one page per band
            orientation = page.tags.valueof(274, 1)
            return (
                (int(page.imagelength), int(page.imagewidth)),
                int(page.bitspersample),
                bands,
                int(orientation),
                len(tiff.pages),
            )
    except _BROKEN as error:
        raise ImageError(f"the TIFF file is damaged ({error})", where=where, fix="export or copy it again") from error


def decode(data: bytes, *, where: object) -> NDArray[Any]:
    """Decode the first picture as stored, before orientation.

    Returns:
        (H, W, C) uint8, uint16 or float32.

    Raises:
        ImageError: Damaged, of a kind that is no image, or compressed in a way that needs the `tiff` extra.
    """
    import tifffile

    try:
        with tifffile.TiffFile(io.BytesIO(data)) as tiff:
            series = tiff.series[0]
            pixels, axes = np.asarray(series.asarray()), series.axes
    except _BROKEN as error:
        needs_codec = "imagecodecs" in str(error)
        raise ImageError(
            f"the TIFF cannot be decoded ({error})",
            where=where,
            fix="run: pip install 'tessella[tiff]'" if needs_codec else "export it again",
        ) from error
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    elif pixels.ndim == 3 and axes.endswith("YX"):
        pixels = np.moveaxis(pixels, 0, -1)
    if pixels.dtype == np.float64:
        pixels = pixels.astype(np.float32)
    if pixels.dtype == np.bool_:
        pixels = pixels.astype(np.uint8) * np.uint8(255)
    if pixels.ndim != 3 or pixels.dtype.name not in FULL_SCALE:
        raise ImageError(
            "the TIFF is not one image",
            where=where,
            got=f"axes {axes}, {pixels.dtype}, {pixels.shape}",
            expected="(H, W, C) of uint8, uint16 or float",
        )
    return pixels
