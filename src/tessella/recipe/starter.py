"""A plan from constants alone, for a class table: no data measured, no machine looked at. The planner refines it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tessella._version import __version__
from tessella.core.image import FULL_SCALE
from tessella.recipe.plan import (
    UNKNOWN_READING,
    WHOLE_RUN,
    AugmentPlan,
    Dtype,
    Expected,
    LossPlan,
    LossTerm,
    ModelPlan,
    OptimiserPlan,
    Plan,
    PlanClass,
    PredictionPlan,
    Preprocess,
    SplitPlan,
    TrainingPlan,
)

if TYPE_CHECKING:
    from tessella.core.classes import ClassTable


def starter_plan(
    table: ClassTable,
    *,
    bands: tuple[str, ...] = ("red", "green", "blue"),
    dtype: Dtype = "uint8",
    model: str = "mosaic",
    crop_hw: tuple[int, int] = (64, 64),
    steps: int = 10,
) -> Plan:
    """Make a small, valid plan without data: one CPU thread, fp32, a plain cross-entropy.

    Args:
        table: The K classes.
        bands: Names of the input bands.
        dtype: Type of the raw pixels.
        model: Name of a row of the models table.
        crop_hw: Height and width of the crops in pixels.
        steps: Optimiser steps.
    """
    half = FULL_SCALE[dtype] / 2
    return Plan(
        tessella=__version__,
        seed=0,
        classes=tuple(PlanClass(name=info.name, colour=info.colour) for info in table),
        preprocess=Preprocess(
            bands=bands, dtype=dtype, mean=(half,) * len(bands), std=(half / 2,) * len(bands), stride=32
        ),
        model=ModelPlan(name=model, options={}, weights=""),
        augment=AugmentPlan(
            crop_hw=crop_hw,
            scale=(0.5, 2.0),
            flip_horizontal=0.5,
            flip_vertical=0.0,
            right_angles=0.0,
            rotate_degrees=0.0,
            shear_degrees=0.0,
            elastic=0.0,
            brightness=0.3,
            contrast=0.3,
            saturation=0.3,
            hue=0.03,
            gamma=0.2,
            noise=0.0,
            blur=0.1,
            rare_class=0.5,
            stages=(WHOLE_RUN,),
        ),
        loss=LossPlan(
            terms=(LossTerm(name="cross-entropy", weight=1.0, options={}),),
            class_weights=(1.0,) * len(table),
            auxiliary=0.3,
        ),
        optimiser=OptimiserPlan(
            name="adamw",
            learning_rate=3e-3,
            muon_rate=0.0,
            weight_decay=1e-2,
            momentum=0.9,
            beta2=0.98,
            schedule="poly",
            power=0.9,
            warmup_steps=min(2, steps - 1),
            clip_norm=5.0,
            ema_decay=0.0,
        ),
        training=TrainingPlan(
            steps=steps,
            batch=2,
            accumulate=1,
            minutes=0.0,
            precision="fp32",
            channels_last=True,
            threads=1,
            workers=0,
            evaluate_every=steps,
            checkpoint_minutes=5.0,
            broken_photo_limit=10,
        ),
        prediction=PredictionPlan(tile_hw=(1024, 1024), overlap=0.25, max_whole_pixels=4_000_000),
        splits=SplitPlan(
            train_samples=1, val_samples=0, test_samples=0, split="none", split_seed=0, val_share=0.2, held_out=""
        ),
        reading=UNKNOWN_READING,
        expected=Expected(seconds=0.0, memory_bytes=0, epochs=0.0),
        asked={},
        why={},
    )
