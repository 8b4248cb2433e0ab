"""Parity photos: a few small pieces of validation photos with their truth, sealed into the bundle for exports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tessella.bundle.probe import centre_crop, load_arrays, save_arrays
from tessella.core.classes import IGNORE
from tessella.core.errors import BundleError
from tessella.core.image import Image
from tessella.core.labelmap import LabelMap
from tessella.core.sample import Sample

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray

    from tessella.core.classes import ClassTable

PARITY_PHOTOS: Final = 8
PARITY_HW: Final = (208, 288)
PARITY_BYTES: Final = 2_000_000
"""Raw bytes of all pieces together; compression makes the file smaller still."""


def save_parity(path: Path, samples: Iterable[Sample], *, bands: tuple[str, ...]) -> int:
    """Write the middle of up to eight samples, at their own resolution, within 2 MB.

    Args:
        path: The .npz file; not written when there is no sample.
        samples: Validation samples; the first ones are taken.
        bands: Names of the bands, stored nowhere else than in the plan; other photos are left out.

    Returns:
        How many were written.
    """
    arrays: dict[str, NDArray[Any]] = {}
    count, room = 0, PARITY_BYTES
    for sample in samples:
        if count == PARITY_PHOTOS:
            break
        pixels = centre_crop(sample.image.pixels, PARITY_HW)
        if len(bands) != pixels.shape[2] or pixels.nbytes + pixels.shape[0] * pixels.shape[1] > room:
            continue
        truth = np.full(pixels.shape[:2], IGNORE, np.uint8)
        if sample.labels is not None:
            truth = centre_crop(sample.labels.ids, PARITY_HW)
        room -= pixels.nbytes + truth.nbytes
        arrays |= {f"photo{count}": pixels, f"truth{count}": truth}
        count += 1
    if count:
        save_arrays(path, arrays)
    return count


def load_parity(path: Path, table: ClassTable) -> tuple[Sample, ...]:
    """Read the pieces back.

    Raises:
        BundleError: The arrays are not what was written.
    """
    arrays = load_arrays(path)
    samples = []
    for index in range(len(arrays) // 2):
        try:
            labels = LabelMap(arrays[f"truth{index}"], table)
            samples.append(Sample(Image(arrays[f"photo{index}"]), labels, f"parity/{index}"))
        except KeyError as error:
            raise BundleError(f"the parity photos lack {error}", where=path) from error
    return tuple(samples)
