"""Makes small bundles, photos and photo files: a U-Net of 30,000 weights, untrained, that answers in milliseconds."""

from pathlib import Path

import numpy as np

from tessella.core.classes import ClassTable
from tessella.core.image import Image
from tessella.core.labelmap import LabelMap
from tessella.core.sample import Sample
from tessella.recipe.plan import ModelPlan, Plan
from tessella.recipe.starter import starter_plan

TABLE = ClassTable.from_names(["meadow", "road", "roof|top"])
SCORES = {
    "images": 4,
    "miou": 0.61,
    "pixel_accuracy": 0.9,
    "averaging": "one confusion matrix over the set",
    "classes": [
        {"name": "meadow", "iou": 0.9, "precision": 0.95, "recall": 0.94},
        {"name": "road", "iou": 0.31, "precision": 0.5, "recall": 0.45},
        {"name": "roof|top", "iou": None, "precision": None, "recall": None},
    ],
}


def small_plan(
    *,
    bands=("red", "green", "blue"),
    dtype="uint8",
    tile_hw=(64, 64),
    max_whole_pixels=20_000,
    model="unet",
    options=None,
) -> Plan:
    plan = starter_plan(TABLE, bands=bands, dtype=dtype, model=model)
    return plan.model_copy(
        update={
            "model": ModelPlan(name=model, options=options or {"width": 8, "depth": 2}, weights=""),
            "preprocess": plan.preprocess.model_copy(update={"stride": 4}),
            "prediction": plan.prediction.model_copy(
                update={"tile_hw": tile_hw, "overlap": 0.5, "max_whole_pixels": max_whole_pixels}
            ),
        }
    )


def photo(hw=(90, 110), *, channels=3, dtype="uint8", seed=0) -> Image:
    """A photo with coarse patches and fine noise."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(20, 200, (hw[0] // 16 + 1, hw[1] // 16 + 1, channels))
    patches = coarse.repeat(16, axis=0).repeat(16, axis=1)[: hw[0], : hw[1]]
    pixels = patches + rng.integers(0, 55, (*hw, channels))
    return Image((pixels * {"uint8": 1, "uint16": 257, "float32": 1 / 255}[dtype]).astype(dtype))


def labelled(hw=(90, 110), *, seed=0) -> Sample:
    image = photo(hw, seed=seed)
    ids = (image.pixels[..., 0] // 90).astype(np.uint8)
    ids[:3] = 255
    return Sample(image, LabelMap(np.minimum(ids, 255), TABLE), f"photo{seed}")


def small_state(plan: Plan, *, seed=0):
    import torch

    from tessella.models.network import network_of

    torch.manual_seed(seed)
    return network_of(plan).state_dict()


def make_bundle(folder: Path, *, plan: Plan | None = None, seed=0, parity=(), **changes):
    from tessella.bundle.writing import write_bundle

    plan = plan or small_plan()
    image = photo(channels=len(plan.preprocess.bands), dtype=plan.preprocess.dtype)
    arguments = {
        "plan": plan,
        "state": small_state(plan, seed=seed),
        "scores": SCORES,
        "provenance": {"data": "a test", "seed": seed},
        "probe_image": image,
        "parity": parity,
    }
    return write_bundle(folder, **(arguments | changes))
