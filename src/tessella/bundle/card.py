"""The model card: what the bundle is, for the person who is handed it without a word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tessella._version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tessella.recipe.plan import Plan


def write_card(plan: Plan, scores: Mapping[str, Any], provenance: Mapping[str, Any], *, parameters: int) -> str:
    """Fill in the model card.

    Args:
        plan: Every setting.
        scores: With the keys of `evaluate --json`; an absent key leaves its line out.
        provenance: Listed as it is; its `steps` are those that were trained, which a time limit makes others than
            planned.
        parameters: Number of weights.

    Returns:
        Markdown.
    """
    parts = [
        f"# A segmentation model of {len(plan.classes)} classes",
        (
            f"Sealed by Tessella {__version__}: `{plan.model.name}`, {parameters:,} parameters. It gives every pixel "
            "of a photo one of the classes below. `manifest.json` holds the SHA-256 of every file, `plan.json` the "
            "settings."
        ),
        _use(plan),
        _classes(plan, scores),
        _scores(scores),
        _training(plan, steps=provenance.get("steps", plan.training.steps)),
        _provenance(provenance),
        _limits(plan, scores),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _use(plan: Plan) -> str:
    preprocess = plan.preprocess
    return (
        "## Use\n\n```\ntessella predict THIS_FOLDER photo.jpg --out predictions\n```\n\n"
        "```python\nimport tessella as ts\n\n"
        'pred = ts.load("THIS_FOLDER").predict("photo.jpg")   # pred.labels.ids (H, W) uint8\n```\n\n'
        f"Input: {len(preprocess.bands)} bands ({', '.join(preprocess.bands)}), {preprocess.dtype}, any size. Photos "
        f"above {plan.prediction.max_whole_pixels:,} pixels are predicted in tiles of "
        f"{plan.prediction.tile_hw[1]}x{plan.prediction.tile_hw[0]} (width x height) that overlap by "
        f"{plan.prediction.overlap:.0%} or more. Arithmetic: fp32, in which the scores below were measured too."
    )


def _classes(plan: Plan, scores: Mapping[str, Any]) -> str:
    rows = {row["name"]: row for row in scores.get("classes", []) if isinstance(row, dict) and "name" in row}
    lines = ["## Classes", "", "| id | class | colour | IoU | precision | recall |", "|---|---|---|---|---|---|"]
    for index, info in enumerate(plan.classes):
        row = rows.get(info.name, {})
        figures = " | ".join(_figure(row.get(key)) for key in ("iou", "precision", "recall"))
        colour = "#{:02x}{:02x}{:02x}".format(*info.colour)
        lines.append(f"| {index} | {_cell(info.name)} | `{colour}` | {figures} |")
    return "\n".join(lines)


def _scores(scores: Mapping[str, Any]) -> str:
    named = {
        "miou": "mIoU",
        "mean_dice": "mean Dice",
        "pixel_accuracy": "pixel accuracy",
        "mean_accuracy": "mean accuracy",
    }
    figures = [f"{name} {_figure(scores[key])}" for key, name in named.items() if scores.get(key) is not None]
    if not figures:
        return "## Scores\n\nNot scored: there was no data held out. Run `tessella evaluate` before you rely on it."
    images = f" on {scores['images']} photos" if "images" in scores else ""
    averaging = f" Averaging: {scores['averaging']}." if "averaging" in scores else ""
    return f"## Scores\n\n{', '.join(figures)}{images} that it was not trained on.{averaging}"


def _training(plan: Plan, *, steps: int) -> str:
    splits = plan.splits
    weights = f"weights from {plan.model.weights}" if plan.model.weights else "from scratch"
    terms = " + ".join(f"{term.weight:g} x {term.name}" for term in plan.loss.terms)
    return (
        f"## Training\n\n{splits.train_samples} photos, {splits.val_samples} held out; split: {splits.split}. "
        f"{steps} steps of {_stages(plan)}, {weights}, {plan.training.precision}, seed {plan.seed}. Loss: {terms}. "
        f"Optimiser: {plan.optimiser.name}, learning rate {plan.optimiser.learning_rate:g}, {plan.optimiser.schedule}."
    )


def _stages(plan: Plan) -> str:
    """Say what one step sees; where a run begins on smaller pictures, in each of its stages."""
    told = []
    for stage in plan.augment.stages:
        part = plan.augment.within(stage)
        crops = f"{plan.batch_in(stage) * plan.training.accumulate} crops of {part.crop_hw[1]}x{part.crop_hw[0]} px"
        share = f" for {stage.share:.0%} of the run" if len(plan.augment.stages) > 1 else ""
        told.append(f"{crops} at {part.scale[0]:g}x to {part.scale[1]:g}x{share}")
    return ", then ".join(told)


def _provenance(provenance: Mapping[str, Any]) -> str:
    if not provenance:
        return ""
    return "## Where it comes from\n\n" + "\n".join(f"- {key}: {value}" for key, value in provenance.items())


def _limits(plan: Plan, scores: Mapping[str, Any]) -> str:
    weak = [
        f"{_cell(str(row['name']))} ({_figure(row['iou'])})"
        for row in scores.get("classes", [])
        if isinstance(row, dict) and isinstance(row.get("iou"), int | float) and row["iou"] < 0.5
    ]
    lines = [
        "## Limits",
        "",
        (
            "- The scores hold for photos like those it was scored on: another camera, season or site needs its own "
            "`tessella evaluate`."
        ),
        (
            "- Every pixel gets a class. Something that is none of the classes is called the one it looks most like; "
            "low values in the confidence picture show where."
        ),
        "- The licence of the training data may bind the use of the model; this card cannot know it.",
    ]
    if weak:
        lines.insert(3, f"- Weak classes (IoU below 0.5): {', '.join(weak)}.")
    if plan.splits.val_samples < 10:
        lines.insert(3, f"- Only {plan.splits.val_samples} photos were held out: the scores are a rough guess.")
    return "\n".join(lines)


def _figure(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, int | float) else "-"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
