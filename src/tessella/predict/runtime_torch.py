"""The torch runtime: the network of a bundle itself, on the GPU where there is one. Imports torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from tessella.bundle.network import answer_batch, load_network

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tessella.bundle.opening import Bundle


class TorchRuntime:
    """Runs the network of a bundle in fp32.

    Args:
        bundle: An opened bundle; its probe is replayed here.
        device: A torch device, or "auto": the GPU where there is one, else the CPU.

    Raises:
        BundleError: The network does not answer its probe as it did when the bundle was sealed.
    """

    def __init__(self, bundle: Bundle, *, device: str = "auto") -> None:
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        self._network = load_network(bundle, device=device)

    def logits(self, pixels: NDArray[Any]) -> NDArray[np.float32]:
        """Run photos of one size: (B, C, H, W) raw pixels to (B, K, H, W) float32 logits."""
        return answer_batch(self._network, pixels)
