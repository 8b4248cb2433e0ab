"""Muon: AdamW, except that the steps of convolutions are replaced by the nearest orthogonal matrices.

A step of SGD or Adam on a filter bank is dominated by a few directions. Orthogonalising it gives all directions the
same length, which in short trainings from scratch is worth several times the number of steps (Jordan et al. 2024,
"Muon: an optimizer for hidden layers in neural networks"). Filters that batch normalisation follows have no scale of
their own, so each bank is also held at a fixed norm: the learning rate is then the relative change of the weights per
step, and they need no weight decay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from collections.abc import Callable

# Odd quintic whose iteration drives singular values from (0, 1] to between 0.7 and 1.2 in five steps (Jordan et al.)
_QUINTIC: Final = (3.4445, -4.7750, 2.0315)
_ITERATIONS: Final = 5


def is_orthogonal(module: nn.Module) -> bool:
    """Whether Muon takes the weight of a module: a plain convolution without bias, as normalisation follows it."""
    return isinstance(module, nn.Conv2d) and module.bias is None and module.groups == 1


class Muon(torch.optim.AdamW):
    """AdamW whose groups with `orthogonal=True` hold the weights of convolutions and are updated by Muon.

    Args:
        groups: Each with `orthogonal`; orthogonal groups need `lr` and `momentum` (Nesterov's form, 0..1).
        lr: Of the other groups.
        betas: Of the other groups.
    """

    def __init__(self, groups: list[dict[str, Any]], *, lr: float, betas: tuple[float, float]) -> None:
        super().__init__(groups, lr=lr, betas=betas, fused=True)
        # fused AdamW says here that it skips an overflow of fp16 by itself, and the gradient scaler calls its step even
        # then; the update of convolutions would turn such gradients into NaN, so the scaler must skip the whole step
        self._step_supports_amp_scaling = False

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> Any:  # noqa: ANN401 - as torch's
        """Update every weight that has a gradient."""
        groups = self.param_groups
        for group in groups:
            if group["orthogonal"]:
                for weight in group["params"]:
                    if weight.grad is not None:
                        _change(weight, weight.grad, self.state[weight], group=group)
        self.param_groups = [group for group in groups if not group["orthogonal"]]
        try:
            return super().step(closure)
        finally:
            self.param_groups = groups


def _change(weight: Tensor, gradient: Tensor, state: dict[str, Any], *, group: dict[str, Any]) -> None:
    if "running" not in state:
        state["running"] = torch.zeros_like(gradient)
    running = state["running"].mul_(group["momentum"]).add_(gradient)
    step = gradient.add(running, alpha=group["momentum"])
    # rows: filters; columns in the order of channels-last memory, so that the reshape is a view
    out, _, height, width = weight.shape
    flat = orthogonalise(step.permute(0, 2, 3, 1).reshape(out, -1))
    flat *= (out / min(flat.shape)) ** 0.5  # the weight and its step both have the norm sqrt(out)
    weight.mul_(out**0.5 / weight.norm().clamp_min(1e-7))
    weight.add_(flat.reshape(out, height, width, -1).permute(0, 3, 1, 2), alpha=-group["lr"])


def orthogonalise(matrix: Tensor) -> Tensor:
    """Approximate U V^T of the singular value decomposition U S V^T by a Newton-Schulz iteration.

    Args:
        matrix: (rows, columns) float.

    Returns:
        (rows, columns) float32: singular values above about 0.01 of the norm come out between 0.7 and 1.2, which is
        near enough for a step.
    """
    a, b, c = _QUINTIC
    tall = matrix.shape[0] > matrix.shape[1]
    x = (matrix.T if tall else matrix).float()
    x = x / (x.norm() + 1e-7)
    # every iterate is Q x for a polynomial Q of x x^T, so only matrices of the shorter side are multiplied
    gram = x @ x.T
    product = torch.eye(len(gram), device=x.device)
    for _ in range(_ITERATIONS):
        factor = a * torch.eye(len(gram), device=x.device) + b * gram + c * gram @ gram
        product = factor @ product
        gram = factor @ gram @ factor
    orthogonal: Tensor = product @ x
    return orthogonal.T if tall else orthogonal
