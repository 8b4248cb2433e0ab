"""The part of YAML that data.yaml is written in: names and paths, in blocks or in brackets. Nothing is evaluated.

A YAML library would read more than is needed, and more than is safe: anchors that unfold, tags that make objects. What
this reader does not know, such as a nested list, is left out.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from tessella.core.errors import FormatError
from tessella.files.text import read_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Value = str | list[str] | dict[str, str]

_LARGEST: Final = 1 << 20
_KEY = re.compile(r"[A-Za-z_][\w\- ]*")
_QUOTED = re.compile(r"""'(?:[^']|'')*'|"(?:[^"\\]|\\.)*\"""")
_EMPTY: Final = frozenset({"", "~", "null", "Null", "NULL"})


def read_data_yaml(path: Path) -> dict[str, Value]:
    """Read the top of a YAML file.

    Args:
        path: The file.

    Returns:
        For each key at the left margin its text, the list or the mapping of texts below it or in brackets behind it;
        what has no value, or one of another form, is left out.

    Raises:
        InputError: The file cannot be read, or is larger than 1 MiB.
        FormatError: It is not UTF-8, or has a key twice.
    """
    found: dict[str, Value] = {}
    for key, inline, block in _sections(read_text(path, max_bytes=_LARGEST)):
        if key in found:
            raise FormatError(f"the key {key!r} occurs twice", where=path, fix="remove one of the two")
        value: Value | None = _block(block) if not inline else scalar(inline)
        if inline[:1] in ("[", "{"):
            value = _bracketed(" ".join([inline, *block]))
        if value is not None and value != "":
            found[key] = value
    return found


def _sections(text: str) -> Iterator[tuple[str, str, list[str]]]:
    """Yield each key at the margin, what follows it on its line, and the lines below it."""
    key, inline = "", ""
    block: list[str] = []
    for line in text.splitlines():
        plain = _uncommented(line)
        if not plain.strip() or plain.strip() == "---":
            continue
        top = _entry(plain) if _KEY.match(plain) else None
        if top is None:
            block.append(plain)
            continue
        if key:
            yield key, inline, block
        (key, inline), block = top, []
    if key:
        yield key, inline, block


def _uncommented(line: str) -> str:
    if "#" not in line:
        return line.rstrip()
    kept, quote = "", ""
    for place, letter in enumerate(line):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"" and (not kept or kept[-1] in " [{,:"):
            quote = letter
        elif letter == "#" and (place == 0 or line[place - 1].isspace()):
            break
        kept += letter
    return kept.rstrip()


def _entry(text: str) -> tuple[str, str] | None:
    """Split `key: value`; None for anything else."""
    quoted = _QUOTED.match(text)
    place = text.find(":", quoted.end()) if quoted else _colon(text)
    if place < 1 or (quoted and text[quoted.end() : place].strip()):
        return None
    return scalar(text[:place].strip()), text[place + 1 :].strip()


def _colon(text: str) -> int:
    """Return the place of the colon that ends a key: one before a blank or the end of the line."""
    place = text.find(": ")
    return place if place >= 0 else len(text) - 1 if text.endswith(":") else -1


def _block(lines: list[str]) -> Value | None:
    """Read indented lines: all `- item`, or all `key: value`; None for anything else."""
    stripped = [line.strip() for line in lines]
    if stripped and all(line.startswith("- ") or line == "-" for line in stripped):
        return [scalar(line[1:].strip()) for line in stripped]
    indents = {len(line) - len(line.lstrip()) for line in lines}
    entries = [_entry(line) for line in stripped]
    if len(indents) != 1 or not all(entries):
        return None
    return {entry[0]: scalar(entry[1]) for entry in entries if entry}


def _bracketed(text: str) -> Value | None:
    """Read `[a, b]` or `{0: a, 1: b}`; None for anything else."""
    text = text.strip()
    if text[0] + text[-1] not in ("[]", "{}"):
        return None
    pieces = _pieces(text[1:-1])
    if pieces is None:
        return None
    if text[0] == "[":
        return [scalar(piece) for piece in pieces]
    entries = [_entry(piece) for piece in pieces]
    return {entry[0]: scalar(entry[1]) for entry in entries if entry} if all(entries) else None


def _pieces(text: str) -> list[str] | None:
    """Split at commas outside quotes; None where there are brackets within."""
    found, start, place, fresh = [], 0, 0, True
    while place < len(text):
        letter = text[place]
        if letter in "[]{}":
            return None
        # a quote in the middle of a word is an apostrophe
        quoted = _QUOTED.match(text, place) if fresh and letter in "'\"" else None
        if letter == ",":
            found.append(text[start:place].strip())
            start = place + 1
        fresh = letter == "," or (fresh and letter.isspace())
        place = quoted.end() if quoted else place + 1
    last = text[start:].strip()
    return [*found, last] if last else found


def scalar(text: str) -> str:
    """Return the text of a scalar, without quotes; "" for null."""
    if len(text) >= 2 and text[0] == text[-1] == "'":
        return text[1:-1].replace("''", "'")
    if len(text) >= 2 and text[0] == text[-1] == '"':
        try:
            return str(json.loads(text))
        except ValueError:
            return text[1:-1]
    return "" if text in _EMPTY else text
