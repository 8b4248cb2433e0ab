"""The page: one HTML file that opens from disk, runs no script and makes no request."""

from __future__ import annotations

import base64
import hashlib
from importlib import resources
from typing import TYPE_CHECKING, Final

from tessella._version import __version__
from tessella.checking.meanings import meaning
from tessella.checking.plugins import all_rules
from tessella.report.page.charts import bar
from tessella.report.page.layout import mark
from tessella.report.page.markup import Html, count, element, percent
from tessella.report.page.scores import swatch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tessella.checking import Checked
    from tessella.core.classes import ClassTable
    from tessella.core.finding import Finding
    from tessella.report.check_page.pictures import View

LISTED: Final = 60
"""Most findings of a rule that are named one by one."""

SEVERITIES: Final = ("error", "warning", "info")
_WORDS: Final = {"error": ("error", "errors"), "warning": ("warning", "warnings"), "info": ("remark", "remarks")}


def render(checked: Checked, table: ClassTable, views: Mapping[int, list[View]], *, name: str) -> str:
    """Render the page.

    The content security policy allows nothing but this page's own style sheet, by its hash, and pictures that are in
    the page itself: whatever a file name or label may hold, no script runs and nothing is requested.

    Args:
        checked: What was found.
        table: The classes and their colours.
        views: The pictures of findings by their number.
        name: What the data set is called.

    Returns:
        The whole HTML file.
    """
    groups = _groups(checked)
    body = element(
        "body",
        element(
            "div",
            _masthead(checked, name),
            element(
                "main", _classes(checked, table), _filters(checked) if groups else None, _found(checked, groups, views)
            ),
            element(
                "footer", f"Made by Tessella {__version__}. The page is complete in itself; nothing was sent anywhere."
            ),
            class_="wrap",
        ),
    )
    return f'<!doctype html>\n<html lang="en">{_head(f"Check of {name}")}{body}</html>\n'


def _head(title: str) -> Html:
    style = "".join(
        resources.files(place).joinpath("style.css").read_text(encoding="utf-8")
        for place in ("tessella.report.page", "tessella.report.check_page")
    )
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


def _masthead(checked: Checked, name: str) -> Html:
    splits = ", ".join(f"{count(number)} {split}" for split, number in checked.splits.items())
    counts = checked.counts
    said = ", ".join(_counted(counts[severity], severity) for severity in SEVERITIES)
    verdict = "Nothing was found" if not checked.findings else said
    return element(
        "header",
        element("div", mark(), "Tessella", class_="brand"),
        element("h1", f"Check of {name}"),
        element(
            "p", f"{count(checked.samples)} photos, {checked.format}", f" ({splits})" if splits else "", class_="lead"
        ),
        element("p", verdict, class_="said"),
        [element("p", note, class_="soft small") for note in checked.notes],
    )


def _classes(checked: Checked, table: ClassTable) -> Html:
    total = max(1, sum(checked.pixels.values()))
    colours = {**dict(zip(table.names, table.colours, strict=True)), "ignore": (224, 224, 192)}
    rows = [
        element(
            "tr",
            element("td", swatch(colours[name]), name),
            element("td", bar(pixels / total), class_="bar-cell"),
            element("td", percent(pixels / total), class_="num"),
            element("td", count(pixels), class_="num soft"),
        )
        for name, pixels in checked.pixels.items()
    ]
    head = element(
        "tr",
        [element("th", word, scope="col") for word in ("Class", "")],
        [element("th", word, scope="col", class_="num") for word in ("Share", "Pixels")],
    )
    table_ = element("table", element("thead", head), element("tbody", rows), class_="histogram")
    return element("section", element("h2", "Classes"), element("div", table_, class_="scroll"), id="classes")


def _filters(checked: Checked) -> Html:
    counts = checked.counts
    boxes = [
        element(
            "label",
            element("input", type="checkbox", id=f"show-{severity}", checked=True),
            element("span", severity if severity != "info" else "remark", class_=f"severity {severity}"),
            count(counts[severity]),
        )
        for severity in SEVERITIES
        if counts[severity]
    ]
    return element("div", "Show: ", boxes, class_="filters")


def _found(checked: Checked, groups: list[tuple[str, list[int]]], views: Mapping[int, list[View]]) -> list[Html]:
    if not groups:
        return [element("p", "No rule found anything.", class_="said")]
    return [_group(checked, code, numbers, views) for code, numbers in groups]


def _group(checked: Checked, code: str, numbers: list[int], views: Mapping[int, list[View]]) -> Html:
    findings = [checked.findings[number] for number in numbers]
    shown = [number for number in numbers if number in views]
    rest = [number for number in numbers if number not in views]
    more = len(rest) - LISTED
    return element(
        "section",
        element(
            "h2",
            element("code", code),
            " ",
            all_rules()[code].title,
            element("span", count(len(numbers)), class_="many"),
        ),
        element("p", meaning(code), class_="soft") if meaning(code) else None,
        element("div", [_figure(checked.findings[number], views[number]) for number in shown], class_="findings"),
        element("ul", [_line(checked.findings[number]) for number in rest[:LISTED]], class_="rest") if rest else None,
        element("p", f"and {count(more)} more", class_="soft") if more > 0 else None,
        class_=" ".join(
            [
                "rule",
                *(f"of-{severity}" for severity in SEVERITIES if any(one.severity == severity for one in findings)),
            ]
        ),
        id=code,
    )


def _figure(finding: Finding, views: list[View]) -> Html:
    pictures = [
        element(
            "figure",
            element(
                "img",
                src=view.uri,
                width=view.width,
                height=view.height,
                alt=f"{finding.where}: {view.says}",
                loading="lazy",
            ),
            element("figcaption", view.says),
        )
        for view in views
    ]
    return element(
        "article",
        element(
            "header",
            element("span", _WORDS[finding.severity][0], class_=f"severity {finding.severity}"),
            element("span", finding.where, class_="name"),
        ),
        element("p", finding.what),
        element("div", pictures, class_="views"),
        element("p", "To do: ", finding.fix, class_="soft small"),
        class_=f"place is-{finding.severity}",
    )


def _line(finding: Finding) -> Html:
    return element(
        "li",
        element("span", _WORDS[finding.severity][0], class_=f"severity {finding.severity}"),
        element("strong", finding.where),
        ": ",
        finding.what,
        ". To do: ",
        finding.fix,
        class_=f"is-{finding.severity}",
    )


def _groups(checked: Checked) -> list[tuple[str, list[int]]]:
    """Return findings by rule, the gravest rules first."""
    found: dict[str, list[int]] = {}
    for number, finding in enumerate(checked.findings):
        found.setdefault(finding.code, []).append(number)
    return sorted(
        found.items(), key=lambda item: min(SEVERITIES.index(checked.findings[number].severity) for number in item[1])
    )


def _counted(number: int, severity: str) -> str:
    one, many = _WORDS[severity]
    return f"{count(number)} {one if number == 1 else many}"
