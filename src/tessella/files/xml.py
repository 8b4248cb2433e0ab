"""XML from strangers: no document type, no entities, nothing external, and limits on size, depth and count."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

from tessella.core.errors import FormatError
from tessella.files.text import DEPTH_BUDGET, TEXT_BUDGET, read_bytes

if TYPE_CHECKING:
    from pathlib import Path

ELEMENT_BUDGET: Final = 5_000_000
"""Most elements of one file; each costs about 400 bytes of memory."""

_FIX: Final = "export the file again from the tool that wrote it"


def read_xml(path: Path, *, max_bytes: int = TEXT_BUDGET) -> Element:
    """Read an XML file.

    Args:
        path: The file, in any encoding that its first line declares (UTF-8 and UTF-16 without).
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
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import DefusedXMLParser

    parser = DefusedXMLParser(target=_Bounded(), forbid_dtd=True)
    try:
        parser.feed(data)
        root = parser.close()
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
        raise FormatError(f"this is not valid XML ({error})", where=where, fix=_FIX) from error
    if not isinstance(root, Element):
        raise FormatError("the XML holds no element", where=where, fix=_FIX)
    return root


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
