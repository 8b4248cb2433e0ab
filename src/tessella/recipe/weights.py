"""The one way to the file of pretrained weights: a path, the local caches, then the hub, and never silently.

    ""                    from scratch
    path/to/file          .safetensors, or .pth / .pt / .bin (read with weights_only: tensors, no code)
    timm:<name>.<tag>     timm's weights of that name, as in timm:resnet18.a1_in1k; without the tag timm's first choice
    hub:<owner>/<repo>/<file>   a file of a model repository of the hub

The libraries wait up to a minute before they notice that there is no network; this answers within two seconds, which
is also why it imports no torch, and timm only where there is no other way to know.
"""

import os
import socket
import threading
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import urlsplit
from urllib.request import getproxies

from tessella.core.classes import nearest_hint
from tessella.core.errors import InputError, RecipeError
from tessella.core.extras import require
from tessella.core.foreign import import_library

REACH_SECONDS: Final = 0.75
"""How long to try to reach the hub before saying that there is no network."""

_SUFFIXES: Final = (".safetensors", ".pth", ".pt", ".bin")
_TIMM_FILES: Final = ("model.safetensors", "pytorch_model.bin")


class HubFile(NamedTuple):
    """A file of a model repository."""

    repo: str
    name: str


def find_weights(weights: str) -> Path:
    """Return the local file of some weights, fetched from the hub only when no local cache has it.

    Args:
        weights: Not empty; see the head of this file.

    Raises:
        RecipeError: The text names no known kind of weights.
        InputError: The file does not exist, or is in no cache and the hub cannot be reached.
        MissingExtraError: timm or huggingface_hub is not installed.
    """
    kind, colon, name = weights.partition(":")
    if colon and kind == "timm":
        return _timm_weights(name, weights)
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


def weights_folder() -> Path:
    """Return the folder that is looked into before the hub's own cache, for files brought by hand."""
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "tessella" / "weights"


def _timm_weights(name: str, weights: str) -> Path:
    """Nearly all of timm's weights lie at `timm/<name>.<tag>`; its own table is asked about the rest."""
    require("timm", needs="weights of timm", extra="train")
    tagged = "." in name
    usual = tuple(HubFile(f"timm/{name if tagged else f'{name}.<tag>'}", file) for file in _TIMM_FILES)
    found = _cached(usual)
    if found:
        return found
    if tagged or not _has_any_tag(name):
        _require_network(usual[0], weights)  # before timm: with torch its import takes longer than this answer may
    return _first_of(_timm_table(name), weights)


def _has_any_tag(name: str) -> bool:
    from huggingface_hub import constants

    brought = weights_folder().glob(f"timm/{name}.*")
    fetched = Path(constants.HF_HUB_CACHE).glob(f"models--timm--{name}.*")
    return any(True for _ in brought) or any(True for _ in fetched)


def _timm_table(name: str) -> tuple[HubFile, ...]:
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
    names = (settings.hf_hub_filename,) if settings.hf_hub_filename else _TIMM_FILES
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
    return _cached(files) or _fetch(files[0], weights)


def _cached(files: tuple[HubFile, ...]) -> Path | None:
    from huggingface_hub import try_to_load_from_cache

    for file in files:
        if "<" in file.repo:  # the tag is not known
            continue
        brought = weights_folder() / file.repo / file.name
        cached = try_to_load_from_cache(file.repo, file.name)
        found = brought if brought.is_file() else cached
        if isinstance(found, str | Path):
            return Path(found)
    return None


def _fetch(file: HubFile, weights: str) -> Path:
    from huggingface_hub import hf_hub_download

    endpoint = _require_network(file, weights)
    try:
        return Path(hf_hub_download(file.repo, file.name, endpoint=endpoint))
    except (OSError, ValueError) as error:
        # the hub's and the network's errors are OSErrors
        raise _absent(file, weights, endpoint, cause=str(error).splitlines()[0]) from error


def _require_network(file: HubFile, weights: str) -> str:
    """Return the hub's address, or raise what to do without it."""
    from huggingface_hub import constants

    endpoint: str = os.environ.get("HF_ENDPOINT", constants.ENDPOINT)
    if os.environ.get("HF_HUB_OFFLINE", "").lower() in {"1", "on", "yes", "true"} or constants.HF_HUB_OFFLINE:
        raise _absent(file, weights, endpoint, cause="HF_HUB_OFFLINE forbids the network")
    if not _reachable(endpoint):
        raise _absent(file, weights, endpoint, cause=f"{endpoint} cannot be reached")
    return endpoint


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
