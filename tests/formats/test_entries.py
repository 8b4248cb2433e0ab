"""From entries to a listing: addresses, classes, claims, and what is said of it all."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.layouts import photo_of, save
from tessella.core.errors import FormatError
from tessella.formats import Source
from tessella.formats.tools.entries import Entry, Found, coding_of, listing_of, names_in_url
from tessella.formats.tools.plain import attributes, hex_colour, rgba_colour, words


@pytest.mark.parametrize(
    ("address", "names"),
    [
        ("a.jpg", ("a.jpg",)),
        ("x/a.jpg", ("x/a.jpg", "a.jpg")),
        ("https://host/x/a%20b.jpg?token=1#f", ("x/a b.jpg", "a b.jpg")),
        ("s3://bucket/x/a.jpg", ("x/a.jpg", "a.jpg")),
        ("/data/local-files/?d=x%2Fa.jpg", ("x/a.jpg", "a.jpg")),
        ("file:///C:/x/a.jpg", ("C:/x/a.jpg", "a.jpg")),
        (r"C:\x\a.jpg", ("C:/x/a.jpg", "a.jpg")),
        ("what?.jpg", ("what?.jpg",)),
        ("100%.jpg", ("100%.jpg",)),
        ("https://[broken/a.jpg", ("a.jpg",)),
        ("", ()),
        (None, ()),
        (7, ()),
    ],
)
def test_an_address_says_what_a_photo_may_be_called(address: object, names: tuple[str, ...]) -> None:
    assert names_in_url(address) == names


@given(st.text(max_size=60))
def test_no_address_breaks_the_reader(address: str) -> None:
    assert all(isinstance(name, str) and name for name in names_in_url(address))


def test_background_comes_first_unless_the_tool_has_one() -> None:
    assert coding_of([("road", (1, 2, 3))]).table.names == ("background", "road")
    assert coding_of([("road", None), ("Background", None)]).table.names == ("road", "Background")


def test_classes_that_come_twice_or_share_a_colour_are_settled() -> None:
    table = coding_of(
        [("road", (9, 9, 9)), ("road", (1, 1, 1)), ("sky", (9, 9, 9)), (" ", None), ("__ignore__", None)]
    ).table
    assert table.names == ("background", "road", "sky")
    assert len(set(table.colours)) == 3


def entries(root: Path, *listed: str, hw: tuple[int, int] | None = None) -> Found:
    return Found([Entry(root / "e.json", (name,), str(place), hw) for place, name in enumerate(listed)])


def test_photos_that_nobody_named_are_unlabelled_records(tmp_path: Path) -> None:
    for name in ("a", "b"):
        save(tmp_path / f"{name}.png", photo_of(0))
    listing = listing_of("x", Source(tmp_path), None, entries(tmp_path, "a.png"))
    assert [(record.name, record.label is None) for record in listing.records] == [("a", False), ("b", True)]


def test_a_photo_of_the_same_stem_as_the_file_is_not_taken_for_every_entry(tmp_path: Path) -> None:
    save(tmp_path / "e.png", photo_of(0))
    listing = listing_of("x", Source(tmp_path), None, entries(tmp_path, "a.png", "b.png", hw=(2, 2)))
    assert [record.image for record in listing.records] == [None, None]


def test_no_entry_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="no x annotation lies here"):
        listing_of("x", Source(tmp_path), None, Found([]))


def test_the_only_file_says_what_is_wrong_with_it(tmp_path: Path) -> None:
    (tmp_path / "e.json").write_text("{")
    with pytest.raises(FormatError, match=r"e\.json: this is not valid JSON"):
        listing_of("x", Source(tmp_path), None, Found([], broken={tmp_path / "e.json": "this is not valid JSON"}))


def test_ten_thousand_photos_of_one_name_are_listed_at_once(tmp_path: Path) -> None:
    listing = listing_of("x", Source(tmp_path), None, entries(tmp_path, *["a.png"] * 10_000, hw=(2, 2)))
    assert len({record.name for record in listing.records}) == 10_000


@pytest.mark.parametrize(
    ("text", "colour"),
    [
        ("#0a0B0c", (10, 11, 12)),
        ("0a0b0c", (10, 11, 12)),
        ("#0a0b0cff", (10, 11, 12)),
        ("#0a0", None),
        ("#zzzzzz", None),
    ],
)
def test_hexadecimal_colours(text: object, colour: tuple[int, int, int] | None) -> None:
    assert hex_colour(text) == colour


@pytest.mark.parametrize(
    ("text", "colour"),
    [("rgba(1,2,3,1.0)", (1, 2, 3)), ("rgb(1, 2, 3)", (1, 2, 3)), ("rgba(1,2)", None), ("rgba(1,2,300)", None)],
)
def test_colours_of_style_sheets(text: str, colour: tuple[int, int, int] | None) -> None:
    assert rgba_colour(text) == colour


def test_words_take_text_and_numbers_only() -> None:
    assert [words(value) for value in ("a", 7, 1.5, True, None, [], 10**400)] == ["a", "7", "1.5", "", "", "", ""]
    assert words("\ud83d") == "?"


def test_attributes_are_text_without_empty_ones() -> None:
    given_ = [("a", "x"), ("b", 7), ("c", None), ("d", True), ("e", ["p"]), ("", "y"), ("f", "")]
    assert attributes(given_) == (("a", "x"), ("b", "7"), ("d", "true"), ("e", '["p"]'))
