"""Opening a data set with the very split that a network was trained with, so that no training photo is ever scored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tessella.dataset.index import Index, open_dataset

if TYPE_CHECKING:
    from pathlib import Path

    from tessella.core.classes import LabelCoding
    from tessella.recipe.plan import SplitPlan


def open_as_split(
    data: str | Path,
    splits: SplitPlan,
    *,
    format: str | None = None,  # noqa: A002 - the name of the flag
    classes: LabelCoding | str | Path | None = None,
    max_pixels: int | None = None,
) -> Index:
    """Open an annotated folder; where it states no split, it is split as it was for training.

    Args:
        data: The folder.
        splits: From the plan of the network.
        format: The format's name, or None to detect it.
        classes: A class table or class file, or None to take what the data set says.
        max_pixels: Most pixels of a photo or mask, as for `open_dataset`.

    Raises:
        InputError: The folder is missing.
        FormatError: No format matches, or two do.
    """
    return open_dataset(
        data,
        format=format,
        classes=classes,
        split_seed=splits.split_seed,
        val_share=splits.val_share,
        max_pixels=max_pixels,
    )
