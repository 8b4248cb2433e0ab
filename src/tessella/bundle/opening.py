"""Opening a bundle: every byte is verified before anything is believed; needs no torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tessella.bundle.manifest import DAMAGED_FIX, Manifest, check_digest, read_manifest, verify
from tessella.bundle.parity import load_parity
from tessella.bundle.probe import load_probe
from tessella.core.errors import BundleError, FormatError, RecipeError
from tessella.files.hashes import sha256_bytes
from tessella.files.text import read_json
from tessella.recipe.plan import Plan

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tessella.bundle.probe import Probe
    from tessella.core.classes import ClassTable
    from tessella.core.sample import Sample

PLAN: Final = "plan.json"
WEIGHTS: Final = "weights.safetensors"
PROBE: Final = "probe.npz"
SCORES: Final = "scores.json"
CARD: Final = "card.md"
PARITY: Final = "parity.npz"
"""Optional: a few small validation photos with their truth, so that an export can be proved without the data set."""

REQUIRED: Final = (PLAN, WEIGHTS, PROBE, SCORES, CARD)


@dataclass(frozen=True, slots=True, eq=False)
class Bundle:
    """An opened bundle whose files are all as they were sealed.

    Args:
        path: The folder.
        plan: Every setting.
        scores: The scores on the data held out, as `evaluate --json` gives them.
        manifest: Files, hashes, provenance.
    """

    path: Path
    plan: Plan
    scores: dict[str, Any]
    manifest: Manifest

    @property
    def table(self) -> ClassTable:
        """The classes."""
        return self.plan.table

    @property
    def digest(self) -> str:
        """SHA-256 that names this very bundle."""
        return self.manifest.digest

    def weights(self) -> dict[str, NDArray[np.generic]]:
        """Read the weights, hashed in the same breath so that nothing can change in between.

        Returns:
            Arrays by parameter name.

        Raises:
            BundleError: The file changed since the bundle was opened, or is no safetensors file.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load

        path = self.path / WEIGHTS
        data = path.read_bytes()
        check_digest(path, sha256_bytes(data), self.manifest.files[WEIGHTS])
        try:
            weights: dict[str, NDArray[np.generic]] = load(data)
        except (SafetensorError, ValueError, KeyError) as error:
            raise BundleError(f"this is not a safetensors file ({error})", where=path, fix=DAMAGED_FIX) from error
        return weights

    def probe(self) -> Probe:
        """Read the probe.

        Raises:
            BundleError: Its arrays are not what a probe holds.
        """
        return load_probe(self.path / PROBE)

    def parity_samples(self) -> tuple[Sample, ...]:
        """Read the validation photos that were sealed in for exports; empty when there are none."""
        return load_parity(self.path / PARITY, self.table) if PARITY in self.manifest.files else ()


def open_bundle(path: str | Path) -> Bundle:
    """Open a bundle and verify every byte of it.

    Args:
        path: The folder.

    Raises:
        BundleError: No bundle, one changed, missing or extra file (the message names it), or a newer version.
    """
    folder = Path(path)
    manifest = read_manifest(folder)
    if lacking := [name for name in REQUIRED if name not in manifest.files]:
        raise BundleError("the manifest does not list a file that every bundle has", where=folder / lacking[0])
    verify(folder, manifest)
    try:
        plan = Plan.from_json(read_json(folder / PLAN), where=str(folder / PLAN))
        scores = read_json(folder / SCORES)
    except (RecipeError, FormatError) as error:
        raise BundleError(
            error.what, where=error.where, got=error.got, expected=error.expected, fix=error.fix
        ) from error
    if not isinstance(scores, dict):
        raise BundleError("the scores are not a JSON object", where=folder / SCORES)
    return Bundle(folder, plan, scores, manifest)
