"""XML from strangers: no document type, no entities, nothing external, and limits on size, depth and count."""

from __future__ import annotations

import codecs
import contextlib
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

from tessella.core.errors import FormatError, InputError
from tessella.files.paths import plain_size, require_plain
from tessella.files.text import DEPTH_BUDGET, TEXT_BUDGET, read_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ELEMENT_BUDGET: Final = 5_000_000
"""Most elements of one file; each costs about 400 bytes of memory."""

SCAN_BUDGET: Final = 1 << 34
"""Largest file that is gone through in pieces, in bytes."""

_PIECE: Final = 1 << 20
_LONGEST_TAG: Final = 1 << 23
"""Longest tag or comment that is scanned, in bytes; expat begins anew with it at every piece."""

_MARKS: Final = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
"""Byte-order marks: Notepad saves in UTF-16 and leaves `encoding="utf-8"` in the first line as it is."""

_FIX: Final = "export the file again from the tool that wrote it"


class Span(NamedTuple):
    """Where an element lies in a file: it can be read again without the rest.

    Args:
        start: The place of its `<`, in bytes.
        end: The place of its closing tag; behind `/>` for an element without content.
        encoding: Of the file's text.
    """

    start: int
    end: int
    encoding: str


class Visitor(Protocol):
    """What looks at the elements of a file as they go by."""

    def start(self, tag: str, attributes: dict[str, str], place: int) -> None:
        """Take note of an element that begins; `place` is that of its `<`."""

    def end(self, tag: str, place: int) -> None:
        """Take note of its end; `place` is as in `Span`."""


def read_xml(path: Path, *, max_bytes: int = TEXT_BUDGET) -> Element:
    """Read an XML file.

    Args:
        path: The file, in any encoding that its byte-order mark or else its first line says (UTF-8 and UTF-16 without).
        max_bytes: Refuse larger files.

    Returns:
        The root element.

    Raises:
        InputError: The file cannot be read.
        FormatError: Not XML, a document type or entity, nesting deeper than 64, or more than five million elements.
    """
    return parse_xml(read_bytes(path, max_bytes=max_bytes), where=path)


def parse_xml(data: bytes, *, where: object) -> Element:
    """Parse the bytes of an XML file with the limits of `read_xml`; `where` names the source in errors."""
    parser = _parser(_Bounded(), data[:4])
    with _explained(parser, where):
        parser.feed(data)
        root = parser.close()
    if not isinstance(root, Element):
        raise FormatError("the XML holds no element", where=where, fix=_FIX)
    return root


def scan_xml(path: Path, visitor: Visitor, *, max_bytes: int = SCAN_BUDGET) -> str:
    """Go through an XML file of any size, without keeping it in memory.

    Args:
        path: The file.
        visitor: Is told of every element; what it raises ends the scan.
        max_bytes: Refuse larger files.

    Returns:
        The encoding of the file's text, for `Span`.

    Raises:
        InputError: The file cannot be read, or is too large.
        FormatError: As `read_xml`, without a limit on the number of elements.
    """
    watched = _Watched(visitor)
    declared: list[str] = []
    try:
        if plain_size(path) > max_bytes:
            raise InputError("the file is too large", where=path, expected=f"at most {max_bytes} bytes")
        with path.open("rb") as stream:
            head = stream.read(4)
            parser = _parser(watched, head)
            watched.parser = parser.parser
            parser.parser.XmlDeclHandler = lambda _version, encoding, _standalone: declared.append(encoding or "")
            with _explained(parser, path):
                parser.feed(head)
                while piece := stream.read(_PIECE):
                    parser.feed(piece)
                    if stream.tell() - parser.parser.CurrentByteIndex > _LONGEST_TAG:
                        raise FormatError(
                            "a tag of the XML is too long", expected=f"at most {_LONGEST_TAG} bytes", fix=_FIX
                        )
                parser.close()
    except FileNotFoundError as error:
        raise InputError("there is no such file", where=path, fix="check the spelling") from error
    except OSError as error:
        raise InputError(f"the file cannot be read ({error.strerror or error})", where=path) from error
    if head[:2] in (b"\xff\xfe", b"<\0"):
        return "utf-16-le"
    if head[:2] in (b"\xfe\xff", b"\0<"):
        return "utf-16-be"
    return (not head.startswith(codecs.BOM_UTF8) and declared and declared[0]) or "utf-8"


def read_span(path: Path, span: Span, tag: str) -> Element:
    """Read one element that `scan_xml` passed.

    Args:
        path: The file.
        span: Where the element lies.
        tag: Its name.

    Raises:
        InputError: The file cannot be read.
        FormatError: Something else lies there by now.
    """
    try:
        with require_plain(path).open("rb") as stream:
            stream.seek(span.start)
            data = stream.read(span.end - span.start)
    except OSError as error:
        raise InputError(f"the file cannot be read ({error.strerror or error})", where=path) from error
    try:
        text = data.decode(span.encoding)
    except (UnicodeDecodeError, LookupError) as error:
        raise FormatError(f"the XML has changed or is damaged ({error})", where=path, fix=_FIX) from error
    whole = text.endswith("/>") and text.count("<") == 1
    return parse_xml((text if whole else f"{text}</{tag}>").encode(), where=f"{path}: byte {span.start}")


def _parser(target: object, head: bytes) -> Any:  # noqa: ANN401 - defusedxml has no types
    """Return a parser that refuses document types; what a byte-order mark says counts more than the first line."""
    from defusedxml.ElementTree import DefusedXMLParser

    marked = next((name for mark, name in _MARKS if head.startswith(mark)), None)
    return DefusedXMLParser(target=target, forbid_dtd=True, encoding=marked)


@contextlib.contextmanager
def _explained(parser: Any, where: object) -> Iterator[None]:  # noqa: ANN401 - defusedxml has no types
    """Turn what the parser raises into our errors, with the line."""
    from defusedxml.common import DefusedXmlException

    try:
        yield
    except FormatError as error:
        line = parser.parser.CurrentLineNumber
        raise FormatError(error.what, where=f"{where}: line {line}", expected=error.expected, fix=error.fix) from error
    except DefusedXmlException as error:
        line = parser.parser.CurrentLineNumber
        raise FormatError(
            "the XML declares a document type, which can hide entities that blow up or read other files",
            where=f"{where}: line {line}",
            fix="remove the <!DOCTYPE ...> from the file",
        ) from error
    except (ParseError, ValueError, LookupError, TypeError, AssertionError) as error:
        wrong = "encoding specified" in str(error)
        fix = "write the encoding that the file is saved in into its first line" if wrong else _FIX
        raise FormatError(f"this is not valid XML ({error})", where=where, fix=fix) from error


class _Watched:
    """Tells a visitor of the elements and where they lie."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor = visitor
        self.parser: Any = None
        self.depth = 0

    def start(self, tag: str, attrs: dict[str, str], /) -> None:
        self.depth += 1
        if self.depth > DEPTH_BUDGET:
            raise FormatError("the XML is nested too deeply", expected=f"at most {DEPTH_BUDGET} levels", fix=_FIX)
        self.visitor.start(tag, attrs, self.parser.CurrentByteIndex)

    def end(self, tag: str, /) -> None:
        self.depth -= 1
        self.visitor.end(tag, self.parser.CurrentByteIndex)

    def close(self) -> None:
        """End the scan; the parser asks for it."""


class _Bounded(TreeBuilder):
    """Builds the tree and stops where it becomes too deep or too large."""

    def __init__(self) -> None:
        super().__init__()
        self.depth = 0
        self.count = 0

    def start(self, tag: str, attrs: dict[str, str], /) -> Element:
        self.depth += 1
        self.count += 1
        if self.depth > DEPTH_BUDGET:
            raise FormatError("the XML is nested too deeply", expected=f"at most {DEPTH_BUDGET} levels", fix=_FIX)
        if self.count > ELEMENT_BUDGET:
            raise FormatError("the XML has too many elements", expected=f"at most {ELEMENT_BUDGET}", fix=_FIX)
        return super().start(tag, attrs)

    def end(self, tag: str, /) -> Element:
        self.depth -= 1
        return super().end(tag)
