"""The plan: every setting of one training run, settled, with the reason for each choice. It lies in the bundle."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, JsonValue, model_validator

from tessella.core.classes import ClassInfo, ClassTable
from tessella.core.errors import RecipeError
from tessella.recipe.part import Count, NotNegative, Option, Part, Positive, Range, Share, SizeHw, Whole

if TYPE_CHECKING:
    from collections.abc import Mapping

PLAN_VERSION: Final = 3

Dtype = Literal["uint8", "uint16", "float32"]
Precision = Literal["fp32", "bf16", "fp16"]
Schedule = Literal["poly", "cosine", "one-cycle", "constant"]
OptimiserName = Literal["adamw", "muon", "sgd", "radam"]
Channel = Annotated[int, Field(ge=0, le=255)]


class PlanClass(Part):
    """One class: its name and its colour in pictures (red, green, blue)."""

    name: str
    colour: tuple[Channel, Channel, Channel]


class Preprocess(Part):
    """The one preprocessing of training, validation, prediction and export: `x = (raw - mean) / std`.

    Args:
        bands: Names of the C input bands, in order.
        dtype: Type of the raw pixels.
        mean: C means, in raw units of the dtype.
        std: C standard deviations, in raw units of the dtype.
        stride: The input is padded (edge pixels) to a multiple of this, and the output cropped back.
    """

    bands: tuple[str, ...] = Field(min_length=1)
    dtype: Dtype
    mean: tuple[float, ...]
    std: tuple[Positive, ...]
    stride: Count

    @model_validator(mode="after")
    def _one_number_per_band(self) -> Self:
        if not len(self.bands) == len(self.mean) == len(self.std):
            raise ValueError(
                f"{len(self.bands)} bands need as many means ({len(self.mean)}) and stds ({len(self.std)})"
            )
        return self


class ModelPlan(Part):
    """The network: a row of the models table, its options, and where its weights come from ("" = from scratch)."""

    name: str = Field(min_length=1)
    options: dict[str, Option]
    weights: str


class Stage(Part):
    """A part of a run on pictures of another size: a quarter of the pixels at zoom 0.5 makes four times as many steps.

    Args:
        share: Share of the run, 0..1; the shares of a plan add up to 1.
        zoom: Factor of the crop's sides and of the scale, 0..1.
        batch_factor: Factor of the batch, from 1: small crops leave the machine idle in small batches.
    """

    share: Annotated[float, Field(gt=0, le=1)]
    zoom: Annotated[float, Field(gt=0, le=1)]
    batch_factor: Annotated[float, Field(ge=1, le=16)]


def _fill_the_run(stages: tuple[Stage, ...]) -> tuple[Stage, ...]:
    whole = sum(stage.share for stage in stages)
    if abs(whole - 1) > 1e-6:
        raise ValueError(f"the shares of the stages add up to {whole:g}, not to 1")
    if (stages[-1].zoom, stages[-1].batch_factor) != (1, 1):
        raise ValueError("the last stage must have zoom 1 and batch_factor 1, for photos are predicted at full size")
    return stages


Stages = Annotated[tuple[Stage, ...], AfterValidator(_fill_the_run)]
"""The stages of a run in their order."""

WHOLE_RUN: Final = Stage(share=1.0, zoom=1.0, batch_factor=1.0)
"""The only stage of a run that sees pictures of one size."""


class AugmentPlan(Part):
    """How photos are changed before training; one draw moves pixels and labels together.

    Args:
        crop_hw: Height and width of the crop in pixels.
        scale: Smallest and largest zoom of the crop, drawn log-uniformly.
        flip_horizontal: Probability of a left-right flip.
        flip_vertical: Probability of an upside-down flip.
        right_angles: Probability of a turn by 90, 180 or 270 degrees.
        rotate_degrees: Largest rotation either way, in degrees.
        shear_degrees: Largest shear either way, in degrees.
        elastic: Probability of an elastic deformation.
        brightness: Largest relative change of brightness (0.4 = factor 0.6 to 1.4).
        contrast: Largest relative change of contrast.
        saturation: Largest relative change of saturation (three-band colour photos).
        hue: Largest turn of the hue circle (0.1 = 36 degrees; three-band colour photos).
        gamma: Largest change of log2 gamma (0.3 = gamma 0.81 to 1.23).
        noise: Largest standard deviation of added noise, as a share of the standard deviation of the crop.
        blur: Probability of a slight blur.
        rare_class: Probability that the crop is placed on a pixel of a class drawn with favour for rare ones.
        stages: Training begins on smaller pictures: in each stage crop and zoom are multiplied by the stage's own zoom.
    """

    crop_hw: SizeHw
    scale: Range
    flip_horizontal: Share
    flip_vertical: Share
    right_angles: Share
    rotate_degrees: Annotated[float, Field(ge=0, le=180)]
    shear_degrees: Annotated[float, Field(ge=0, le=45)]
    elastic: Share
    brightness: Share
    contrast: Share
    saturation: Share
    hue: Annotated[float, Field(ge=0, le=0.5)]
    gamma: NotNegative
    noise: NotNegative
    blur: Share
    rare_class: Share
    stages: Stages

    def at(self, progress: float) -> AugmentPlan:
        """Return the augmentation at one point of the run, with crop and scale of its stage.

        Args:
            progress: 0..1.

        Returns:
            A plan with one stage; its crop is a multiple of 16 pixels unless it is the whole crop.
        """
        return self.within(self.stage_at(progress))

    def stage_at(self, progress: float) -> Stage:
        """Return the stage at one point of the run, 0..1."""
        ended = 0.0
        for stage in self.stages[:-1]:
            ended += stage.share
            if progress < ended:
                return stage
        return self.stages[-1]

    def within(self, stage: Stage) -> AugmentPlan:
        """Return the augmentation within one of the stages, as a plan with one stage."""
        if stage.zoom == 1:
            return self.model_copy(update={"stages": (WHOLE_RUN,)})
        height, width = (max(16, math.ceil(side * stage.zoom / 16) * 16) for side in self.crop_hw)
        low, high = self.scale
        scale = (low * stage.zoom, high * stage.zoom)
        return self.model_copy(update={"crop_hw": (height, width), "scale": scale, "stages": (WHOLE_RUN,)})


class LossTerm(Part):
    """One term of the loss: a row of the losses table, its share in the sum, and its options."""

    name: str = Field(min_length=1)
    weight: Positive
    options: dict[str, Option]


class LossPlan(Part):
    """The loss: a weighted sum of terms.

    Args:
        terms: At least one.
        class_weights: K factors, one per class, in id order; all 1 means none.
        auxiliary: Weight of the loss on the auxiliary outputs a network may have; 0 = not used.
    """

    terms: tuple[LossTerm, ...] = Field(min_length=1)
    class_weights: tuple[NotNegative, ...]
    auxiliary: NotNegative


class OptimiserPlan(Part):
    """The optimiser and its learning rate over time.

    Args:
        name: adamw, muon, sgd (Nesterov) or radam.
        learning_rate: The peak.
        muon_rate: For muon, the peak of the relative change of a convolution per step; the rest has `learning_rate`.
        weight_decay: Not applied to biases and norms.
        momentum: Momentum of sgd and muon, beta1 of adamw and radam.
        beta2: beta2 of adamw and radam.
        schedule: Course after warm-up; `poly` is `(1 - progress) ** power`.
        power: Exponent of `poly`.
        warmup_steps: Steps of linear warm-up.
        clip_norm: Largest gradient norm; 0 = off.
        ema_decay: Decay per step of the moving average of weights that is evaluated and sealed; 0 = off.
    """

    name: OptimiserName
    learning_rate: Positive
    muon_rate: NotNegative
    weight_decay: NotNegative
    momentum: Annotated[float, Field(ge=0, lt=1)]
    beta2: Annotated[float, Field(ge=0, lt=1)]
    schedule: Schedule
    power: Positive
    warmup_steps: Whole
    clip_norm: NotNegative
    ema_decay: Annotated[float, Field(ge=0, lt=1)]


class TrainingPlan(Part):
    """The loop.

    Args:
        steps: Optimiser steps; under a wall-clock limit an estimate, and the clock ends the run.
        batch: Crops per forward pass in the last stage; see `Plan.batch_in` for the others.
        accumulate: Forward passes per optimiser step.
        minutes: Wall-clock limit; 0 = none.
        precision: fp32, bf16 or fp16 (fp16 never on a CPU).
        channels_last: Memory format of the network.
        threads: Torch threads.
        workers: Threads that prepare crops ahead; 0 = the training loop does it itself.
        evaluate_every: Steps between scores on the validation split.
        checkpoint_minutes: Minutes between checkpoints.
        broken_photo_limit: Unreadable photos after which training stops.
    """

    steps: Count
    batch: Count
    accumulate: Count
    minutes: NotNegative
    precision: Precision
    channels_last: bool
    threads: Count
    workers: Whole
    evaluate_every: Count
    checkpoint_minutes: Positive
    broken_photo_limit: Whole


class PredictionPlan(Part):
    """How large photos are predicted.

    Args:
        tile_hw: Height and width of a tile in pixels.
        overlap: Share of a tile that overlaps its neighbour, 0..0.5.
        max_whole_pixels: Photos up to this many pixels are predicted in one piece.
    """

    tile_hw: SizeHw
    overlap: Annotated[float, Field(ge=0, le=0.5)]
    max_whole_pixels: Count


class SplitPlan(Part):
    """How many samples are trained on and scored, and all it takes to split the same folder in the same way again.

    Args:
        train_samples: Labelled photos that are trained on.
        val_samples: Labelled photos of `val`, scored while and after training.
        test_samples: Labelled photos of `test`, scored after training.
        split: Where the split comes from, in words.
        split_seed: Seed of the split where the data set states none.
        val_share: Share of the photos that such a split sets aside.
        held_out: SHA-256 of the sorted names of the photos that such a split drew as `val`; "" where the data set
            stated its splits, or this is not known.
    """

    train_samples: Count
    val_samples: Whole
    test_samples: Whole
    split: str
    split_seed: int
    val_share: Share
    held_out: str


class ReadingPlan(Part):
    """How the data set was read, so that whoever goes on with a run, or scores it, reads it in the same way.

    Args:
        format: The format's name; "" where it is not known.
        options: What was asked of the format.
        photos: Name of the further folder where photos lay; "" where there was none.
    """

    format: str
    options: dict[str, str]
    photos: str


UNKNOWN_READING: Final = ReadingPlan(format="", options={}, photos="")
"""Of a plan that was made without data, or before this was kept."""


class Expected(Part):
    """What the run should take: wall-clock seconds, peak memory in bytes, passes over the training samples."""

    seconds: NotNegative
    memory_bytes: Whole
    epochs: NotNegative


class Plan(Part):
    """Every setting of one training run; no gaps, and JSON round trip is equality.

    Args:
        plan_version: Version of this layout; a newer one is refused. Version 1 did not keep how the data were read,
            version 2 not which photos a drawn split held out.
        tessella: Version of Tessella that made the plan.
        seed: Seeds weights, crops and order.
        classes: The K classes in id order.
        asked: What was asked, by dotted key of the recipe.
        why: One sentence per choice, by dotted key such as `training.batch`.
    """

    plan_version: Literal[3] = PLAN_VERSION
    tessella: str
    seed: Whole
    classes: tuple[PlanClass, ...] = Field(min_length=1, max_length=255)
    preprocess: Preprocess
    model: ModelPlan
    augment: AugmentPlan
    loss: LossPlan
    optimiser: OptimiserPlan
    training: TrainingPlan
    prediction: PredictionPlan
    splits: SplitPlan
    reading: ReadingPlan
    expected: Expected
    asked: dict[str, JsonValue]
    why: dict[str, str]

    @model_validator(mode="after")
    def _one_weight_per_class(self) -> Self:
        if len(self.loss.class_weights) != len(self.classes):
            raise ValueError(f"{len(self.classes)} classes need as many class weights ({len(self.loss.class_weights)})")
        return self

    @classmethod
    def from_json(cls, data: Mapping[str, object], *, where: str) -> Self:
        """Build the plan from parsed JSON.

        Raises:
            RecipeError: A newer version, a missing or unknown key, or an impossible value.
        """
        version = data.get("plan_version")
        if isinstance(version, int) and version > PLAN_VERSION:
            raise RecipeError(
                "the plan was made by a newer version of Tessella",
                where=where,
                got=f"plan version {version}, made by Tessella {data.get('tessella', 'of unknown version')}",
                expected=f"at most plan version {PLAN_VERSION}",
                fix="upgrade with: pip install --upgrade tessella",
            )
        if version == 1:
            data = {**data, "plan_version": 2, "reading": UNKNOWN_READING.to_json()}
        splits = data.get("splits")
        if data.get("plan_version") == 2 and isinstance(splits, dict):
            data = {**data, "plan_version": PLAN_VERSION, "splits": {**splits, "held_out": ""}}
        return super().from_json(data, where=where)

    def batch_in(self, stage: Stage) -> int:
        """Return the crops per forward pass in one of the stages."""
        return round(self.training.batch * stage.batch_factor)

    @property
    def table(self) -> ClassTable:
        """The class table."""
        return ClassTable(tuple(ClassInfo(info.name, info.colour) for info in self.classes))
