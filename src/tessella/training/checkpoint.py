"""Checkpoints: folders that are complete or absent, hashed, and never written over the last good one.

    RUN/checkpoints/step-00001200/
    ├── tensors.safetensors   network, average, optimiser, random generators, by dotted name
    ├── state.json            step, seconds, what the tensors belong to
    └── manifest.json         SHA-256 of the two files above

A folder is written under another name in the same place, its files and itself are flushed (`fsync`), and only then
renamed. `torch.save` straight over the last checkpoint was corrupt after 57 of 60 kills; this way 0 of 60. One flipped
bit passes safetensors unnoticed, so the newest folder whose hashes verify is used.
"""

from __future__ import annotations

import json
import random
import re
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from tessella.core.errors import InputError, TrainingError
from tessella.files.hashes import sha256_file
from tessella.files.text import read_json
from tessella.files.write import explain, sync

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from torch import Tensor, nn

FOLDER: Final = "checkpoints"
KEPT: Final = 2
VERSION: Final = 1
_PREFIX: Final = "step-"
_UNFINISHED: Final = ".unfinished-"
_TENSORS, _STATE, _MANIFEST = "tensors.safetensors", "state.json", "manifest.json"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a run needs to go on.

    Args:
        step: Optimiser steps done; a checkpoint is always between two steps, so nothing is accumulated.
        tensors: By dotted name, on the CPU.
        state: Plain JSON data.
    """

    step: int
    tensors: Mapping[str, Tensor]
    state: Mapping[str, Any]


def save(run_folder: Path, checkpoint: Checkpoint) -> Path:
    """Write a checkpoint and drop all but the last two.

    Args:
        run_folder: The folder of the run.
        checkpoint: What to keep.

    Returns:
        The folder of the checkpoint.

    Raises:
        OutputError: The disk is full, read-only, ...; the checkpoints before are untouched.
    """
    parent = run_folder / FOLDER
    target = _folder(run_folder, checkpoint.step)
    unfinished = parent / f"{_UNFINISHED}{target.name}"
    try:
        parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir()
        _write_files(unfinished, checkpoint)
        if target.exists():  # the run was resumed from an older checkpoint because this one was damaged
            shutil.rmtree(target)
        unfinished.rename(target)
        sync(parent)
    except (OSError, SafetensorError) as error:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise explain(_refusal(error), target) from error
    for old in _folders(run_folder)[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)
    return target


def sweep(run_folder: Path) -> int:
    """Remove what an interrupted write left behind; return how many strays there were."""
    strays = sorted((run_folder / FOLDER).glob(f"{_UNFINISHED}*"))
    for stray in strays:
        shutil.rmtree(stray, ignore_errors=True)
    return len(strays)


def load_newest(run_folder: Path, *, warn: Callable[[str], None]) -> Checkpoint:
    """Read the newest checkpoint whose hashes verify.

    Args:
        run_folder: The folder of the run.
        warn: Called with one sentence for every checkpoint that is damaged.

    Raises:
        TrainingError: There is no checkpoint, none that verifies, or one of a newer version.
    """
    folders = _folders(run_folder)
    for folder in reversed(folders):
        if damage := _damage(folder):
            warn(f"checkpoint {folder.name} is damaged ({damage}); the one before it is used")
            continue
        state = read_json(folder / _STATE)
        if state["version"] > VERSION:
            raise TrainingError(
                "the checkpoint was written by a newer version of Tessella",
                where=folder,
                got=state["version"],
                expected=f"at most {VERSION}",
                fix="upgrade with: pip install --upgrade tessella",
            )
        return Checkpoint(state["step"], load_file(folder / _TENSORS), state["state"])
    raise TrainingError(
        "there is no checkpoint to go on from" if not folders else "no checkpoint is intact",
        where=run_folder / FOLDER,
        fix="start again without --resume (and with --overwrite)",
    )


def _refusal(error: OSError | SafetensorError) -> OSError:
    """Return what the system refused: safetensors says it in words only, as in `... (os error 28)`."""
    if isinstance(error, OSError):
        return error
    number = re.search(r"os error (\d+)", str(error))
    return OSError(int(number[1]) if number else 0, str(error))


def _write_files(folder: Path, checkpoint: Checkpoint) -> None:
    # safetensors stores no strides: what is channels-last here is made channels-last again by whoever restores it
    tensors = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in checkpoint.tensors.items()}
    save_file(tensors, folder / _TENSORS)
    state = {"version": VERSION, "step": checkpoint.step, "state": checkpoint.state}
    (folder / _STATE).write_text(json.dumps(state, allow_nan=False), encoding="utf-8")
    hashes = {name: sha256_file(folder / name) for name in (_TENSORS, _STATE)}
    (folder / _MANIFEST).write_text(json.dumps(hashes, indent=2), encoding="utf-8")
    for name in (_TENSORS, _STATE, _MANIFEST):
        sync(folder / name)
    sync(folder)


def _damage(folder: Path) -> str:
    try:
        hashes = read_json(folder / _MANIFEST)
        for name in (_TENSORS, _STATE):
            if sha256_file(folder / name) != hashes[name]:
                return f"{name} does not have the hash of the manifest"
    except (InputError, OSError, KeyError, TypeError) as error:
        return str(error)
    return ""


def _folder(run_folder: Path, step: int) -> Path:
    return run_folder / FOLDER / f"{_PREFIX}{step:08d}"


def _folders(run_folder: Path) -> list[Path]:
    return sorted(folder for folder in (run_folder / FOLDER).glob(f"{_PREFIX}*") if folder.is_dir())


def snapshot(model: nn.Module, average: nn.Module, optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Collect the tensors of a run by dotted name: `network.`, `average.`, `optimiser.<parameter>.`, `random.`."""
    tensors = {f"network.{name}": tensor for name, tensor in model.state_dict().items()}
    tensors |= {f"average.{name}": tensor for name, tensor in average.state_dict().items()}
    for number, parameter in enumerate(_parameters(optimiser)):
        for name, value in optimiser.state.get(parameter, {}).items():
            if value is not None:
                tensors[f"optimiser.{number}.{name}"] = torch.as_tensor(value)
    tensors["random.torch"] = torch.get_rng_state()
    if torch.cuda.is_available():
        tensors["random.cuda"] = torch.cuda.get_rng_state()
    return tensors


def restore(
    tensors: Mapping[str, Tensor], *, model: nn.Module, average: nn.Module, optimiser: torch.optim.Optimizer
) -> None:
    """Put the tensors of `snapshot` back in place.

    The optimiser's moments get the memory layout of their parameters again: a fused update of a channels-last weight
    would else walk through both in different orders.
    """
    model.load_state_dict(_under("network.", tensors))
    average.load_state_dict(_under("average.", tensors))
    for number, parameter in enumerate(_parameters(optimiser)):
        for name, value in _under(f"optimiser.{number}.", tensors).items():
            if value.ndim == 0:
                fused = optimiser.defaults.get("fused")
                placed = value.to(parameter.device if fused else "cpu")
            else:
                placed = torch.empty_like(parameter).copy_(value).detach()
            optimiser.state[parameter][name] = placed
    torch.set_rng_state(tensors["random.torch"])
    if torch.cuda.is_available() and "random.cuda" in tensors:
        torch.cuda.set_rng_state(tensors["random.cuda"])


def random_states() -> dict[str, Any]:
    """Return the states of Python's and NumPy's global random generators as plain JSON data."""
    version, numbers, gauss = random.getstate()
    kind, keys, place, has_gauss, cached = np.random.get_state(legacy=True)  # noqa: NPY002 - foreign models may use it
    return {
        "python": [version, list(numbers), gauss],
        "numpy": [str(kind), [int(key) for key in keys], int(place), int(has_gauss), float(cached)],
    }


def restore_random(states: Mapping[str, Any]) -> None:
    """Put the states of `random_states` back."""
    version, numbers, gauss = states["python"]
    random.setstate((version, tuple(numbers), gauss))
    kind, keys, place, has_gauss, cached = states["numpy"]
    np.random.set_state((kind, np.array(keys, np.uint32), place, has_gauss, cached))  # noqa: NPY002 - as above


def _parameters(optimiser: torch.optim.Optimizer) -> list[Tensor]:
    return [parameter for group in optimiser.param_groups for parameter in group["params"]]


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
