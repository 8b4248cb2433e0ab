"""Lovász-softmax: the convex surrogate of the IoU itself."""

from typing import Literal

import numpy as np
import torch
from torch import Tensor


def lovasz(
    logits: Tensor,
    target: Tensor,
    *,
    class_weights: Tensor | None,
    ignore: int,
    over: Literal["batch", "image"] = "batch",
) -> Tensor:
    """Return the mean Lovász extension of 1 - IoU over the classes present (Berman, Triki and Blaschko 2018).

    Args:
        logits: (B, K, H, W) float32.
        target: (B, H, W) int64, 0..K-1 or `ignore`.
        class_weights: (K,) or None; the mean over classes is weighted by them.
        ignore: Pixels with this id do not count at all.
        over: One IoU over the whole `batch`, or one per `image` and their mean (images without a kept pixel left out).

    Returns:
        A scalar; 0 where no pixel is kept.
    """
    probability = logits.softmax(1).movedim(1, 0)
    groups = [(probability, target)] if over == "batch" else list(zip(probability.unbind(1), target, strict=True))
    parts = [
        _of_pixels(rows.flatten(1), ids.flatten(), class_weights=class_weights, ignore=ignore) for rows, ids in groups
    ]
    counted = [part for part in parts if part is not None]
    return torch.stack(counted).mean() if counted else logits.sum() * 0


def _of_pixels(probability: Tensor, ids: Tensor, *, class_weights: Tensor | None, ignore: int) -> Tensor | None:
    """Return the loss of (K, N) probabilities against (N,) ids, or None where nothing is kept."""
    kept = ids != ignore
    ids, probability = ids[kept], probability[:, kept]
    present = torch.bincount(ids).nonzero()[:, 0].tolist()
    if class_weights is not None:
        present = [index for index in present if class_weights[index] > 0]
    if not present:
        return None
    lost = []
    for index in present:
        own = ids == index
        errors = torch.where(own, 1 - probability[index], probability[index])
        lost.append((errors * _jaccard_slopes(errors.detach(), own)).sum())
    losses = torch.stack(lost)
    weights = torch.ones_like(losses) if class_weights is None else class_weights[present]
    return (losses * weights).sum() / weights.sum()


def _jaccard_slopes(errors: Tensor, own: Tensor) -> Tensor:
    """Return (N,) slopes of the Jaccard loss at each pixel, in the pixels' own order.

    With pixels sorted by falling error, the loss after the first n is 1 - (T - own in n) / (T + others in n); the
    slope of the n-th is the difference to the one before. Once every own pixel is among the first n the loss is 1
    and stays there: pixels with a smaller error than all own ones have slope 0, and in a trained network they are
    most, so that they are not sorted.
    """
    needed = (errors >= errors[own].min()).nonzero()[:, 0]
    order = needed[_falling(errors[needed])]
    own_sorted = own[order].to(torch.float64)
    own_seen = own_sorted.cumsum(0)
    total = own_seen[-1]
    position = torch.arange(1, len(order) + 1, device=errors.device, dtype=torch.float64)
    loss = 1 - (total - own_seen) / (total + position - own_seen)
    slopes = torch.diff(loss, prepend=loss.new_zeros(1))
    return torch.zeros_like(errors).index_copy_(0, order, slopes.to(errors.dtype))


def _falling(errors: Tensor) -> Tensor:
    """Return the (N,) int64 order of falling errors in 0..1, ties by position."""
    if errors.device.type != "cpu":
        return errors.argsort(descending=True, stable=True)
    # bits of non-negative floats sort like the floats: one integer sort of (inverted bits, position)
    bits = np.uint32(0xFFFFFFFF) - errors.contiguous().numpy().view(np.uint32)
    keys = bits.astype(np.uint64) << np.uint64(32) | np.arange(len(bits), dtype=np.uint64)
    keys.sort()
    return torch.from_numpy((keys & np.uint64(0xFFFFFFFF)).astype(np.int64))
