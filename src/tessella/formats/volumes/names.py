"""What the values of label volumes are called: by dataset.json, by a table beside them, by the volumes themselves."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from tessella.core.classes import IGNORE, MAX_CLASSES, ClassInfo, ClassTable, LabelCoding, voc_colour
from tessella.core.errors import InputError, LabelError
from tessella.files.paths import relative_name
from tessella.files.text import read_json, read_text_lines
from tessella.formats.layout.class_files import CLASS_FILES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from tessella.formats.source import Source

_LARGEST_TABLE: Final = 1 << 20
_ITK_SNAP: Final = re.compile(r'\s*(\d{1,5})(?:\s+[\d.]+){6,7}\s+"(.*)"\s*')
_SLICER: Final = re.compile(r"(\d{1,5})\s+(\S+)(?:\s+\d{1,3}){4}")


def stated(source: Source) -> tuple[dict[int, str], str]:
    """Return the names that a file of the data set gives to values, and that file's name; nothing where none does.

    `dataset.json` of the Medical Segmentation Decathlon and of nnU-Net, tables of ITK-SNAP (`.txt`, `.label`) and of 3D
    Slicer (`.ctbl`) are read.
    """
    for path in source.files(".json"):
        if path.name == "dataset.json" and (names := _dataset_json(path)):
            return names, relative_name(path, source.root)
    for path in source.files(".txt", ".label", ".ctbl"):
        if path.name not in CLASS_FILES and (names := _table(path)):
            return names, relative_name(path, source.root)
    return {}, ""


def _dataset_json(path: Path) -> dict[int, str]:
    try:
        tree = read_json(path)
    except InputError:
        return {}
    labels = tree.get("labels") if isinstance(tree, dict) else None
    if not isinstance(labels, dict):
        return {}
    names: dict[int, str] = {}
    for one, other in labels.items():
        # the Decathlon writes value: name, nnU-Net 2 name: value; its regions are lists of values and overlap
        value, name = (one, other) if _value(one) is not None and isinstance(other, str) else (other, one)
        number = _value(value)
        if number is not None and isinstance(name, str) and name.strip():
            names[number] = name.strip()
    return names


def _value(word: Any) -> int | None:  # noqa: ANN401 - parsed JSON
    if isinstance(word, bool) or not isinstance(word, int | str):
        return None
    text = str(word) if isinstance(word, str) or abs(word) < 1 << 16 else ""
    return int(text) if text.isdecimal() and len(text) <= 5 and int(text) <= 65535 else None


def _table(path: Path) -> dict[int, str]:
    try:
        lines = [line for line in read_text_lines(path, max_bytes=_LARGEST_TABLE) if not line.startswith("#")]
    except InputError:
        return {}
    for pattern in (_ITK_SNAP, _SLICER):
        found = [pattern.fullmatch(line) for line in lines]
        if found and all(found):
            return {int(match[1]): match[2].strip() for match in found if match and match[2].strip()}
    return {}


def coding_of(names: Mapping[int, str], *, ignored: Iterable[int] = ()) -> LabelCoding:
    """Make a coding of names by value; 0 is the background where nothing else is said.

    Args:
        names: Name of each value.
        ignored: Values that mean IGNORE.

    Raises:
        LabelError: More than 255 classes.
    """
    names = {0: "background", **names}
    if names[0].casefold() == "clear label":  # ITK-SNAP
        names[0] = "background"
    ignored = tuple(sorted({value for value, name in names.items() if name.casefold() == "ignore"} | set(ignored)))
    values = sorted(value for value in names if value not in ignored)
    if len(values) > MAX_CLASSES:
        raise LabelError(
            "the label volumes hold too many values for classes",
            got=f"{len(values)} values, {values[0]} to {values[-1]}",
            expected=f"at most {MAX_CLASSES}",
            fix="these may be instance numbers: pass --classes FILE with the values that are classes",
        )
    called: dict[str, int] = {}
    for value in values:
        name = names[value] if names[value] not in called else f"{names[value]} {value}"
        called[name] = value
    table = ClassTable(tuple(ClassInfo(name, voc_colour(place)) for place, name in enumerate(called)))
    left = {names[value]: None for value in ignored if value in names and names[value] not in called}
    return LabelCoding(
        table,
        tuple((value,) for value in called.values()),
        ignore_values=ignored or _free(values),
        ignore_names=("__ignore__", *left),
    )


def _free(values: list[int]) -> tuple[int, ...]:
    """255 means IGNORE, unless it is a class."""
    return () if IGNORE in values else (IGNORE,)


def found_coding(values: Iterable[int]) -> tuple[LabelCoding, str]:
    """Make a coding of the values that occur, and say so.

    Raises:
        LabelError: More than 255 values.
    """
    found = sorted(set(values) - {0})
    ignored = (IGNORE,) if IGNORE in found and len(found) > 1 and len(found) < IGNORE - 1 else ()
    names = {value: f"class_{value}" for value in found if value not in ignored}
    listed = ", ".join(f"{value} = {name}" for value, name in names.items())
    note = f"classes discovered from the values found: 0 = background{', ' if listed else ''}{listed}"
    return coding_of(names, ignored=ignored), note + ("; 255 is taken for ignore" if ignored else "")


def stored_value(name: str, coding: LabelCoding) -> int | None:
    """Return the value that stands for a class or for IGNORE; None where the coding has no such name."""
    index = coding.name_to_id().get(name)
    values = () if index is None else coding.ignore_values if index == IGNORE else coding.values[index]
    return values[0] if values else None
