"""The frame of a page: one HTML file that opens from disk, runs no script and makes no request."""

from __future__ import annotations

import base64
import hashlib
from importlib import resources
from typing import TYPE_CHECKING, Final

from tessella.report.html.markup import Html, element

if TYPE_CHECKING:
    from tessella.report.html.markup import Child

_TONES: Final = ("a", "b", "c", "b", "a", "d", "c", "a", "b")


def whole_page(title: str, *body: Child, room: str) -> str:
    """Return a whole HTML file.

    The content security policy allows nothing but this page's own style sheet, by its hash, and pictures that are in
    the page itself: whatever a file name or label may hold, no script runs and nothing is requested.

    Args:
        title: Of the window.
        body: What stands on the page.
        room: The package whose `style.css` follows the one that all pages share.
    """
    shown = element("body", element("div", body, class_="wrap"))
    return f'<!doctype html>\n<html lang="en">{_head(title, room)}{shown}</html>\n'


def _head(title: str, room: str) -> Html:
    sheets = [resources.files(place).joinpath("style.css") for place in ("tessella.report.html", room)]
    style = "".join(sheet.read_text(encoding="utf-8") for sheet in sheets)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="no-referrer"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        element("style", Html(style)),
    )


def brand() -> Html:
    """Return the mosaic and the name that stand above the title."""
    tiles = [
        element("rect", x=index % 3 * 8, y=index // 3 * 8, width=7, height=7, rx=1.2, class_=f"tile-{tone}")
        for index, tone in enumerate(_TONES)
    ]
    mosaic = element("svg", tiles, viewBox="0 0 23 23", aria_hidden="true")
    return element("div", mosaic, "Tessella", class_="brand")
