"""Class tables: what an id means, and how it is stored in mask files."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from tessella.core.errors import ClassTableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

IGNORE: Final = 255
"""The one ignore id in memory: a pixel that is neither trained on nor scored. Never a class."""

MAX_CLASSES: Final = 255

_NO_TEXT: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""What XML cannot hold, and halves of characters, which no encoding can."""


Colour = tuple[int, int, int]
"""Red, green, blue, each 0..255."""


def voc_colour(index: int) -> Colour:
    """Return the colour of class `index` in the PASCAL VOC palette.

    The three lowest bits of the index go to the highest bits of red, green and blue, the next three to the next
    bits, and so on (VOCdevkit, `VOClabelcolormap.m`).

    Args:
        index: 0 or more; the palette has 256 colours, and any two indices below 2**24 differ.

    Returns:
        Red, green, blue.
    """
    red = green = blue = 0
    for bit in range(8):
        red |= (index & 1) << (7 - bit)
        green |= (index >> 1 & 1) << (7 - bit)
        blue |= (index >> 2 & 1) << (7 - bit)
        index >>= 3
    return red, green, blue


@dataclass(frozen=True, slots=True)
class ClassInfo:
    """One class: a name for people and a colour for pictures."""

    name: str
    colour: Colour

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise ClassTableError("a class has an empty name", got=repr(self.name), fix="give every class a name")
        if _NO_TEXT.search(self.name):
            raise ClassTableError(
                "the name of a class holds what no text file can",
                got=ascii(self.name),
                expected="no control characters and no half characters",
                fix="rename the class in the annotation tool or the class file",
            )
        if len(self.colour) != 3 or any(not 0 <= channel <= 255 for channel in self.colour):
            raise ClassTableError(
                f"the colour of class {self.name!r} is not red, green, blue",
                got=self.colour,
                expected="three numbers from 0 to 255",
            )


@dataclass(frozen=True, slots=True)
class ClassTable:
    """The classes of a data set; ids are 0..K-1 by position, K <= 255.

    Raises:
        ClassTableError: No class, more than 255, or a name or a colour that occurs twice.
    """

    classes: tuple[ClassInfo, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.classes) <= MAX_CLASSES:
            raise ClassTableError(
                "a class table has the wrong number of classes",
                got=len(self.classes),
                expected=f"1 to {MAX_CLASSES} (255 is the ignore id)",
            )
        _refuse_twins("name", [info.name for info in self.classes])
        _refuse_twins("colour", [info.colour for info in self.classes])

    @classmethod
    def from_names(cls, names: Iterable[str]) -> ClassTable:
        """Make a table from names alone, coloured by the PASCAL VOC palette."""
        return cls(tuple(ClassInfo(name, voc_colour(index)) for index, name in enumerate(names)))

    @property
    def names(self) -> tuple[str, ...]:
        """Names in id order."""
        return tuple(info.name for info in self.classes)

    @property
    def colours(self) -> tuple[Colour, ...]:
        """Colours in id order."""
        return tuple(info.colour for info in self.classes)

    def __len__(self) -> int:
        return len(self.classes)

    def __iter__(self) -> Iterator[ClassInfo]:
        return iter(self.classes)

    def id_of(self, name: str) -> int:
        """Return the id of a class by name.

        Raises:
            ClassTableError: The table has no such class; the message gives the nearest names.
        """
        if name in self.names:
            return self.names.index(name)
        raise ClassTableError(
            f"no class is called {name!r}",
            expected=f"one of {', '.join(self.names)}",
            fix=nearest_hint(name, self.names),
        )

    def palette(self) -> NDArray[np.uint8]:
        """Return (256, 3) uint8 RGB: row i is the colour of id i, IGNORE is a pale grey, the rest black."""
        table = np.zeros((256, 3), np.uint8)
        table[: len(self)] = self.colours
        table[IGNORE] = (224, 224, 192)
        return table

    def to_json(self) -> list[dict[str, object]]:
        """Return a list of `{"name": ..., "colour": [r, g, b]}` in id order."""
        return [{"name": info.name, "colour": list(info.colour)} for info in self.classes]


def nearest_hint(name: str, names: Sequence[str]) -> str | None:
    """Return "did you mean ...?" with up to three similar names, or None when nothing is near."""
    import difflib

    by_fold = {candidate.casefold(): candidate for candidate in names}
    near = difflib.get_close_matches(name.casefold(), list(by_fold), n=3, cutoff=0.6)
    return f"did you mean {' or '.join(repr(by_fold[fold]) for fold in near)}?" if near else None


def _refuse_twins(what: str, values: Sequence[object]) -> None:
    twins = [value for value, count in Counter(values).items() if count > 1]
    if twins:
        places = [str(index) for index, value in enumerate(values) if value == twins[0]]
        raise ClassTableError(
            f"two classes share the {what} {twins[0]!r} (ids {', '.join(places)})",
            fix=f"give every class a {what} of its own, or merge them into one class with several stored values",
        )


@dataclass(frozen=True, slots=True)
class LabelCoding:
    """How the classes of a table are stored in files: which values, colours and names mean which class.

    Args:
        table: The classes.
        values: For each class the stored values of index masks that mean it; by default its own position.
        ignore_values: Stored values that mean IGNORE.
        ignore_colours: Colours of colour masks that mean IGNORE.
        ignore_names: Label names of shape formats that mean IGNORE.
        aliases: Further label names of shape formats: (name in the file, class name).

    Raises:
        ClassTableError: A value, colour or name that means two things.
    """

    table: ClassTable
    values: tuple[tuple[int, ...], ...] = ()
    ignore_values: tuple[int, ...] = (IGNORE,)
    ignore_colours: tuple[Colour, ...] = ()
    ignore_names: tuple[str, ...] = ("__ignore__",)
    aliases: tuple[tuple[str, str], ...] = field(default=())

    def __post_init__(self) -> None:
        if not self.values:
            object.__setattr__(self, "values", tuple((index,) for index in range(len(self.table))))
        if len(self.values) != len(self.table):
            raise ClassTableError(
                "stored values are not given for every class", got=len(self.values), expected=len(self.table)
            )
        stored = [value for values in self.values for value in values]
        if wrong := [value for value in (*stored, *self.ignore_values) if not 0 <= value <= 65535]:
            raise ClassTableError("a stored value is out of range", got=wrong[0], expected="0 to 65535")
        _refuse_two_meanings("stored value", [*stored, *self.ignore_values])
        _refuse_two_meanings("colour", [*self.table.colours, *self.ignore_colours])
        _refuse_two_meanings("name", [*self.table.names, *self.ignore_names, *(alias for alias, _ in self.aliases)])
        for _, name in self.aliases:
            self.table.id_of(name)

    def __hash__(self) -> int:
        # of a part: a coding is the key of caches that every record asks, and names and colours hash in Python
        return hash((self.values, self.ignore_values))

    def value_to_id(self) -> dict[int, int]:
        """Return every declared stored value with the id (or IGNORE) it means."""
        meaning = {value: index for index, values in enumerate(self.values) for value in values}
        return meaning | dict.fromkeys(self.ignore_values, IGNORE)

    def colour_to_id(self) -> dict[Colour, int]:
        """Return every declared colour with the id (or IGNORE) it means."""
        meaning: dict[Colour, int] = {colour: index for index, colour in enumerate(self.table.colours)}
        return meaning | dict.fromkeys(self.ignore_colours, IGNORE)

    def name_to_id(self) -> dict[str, int]:
        """Return every declared label name with the id (or IGNORE) it means."""
        meaning = {name: index for index, name in enumerate(self.table.names)}
        meaning |= {alias: meaning[name] for alias, name in self.aliases}
        return meaning | dict.fromkeys(self.ignore_names, IGNORE)


def _refuse_two_meanings(what: str, values: Sequence[object]) -> None:
    twins = [value for value, count in Counter(values).items() if count > 1]
    if twins:
        raise ClassTableError(
            f"the {what} {twins[0]!r} means two things",
            fix=f"let every {what} stand for one class, or for ignore",
        )
