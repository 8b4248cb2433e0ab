"""Going through XML of any size, and reading one element of it again from its place."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tessella.core.errors import FormatError, InputError
from tessella.files.xml import Span, read_span, read_xml, scan_xml

if TYPE_CHECKING:
    from collections.abc import Callable


class Places:
    """Notes where the children of the root lie."""

    def __init__(self) -> None:
        self.depth = 0
        self.begun = 0
        self.found: list[tuple[str, int, int]] = []

    def start(self, _tag: str, _attributes: dict[str, str], place: int, /) -> None:
        self.depth += 1
        if self.depth == 2:
            self.begun = place

    def end(self, tag: str, place: int) -> None:
        if self.depth == 2:
            self.found.append((tag, self.begun, place))
        self.depth -= 1


def saved(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("encoding", "declared"),
    [
        ("utf-8", "utf-8"), ("utf-8-sig", "utf-8"), ("utf-8-sig", "utf-16"), ("iso-8859-1", "iso-8859-1"),
        ("utf-16", "utf-16"), ("utf-16", "utf-8"), ("utf-16-le", "utf-16"), ("utf-16-be", "utf-16"),
    ],
)  # fmt: skip
def test_an_element_is_read_again_from_its_place(tmp_path: Path, encoding: str, declared: str) -> None:
    text = f'<?xml version="1.0" encoding="{declared}"?>\n<a><b x="\u00e9"><c/></b>\n<d/><e>t</e><f></f><g y="1/"/></a>'
    path, places = saved(tmp_path / "a.xml", text.encode(encoding)), Places()
    assert [one.tag for one in read_xml(path)] == ["b", "d", "e", "f", "g"]
    found = scan_xml(path, places)
    elements = {tag: read_span(path, Span(start, end, found), tag) for tag, start, end in places.found}
    assert list(elements) == ["b", "d", "e", "f", "g"]
    assert elements["b"].attrib == {"x": "\u00e9"}
    assert [one.tag for one in elements["b"]] == ["c"]
    assert elements["e"].text == "t"
    assert elements["g"].get("y") == "1/"


def test_a_large_file_is_read_in_pieces(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.xml", b"<a>" + b'<b x="0123456789"/>' * 60_000 + b"</a>")
    places = Places()
    scan_xml(path, places)
    assert len(places.found) == 60_000
    assert read_span(path, Span(*places.found[-1][1:], "utf-8"), "b").get("x") == "0123456789"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "not valid XML"),
        (b"<a><b></a>", "not valid XML"),
        (b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', "line 1: the XML declares a document type"),
        (b"<a>" * 65 + b"</a>" * 65, "nested too deeply"),
        (b"<?xml version='1.0' encoding='klingon'?><a/>", "not valid XML"),
        (b"<?xml version='1.0' encoding='utf-16'?><a/>", "not valid XML .*the encoding that the file is saved in"),
    ],
)
def test_what_is_no_plain_xml_is_refused(tmp_path: Path, data: bytes, says: str) -> None:
    with pytest.raises(FormatError, match=says):
        scan_xml(saved(tmp_path / "a.xml", data), Places())


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize(
    "declared", ["", "<?xml version='1.0' encoding='utf-8'?>", "<?xml version='1.0' encoding='utf-16'?>"]
)
@pytest.mark.parametrize(
    "head",
    [
        '<!DOCTYPE a [<!ENTITY x "y">]>',
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE a SYSTEM "http://localhost/a.dtd">',
        "<!DOCTYPE a>",
    ],
)
def test_no_encoding_hides_a_document_type(tmp_path: Path, head: str, declared: str, encoding: str, mark: str) -> None:
    path = saved(tmp_path / "a.xml", f"{mark}{declared}{head}<a>&x;</a>".encode(encoding))
    reads: list[Callable[[Path], object]] = [read_xml, lambda path: scan_xml(path, Places())]
    for read in reads:
        with pytest.raises(FormatError, match=r"declares a document type|not valid XML \(encoding specified"):
            read(path)


def test_the_levels_of_utf16_are_counted(tmp_path: Path) -> None:
    assert read_xml(saved(tmp_path / "a.xml", ("<a>" * 64 + "</a>" * 64).encode("utf-16"))).tag == "a"
    path = saved(tmp_path / "b.xml", ("<a>" * 65 + "</a>" * 65).encode("utf-16"))
    with pytest.raises(FormatError, match="nested too deeply"):
        read_xml(path)
    with pytest.raises(FormatError, match="nested too deeply"):
        scan_xml(path, Places())


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        scan_xml(tmp_path / "a.xml", Places())
    with pytest.raises(InputError, match="too large"):
        scan_xml(saved(tmp_path / "b.xml", b"<a/>"), Places(), max_bytes=3)
    with pytest.raises(FormatError, match="damaged"):
        read_span(saved(tmp_path / "c.xml", b"\xff\xff"), Span(0, 2, "utf-8"), "a")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_refused_and_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.xml")
    with pytest.raises(InputError, match="pipe or a device"):
        scan_xml(tmp_path / "a.xml", Places())
    with pytest.raises(InputError, match="pipe or a device"):
        read_span(tmp_path / "a.xml", Span(0, 4, "utf-8"), "a")


def test_what_the_visitor_raises_ends_the_scan(tmp_path: Path) -> None:
    class EnoughError(Exception):
        pass

    class Impatient(Places):
        def start(self, _tag: str, _attributes: dict[str, str], _place: int, /) -> None:
            raise EnoughError

    with pytest.raises(EnoughError):
        scan_xml(saved(tmp_path / "a.xml", b"<a/>"), Impatient())
