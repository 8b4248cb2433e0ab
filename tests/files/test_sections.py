"""Large JSON files in sections: the same values as `read_json`, without a tree, and the same refusals."""

import json
import pickle
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tessella.core.errors import FormatError, InputError
from tessella.files.sections import read_sections

ROWS = [{"image_id": 7, "segmentation": [[1, 2.5]], "name": "ü"}, {"image_id": "b", "nested": {"image_id": 3}}, {}]


def saved(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_rows_come_out_as_columns_and_are_parsed_when_asked_for(indent, bom, tmp_path):
    tree = {"info": {"a, b": [1]}, "annotations": ROWS, "empty": [], "last": None}
    path = saved(tmp_path / "a.json", bom + json.dumps(tree, indent=indent, ensure_ascii=False).encode())
    sections = read_sections(path)
    assert sections.names == ("info", "annotations", "empty", "last")
    assert [sections.parse(name) for name in sections.names] == list(tree.values())
    assert sections.is_list("annotations")
    assert not sections.is_list("info")
    assert not sections.is_list("absent")
    rows, columns = sections.rows("annotations", {"image_id": int | str, "not a word!": float})
    assert columns == {"image_id": [7, "b", None], "not a word!": [None, None, None]}
    assert pickle.loads(pickle.dumps(rows)).parse([2, 0]) == [ROWS[2], ROWS[0]]  # noqa: S301 - our own
    assert len(sections.rows("empty", {"image_id": int})[0]) == 0


def test_a_list_at_the_top_is_one_section_without_name(tmp_path):
    sections = read_sections(saved(tmp_path / "a.json", " " * 100 + json.dumps(ROWS)))
    assert sections.names == ("",)
    rows, columns = sections.rows("", {"image_id": int | str})
    assert columns["image_id"] == [7, "b", None]
    assert rows.parse(range(3)) == ROWS == sections.parse("")


@pytest.mark.parametrize("text", ["{}", " { } ", "[]", "[ ]\n"])
def test_empty_values_are_read(text, tmp_path):
    sections = read_sections(saved(tmp_path / "a.json", text))
    assert [sections.parse(name) for name in sections.names] == [[]] * len(sections.names)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"a": 1, "a": 2}', "twice at the top"),
        ('{"a": 1, "b": 2, "a": 3}', "twice at the top"),
        ('{"a": [1, 2], "a": []}', "twice at the top"),
        ('{"a": NaN}', "not valid JSON"),
        ('{"a": [1, 2}', "not valid JSON"),
        ('{"a": 1}x', "not valid JSON"),
        ('{"a": ' + "[" * 100_000, "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ("7", "not valid JSON"),
        ("", "not valid JSON"),
        (b"\xff\xfe{\0", "not valid JSON"),
        (b"\xff\xfe{\0}", r"not UTF-16 text \(byte 4\)"),
        (b"{\0}\0", "UTF-16 text, or none"),
        (b'{"\xff": 1}', "not valid JSON"),
    ],
)
def test_a_fault_is_refused(text, says, tmp_path):
    with pytest.raises(FormatError, match=f"a.json.*{says}"):
        read_sections(saved(tmp_path / "a.json", text))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"])
def test_the_items_of_a_file_in_any_encoding_are_found_again(encoding, tmp_path):
    items = [
        {"id": number, "name": name} for number, name in enumerate(["a", "\u00e9\u00e9", "\u4e2d", "\U0001f600", ""])
    ]
    text = json.dumps({"\u00fc": 1, "rows": items, "after": "\U0001f600"}, ensure_ascii=False)
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    sections = read_sections(saved(tmp_path / "a.json", (mark + text).encode(encoding)))
    rows, columns = sections.rows("rows", {"name": str})
    assert columns["name"] == [item["name"] for item in items]
    assert rows.parse([4, 2, 3, 0, 1]) == [items[place] for place in (4, 2, 3, 0, 1)]
    assert sections.parse("after") == "\U0001f600"


def test_a_fault_in_a_row_is_named_with_its_place(tmp_path):
    path = saved(tmp_path / "a.json", '{"rows": [{"id": 1}, {"id": [2]}, {"id": 3, "id": 4}, "text"]}')
    sections = read_sections(path)
    with pytest.raises(FormatError, match=r"rows\[1\].*Expected `int"):
        sections.rows("rows", {"id": int})
    rows, _ = sections.rows("rows")
    with pytest.raises(FormatError, match=r"rows\[2\].*'id' occurs twice"):
        rows.parse([0, 2])
    with pytest.raises(FormatError, match=r"there is no 'raws' in this JSON file; got 'rows'"):
        sections.rows("raws")
    with pytest.raises(FormatError, match="not valid JSON"):
        sections.rows("rows", {"id": object})
    deep = read_sections(saved(path, '{"rows": [' + "[" * 80 + "]" * 80 + "]}"))
    with pytest.raises(FormatError, match="too deeply"):
        deep.rows("rows")[0].parse([0])


def test_text_that_is_not_utf8_is_refused_when_it_is_parsed(tmp_path):
    sections = read_sections(saved(tmp_path / "a.json", b'{"a": "\xff", "b": ["\xff"]}'))
    with pytest.raises(FormatError, match="UTF-8"):
        sections.parse("a")
    with pytest.raises(FormatError, match="UTF-8"):
        sections.rows("b")[0].parse([0])


def test_a_file_that_changes_meanwhile_is_refused(tmp_path):
    path = saved(tmp_path / "a.json", '{"rows": [1, 2]}')
    rows, _ = read_sections(path).rows("rows")
    saved(path, '{"rows": [1, 2, 3]}')
    with pytest.raises(FormatError, match="changed while"):
        rows.parse([0])
    path.unlink()
    with pytest.raises(InputError, match="cannot be read"):
        rows.parse([0])


def test_a_file_that_is_missing_or_too_large_is_refused(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_sections(tmp_path / "a.json")
    with pytest.raises(InputError, match="too large"):
        read_sections(saved(tmp_path / "a.json", "[1, 2]"), max_bytes=3)


KEYS = st.text(max_size=4)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(tree=st.dictionaries(KEYS, VALUES, max_size=5), indent=st.none() | st.integers(0, 3), ascii_only=st.booleans())
def test_sections_are_what_json_says(tree, indent, ascii_only, tmp_path):
    path = saved(tmp_path / "a.json", json.dumps(tree, indent=indent, ensure_ascii=ascii_only).encode(errors="replace"))
    expected = json.loads(path.read_text())
    sections = read_sections(path)
    assert {name: sections.parse(name) for name in sections.names} == expected
    for name, value in expected.items():
        if isinstance(value, list):
            rows, _ = sections.rows(name)
            assert rows.parse(range(len(rows))) == value
