"""F: files that cannot be read, or are not what they seem."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from tessella.checking.looking.reading import MISSING
from tessella.checking.measures.line_endings import damage, undo
from tessella.checking.rule import Change, Mend
from tessella.core.annotation import StoredMask
from tessella.core.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tessella.checking.looking.look import Look
    from tessella.checking.looking.peek import Peek

_AGAIN: Final = "export or copy the file again; a repaired copy leaves this photo and its label out"

TOO_LARGE: Final = "the picture is larger than the pixel budget"
"""What `files.images` says of such a picture."""

_POINTER: Final = b"version https://git-lfs.github.com/spec/"
_ANNEX: Final = re.compile(rb"^(\.\./)*\.git/annex/objects/|^/annex/objects/")
_PAGE: Final = re.compile(rb"^\s*(<!doctype html|<html|<\?xml[^>]*>\s*<(error|html))", re.IGNORECASE)


def unreadable(look: Look) -> Iterator[Finding]:
    """F101: the photo or the label is damaged or foreign, in no way that another rule explains."""
    for where, fault, peek in look.files:
        if fault and fault != MISSING and not _explained(fault, peek):
            yield Finding("F101", "error", _place(look, where), fault, _AGAIN)


def ends_early(look: Look) -> Iterator[Finding]:
    """F102: a picture file without its end: the rest is missing, and some programs show it grey or black."""
    for where, fault, peek in look.files:
        if peek is not None and not peek.whole:
            shown = "its decoder refuses it" if fault else "decoders fill the rest with grey"
            what = f"the {peek.kind} file ends before its end mark ({peek.size} bytes are there); {shown}"
            yield Finding("F102", "error", where, what, _AGAIN)


def misnamed(look: Look) -> Iterator[Finding]:
    """F103: the content is another kind of picture than the name says."""
    for where, fault, peek in look.files:
        if peek is None or not peek.misnamed or fault:
            continue
        mask = where == look.label_where and look.mask is not None
        yield Finding(
            "F103",
            "warning" if mask else "info",
            where,
            f"the name ends in {peek.suffix}, but this is a {peek.kind} file",
            "write it as what its name says, or rename it" + (" (--fix writes it anew)" if mask else ""),
            mask,
        )


def write_as_named(look: Look) -> Mend:
    """Write the stored values into a file of the kind that the name says (F103)."""
    if look.mask is None or look.label_peek is None:
        raise TypeError(f"{look.label_where} is no mask")  # repairs run only where the rule fired
    return Mend(
        StoredMask(look.mask.pixels, look.mask.mode, look.mask.palette, look.mask.orientation),
        (Change(f"a {look.label_peek.kind} file was written as its name says, every value kept"),),
    )


def broken_line_ends(look: Look) -> Iterator[Finding]:
    """F104: a program took a PNG for text and changed its line ends."""
    for where, _, peek in look.files:
        done = "" if peek is None else damage(peek.head)
        if not done or peek is None:
            continue
        provable = undo(peek.path.read_bytes()) is not None
        cure = "restore the line ends (--fix does: the CRCs prove every byte)"
        yield Finding(
            "F104",
            "error",
            where,
            f"this PNG was treated as text: {done} all through the file",
            (cure if provable else "export or copy the file again")
            + "; mark *.png as binary in .gitattributes, and transfer files in binary mode",
            provable,
        )


def placeholder(look: Look) -> Iterator[Finding]:
    """F105: a pointer or an error page lies where a picture should."""
    for where, fault, peek in look.files:
        kind = "" if peek is None or not fault else _placeholder(peek)
        if kind:
            page = kind.startswith("a web page")
            fix = "download the file again" if page else "fetch the content: git lfs pull, or git annex get"
            yield Finding("F105", "error", where, f"{kind} lies here instead of a picture", fix)


def too_large(look: Look) -> Iterator[Finding]:
    """F106: a picture beyond the pixel budget, which is refused before it is decoded."""
    for where, fault, _ in look.files:
        if fault.startswith(TOO_LARGE):
            yield Finding(
                "F106",
                "error",
                _place(look, where),
                "this picture is larger than the pixel budget, and was not decoded" + fault[len(TOO_LARGE) :],
                "if it is what it claims to be, allow it with --max-pixels; else export it again",
            )


def _place(look: Look, where: str) -> str:
    """Return the place of a fault in the file of this place; a photo without a file lies in that of the label."""
    return (look.fault_where if where == look.label_where else where) or look.label_where


def _explained(fault: str, peek: Peek | None) -> bool:
    if fault.startswith(TOO_LARGE):
        return True
    return peek is not None and (not peek.whole or bool(damage(peek.head)) or bool(_placeholder(peek)))


def _placeholder(peek: Peek) -> str:
    if peek.kind:
        return ""
    if peek.head.startswith(_POINTER):
        return "a Git LFS pointer"
    if _ANNEX.match(peek.head):
        return "a git-annex pointer"
    return "a web page" if _PAGE.match(peek.head) else ""
