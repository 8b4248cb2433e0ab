"""The page of a run: its sections, put together from the document."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from tessella.report.html.frame import brand, whole_page
from tessella.report.html.markup import Html, Numbers, element
from tessella.report.html.parts import hex_colour
from tessella.report.page import charts, photos, run, scores

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
    return whole_page(
        _title(document),
        _masthead(document, element("nav", links, aria_label="Sections")),
        element("main", list(present.values())),
        _footer(document),
        room="tessella.report.page",
    )


def _title(document: Mapping[str, Any]) -> str:
    return f"Scores on {_data_name(document)}"


def _data_name(document: Mapping[str, Any]) -> str:
    source = document["provenance"]
    return PurePath(str(source.get("data") or source.get("truth") or "data")).name or "data"


def _masthead(document: Mapping[str, Any], nav: Html) -> Html:
    split = document["provenance"].get("split")
    parts = [(hex_colour(row["colour"]), row["share"]) for row in document["classes"]]
    return element(
        "header",
        brand(),
        element("h1", _title(document)),
        element("p", "" if split in (None, "all") else f"Split: {split}. ", _STRIP, class_="lead"),
        charts.mosaic(parts),
        nav,
    )


def _footer(document: Mapping[str, Any]) -> Html:
    version = document["provenance"].get("tessella", "")
    said = (
        f"Made by Tessella {version}. Every number on this page is in report.json beside it; nothing was sent anywhere."
    )
    return element("footer", said)
