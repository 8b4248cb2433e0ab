"""Doors for models: plan a run, score a bundle, score folders of masks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tessella._doors.request import settle_request
from tessella.core.classes import LabelCoding
from tessella.core.extras import require
from tessella.dataset.index import Index, open_dataset
from tessella.files.classes import read_classes
from tessella.formats import format_named
from tessella.recipe.opening import open_as_trained, split_as_trained

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tessella.evaluation import Report
    from tessella.predict.predictor import Predictor
    from tessella.recipe.plan import Plan
    from tessella.recipe.recipe import Recipe


def plan(
    data: Index | str | Path,
    *,
    minutes: float | None = None,
    epochs: float | None = None,
    recipe: Recipe | str | Path | None = None,
    preset: str | None = None,
    overrides: Sequence[str] = (),
    seed: int | None = None,
    format: str | None = None,  # noqa: A002 - the name of the flag
    classes: LabelCoding | str | Path | None = None,
    photos: str | Path | None = None,
    options: Mapping[str, str] | None = None,
    max_pixels: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Plan:
    """Settle what `train` would do; data and machine are measured, one training step is timed, nothing is written.

    Args:
        data: An annotated folder, or an index.
        minutes: Wall-clock minutes of training.
        epochs: Passes over the training photos, instead of minutes.
        recipe: A recipe or its TOML file.
        preset: `general`, `driving`, `satellite`, `medical`, `cell` or `industrial`.
        overrides: Single settings as `key=value`; they win over recipe and preset.
        seed: Seeds weights, crops, order and the split where the data set has none.
        format: The format's name, or None to detect it.
        classes: A class table or class file, or None to take what the data set says.
        photos: A further folder where photos may lie, or None.
        options: What is asked of the format, such as `{"annotator": "majority"}`, as for `tessella.open`.
        max_pixels: Most pixels of a photo or mask, as for `tessella.open`.
        progress: Called with (photos measured, photos in all).

    Returns:
        The plan; `plan.why` holds the reason for each choice.

    Raises:
        RecipeError: An unknown key, two limits, or a setting that does not fit.
        InputError: The data set cannot be used, or the weights are absent and cannot be fetched.
        MissingExtraError: torch is not installed.
    """
    require("torch", needs="timing a training step", extra="train")
    # refused before anything is read, and before the seconds that torch takes to load
    asked = settle_request(recipe, preset=preset, overrides=overrides, minutes=minutes, epochs=epochs)
    from tessella.training import prepare_process

    prepare_process()
    from tessella.dataset.facts import measure
    from tessella.recipe.machine import look
    from tessella.recipe.planner import make_plan
    from tessella.training.timing import time_step

    split_seed = (asked.seed if seed is None else seed) or 0
    index = (
        data
        if isinstance(data, Index)
        else open_dataset(
            data,
            format=format,
            classes=classes,
            photos=photos,
            options=options,
            split_seed=split_seed,
            max_pixels=max_pixels,
        )
    )
    facts = measure(index.split("train") if "train" in index.split_names else index, progress=progress)
    return make_plan(index, facts, asked, look(), timer=time_step, minutes=minutes, epochs=epochs, seed=seed)


def evaluate(
    bundle: Predictor | str | Path,
    data: Index | str | Path,
    *,
    split: str = "val",
    format: str | None = None,  # noqa: A002 - the name of the flag
    classes: LabelCoding | str | Path | None = None,
    photos: str | Path | None = None,
    options: Mapping[str, str] | None = None,
    max_pixels: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Score a bundle on the labelled photos of a data set, at their own size, with one confusion matrix.

    A folder that states no split is split as it was for training (its seed lies in the bundle), so that `val` holds no
    photo that was trained on; where photos were added since, or are grouped otherwise, it is refused. An index is taken
    as it is.

    Args:
        bundle: A bundle folder, an exported `.onnx` file, or what `tessella.load` returned.
        data: An annotated folder, or an index.
        split: The split to score, or `all`.
        format: The format's name, or None to detect it.
        classes: A class table or class file, or None to take what the data set says.
        photos: A further folder where photos may lie, or None.
        options: What is asked of the format, as for `tessella.open`; None: what was asked of it for training, of which
            an empty value (`{"layer": ""}`) takes one back and `{}` all.
        max_pixels: Most pixels of a photo or mask, as for `tessella.open`.
        progress: Called with (photos done, photos in all).

    Returns:
        The report: scores, one row per photo, example pictures.

    Raises:
        LabelError: The data set has other classes than the bundle.
        InputError: There is no such split, it has no labels, or it is drawn and not the one drawn for training.
        BundleError: The bundle is damaged.
    """
    from tessella.evaluation import evaluate as evaluate_index
    from tessella.predict.load import load

    predictor = load(bundle) if isinstance(bundle, (str, Path)) else bundle
    index = (
        data
        if isinstance(data, Index)
        else open_as_trained(
            data,
            predictor.plan,
            format=format,
            classes=classes,
            photos=photos,
            options=options,
            max_pixels=max_pixels,
        )
    )
    if index.listing.discovered and format_named(index.format).drawn:
        # drawn shapes carry names: a part of a data set in which a class does not occur still means the same classes
        index = replace(index, listing=replace(index.listing, coding=LabelCoding(predictor.table), discovered=False))
    if split == "all":
        part = index
    else:
        part = index.split(split) if isinstance(data, Index) else split_as_trained(index, predictor.plan, split)
    return evaluate_index(predictor, part, split=split, progress=progress)


def score(
    pred_dir: str | Path,
    truth_dir: str | Path,
    *,
    classes: LabelCoding | str | Path,
    max_pixels: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Score predicted masks against true masks, whoever made them; needs no torch.

    Args:
        pred_dir: Folder of predicted masks.
        truth_dir: Folder of true masks, paired by name.
        classes: What the stored values or colours mean: a class table or class file.
        max_pixels: Most pixels of a mask that is read; by default 300 megapixels, for TIFF 2 gigapixels.
        progress: Called with (masks done, masks in all).

    Returns:
        The report.

    Raises:
        InputError: A folder or mask is missing or cannot be read.
        LabelError: Values without a class, or a pair of different size.
    """
    from tessella.evaluation import score_folders

    coding = classes if isinstance(classes, LabelCoding) else read_classes(Path(classes))
    return score_folders(Path(pred_dir), Path(truth_dir), coding, max_pixels=max_pixels, progress=progress)
