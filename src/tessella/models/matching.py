"""Fits the tensors of a foreign weights file to a network, and says in words what fitted and what did not."""

import re
from collections.abc import Callable, Mapping
from itertools import product
from typing import Final, NamedTuple

import torch
from torch import Tensor, nn

_WRAPPERS: Final = ("state_dict", "model_state_dict", "model", "net", "weights")
"""Keys under which training scripts keep the state dict in a checkpoint."""

_STRIP: Final = ("", "module.", "_orig_mod.", "core.", "model.", "module.model.", "encoder.", "backbone.")
_ADD: Final = ("", "encoder.", "encoder.model.")
_STAGES: Final = re.compile(r"\b(stages|layers|blocks|features|stem)\.(\d+)\.")
_NAMED: Final = 5
"""So many names are given in a note; the rest is counted."""


class Fit(NamedTuple):
    """What of a file fits a network.

    Args:
        tensors: To be loaded, by the network's own names.
        notes: Sentences for the user; empty where every tensor fitted every parameter.
    """

    tensors: dict[str, Tensor]
    notes: tuple[str, ...]


def unwrap(content: object) -> dict[str, Tensor]:
    """Return the tensors of a checkpoint by name, looking into the usual wrappers.

    Args:
        content: What `torch.load` or safetensors gave.
    """
    while isinstance(content, Mapping):
        inner = next((content[key] for key in _WRAPPERS if isinstance(content.get(key), Mapping)), None)
        if inner is None:
            return {str(key): value for key, value in content.items() if isinstance(value, Tensor)}
        content = inner
    return {}


def fit(tensors: Mapping[str, Tensor], core: nn.Module) -> Fit:
    """Find the renaming under which most tensors fit, and adapt what differs in the number of bands.

    A first convolution for other bands is adapted (see `adapt_bands`). A tensor of another shape (the head of other
    classes) is dropped.

    Args:
        tensors: Names and values of the file.
        core: The network; not changed.

    Returns:
        The tensors to load (none where nothing fits) and the notes.
    """
    wanted = core.state_dict()
    renamed = max((_rename(tensors, rule) for rule in _rules()), key=lambda names: _matches(names, wanted))
    first = _first_convolution(core)
    chosen: dict[str, Tensor] = {}
    notes, dropped = [], []
    for name, value in renamed.items():
        if name not in wanted:
            continue
        shape = tuple(wanted[name].shape)
        if tuple(value.shape) == shape:
            chosen[name] = value
        elif name == first and _differs_in_bands(value, shape):
            chosen[name] = adapt_bands(value, shape[1])
            notes.append(f"the first convolution {name} was adapted from {value.shape[1]} to {shape[1]} bands")
        else:
            dropped.append(f"{name} ({_size(value.shape)} in the file, {_size(shape)} in the network)")
    if not chosen:
        return Fit({}, ())
    absent = [name for name in wanted if name not in renamed and not name.endswith("num_batches_tracked")]
    foreign = [name for name in renamed if name not in wanted]
    notes += _note(dropped, "of another shape dropped, the network's own kept")
    notes += _note(absent, "of the network not in the file, left as initialised")
    notes += _note(foreign, "of the file not in the network, not used")
    return Fit(chosen, tuple(notes))


def adapt_bands(weight: Tensor, bands: int) -> Tensor:
    """Return the (O, `bands`, h, w) form of an (O, C, h, w) convolution.

    Args:
        weight: (O, C, h, w).
        bands: Wanted input bands. 1 gives the sum; more than C gives the old bands in turn, each divided by how often
            it occurs: both answer to equal bands as before. Fewer gives the first ones, enlarged by C / `bands`.
    """
    old = weight.shape[1]
    if bands == 1:
        return weight.sum(1, keepdim=True)
    turns = torch.arange(bands) % old
    shares = 1 / turns.bincount()[turns] if bands > old else torch.full((bands,), old / bands)
    return weight[:, turns] * shares.to(weight.dtype)[:, None, None]


def _rules() -> list[Callable[[str], str]]:
    def rule(strip: str, add: str, flat: bool) -> Callable[[str], str]:
        def rename(name: str) -> str:
            plain = add + name.removeprefix(strip)
            # timm's feature extractors flatten `stages.0.` to `stages_0.`
            return _STAGES.sub(r"\1_\2.", plain, count=1) if flat else plain

        return rename

    return [rule(*choice) for choice in product(_STRIP, _ADD, (False, True))]


def _rename(tensors: Mapping[str, Tensor], rule: Callable[[str], str]) -> dict[str, Tensor]:
    return {rule(name): value for name, value in tensors.items()}


def _matches(names: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> int:
    return sum(name in wanted and wanted[name].shape == value.shape for name, value in names.items())


def _first_convolution(core: nn.Module) -> str | None:
    for name, module in core.named_modules():
        if isinstance(module, nn.Conv2d):
            return f"{name}.weight".lstrip(".")
    return None


def _differs_in_bands(value: Tensor, shape: tuple[int, ...]) -> bool:
    return value.ndim == 4 and (value.shape[0], *value.shape[2:]) == (shape[0], *shape[2:])


def _size(shape: tuple[int, ...]) -> str:
    return "x".join(str(length) for length in shape) or "1"


def _note(names: list[str], what: str) -> list[str]:
    if not names:
        return []
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return [f"{len(names)} tensors {what}: {', '.join(names[:_NAMED])}{more}"]
