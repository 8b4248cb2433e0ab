"""Pages of a TIFF file, one at a time: what a stack of slices, frames or label maps is made of."""

from __future__ import annotations

import contextlib
import lzma
import struct
import zlib
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from tessella.core.errors import ImageError, InputError
from tessella.files.images import Header, check_budget, enough_memory
from tessella.files.paths import require_plain
from tessella.files.tiff import plain_options, refuse_absurd

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

_BROKEN: Final = (
    ValueError, LookupError, TypeError, AttributeError, RuntimeError, ArithmeticError, EOFError, struct.error,
    zlib.error, lzma.LZMAError,
)  # fmt: skip
"""What tifffile and its decoders raise on damaged files."""

PAGE_BUDGET: Final = 100_000
"""Most pages of a file."""


class Stack(NamedTuple):
    """What a TIFF file says of its pages.

    Args:
        pages: How many pages of the size of the first there are.
        hw: Height and width of the first page.
        bands: Bands of the first page.
        dtype: NumPy's name of its pixels.
    """

    pages: int
    hw: tuple[int, int]
    bands: int
    dtype: str


def read_stack(path: Path) -> Stack:
    """Say how many pages a TIFF file has, and of what kind, without decoding any.

    Raises:
        InputError: The file cannot be read.
        ImageError: It is no TIFF file, damaged, or its pages differ in size.
    """
    with _opened(path) as tiff:
        pages = tiff.pages
        if not 1 <= len(pages) <= PAGE_BUDGET:
            raise ImageError("a TIFF file has too many pages", where=path, got=len(pages), expected=PAGE_BUDGET)
        first, last = pages[0], pages[len(pages) - 1]
        hw = (int(first.imagelength), int(first.imagewidth))
        if (int(last.imagelength), int(last.imagewidth)) != hw:
            raise ImageError(
                "the pages of this TIFF file differ in size", where=path,
                got=f"{last.imagewidth}x{last.imagelength}", expected=f"{hw[1]}x{hw[0]} as the first",
            )  # fmt: skip
        return Stack(len(pages), hw, int(first.samplesperpixel), str(first.dtype))


def read_page(path: Path, number: int, *, max_pixels: int | None = None) -> NDArray[Any]:
    """Decode one page as stored.

    Args:
        path: A TIFF file.
        number: Which page, from 0.
        max_pixels: Most pixels of a page, by default 2 gigapixels.

    Returns:
        (H, W) or (H, W, C) of the file's type.

    Raises:
        InputError: The file cannot be read.
        ImageError: No such page, damaged, or larger than the budget.
    """
    with _opened(path) as tiff:
        try:
            page = tiff.pages[number]  # the number of all pages would cost a look at each of them
        except IndexError:
            raise ImageError("a TIFF file has no such page", where=path, got=number) from None
        hw = (int(page.imagelength), int(page.imagewidth))
        header = Header("TIFF", hw, "", int(page.bitspersample), int(page.samplesperpixel), 1, 1)
        check_budget(header, where=path, max_pixels=max_pixels, size=path.stat().st_size)
        with enough_memory(path):
            pixels = np.asarray(page.asarray())
    if pixels.ndim == 3 and pixels.shape[1:] == hw and pixels.shape[2:] != hw[1:]:
        pixels = np.moveaxis(pixels, 0, -1)
    if pixels.shape[:2] != hw or pixels.ndim > 3:
        raise ImageError("a page is no picture", where=f"{path}: page {number}", got=pixels.shape, expected=hw)
    return pixels


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Any]:
    import tifffile

    try:
        with require_plain(path).open("rb") as stream:
            refuse_absurd(stream, where=path)
            with tifffile.TiffFile(stream, **plain_options()) as tiff:
                yield tiff
    except FileNotFoundError as error:
        raise InputError("there is no such file", where=path, fix="check the spelling") from error
    except OSError as error:
        raise InputError(f"the file cannot be read ({error.strerror or error})", where=path) from error
    except _BROKEN as error:
        needs_codec = "imagecodecs" in str(error)
        raise ImageError(
            f"the TIFF file is damaged ({error})",
            where=path,
            fix="run: pip install 'tessella[tiff]'" if needs_codec else "export or copy it again",
        ) from error
