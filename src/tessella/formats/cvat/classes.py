"""The classes of CVAT files: the labels that their heads declare, in their order and colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tessella.core.classes import MAX_CLASSES, ClassInfo, ClassTable, LabelCoding, voc_colour
from tessella.core.errors import LabelError
from tessella.formats.layout.class_files import find_classes
from tessella.formats.layout.discover import discover_names
from tessella.formats.raster.labels import BACKGROUND_NAMES, uncovered_note

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tessella.core.classes import Colour
    from tessella.formats.cvat.scan import Scanned


def classes(root: Path, files: Sequence[Scanned], coding: LabelCoding | None) -> tuple[LabelCoding, list[str], bool]:
    """Return the classes of some CVAT files, notes on where they come from, and whether they were discovered.

    Args:
        root: The data set's folder; a class file in it comes before what the files declare.
        files: What was found in each.
        coding: The classes that the caller gave, or None.

    Raises:
        ClassTableError: A class file contradicts itself.
        LabelError: The files declare no label and hold no shape, or more than 255 labels.
    """
    used = {name: count for one in files for name, count in one.names.items() if name.strip()}
    found: tuple[LabelCoding, list[str], bool]
    if coding is not None:
        found = coding, [], False
    elif beside := find_classes(root):
        found = beside[0], [f"classes from {beside[1]}"], False
    elif not any(one.labels for one in files):
        discovered, notes = discover_names(used)
        found = discovered, list(notes), True
    else:
        found = _declared(files, sorted(used))
    found[1].extend(uncovered_note(found[0]))
    return found


def _declared(files: Sequence[Scanned], used: Sequence[str]) -> tuple[LabelCoding, list[str], bool]:
    colours: dict[str, Colour | None] = {}
    two_colours = set()
    for label in (label for one in files for label in one.labels):
        known = colours.setdefault(label.name, label.colour)
        if known is None:
            colours[label.name] = label.colour
        elif label.colour not in (None, known):
            two_colours.add(label.name)
    notes = ["classes from the labels that the CVAT file declares"]
    if two_colours:
        notes.append(f"labels declared in two colours, the first is taken: {', '.join(sorted(two_colours))}")
    if strange := [name for name in used if name not in colours]:
        notes.append(f"labels of shapes that the file does not declare: {', '.join(strange)}")
    colours |= dict.fromkeys(strange)
    ground = [name for name in colours if name.casefold() in BACKGROUND_NAMES]
    ordered = {"background": next((colours[name] for name in ground if colours[name]), None)}
    ordered |= {name: colour for name, colour in colours.items() if name not in ground}
    ordered.pop("__ignore__", None)
    if len(ordered) > MAX_CLASSES:
        raise LabelError(
            "the CVAT file declares too many labels for classes",
            where=files[0].path,
            got=len(ordered),
            expected=f"at most {MAX_CLASSES}",
            fix="merge labels with --classes FILE",
        )
    aliases = sorted({"_background_", *ground} - {"background"})
    coding = LabelCoding(
        ClassTable(tuple(map(ClassInfo, ordered, _distinct(list(ordered.values()))))),
        ignore_names=("__ignore__",),
        aliases=tuple((alias, "background") for alias in aliases),
    )
    return coding, notes, False


def _distinct(colours: Sequence[Colour | None]) -> list[Colour]:
    """Return the colours; one that is missing or taken gives way to VOC's of that id, or to a free one."""
    kept: list[Colour | None] = []
    for colour in colours:
        kept.append(None if colour in kept else colour)
    spare = [voc_colour(index) for index in range(256) if voc_colour(index) not in kept]
    result = []
    for index, colour in enumerate(kept):
        usual = voc_colour(index)
        taken = colour or (usual if usual in spare else spare[0])
        if colour is None:
            spare.remove(taken)
        result.append(taken)
    return result
