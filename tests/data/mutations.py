"""Damage for readers: data sets changed a little, by what their files are, from a seed."""

import base64
import binascii
import json
import math
import random
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree

from data.mutations_of_bytes import NUMBERS, mutate_bytes, mutate_png, mutate_tiff

Random = random.Random

VALUES = (
    None, True, False, 0, -1, 1, 255, 256, 65535, 2**31, 2**63, -(2**63), 10**12, 10**400, 0.5, -0.0, 1e-320, 1e30,
    1e308, math.nan, math.inf, -math.inf, "", " ", "x", "0", "-1", "1e400", "nan", "ä" * 40, "y" * 5000, "\0", "a\nb",
    "\ud83d", "../../../../etc/passwd", "/etc/passwd", "C:\\windows\\x.png", "\\\\host\\share\\x.png",
    "file:///etc/passwd", ".", "..", [], {}, [[]], [None], {"": None}, [0] * 7, [[0, 0], [1, 1]], [1, 2, 3],
    {"x": 1, "y": 2}, {"counts": [10**12]},
    {"size": [10**6, 10**6], "counts": "a"}, [[1e9, 1e9], [-1e9, 3], [5, math.nan]],
)  # fmt: skip
TEXTS = (
    *(str(value) for value in VALUES if not isinstance(value, list | dict)),
    "1,2;3", "1,2;;3,4", ",", ";", "1,2,3", "1;2", "0,0;1e9,1e9;5,5", "-5,-5;900,2;3,nan", "%00", "&lt;", "]]>", "\t",
)  # fmt: skip


def mutate_folder(files: dict[str, bytes], rng: Random) -> dict[str, bytes | None]:
    """Change a data set in one or two files.

    Args:
        files: Its files by relative path.
        rng: The source of chance.

    Returns:
        The files that change, with their new bytes; None where one is removed.
    """
    changes: dict[str, bytes | None] = {}
    for _ in range(1 if rng.random() < 0.85 else 2):
        name = _choose(files, rng)
        way = rng.random()
        if way < 0.02:
            changes[name] = None
        elif way < 0.04:
            changes[name] = files[rng.choice(sorted(files))]
        elif way < 0.05:
            changes[name] = b""
        else:
            data = files[name]
            for _ in range(rng.choice((1, 1, 1, 2, 3))):
                data = mutate_file(data, name, rng)
            changes[name] = data
    if rng.random() < 0.03:
        changes |= {name: _saved_anew(data, rng) for name, data in changes.items() if data is not None}
    return changes


def _saved_anew(data: bytes, rng: Random) -> bytes:
    """Save text in another encoding, as Windows programs do, with its mark or, which few can read, without."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return data
    encoding = rng.choice(("utf-8-sig", "utf-16", "utf-16", "utf-16-le", "utf-16-be", "utf-32"))
    return text.encode(encoding, "surrogatepass")


def _choose(files: dict[str, bytes], rng: Random) -> str:
    """Choose a file; those that hold structure three times as often as pictures."""
    names = sorted(files)
    structured = [name for name in names if _kind(name, files[name]) is not mutate_bytes]
    return rng.choice(structured if structured and rng.random() < 0.75 else names)


def mutate_file(data: bytes, name: str, rng: Random) -> bytes:
    """Change the bytes of one file, by what it is."""
    if rng.random() < 0.08:
        return mutate_bytes(data, rng)
    return _kind(name, data)(data, rng)


def _kind(name: str, data: bytes) -> Callable[[bytes, Random], bytes]:
    start, suffix = data[:64].lstrip(), Path(name).suffix.lower()
    if suffix in (".json", ".geojson", ".ndjson", ".jsonl") or start[:1] in (b"{", b"["):
        return mutate_json
    if start[:1] == b"<":
        return mutate_xml
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return mutate_png
    if data[:4] in (b"II*\0", b"MM\0*"):
        return mutate_tiff
    if b"\0" not in data:
        return mutate_lines
    return mutate_bytes


# ---- JSON


def mutate_json(data: bytes, rng: Random) -> bytes:
    """Drop, repeat, retype, rename, nest or exchange one value, or repeat a key, or break the text."""
    try:
        tree = json.loads(data)
    except (ValueError, RecursionError):  # damaged once already
        return mutate_lines(data, rng)
    holder = [tree]
    places = list(_places(holder))
    parent, key = rng.choice(places)
    change = rng.choice(
        (_retype, _retype, _nudge, _nudge, _nudge, _drop, _drop, _repeat, _rename, _nest, _exchange, _twin, _break)
    )
    if change is _twin:
        return _twin(tree, rng)
    if change is _break:
        return mutate_bytes(data, rng)
    if change is _exchange:
        other, place = rng.choice(places)
        parent[key], other[place] = other[place], parent[key]
        return _dumped(holder[0] if holder else None)
    change(parent, key, rng)
    return _dumped(holder[0] if holder else None)


def _dumped(tree: object) -> bytes:
    try:
        return json.dumps(tree).encode("utf-8", "surrogatepass")
    except (ValueError, RecursionError):  # an exchange can put a value into itself
        return b"{}"


def _places(value: object) -> Iterator[tuple]:
    items = list(value.items()) if isinstance(value, dict) else list(enumerate(value))
    for key, child in items:
        yield value, key
        if isinstance(child, dict | list):
            yield from _places(child)


def _retype(parent, key, rng: Random) -> None:
    parent[key] = rng.choice(VALUES)


def _nudge(parent, key, rng: Random) -> None:
    """Change a value into a near one of its own type."""
    value = parent[key]
    if isinstance(value, bool) or value is None:
        parent[key] = not value
    elif isinstance(value, int) and abs(value) > 10**300:
        parent[key] = rng.choice((-value, value + 1, value * 2, str(value), rng.choice(NUMBERS)))
    elif isinstance(value, int | float):
        parent[key] = rng.choice(
            (-value, value + 1, value - 1, value * 2, value * 1e6, value / 3, int(value) if math.isfinite(value) else 0,
             str(value), rng.choice(NUMBERS))
        )  # fmt: skip
    elif isinstance(value, str):
        parent[key] = nudge_text(value, rng)
    elif isinstance(value, list) and value:
        parent[key] = rng.choice(
            (
                value[:-1],
                value[1:],
                value[::-1],
                value * 3,
                [*value, value[0]],
                value[:1] * len(value),
                [value[0]] * 2000,
            )
        )
    elif isinstance(value, dict) and value:
        keys = list(value)
        kept = rng.sample(keys, rng.randrange(len(keys)))
        parent[key] = {name: value[name] for name in kept}


def nudge_text(text: str, rng: Random) -> str:
    """Change a text a little; inside base64, change the bytes that it carries."""
    if len(text) > 40 and rng.random() < 0.6:
        try:
            data = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            pass
        else:
            return base64.b64encode(mutate_packed(data, rng)).decode()
    way = rng.randrange(6)
    place = rng.randrange(len(text) + 1)
    if way == 0:
        return text[:place]
    if way == 1:
        return text[:place] + rng.choice(TEXTS) + text[place:]
    if way == 2:
        return text[:place] + chr(rng.choice((0, 10, 32, 45, 48, 57, 92, 97, 122, 233, 0x4E2D))) + text[place + 1 :]
    if way == 3:
        return text + text
    if way == 4:
        return text.swapcase()
    return rng.choice(TEXTS)


def mutate_packed(data: bytes, rng: Random) -> bytes:
    """Change what a packed value holds: behind zlib, or in a PNG."""
    try:
        return zlib.compress(mutate_file(zlib.decompress(data), "", rng))
    except zlib.error:
        return mutate_file(data, "", rng)


def _drop(parent, key, rng: Random) -> None:
    del parent[key]


def _repeat(parent, key, rng: Random) -> None:
    if isinstance(parent, list):
        parent[key:key] = [parent[key]] * rng.choice((1, 2, 100))
    else:
        parent[f"{key}_"] = parent[key]


def _rename(parent, key, rng: Random) -> None:
    if isinstance(parent, dict):
        parent[rng.choice((str(key).upper(), f"{key} ", "", "id", "name", "label", "__proto__"))] = parent.pop(key)


def _nest(parent, key, rng: Random) -> None:
    for _ in range(rng.choice((1, 1, 2, 70, 500))):
        parent[key] = [parent[key]] if rng.random() < 0.5 else {"a": parent[key]}


def _exchange() -> None:
    """Exchange two values."""


def _break() -> None:
    """Break the text."""


def _twin(tree: object, rng: Random) -> bytes:
    """Write a key of one object twice, with another value."""
    text = json.dumps(tree)
    places = [place for place, letter in enumerate(text) if letter == "{"]
    if not places:
        return text.encode()
    place = rng.choice(places) + 1
    rest = text[place:]
    name = rest[1 : rest.index('"', 1)] if rest[:1] == '"' else "a"
    return f'{text[:place]}"{name}": {json.dumps(rng.choice(VALUES))}{", " if rest[:1] != "}" else ""}{rest}'.encode()


# ---- XML


def mutate_xml(data: bytes, rng: Random) -> bytes:
    """Drop, repeat, rename, wrap or retype an element or attribute, or declare what must not be declared."""
    try:
        root = ElementTree.fromstring(data)  # noqa: S314 - our own test data
    except (ElementTree.ParseError, ValueError, LookupError):
        return mutate_lines(data, rng)
    if rng.random() < 0.04:
        return _hostile_xml(data, rng)
    pairs = [(parent, child) for parent in root.iter() for child in parent]
    parent, child = rng.choice(pairs) if pairs else (None, root)
    way = rng.randrange(10)
    if way <= 4:
        _change_words(child if rng.random() < 0.9 else root, rng)
    elif way == 5 and parent is not None:
        parent.remove(child)
    elif way == 6 and parent is not None:
        parent.extend([child] * rng.choice((1, 2, 50)))
    elif way == 7:
        child.tag = rng.choice(("x", child.tag.upper(), root.tag, "label", "object", child.tag + "s"))
    elif way == 8 and parent is not None:
        rng.choice(pairs)[0].append(ElementTree.fromstring(ElementTree.tostring(child)))  # noqa: S314
    else:
        for _ in range(rng.choice((1, 3, 80))):
            inner = ElementTree.Element(child.tag, child.attrib)
            inner.extend(list(child))
            inner.text = child.text
            child[:] = [inner]
    try:
        return ElementTree.tostring(root, encoding=rng.choice(("utf-8", "utf-8", "utf-8", "us-ascii", "utf-16")))
    except (ValueError, RecursionError, TypeError):
        return mutate_bytes(data, rng)


def _change_words(element: ElementTree.Element, rng: Random) -> None:
    keys = list(element.attrib)
    way = rng.random()
    if keys and way < 0.15:
        del element.attrib[rng.choice(keys)]
    elif keys and way < 0.7:
        key = rng.choice(keys)
        element.attrib[key] = _plain(nudge_number(element.attrib[key], rng))
    elif element.text and element.text.strip():
        element.text = _plain(nudge_number(element.text, rng))
    else:
        element.text = _plain(rng.choice(TEXTS))


def nudge_number(text: str, rng: Random) -> str:
    """Change a text, or a number that it spells."""
    try:
        value = float(text)
    except ValueError:
        return nudge_text(text, rng)
    return str(rng.choice((-value, value + 1, value * 1e6, value / 3, rng.choice(NUMBERS), rng.choice(TEXTS))))


def _plain(text: str) -> str:
    return "".join(letter for letter in text if letter >= " " and not "\ud800" <= letter <= "\udfff")


def _hostile_xml(data: bytes, rng: Random) -> bytes:
    body = data[data.find(b"?>") + 2 :] if data.startswith(b"<?xml") else data
    laughs = b"".join(b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 10))
    return rng.choice(
        (
            b'<!DOCTYPE a [<!ENTITY l0 "ha">' + laughs + b"]>" + body.replace(b">", b">&l9;", 1),
            b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + body.replace(b">", b">&x;", 1),
            b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/x.dtd">' + body,
            b"<a>" * 5000 + body,
            b'<?xml version="1.0" encoding="zlib_codec"?>' + body,
        )
    )


# ---- lines of text


def mutate_lines(data: bytes, rng: Random) -> bytes:
    """Drop, repeat, exchange or cut lines and cells, or change the encoding."""
    lines = data.split(b"\n")
    place = rng.randrange(len(lines))
    way = rng.randrange(9)
    if way == 0:
        del lines[place]
    elif way == 1:
        lines[place:place] = [lines[place]] * rng.choice((1, 2, 300))
    elif way == 2:
        other = rng.randrange(len(lines))
        lines[place], lines[other] = lines[other], lines[place]
    elif way <= 5:
        lines[place] = _mutate_cell(lines[place], rng)
    elif way == 6:
        return data.decode("latin-1").encode(rng.choice(("utf-16", "utf-32", "utf-8-sig", "utf-16-le")))
    elif way == 7:
        return data.replace(b"\n", rng.choice((b"\r", b"\r\n", b"\n\n", b"\0")))
    else:
        return mutate_bytes(data, rng)
    return b"\n".join(lines)


def _mutate_cell(line: bytes, rng: Random) -> bytes:
    sign = rng.choice([letter for letter in (b",", b" ", b":", b"\t", b";") if letter in line] or [b" "])
    cells = line.split(sign)
    place = rng.randrange(len(cells))
    cells[place] = rng.choice(
        (
            nudge_number(cells[place].decode("latin-1"), rng).encode("utf-8", "replace"),
            b'"', b"x" * 200_000, b"", b"\0", rng.choice(TEXTS).encode("utf-8", "replace"),
        )
    )  # fmt: skip
    return sign.join(cells)
