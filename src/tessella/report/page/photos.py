"""Section of the page: photos, the best, the middle and the worst, and how all of them spread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tessella.report.html.markup import Html, Numbers, count, element, score
from tessella.report.html.parts import swatch
from tessella.report.page import charts
from tessella.report.page.pictures import ABSTAINED, UNSCORED, WRONG
from tessella.report.page.scores import MATRIX_CLASSES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tessella.report.page.pictures import Panels

LISTED_PHOTOS: Final = 50
"""Most photos in the list of the lowest scores."""

_RANKS: Final = {"best": "Best", "median": "In the middle", "worst": "Worst"}
_KEYS: Final = (
    ((224, 224, 224), "right"),
    (WRONG, "wrong class"),
    (ABSTAINED, "no class named"),
    (UNSCORED, "not scored"),
)


def photos(document: Mapping[str, Any], numbers: Numbers, panels: Sequence[Panels]) -> Html | None:
    """Show how the photos spread, and the best, the middle and the worst with truth, prediction and error map."""
    rows = document["per_image"]
    scored = [row["miou"] for row in rows if row["miou"] is not None]
    if not scored:
        return None
    strip = element(
        "figure",
        element("figcaption", "mIoU of every photo, over the classes that occur in it", class_="soft"),
        charts.dot_strip(scored, label="mIoU of every photo, from 0 to 1"),
    )
    keys = [element("li", swatch(colour), name) for colour, name in _KEYS]
    known = None
    if len(document["classes"]) <= MATRIX_CLASSES:
        named = [element("li", swatch(row["colour"]), row["name"]) for row in document["classes"]]
        known = element("ul", element("li", "Classes:"), named, class_="legend")
    legend = element("ul", element("li", "Error map:"), keys, class_="legend")
    drawn = [_example(document, numbers, position, panel) for position, panel in enumerate(panels)]
    return element(
        "section",
        element("h2", "Photos"),
        strip,
        [known, legend] if drawn else None,
        drawn,
        _lowest(document, numbers),
        id="photos",
    )


def _example(document: Mapping[str, Any], numbers: Numbers, position: int, panel: Panels) -> Html:
    example = document["examples"][position]
    path = f"per_image.{example['row']}"
    pictures = [
        ("Photo", panel.photo, "photo"),
        ("Truth", panel.truth, "true classes of"),
        ("Prediction", panel.guess, "predicted classes of"),
        ("Errors", panel.errors, "error map of"),
    ]
    shown = [
        element(
            "figure",
            element("img", src=uri, width=panel.width, height=panel.height, alt=f"{what} {example['name']}"),
            element("figcaption", caption),
        )
        for caption, uri, what in pictures
        if uri
    ]
    return element(
        "article",
        element(
            "header",
            element("span", _RANKS[example["rank"]], class_="rank"),
            element("span", example["name"], class_="name"),
            element("span", "mIoU ", numbers.show(f"{path}.miou", score), class_="soft"),
            element("span", "pixel accuracy ", numbers.show(f"{path}.pixel_accuracy", score), class_="soft"),
            _mistake_of(numbers, path),
        ),
        element("div", shown, class_="panels" if panel.photo else "panels three"),
        class_="example",
    )


def _mistake_of(numbers: Numbers, path: str) -> Html | None:
    mistake = numbers.at(f"{path}.mistake")
    if mistake is None:
        return None
    taken = f"{mistake['truth']} taken for {mistake['guess']}" if mistake["guess"] else f"{mistake['truth']} not named"
    shown = numbers.show(f"{path}.mistake.pixels", count)
    return element("span", f"mostly {taken} (", shown, " px)", class_="soft")


def _lowest(document: Mapping[str, Any], numbers: Numbers) -> Html:
    rows = document["per_image"]
    order = sorted((row["miou"], index) for index, row in enumerate(rows) if row["miou"] is not None)
    head = [
        element("th", name, class_="num" if name != "Photo" else None) for name in ("Photo", "mIoU", "Pixel accuracy")
    ]
    body = [
        element(
            "tr",
            element("td", rows[index]["name"]),
            element("td", numbers.show(f"per_image.{index}.miou", score), class_="num"),
            element("td", numbers.show(f"per_image.{index}.pixel_accuracy", score), class_="num"),
        )
        for _, index in order[:LISTED_PHOTOS]
    ]
    table = element("table", element("thead", element("tr", head)), element("tbody", body))
    summary = "All photos, the lowest first" if len(order) <= LISTED_PHOTOS else "The photos with the lowest scores"
    return element("details", element("summary", summary), element("div", table, class_="scroll"))
