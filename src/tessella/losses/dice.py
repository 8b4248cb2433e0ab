"""Soft Dice over the classes that occur."""

import torch
from torch import Tensor

from tessella.recipe.part import NotNegative


def dice(
    logits: Tensor, target: Tensor, *, class_weights: Tensor | None, ignore: int, smooth: NotNegative = 1.0
) -> Tensor:
    """Return 1 - the mean soft Dice of the classes present in the batch (Milletari et al. 2016, without squares).

    Dice of a class is (2 I + s) / (P + T + s): I the summed probability on its own pixels, P the summed probability on
    all kept pixels, T its number of pixels, all over the whole batch.

    Args:
        logits: (B, K, H, W) float32.
        target: (B, H, W) int64, 0..K-1 or `ignore`.
        class_weights: (K,) or None; the mean over classes is weighted by them.
        ignore: Pixels with this id do not count at all.
        smooth: s, in pixels.

    Returns:
        A scalar; 0 where no pixel is kept.
    """
    overlap, claimed, pixels = soft_counts(logits, target, ignore=ignore)
    present = (pixels > 0).to(logits.dtype)
    weights = present if class_weights is None else present * class_weights
    # a present class has at least one pixel; the clamp is for absent ones, whose weight is 0, with a smooth of 0
    lost = 1 - (2 * overlap + smooth) / (claimed + pixels + smooth).clamp(min=1)
    total = weights.sum()
    return (lost * weights).sum() / total.where(total > 0, torch.ones_like(total))


def soft_counts(logits: Tensor, target: Tensor, *, ignore: int) -> tuple[Tensor, Tensor, Tensor]:
    """Count softly how prediction and truth overlap, class by class, over the whole batch.

    Args:
        logits: (B, K, H, W) float32.
        target: (B, H, W) int64, 0..K-1 or `ignore`.
        ignore: Pixels with this id do not count at all.

    Returns:
        Three (K,) float32: the summed probability of a class on its own pixels, on all kept pixels, and the number of
        its pixels.
    """
    kept = target != ignore
    safe = target.where(kept, 0)
    probability = logits.softmax(1)
    own = (probability.gather(1, safe[:, None])[:, 0] * kept).flatten()
    claimed = (probability * kept[:, None]).sum((0, 2, 3))
    overlap = torch.zeros_like(claimed).index_add(0, safe.flatten(), own)
    return overlap, claimed, target[kept].bincount(minlength=logits.shape[1]).to(logits.dtype)
