"""Writing a bundle: all files into a new folder, hashed, and moved into place in one step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tessella.bundle.card import write_card
from tessella.bundle.manifest import seal
from tessella.bundle.opening import CARD, PARITY, PLAN, PROBE, SCORES, WEIGHTS, Bundle, open_bundle
from tessella.bundle.parity import save_parity
from tessella.bundle.probe import Probe, probe_pixels, save_probe
from tessella.core.errors import BundleError
from tessella.files.write import new_folder, write_bytes, write_json, write_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from tessella.core.image import Image
    from tessella.core.sample import Sample
    from tessella.recipe.plan import Plan


def write_bundle(
    folder: Path,
    *,
    plan: Plan,
    state: Mapping[str, Any],
    scores: Mapping[str, Any],
    provenance: Mapping[str, Any],
    probe_image: Image,
    parity: Iterable[Sample] = (),
    overwrite: bool = False,
) -> Bundle:
    """Seal a trained network into a folder.

    Args:
        folder: The bundle to make.
        plan: Every setting.
        state: The state dict of `models.network.Network`: NumPy arrays or torch tensors by name.
        scores: With the keys of `evaluate --json`; empty when nothing was held out.
        provenance: Plain JSON: data, seed, machine, time.
        probe_image: A photo of the data; its middle becomes the probe.
        parity: Validation samples from which up to eight small pieces are kept for exports.
        overwrite: Replace an existing folder.

    Returns:
        The bundle, opened from the disk again, so that what was written is what can be read.

    Raises:
        OutputError: The folder exists, or cannot be written.
        BundleError: A weight is not finite, or the state does not fit the network of the plan.
    """
    from tessella.bundle.network import answer, build

    arrays = {name: _as_array(name, value) for name, value in state.items()}
    pixels = probe_pixels(probe_image)
    logits = answer(build(plan, arrays, where=folder), pixels)
    probe = Probe(pixels, logits.argmax(axis=0).astype(np.uint8), logits)
    with new_folder(folder, overwrite=overwrite) as temporary:
        write_json(temporary / PLAN, plan.to_json())
        write_bytes(temporary / WEIGHTS, _as_safetensors(arrays))
        save_probe(temporary / PROBE, probe)
        write_json(temporary / SCORES, dict(scores))
        parameters = sum(array.size for array in arrays.values())
        write_text(temporary / CARD, write_card(plan, scores, provenance, parameters=parameters))
        save_parity(temporary / PARITY, parity, bands=plan.preprocess.bands)
        seal(temporary, provenance)
    return open_bundle(folder)


def _as_array(name: str, value: Any) -> NDArray[np.generic]:  # noqa: ANN401 - a torch tensor without importing torch
    if not isinstance(value, np.ndarray):
        tensor = value.detach().cpu()
        # NumPy has no bfloat16
        value = (tensor.float() if tensor.is_floating_point() else tensor).numpy()
    array: NDArray[np.generic] = np.ascontiguousarray(value).reshape(value.shape)
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise BundleError(
            f"the weights {name!r} hold NaN or infinity",
            fix="the training diverged: lower the learning rate and train again",
        )
    return array


def _as_safetensors(arrays: Mapping[str, NDArray[np.generic]]) -> bytes:
    from safetensors.numpy import save

    data: bytes = save(dict(arrays))
    return data
