"""The colours of the page: WCAG 2.2 level AA (4.5 : 1) for every text on every ground, in light and in dark."""

import re
from importlib import resources

import pytest

STYLE = resources.files("tessella.report.html").joinpath("style.css").read_text(encoding="utf-8")
LIGHT, DARK = (
    dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block)) for block in re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)
)

TEXTS = [
    (ink, ground)
    for ink in ("ink", "soft", "accent", "error-ink", "warn-ink", "info-ink")
    for ground in ("paper", "card")
] + [("warn-ink", "warn-paper"), ("paper", "ink")]


def luminance(colour):
    channels = [value / 255 for value in colour]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def rgb(code):
    return tuple(bytes.fromhex(code[1:]))


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), TEXTS)
def test_text_can_be_read(theme, ink, ground):
    assert contrast(rgb(theme[ink]), rgb(theme[ground])) >= 4.5


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("tone", ["good", "bad"])
@pytest.mark.parametrize("step", range(11))
def test_percentages_can_be_read_on_every_shade_of_the_matrix(theme, tone, step):
    mixed = [
        round(a * step / 10 + b * (1 - step / 10)) for a, b in zip(rgb(theme[tone]), rgb(theme["card"]), strict=True)
    ]
    assert contrast(rgb(theme["ink"]), mixed) >= 4.5


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("line", ["accent", "loss", "rate"])
def test_lines_and_bars_stand_out(theme, line):
    assert contrast(rgb(theme[line]), rgb(theme["paper"])) >= 3


def test_both_themes_name_the_same_colours():
    assert set(LIGHT) == set(DARK)
