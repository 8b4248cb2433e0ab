"""The recipe: what was asked of a run. Every setting may be left out; the planner settles the rest."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import Field

from tessella.core.classes import nearest_hint
from tessella.core.errors import RecipeError
from tessella.files.text import read_toml
from tessella.recipe.overrides import parse_overrides
from tessella.recipe.part import Count, NotNegative, Option, Part, Positive, Range, Share, SizeHw, Whole
from tessella.recipe.plan import OptimiserName, Precision, Schedule, Stages

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

PRESETS: Final = ("general", "driving", "satellite", "medical", "cell", "industrial")
RECIPE_VERSION: Final = 1

Weighting = Literal["none", "mild", "log", "sqrt", "inverse"]


class PreprocessRecipe(Part):
    """Asked of the preprocessing; means and stds are measured where they are left out."""

    mean: tuple[float, ...] | None = None
    std: tuple[Positive, ...] | None = None


class ModelRecipe(Part):
    """Asked of the network: a row of the models table, its options, and weights to start from ("" = from scratch)."""

    name: Annotated[str, Field(min_length=1)] | None = None
    options: dict[str, Option] | None = None
    weights: str | None = None


class AugmentRecipe(Part):
    """Asked of the augmentation; the meaning of each setting stands at `AugmentPlan`."""

    crop_hw: SizeHw | None = None
    scale: Range | None = None
    flip_horizontal: Share | None = None
    flip_vertical: Share | None = None
    right_angles: Share | None = None
    rotate_degrees: Annotated[float, Field(ge=0, le=180)] | None = None
    shear_degrees: Annotated[float, Field(ge=0, le=45)] | None = None
    elastic: Share | None = None
    brightness: Share | None = None
    contrast: Share | None = None
    saturation: Share | None = None
    hue: Annotated[float, Field(ge=0, le=0.5)] | None = None
    gamma: NotNegative | None = None
    noise: NotNegative | None = None
    blur: Share | None = None
    rare_class: Share | None = None
    stages: Stages | None = None


class TermRecipe(Part):
    """One term of the loss: a row of the losses table, its weight in the sum, its options."""

    name: Annotated[str, Field(min_length=1)]
    weight: Positive = 1.0
    options: dict[str, Option] = Field(default_factory=dict)


class LossRecipe(Part):
    """Asked of the loss.

    Args:
        terms: At least one.
        weighting: The rule that makes class weights from class shares p: none, mild (p ** -0.3), log
            (1 / ln(1.02 + p), ENet, arXiv 1606.02147), sqrt (1 / sqrt(p)) or inverse (1 / p).
        class_weights: Numbers in id order instead of a rule.
        auxiliary: Weight of auxiliary outputs.
    """

    terms: Annotated[tuple[TermRecipe, ...], Field(min_length=1)] | None = None
    weighting: Weighting | None = None
    class_weights: tuple[NotNegative, ...] | None = None
    auxiliary: NotNegative | None = None


class OptimiserRecipe(Part):
    """Asked of the optimiser; the meaning of each setting stands at `OptimiserPlan`."""

    name: OptimiserName | None = None
    learning_rate: Positive | None = None
    muon_rate: NotNegative | None = None
    weight_decay: NotNegative | None = None
    momentum: Annotated[float, Field(ge=0, lt=1)] | None = None
    beta2: Annotated[float, Field(ge=0, lt=1)] | None = None
    schedule: Schedule | None = None
    power: Positive | None = None
    warmup_steps: Whole | None = None
    clip_norm: NotNegative | None = None
    ema_decay: Annotated[float, Field(ge=0, lt=1)] | None = None


class TrainingRecipe(Part):
    """Asked of the loop: at most one of `minutes`, `epochs` and `steps`; the rest as in `TrainingPlan`."""

    minutes: Positive | None = None
    epochs: Positive | None = None
    steps: Count | None = None
    batch: Count | None = None
    accumulate: Count | None = None
    precision: Precision | None = None
    channels_last: bool | None = None
    threads: Count | None = None
    workers: Whole | None = None
    evaluate_every: Count | None = None
    checkpoint_minutes: Positive | None = None
    broken_photo_limit: Whole | None = None


class PredictionRecipe(Part):
    """Asked of prediction on large photos; the meaning of each setting stands at `PredictionPlan`."""

    tile_hw: SizeHw | None = None
    overlap: Annotated[float, Field(ge=0, le=0.5)] | None = None
    max_whole_pixels: Count | None = None


class Recipe(Part):
    """What was asked of a run; anything may be left out.

    Args:
        recipe_version: Version of this layout.
        description: For people.
        preset: The preset on which this recipe builds.
        seed: Seeds weights, crops and order.
    """

    recipe_version: Literal[1] = RECIPE_VERSION
    description: str | None = None
    preset: str | None = None
    seed: Whole | None = None
    preprocess: PreprocessRecipe = PreprocessRecipe()
    model: ModelRecipe = ModelRecipe()
    augment: AugmentRecipe = AugmentRecipe()
    loss: LossRecipe = LossRecipe()
    optimiser: OptimiserRecipe = OptimiserRecipe()
    training: TrainingRecipe = TrainingRecipe()
    prediction: PredictionRecipe = PredictionRecipe()

    def asked(self) -> dict[str, object]:
        """Return only what was asked: settings that are not left open, as plain JSON data."""
        return self.model_dump(mode="json", exclude_none=True, exclude_defaults=True)

    def over(self, below: Recipe) -> Recipe:
        """Lay this recipe over another: what is asked here wins, setting by setting.

        Options of another network, and a list of loss terms, are replaced as a whole.
        """
        return Recipe.from_json(_laid_over(self.asked(), below.asked()), where="recipe")


def _laid_over(top: dict[str, object], below: dict[str, object]) -> dict[str, object]:
    merged = dict(below)
    for key, value in top.items():
        lower = merged.get(key)
        if isinstance(value, dict) and isinstance(lower, dict):
            other_network = key == "model" and value.get("name", lower.get("name")) != lower.get("name")
            merged[key] = value if other_network else _laid_over(value, lower)
        else:
            merged[key] = value
    return merged


def load_preset(name: str) -> Recipe:
    """Read a preset that comes with Tessella.

    Args:
        name: One of `PRESETS`.

    Raises:
        RecipeError: No preset has this name; the message lists them.
    """
    import tomllib

    if name not in PRESETS:
        raise RecipeError(
            f"no preset is called {name!r}", expected=f"one of {', '.join(PRESETS)}", fix=nearest_hint(name, PRESETS)
        )
    text = resources.files("tessella.recipe").joinpath("presets", f"{name}.toml").read_text(encoding="utf-8")
    return Recipe.from_json(tomllib.loads(text), where=f"preset {name}")


def load_recipe(path: Path) -> Recipe:
    """Read a recipe file (TOML), without the preset it builds on.

    Raises:
        RecipeError: Unknown keys or impossible values, all of them at once.
        InputError: The file cannot be read or is not TOML.
    """
    return Recipe.from_json(read_toml(path), where=path.name)


def collect(recipe: Recipe | Path | None = None, *, preset: str | None = None, overrides: Sequence[str] = ()) -> Recipe:
    """Put together what the caller says: overrides over the recipe, without the preset below them.

    Args:
        recipe: A recipe or a recipe file.
        preset: Name of a preset; wins over the one that the recipe names.
        overrides: `key=value` texts of `--set`.

    Raises:
        RecipeError: An unknown key, or an impossible value.
    """
    asked = Recipe() if recipe is None else recipe if isinstance(recipe, Recipe) else load_recipe(recipe)
    asked = Recipe.from_json(parse_overrides(overrides), where="--set").over(asked)
    return asked if preset is None else asked.model_copy(update={"preset": preset})


def gather(recipe: Recipe | Path | None = None, *, preset: str | None = None, overrides: Sequence[str] = ()) -> Recipe:
    """Put together what was asked: overrides over the recipe over the preset.

    Args:
        recipe: A recipe or a recipe file.
        preset: Name of a preset; wins over the one that the recipe names. Neither: general.
        overrides: `key=value` texts of `--set`.

    Raises:
        RecipeError: An unknown preset or key, or an impossible value.
    """
    asked = collect(recipe, preset=preset, overrides=overrides)
    name = asked.preset or "general"
    return asked.over(load_preset(name)).model_copy(update={"preset": name})
