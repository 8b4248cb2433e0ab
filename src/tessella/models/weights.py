"""Starts a network from a file of pretrained weights: read without running code, fitted, and reported."""

import pickle
import warnings
from pathlib import Path

import torch
from torch import Tensor, nn

from tessella.core.errors import InputError
from tessella.files.hashes import sha256_file
from tessella.models.matching import fit, unwrap
from tessella.recipe.weights import find_weights


def load_weights(core: nn.Module, weights: str) -> tuple[str, ...]:
    """Start a network from pretrained weights.

    Args:
        core: The network as `build` gave it; its tensors are overwritten in place.
        weights: "" for none, else as `recipe.weights.find_weights` takes it.

    Returns:
        What was loaded, adapted and left out, in sentences; nothing for "".

    Raises:
        RecipeError: The text names no known kind of weights.
        InputError: The file is absent and cannot be fetched, is damaged, or has nothing that fits.
        MissingExtraError: timm or huggingface_hub is not installed.
    """
    if not weights:
        return ()
    path = find_weights(weights)
    tensors = read_tensors(path)
    fitting = fit(tensors, core)
    if not fitting.tensors:
        raise InputError(
            "no tensor of these weights fits the network",
            where=path,
            got=", ".join(list(tensors)[:3]) or "no tensors",
            expected=f"names and shapes such as {', '.join(list(core.state_dict())[:3])}",
            fix="choose weights of the same architecture or encoder",
        )
    core.load_state_dict(fitting.tensors, strict=False)
    loaded = f"{len(fitting.tensors)} of {len(tensors)} tensors of {path.name}"
    headline = f"started from {loaded} (sha256 {sha256_file(path)[:16]})"
    return headline, *fitting.notes


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Read the tensors of a weights file by name; no code in it is ever run.

    Raises:
        InputError: The file cannot be read, is damaged, or holds more than tensors.
    """
    try:
        if path.suffix.lower() == ".safetensors":
            from safetensors.torch import load_file

            return dict(load_file(path))
        with warnings.catch_warnings():
            # torch wonders at the pickle protocol of damaged files before it fails
            warnings.simplefilter("ignore", UserWarning)
            return unwrap(torch.load(path, map_location="cpu", weights_only=True))
    except pickle.UnpicklingError as error:
        raise InputError(
            "this weights file is damaged, or holds Python objects, which are never run",
            where=path,
            fix="save its state dict alone, or convert it to .safetensors",
        ) from error
    except Exception as error:
        # a damaged file makes the readers raise nearly anything: IndexError, KeyError, SafetensorError, UnicodeError
        raise InputError(
            "this weights file is damaged or cannot be read",
            where=path,
            got=f"{type(error).__name__}: {error}",
            fix="fetch it again",
        ) from error
