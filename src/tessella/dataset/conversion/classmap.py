"""A class map: which class of a source becomes which class of the result, as a versioned TOML file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tessella.core.classes import ClassInfo, ClassTable, nearest_hint, voc_colour
from tessella.core.errors import ClassTableError
from tessella.files.text import read_toml

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

VERSION: Final = 1
_KEYS: Final = frozenset({"version", "classes", "ignore", "drop", "sources"})
_SOURCE_KEYS: Final = frozenset({"rename", "complete"})


@dataclass(frozen=True, slots=True)
class SourceRule:
    """What holds for one source only.

    Args:
        rename: Names of the source that mean another name, before everything else.
        complete: Whether its annotators looked for every class of the result, so that background is background.
    """

    rename: Mapping[str, str] = field(default_factory=dict)
    complete: bool = False


@dataclass(frozen=True, slots=True)
class ClassMap:
    """A class map.

    Args:
        table: The classes of the result, or None for those of the sources.
        names: For every name that is mapped the class of the result.
        ignored: Names that become IGNORE.
        dropped: Names that become background, or IGNORE where the result has no background.
        sources: Rules for single sources, by the name of their folder.
    """

    table: ClassTable | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    ignored: frozenset[str] = frozenset()
    dropped: frozenset[str] = frozenset()
    sources: Mapping[str, SourceRule] = field(default_factory=dict)


def read_class_map(path: Path) -> ClassMap:
    """Read a class map.

    Raises:
        InputError: The file cannot be read.
        ClassTableError: Another version, an unknown key, or a name that means two things.
    """
    tree = read_toml(path)
    _refuse_unknown(tree, _KEYS, path)
    if tree.get("version") != VERSION:
        raise ClassTableError(
            "this class map has no version, or another one", where=path, got=tree.get("version"), expected="version = 1"
        )
    rows = tree.get("classes", [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ClassTableError("classes is no list of tables", where=path, expected="[[classes]]")
    table, names = _classes(rows, path)
    ignored, dropped = (_names(_table(tree, key, path), "from", f"{path}: [{key}]") for key in ("ignore", "drop"))
    meanings = [*names, *ignored, *dropped]
    if twins := sorted({name for name in meanings if meanings.count(name) > 1}):
        raise ClassTableError(f"the name {twins[0]!r} becomes two things", where=path, fix="keep one of the two")
    sources = {
        str(name): _source(rule, f"{path}: [sources.{name}]") for name, rule in _table(tree, "sources", path).items()
    }
    return ClassMap(table, names, frozenset(ignored), frozenset(dropped), sources)


def _classes(rows: list[dict[str, Any]], path: Path) -> tuple[ClassTable | None, dict[str, str]]:
    infos: list[ClassInfo] = []
    names: dict[str, str] = {}
    for number, row in enumerate(rows):
        where = f"{path}: classes[{number}]"
        _refuse_unknown(row, frozenset({"name", "colour", "from"}), where)
        name, colour = row.get("name"), row.get("colour", list(voc_colour(number)))
        if not isinstance(name, str):
            raise ClassTableError("a class has no name", where=where, expected='name = "building"')
        if not isinstance(colour, list) or not all(isinstance(one, int) for one in colour) or len(colour) != 3:
            raise ClassTableError("a colour is not red, green, blue", where=where, got=colour)
        infos.append(ClassInfo(name, (colour[0], colour[1], colour[2])))
        for one in dict.fromkeys([name, *_names(row, "from", where)]):
            if names.setdefault(one, name) != name:
                raise ClassTableError(f"the name {one!r} becomes two classes", where=where, got=f"{names[one]}, {name}")
    return (ClassTable(tuple(infos)) if infos else None), names


def _source(rule: object, where: str) -> SourceRule:
    if not isinstance(rule, dict):
        raise ClassTableError("a rule for a source is a table", where=where, got=repr(rule))
    _refuse_unknown(rule, _SOURCE_KEYS, where)
    rename = _table(rule, "rename", where)
    complete = rule.get("complete", False)
    if not all(isinstance(name, str) for name in rename.values()) or not isinstance(complete, bool):
        raise ClassTableError("a rule for a source has a value of another kind", where=where, got=repr(rule))
    return SourceRule(dict(rename), complete)


def _names(table: Mapping[str, Any], key: str, where: str) -> list[str]:
    names = table.get(key, [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ClassTableError(f"{key} is no list of names", where=where, got=repr(names), expected='["house", "roof"]')
    return names


def _table(tree: Mapping[str, Any], key: str, where: object) -> dict[str, Any]:
    table = tree.get(key, {})
    if not isinstance(table, dict):
        raise ClassTableError(f"{key} is no table", where=where, got=repr(table), expected=f"[{key}]")
    return table


def _refuse_unknown(tree: Mapping[str, Any], known: frozenset[str], where: object) -> None:
    for key in tree:
        if key not in known:
            raise ClassTableError(
                f"a class map has no key {key!r}",
                where=where,
                expected=", ".join(sorted(known)),
                fix=nearest_hint(key, sorted(known)),
            )
