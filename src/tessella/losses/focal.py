"""Multi-class focal loss: cross-entropy that fades for pixels the network is already sure of."""

from torch import Tensor
from torch.nn import functional

from tessella.losses.cross_entropy import kept_weight
from tessella.recipe.part import NotNegative


def focal(
    logits: Tensor, target: Tensor, *, class_weights: Tensor | None, ignore: int, gamma: NotNegative = 2.0
) -> Tensor:
    """Return the mean of -(1 - p) ** gamma * log p of the true class over kept pixels (Lin et al. 2017, softmax form).

    Args:
        logits: (B, K, H, W) float32.
        target: (B, H, W) int64, 0..K-1 or `ignore`.
        class_weights: (K,) or None; the mean is weighted by them.
        ignore: Pixels with this id do not count at all.
        gamma: 0 is cross-entropy; larger looks more at hard pixels.

    Returns:
        A scalar; 0 where no pixel is kept.
    """
    plain = functional.cross_entropy(logits, target, ignore_index=ignore, reduction="none")
    # at p = 1 the power's own gradient is 0 times infinity for gamma < 1; the clamp keeps it finite
    unsure = (-(-plain).expm1()).clamp(min=1e-12)
    faded = unsure**gamma * plain
    if class_weights is not None:
        faded = faded * class_weights[target.where(target != ignore, 0)]
    # ignored pixels have a plain loss of exactly 0
    return faded.sum() / kept_weight(target, class_weights=class_weights, ignore=ignore)
