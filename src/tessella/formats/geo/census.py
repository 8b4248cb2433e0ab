"""Counting what vector files hold, file by file, so that the polygons of thousands need not be kept."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from tessella.core.classes import MAX_CLASSES, nearest_hint
from tessella.core.errors import FormatError
from tessella.formats.geo.placing import system_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tessella.core.classes import LabelCoding
    from tessella.files.geo.vectors import Feature, VectorFile

CLASS_COLUMNS: Final = (
    "class", "label", "class_name", "classname", "label_name", "category", "category_name", "classification", "type",
)  # fmt: skip
"""Attributes that name a feature's class, the surest first; case does not matter."""

OPTION: Final = "class"
OPTIONS: Final = {OPTION: "the attribute (column) that names the class, in any case"}

_SHOWN: Final = 8
_MOST_VALUES: Final = 4096
"""Different values of an attribute that are kept: one with more names no classes."""


@dataclass(slots=True)
class Census:
    """What the features with polygons say of their classes.

    Args:
        shapes: How many there are, by the name that they have where no attribute gives one.
        filled: How many of those have a value, by attribute.
        values: How many have each value, by attribute.
        left_out: How many features without polygons there are, by kind.
        assumed: How many layers state no coordinate system.
    """

    shapes: Counter[str] = field(default_factory=Counter)
    filled: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    values: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    left_out: Counter[str] = field(default_factory=Counter)
    assumed: int = 0

    def add(self, file: VectorFile, called: str) -> None:
        """Count the features of a layer.

        Args:
            file: The layer.
            called: What its features are called where no attribute names them.
        """
        self.assumed += not system_of(file) and file.bounds is not None
        for feature in file.features:
            if not feature.polygons:
                self.left_out[feature.kind] += 1
                continue
            self.count(called, feature.attributes)

    def count(self, called: str, attributes: Mapping[str, str]) -> None:
        """Count one feature with polygons.

        Args:
            called: What it is called where no attribute names it.
            attributes: Those that have a value; of names that differ in case alone the first counts, as in `value_of`.
        """
        self.shapes[called] += 1
        columns: dict[str, str] = {}
        for name, value in attributes.items():
            columns.setdefault(name.casefold(), value)
        for column, value in columns.items():
            self.filled[column][called] += 1
            found = self.values[column]
            if value in found or len(found) < _MOST_VALUES:
                found[value] += 1

    def column(self, coding: LabelCoding | None, asked: str | None = None, *, where: object) -> tuple[str, str]:
        """Return the attribute that names the class, in lower case, or "", and a note that says so.

        It must have a value for half of the shapes. Where classes are known, an attribute counts whose values are their
        names, whatever it is called.

        Args:
            coding: The classes, where they are known.
            asked: The attribute that was asked for, or None.
            where: The data set, for messages.

        Raises:
            FormatError: No shape has the attribute that was asked for, or it has more values than there can be classes.
        """
        total = self.shapes.total()
        if not total:
            return "", "the vector files hold no shapes, so there are no classes but the background"
        found = self._candidates(coding) if asked is None else [self._asked(asked, coding, where)]
        if not found:
            called = _some(sorted(self.shapes))
            take = f"; --option {OPTION}=NAME takes one of them" if self.filled else ""
            return "", f"no attribute names a class (there are: {self._listed()}): shapes are called {called}{take}"
        chosen, *others = found
        without = total - self.filled[chosen].total()
        lacking = sorted(called for called, count in self.shapes.items() if count > self.filled[chosen][called])
        also = f"; {without} of {total} shapes have none and are called {_some(lacking)}" if without else ""
        if named := [self._told(other) for other in others]:
            also += f"; it could be {', '.join(named)} as well (--option {OPTION}={others[0]})"
        return chosen, f"the class is the attribute {chosen!r}{also}"

    def _candidates(self, coding: LabelCoding | None) -> list[str]:
        """Return the attributes that may name the class, the surest first."""
        half = self.shapes.total() / 2
        names = coding.name_to_id() if coding is not None else {}
        usual = [column for column in CLASS_COLUMNS if column in self.filled and self.filled[column].total() >= half]
        fitting = [column for column, found in self.values.items() if sum(found[name] for name in names) >= half]
        return list(dict.fromkeys([*(column for column in usual if column in fitting), *fitting, *usual]))

    def _asked(self, asked: str, coding: LabelCoding | None, where: object) -> str:
        chosen, columns = asked.strip().casefold(), list(self.filled)
        if chosen not in self.filled:
            raise FormatError(
                f"no shape has an attribute {asked!r}",
                where=where,
                got=f"{OPTION}={asked}",
                expected=self._listed(),
                fix=nearest_hint(asked, columns),
            )
        if coding is None and len(self.values[chosen]) >= MAX_CLASSES:
            raise FormatError(
                f"the attribute {asked!r} has more values than there can be classes",
                where=where,
                got=self._told(chosen),
                expected=f"fewer than {MAX_CLASSES}; there are {self._listed()}",
                fix="name another attribute, or the classes with --classes",
            )
        return chosen

    def _listed(self) -> str:
        columns = sorted(self.filled, key=lambda column: len(self.values[column]))
        more = f" and {len(columns) - _SHOWN} more" if len(columns) > _SHOWN else ""
        return (", ".join(self._told(column) for column in columns[:_SHOWN]) or "none at all") + more

    def _told(self, column: str) -> str:
        count = len(self.values[column])
        return f"{column!r} with {count}{' or more' if count == _MOST_VALUES else ''} value{'s' if count > 1 else ''}"

    def labels(self, column: str) -> Iterator[str]:
        """Yield the names of the classes, where `column` names them."""
        yield from self.values[column] if column else ()
        for called, count in self.shapes.items():
            if count > (self.filled[column][called] if column else 0):
                yield called


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (" ..." if len(names) > _SHOWN else "")


def value_of(feature: Feature, column: str) -> str:
    """Return the value of an attribute, whatever the case of its name; "" where there is none."""
    if not column:
        return ""
    return next((value for name, value in feature.attributes.items() if name.casefold() == column), "")
