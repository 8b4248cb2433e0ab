"""NRRD whose values lie in files of their own: one, a list of them, or a numbered series; all below its folder."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from tessella.core.errors import ImageError, InputError
from tessella.files.paths import contain
from tessella.files.values.numbers import whole

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_MOST_FILES: Final = 1 << 16
_WHOLE: Final = re.compile(r"-?\d{1,9}")
_NUMBER: Final = re.compile(r"%(0?)(\d{0,2})[dui]")


def data_files(named: str, listed: Sequence[str], sizes: Sequence[int], path: Path) -> tuple[Path, ...]:
    """Return the files that the field `data file` names, in the order of the slices that they hold.

    Args:
        named: What the field says: a name, `LIST`, or a pattern as `slice%03d.raw 1 24 1`; the last two may end with
            the number of axes that each file holds, by default all but one.
        listed: The lines behind `LIST`.
        sizes: Of the axes, the fastest first.
        path: The header.

    Raises:
        InputError: A file lies outside the header's folder, or is not there.
        ImageError: The field cannot be understood, or the files are not as many as the axes ask for.
        FormatError: A number in it is none.
    """
    words = named.split()
    if words[:1] == ["LIST"]:
        names, axes = list(listed), words[1] if len(words) > 1 else ""
    elif "%" in named and (series := _series(named)):
        (form, *numbers), axes = series
        names = _numbered(form, [int(number) for number in numbers], path)
    else:
        return (contain(path.parent, named),)
    held = whole(axes, where=f"{path}: data file", low=1, high=len(sizes)) if axes else len(sizes) - 1
    expected = 1
    for size in sizes[held:]:
        expected *= size
    if len(names) != expected or not names:
        raise ImageError(
            "the NRRD file names another number of data files than its axes ask for",
            where=path,
            got=f"{len(names)} files",
            expected=f"{expected} for sizes {' '.join(map(str, sizes))}, {held} axes in each",
            fix="export the volume as one file",
        )
    files = tuple(contain(path.parent, name) for name in names)
    missing = [file.name for file in files if not file.is_file()]
    if missing:
        raise InputError(
            f"{len(missing)} of {len(files)} data files are not there", where=path, got=missing[0], fix="copy them here"
        )
    return files


def _series(named: str) -> tuple[list[str], str] | None:
    """Split a pattern into its name with first, last and step, and the number of axes; None for a plain name."""
    for count in (4, 3):
        form, *numbers = named.rsplit(maxsplit=count)
        if len(numbers) == count and all(map(_WHOLE.fullmatch, numbers)):
            return [form, *numbers[:3]], "".join(numbers[3:])
    return None


def _numbered(form: str, numbers: Sequence[int], path: Path) -> list[str]:
    """Return the names of a numbered series: of `%d`, `%03d` and their like, once in the name."""
    first, last, step = numbers
    found = _NUMBER.findall(form)
    count = (last - first) // step + 1 if step else 0
    if len(found) != 1 or form.count("%") != 1 or not 1 <= count <= _MOST_FILES:
        raise ImageError(
            "the numbered data files of the NRRD file cannot be understood",
            where=path,
            got=repr(f"{form} {first} {last} {step}"[:60]),
            expected=f"one number such as %03d, then the first, the last and the step: 1 to {_MOST_FILES} files",
            fix="export the volume as one file",
        )
    zero, width = found[0]
    spelled = f"{{:{zero}{width}d}}" if width else "{:d}"
    return [_NUMBER.sub(spelled.format(number), form) for number in range(first, first + count * step, step)]
