"""Masks: stored values exactly as they are in the file, palette indices kept at every bit depth."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tessella.core.annotation import StoredMask
from tessella.core.errors import ImageError
from tessella.files import tiff
from tessella.files.images import (
    FILE_BUDGET,
    Header,
    check_data,
    decode_header,
    enough_memory,
    picture_header,
)
from tessella.files.pillow import load_pillow, open_pillow
from tessella.files.text import read_bytes
from tessella.files.write import atomic_path

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from PIL.Image import Image as PillowImage

    from tessella.core.image import Image
    from tessella.core.labelmap import LabelMap

_PNG_END: Final = b"IEND\xaeB`\x82"
_GREY_STEP: Final = {2: 85, 4: 17}
"""Pillow spreads 2-bit and 4-bit grey over 0..255; dividing by this gives the stored value back, exactly."""


def read_mask(path: Path, *, max_pixels: int | None = None) -> StoredMask:
    """Read the stored values of a mask.

    Pillow is the only decoder that keeps palette indices at 1, 2, 4 and 8 bits; `convert("L")` and OpenCV's grey flag
    would turn ids into brightness.

    Args:
        path: PNG, TIFF, BMP, GIF, WebP or JPEG.
        max_pixels: Refuse larger masks; by default 300 megapixels, for TIFF 2 gigapixels.

    Raises:
        InputError: The file cannot be read.
        ImageError: Not a picture, damaged, too large, or of a kind that cannot hold ids (float, CMYK, 16-bit colour).
    """
    return decode_mask(read_bytes(path, max_bytes=FILE_BUDGET), where=path, max_pixels=max_pixels)


def decode_mask(data: bytes, *, where: object, max_pixels: int | None = None) -> StoredMask:
    """Like `read_mask`, for the bytes of a file; `where` names the source in errors."""
    picture = open_pillow(io.BytesIO(data), where=where)
    header = decode_header(data, where=where) if picture.format == "TIFF" else picture_header(picture, where=where)
    check_data(data, header, where=where, max_pixels=max_pixels)
    if header.frames > 1 and header.format != "TIFF":
        raise ImageError(
            "the mask is animated, and nothing says which of its pictures holds the labels",
            where=where,
            fix="export the mask as a single picture, best as PNG",
        )
    with enough_memory(where):
        if header.format == "TIFF" and (whole := tiff.filled(data, where=where)):
            picture = open_pillow(whole, where=where)
        load_pillow(picture, where=where)
        pixels = _stored(picture, header, where=where)
    palette = None
    if picture.mode == "P" and picture.palette is not None:
        # the bytes: `getpalette` makes a list of 768 numbers of them, which a small mask feels
        flat = np.frombuffer(bytes(picture.palette.palette), np.uint8)
        bands = len(picture.palette.mode)
        palette = flat[: len(flat) // bands * bands].reshape(-1, bands)[:, :3]  # a damaged one may end inside a colour
    turned_by_pillow = header.format == "TIFF"
    orientation = 1 if turned_by_pillow else header.orientation
    form = "JPEG" if header.format == "MPO" else header.format
    if form == "PNG" and not data.endswith(_PNG_END):
        form = ""
    return StoredMask(pixels, picture.mode, palette, orientation, form)


def _stored(picture: PillowImage, header: Header, *, where: object) -> NDArray[Any]:
    if picture.mode == "L" and header.format == "PNG" and header.bits in _GREY_STEP:
        return np.asarray(picture) // np.uint8(_GREY_STEP[header.bits])
    if picture.mode in ("P", "L"):
        return np.asarray(picture)
    if picture.mode == "1":
        return np.array(picture, np.uint8)
    if picture.mode in ("LA", "PA"):
        return _without_alpha(picture)
    if picture.mode in ("RGB", "RGBA") and header.bits == 8:
        return np.array(picture)
    if picture.mode.startswith("I"):
        return _as_uint16(np.asarray(picture), where=where)
    raise ImageError(
        "a mask of this kind cannot hold class ids",
        where=where,
        got=f"mode {picture.mode}, {header.bits} bits",
        expected="a palette, grey, 1-bit, 16-bit grey, RGB or RGBA picture",
        fix="export the mask as an 8-bit PNG",
    )


def _without_alpha(picture: PillowImage) -> NDArray[np.uint8]:
    both = np.asarray(picture)
    if (both[..., 1] == 255).all():
        return np.ascontiguousarray(both[..., 0])
    return np.array(picture.convert("RGBA"))


def _as_uint16(values: NDArray[Any], *, where: object) -> NDArray[np.uint16]:
    low, high = int(values.min()), int(values.max())
    if low < 0 or high > 65535:
        raise ImageError(
            "the mask holds values that are no class ids", where=where, got=f"{low} to {high}", expected="0 to 65535"
        )
    return values.astype(np.uint16)


def write_mask(path: Path, labels: LabelMap) -> None:
    """Write ids as a single-channel palette PNG: pixel value = class id, colours from the table.

    Raises:
        OutputError: The file cannot be written.
    """
    write_picture(path, labels.to_pillow())


def write_picture(path: Path, picture: PillowImage) -> None:
    """Write any Pillow picture atomically, as PNG unless the suffix says otherwise.

    Raises:
        OutputError: The file cannot be written.
    """
    from PIL import Image as Pillow

    Pillow.init()
    form = Pillow.EXTENSION.get(path.suffix.lower(), "PNG")
    with atomic_path(path) as temporary:
        # level 1 is 5x faster than Pillow's default on 2-megapixel masks, for files a third larger
        options: dict[str, Any] = {"compress_level": 1} if form == "PNG" else {}
        picture.save(temporary, format=form, **options)


def write_image(path: Path, image: Image) -> None:
    """Write an image without loss of bits: PNG for up to 4 bands of 8 or 16 bits, TIFF for the rest.

    Args:
        path: `.png`, `.bmp`, `.tif` (any number of bands, floats too), or `.jpg` (8 bits, 1 or 3 bands, quality 95).
        image: The image.

    Raises:
        ImageError: The file type cannot hold the image.
        OutputError: The file cannot be written.
    """
    import cv2

    pixels: NDArray[Any] = image.pixels
    plain = image.channels in (1, 3, 4) and image.dtype != "float32"
    if not plain and path.suffix.lower() in (".tif", ".tiff"):
        import tifffile

        with atomic_path(path) as temporary:
            layout = {"planarconfig": "contig"} if image.channels > 1 else {}
            stored = pixels if layout else pixels[..., 0]
            tifffile.imwrite(temporary, stored, photometric="minisblack", compression="zlib", **layout)
        return
    if not plain or (image.dtype != "uint8" and path.suffix.lower() not in (".png", ".tif", ".tiff")):
        raise ImageError(
            f"a {path.suffix} file cannot hold this image",
            where=path,
            got=f"{image.channels} bands of {image.dtype}",
            expected="1, 3 or 4 bands of uint8, or of uint16 in .png; anything in .tif",
        )
    if image.channels >= 3:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR if image.channels == 3 else cv2.COLOR_RGBA2BGRA)
    done, encoded = cv2.imencode(path.suffix, pixels)
    if not done:
        raise ImageError("OpenCV cannot encode this image", where=path, got=f"{image.channels} bands of {image.dtype}")
    with atomic_path(path) as temporary:
        temporary.write_bytes(encoded.tobytes())
