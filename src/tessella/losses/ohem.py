"""Online hard example mining: cross-entropy over the pixels that the network finds hard."""

import math
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from tessella.recipe.part import Share

Probability = Annotated[float, Field(gt=0, le=1)]


def ohem(
    logits: Tensor,
    target: Tensor,
    *,
    class_weights: Tensor | None,
    ignore: int,
    threshold: Probability = 0.7,
    min_kept: Share = 0.0625,
) -> Tensor:
    """Return the mean cross-entropy of hard pixels (Shrivastava et al. 2016; as used by Wang et al. 2020 in HRNet).

    Args:
        logits: (B, K, H, W) float32.
        target: (B, H, W) int64, 0..K-1 or `ignore`.
        class_weights: (K,) or None; weigh the mean, not the choice of pixels.
        ignore: Pixels with this id do not count at all.
        threshold: A pixel is hard when the probability of its true class is below this.
        min_kept: At least this share of the kept pixels is used, the hardest first.

    Returns:
        A scalar; 0 where no pixel is kept.
    """
    losses = functional.cross_entropy(logits, target, ignore_index=ignore, reduction="none").flatten()
    ids = target.flatten()
    kept = ids != ignore
    losses, ids = losses[kept], ids[kept]
    if losses.numel() == 0:
        return logits.sum() * 0
    hard = losses.detach() > -math.log(threshold)
    least = max(1, math.ceil(min_kept * losses.numel()))
    if int(hard.sum()) < least:
        hard = torch.zeros_like(hard)
        hard[losses.detach().topk(least).indices] = True
    if class_weights is None:
        return losses[hard].mean()
    weights = class_weights[ids[hard]]
    return (losses[hard] * weights).sum() / weights.sum().clamp(min=torch.finfo(weights.dtype).tiny)
