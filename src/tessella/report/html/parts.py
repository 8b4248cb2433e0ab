"""Parts that pages share: a colour, a bar, a severity, a picture."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING, Literal

from tessella.report.html.markup import Html, element

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL.Image import Image as PillowImage


def swatch(colour: Sequence[int]) -> Html:
    """Show a colour as a small tile."""
    tile = element("rect", x=0, y=0, width=16, height=16, rx=3, fill=hex_colour(colour))
    return element("svg", tile, viewBox="0 0 16 16", class_="swatch", aria_hidden="true")


def hex_colour(colour: Sequence[int]) -> str:
    """Write red, green, blue as `#rrggbb`."""
    return "#" + "".join(f"{channel:02x}" for channel in colour)


def bar(share: float | None) -> Html:
    """Draw a share 0..1 as a bar that fills its cell."""
    filled = element("rect", x=0, y=0, width=round(100 * (share or 0), 2), height=10, class_="bar")
    ground = element("rect", x=0, y=0, width=100, height=10, class_="ground")
    drawing = [ground, filled]
    return element("svg", drawing, viewBox="0 0 100 10", preserveAspectRatio="none", aria_hidden="true", class_="meter")


def severity_mark(severity: str, *, word: str | None = None) -> Html:
    """Show how grave a finding is.

    Args:
        severity: `error`, `warning` or `info`.
        word: What is written; by default the severity itself.
    """
    return element("span", severity if word is None else word, class_=f"severity {severity}")


def data_uri(picture: PillowImage, kind: Literal["JPEG", "PNG", "WEBP"]) -> str:
    """Encode a picture as a data URI: photos as JPEG or, the smaller, WebP; what must stay exact as PNG."""
    stream = io.BytesIO()
    settings: dict[str, int] = {
        "JPEG": {"quality": 84, "subsampling": 0},
        "PNG": {"compress_level": 7},
        "WEBP": {"quality": 78, "method": 2},
    }[kind]
    picture.save(stream, kind, **settings)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(stream.getvalue()).decode()}"
