"""The page: one HTML file that opens from disk, runs no script and makes no request."""

from __future__ import annotations

import base64
import hashlib
from importlib import resources
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from tessella.report.page import charts, photos, run, scores
from tessella.report.page.markup import Html, Numbers, element

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tessella.report.page.pictures import Panels

_TITLES = {
    "scores": "Scores",
    "classes": "Classes",
    "confusion": "Confusion",
    "photos": "Photos",
    "training": "Training",
    "check": "Data check",
    "plan": "Plan",
    "origin": "Origin",
}


_STRIP = "The strip shows each class's share of the true pixels."


def render(document: Mapping[str, Any], panels: Sequence[Panels]) -> str:
    """Render the page.

    The content security policy allows nothing but this page's own style sheet, by its hash, and pictures that are in
    the page itself: whatever a file name or label may hold, no script runs and nothing is requested.

    Args:
        document: What `report.json` holds.
        panels: The pictures, one set per entry of `document["examples"]`.

    Returns:
        The whole HTML file.
    """
    numbers = Numbers(document)
    sections = {
        "scores": scores.verdict(document, numbers),
        "classes": scores.classes(document, numbers),
        "confusion": scores.confusion(document, numbers),
        "photos": photos.photos(document, numbers, panels),
        "training": run.training(document, numbers),
        "check": run.findings(document, numbers),
        "plan": run.plan(document),
        "origin": run.origin(document),
    }
    present = {key: section for key, section in sections.items() if section is not None}
    links = [element("a", _TITLES[key], href=f"#{key}") for key in present]
    body = element(
        "body",
        element(
            "div",
            _masthead(document, element("nav", links, aria_label="Sections")),
            element("main", list(present.values())),
            _footer(document),
            class_="wrap",
        ),
    )
    return f'<!doctype html>\n<html lang="en">{_head(_title(document))}{body}</html>\n'


def _head(title: str) -> Html:
    style = resources.files("tessella.report.page").joinpath("style.css").read_text(encoding="utf-8")
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


def _title(document: Mapping[str, Any]) -> str:
    return f"Scores on {_data_name(document)}"


def _data_name(document: Mapping[str, Any]) -> str:
    source = document["provenance"]
    return PurePath(str(source.get("data") or source.get("truth") or "data")).name or "data"


def _masthead(document: Mapping[str, Any], nav: Html) -> Html:
    split = document["provenance"].get("split")
    parts = [(scores.hex_colour(row["colour"]), row["share"]) for row in document["classes"]]
    return element(
        "header",
        element("div", mark(), "Tessella", class_="brand"),
        element("h1", _title(document)),
        element("p", "" if split in (None, "all") else f"Split: {split}. ", _STRIP, class_="lead"),
        charts.mosaic(parts),
        nav,
    )


def mark() -> Html:
    """Return the mosaic that stands beside the name."""
    tones = ("a", "b", "c", "b", "a", "d", "c", "a", "b")
    tiles = [
        element("rect", x=index % 3 * 8, y=index // 3 * 8, width=7, height=7, rx=1.2, class_=f"tile-{tone}")
        for index, tone in enumerate(tones)
    ]
    return element("svg", tiles, viewBox="0 0 23 23", aria_hidden="true")


def _footer(document: Mapping[str, Any]) -> Html:
    version = document["provenance"].get("tessella", "")
    said = (
        f"Made by Tessella {version}. Every number on this page is in report.json beside it; nothing was sent anywhere."
    )
    return element("footer", said)
