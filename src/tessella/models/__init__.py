"""Networks by name: the table, and the one way to build a row of it."""

from functools import partial
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tessella.core.classes import nearest_hint
from tessella.core.errors import RecipeError
from tessella.models import mosaic, smp, unet
from tessella.recipe.signature import check_options

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import nn

__all__ = ["MODELS", "Model", "build", "find", "stride_of"]


class Model(NamedTuple):
    """A row of the table.

    Args:
        build: `build(*, classes, channels, **options)` gives a module that turns (B, C, H, W) normalised float32 into
            (B, K, H, W) logits, for H and W that are multiples of its stride; in training mode it may give a tuple
            of logits and auxiliary logits, each at a whole fraction of the size (see `network.Network.forward`).
        stride: `stride(**options)` gives the number that H and W must be a multiple of.
        takes: The callable whose annotations say which options there are.
        settled: Its parameters that are no options.
    """

    build: "Callable[..., nn.Module]"
    stride: "Callable[..., int]"
    takes: "Callable[..., object]"
    settled: tuple[str, ...] = ("classes", "channels")


MODELS: Final[dict[str, Model]] = {
    "mosaic": Model(mosaic.build, mosaic.stride, mosaic.build),
    "unet": Model(unet.build, unet.stride, unet.build),
}
"""Beside these rows: every `smp:<Architecture>/<encoder>` and the entry points of the group `tessella.models`."""


def find(name: str) -> Model:
    """Look a network up by name.

    Args:
        name: A row of `MODELS`, `smp:<Architecture>/<encoder>`, or an entry point of the group `tessella.models`.

    Raises:
        RecipeError: There is no such network; the message gives the nearest names.
        MissingExtraError: segmentation_models_pytorch is not installed.
    """
    if name in MODELS:
        return MODELS[name]
    if name.startswith("smp:"):
        architecture, encoder = smp.parse(name)
        return Model(
            partial(smp.build, architecture, encoder),
            partial(smp.stride, architecture, encoder),
            smp.architecture_type(architecture),
            smp.SETTLED,
        )
    foreign = {point.name: point for point in entry_points(group="tessella.models")}
    if name in foreign:
        loaded: Model = foreign[name].load()
        return loaded
    known = [*MODELS, *foreign]
    raise RecipeError(
        f"no network is called {name!r}",
        where="model.name",
        expected=f"one of {', '.join(known)} or smp:<Architecture>/<encoder>, as in smp:Unet/resnet18",
        fix=nearest_hint(name, known),
    )


def build(name: str, *, classes: int, channels: int, options: "Mapping[str, Any] | None" = None) -> "nn.Module":
    """Build a network with fresh weights; nothing is ever downloaded here.

    Args:
        name: See `find`.
        classes: K, the number of logits per pixel.
        channels: C, the number of input bands.
        options: Settings of this network; left out, each has its default.

    Returns:
        A module: (B, C, H, W) float32, normalised, H and W multiples of the stride, to (B, K, H, W) logits.

    Raises:
        RecipeError: Unknown network or option, or an impossible value.

    Example:
        >>> import torch
        >>> net = build("unet", classes=3, channels=1, options={"width": 8, "depth": 2})
        >>> net(torch.zeros(1, 1, 16, 24)).shape
        torch.Size([1, 3, 16, 24])
    """
    model = find(name)
    options = options or {}
    check_options(options, model.takes, where=f"model {name}", without=model.settled)
    for what, count in (("classes", classes), ("channels", channels)):
        if count < 1:
            raise RecipeError(f"a network needs at least one of {what}", where=f"model {name}", got=count)
    return model.build(classes=classes, channels=channels, **options)


def stride_of(name: str, options: "Mapping[str, Any] | None" = None) -> int:
    """Return what H and W must be a multiple of for a network; `Network` pads to it.

    Raises:
        RecipeError: Unknown network or option.
    """
    model = find(name)
    options = options or {}
    check_options(options, model.takes, where=f"model {name}", without=model.settled)
    return model.stride(**options)
