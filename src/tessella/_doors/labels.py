"""Doors for labels: open a data set, check it, convert it, say what a path is. None of them needs torch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tessella.bundle.manifest import MANIFEST
from tessella.bundle.opening import PLAN, open_bundle
from tessella.checking import check as check_index
from tessella.dataset.index import Index, open_dataset
from tessella.dataset.inspect import Inspection
from tessella.dataset.inspect import inspect as inspect_path

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from tessella.checking import Checked
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


def inspect(
    path: str | Path,
    *,
    format: str | None = None,  # noqa: A002 - the name of the flag
    classes: LabelCoding | Path | None = None,
) -> Inspection:
    """Say what a file, a folder or a bundle is.

    Args:
        path: A picture, an annotation, a class file, an annotated folder, or a bundle, whose hashes are verified.
        format: The annotation format of a folder, or None to detect it.
        classes: The class table or class file of a folder, or None.

    Returns:
        Its kind and facts.

    Raises:
        InputError: It does not exist or cannot be read.
        FormatError: It is none of these.
        BundleError: The bundle is damaged.
    """
    place = Path(path)
    if not ((place / MANIFEST).is_file() and (place / PLAN).is_file()):
        return inspect_path(path, format=format, classes=classes)
    bundle = open_bundle(path)
    facts = {
        "verified": True,
        "digest": bundle.digest,
        "tessella": bundle.plan.tessella,
        "model": bundle.plan.model.name,
        "classes": bundle.table.to_json(),
        "bands": list(bundle.plan.preprocess.bands),
        "dtype": bundle.plan.preprocess.dtype,
        "scores": {key: value for key, value in bundle.scores.items() if isinstance(value, int | float | str)},
    }
    return Inspection(str(path), "bundle", facts)
