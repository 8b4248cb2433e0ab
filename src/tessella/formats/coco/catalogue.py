"""COCO's list of categories as a class table: sparse ids, twin names, Roboflow's root, and the background it lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tessella.core.classes import MAX_CLASSES, ClassInfo, ClassTable, LabelCoding, voc_colour
from tessella.core.errors import FormatError, LabelError
from tessella.files.classes import read_classes
from tessella.formats.coco.fields import key_of
from tessella.formats.raster.labels import BACKGROUND_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from tessella.core.classes import Colour

IGNORE_NAME: Final = "__ignore__"
"""The category that means: neither trained on nor scored. COCO has none; ours is called as LabelMe's."""


class Category(NamedTuple):
    """One category.

    Args:
        key: Its id, as text.
        name: Its name.
        parent: Its supercategory, or "".
        colour: Its colour where the file states one.
        thing: Whether it is countable, where the file says so.
    """

    key: str
    name: str
    parent: str = ""
    colour: Colour | None = None
    thing: bool | None = None


class Classes(NamedTuple):
    """What the categories of a data set mean.

    Args:
        coding: The classes.
        notes: What a person should know of how they came about.
        discovered: Whether no file states them.
    """

    coding: LabelCoding
    notes: tuple[str, ...]
    discovered: bool = False


def read_categories(listed: object, *, where: Path) -> list[Category]:
    """Read `categories`, sorted by id.

    Raises:
        FormatError: No list of objects, or two categories with one id.
    """
    if listed is None:
        return []
    if not isinstance(listed, list) or not all(isinstance(row, dict) for row in listed):
        raise FormatError("the categories are not a list of objects", where=f"{where}: categories")
    found: dict[str, Category] = {}
    for number, row in enumerate(listed):
        key = key_of(row.get("id"))
        if not key or key in found:
            raise FormatError(
                "a category has no id of its own",
                where=f"{where}: categories[{number}]",
                got=repr(row.get("id"))[:40],
                fix="give every category a number of its own",
            )
        found[key] = _category(key, row)
    return sorted(found.values(), key=_by_id)


def _category(key: str, row: dict[str, Any]) -> Category:
    name, parent, thing = row.get("name"), row.get("supercategory"), row.get("isthing")
    spelled = str(name).strip() if isinstance(name, str | int | float) else ""
    return Category(
        key,
        spelled[:200] or f"category_{key}",
        parent.strip() if isinstance(parent, str) else "",
        _colour(row.get("color")),
        bool(thing) if isinstance(thing, bool | int) else None,
    )


def _colour(value: object) -> Colour | None:
    if not isinstance(value, list) or len(value) != 3:
        return None
    if any(isinstance(part, bool) or not isinstance(part, int) or not 0 <= part <= 255 for part in value):
        return None
    return value[0], value[1], value[2]


def _by_id(category: Category) -> tuple[int, int, str]:
    whole = category.key.removeprefix("-").isdecimal() and len(category.key) < 40
    return (0, int(category.key), "") if whole else (1, 0, category.key)


def without_root(categories: Sequence[Category], used: frozenset[str]) -> tuple[list[Category], str]:
    """Leave out the root that Roboflow writes: the unused category above all others; its name, or "" for none."""
    for root in categories:
        others = [category for category in categories if category is not root]
        bogus = root.parent in ("", "none") and root.key not in used and bool(others)
        if bogus and all(other.parent == root.name for other in others):
            return others, root.name
    return list(categories), ""


def class_names(categories: Iterable[Category]) -> dict[str, str]:
    """Return the class name of every category id."""
    return {category.key: category.name for category in categories}


def classes_of(
    sets: Sequence[tuple[Sequence[Category], frozenset[str]]],
    root: Path,
    *,
    uncovered: str,
    origin: str = "the categories",
    ground: bool = True,
) -> Classes:
    """Make a class table of the categories of several files.

    A `classes.toml` in the folder counts when it explains every category. Categories of one name are one class. With
    more categories than a label map can hold, those that no annotation uses are left out.

    Args:
        sets: For each file its categories and the ids that its annotations use.
        root: The data set's folder.
        uncovered: What pixels are that no annotation covers, for the note.
        origin: What states the classes, for the note.
        ground: Whether those pixels are a class, `background`, which is added first where no category is called so.

    Raises:
        LabelError: No category, or too many.
        ClassTableError: `classes.toml` contradicts itself.
    """
    notes: list[str] = []
    everything: dict[str, Category] = {}
    used: set[str] = set()
    for listed, keys in sets:
        categories, bogus = without_root(listed, keys)
        if bogus and (said := f"the unused root category {bogus!r} is no class") not in notes:
            notes.append(said)
        for category in categories:
            everything.setdefault(category.name, category)
            used |= {category.name} if category.key in keys else set()
    for name, ids in twins_of(sets).items():
        notes.append(f"the categories {' and '.join(ids)} are all called {name!r} and become one class")
    if beside := _beside(root, everything):
        return Classes(beside, ("classes from classes.toml", *notes))
    if not everything:
        raise LabelError("no category is stated, so there are no classes", where=root, fix="pass --classes FILE")
    kept = _within_limit(everything, used, root, notes)
    return Classes(_coding(kept, ground=ground), (f"classes from {origin}: {uncovered}", *notes))


def twins_of(sets: Iterable[tuple[Sequence[Category], frozenset[str]]]) -> dict[str, tuple[str, ...]]:
    """Return the names that several categories of one file have, and their ids.

    Args:
        sets: For each file its categories and the ids that its annotations use.
    """
    twins: dict[str, dict[str, None]] = {}
    for listed, used in sets:
        by_name: dict[str, list[str]] = {}
        for category in without_root(listed, used)[0]:
            by_name.setdefault(category.name, []).append(category.key)
        for name, keys in by_name.items():
            if len(keys) > 1:
                twins.setdefault(name, {}).update(dict.fromkeys(keys))
    return {name: tuple(keys) for name, keys in twins.items()}


def _beside(root: Path, names: Iterable[str]) -> LabelCoding | None:
    path = root / "classes.toml"
    if not path.is_file():
        return None
    coding = read_classes(path)
    return coding if set(names) <= coding.name_to_id().keys() else None


def _within_limit(everything: dict[str, Category], used: set[str], root: Path, notes: list[str]) -> dict[str, Category]:
    if len(everything) < MAX_CLASSES:
        return everything
    kept = {name: category for name, category in everything.items() if name in used}
    if not 0 < len(kept) < MAX_CLASSES:
        raise LabelError(
            "the annotations use more classes than a label map can hold",
            where=root,
            got=len(kept),
            expected=f"at most {MAX_CLASSES - 1} and the background",
            fix="merge categories in the JSON file, or split it",
        )
    notes.append(f"categories that no annotation uses, which are left out: {len(everything) - len(kept)}")
    return kept


def _coding(categories: dict[str, Category], *, ground: bool) -> LabelCoding:
    """Order as given; whatever is called background, however it is spelled, is the class `background`."""
    spelled = [name for name in categories if name.casefold() in BACKGROUND_NAMES]
    ignored = tuple(name for name in categories if name == IGNORE_NAME)
    names = {"background": None} if ground and not spelled else {}
    names |= {"background" if name in spelled else name: None for name in categories if name not in ignored}
    wanted = {("background" if name in spelled else name): one.colour for name, one in categories.items()}
    table = ClassTable(tuple(_coloured([(name, wanted.get(name)) for name in names])))
    aliases = tuple((name, "background") for name in spelled if name != "background")
    return LabelCoding(table, ignore_names=(IGNORE_NAME,), aliases=aliases)


def _coloured(wanted: Sequence[tuple[str, Colour | None]]) -> Iterator[ClassInfo]:
    """Give every class the colour that it asks for, or else one of PASCAL VOC's that is free."""
    taken: set[Colour] = set()
    asked = {colour for _, colour in wanted}
    for number, (name, colour) in enumerate(wanted):
        free = (one for one in map(voc_colour, (number, *range(256))) if one not in taken and one not in asked)
        given = next(free) if colour is None or colour in taken else colour
        taken.add(given)
        yield ClassInfo(name, given)
