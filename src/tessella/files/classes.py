"""Class files (Tessella's TOML, JSON, CSV, LabelMe's `labels.txt`, CVAT's `labelmap.txt`) to one `LabelCoding`."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from tessella.core.classes import IGNORE, ClassInfo, ClassTable, Colour, LabelCoding, nearest_hint, voc_colour
from tessella.core.errors import ClassTableError, FormatError
from tessella.files.text import CLASSES_BUDGET, read_csv, read_json, read_text_lines, read_toml
from tessella.files.write import write_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

IGNORE_NAMES: Final = ("__ignore__",)
"""LabelMe's name for what is not annotated (its id is -1 there)."""


_VOID: Final = ("ignored", voc_colour(IGNORE))
"""How label maps of PASCAL VOC name what is not scored."""

_OF_LINES: Final = (".txt", ".names", ".labels", "")
"""Suffixes of files with a class per line."""

_HEX_COLOUR: Final = re.compile(r"^#[0-9A-Fa-f]{6}$")
_COLOUR_FIRST: Final = re.compile(r"^(\d+)[\s,]+(\d+)[\s,]+(\d+)[\s,]+(\S.*)$")


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str
    colour: Colour | None = None
    values: tuple[int, ...] | None = None
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Ignored:
    values: tuple[int, ...] | None = None
    colours: tuple[Colour, ...] = ()
    names: tuple[str, ...] = field(default=IGNORE_NAMES)


def read_classes(path: Path) -> LabelCoding:
    """Read a class file; its kind is told by suffix and content.

    Args:
        path: `.toml` (`[[classes]]` and `[ignore]`), `.json` (the same keys, a list of names, or a map from name to
            value or colour), `.csv` (`name,r,g,b` or Roboflow's `Pixel Value,Class`), or a text file with a name per
            line (LabelMe), `name:r,g,b::` (CVAT) or `r g b name` (CamVid's `label_colors.txt`).

    Returns:
        The classes and how they are stored.

    Raises:
        InputError: The file cannot be read.
        FormatError: It has none of these forms.
        ClassTableError: It contradicts itself (a name, colour or value that occurs twice).
    """
    readers: dict[str, Callable[[Path], tuple[list[_Entry], _Ignored]]] = {
        ".toml": _from_toml,
        ".json": _from_json,
        ".csv": _from_csv,
    }
    suffix = path.suffix.lower()
    if suffix not in readers and suffix not in _OF_LINES:
        raise FormatError(
            "this is no class file",
            where=path,
            got=path.suffix,
            expected=", ".join([*readers, *filter(None, _OF_LINES)]),
            fix="write one class name per line into a file such as labels.txt",
        )
    entries, ignored = readers.get(suffix, _from_lines)(path)
    if not entries:
        raise FormatError("the file names no class", where=path, expected="at least one class")
    try:
        return _assemble(entries, ignored)
    except ClassTableError as error:
        raise ClassTableError(error.what, where=path, got=error.got, expected=error.expected, fix=error.fix) from error


def write_classes(path: Path, coding: LabelCoding) -> None:
    """Write a class file in Tessella's TOML form.

    Raises:
        OutputError: The file cannot be written.
    """
    lines = []
    for index, (info, values) in enumerate(zip(coding.table, coding.values, strict=True)):
        lines += ["[[classes]]", f"name = {_quoted(info.name)}", f"colour = {list(info.colour)}"]
        if values != (index,):
            lines.append(f"values = {list(values)}")
        if names := [alias for alias, name in coding.aliases if name == info.name]:
            lines.append(f"aliases = [{', '.join(map(_quoted, names))}]")
    lines += ["[ignore]", f"values = {list(coding.ignore_values)}"]
    lines.append(f"names = [{', '.join(map(_quoted, coding.ignore_names))}]")
    if coding.ignore_colours:
        lines.append(f"colours = {[list(colour) for colour in coding.ignore_colours]}")
    write_text(path, "\n".join(lines) + "\n")


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # every JSON string is a TOML basic string


def _assemble(entries: list[_Entry], ignored: _Ignored) -> LabelCoding:
    taken = {entry.colour for entry in entries if entry.colour} | set(ignored.colours)
    spare = (colour for colour in map(voc_colour, range(256)) if colour not in taken)
    infos = []
    for index, entry in enumerate(entries):
        colour = entry.colour
        if colour is None:
            usual = voc_colour(index)
            colour = usual if usual not in taken else next(spare, usual)
            taken.add(colour)
        infos.append(ClassInfo(entry.name, colour))
    values = tuple((index,) if entry.values is None else entry.values for index, entry in enumerate(entries))
    claimed = {value for group in values for value in group}
    # 255 means ignore unless the file gives it to a class (binary masks are often stored as 0 and 255)
    ignore_values = tuple(value for value in (IGNORE,) if value not in claimed)
    return LabelCoding(
        ClassTable(tuple(infos)),
        values,
        ignore_values=ignore_values if ignored.values is None else ignored.values,
        ignore_colours=ignored.colours,
        ignore_names=ignored.names,
        aliases=tuple((alias, entry.name) for entry in entries for alias in entry.aliases),
    )


def _from_toml(path: Path) -> tuple[list[_Entry], _Ignored]:
    return _from_tree(read_toml(path, max_bytes=CLASSES_BUDGET), where=path)


def _from_json(path: Path) -> tuple[list[_Entry], _Ignored]:
    tree = read_json(path, max_bytes=CLASSES_BUDGET)
    if isinstance(tree, list):
        tree = {"classes": tree}
    if isinstance(tree, dict) and isinstance(tree.get("label_map"), dict):
        return _from_meta(tree, where=path), _Ignored()
    if isinstance(tree, dict) and "classes" not in tree:
        tree = {"classes": [_named(name, meaning, where=path) for name, meaning in tree.items()]}
    return _from_tree(tree, where=path)


def _from_meta(tree: dict[str, Any], *, where: Path) -> list[_Entry]:
    """Read Datumaro's `dataset_meta.json`: names by stored value, and colours in the order of the values."""
    names = tree["label_map"]
    if not all(isinstance(name, str) and value.isdecimal() for value, name in names.items()):
        raise FormatError("label_map does not name values", where=where, expected='{"0": "sky", "1": "road"}')
    colours = tree.get("segmentation_colors")
    known = isinstance(colours, list) and len(colours) == len(names)
    return [
        _Entry(name, _colour(colours[place], where=where) if known and colours else None, (int(value[:6]),))
        for place, (value, name) in enumerate(sorted(names.items(), key=lambda item: int(item[0][:6])))
    ]


def _named(name: str, meaning: object, *, where: Path) -> dict[str, object]:
    if isinstance(meaning, int) and not isinstance(meaning, bool):
        return {"name": name, "values": [meaning]}
    if isinstance(meaning, list):
        return {"name": name, "colour": meaning}
    raise FormatError(f"class {name!r} has no value or colour", where=where, got=meaning, expected="7 or [255, 0, 0]")


def _from_tree(tree: Any, *, where: Path) -> tuple[list[_Entry], _Ignored]:  # noqa: ANN401 - parsed TOML or JSON
    if not isinstance(tree, dict) or not isinstance(tree.get("classes"), list):
        raise FormatError("there is no list of classes", where=where, expected="[[classes]] entries with a name")
    _refuse_unknown(tree, ("classes", "ignore"), where=where)
    entries = []
    for number, row in enumerate(tree["classes"]):
        here = f"{where}: classes[{number}]"
        entry = {"name": row} if isinstance(row, str) else row
        if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
            raise FormatError("a class has no name", where=here, got=row, expected='name = "building"')
        _refuse_unknown(entry, ("name", "colour", "color", "values", "aliases"), where=here)
        colour = entry.get("colour", entry.get("color"))
        entries.append(
            _Entry(
                entry["name"],
                None if colour is None else _colour(colour, where=here),
                None if "values" not in entry else _stored(entry["values"], where=here),
                _texts(entry.get("aliases", []), where=f"{here}: aliases"),
            )
        )
    ignore = tree.get("ignore", {})
    if not isinstance(ignore, dict):
        raise FormatError("[ignore] is not a table", where=where, got=ignore, expected="values, colours or names")
    _refuse_unknown(ignore, ("values", "colours", "colors", "names"), where=f"{where}: ignore")
    colours = ignore.get("colours", ignore.get("colors", []))
    if not isinstance(colours, list):
        raise FormatError(
            "this is not a list of colours", where=f"{where}: ignore", got=colours, expected="[[r, g, b], ...]"
        )
    return entries, _Ignored(
        None if "values" not in ignore else _integers(ignore["values"], where=f"{where}: ignore"),
        tuple(_colour(colour, where=f"{where}: ignore") for colour in colours),
        _texts(ignore.get("names", list(IGNORE_NAMES)), where=f"{where}: ignore: names"),
    )


def _refuse_unknown(tree: dict[str, Any], known: tuple[str, ...], *, where: object) -> None:
    for key in tree:
        if key not in known:
            hint = nearest_hint(key, known)
            raise FormatError(f"unknown key {key!r}", where=where, expected=", ".join(known), fix=hint)


def _colour(value: object, *, where: object) -> Colour:
    if isinstance(value, str) and _HEX_COLOUR.match(value):
        value = list(bytes.fromhex(value[1:]))
    channels = () if isinstance(value, str) else _integers(value, where=where)
    if len(channels) != 3 or max(channels) > 255:
        raise FormatError("this is not a colour", where=where, got=value, expected='[r, g, b] of 0..255, or "#rrggbb"')
    return channels[0], channels[1], channels[2]


def _integers(value: object, *, where: object) -> tuple[int, ...]:
    values = value if isinstance(value, list) else [value]
    if not all(isinstance(item, int) and not isinstance(item, bool) and item >= 0 for item in values):
        raise FormatError("these are not whole numbers", where=where, got=value, expected="for example [1, 255]")
    return tuple(values)


def _stored(value: object, *, where: object) -> tuple[int, ...]:
    values = _integers(value, where=where)
    if not values:
        raise FormatError(
            "a class has no stored value", where=where, got="values = []", expected="for example values = [1]",
            fix="leave `values` out for the class's own position, or remove the class",
        )  # fmt: skip
    return values


def _texts(value: object, *, where: object) -> tuple[str, ...]:
    # a string is a sequence too: its letters would become names
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise FormatError("this is not a list of names", where=where, got=repr(value), expected='["one", "another"]')
    return tuple(value)


def _from_csv(path: Path) -> tuple[list[_Entry], _Ignored]:
    rows = [{name.casefold(): cell for name, cell in row.items()} for row in read_csv(path, max_bytes=CLASSES_BUDGET)]
    keys = set(rows[0]) if rows else set()
    if {"name", "r", "g", "b"} <= keys:
        return [_Entry(row["name"], _cells(path, row, "r", "g", "b")) for row in rows], _Ignored()
    if {"pixel value", "class"} <= keys:
        return [_Entry(row["class"], None, _cells(path, row, "pixel value")) for row in rows], _Ignored()
    raise FormatError(
        "the columns are not those of a class file",
        where=path,
        got=", ".join(sorted(keys)),
        expected="name,r,g,b or Pixel Value,Class",
    )


def _cells(path: Path, row: dict[str, str], *names: str) -> Any:  # noqa: ANN401 - a colour or a tuple of values
    try:
        return tuple(int(row[name]) for name in names)
    except ValueError as error:
        raise FormatError("a cell is not a whole number", where=path, got=row) from error


def _from_lines(path: Path) -> tuple[list[_Entry], _Ignored]:
    lines = [line for line in read_text_lines(path, max_bytes=CLASSES_BUDGET) if not line.startswith("#")]
    if lines and all(line.count(":") == 3 for line in lines):
        return _from_labelmap(path, lines)
    if lines and all(_COLOUR_FIRST.match(line) for line in lines):
        return _from_label_colors(path, lines)
    ignored = tuple(line for line in lines if line in IGNORE_NAMES)
    return [_Entry(line) for line in lines if line not in IGNORE_NAMES], _Ignored(names=ignored or IGNORE_NAMES)


def _from_label_colors(path: Path, lines: Iterable[str]) -> tuple[list[_Entry], _Ignored]:
    """Read CamVid's `label_colors.txt`: red, green, blue and the name on each line."""
    found = [match for line in lines if (match := _COLOUR_FIRST.match(line))]
    colours = [_colour([int(match[band]) for band in (1, 2, 3)], where=path) for match in found]
    return [_Entry(match[4].strip(), colour) for match, colour in zip(found, colours, strict=True)], _Ignored()


def _from_labelmap(path: Path, lines: Iterable[str]) -> tuple[list[_Entry], _Ignored]:
    entries = []
    for line in lines:
        name, colour, _, _ = line.split(":")
        try:
            channels = [int(channel) for channel in colour.split(",")] if colour else None
        except ValueError as error:
            raise FormatError("this is not a colour", where=path, got=line, expected="name:r,g,b::") from error
        entries.append(_Entry(name, None if channels is None else _colour(channels, where=path)))
    named = [replace(entry, name=entry.name.strip()) for entry in entries]
    void = [entry for entry in named if entry.name in IGNORE_NAMES or (entry.name, entry.colour) == _VOID]
    colours = tuple(entry.colour for entry in void if entry.colour is not None)
    return [entry for entry in named if entry not in void], _Ignored(colours=colours)
