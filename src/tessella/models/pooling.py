"""Adaptive average pooling as two matrix products, which exports with free height and width."""

import torch
from torch import Tensor, nn


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


def exportable_pooling(net: nn.Module) -> None:
    """Replace every adaptive average pooling to more than one cell in `net`; it has no weights, so keys stay."""
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
