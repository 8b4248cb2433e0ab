"""Pillow for strangers' files: the plug-ins of pictures alone, no global limit, one error for all that they raise."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Final

from tessella.core.errors import ImageError

if TYPE_CHECKING:
    from PIL.Image import Image as PillowImage

_FORMATS: Final = ("PNG", "JPEG", "TIFF", "BMP", "WEBP", "GIF")
BROKEN: Final = (
    OSError, SyntaxError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, EOFError, struct.error,
    UserWarning,
)  # fmt: skip
"""What Pillow raises on damaged files; it warns of broken tags, and a caller may have made warnings errors."""


def open_pillow(stream: Any, *, where: object) -> PillowImage:  # noqa: ANN401 - any binary stream
    """Open a picture lazily with the plug-in that its first bytes ask for, without Pillow's global pixel limit.

    `PIL.Image.open` measures against a process-wide limit; our budget is an argument. Only the listed formats are
    tried, so an EPS or PDF in a PNG's clothes never reaches its interpreter.

    Raises:
        ImageError: No listed format, or a header that cannot be parsed.
    """
    from PIL import BmpImagePlugin, GifImagePlugin, JpegImagePlugin, PngImagePlugin, TiffImagePlugin, WebPImagePlugin
    from PIL import Image as Pillow

    _ = (BmpImagePlugin, GifImagePlugin, JpegImagePlugin, PngImagePlugin, TiffImagePlugin, WebPImagePlugin)
    start = stream.read(16)
    stream.seek(0)
    if not start:
        raise ImageError("the file is empty", where=where, fix="export or copy it again")
    for name in _FORMATS:
        factory, accept = Pillow.OPEN[name]
        if accept is not None and accept(start) is True:
            try:
                return factory(stream, "")
            except Pillow.DecompressionBombError as error:  # the WebP plug-in asks Pillow's global limit by itself
                raise ImageError(f"the picture is larger than its decoder takes ({error})", where=where) from error
            except BROKEN as error:
                raise damaged(name, error, where) from error
    raise ImageError(
        "this is not a picture of a known format",
        where=where,
        got=f"first bytes {start[:8]!r}",
        expected=", ".join(_FORMATS),
        fix="convert it to PNG, or remove it",
    )


def damaged(form: str | None, error: Exception, where: object) -> ImageError:
    """Return the error of a damaged file, with what its decoder said."""
    return ImageError(f"the {form} file is damaged ({error})", where=where, fix="export or copy it again")


def load_pillow(picture: PillowImage, *, where: object) -> None:
    """Decode an opened picture.

    Raises:
        ImageError: It is truncated or damaged.
    """
    try:
        picture.load()
    except BROKEN as error:
        raise ImageError(
            f"the picture is truncated or damaged ({error})", where=where, fix="export or copy it again"
        ) from error
