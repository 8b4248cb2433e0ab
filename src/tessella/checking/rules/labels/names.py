"""L, the part about drawn shapes: label names that the class table does not know."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from tessella.checking.rule import Change, Located, Mend, drawing_to_mend
from tessella.core.classes import nearest_hint
from tessella.core.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tessella.checking.looking.look import Look
    from tessella.checking.survey import Survey

SHORTEST = 4
"""Names shorter than this are never corrected: `cat`, `car` and `cap` are one letter apart and all true."""


def unknown_name(look: Look) -> Iterator[Finding]:
    """L110: a label name that is in no class."""
    if look.drawing is None:
        return
    known = list(look.coding.name_to_id())
    unknown = Counter(shape.label for shape in look.drawing.shapes if shape.label not in known)
    for name, count in sorted(unknown.items()):
        meant = sure_name(name, known)
        near = nearest_hint(name, known) or f"the classes are {', '.join(look.coding.table.names)}"
        fix = f"rename it to {meant!r}" if meant else f"{near} Rename it, or add it to the class table or to ignore"
        shapes = "1 shape is" if count == 1 else f"{count} shapes are"
        yield Finding(
            "L110", "error", look.label_where, f"{shapes} labelled {name!r}, which is no class", fix, bool(meant)
        )


def twin_names(survey: Survey) -> Iterator[Located]:
    """L111: two discovered names that differ by one letter, one of them rare: probably a slip of the pen."""
    if not survey.discovered:
        return
    shapes: Counter[str] = Counter()
    for trace in survey.traces:
        shapes.update(trace.names)
    for name, count in sorted(shapes.items()):
        likely = sure_name(name, [other for other in shapes if other != name and shapes[other] >= 5 * count])
        if likely is None:
            continue
        first = next(trace for trace in survey.traces if name in trace.names)
        twin = f"{likely!r} ({shapes[likely]} shapes)"
        finding = Finding(
            "L111",
            "warning",
            first.label_where,
            f"the name {name!r} ({count} shapes) is nearly {twin}, and became a class of its own",
            f"rename it to {likely!r} if that was meant; a class file (--classes) would settle it",
        )
        yield Located(first.position, finding)


def rename_shapes(look: Look) -> Mend:
    """Give shapes the one known name that theirs is a slip of (L110)."""
    drawing = drawing_to_mend(look)
    known = list(look.coding.name_to_id())
    shapes, changes = [], []
    for number, shape in enumerate(drawing.shapes):
        meant = None if shape.label in known else sure_name(shape.label, known)
        if meant is not None:
            changes.append(Change(f"{shape.label!r} became {meant!r}", number))
        shapes.append(shape if meant is None else replace(shape, label=meant))
    return Mend(replace(drawing, shapes=tuple(shapes)), tuple(changes))


def sure_name(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that `name` must be a slip of, or None when it takes a person to say.

    Sure means: exactly one known name is the same but for case, surrounding blanks and `_`, `-` or blank between
    words; or exactly one is one slip away (a letter added, lost, changed, or two neighbours swapped) and both have at
    least four letters.
    """
    known = list(known)
    alike = [other for other in known if plain_name(other) == plain_name(name)]
    if alike:
        return alike[0] if len(alike) == 1 else None
    near = [
        other
        for other in known
        if min(len(name), len(other)) >= SHORTEST and one_slip(plain_name(name), plain_name(other))
    ]
    return near[0] if len(near) == 1 else None


def plain_name(name: str) -> str:
    """Return a name without case, blanks and the signs between words."""
    return "".join(letter for letter in name.casefold() if letter not in " _-\t")


def one_slip(first: str, second: str) -> bool:
    """Whether one insertion, deletion, replacement or swap of neighbours turns one word into the other."""
    if len(first) > len(second):
        first, second = second, first
    if len(second) - len(first) > 1:
        return False
    start = next((at for at, (one, other) in enumerate(zip(first, second, strict=False)) if one != other), len(first))
    if len(first) < len(second):
        return first[start:] == second[start + 1 :]
    rest, other = first[start + 1 :], second[start + 1 :]
    swapped = first[start : start + 2] == second[start : start + 2][::-1] and rest[1:] == other[1:]
    return rest == other or swapped
