"""The network of a bundle: built from the plan, filled with the weights, proved on the probe. Imports torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from tessella.bundle.probe import check_answer
from tessella.core.errors import BundleError
from tessella.models.network import network_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from tessella.bundle.opening import Bundle
    from tessella.core.image import Pixels
    from tessella.models.network import Network
    from tessella.recipe.plan import Plan


def load_network(bundle: Bundle, *, device: str = "cpu") -> Network:
    """Build the network of a bundle and prove that it still answers its probe.

    Args:
        bundle: An opened bundle.
        device: A torch device.

    Returns:
        The network in evaluation mode, fp32, channels-last.

    Raises:
        BundleError: The weights do not fit the plan, or the answer to the probe has changed.
    """
    network = build(bundle.plan, bundle.weights(), where=bundle.path).to(device)
    probe = bundle.probe()
    check_answer(probe, answer(network, probe.pixels), where=bundle.path)
    return network


def build(plan: Plan, weights: Mapping[str, NDArray[np.generic]], *, where: object) -> Network:
    """Build the network of a plan and fill it with weights.

    Args:
        plan: Every setting.
        weights: Arrays by the names of the network's state dict; exactly these.
        where: The bundle, for the message.

    Raises:
        BundleError: Names or shapes differ from those of the network.
    """
    network = network_of(plan)
    try:
        network.load_state_dict({name: torch.from_numpy(np.array(array)) for name, array in weights.items()})
    except RuntimeError as error:
        raise BundleError(
            f"the weights do not fit the network {plan.model.name!r} of the plan ({_first_lines(error)})",
            where=where,
            fix="the bundle was made by another version of this network: train again",
        ) from error
    # channels-last is the layout of the fastest convolutions on CPU and GPU
    return network.eval().to(memory_format=torch.channels_last)


def answer(network: Network, pixels: Pixels) -> NDArray[np.float32]:
    """Run one photo through a network in fp32.

    Args:
        network: In evaluation mode.
        pixels: (H, W, C) raw pixels.

    Returns:
        (K, H, W) float32 logits.
    """
    logits: NDArray[np.float32] = answer_batch(network, np.moveaxis(pixels, 2, 0)[None])[0]
    return logits


def answer_batch(network: Network, pixels: NDArray[Any]) -> NDArray[np.float32]:
    """Run photos of one size through a network in fp32.

    Args:
        network: In evaluation mode.
        pixels: (B, C, H, W) raw pixels.

    Returns:
        (B, K, H, W) float32 logits.
    """
    with torch.inference_mode():
        # a photo is stored channels-last; torch.from_numpy keeps that layout and copies nothing
        raw = torch.from_numpy(_writable(pixels)).to(network.mean.device)
        logits = network(raw.contiguous(memory_format=torch.channels_last))
        values: NDArray[np.float32] = logits.float().contiguous().cpu().numpy()
    return values


def _writable(pixels: NDArray[Any]) -> NDArray[Any]:
    # torch warns of every read-only array, and Image holds nothing else; nothing here writes to it
    return pixels if pixels.flags.writeable else pixels.copy(order="K")


def _first_lines(error: RuntimeError) -> str:
    lines = [line.strip() for line in str(error).splitlines()[1:3]]
    return "; ".join(line[:200] for line in lines) or str(error)[:200]
