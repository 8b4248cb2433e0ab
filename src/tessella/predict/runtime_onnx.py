"""The ONNX Runtime: an exported file alone, without torch; the plan travels in the file's metadata."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tessella._version import __version__
from tessella.core.errors import BundleError, FormatError, RecipeError
from tessella.files.text import parse_json, read_bytes
from tessella.predict.seal import check_seal, read_metadata
from tessella.recipe.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

KEY_PLAN: Final = "tessella.plan"
KEY_CLASSES: Final = "tessella.classes"
KEY_VERSION: Final = "tessella.version"
KEY_BUNDLE: Final = "tessella.bundle"
KEY_OUTPUT: Final = "tessella.output"
KEY_PRECISION: Final = "tessella.precision"
LOGITS_SUFFIX: Final = ".logits.onnx"


@dataclass(frozen=True, slots=True)
class OnnxFacts:
    """What an exported file says of itself.

    Args:
        plan: Every setting of the bundle.
        bundle: Digest of the bundle it was made from.
        output: `ids` or `logits`.
        precision: Arithmetic, such as `fp32`.
    """

    plan: Plan
    bundle: str
    output: str
    precision: str


def metadata_of(plan: Plan, *, bundle: str, output: str, precision: str) -> dict[str, str]:
    """Return the metadata of an exported file, as `facts_of` reads it."""
    return {
        KEY_PLAN: json.dumps(plan.to_json(), ensure_ascii=False),
        KEY_CLASSES: json.dumps(plan.table.to_json(), ensure_ascii=False),
        KEY_VERSION: __version__,
        KEY_BUNDLE: bundle,
        KEY_OUTPUT: output,
        KEY_PRECISION: precision,
    }


def facts_of(metadata: Mapping[str, str], *, where: object) -> OnnxFacts:
    """Read what the metadata of an exported file says.

    Raises:
        BundleError: The file was not exported by Tessella, or by a newer version.
    """
    if missing := [key for key in (KEY_PLAN, KEY_BUNDLE, KEY_OUTPUT, KEY_PRECISION) if key not in metadata]:
        raise BundleError(
            "this ONNX file was not exported by Tessella",
            where=where,
            got=f"no metadata {missing[0]!r}",
            fix="export it with: tessella export BUNDLE --to onnx --out model.onnx",
        )
    try:
        plan = Plan.from_json(parse_json(metadata[KEY_PLAN], where=where), where=str(where))
    except (FormatError, RecipeError) as error:
        raise BundleError(error.what, where=where, got=error.got, expected=error.expected, fix=error.fix) from error
    return OnnxFacts(plan, metadata[KEY_BUNDLE], metadata[KEY_OUTPUT], metadata[KEY_PRECISION])


def logits_path(path: Path) -> Path:
    """Return the logits variant that belongs to an exported file (`model.onnx` -> `model.logits.onnx`)."""
    if path.name.lower().endswith(LOGITS_SUFFIX):
        return path
    return path.with_name(path.name[: -len(path.suffix)] + LOGITS_SUFFIX)


class OnnxSession:
    """One exported file, opened with ONNX Runtime on the CPU.

    Args:
        data: The bytes of the file.
        where: Its path, for messages.
        threads: Threads to compute with; 0 = all cores.

    Raises:
        BundleError: ONNX Runtime cannot open it, or it was not exported by Tessella.
    """

    def __init__(self, data: bytes, *, where: object, threads: int = 0) -> None:
        import onnxruntime

        self._where = where
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        # waiting threads that spin take the cores of every neighbour; sleeping costs a quiet machine little
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # the arena keeps the largest buffers of every tile size for ever
        options.enable_cpu_mem_arena = False
        options.log_severity_level = 4  # errors are raised, and said once
        try:  # ONNX Runtime raises classes of its own without a public parent
            self._session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise BundleError(f"ONNX Runtime cannot open this file ({error})", where=where) from error
        self.facts = facts_of(self._session.get_modelmeta().custom_metadata_map, where=where)
        self._input = self._session.get_inputs()[0].name

    def run(self, photos: NDArray[Any]) -> NDArray[Any]:
        """Run photos of one size: (B, H, W, C) raw pixels to ids (B, H, W) uint8 or logits (B, K, H, W) float32.

        Raises:
            BundleError: ONNX Runtime fails on photos of this size.
        """
        try:
            answer: NDArray[Any] = self._session.run(None, {self._input: np.ascontiguousarray(photos)})[0]
        except Exception as error:
            raise BundleError(
                f"ONNX Runtime fails on photos of this size ({error})",
                where=self._where,
                got=photos.shape,
                fix="predict with the bundle itself, and report it",
            ) from error
        return answer


class OnnxRuntime:
    """Runs the logits variant of an exported file.

    Args:
        path: Either of the two files that `tessella export` writes; the logits variant must lie beside the other.
        threads: Threads to compute with; 0 = all cores.

    Raises:
        BundleError: A file is missing, changed, foreign, or of another export.
    """

    def __init__(self, path: Path, *, threads: int = 0) -> None:
        logits = logits_path(path)
        if not logits.is_file():
            raise BundleError(
                "the logits variant is missing, from which tiles are blended",
                where=logits,
                fix="copy both files that the export wrote, side by side",
            )
        self._session = open_sealed(logits, threads=threads)
        self.facts = self._session.facts
        if self.facts.output != "logits":
            raise BundleError("this file does not give logits", where=logits, got=self.facts.output, expected="logits")
        if logits != path and (beside := read_facts(path)).bundle != self.facts.bundle:
            raise BundleError(
                "the logits variant belongs to another bundle than the file beside it",
                where=logits,
                got=self.facts.bundle,
                expected=beside.bundle,
                fix="copy both files of one export, side by side",
            )

    def logits(self, pixels: NDArray[Any]) -> NDArray[np.float32]:
        """Run photos of one size: (B, C, H, W) raw pixels to (B, K, H, W) float32 logits."""
        return self._session.run(np.moveaxis(pixels, 1, 3))


def open_sealed(path: Path, *, threads: int = 0) -> OnnxSession:
    """Open an exported file after its seal was checked.

    Raises:
        BundleError: The file was changed after the export, or was not exported by Tessella.
    """
    data = read_bytes(path, max_bytes=1 << 31)
    check_seal(data, where=path)
    return OnnxSession(data, where=path, threads=threads)


def read_facts(path: Path) -> OnnxFacts:
    """Say what an exported file is, after its seal was checked; needs no ONNX Runtime.

    Raises:
        BundleError: The file was changed after the export, or was not exported by Tessella.
    """
    data = read_bytes(path, max_bytes=1 << 31)
    check_seal(data, where=path)
    return facts_of(read_metadata(data, (KEY_PLAN, KEY_BUNDLE, KEY_OUTPUT, KEY_PRECISION)), where=path)
