"""Photos: one decoder, one EXIF rule, and a pixel budget that is read from the header before anything is decoded."""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import numpy as np

from tessella.core.errors import ImageError, InputError
from tessella.core.image import Image
from tessella.files import tiff
from tessella.files.paths import require_plain
from tessella.files.pillow import BROKEN, damaged, load_pillow, open_pillow
from tessella.files.text import read_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray
    from PIL.Image import Image as PillowImage

PHOTO_BUDGET: Final = 300_000_000
"""Most pixels of a photo or mask that is decoded unless the caller raises it."""

RASTER_BUDGET: Final = 2_000_000_000
"""Most pixels of a raster (TIFF) that is decoded unless the caller raises it."""

FILE_BUDGET: Final = 1 << 34
"""Largest picture file that is read, in bytes."""

_LARGEST_COUNTED: Final = 1 << 24
"""Largest GIF in bytes whose frames are counted."""
_FREE_PIXELS: Final = 1 << 22
_PIXELS_PER_BYTE: Final = {"JPEG": 1000, "MPO": 1000, "PNG": 8800, "TIFF": 40_000}
"""Most pixels that a byte of a file may become: deflate makes 1,032 bytes of one, which hold 8,256 pixels of one bit,
and an empty tile of 512x512 pixels costs a TIFF 8 bytes."""

_MOST_SCANS: Final = 200
"""Most passes of a progressive JPEG; encoders write about ten, and each costs the time of a whole picture."""

_ORIENTATION: Final = 0x0112
_BITS: Final = {"1": 1, "I;16": 16, "I;16B": 16, "I;16L": 16, "I": 32, "F": 32}


@dataclass(frozen=True, slots=True)
class Header:
    """What a picture file says of itself before it is decoded.

    Args:
        format: `PNG`, `JPEG`, `MPO`, `TIFF`, `BMP`, `WEBP` or `GIF`, by content, not by suffix.
        hw: Height and width in pixels as stored, before EXIF orientation.
        mode: Pillow's mode: `1`, `L`, `P`, `RGB`, `RGBA`, `I;16`, ...; "" for TIFF.
        bits: Bits per band.
        channels: Number of bands.
        orientation: EXIF orientation 1..8; 1 is upright.
        frames: Number of pictures in the file.
    """

    format: str
    hw: tuple[int, int]
    mode: str
    bits: int
    channels: int
    orientation: int
    frames: int

    @property
    def upright_hw(self) -> tuple[int, int]:
        """Height and width after EXIF orientation is applied."""
        return (self.hw[1], self.hw[0]) if self.orientation >= 5 else self.hw


def read_header(path: Path) -> Header:
    """Read what a picture file says of itself, without decoding it.

    Raises:
        InputError: The file cannot be read.
        ImageError: It is not a picture of a known format.
    """
    try:
        with require_plain(path).open("rb") as stream:
            start = stream.read(4)
            stream.seek(0)
            if start in tiff.MAGIC:
                return _tiff_header(stream, where=path)
            return picture_header(open_pillow(stream, where=path), where=path)
    except FileNotFoundError as error:
        raise InputError("there is no such file", where=path, fix="check the spelling") from error
    except OSError as error:
        raise InputError(f"the file cannot be read ({error.strerror or error})", where=path) from error


def decode_header(data: bytes, *, where: object) -> Header:
    """Like `read_header`, for the bytes of a file."""
    if data[:4] in tiff.MAGIC:
        return _tiff_header(io.BytesIO(data), where=where)
    return picture_header(open_pillow(io.BytesIO(data), where=where), where=where)


def read_hw(path: Path, *, max_pixels: int | None = None) -> tuple[int, int]:
    """Read the height and width of a photo after EXIF orientation, without decoding it.

    Raises:
        InputError: The file cannot be read.
        ImageError: It is not a picture, or one that `read_image` would refuse for its size.
    """
    header = read_header(path)
    check_budget(header, where=path, max_pixels=max_pixels, size=path.stat().st_size)
    return header.upright_hw


def read_image(path: Path, *, max_pixels: int | None = None) -> Image:
    """Read a photo upright: 8 or 16 bits or float, any number of bands, RGB order.

    Args:
        path: PNG, JPEG, TIFF, BMP, WebP or GIF, recognised by content.
        max_pixels: Refuse larger pictures; by default 300 megapixels, for TIFF 2 gigapixels.

    Raises:
        InputError: The file cannot be read.
        ImageError: Not a picture, damaged, truncated, or larger than the budget.
    """
    return decode_image(read_bytes(path, max_bytes=FILE_BUDGET), where=path, max_pixels=max_pixels)


def decode_image(data: bytes, *, where: object, max_pixels: int | None = None) -> Image:
    """Like `read_image`, for the bytes of a file; `where` names the source in errors."""
    header = decode_header(data, where=where)
    check_data(data, header, where=where, max_pixels=max_pixels)
    with enough_memory(where):
        if header.format == "TIFF":
            stored = tiff.decode(data, where=where)
        elif header.format == "GIF" or header.mode in ("LA", "PA"):
            stored = _by_pillow(data, where=where)
        else:
            stored = _by_cv2(data, header, where=where)
    return Image(np.ascontiguousarray(orient(stored, header.orientation)))


def check_budget(header: Header, *, where: object, max_pixels: int | None = None, size: int | None = None) -> None:
    """Refuse a picture that is larger than the budget, or than its file can hold, before it is decoded.

    Args:
        header: What the file says of itself.
        where: The path, for messages.
        max_pixels: The budget, or None for the usual one; every four bands count as a picture of their own.
        size: The bytes of the file, where they are known.

    Raises:
        ImageError: Too many pixels.
    """
    default = RASTER_BUDGET if header.format == "TIFF" else PHOTO_BUDGET
    budget = default if max_pixels is None else max_pixels
    check_hw(header.hw, where=where, max_pixels=budget)
    (height, width), what, expected = header.hw, "", None
    samples = height * width * max(1, -(-header.channels // 4))
    if samples > budget:
        what, expected = (
            "the picture holds more than the pixel budget in all its bands",
            f"at most {budget} of four bands",
        )
    elif size is not None and max_pixels is None and samples > max(_FREE_PIXELS, size * _densest(header)):
        what = f"the file is far too small, with {size} bytes, for the picture that it claims to hold"
    if what:
        raise ImageError(
            what,
            where=where,
            got=f"{width}x{height} pixels in {header.channels} bands",
            expected=expected,
            fix=f"if the file is what it claims to be, pass --max-pixels {samples} (in Python: max_pixels)",
        )


def _densest(header: Header) -> int:
    most = _PIXELS_PER_BYTE.get(header.format, 10_000)
    return most // max(1, header.bits * header.channels) + 1 if header.format == "PNG" else most


@contextlib.contextmanager
def enough_memory(where: object) -> Iterator[None]:
    """Turn a lack of memory into an ImageError that names the picture."""
    try:
        yield
    except MemoryError as error:
        raise ImageError(
            "this machine has not enough memory to decode the picture", where=where, fix="cut it into tiles"
        ) from error


def check_data(data: bytes, header: Header, *, where: object, max_pixels: int | None = None) -> None:
    """Refuse what `check_budget` refuses, and a progressive JPEG of too many passes, by an ImageError."""
    check_budget(header, where=where, max_pixels=max_pixels, size=len(data))
    if header.format in ("JPEG", "MPO") and data.count(b"\xff\xda") > _MOST_SCANS:
        raise ImageError(
            "the JPEG is made of more passes than any encoder writes", where=where, expected=f"at most {_MOST_SCANS}"
        )


def check_hw(hw: tuple[int, int], *, where: object, max_pixels: int | None = None) -> None:
    """Refuse a declared size that is larger than the budget, before an array of it is made.

    Args:
        hw: Height and width in pixels that a file states.
        where: File and key, for messages.
        max_pixels: The budget, or None for 300 megapixels.

    Raises:
        ImageError: Too many pixels.
    """
    budget = PHOTO_BUDGET if max_pixels is None else max_pixels
    height, width = hw
    if height * width > budget:
        raise ImageError(
            "the picture is larger than the pixel budget",
            where=where,
            got=f"{width}x{height} = {height * width} pixels",
            expected=f"at most {budget}",
            fix=f"if the file is what it claims to be, pass --max-pixels {height * width} (in Python: max_pixels)",
        )


def orient(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Turn stored pixels upright by the EXIF orientation.

    Args:
        pixels: (H, W) or (H, W, C).
        orientation: 1..8 (Exif 2.32, tag 0x0112).

    Returns:
        A view where possible: (H, W, ...) for 1..4, (W, H, ...) for 5..8.
    """
    if orientation >= 5:
        pixels = np.swapaxes(pixels, 0, 1)
    upside_down = orientation in (3, 4, 7, 8)
    mirrored = orientation in (2, 3, 6, 7)
    return pixels[:: -1 if upside_down else 1, :: -1 if mirrored else 1]


def _tiff_header(stream: BinaryIO, *, where: object) -> Header:
    hw, bits, channels, orientation, frames = tiff.read_tags(stream, where=where)
    return _checked(Header("TIFF", hw, "", bits, channels, orientation, frames), where=where)


def picture_header(picture: PillowImage, *, where: object) -> Header:
    """Say of an opened picture, other than a TIFF, what `decode_header` says of its bytes."""
    bits = _png_bits(picture) if picture.format == "PNG" else _BITS.get(picture.mode, 8)
    try:
        frames = _frames(picture)
    except BROKEN as error:
        raise damaged(picture.format, error, where) from error
    header = Header(
        format=picture.format or "",
        hw=(picture.height, picture.width),
        mode=picture.mode,
        bits=bits,
        channels=len(picture.getbands()),
        orientation=_exif_orientation(picture),
        frames=frames,
    )
    return _checked(header, where=where)


def _frames(picture: PillowImage) -> int:
    # 2 stands for whatever is more in a GIF too large to count its pictures
    if picture.format == "GIF":
        stream: Any = picture.fp  # type: ignore[attr-defined]
        place = stream.tell()
        large = stream.seek(0, 2) > _LARGEST_COUNTED
        stream.seek(place)
        if large:
            return 1 + bool(getattr(picture, "is_animated", False))
    return int(getattr(picture, "n_frames", 1))


def _checked(header: Header, *, where: object) -> Header:
    if min(header.hw) < 1:
        raise ImageError("the picture has no pixels", where=where, got="{1}x{0}".format(*header.hw))
    if not 1 <= header.orientation <= 8:
        return replace(header, orientation=1)  # Exif 2.32 reserves other values; viewers show the picture as stored
    return header


def _exif_orientation(picture: PillowImage) -> int:
    from PIL import Image as Pillow

    # Pillow's own getexif() would decode a whole PNG to look for a chunk behind the pixels
    raw = picture.info.get("exif")
    if not raw:
        return 1
    exif = Pillow.Exif()
    try:
        exif.load(raw)
        return int(exif.get(_ORIENTATION, 1))
    except BROKEN:
        return 1  # a broken EXIF block says nothing of the orientation; viewers ignore it too


def _png_bits(picture: PillowImage) -> int:
    stream: Any = getattr(picture, "fp", None)
    position = stream.tell()
    stream.seek(24)  # behind signature, length, "IHDR", width and height (PNG specification, 11.2.2)
    bits = int(stream.read(1)[0])
    stream.seek(position)
    return bits


def _by_cv2(data: bytes, header: Header, *, where: object) -> NDArray[Any]:
    import cv2

    # IMREAD_UNCHANGED keeps 16 bits and leaves EXIF alone; every other flag turns the picture or cuts it to 8 bits
    try:
        whole = header.format != "PNG" or _has_whole_chunks(data)
        stored = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED) if whole else None
    except cv2.error:  # more than 2**30 pixels, or 2**20 on a side
        stored = None
    if stored is None and header.bits > 8 and header.channels > 1:
        raise ImageError(
            "the picture is damaged, or larger than its decoder takes",
            where=where,
            got=f"{header.channels} bands of {header.bits} bits",
            fix="export or copy it again, large ones as TIFF",
        )
    if stored is None:
        return _by_pillow(data, where=where)
    if stored.shape[:2] != header.hw:
        raise ImageError("the decoded size is not the declared one", where=where, got=stored.shape, expected=header.hw)
    if stored.ndim == 2:
        return stored[..., None]
    if stored.shape[2] == 1:
        return stored
    return cv2.cvtColor(stored, cv2.COLOR_BGR2RGB if stored.shape[2] == 3 else cv2.COLOR_BGRA2RGBA)


def _has_whole_chunks(data: bytes) -> bool:
    """Whether each chunk of a PNG ends inside the file; OpenCV takes memory for what a chunk promises, up to 2 GiB."""
    place = 8
    while place + 12 <= len(data):
        length = int.from_bytes(data[place : place + 4], "big")
        if data[place + 4 : place + 8] == b"IEND":
            return length == 0
        place += 12 + length
    return False


def _by_pillow(data: bytes, *, where: object) -> NDArray[Any]:
    picture = open_pillow(io.BytesIO(data), where=where)
    load_pillow(picture, where=where)
    plain = {"LA": "LA", "PA": "RGBA", "RGBA": "RGBA", "L": "L", "1": "L", "I;16": "I;16"}.get(picture.mode, "RGB")
    pixels = np.asarray(picture if picture.mode == plain else picture.convert(plain))
    return pixels[..., None] if pixels.ndim == 2 else pixels
