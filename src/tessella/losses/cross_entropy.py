"""Cross-entropy over kept pixels, with class weights and label smoothing."""

from torch import Tensor
from torch.nn import functional

from tessella.recipe.part import Share


def cross_entropy(
    logits: Tensor, target: Tensor, *, class_weights: Tensor | None, ignore: int, smoothing: Share = 0.0
) -> Tensor:
    """Return the mean of -log p of the true class over kept pixels, each weighted by its class.

    Args:
        logits: (B, K, H, W) float32.
        target: (B, H, W) int64, 0..K-1 or `ignore`.
        class_weights: (K,) or None.
        ignore: Pixels with this id do not count at all.
        smoothing: Share of the target that is spread evenly over all classes (Szegedy et al. 2016).

    Returns:
        A scalar; 0 where no pixel is kept (torch's own mean is NaN there).
    """
    total = functional.cross_entropy(
        logits, target, weight=class_weights, ignore_index=ignore, label_smoothing=smoothing, reduction="sum"
    )
    return total / kept_weight(target, class_weights=class_weights, ignore=ignore)


def kept_weight(target: Tensor, *, class_weights: Tensor | None, ignore: int) -> Tensor:
    """Return the sum of class weights over kept pixels, or 1 where it is 0."""
    kept = target != ignore
    if class_weights is None:
        return kept.sum().clamp(min=1)
    counts = target[kept].bincount(minlength=len(class_weights))
    weight = (counts * class_weights).sum()
    return weight.where(weight > 0, weight.new_ones(()))
