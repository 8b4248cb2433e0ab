"""Several data sets as one: their classes by name or by a class map, their photos side by side."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from tessella.core.classes import IGNORE, ClassInfo, ClassTable, LabelCoding, nearest_hint, voc_colour
from tessella.core.errors import ClassTableError
from tessella.dataset.conversion.classmap import ClassMap, SourceRule
from tessella.formats.raster.labels import BACKGROUND_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from tessella.core.classes import Colour
    from tessella.core.labelmap import Ids
    from tessella.dataset.index import Index
    from tessella.formats.listing import Record


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One photo of a source on its way into the result.

    Args:
        index: The source.
        position: The photo's place in it.
        name: Unique in the result.
        lookup: (256,) uint8: for every id of the source the id of the result.
        stem: What its files will be called; "" until that is settled.
    """

    index: Index
    position: int
    name: str
    lookup: Ids
    stem: str = ""

    @property
    def record(self) -> Record:
        """The photo in its source."""
        return self.index.records[self.position]

    @property
    def split(self) -> str:
        """The split that the source states, or ""."""
        return self.record.split

    def called(self, stem: str) -> Part:
        """Return the part with the name of its files."""
        return replace(self, stem=stem)


@dataclass(frozen=True, slots=True, eq=False)
class Merged:
    """Several sources as one.

    Args:
        parts: Every photo.
        coding: The classes of the result; it keeps the stored values of a single source.
        notes: How the sources were read and merged, as sentences for people.
    """

    parts: tuple[Part, ...]
    coding: LabelCoding
    notes: tuple[str, ...]


def merge(indexes: Sequence[Index], class_map: ClassMap | None) -> Merged:
    """Lay sources side by side.

    Args:
        indexes: The sources.
        class_map: What becomes of their classes, or None to keep every class under its name.

    Raises:
        ClassTableError: A class that the map does not explain, a rule for a source that is not given, or more than 255
            classes together.
    """
    prefixes = _prefixes(indexes)
    mapping = class_map or ClassMap()
    if unknown := sorted(set(mapping.sources) - set(prefixes)):
        raise ClassTableError(
            f"the class map has a rule for the source {unknown[0]!r}, which is not given",
            expected=", ".join(prefixes),
            fix=nearest_hint(unknown[0], prefixes),
        )
    rules = [mapping.sources.get(prefix, SourceRule()) for prefix in prefixes]
    if class_map is None and len(indexes) == 1:
        coding, notes = indexes[0].coding, list(indexes[0].listing.notes)
    else:
        table = mapping.table or _union(indexes, rules, mapping)
        coding = LabelCoding(table, ignore_names=_ignore_names(indexes, table))
        notes = [
            f"{prefix}: {note}" for prefix, index in zip(prefixes, indexes, strict=True) for note in index.listing.notes
        ]
    parts: list[Part] = []
    for index, prefix, rule in zip(indexes, prefixes, rules, strict=True):
        lookup, blind = _lookup(index.coding.table, coding.table, mapping, rule, several=len(indexes) > 1, where=prefix)
        if blind:
            notes.append(f"{prefix}: never annotated {', '.join(blind)}, so its background is ignored")
        before = f"{prefix}/" if len(indexes) > 1 else ""
        parts += [Part(index, place, before + record.name, lookup) for place, record in enumerate(index.records)]
    return Merged(tuple(parts), coding, tuple(notes))


def _prefixes(indexes: Sequence[Index]) -> list[str]:
    """Return a name for every source: its folder's, told apart by numbers where two are the same."""
    names = [index.root.resolve().name or "data" for index in indexes]
    seen: Counter[str] = Counter()
    result = []
    for name in names:
        seen[name] += 1
        result.append(name if names.count(name) == 1 else f"{name}-{seen[name]}")
    return result


def _union(indexes: Sequence[Index], rules: Sequence[SourceRule], mapping: ClassMap) -> ClassTable:
    """Return the classes of all sources in the order in which they are met, but for those that are mapped away."""
    infos: dict[str, ClassInfo] = {}
    for index, rule in zip(indexes, rules, strict=True):
        for info in index.table:
            name = rule.rename.get(info.name, info.name)
            if name not in mapping.ignored | mapping.dropped:
                infos.setdefault(name, ClassInfo(name, info.colour))
    return ClassTable(tuple(_recoloured(list(infos.values()))))


def _recoloured(infos: list[ClassInfo]) -> Iterator[ClassInfo]:
    """Give a free colour to every class whose colour another one has already."""
    own = {info.colour for info in infos}
    free = (colour for colour in map(voc_colour, range(256)) if colour not in own)
    taken: set[Colour] = set()
    for info in infos:
        colour = next(free) if info.colour in taken else info.colour
        taken.add(colour)
        yield replace(info, colour=colour)


def _ignore_names(indexes: Sequence[Index], table: ClassTable) -> tuple[str, ...]:
    found = dict.fromkeys(name for index in indexes for name in index.coding.ignore_names)
    return tuple(name for name in found if name not in table.names)


def _lookup(
    source: ClassTable, target: ClassTable, mapping: ClassMap, rule: SourceRule, *, several: bool, where: str
) -> tuple[NDArray[np.uint8], list[str]]:
    """Return for every id of a source the id of the result, and the classes that the source never annotated."""
    background = next((i for i, name in enumerate(target.names) if name.casefold() in BACKGROUND_NAMES), IGNORE)
    lookup = np.full(256, IGNORE, np.uint8)
    for number, name in enumerate(source.names):
        lookup[number] = _target(rule.rename.get(name, name), target, mapping, background=background, where=where)
    seen = {int(number) for number in lookup[: len(source)]} | {background}
    blind = [name for number, name in enumerate(target.names) if number not in seen]
    if not several or rule.complete or background == IGNORE:
        blind = []
    if blind:
        grounds = [number for number, name in enumerate(source.names) if name.casefold() in BACKGROUND_NAMES]
        blind = blind if grounds else []
        lookup[grounds] = IGNORE
    return lookup, blind


def _target(name: str, target: ClassTable, mapping: ClassMap, *, background: int, where: str) -> int:
    if name in mapping.ignored:
        return IGNORE
    if name in mapping.dropped:
        return background
    named = mapping.names.get(name, name)
    if named in target.names:
        return target.id_of(named)
    raise ClassTableError(
        f"the class map says nothing of the class {name!r}",
        where=where,
        expected="every class of every source below [[classes]], [ignore] or [drop]",
        fix=nearest_hint(name, [*mapping.names, *target.names]),
    )
