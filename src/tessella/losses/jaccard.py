"""Soft Jaccard (intersection over union) over the classes that occur, each counting the same."""

from torch import Tensor

from tessella.losses.dice import soft_counts
from tessella.recipe.part import NotNegative


def jaccard(
    logits: Tensor,
    target: Tensor,
    *,
    class_weights: Tensor | None,  # noqa: ARG001 - every loss has the same arguments
    ignore: int,
    smooth: NotNegative = 1.0,
) -> Tensor:
    """Return 1 - the mean soft Jaccard of the classes present in the batch (Rahman and Wang 2016).

    Jaccard of a class is (I + s) / (P + T - I + s): I the summed probability on its own pixels, P the summed
    probability on all kept pixels, T its number of pixels, all over the whole batch. Beside a weighted cross-entropy
    it pulls every class alike towards the score that is reported, so class weights do not act on it.

    Args:
        logits: (B, K, H, W) float32.
        target: (B, H, W) int64, 0..K-1 or `ignore`.
        class_weights: Not used.
        ignore: Pixels with this id do not count at all.
        smooth: s, in pixels.

    Returns:
        A scalar; 0 where no pixel is kept.
    """
    overlap, claimed, pixels = soft_counts(logits, target, ignore=ignore)
    present = (pixels > 0).to(logits.dtype)
    # a present class has at least one pixel; the clamp is for absent ones, which are left out, with a smooth of 0
    lost = 1 - (overlap + smooth) / (claimed + pixels - overlap + smooth).clamp(min=1)
    return (lost * present).sum() / present.sum().clamp(min=1)
