"""The probe: a small raw input with the answer that the network gave when the bundle was sealed."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tessella.core.errors import BundleError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from tessella.core.image import Image, Pixels
    from tessella.core.labelmap import Ids

PROBE_HW: Final = (72, 88)
"""Size of the probe. No multiple of 16 in its height: padding to the stride and cropping back are proved too."""

TOLERANCE: Final = 0.01
"""Largest difference of a logit, as a share of the span of the expected logits.

Another CPU, thread count or GPU in fp32 (TF32 convolutions included) stays below a tenth of it; other weights, another
band order or another normalisation exceed it many times.
"""

_NPZ_BUDGET: Final = 1 << 28


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """A raw input and the expected answer.

    Args:
        pixels: (H, W, C) in the dtype of the plan.
        ids: (H, W) uint8 expected class ids.
        logits: (K, H, W) float32 expected logits.
    """

    pixels: Pixels
    ids: Ids
    logits: NDArray[np.float32]


def probe_pixels(image: Image) -> Pixels:
    """Cut the middle of a photo, at most `PROBE_HW` large: (H, W, C), contiguous."""
    return centre_crop(image.pixels, PROBE_HW)


def centre_crop(pixels: NDArray[Any], hw: tuple[int, int]) -> NDArray[Any]:
    """Cut the middle of (H, W, ...), at most `hw` large, as a contiguous copy."""
    height, width = min(hw[0], pixels.shape[0]), min(hw[1], pixels.shape[1])
    top, left = (pixels.shape[0] - height) // 2, (pixels.shape[1] - width) // 2
    return pixels[top : top + height, left : left + width].copy()


def save_arrays(path: Path, arrays: dict[str, NDArray[Any]]) -> None:
    """Write plain arrays as a compressed .npz; the same arrays give the same bytes."""
    with path.open("wb") as stream:
        np.savez_compressed(stream, allow_pickle=False, **arrays)


def load_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Read plain arrays; a pickled object is refused, never run.

    Raises:
        BundleError: Not an .npz of plain arrays, or one that would unpack to more than 256 MiB.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(info.file_size for info in archive.infolist())
        if unpacked > _NPZ_BUDGET:
            raise BundleError("the arrays are too large", where=path, got=unpacked, expected=f"{_NPZ_BUDGET} bytes")
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (OSError, ValueError, zipfile.BadZipFile, EOFError) as error:
        raise BundleError(f"these are not plain arrays ({error})", where=path) from error


def save_probe(path: Path, probe: Probe) -> None:
    """Write a probe as .npz."""
    save_arrays(path, {"pixels": probe.pixels, "ids": probe.ids, "logits": probe.logits})


def load_probe(path: Path) -> Probe:
    """Read a probe.

    Raises:
        BundleError: Arrays are missing, or do not fit each other.
    """
    arrays = load_arrays(path)
    if missing := sorted({"pixels", "ids", "logits"} - set(arrays)):
        raise BundleError(f"the probe lacks {', '.join(missing)}", where=path)
    pixels, ids, logits = arrays["pixels"], arrays["ids"], arrays["logits"]
    fits = pixels.ndim == 3 and logits.ndim == 3 and ids.dtype == np.uint8 and logits.dtype == np.float32
    if not (fits and pixels.shape[:2] == ids.shape == logits.shape[1:]):
        raise BundleError("the arrays of the probe do not fit each other", where=path)
    return Probe(pixels, ids, logits)


def check_answer(probe: Probe, logits: NDArray[np.float32], *, where: object) -> None:
    """Compare what a network answers now with what it answered when the bundle was sealed.

    Every logit must be within `TOLERANCE` of the expected one, and every pixel whose two best classes are further
    apart than twice that must have the expected id.

    Args:
        probe: Input and expected answer.
        logits: (K, H, W) float32, the answer now.
        where: The bundle, for the message.

    Raises:
        BundleError: They differ.
    """
    if logits.shape != probe.logits.shape:
        raise BundleError(
            "the network answers its probe with another shape",
            where=where,
            got=logits.shape,
            expected=probe.logits.shape,
        )
    allowed = TOLERANCE * max(float(np.ptp(probe.logits)), 1e-6)
    difference = float(np.abs(logits - probe.logits).max())
    ids = logits.argmax(axis=0)
    wrong = int(((ids != probe.ids) & _is_clear(probe.logits, by=2 * allowed)).sum())
    # written so that NaN fails too
    if not difference <= allowed or wrong:
        raise BundleError(
            f"the network does not answer its probe as it did when the bundle was sealed ({wrong} pixels differ)",
            where=where,
            got=f"a logit that is {difference:.3g} off",
            expected=f"at most {allowed:.3g}",
            fix="this machine, its libraries or the model's code compute something else: "
            "compare the versions in manifest.json, and report it",
        )


def _is_clear(logits: NDArray[np.float32], *, by: float) -> NDArray[np.bool_]:
    if logits.shape[0] == 1:
        return np.ones(logits.shape[1:], np.bool_)
    best_two = np.partition(logits, -2, axis=0)[-2:]
    clear: NDArray[np.bool_] = best_two[1] - best_two[0] > by
    return clear
