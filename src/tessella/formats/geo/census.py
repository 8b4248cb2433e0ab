"""Counting what vector files hold, file by file, so that the polygons of thousands need not be kept."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from tessella.formats.geo.placing import system_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tessella.core.classes import LabelCoding
    from tessella.files.geo.vectors import Feature, VectorFile

CLASS_COLUMNS: Final = (
    "class", "label", "class_name", "classname", "label_name", "category", "category_name", "classification", "type",
)  # fmt: skip
"""Attributes that name a feature's class, the surest first; case does not matter."""

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
            self.shapes[called] += 1
            for name, value in feature.attributes.items():
                column = name.casefold()
                self.filled[column][called] += 1
                found = self.values[column]
                if value in found or len(found) < _MOST_VALUES:
                    found[value] += 1

    def column(self, coding: LabelCoding | None) -> tuple[str, str]:
        """Return the attribute that names the class, in lower case, or "", and a note that says so.

        It must have a value for half of the shapes. Where classes are known, an attribute counts whose values are their
        names, whatever it is called.
        """
        total = self.shapes.total()
        names = coding.name_to_id() if coding is not None else {}
        filled = {column: counts.total() for column, counts in self.filled.items()}
        known = {column: sum(found[name] for name in names) for column, found in self.values.items()}
        usual = [column for column in CLASS_COLUMNS if 2 * filled.get(column, 0) >= total > 0]
        fitting = [column for column, count in known.items() if 2 * count >= total > 0]
        chosen = next(iter([column for column in usual if column in fitting] or fitting or usual), "")
        if chosen:
            without = total - filled[chosen]
            also = f"; {without} of {total} shapes have none and take the name of their file" if without else ""
            return chosen, f"the class is the attribute {chosen!r}{also}"
        if not total:
            return "", "the vector files hold no shapes, so there are no classes but the background"
        listed = ", ".join(list(filled)[:_SHOWN]) or "none at all"
        called = ", ".join(sorted(self.shapes)[:_SHOWN])
        return "", f"no attribute names a class (there are: {listed}): shapes are called {called}"

    def labels(self, column: str) -> Iterator[str]:
        """Yield the names of the classes, where `column` names them."""
        yield from self.values[column] if column else ()
        for called, count in self.shapes.items():
            if count > (self.filled[column][called] if column else 0):
                yield called


def value_of(feature: Feature, column: str) -> str:
    """Return the value of an attribute, whatever the case of its name; "" where there is none."""
    if not column:
        return ""
    return next((value for name, value in feature.attributes.items() if name.casefold() == column), "")
