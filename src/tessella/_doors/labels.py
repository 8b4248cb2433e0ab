"""Doors for labels: open a data set, check it, convert it, say what a path is. None of them needs torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tessella.check import Checked
from tessella.check import check as check_index
from tessella.dataset.index import Index, open_dataset

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from tessella.core.classes import LabelCoding


def check(
    data: Index | str | Path,
    *,
    format: str | None = None,  # noqa: A002 - the name of the flag and of the field in the JSON answer
    classes: LabelCoding | str | Path | None = None,
    codes: Collection[str] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Checked:
    """Look for faults in an annotated data set.

    Args:
        data: An annotated folder, or an index from `tessella.open`.
        format: The format's name, or None to detect it.
        classes: A class table or class file, or None to take what the data set says.
        codes: Rule codes (`L101`) or families (`L`) to look for; None for all.
        progress: Called with (photos done, photos in all).

    Returns:
        The findings, and the figures of the data set.

    Raises:
        InputError: The folder is missing.
        FormatError: No format matches, or two do.
    """
    index = data if isinstance(data, Index) else open_dataset(data, format=format, classes=classes)
    return check_index(index, codes=codes, progress=progress)
