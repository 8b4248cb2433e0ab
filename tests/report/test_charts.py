"""Charts: round ticks, points where they belong, shares that fill the strip."""

import re

import pytest

from tessella.report.html.markup import Html, Numbers, count, element, percent, score
from tessella.report.page.charts import BOTTOM, HEIGHT, TOP, Axis, dot_strip, line_chart, mosaic, round_ticks
from tessella.report.page.run import duration
from tessella.report.table import bar


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0, 1, [0, 0.25, 0.5, 0.75, 1]),
        (0, 1990, [0, 500, 1000, 1500, 2000]),
        (0.3, 2.5, [0, 1, 2, 3]),
        (7, 7, [6, 8]),
        (0, 0, [0, 0.25]),
        (0, 0.003, [0, 0.001, 0.002, 0.003]),
    ],
)
def test_ticks_are_round_and_cover_the_data(low, high, ticks):
    found = round_ticks(low, high)
    assert found[0] <= low
    assert found[-1] >= high
    assert found == pytest.approx(ticks)


def test_a_value_is_placed_in_proportion():
    assert Axis(0, 10, 100, 200).place(2.5) == 125
    assert Axis(0, 1, 200, 0).place(1) == 0


def test_a_long_line_keeps_its_ends_and_few_points():
    chart = line_chart([(step, step**0.5) for step in range(10_000)], title="t", unit="step", tone="loss")
    points = re.search(r'points="([^"]*)"', chart)[1].split()
    assert len(points) == 300
    assert chart.count("<circle") == 1


def test_a_flat_line_is_drawn():
    assert "<polyline" in line_chart([(1, 0.0), (2, 0.0)], title="t", unit="step", tone="loss")


def test_a_faint_line_stays_inside_the_axes_of_the_line_before_it():
    chart = line_chart([(0, 1.0), (9, 2.0)], title="t", unit="step", tone="loss", faint=[(0, 50.0), (9, -50.0)])
    heights = [float(pair.split(",")[1]) for pair in re.search(r'points="([^"]*)" class="line faint', chart)[1].split()]
    assert heights == [TOP, HEIGHT - BOTTOM]


def test_every_photo_has_a_dot():
    assert dot_strip([0, 0.5, 0.5, 1], label="x").count("<circle") == 4


def test_the_strip_is_filled_by_its_shares():
    widths = [
        float(width)
        for width in re.findall(r' width="([\d.]+)"', mosaic([("#000000", 0.25), ("#ffffff", 0.75), ("#123456", 0)]))
    ]
    assert widths == [250, 750]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0 %"), (0.0004, "< 0.1 %"), (0.023, "2.3 %"), (0.5, "50 %"), (0.9999, "> 99.9 %"), (1, "100 %")],
)
def test_a_share_is_never_rounded_to_none_or_all(value, text):
    assert percent(value).replace("\u00a0", " ") == text


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0.000"), (0.0004, "< 0.001"), (0.5, "0.500"), (0.99996, "> 0.999"), (1, "1.000")]
)
def test_only_a_perfect_score_is_shown_as_one(value, text):
    assert score(value).replace("\u202f", " ") == text


def test_times_and_counts_read_well():
    assert duration(59.6).replace("\u00a0", " ") == "1 min 00 s"
    assert duration(3 * 3600 + 65).replace("\u00a0", " ") == "3 h 01 min"
    assert duration(3).replace("\u00a0", " ") == "3 s"
    assert count(1234567) == "1\u202f234\u202f567"
    assert bar(0.5) == "█" * 10
    assert bar(float("nan")) == ""


def test_text_is_escaped_and_markup_is_not():
    made = element("p", "<b>", element("b", "x & y"), Html("<i>z</i>"), title='"quoted"', hidden=True, lang=None)
    assert made == '<p title="&quot;quoted&quot;" hidden>&lt;b&gt;<b>x &amp; y</b><i>z</i></p>'


def test_a_number_that_the_document_lacks_cannot_be_shown():
    with pytest.raises(KeyError):
        Numbers({"a": [1]}).show("b", count)
    assert Numbers({"a": [12345]}).show("a.0", count) == '<data value="12345" data-json="a.0">12\u202f345</data>'


def test_a_crowded_strip_keeps_its_proportions_and_says_what_a_dot_is():
    strip = dot_strip([0.25] * 100 + [0.75] * 10_000, label="x")
    columns = re.findall(r'<circle cx="([\d.]+)"', strip)
    tall = {column: columns.count(column) for column in columns}
    assert list(tall.values()) == [1, 84]
    assert "one dot for up to 120 photos" in strip
    assert "one dot for" not in dot_strip([0.5] * 84, label="x")
