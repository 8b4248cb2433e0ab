"""Loading a model for prediction: a sealed bundle, or a file that was exported from one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from tessella.bundle.opening import open_bundle
from tessella.core.errors import BundleError
from tessella.core.extras import require
from tessella.predict.predictor import Predictor

if TYPE_CHECKING:
    from tessella.models.network import Network
    from tessella.recipe.plan import Plan


def load(path: str | Path, *, device: str = "auto") -> Predictor:
    """Load a model, verified to the last byte.

    Args:
        path: A bundle folder (needs torch), or an exported `.onnx` file (needs onnxruntime alone).
        device: For bundles: `cpu`, `cuda`, or `auto` for the GPU where there is one.

    Returns:
        A predictor.

    Raises:
        BundleError: Not a bundle, damaged, newer than this version, or another answer to its probe.
        MissingExtraError: torch or onnxruntime is not installed.
    """
    path = Path(path)
    if path.suffix.lower() == ".onnx":
        return _load_onnx(path)
    bundle = open_bundle(path)
    require("torch", needs="predicting with a bundle", extra="train")
    # read once, when torch is first imported: with the default a busy neighbour slows two shared cores 13 times
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from tessella.predict.runtime_torch import TorchRuntime

    return Predictor(TorchRuntime.of_bundle(bundle, device=device), bundle.plan, path, bundle.digest)


def wrap(network: Network, plan: Plan) -> Predictor:
    """Make a predictor of a network that is not sealed yet, to score it while it is trained.

    Args:
        network: In evaluation mode; used as it is, on the device it lies on.
        plan: Every setting.
    """
    from tessella.predict.runtime_torch import TorchRuntime

    return Predictor(TorchRuntime(network), plan, Path(), "")


def _load_onnx(path: Path) -> Predictor:
    if not path.is_file():
        raise BundleError("there is no such file", where=path, fix="check the spelling")
    require("onnxruntime", needs="predicting with an ONNX file", extra="onnx")
    from tessella.predict.runtime_onnx import OnnxRuntime

    runtime = OnnxRuntime(path)
    return Predictor(runtime, runtime.facts.plan, path, runtime.facts.bundle)
