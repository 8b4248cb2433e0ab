"""Opening a data set as it was opened for training: the very same split, so that no training photo is ever scored."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from tessella.core.errors import RecipeError
from tessella.dataset.index import Index, open_dataset
from tessella.recipe.asked import refuse_changes
from tessella.recipe.plan import ReadingPlan

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Unpack

    from pydantic import JsonValue

    from tessella.core.classes import LabelCoding
    from tessella.recipe.plan import Plan


class Reading(TypedDict, total=False):
    """How a data set is read: the keywords, and the flags, of everything that opens one.

    Args:
        format: The format's name, or None to detect it.
        classes: A class table or class file, or None to take what the data set says.
        photos: A further folder where photos may lie, or None.
        options: What is asked of the format, such as `{"annotator": "majority"}`, or None.
        max_pixels: Most pixels of a photo or mask, or None for the usual budget.
    """

    format: str | None
    classes: LabelCoding | str | Path | None
    photos: str | Path | None
    options: Mapping[str, str] | None
    max_pixels: int | None


def reading_of(index: Index) -> ReadingPlan:
    """Return how an index was read, as a plan keeps it."""
    listing = index.listing
    photos = "" if listing.photos is None else listing.photos.resolve().name
    return ReadingPlan(format=listing.format, options=dict(listing.options), photos=photos)


def open_as_trained(data: str | Path, plan: Plan, **reading: Unpack[Reading]) -> Index:
    """Open an annotated folder; where it states no split, it is split as it was for training.

    What was asked of the format then is asked again, where the data set is in the same format and nothing else is asked
    now: another annotator's photos would be split otherwise, and photos that were trained on scored.

    Args:
        data: The folder.
        plan: Of the network.
        **reading: As for `open_dataset`.

    Raises:
        InputError: The folder is missing.
        FormatError: No format matches, or two do; the format knows no such option.
    """
    split_seed, val_share = plan.splits.split_seed, plan.splits.val_share
    index = open_dataset(data, split_seed=split_seed, val_share=val_share, **reading)
    kept = plan.reading
    if not kept.options or index.format != kept.format or reading.get("options") is not None:
        return index
    again: Reading = {**reading, "format": kept.format, "options": kept.options}
    return open_dataset(data, split_seed=split_seed, val_share=val_share, **again)


def open_to_resume(data: Index | str | Path, plan: Plan, **reading: Unpack[Reading]) -> Index:
    """Open the data set of a run that goes on: read as it was then, without being told again.

    Only the further folder of photos has to be given again, as the data set has: a plan knows no places.

    Args:
        data: The folder, or an index.
        plan: Of the run.
        **reading: As for `open_dataset`; what is given must be what was given then.

    Raises:
        RecipeError: The data set is read in another way than it was; each difference is named.
        InputError: The folder is missing.
        FormatError: It is not in the format that it was in.
    """
    kept = plan.reading
    if isinstance(data, Index):
        _refuse_other_reading(plan, reading_of(data))
        return data
    options = {**kept.options, **(reading.get("options") or {})}
    now = ReadingPlan(
        format=reading.get("format") or kept.format, options=options, photos=str(reading.get("photos") or "")
    )
    _refuse_other_reading(plan, now)
    again: Reading = {**reading, "format": now.format, "options": now.options}
    return open_as_trained(data, plan, **again)


def _refuse_other_reading(plan: Plan, now: ReadingPlan) -> None:
    kept = plan.reading
    if kept.photos and not now.photos:
        raise RecipeError(
            f"the run was begun with photos of a further folder {kept.photos!r}",
            where="--resume",
            fix="say where it is with --photos",
        )
    # a folder of photos may have moved since, as the data set may; what is in it is compared by name and size
    given: dict[str, JsonValue] = {f"reading.options.{name}": None for name in kept.options}
    given |= {"reading.format": now.format, **{f"reading.options.{name}": said for name, said in now.options.items()}}
    refuse_changes(plan, given)
