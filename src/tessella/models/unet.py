"""The classic U-Net (Ronneberger et al. 2015) with same padding and batch norm: 31.0 M parameters by default."""

from functools import partial
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from tessella.recipe.part import Count

Activation = Literal["relu", "silu"]
Init = Literal["kaiming", "he-uniform", "xavier"]
Norm = Literal["batch", "group", "none"]
Depth = Annotated[int, Field(ge=1, le=6)]

_ACTIVATIONS = {"relu": nn.ReLU, "silu": nn.SiLU}


def build(
    *,
    classes: int,
    channels: int,
    width: Count = 64,
    depth: Depth = 4,
    activation: Activation = "relu",
    init: Init = "kaiming",
    norm: Norm = "batch",
) -> nn.Module:
    """Build a U-Net.

    Args:
        classes: K.
        channels: C.
        width: Channels at full resolution; they double at each level down.
        depth: Levels down; the stride is 2 ** depth.
        activation: `relu` as in the paper, or `silu` (smooth, a little slower).
        init: `kaiming` (normal, fan out; He et al. 2015), `he-uniform` (uniform, fan in) or `xavier` (uniform;
            Glorot and Bengio 2010).
        norm: `batch`, `group` (up to 32 groups; for batches of 1 to 3), or `none` as in the paper.

    Returns:
        (B, C, H, W) to (B, K, H, W), H and W multiples of 2 ** depth.
    """
    net = UNet(classes, channels, width=width, depth=depth, block=partial(_block, norm=norm, activation=activation))
    net.apply(partial(_initialise, init=init))
    nn.init.zeros_(net.head.bias)  # type: ignore[arg-type]  # the head always has a bias
    return net


def stride(*, depth: int = 4, **_options: object) -> int:
    """Return what H and W must be a multiple of."""
    return 1 << depth


class UNet(nn.Module):
    """Encoder and decoder with a skip at every level; built by `build`.

    Args:
        classes: K.
        channels: C.
        width: Channels at full resolution.
        depth: Levels down.
        block: `block(inputs, outputs)` gives the two convolutions of a level.
    """

    def __init__(self, classes: int, channels: int, *, width: int, depth: int, block: "partial[nn.Sequential]") -> None:
        super().__init__()
        widths = [width * 2**level for level in range(depth + 1)]
        self.down = nn.ModuleList(
            block(inputs, outputs) for inputs, outputs in zip([channels, *widths], widths, strict=False)
        )
        self.pool = nn.MaxPool2d(2)
        self.up = nn.ModuleList(nn.ConvTranspose2d(2 * outputs, outputs, 2, 2) for outputs in widths[-2::-1])
        self.merge = nn.ModuleList(block(2 * outputs, outputs) for outputs in widths[-2::-1])
        self.head = nn.Conv2d(width, classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, K, H, W) logits of (B, C, H, W) normalised pixels."""
        skips: list[Tensor] = []
        for level, down in enumerate(self.down):
            x = down(self.pool(x) if level else x)
            skips.append(x)
        for up, merge, skip in zip(self.up, self.merge, skips[-2::-1], strict=True):
            x = merge(torch.cat((skip, up(x)), 1))
        logits: Tensor = self.head(x)
        return logits


def _block(inputs: int, outputs: int, *, norm: Norm, activation: Activation) -> nn.Sequential:
    layers: list[nn.Module] = []
    for source in (inputs, outputs):
        layers += [nn.Conv2d(source, outputs, 3, padding=1, bias=norm == "none"), *_norm(norm, outputs)]
        layers.append(_ACTIVATIONS[activation](inplace=True))
    return nn.Sequential(*layers)


def _norm(norm: Norm, channels: int) -> list[nn.Module]:
    if norm == "group":
        groups = max(count for count in range(1, 33) if channels % count == 0)
        return [nn.GroupNorm(groups, channels)]
    return [nn.BatchNorm2d(channels)] if norm == "batch" else []


def _initialise(module: nn.Module, *, init: Init) -> None:
    if not isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        return
    if init == "kaiming":
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    elif init == "he-uniform":
        nn.init.kaiming_uniform_(module.weight, mode="fan_in", nonlinearity="relu")
    else:
        nn.init.xavier_uniform_(module.weight)
    if module.bias is not None:
        nn.init.zeros_(module.bias)
