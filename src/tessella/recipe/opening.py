"""Opening a data set as it was opened for training: the very same split, so that no training photo is ever scored."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from tessella.core.errors import InputError, RecipeError
from tessella.dataset.index import Index, open_dataset
from tessella.dataset.splits import digest_of_drawn
from tessella.recipe.asked import refuse_changes
from tessella.recipe.plan import UNKNOWN_READING, ReadingPlan

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
    now: another annotator's photos would be split otherwise, and photos that were trained on scored. An option with an
    empty value takes back what was asked of it then; no options at all (`{}`) take back everything.

    Args:
        data: The folder.
        plan: Of the network.
        **reading: As for `open_dataset`.

    Raises:
        InputError: The folder is missing.
        FormatError: No format matches, or two do; the format knows no such option, or what was asked of it then does
            not fit this data set.
    """
    split_seed, val_share = plan.splits.split_seed, plan.splits.val_share
    kept, given = plan.reading, reading.get("options")
    taken_back = {name for name, said in (given or {}).items() if name in kept.options and not said}
    asked = {name: said for name, said in (given or {}).items() if name not in taken_back}
    now: Reading = {**reading, "options": asked}
    index = open_dataset(data, split_seed=split_seed, val_share=val_share, **now)
    options = {name: said for name, said in kept.options.items() if name not in taken_back}
    told = asked or (given is not None and not taken_back)
    if told or not options or index.format != kept.format:
        return index
    again: Reading = {**reading, "format": kept.format, "options": options}
    try:
        return open_dataset(data, split_seed=split_seed, val_share=val_share, **again)
    except InputError as error:
        raise _asked_for_training(error, options) from None


def _asked_for_training(error: InputError, options: Mapping[str, str]) -> InputError:
    """Add where the options come from, for nobody has asked for them now, and how to do without them."""
    told = ", ".join(f"{name}={said}" for name, said in options.items())
    back = " ".join(f"--option {name}=" for name in options)
    cure = f"{told} was asked for training, so it is asked again: {back} takes it back (in Python: options={{}})"
    fix = "; ".join(filter(None, (error.fix, cure)))
    return type(error)(error.what, where=error.where, got=error.got, expected=error.expected, fix=fix)


def split_as_trained(index: Index, plan: Plan, split: str) -> Index:
    """Return the photos of one split of a data set that `open_as_trained` opened.

    Args:
        index: The data set.
        plan: Of the network.
        split: `train`, `val`, `test` or what the data set calls it.

    Raises:
        InputError: There is no such split; it is drawn, and not the one drawn for training or not known to be.
    """
    part = index.split(split)
    stated = {record.split for record in index.records} - {"", "train"}  # of a stated `train`, val may have been drawn
    if split not in stated:
        _refuse_other_split(
            index,
            plan,
            fix="give the data set with its splits stated (the run's report.json names the photos of val), "
            "or, where none of its photos was trained on, score them all with --split all",
        )
    return part


def _refuse_other_split(index: Index, plan: Plan, *, fix: str) -> None:
    now, kept = digest_of_drawn(index.records, index.splits), plan.splits.held_out
    if now in ("", kept):
        return
    raise InputError(
        "the split drawn now is not the one drawn for training: photos came, went or are grouped otherwise since"
        if kept
        else "the plan does not know which photos were held out, and a split drawn now may hold out others",
        where=index.root,
        got=f"val {now[:12]}: {'; '.join(index.split_notes)}",
        expected=f"val {kept[:12]}: {plan.splits.split}" if kept else "splits that the data set states",
        fix=fix,
    )


def open_to_resume(data: Index | str | Path, plan: Plan, **reading: Unpack[Reading]) -> Index:
    """Open the data set of a run that goes on: read as it was then, without being told again.

    Only the further folder of photos has to be given again, as the data set has: a plan knows no places. Where the plan
    does not know how the data were read, what is given counts, and the checkpoint knows whether it is the same data.

    Args:
        data: The folder, or an index.
        plan: Of the run.
        **reading: As for `open_dataset`; what is given must be what was given then.

    Raises:
        RecipeError: The data set is read in another way than it was; each difference is named.
        InputError: The folder is missing; its photos are split otherwise than they were.
        FormatError: It is not in the format that it was in.
    """
    kept = plan.reading
    if isinstance(data, Index):
        _refuse_other_reading(plan, reading_of(data))
        _refuse_resplit(data, plan)
        return data
    options = {**kept.options, **(reading.get("options") or {})}
    now = ReadingPlan(
        format=reading.get("format") or kept.format, options=options, photos=str(reading.get("photos") or "")
    )
    _refuse_other_reading(plan, now)
    again: Reading = {**reading, "format": now.format, "options": now.options}
    index = open_as_trained(data, plan, **again)
    _refuse_resplit(index, plan)
    return index


def _refuse_resplit(index: Index, plan: Plan) -> None:
    if plan.splits.held_out:  # of other plans the checkpoint alone knows what was trained on, and is compared
        fix = "give the data set as it was, or start again without --resume (and with --overwrite)"
        _refuse_other_split(index, plan, fix=fix)


def _refuse_other_reading(plan: Plan, now: ReadingPlan) -> None:
    kept = plan.reading
    if kept == UNKNOWN_READING:
        return
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
