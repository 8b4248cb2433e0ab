"""Pooling to a grid that exports to ONNX with free height and width."""

import torch
from torch import Tensor, nn
from torch.nn import functional


class AdaptiveAverage(nn.Module):
    """The same numbers as `nn.AdaptiveAvgPool2d`, whose ONNX export is only right at the traced size.

    Args:
        rows: Output height.
        columns: Output width.
    """

    def __init__(self, rows: int, columns: int) -> None:
        super().__init__()
        self.rows = rows
        self.columns = columns

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, C, rows, columns) averages of (B, C, H, W)."""
        down = _shares(self.rows, x.shape[-2], like=x)
        across = _shares(self.columns, x.shape[-1], like=x)
        return down @ x @ across.T


class PyramidBlock(nn.Module):
    """A block of PSPNet: the same numbers and keys as the library's, which takes another, fixed path in an export.

    Args:
        pool: Pooling to a grid, then a 1x1 convolution.
    """

    def __init__(self, pool: nn.Module) -> None:
        super().__init__()
        self.pool = pool

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) to (B, c, H, W)."""
        return functional.interpolate(self.pool(x), size=x.shape[-2:], mode="bilinear", align_corners=True)


def exportable_pooling(net: nn.Module) -> None:
    """Replace in `net` what pools to more than one cell; the new parts have the same weights, so keys stay."""
    for module in list(net.modules()):
        for name, child in list(module.named_children()):
            if type(child).__name__ == "PSPBlock":
                setattr(module, name, PyramidBlock(child.get_submodule("pool")))
    for module in list(net.modules()):
        for name, child in list(module.named_children()):
            size = child.output_size if isinstance(child, nn.AdaptiveAvgPool2d) else 1
            rows, columns = size if isinstance(size, tuple) else (size, size)
            if isinstance(rows, int) and isinstance(columns, int) and rows * columns > 1:
                setattr(module, name, AdaptiveAverage(rows, columns))


def _shares(cells: int, length: int, *, like: Tensor) -> Tensor:
    """Return (cells, length): row i averages positions floor(i n / c) to ceil((i + 1) n / c), PyTorch's rule."""
    cell = torch.arange(cells, device=like.device)
    first = cell * length // cells
    end = ((cell + 1) * length + cells - 1) // cells
    position = torch.arange(length, device=like.device)
    inside = (position >= first[:, None]) & (position < end[:, None])
    return inside.to(like.dtype) / (end - first)[:, None].to(like.dtype)
