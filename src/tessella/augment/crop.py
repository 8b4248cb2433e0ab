"""One augmented crop: draw the parameters, move pixels and labels together, then change the colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tessella.augment.geometry import draw_geometry, move
from tessella.augment.photometry import draw_photometry, recolour
from tessella.core.errors import ImageError, LabelError
from tessella.core.image import FULL_SCALE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tessella.core.image import Pixels
    from tessella.recipe.plan import AugmentPlan


def augment(
    image: Pixels,
    ids: NDArray[np.uint8],
    plan: AugmentPlan,
    rng: np.random.Generator,
    *,
    focus: tuple[int, int] | None = None,
) -> tuple[Pixels, NDArray[np.uint8]]:
    """Cut one augmented crop out of a photo and its labels.

    Pixels are interpolated (bilinear; area averages below half size), labels take the nearest pixel, both by the same
    map with pixel centres at half-integers. Outside the photo the edge pixels are repeated and the labels are IGNORE.

    Args:
        image: (H, W, C) uint8, uint16 or float32, any C >= 1; not changed.
        ids: (H, W) uint8 class ids or IGNORE; not changed.
        plan: Which operations, how strong; `crop_hw` is the size of the answer.
        rng: The only source of chance: the same state gives the same crop.
        focus: (row, column) of a pixel of the photo that the crop shall contain, or None for anywhere.

    Returns:
        (h, w, C) pixels of the same dtype and (h, w) uint8 ids, both contiguous and owned by the caller.

    Raises:
        ImageError: The pixels have another dtype or number of axes.
        LabelError: The ids have another size or dtype.

    Example:
        >>> plan = AugmentPlan(crop_hw=(32, 48), ...)  # doctest: +SKIP
        >>> pixels, labels = augment(photo, ids, plan, np.random.default_rng(0))  # doctest: +SKIP
    """
    if image.ndim != 3 or image.dtype.name not in FULL_SCALE:
        raise ImageError(
            "this cannot be augmented",
            got=f"{image.dtype} {image.shape}",
            expected="(H, W, C) uint8, uint16 or float32",
        )
    if ids.shape != image.shape[:2] or ids.dtype != np.uint8:
        raise LabelError(
            "the labels do not fit the photo", got=f"{ids.dtype} {ids.shape}", expected=f"uint8 {image.shape[:2]}"
        )
    hw = (image.shape[0], image.shape[1])
    geometry = draw_geometry(plan, rng, hw=hw, focus=focus)
    photometry = draw_photometry(plan, rng, channels=image.shape[2])
    pixels, labels = move(image, ids, geometry)
    return recolour(pixels, photometry, rng), labels
