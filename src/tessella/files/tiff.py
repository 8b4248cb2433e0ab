"""TIFF photos: any number of bands, 8 or 16 bits or float, bands interleaved or as planes; by tifffile."""

from __future__ import annotations

import io
import logging
import lzma
import struct
import zlib
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import numpy as np

from tessella.core.errors import ImageError
from tessella.core.image import FULL_SCALE

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

MAGIC: Final = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_BROKEN: Final = (
    OSError, ValueError, LookupError, TypeError, AttributeError, RuntimeError, ArithmeticError, EOFError,
    struct.error, zlib.error, lzma.LZMAError,
)  # fmt: skip
"""What tifffile and its decoders raise on damaged files."""

_KIND: Final = 254
_REDUCED: Final = 1
_MASK: Final = 4
"""NewSubfileType, and its bits for a smaller copy of a picture and for a mask of it (TIFF 6.0, tag 254)."""

_SHORT: Final = 3
_ORIENTATION: Final = 274

_WHITE_IS_ZERO: Final = 0
_PALETTE: Final = 3
_SEPARATED: Final = 5
_YCBCR: Final = 6
_OTHER_COLOURS: Final = {8: "CIELab", 9: "ICCLab", 10: "ITULab", 32844: "LogL", 32845: "LogLuv"}
"""Values of PhotometricInterpretation (TIFF 6.0, tag 262)."""

_JPEG: Final = (6, 7)
"""Values of Compression whose decoder answers in RGB."""

MOST_PAGES: Final = 65_536
"""Most pictures of one file."""

_MOST_TAGS: Final = 4096
_MOST_ITEMS: Final = 4096
_MOST_SEGMENTS: Final = 1 << 21
"""Most strips or tiles of the first picture, 2 gigapixels in tiles of 32x32."""

_SEGMENT_TAGS: Final = frozenset({273, 279, 324, 325})
_UNHEARD: Final = logging.NullHandler()
"""Keeps what tifffile logs off stderr, where nobody has asked for it: what matters is raised."""

_PLAIN_SERIES: Final = frozenset({"frame", "multipage", "subifd", "uniform", "virtual", "volumetric"})


def read_tags(stream: BinaryIO, *, where: object) -> tuple[tuple[int, int], int, int, int, int]:
    """Read the size and layout of the first picture from its tags; pixels are neither read nor decoded.

    Args:
        stream: An open file at its start; it stays open.
        where: Its path, for messages.

    Returns:
        (height, width) as stored, bits per band, number of bands, EXIF orientation 1..8, number of pictures; smaller
        copies (overviews) and masks of one are none of their own.

    Raises:
        ImageError: The tags are damaged.
    """
    import tifffile

    pictures = refuse_absurd(stream, where=where)
    try:
        with tifffile.TiffFile(stream, **plain_options()) as tiff:
            page = tiff.pages.first
            bands = int(page.samplesperpixel)
            series = tiff.series[0]
            if bands == 1 and len(series.shape) == 3 and series.axes.endswith("YX"):
                bands = int(series.shape[0])  # one page per band
            orientation = page.tags.valueof(_ORIENTATION, 1)
            return (
                (int(page.imagelength), int(page.imagewidth)),
                int(page.bitspersample),
                bands,
                int(orientation),
                pictures,
            )
    except _BROKEN as error:
        raise ImageError(f"the TIFF file is damaged ({error})", where=where, fix="export or copy it again") from error


def read_codes(stream: BinaryIO, *, where: object) -> frozenset[int]:
    """Read the codes of the tags of the first picture.

    Args:
        stream: An open file at its start; it stays open.
        where: Its path, for messages.

    Raises:
        ImageError: The tags are damaged.
    """
    import tifffile

    refuse_absurd(stream, where=where)
    try:
        with tifffile.TiffFile(stream, **plain_options()) as tiff:
            return frozenset(int(tag.code) for tag in tiff.pages.first.tags)
    except _BROKEN as error:
        raise ImageError(f"the TIFF file is damaged ({error})", where=where, fix="export or copy it again") from error


def read_values(stream: BinaryIO, codes: Collection[int], *, where: object) -> dict[int, Any]:
    """Read some tags of the first picture, as tifffile gives their values; one of more than 4096 items is left out.

    Args:
        stream: An open file at its start; it stays open.
        codes: The tags.
        where: Its path, for messages.

    Raises:
        ImageError: The tags are damaged.
    """
    import tifffile

    refuse_absurd(stream, where=where)
    try:
        with tifffile.TiffFile(stream, **plain_options()) as tiff:
            tags = tiff.pages.first.tags
            return {tag.code: tag.value for tag in tags if tag.code in codes and tag.count <= _MOST_ITEMS}
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

    refuse_absurd(io.BytesIO(data), where=where)
    try:
        with tifffile.TiffFile(io.BytesIO(data), **plain_options()) as tiff:
            page = tiff.pages.first
            photometric, bits, colormap = page.photometric, int(page.bitspersample), page.tags.valueof(320)
            _refuse_other_colours(page, where=where)
            series = tiff.series[0]
            pixels, axes = np.asarray(series.asarray()), series.axes
    except _BROKEN as error:
        needs_codec = "imagecodecs" in str(error)
        raise ImageError(
            f"the TIFF cannot be decoded ({error})",
            where=where,
            fix="run: pip install 'tessella[tiff]'" if needs_codec else "export it again",
        ) from error
    if photometric == _SEPARATED:
        pixels = _from_inks(pixels, axes, where=where)
        axes = "YXS"
    elif photometric == _PALETTE:
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


def filled(data: bytes, *, where: object) -> BinaryIO | None:
    """Write the first picture of a sparse TIFF anew, with all of its strips or tiles; None for a file that has them.

    GDAL leaves out what holds nothing (`SPARSE_OK=TRUE`): an offset and a byte count of 0. Pillow, which reads masks,
    takes what lies at offset 0 for pixels. What is left out has the nodata value that the file states, else 0.

    Returns:
        An uncompressed TIFF at its start, its bands together.

    Raises:
        ImageError: Damaged, or of a kind that cannot be written anew.
    """
    import tifffile

    refuse_absurd(io.BytesIO(data), where=where)
    try:
        with tifffile.TiffFile(io.BytesIO(data), **plain_options()) as tiff:
            page = tiff.pages.first
            if all(page.dataoffsets) and all(page.databytecounts):
                return None
            _refuse_other_colours(page, where=where)
            pixels = np.asarray(page.asarray())
            if pixels.ndim == 3 and page.axes.endswith("YX"):
                pixels = np.moveaxis(pixels, 0, -1)
            photometric = 2 if int(page.photometric) == _YCBCR else int(page.photometric)
            stream = io.BytesIO()
            tifffile.imwrite(
                stream,
                pixels,
                photometric=photometric,
                colormap=page.colormap,
                planarconfig=1 if pixels.ndim == 3 else None,
                extrasamples=page.extrasamples or None,
                extratags=[(_ORIENTATION, 3, 1, int(page.tags.valueof(_ORIENTATION, 1)), True)],
                metadata=None,
            )
    except _BROKEN as error:
        raise ImageError(
            f"the TIFF leaves out strips or tiles, and cannot be filled ({error})",
            where=where,
            fix="write it whole, for example with gdal_translate -co SPARSE_OK=FALSE",
        ) from error
    stream.seek(0)
    return stream


def plain_options() -> dict[str, bool]:
    """Return the options that make tifffile read pages as TIFF 6.0 means them.

    Left to itself it looks for the dialects of microscopes, some of which name further files to open, and writes to
    stderr what it makes of odd tags, once for each time that it opens the file.
    """
    import tifffile

    tifffile.logger().addHandler(_UNHEARD)  # the same one again is not added
    return {f"is_{flag}": False for flag in tifffile.TIFF.FILE_FLAGS if flag not in _PLAIN_SERIES}


def refuse_absurd(stream: BinaryIO, *, where: object) -> int:
    """Walk through the tags of a TIFF, and refuse counts that would cost minutes or gigabytes before a pixel is seen.

    Args:
        stream: An open file; it is left at its start.
        where: Its path, for messages.

    Returns:
        How many pictures there are: the first, and all that say neither that they are smaller copies nor masks.

    Raises:
        ImageError: More than 65,536 pictures, or a first picture with more than two million strips or tiles.
    """
    try:
        return _walk_tags(stream, where=where)
    except (struct.error, OSError) as error:
        raise ImageError(f"the TIFF file is damaged ({error})", where=where, fix="export or copy it again") from error
    finally:
        stream.seek(0)


def _walk_tags(stream: BinaryIO, *, where: object) -> int:
    head = stream.read(16)
    order = "<" if head[:2] == b"II" else ">"
    big = head[2:4] in (b"+\0", b"\0+")
    count_form, tag_form, next_form = ("Q", "HHQQ", "Q") if big else ("H", "HHII", "I")
    (place,) = struct.unpack_from(order + next_form, head, 8 if big else 4)
    seen: set[int] = set()
    pictures = 0
    while place:
        if place in seen and len(seen) == 1:
            break  # tifffile, too, takes a first picture that follows itself for the only one
        if place in seen:  # but would go round for ever among several
            raise ImageError("the pictures of a TIFF follow each other in a circle", where=where, fix="export it again")
        seen.add(place)
        stream.seek(place)
        data = stream.read(struct.calcsize(f"={count_form}"))
        if not data and len(seen) > 1:
            break  # the chain leads behind the end of the file; tifffile takes that for its end too
        (count,) = struct.unpack(order + count_form, data)
        size = struct.calcsize(f"={tag_form}")
        if count > _MOST_TAGS or len(seen) > MOST_PAGES:
            raise ImageError(
                "the TIFF holds more tags or pictures than any real one", where=where,
                got=f"{count} tags in picture {len(seen)}", expected=f"at most {_MOST_TAGS} in each of {MOST_PAGES}",
            )  # fmt: skip
        tags = stream.read(count * size)
        whole = tags[: len(tags) // size * size]
        if len(seen) == 1:
            for code, _, items, _ in struct.iter_unpack(f"{order}{tag_form}", whole):
                _refuse_many(code, items, where=where)
        pictures += len(seen) == 1 or not _is_lesser(whole, order, size)
        (place,) = struct.unpack(
            order + next_form, stream.read(struct.calcsize(f"={next_form}")) or bytes(8 if big else 4)
        )
    return pictures


def _is_lesser(tags: bytes, order: str, size: int) -> bool:
    """Whether the tags of a page say that it is a smaller copy or a mask of a picture; they are sorted by code."""
    for start in range(0, len(tags), size):
        code, form = struct.unpack_from(f"{order}HH", tags, start)
        if code >= _KIND:
            value_form = "H" if form == _SHORT else "I"
            (value,) = struct.unpack_from(order + value_form, tags, start + (12 if size == 20 else 8))
            return code == _KIND and bool(value & (_REDUCED | _MASK))
    return False


def _refuse_many(code: int, items: int, *, where: object) -> None:
    if code in _SEGMENT_TAGS and items > _MOST_SEGMENTS:
        raise ImageError(
            "the TIFF holds more strips or tiles than any real one",
            where=where,
            got=items,
            expected=f"at most {_MOST_SEGMENTS}",
            fix="write it again in larger tiles",
        )


def _refuse_other_colours(page: Any, *, where: object) -> None:  # noqa: ANN401 - a page of tifffile
    name = _OTHER_COLOURS.get(int(page.photometric), "")
    if int(page.photometric) == _YCBCR and int(page.compression) not in _JPEG:
        name = "YCbCr"
    if name:
        raise ImageError(
            f"the colours of this TIFF are stored as {name}, which would be taken for RGB",
            where=where,
            got=name,
            expected="RGB, grey, a palette, CMYK, or bands without colours",
            fix="export it as RGB",
        )


def _from_inks(pixels: NDArray[Any], axes: str, *, where: object) -> NDArray[Any]:
    """Turn CMYK into RGB as Pillow does, without a colour profile: (H, W, 4) -> (H, W, 3), of the same dtype."""
    if pixels.ndim == 3 and axes.endswith("YX"):
        pixels = np.moveaxis(pixels, 0, -1)
    if pixels.ndim != 3 or pixels.shape[2] != 4 or pixels.dtype.kind != "u" or pixels.dtype.itemsize > 2:
        raise ImageError(
            "the TIFF holds inks that are not cyan, magenta, yellow and black",
            where=where,
            got=f"{pixels.shape}, {pixels.dtype}",
            expected="(H, W, 4) of 8 or 16 bits",
            fix="export it as RGB",
        )
    full = np.iinfo(pixels.dtype).max
    light = full - pixels.astype(np.uint32)
    return ((light[..., :3] * light[..., 3:] + full // 2) // full).astype(pixels.dtype)


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
