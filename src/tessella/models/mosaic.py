"""Mosaic: a small network of plain convolutions, for training from scratch on few images and for speed on a CPU.

A 3x3 convolution runs near the arithmetic peak of a CPU in bfloat16 and channels-last, where a depthwise one reaches a
few per cent; so all are plain, and the stages cost about the same (twice the channels on a quarter of the pixels).
Most of the depth is at stride 16, where dilation and the mean of the whole picture give context for little. Thin things
(poles, signs) are kept by skips at strides 8 and 4, and by a head at stride 4 that predicts the four cells of each 2x2
block as separate channels: the detail of stride 2 for a quarter of the price (Shi et al. 2016, sub-pixel convolution).
"""

from typing import Annotated, Final

from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from tessella.recipe.part import Count

Depth = Annotated[int, Field(ge=1, le=8)]

# A residual branch that starts small makes the first steps train a shallow network, which bears a large learning rate
_RESIDUAL_GAIN: Final = 0.25
_BLOCK: Final = 2


def build(*, classes: int, channels: int, width: Count = 24, depth: Depth = 4, auxiliary: bool = True) -> nn.Module:
    """Build a Mosaic.

    Args:
        classes: K.
        channels: C.
        width: Channels at stride 2; strides 4, 8 and 16 have 2, 4 and 8 times as many. 24 gives 3.4 M parameters; 32
            gives 6.1 M and takes about 1.6 times as long.
        depth: Residual blocks at stride 16, with dilations 1, 2, 4, 8, 1, 2, ...
        auxiliary: Whether training also predicts at stride 8 (deep supervision); evaluation and export never do.

    Returns:
        (B, C, H, W) normalised float to (B, K, H, W) float32 logits, for any H and W from 1; see `Mosaic.forward` for
        training mode.

    Example:
        >>> import torch
        >>> build(classes=11, channels=3).eval()(torch.zeros(1, 3, 361, 479)).shape
        torch.Size([1, 11, 361, 479])
    """
    return Mosaic(classes, channels, width=width, depth=depth, auxiliary=auxiliary)


def stride(**_options: object) -> int:
    """Return what H and W must be a multiple of: 1, for every size is taken."""
    return 1


class Mosaic(nn.Module):
    """Encoder at strides 4, 8 and 16 and decoder back to stride 2; built by `build`.

    Args:
        classes: K.
        channels: C.
        width: Channels at stride 2.
        depth: Residual blocks at stride 16.
        auxiliary: Whether training also predicts at stride 8.
    """

    def __init__(self, classes: int, channels: int, *, width: int, depth: int, auxiliary: bool) -> None:
        super().__init__()
        c2, c4, c8, c16 = width, 2 * width, 4 * width, 8 * width
        deep = (Residual(c16, dilation=1 << (i % 4)) for i in range(depth))
        self.stride4 = nn.Sequential(_unit(channels, c2, stride=2), _unit(c2, c4, stride=2), Residual(c4))
        self.stride8 = nn.Sequential(_unit(c4, c8, stride=2), Residual(c8), Residual(c8))
        self.stride16 = nn.Sequential(_unit(c8, c16, stride=2), *deep, Context(c16))
        self.join8 = Join(c16, c8, c8)
        self.join4 = Join(c8, c4, c4)
        self.head = nn.Conv2d(c4, classes * _BLOCK**2, 3, padding=1)
        self.auxiliary = nn.Conv2d(c8, classes, 1) if auxiliary else None

    def forward(self, image: Tensor) -> Tensor | tuple[Tensor, ...]:
        """Give every pixel one logit per class.

        Args:
            image: (B, C, H, W) float, normalised per channel; any H and W from 1.

        Returns:
            In evaluation mode (B, K, H, W) float32 logits. In training mode `(logits, *auxiliary)`, none larger than it
            was predicted: (B, K, ceil(H/2), ceil(W/2)) and, with `auxiliary`, (B, K, ceil(H/8), ceil(W/8)). Cell (i, j)
            at stride s stands for the labels [s*i : s*i+s, s*j : s*j+s], so a loss may take one label of each block,
            `labels[:, a::s, b::s]` with a and b < s drawn anew at every step. To enlarge the logits instead costs a
            tenth of the whole step.
        """
        fine = self.stride4(image)
        middle = self.stride8(fine)
        joined = self.join8(self.stride16(middle), middle)
        logits = functional.pixel_shuffle(self.head(self.join4(joined, fine)), _BLOCK)
        height, width = image.shape[-2:]
        if not self.training:
            return _enlarge(logits.float(), height, width)
        logits = logits[..., : (height + 1) // 2, : (width + 1) // 2]
        return (logits,) if self.auxiliary is None else (logits, self.auxiliary(joined))


class Residual(nn.Module):
    """Two 3x3 convolutions around an identity; the second may be dilated (He et al. 2016, Yu and Koltun 2016)."""

    def __init__(self, channels: int, *, dilation: int = 1) -> None:
        super().__init__()
        self.first = _unit(channels, channels)
        norm = nn.BatchNorm2d(channels)
        nn.init.constant_(norm.weight, _RESIDUAL_GAIN)
        self.second = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=dilation, dilation=dilation, bias=False), norm
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) to the same shape."""
        return functional.relu(x + self.second(self.first(x)))


class Context(nn.Module):
    """Add to every cell what the mean of the whole picture says (Liu et al. 2015, ParseNet)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.picture = nn.Linear(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) to the same shape."""
        added: Tensor = x + self.picture(x.mean((2, 3)))[:, :, None, None]
        return added


class Join(nn.Module):
    """Bring coarse features to the resolution of finer ones, add the two and mix them with a 3x3 convolution."""

    def __init__(self, coarse: int, fine: int, out: int) -> None:
        super().__init__()
        self.from_coarse = _projection(coarse, out)
        self.from_fine = _projection(fine, out)
        self.mix = _unit(out, out)

    def forward(self, coarse: Tensor, fine: Tensor) -> Tensor:
        """Map (B, coarse, ceil(h/2), ceil(w/2)) and (B, fine, h, w) to (B, out, h, w)."""
        enlarged = _enlarge(self.from_coarse(coarse), fine.shape[-2], fine.shape[-1])
        mixed: Tensor = self.mix(functional.relu(enlarged + self.from_fine(fine)))
        return mixed


def _enlarge(x: Tensor, height: int, width: int) -> Tensor:
    """Enlarge twice and drop the surplus row or column of an odd size.

    Resizing straight to an odd size would stretch the map by up to half a cell at its border; dropping keeps every cell
    above the pixels it was computed from, so a picture and its padded copy agree.
    """
    return functional.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)[..., :height, :width]


def _unit(channels: int, out: int, *, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, out, 3, stride=stride, padding=1, bias=False), nn.BatchNorm2d(out), nn.ReLU(inplace=True)
    )


def _projection(channels: int, out: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(channels, out, 1, bias=False), nn.BatchNorm2d(out))
