"""Sections of the page: the verdict, the classes, the confusion matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tessella.report.html.markup import Child, Html, Numbers, count, element, percent, score
from tessella.report.html.parts import bar, swatch

if TYPE_CHECKING:
    from collections.abc import Mapping

MATRIX_CLASSES: Final = 32
"""Most classes of a confusion matrix on the page; beyond that, those with the most wrong pixels are shown."""

WRITTEN_CLASSES: Final = 14
"""Up to this many classes the cells carry their percentage in writing."""


def verdict(document: Mapping[str, Any], numbers: Numbers) -> Html:
    """Show the mIoU, what it means, the other headline scores, and what must be known to read them."""
    cards = [
        ("Pixel accuracy", numbers.show("pixel_accuracy", score)),
        ("Mean accuracy", numbers.show("mean_accuracy", score)),
        ("Mean Dice", numbers.show("mean_dice", score)),
        ("Photos scored", numbers.show("images", count)),
        ("Pixels scored", numbers.show("pixels", count)),
        ("Pixels ignored", numbers.show("ignored_pixels", count)),
    ]
    said = document["verdict"]
    warnings = [element("p", note, class_="note", role="note") for note in document["notes"]]
    unscored = [element("li", photo["name"], ": ", photo["why"]) for photo in document["unscored"]]
    return element(
        "section",
        element(
            "div",
            element("div", element("div", numbers.show("miou", score), class_="big"), element("span", "mean IoU")),
            element("div", element("h2", said["headline"]), element("p", said["sentence"])),
            class_="verdict",
        ),
        element(
            "dl", [element("div", element("dt", name), element("dd", shown)) for name, shown in cards], class_="cards"
        ),
        warnings,
        element("details", element("summary", "Photos that could not be scored"), element("ul", unscored), open=True)
        if unscored
        else None,
        element("p", "Averaging: ", document["averaging"], ".", class_="soft"),
        id="scores",
    )


def classes(document: Mapping[str, Any], numbers: Numbers) -> Html:
    """Show a bar per class with its scores and its support, the best first, undefined ones last."""
    rows = document["classes"]
    order = sorted(
        range(len(rows)), key=lambda index: -1 if rows[index]["iou"] is None else rows[index]["iou"], reverse=True
    )
    head = [
        element("th", name, class_="num" if index > 1 else None, scope="col")
        for index, name in enumerate(("Class", "IoU", "", "Dice", "Precision", "Recall", "True pixels", "Share"))
    ]
    body = [_class_row(rows[index], f"classes.{index}", numbers) for index in order]
    return element(
        "section",
        element("h2", "Classes"),
        element(
            "p",
            "IoU is the overlap of truth and prediction divided by their union. A dash means that the class "
            "occurs in neither, so no score is defined; it is left out of the means.",
            class_="lead",
        ),
        element("table", element("thead", element("tr", head)), element("tbody", body), class_="classes"),
        id="classes",
    )


def _class_row(row: Mapping[str, Any], path: str, numbers: Numbers) -> Html:
    def detail(key: str, label: str) -> Html:
        style = count if key == "pixels" else percent if key == "share" else score
        return element("td", numbers.show(f"{path}.{key}", style), class_="num detail", data_label=label)

    return element(
        "tr",
        element("td", swatch(row["colour"]), row["name"]),
        element("td", bar(row["iou"]), class_="bar-cell"),
        element("td", numbers.show(f"{path}.iou", score), class_="num iou"),
        detail("dice", "Dice"),
        detail("precision", "Precision"),
        detail("recall", "Recall"),
        detail("pixels", "True pixels"),
        detail("share", "Share of all pixels"),
    )


def confusion(document: Mapping[str, Any], numbers: Numbers) -> Html:
    """Show where the pixels of each class went: rows truth, columns prediction, counts on hover or tap."""
    names = [row["name"] for row in document["classes"]]
    shown = _shown_classes(document)
    dense = len(shown) > WRITTEN_CLASSES
    headings = [names[column] for column in shown] + (["no class named"] if document["abstained_pixels"] else [])
    head = element("tr", element("th"), [element("th", element("span", name), scope="col") for name in headings])
    body = [
        element(
            "tr",
            element("th", names[row], scope="row"),
            [_cell(document, numbers, row, column, dense=dense) for column in shown],
            _abstained_cell(document, numbers, row, dense=dense) if document["abstained_pixels"] else None,
        )
        for row in shown
    ]
    left_out = "Only the classes with the most wrong pixels are shown; all are in report.json. "
    lead = (
        "Each row shows where the pixels of one true class went, in per cent of that class. Hover over a cell, or tap "
        "it, for the counts."
    )
    return element(
        "section",
        element("h2", "Confusion"),
        element("p", left_out if len(shown) < len(names) else "", lead, class_="lead"),
        element(
            "div",
            element(
                "div",
                element(
                    "table", element("thead", head), element("tbody", body), class_="heat dense" if dense else "heat"
                ),
                class_="scroll",
            ),
            _mistakes(document, numbers),
            class_="beside",
        ),
        id="confusion",
    )


def _cell(document: Mapping[str, Any], numbers: Numbers, row: int, column: int, *, dense: bool) -> Html:
    pixels = document["confusion"][row][column]
    share = document["confusion_share"][row][column]
    truth, guess = (document["classes"][index]["name"] for index in (row, column))
    says = [element("b", truth), " rightly found" if row == column else [" taken for ", element("b", guess)]]
    paths = (f"confusion.{row}.{column}", f"confusion_share.{row}.{column}")
    # the square root lifts the few per cent that mistakes mostly are out of the white
    tone = f"g{round(10 * share)}" if row == column else f"b{min(10, round(10 * share**0.5))}"
    return (
        _heat_cell(numbers, paths, says, tone=tone, written=not dense and share >= 0.005) if pixels else element("td")
    )


def _abstained_cell(document: Mapping[str, Any], numbers: Numbers, row: int, *, dense: bool) -> Html:
    info = document["classes"][row]
    if not info["abstained_pixels"]:
        return element("td")
    paths = (f"classes.{row}.abstained_pixels", f"classes.{row}.abstained_share")
    share = info["abstained_share"]
    says = [element("b", info["name"]), " given no class"]
    tone = f"b{min(10, round(10 * share**0.5))}"
    return _heat_cell(numbers, paths, says, tone=tone, written=not dense and share >= 0.005)


def _heat_cell(numbers: Numbers, paths: tuple[str, str], says: Child, *, tone: str, written: bool) -> Html:
    pixels, share = numbers.show(paths[0], count), numbers.show(paths[1], percent)
    tip = element("span", says, ": ", pixels, " px, ", share, " of the class", class_="tip", role="tooltip")
    return element("td", numbers.show(paths[1], _whole_percent) if written else None, tip, class_=tone, tabindex=-1)


def _whole_percent(value: float) -> str:
    # 99.6 % is not 100 %: a row that says 100 has no mistake in it
    return str(min(round(100 * value), 99) if value < 1 else 100)


def _shown_classes(document: Mapping[str, Any]) -> list[int]:
    matrix = document["confusion"]
    size = len(matrix)
    if size <= MATRIX_CLASSES:
        return list(range(size))
    wrong = [sum(matrix[i]) + sum(row[i] for row in matrix) - 2 * matrix[i][i] for i in range(size)]
    return sorted(sorted(range(size), key=lambda index: -wrong[index])[:MATRIX_CLASSES])


def _mistakes(document: Mapping[str, Any], numbers: Numbers) -> Html | None:
    listed = [
        element(
            "li",
            element("b", mistake["truth"]),
            " taken for ",
            element("b", mistake["guess"]),
            ": ",
            numbers.show(f"mistakes.{position}.share", percent),
            f" of {mistake['truth']}, ",
            numbers.show(f"mistakes.{position}.pixels", count),
            " px",
        )
        for position, mistake in enumerate(document["mistakes"])
    ]
    if not listed:
        return None
    return element(
        "div", element("h3", "Most frequent mistakes"), element("ol", listed, class_="mistakes"), class_="mistakes-box"
    )
