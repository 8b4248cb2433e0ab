"""The page of a check: classes, and every rule that found something with its places."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tessella._version import __version__
from tessella.checking.meanings import meaning
from tessella.checking.plugins import all_rules
from tessella.core.finding import SEVERITIES
from tessella.report.html.frame import brand, whole_page
from tessella.report.html.markup import Html, count, element, percent
from tessella.report.html.parts import bar, severity_mark, swatch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tessella.checking import Checked
    from tessella.core.classes import ClassTable
    from tessella.core.finding import Finding
    from tessella.report.check_page.pictures import View

LISTED: Final = 60
"""Most findings of a rule that are named one by one."""

_WORDS: Final = {"error": ("error", "errors"), "warning": ("warning", "warnings"), "info": ("remark", "remarks")}


def render(checked: Checked, table: ClassTable, views: Mapping[int, list[View]], *, name: str) -> str:
    """Render the page.

    Args:
        checked: What was found.
        table: The classes and their colours.
        views: The pictures of findings by their number.
        name: What the data set is called.

    Returns:
        The whole HTML file.
    """
    groups = _groups(checked)
    return whole_page(
        f"Check of {name}",
        _masthead(checked, name),
        element(
            "main", _classes(checked, table), _filters(checked) if groups else None, _found(checked, groups, views)
        ),
        element(
            "footer", f"Made by Tessella {__version__}. The page is complete in itself; nothing was sent anywhere."
        ),
        room="tessella.report.check_page",
    )


def _masthead(checked: Checked, name: str) -> Html:
    splits = ", ".join(f"{count(number)} {split}" for split, number in checked.splits.items())
    counts = checked.counts
    said = ", ".join(_counted(counts[severity], severity) for severity in SEVERITIES)
    verdict = "Nothing was found" if not checked.findings else said
    return element(
        "header",
        brand(),
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
            severity_mark(severity, word=_WORDS[severity][0]),
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
            severity_mark(finding.severity, word=_WORDS[finding.severity][0]),
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
        severity_mark(finding.severity, word=_WORDS[finding.severity][0]),
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
