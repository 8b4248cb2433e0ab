"""The one way to pretrained weights: a file, the local caches, then the hub, and never silently.

    ""                    from scratch
    path/to/file          .safetensors, or .pth / .pt / .bin (read with weights_only: tensors, no code)
    timm:<name>           timm's weights of that name, as in timm:resnet18.a1_in1k
    hub:<owner>/<repo>/<file>   a file of a model repository of the hub

The libraries wait up to a minute before they notice that there is no network; this answers within two seconds.
"""

import os
import pickle
import socket
import threading
import warnings
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import urlsplit
from urllib.request import getproxies

import torch
from torch import Tensor, nn

from tessella.core.classes import nearest_hint
from tessella.core.errors import InputError, RecipeError
from tessella.core.extras import require
from tessella.files.hashes import sha256_file
from tessella.models.foreign import import_library
from tessella.models.matching import fit, unwrap

REACH_SECONDS: Final = 1.2
"""How long to try to reach the hub before saying that there is no network."""

_SUFFIXES: Final = (".safetensors", ".pth", ".pt", ".bin")


class HubFile(NamedTuple):
    """A file of a model repository."""

    repo: str
    name: str


def load_weights(core: nn.Module, weights: str) -> tuple[str, ...]:
    """Start a network from pretrained weights.

    Args:
        core: The network as `build` gave it; its tensors are overwritten in place.
        weights: "" for none, else see the head of this file.

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


def find_weights(weights: str) -> Path:
    """Return the local file of some weights, fetched from the hub only when no local cache has it.

    Raises:
        RecipeError: The text names no known kind of weights.
        InputError: The file does not exist, or is in no cache and the hub cannot be reached.
    """
    kind, colon, name = weights.partition(":")
    if colon and kind == "timm":
        return _first_of(_timm_files(name), weights)
    if colon and kind == "hub":
        return _first_of((_hub_file(name),), weights)
    path = Path(weights).expanduser()
    if path.suffix.lower() not in _SUFFIXES:
        raise RecipeError(
            "this names no weights",
            where="model.weights",
            got=weights,
            expected=f"a path that ends in {', '.join(_SUFFIXES)}, timm:<name> or hub:<owner>/<repo>/<file>",
        )
    if not path.is_file():
        raise InputError("there is no such weights file", where=path)
    return path


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


def weights_folder() -> Path:
    """Return the folder that is looked into before the hub's own cache, for files brought by hand."""
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "tessella" / "weights"


def _timm_files(name: str) -> tuple[HubFile, ...]:
    require("timm", needs="weights of timm", extra="train")
    timm = import_library("timm")
    settings = timm.models.get_pretrained_cfg(name)
    if settings is None:
        raise RecipeError(
            f"timm has no network {name!r}",
            where="model.weights",
            fix=nearest_hint(name, timm.list_models()),
        )
    if not settings.hf_hub_id:
        raise RecipeError(
            f"timm has no weights on the hub for {name!r}",
            where="model.weights",
            fix="fetch its weights yourself and give their path as model.weights",
        )
    usual = ("model.safetensors", "pytorch_model.bin")
    names = (settings.hf_hub_filename,) if settings.hf_hub_filename else usual
    return tuple(HubFile(settings.hf_hub_id, file) for file in names)


def _hub_file(name: str) -> HubFile:
    parts = name.split("/", 2)
    if len(parts) != 3 or not all(parts):
        raise RecipeError(
            "a hub file is named by owner, repository and file",
            where="model.weights",
            got=f"hub:{name}",
            expected="hub:<owner>/<repo>/<file>",
        )
    return HubFile(f"{parts[0]}/{parts[1]}", parts[2])


def _first_of(files: tuple[HubFile, ...], weights: str) -> Path:
    require("huggingface_hub", needs="weights from the hub", extra="train")
    from huggingface_hub import try_to_load_from_cache

    for file in files:
        brought = weights_folder() / file.repo / file.name
        cached = try_to_load_from_cache(file.repo, file.name)
        found = brought if brought.is_file() else cached
        if isinstance(found, str | Path):
            return Path(found)
    return _fetch(files[0], weights)


def _fetch(file: HubFile, weights: str) -> Path:
    from huggingface_hub import constants, hf_hub_download

    endpoint = os.environ.get("HF_ENDPOINT", constants.ENDPOINT)
    if os.environ.get("HF_HUB_OFFLINE", "").lower() in {"1", "on", "yes", "true"} or constants.HF_HUB_OFFLINE:
        raise _absent(file, weights, endpoint, cause="HF_HUB_OFFLINE forbids the network")
    if not _reachable(endpoint):
        raise _absent(file, weights, endpoint, cause=f"{endpoint} cannot be reached")
    try:
        return Path(hf_hub_download(file.repo, file.name, endpoint=endpoint))
    except (OSError, ValueError) as error:
        # the hub's and the network's errors are OSErrors
        raise _absent(file, weights, endpoint, cause=str(error).splitlines()[0]) from error


def _absent(file: HubFile, weights: str, endpoint: str, *, cause: str) -> InputError:
    return InputError(
        f"the weights are in no local cache, and {cause}",
        where=weights,
        fix=(
            f"put {endpoint}/{file.repo}/resolve/main/{file.name} at {weights_folder() / file.repo / file.name}, "
            "or give the path of a weights file as model.weights, or leave it empty to train from scratch"
        ),
    )


def _reachable(endpoint: str) -> bool:
    """Return whether the hub, or the proxy on the way to it, takes a connection within `REACH_SECONDS`."""
    target = urlsplit(endpoint)
    proxy = getproxies().get(target.scheme)
    if proxy:
        target = urlsplit(proxy if "//" in proxy else f"//{proxy}")
    port = target.port or (80 if target.scheme == "http" else 443)
    answered = threading.Event()

    def knock() -> None:
        try:
            socket.create_connection((target.hostname or "", port), timeout=REACH_SECONDS).close()
        except OSError:
            return
        answered.set()

    # a name server that does not answer blocks for a minute whatever the timeout: wait for a thread instead
    thread = threading.Thread(target=knock, daemon=True)
    thread.start()
    thread.join(REACH_SECONDS)
    return answered.is_set()
