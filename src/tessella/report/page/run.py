"""Sections of the page: learning curves, findings of the check, the plan, where the result comes from."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from tessella.core.finding import SEVERITIES
from tessella.report.document import SHOWN_PLACES
from tessella.report.html.markup import Html, Numbers, count, element, general, score
from tessella.report.html.parts import severity_mark
from tessella.report.page import charts

if TYPE_CHECKING:
    from collections.abc import Mapping


def training(document: Mapping[str, Any], numbers: Numbers) -> Html | None:
    """Show loss, validation mIoU and learning rate over the training steps."""
    summary = document["history_summary"]
    if summary is None:
        return None
    curves = []
    for key, title, tone in (
        ("miou", "Validation mIoU while training", "accent"),
        ("loss", "Training loss", "loss"),
        ("learning_rate", "Learning rate", "rate"),
    ):
        points = _line_of(document, key)
        smooth = _line_of(document, "mean_loss") if key == "loss" else []
        limits = (0.0, 1.0) if key == "miou" else None
        if len(smooth) > 1:
            curves.append(charts.line_chart(smooth, title=title, unit="step", tone=tone, limits=limits, faint=points))
        elif len(points) > 1:
            curves.append(charts.line_chart(points, title=title, unit="step", tone=tone, limits=limits))
    facts = [
        ("Steps", "steps", count),
        ("Time", "seconds", duration),
        ("Loss at the end", "last_loss", general),
        ("Best validation mIoU", "best_miou", score),
        ("Reached at step", "best_step", count),
    ]
    shown = [
        element("div", element("dt", name), element("dd", numbers.show(f"history_summary.{key}", style)))
        for name, key, style in facts
        if summary[key] is not None
    ]
    return element(
        "section",
        element("h2", "Training"),
        element("dl", shown, class_="cards"),
        element("div", curves, class_="curves"),
        id="training",
    )


def _line_of(document: Mapping[str, Any], key: str) -> list[tuple[float, float]]:
    return [(row["step"], row[key]) for row in document["history"] if row.get(key) is not None and "step" in row]


def duration(seconds: float) -> str:
    """Write seconds as hours, minutes and seconds."""
    whole = round(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    if hours:
        return f"{hours}\u00a0h {minutes:02d}\u00a0min"
    return f"{minutes}\u00a0min {rest:02d}\u00a0s" if minutes else f"{rest}\u00a0s"


def findings(document: Mapping[str, Any], numbers: Numbers) -> Html | None:
    """Show the findings of the check, grouped by rule, errors first."""
    rows = document["findings"]
    if document["check"] is None and not rows:
        return None
    groups: defaultdict[tuple[int, str], list[int]] = defaultdict(list)
    for index, row in enumerate(rows):
        groups[SEVERITIES.index(row["severity"]), row["code"]].append(index)
    listed = [_group(document, numbers, place, groups[key]) for place, key in enumerate(sorted(groups))]
    return element(
        "section",
        element("h2", "Data check"),
        listed or element("p", "The check of the data found nothing."),
        id="check",
    )


def _group(document: Mapping[str, Any], numbers: Numbers, place: int, indices: list[int]) -> Html:
    rows = [document["findings"][index] for index in indices]
    first = rows[0]
    group = document["finding_groups"][place]
    places = [element("li", row["where"], ": ", row["what"]) for row in rows[:SHOWN_PLACES]]
    if len(rows) > SHOWN_PLACES:
        more = numbers.show(f"finding_groups.{place}.not_shown", count)
        places.append(element("li", "and ", more, " more, listed in report.json"))
    return element(
        "article",
        element(
            "h3",
            severity_mark(first["severity"]),
            element("code", group["code"]),
            " in ",
            numbers.show(f"finding_groups.{place}.count", count),
            " places" if len(rows) != 1 else " place",
        ),
        element("div", first["fix"]),
        element("ul", places),
        class_="finding",
    )


def plan(document: Mapping[str, Any]) -> Html | None:
    """Show the settled plan: each choice that has a reason with its reason, and all of it folded away."""
    settled = document["plan"]
    if settled is None:
        return None
    whys = [
        element(
            "tr",
            element("td", element("code", key)),
            element("td", _value_at(settled, key), class_="value"),
            element("td", why, class_="reason"),
        )
        for key, why in settled.get("why", {}).items()
    ]
    head = element("tr", [element("th", name, scope="col") for name in ("Setting", "Value", "Why")])
    rest = {key: value for key, value in settled.items() if key != "why"}
    whole = element("pre", json.dumps(rest, indent=1, ensure_ascii=False))
    return element(
        "section",
        element("h2", "Plan"),
        element("table", element("thead", head), element("tbody", whys), class_="why") if whys else None,
        element("details", element("summary", "Every setting"), element("div", whole, class_="scroll")),
        id="plan",
    )


def _value_at(settled: Mapping[str, Any], dotted: str) -> str:
    here: Any = settled
    for step in dotted.split("."):
        if not isinstance(here, dict) or step not in here:
            return ""
        here = here[step]
    text = here if isinstance(here, str) else json.dumps(here, ensure_ascii=False)
    return text if len(text) <= 160 else f"{text[:160]}…"


def origin(document: Mapping[str, Any]) -> Html:
    """Show what was scored, by which versions, on which machine, by which command."""
    facts = {**document["environment"], **document["provenance"]}
    listed = [[element("dt", key.replace("_", " ")), element("dd", _plain(value))] for key, value in facts.items()]
    return element("section", element("h2", "Origin"), element("dl", listed, class_="facts"), id="origin")


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
