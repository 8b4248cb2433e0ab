"""Optional dependencies: asked for by name, answered with the exact install line."""

from __future__ import annotations

from importlib.util import find_spec

from tessella.core.errors import MissingExtraError


def require(*modules: str, needs: str, extra: str) -> None:
    """Check that optional packages are installed, without importing them.

    Args:
        modules: Top-level module names.
        needs: What the user wanted to do, as a noun: "training", "export to ONNX".
        extra: The extra of the `tessella` package that installs them.

    Raises:
        MissingExtraError: One of them is missing; the message holds the install line.
    """
    for module in modules:
        if find_spec(module) is None:
            raise MissingExtraError(
                f"{needs} needs the Python package {module!r}, which is not installed",
                fix=f"run: pip install 'tessella[{extra}]'",
            )
