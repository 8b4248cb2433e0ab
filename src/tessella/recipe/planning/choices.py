"""The single choices of the planner: each a plain function from facts to a value and the reason for it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tessella.recipe.machine import Machine
    from tessella.recipe.plan import OptimiserName, Precision, Stage
    from tessella.recipe.recipe import Weighting

CROP_PX: Final = {"cpu": 320 * 400, "cuda": 512 * 512}
"""Pixels of a crop: on a CPU many small steps learn more than few large ones."""

CROP_MULTIPLE: Final = 16

BATCH_PX: Final = {"cpu": 4 * CROP_PX["cpu"], "cuda": 16 * CROP_PX["cuda"]}
"""Pixels of a batch. On a CPU four crops learn more than eight: twice the steps gave 2.2 points of mIoU (CamVid)."""

SMALLEST_STAGE_PX: Final = 96
"""Crops with a shorter side show too little to begin with."""

MOST_CROPS: Final = 64
"""Crops of a batch when photos are tiny."""

LARGEST_CLASS_WEIGHT: Final = 10.0

USUAL_BATCH: Final = 4
"""The batch for which the learning rates below are stated."""

LEARNING_RATES: Final = {"mosaic": 3e-3}
"""Peak learning rates of AdamW and RAdam at a batch of 4, from scratch, by network."""

MUON_NETWORKS: Final = ("mosaic",)
"""Networks whose hidden layers are plain convolutions, each followed by a normalisation."""

MUON_RATE: Final = 0.05
CLIP_NORM: Final = 5.0

OTHER_LEARNING_RATE: Final = 7e-4
SGD_LEARNING_RATE: Final = 0.035
PRETRAINED_FACTOR: Final = 0.3
"""Pretrained weights are moved with smaller steps, so that they are not forgotten."""

EMA_SHARE: Final = 0.03
"""The moving average looks back over this share of the run."""

WARMUP_SHARE: Final = 0.04

EVALUATIONS: Final = 10

LOGIT_BUDGET_BYTES: Final = 320 << 20
"""fp32 logits of one photo or tile in prediction."""

Hw = tuple[int, int]

_WEIGHTINGS: Final[dict[str, tuple[Callable[[float], float], str]]] = {
    "mild": (lambda share: share**-0.3, "share ** -0.3"),
    "log": (lambda share: 1 / math.log(1.02 + share), "1 / ln(1.02 + share)"),
    "sqrt": (lambda share: 1 / math.sqrt(share), "1 / sqrt(share)"),
    "inverse": (lambda share: 1 / share, "1 / share"),
}


def choose_crop(median_hw: Hw, device: str) -> tuple[Hw, str]:
    """Choose the crop: the median photo's shape, scaled down to the device's pixels, in multiples of 16.

    Args:
        median_hw: Median height and width of the photos in pixels.
        device: `cpu` or `cuda`.
    """
    height, width = median_hw
    budget = CROP_PX[device]
    photo = "{1}x{0}".format(*median_hw)
    if height * width <= budget:
        crop = (_up(height), _up(width))
        return crop, f"the whole of a median photo ({photo}), in multiples of {CROP_MULTIPLE}"
    # a long strip sees little around an object: at most 2:1
    ratio = min(2.0, max(0.5, height / width))
    high = min(_up(height), _nearest(math.sqrt(budget * ratio)))
    wide = min(_up(width), _nearest(budget / high))
    return (high, wide), f"{budget // 1000} thousand pixels on a {_word(device)} in the shape of a {photo} photo"


def choose_batch(crop_hw: Hw, device: str) -> tuple[int, str]:
    """Choose the batch: as many crops as make the device's pixels per step, 2 to 64."""
    fitting = round(BATCH_PX[device] / (crop_hw[0] * crop_hw[1]))
    batch = max(2, min(MOST_CROPS, fitting))
    return batch, f"{batch * crop_hw[0] * crop_hw[1] / 1e6:.2g} megapixels a step, usual on a {_word(device)}"


def choose_class_weights(pixels: Sequence[int], weighting: Weighting) -> tuple[tuple[float, ...], str]:
    """Weigh classes by their share p of the pixels.

    The weights are scaled so that a pixel weighs 1 on average, then cut at 10. Classes without a pixel weigh 1.

    Args:
        pixels: K pixel counts of the training samples.
        weighting: none; mild: p ** -0.3; log: 1 / ln(1.02 + p) (ENet, arXiv 1606.02147); sqrt: 1 / sqrt(p); inverse:
            1 / p.
    """
    if weighting == "none":
        return (1.0,) * len(pixels), "no weighting"
    total = sum(pixels)
    rule, formula = _WEIGHTINGS[weighting]
    shares = [count / total for count in pixels]
    raw = [rule(share) if share else 0.0 for share in shares]
    mean = sum(weight * share for weight, share in zip(raw, shares, strict=True))
    weights = tuple(round(min(LARGEST_CLASS_WEIGHT, weight / mean), 4) if weight else 1.0 for weight in raw)
    least = min(share for share in shares if share)
    return weights, f"{formula} of the pixels, mean 1, at most 10; the rarest class has {100 * least:.2g} %"


def choose_precision(machine: Machine) -> tuple[Precision, str]:
    """Choose the precision: bf16 where the hardware computes it, fp16 only on older GPUs, else fp32."""
    if machine.gpu is not None:
        if machine.gpu.bf16:
            return "bf16", f"{machine.gpu.name} computes bf16"
        return "fp16", f"{machine.gpu.name} has no bf16"
    if machine.bf16:
        return "bf16", "the CPU computes bf16 (AVX512-BF16 or AMX)"
    return "fp32", "the CPU has no bf16 instructions"


def choose_threads(machine: Machine) -> tuple[int, str]:
    """Choose torch threads: all cores where the network runs on them, else a few."""
    if machine.gpu is not None:
        return max(1, min(4, machine.cores)), "the network runs on the GPU"
    return machine.cores, f"all {machine.cores} cores"


def choose_workers(machine: Machine) -> tuple[int, str]:
    """Choose the threads that prepare crops ahead."""
    if machine.gpu is not None:
        return max(1, min(12, machine.cores - 1)), "a GPU must not wait for crops"
    return max(1, machine.cores // 8), "crops take a small part of a step on a CPU"


def choose_learning_rate(model: str, optimiser: str, *, crops: int, pretrained: bool) -> tuple[float, str]:
    """Choose the peak learning rate for a network and the crops of one optimiser step.

    It grows with the square root of the crops per step, as suits Adam (arXiv 2205.10287).
    """
    base = SGD_LEARNING_RATE if optimiser == "sgd" else LEARNING_RATES.get(model, OTHER_LEARNING_RATE)
    factor = PRETRAINED_FACTOR if pretrained else 1.0
    rate = base * factor * math.sqrt(crops / USUAL_BATCH)
    words = f"{base:g} for {model} and {optimiser} at {USUAL_BATCH} crops"
    scaled = "" if crops == USUAL_BATCH else f", times sqrt({crops}/{USUAL_BATCH})"
    return float(f"{rate:.3g}"), words + scaled + (f", times {factor:g} for pretrained weights" if pretrained else "")


def choose_optimiser(model: str, *, pretrained: bool) -> tuple[OptimiserName, str]:
    """Choose the optimiser: muon for networks of normalised plain convolutions trained from scratch, else adamw."""
    if model in MUON_NETWORKS and not pretrained:
        return "muon", "learns several times faster than adamw in a short training from scratch"
    return "adamw", "pretrained weights are moved gently" if pretrained else "usual"


def choose_stages(usual: Sequence[Stage], crop_hw: Hw) -> tuple[tuple[Stage, ...], str]:
    """Choose the stages of a run: those of the preset whose crops are large enough.

    Args:
        usual: Of the preset; a stage that is left out gives its share to the next one.
        crop_hw: The crop at full size.
    """
    stages: list[Stage] = []
    waiting = 0.0
    for stage in usual:
        if stage.zoom < 1 and min(crop_hw) * stage.zoom < SMALLEST_STAGE_PX:
            waiting += stage.share
        else:
            stages.append(stage.model_copy(update={"share": stage.share + waiting}))
            waiting = 0.0
    if len(stages) == 1:
        return tuple(stages), "one stage at full size"
    zooms = ", ".join(f"{stage.share:.0%} at zoom {stage.zoom:g}" for stage in stages)
    return tuple(stages), f"small pictures first, so that more are seen in the time: {zooms}"


def choose_ema(steps: int) -> tuple[float, str]:
    """Match the moving average to the run; too short a run has none."""
    window = EMA_SHARE * steps
    if window < 2:
        return 0.0, f"{steps} steps are too few to average"
    return round(1 - 1 / window, 6), f"averages over about {window:.0f} steps, {EMA_SHARE:.0%} of the run"


def choose_evaluation(steps: int) -> tuple[int, str]:
    """Choose the steps between running scores; their cost is kept small by the number of photos scored each time."""
    times = min(EVALUATIONS, steps)
    return math.ceil(steps / times), f"{times} running scores, enough for a curve"


def choose_tile(median_hw: Hw, *, crop_hw: Hw, classes: int, stride: int) -> tuple[Hw, int, str]:
    """Choose tiles for photos too large to be predicted in one piece.

    Returns:
        Tile height and width, the most pixels that are predicted whole, and the reason.
    """
    affordable = LOGIT_BUDGET_BYTES // (4 * classes)
    whole = min(affordable, max(1 << 20, 4 * median_hw[0] * median_hw[1]))
    side = int(math.sqrt(min(affordable, max(4 * crop_hw[0] * crop_hw[1], 512 * 512))))
    multiple = math.lcm(stride, CROP_MULTIPLE)
    side = max(multiple, side // multiple * multiple)
    why = f"photos above {whole / 1e6:.1f} megapixels are tiled: logits of {classes} classes must fit into memory"
    return (side, side), whole, why


def _up(side: int) -> int:
    return max(2 * CROP_MULTIPLE, -(-side // CROP_MULTIPLE) * CROP_MULTIPLE)


def _nearest(side: float) -> int:
    return max(2 * CROP_MULTIPLE, round(side / CROP_MULTIPLE) * CROP_MULTIPLE)


def _word(device: str) -> str:
    return {"cpu": "CPU", "cuda": "GPU"}[device]
