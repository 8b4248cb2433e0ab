"""The moving average of the weights, which is what a run evaluates and seals."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor, nn

    from tessella.models.network import Network


class MovingAverage:
    """An exponential moving average of parameters and of floating-point buffers (running statistics of norms too).

    Averaged weights with the running statistics of the raw weights would be two networks in one: the statistics are
    averaged with the same decay. Integer buffers are copied. The decay warms up as `(1 + step) / (10 + step)`, so that
    the random start is forgotten.

    Args:
        model: The network that is trained; it is copied. Make the average before Accelerate wraps the forward pass.
        decay: Per step; 0 = no average: `module` follows the trained weights exactly.
    """

    def __init__(self, model: Network, *, decay: float) -> None:
        self.module = copy.deepcopy(model).eval().requires_grad_(False)
        self.decay = decay
        self._pairs = _float_pairs(self.module, model)
        self._copies = _other_pairs(self.module, model)

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Move the average towards the trained weights after step `step` (counted from 0)."""
        if not self.decay:
            return
        decay = min(self.decay, (1 + step) / (10 + step))
        averages, values = self._pairs
        torch._foreach_lerp_(averages, values, 1.0 - decay)
        for average, value in self._copies:
            average.copy_(value)

    @torch.no_grad()
    def network(self) -> Network:
        """Return the averaged network in evaluation mode (without an average: the trained weights as they are now)."""
        if not self.decay:
            averages, values = self._pairs
            torch._foreach_copy_(averages, values)
            for average, value in self._copies:
                average.copy_(value)
        return self.module

    def state(self) -> Mapping[str, Tensor]:
        """Return the averaged state dict."""
        return self.network().state_dict()


def _float_pairs(average: nn.Module, model: nn.Module) -> tuple[list[Tensor], list[Tensor]]:
    values = model.state_dict(keep_vars=True)
    pairs = [
        (tensor, values[name].detach()) for name, tensor in average.state_dict().items() if tensor.is_floating_point()
    ]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def _other_pairs(average: nn.Module, model: nn.Module) -> list[tuple[Tensor, Tensor]]:
    values = model.state_dict(keep_vars=True)
    return [
        (tensor, values[name].detach())
        for name, tensor in average.state_dict().items()
        if not tensor.is_floating_point()
    ]
