"""TIFF photos: any number of bands, 8 or 16 bits or float, bands interleaved or as planes; by tifffile."""

from __future__ import annotations

import io
import lzma
import struct
import zlib
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import numpy as np

from tessella.core.errors import ImageError
from tessella.core.image import FULL_SCALE

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAGIC: Final = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_BROKEN: Final = (
    OSError, ValueError, LookupError, TypeError, AttributeError, RuntimeError, ArithmeticError, EOFError,
    struct.error, zlib.error, lzma.LZMAError,
)  # fmt: skip
"""What tifffile and its decoders raise on damaged files."""

_WHITE_IS_ZERO: Final = 0
_PALETTE: Final = 3
"""Values of PhotometricInterpretation (TIFF 6.0, tag 262)."""


def read_tags(stream: BinaryIO, *, where: object) -> tuple[tuple[int, int], int, int, int, int]:
    """Read the size and layout of the first picture from its tags; pixels are neither read nor decoded.

    Args:
        stream: An open file at its start; it stays open.
        where: Its path, for messages.

    Returns:
        (height, width) as stored, bits per band, number of bands, EXIF orientation 1..8, number of pages.

    Raises:
        ImageError: The tags are damaged.
    """
    import tifffile

    try:
        with tifffile.TiffFile(stream) as tiff:
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
            page = tiff.pages.first
            photometric, bits, colormap = page.photometric, int(page.bitspersample), page.tags.valueof(320)
    except _BROKEN as error:
        needs_codec = "imagecodecs" in str(error)
        raise ImageError(
            f"the TIFF cannot be decoded ({error})",
            where=where,
            fix="run: pip install 'tessella[tiff]'" if needs_codec else "export it again",
        ) from error
    if photometric == _PALETTE:
        pixels = _coloured(pixels, colormap, where=where)
    elif photometric == _WHITE_IS_ZERO:
        pixels = _black_is_zero(pixels, bits, where=where)
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    elif pixels.ndim == 3 and axes.endswith("YX") and photometric != _PALETTE:
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


def _coloured(indices: NDArray[Any], colormap: Any, *, where: object) -> NDArray[np.uint8]:  # noqa: ANN401 - a tag
    """Look the colours of a palette up: (H, W) of indices -> (H, W, 3) uint8."""
    palette = np.zeros((0, 3), np.uint16) if colormap is None else np.asarray(colormap).reshape(3, -1).T
    if indices.ndim != 2 or indices.dtype.kind not in "bu" or int(indices.max(initial=0)) >= len(palette):
        raise ImageError(
            "the palette of the TIFF does not fit its pixels",
            where=where,
            got=f"{len(palette)} colours, {indices.dtype} indices of shape {indices.shape}",
            expected="(H, W) indices, each with a colour",
            fix="export it as RGB",
        )
    # the tag holds 16 bits (TIFF 6.0); some writers store 8, and libtiff reads these as we do
    deep = int(palette.max(initial=0)) > 255
    return (palette >> 8 if deep else palette).astype(np.uint8)[indices.astype(np.intp)]


def _black_is_zero(pixels: NDArray[Any], bits: int, *, where: object) -> NDArray[Any]:
    """Turn a picture whose zero is white round."""
    if pixels.dtype == np.bool_:
        return ~pixels
    if pixels.dtype.kind != "u":
        raise ImageError(
            "the TIFF says that zero is white, which means nothing for its pixels",
            where=where,
            got=str(pixels.dtype),
            expected="whole numbers without sign",
            fix="export it with black as zero",
        )
    return np.asarray(pixels.dtype.type((1 << bits) - 1) - pixels)
