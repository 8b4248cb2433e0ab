"""The one preprocessing around a network: raw pixels of any size in, logits of the same size out."""

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from tessella.models import build

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tessella.recipe.plan import Plan


class Network(nn.Module):
    """Normalise, pad, run the core, crop. Training, validation, prediction and export all call this and nothing else.

    The plan says mean, std and stride; they are not in the state dict, so that there is one place to read them from.

    Args:
        core: (B, C, H, W) normalised, H and W multiples of `stride`, to (B, K, H, W) logits.
        mean: C means, in raw units of the pixels.
        std: C standard deviations, in raw units, above 0.
        stride: The input is padded right and below with edge pixels to a multiple of this.

    Example:
        >>> core = build("unet", classes=3, channels=1, options={"width": 8, "depth": 2})
        >>> network = Network(core, mean=[127.5], std=[50.0], stride=4)
        >>> network(torch.zeros(1, 1, 5, 7, dtype=torch.uint8)).shape
        torch.Size([1, 3, 5, 7])
    """

    mean: Tensor
    std: Tensor

    def __init__(self, core: nn.Module, *, mean: "Sequence[float]", std: "Sequence[float]", stride: int) -> None:
        super().__init__()
        self.core = core
        self.stride = stride
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32).view(1, -1, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std, dtype=torch.float32).view(1, -1, 1, 1), persistent=False)

    def forward(self, pixels: Tensor) -> Tensor | tuple[Tensor, ...]:
        """Return the logits of every pixel.

        Args:
            pixels: (B, C, H, W) raw pixels of any real dtype, any H and W from 1.

        Returns:
            (B, K, H, W) logits. In training mode it may be a tuple of logits and auxiliary logits, where the core
            answers so; each is (B, K, ceil(H / r), ceil(W / r)) for a whole r of its own, and its cell (i, j) stands
            for the pixels [r i : r i + r, r j : r j + r]: a loss takes one label of each block, which is cheaper than
            to enlarge the logits.
        """
        hw = (pixels.shape[-2], pixels.shape[-1])
        padded = _pad((pixels.float() - self.mean) / self.std, self.stride)
        answer = self.core(padded)
        if isinstance(answer, tuple):
            tall, wide = padded.shape[-2], padded.shape[-1]
            return tuple(
                _crop(logits, (_share(hw[0], logits, -2, tall), _share(hw[1], logits, -1, wide))) for logits in answer
            )
        return _crop(answer, hw)


def network_of(plan: "Plan") -> Network:
    """Build the network of a plan with fresh weights (the plan's `model.weights` are not read here).

    Raises:
        RecipeError: The plan names an unknown network or option.
    """
    pre = plan.preprocess
    core = build(plan.model.name, classes=len(plan.classes), channels=len(pre.bands), options=plan.model.options)
    return Network(core, mean=pre.mean, std=pre.std, stride=pre.stride)


def _pad(x: Tensor, stride: int) -> Tensor:
    height, width = x.shape[-2], x.shape[-1]
    # not -(-height // stride): exported integer division rounds towards zero, and 5 rows would become 4
    tall, wide = (height + stride - 1) // stride * stride, (width + stride - 1) // stride * stride
    if torch.compiler.is_exporting():
        # a gather has no branch on the size and exports with free H and W; the values are those of replicate padding
        rows = torch.arange(tall, device=x.device).clamp(max=height - 1)
        columns = torch.arange(wide, device=x.device).clamp(max=width - 1)
        return x.index_select(2, rows).index_select(3, columns)
    if (tall, wide) == (height, width):
        return x
    return functional.pad(x, (0, wide - width, 0, tall - height), mode="replicate")


def _share(length: int, logits: Tensor, axis: int, padded: int) -> int:
    """Return how many cells of coarser logits stand for the first `length` of `padded` pixels."""
    return -(-length * logits.shape[axis] // padded)


def _crop(logits: Tensor, hw: tuple[int, int]) -> Tensor:
    return logits[..., : hw[0], : hw[1]]
