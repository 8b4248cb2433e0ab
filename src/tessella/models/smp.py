"""Every architecture and encoder of segmentation_models_pytorch, as `smp:<Architecture>/<encoder>`."""

import re
import warnings
from typing import Any, Final

from torch import nn

from tessella.core.classes import nearest_hint
from tessella.core.errors import RecipeError
from tessella.core.extras import require
from tessella.core.foreign import import_library
from tessella.models.pooling import exportable_pooling

SETTLED: Final = (
    "self",
    "classes",
    "encoder_name",
    "encoder_weights",
    "in_channels",
    "activation",
    "aux_params",
    "upsampling",
    "kwargs",
)
"""Parameters of the library's classes that are settled here and are no options."""

STRIDE: Final = 32
"""The deepest encoder's; enough for every convolutional architecture."""


def parse(name: str) -> tuple[str, str]:
    """Split `smp:<Architecture>/<encoder>` and check both.

    Returns:
        Architecture and encoder as the library spells them.

    Raises:
        RecipeError: Unknown architecture or encoder; the message gives the nearest names.
        MissingExtraError: The library is not installed.
    """
    architecture, _, encoder = name.removeprefix("smp:").partition("/")
    if not architecture or not encoder:
        raise RecipeError(
            "an smp network is named by architecture and encoder",
            where="model.name",
            got=name,
            expected="smp:<Architecture>/<encoder>, as in smp:Unet/resnet18",
        )
    if architecture not in architectures():
        raise RecipeError(
            f"segmentation_models_pytorch has no architecture {architecture!r}",
            where="model.name",
            expected=f"one of {', '.join(architectures())}",
            fix=nearest_hint(architecture, architectures()),
        )
    if encoder not in encoders():
        raise RecipeError(
            f"segmentation_models_pytorch has no encoder {encoder!r}",
            where="model.name",
            expected="one of its encoders, such as resnet18, or tu-<name> for any of timm's",
            fix=nearest_hint(encoder, encoders()),
        )
    return architecture, encoder


def architectures() -> tuple[str, ...]:
    """Return the library's architecture names in its own order."""
    return tuple(entry.__name__ for entry in _library().MODEL_ARCHITECTURES_MAPPING.values())


def encoders() -> tuple[str, ...]:
    """Return the library's encoder names, and timm's as `tu-<name>`."""
    own = tuple(_library().encoders.encoders)
    return own + tuple(f"tu-{name}" for name in import_library("timm").list_models())


def architecture_type(architecture: str) -> type[nn.Module]:
    """Return the library's class; its annotations say which options there are."""
    found: type[nn.Module] = getattr(_library(), architecture)
    return found


def build(architecture: str, encoder: str, *, classes: int, channels: int, **options: Any) -> nn.Module:  # noqa: ANN401
    """Build a network of the library without pretrained weights; those come through `models/weights.py` only.

    Args:
        architecture: As the library spells it.
        encoder: As the library spells it, or `tu-<name>` for timm's.
        classes: K.
        channels: C.
        options: Keywords of the library's class, already checked.

    Raises:
        RecipeError: The library refuses this combination.
    """
    if architecture == "PSPNet":
        # the library's default of 8 fits only its default depth of 3
        options["upsampling"] = 2 ** options.get("encoder_depth", 3)
    if architecture == "DPT":
        options["dynamic_img_size"] = True
    try:
        with warnings.catch_warnings():
            # the names `timm-...` are deprecated in the library; they are offered as long as it has them
            warnings.simplefilter("ignore", DeprecationWarning)
            net: nn.Module = architecture_type(architecture)(
                encoder_name=encoder, encoder_weights=None, in_channels=channels, classes=classes, **options
            )
    except (ValueError, TypeError, KeyError, NotImplementedError, RuntimeError, AssertionError) as error:
        raise RecipeError(
            "segmentation_models_pytorch refuses this network",
            where=f"model smp:{architecture}/{encoder}",
            got=f"{type(error).__name__}: {error}",
            fix="choose another encoder, or other options",
        ) from error
    exportable_pooling(net)
    return net


def stride(architecture: str, encoder: str, *, encoder_output_stride: int = 16, **_options: object) -> int:
    """Return what H and W must be a multiple of: 32, two patches of a vision transformer, or what PAN halves thrice."""
    if architecture == "PAN":
        return 8 * encoder_output_stride
    if architecture != "DPT":
        return STRIDE
    patch = re.search(r"patch(\d+)", encoder)
    return 2 * int(patch.group(1)) if patch else STRIDE


def _library() -> Any:  # noqa: ANN401  # an untyped module
    """Import the library, which takes seconds, when the first of its networks is asked for."""
    require("segmentation_models_pytorch", needs="an smp: network", extra="train")
    return import_library("segmentation_models_pytorch")
