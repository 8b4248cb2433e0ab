"""The torch runtime: the network itself, in fp32, on the device it lies on. Imports torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from tessella.bundle.network import answer_batch, load_network
from tessella.core.errors import RecipeError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tessella.bundle.opening import Bundle
    from tessella.models.network import Network


class TorchRuntime:
    """Runs a network in fp32.

    Args:
        network: In evaluation mode, on its device.
    """

    def __init__(self, network: Network) -> None:
        self._network = network

    @classmethod
    def of_bundle(cls, bundle: Bundle, *, device: str = "auto") -> TorchRuntime:
        """Load the network of a bundle and replay its probe.

        Args:
            bundle: An opened bundle.
            device: A torch device, or "auto": the GPU where there is one, else the CPU.

        Raises:
            RecipeError: There is no such device.
            BundleError: The network does not answer its probe as it did when the bundle was sealed.
        """
        return cls(load_network(bundle, device=_settle_device(device)))

    def logits(self, pixels: NDArray[Any]) -> NDArray[np.float32]:
        """Run photos of one size: (B, C, H, W) raw pixels to (B, K, H, W) float32 logits."""
        return answer_batch(self._network, pixels)


def _settle_device(asked: str) -> str:
    there = ["cpu", *(f"cuda:{number}" for number in range(torch.cuda.device_count()))]
    if torch.backends.mps.is_available():
        there.append("mps")
    if asked == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if asked in there or (asked == "cuda" and torch.cuda.is_available()):
        return asked
    raise RecipeError("torch has no such device here", where="device", got=asked, expected=f"auto, {', '.join(there)}")
