"""Importing the libraries of networks, which import torchvision: built for another torch, it stops all of them."""

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from tessella.core.errors import MissingExtraError


def import_library(name: str) -> Any:  # noqa: ANN401  # an untyped module
    """Import a library that stands on torch and torchvision.

    Args:
        name: Of its module; it is installed.

    Raises:
        MissingExtraError: torchvision does not fit torch: "operator torchvision::nms does not exist".
    """
    try:
        return import_module(name)
    except (ImportError, RuntimeError) as error:
        if "torchvision" not in str(error):
            raise
        raise MissingExtraError(
            "torchvision was built for another version of torch",
            where=name,
            got=f"torch {_version('torch')} and torchvision {_version('torchvision')}: {error}",
            fix="install the two together, from one index: pip install --upgrade torch torchvision",
        ) from error


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "(not installed)"
