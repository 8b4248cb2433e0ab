"""The class file that lies beside a data set: where it is looked for, and which one counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tessella.core.errors import ClassTableError
from tessella.files.classes import read_classes
from tessella.files.paths import relative_name

if TYPE_CHECKING:
    from pathlib import Path

    from tessella.core.classes import LabelCoding

CLASS_FILES: Final = (
    "classes.toml", "classes.json", "classes.csv", "class_dict.csv", "_classes.csv", "labelmap.txt", "label_colors.txt",
    "labelmap.csv", "dataset_meta.json", "class_names.txt", "labels.txt", "classes.txt",
)  # fmt: skip
"""Names of class files, the most explicit first."""


def own_classes(root: Path) -> tuple[LabelCoding, str] | None:
    """Read the class file that lies in a folder itself; like `find_classes`, without the folders below."""
    for name in CLASS_FILES:
        if (root / name).is_file():
            return read_classes(root / name), name
    return None


def find_classes(root: Path) -> tuple[LabelCoding, str] | None:
    """Read the class file of a data set, from its folder or from the folders directly below.

    Args:
        root: The data set's folder.

    Returns:
        The coding and the file's path relative to `root`, or None where there is none.

    Raises:
        FormatError: The file has no known form.
        ClassTableError: It contradicts itself, or files in different sub-folders contradict each other.
    """
    if own := own_classes(root):
        return own
    below = [folder for folder in sorted(root.iterdir()) if folder.is_dir() and not folder.name.startswith(".")]
    for name in CLASS_FILES:
        found = [folder / name for folder in below if (folder / name).is_file()]
        if found:
            return _agreed(found, root), relative_name(found[0], root)
    return None


def _agreed(files: list[Path], root: Path) -> LabelCoding:
    first = read_classes(files[0])
    for other in files[1:]:
        if read_classes(other) != first:
            raise ClassTableError(
                "two class files of one data set differ",
                where=root,
                got=f"{relative_name(files[0], root)} and {relative_name(other, root)}",
                fix="make them the same, or pass the right one with --classes",
            )
    return first
