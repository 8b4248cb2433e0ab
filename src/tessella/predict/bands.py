"""Does a photo fit the network? Bands and dtype are those it was trained on, or the photo is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tessella.core.errors import ImageError
from tessella.core.image import Image

if TYPE_CHECKING:
    from tessella.core.image import Pixels
    from tessella.recipe.plan import Preprocess


def fit_bands(image: Image, preprocess: Preprocess, *, where: object) -> Image:
    """Return the photo with the bands of the network.

    Two conversions keep what the photo shows and are made: an alpha band is left out, and a grey photo is repeated in
    red, green and blue. Nothing else is guessed.

    Args:
        image: The photo.
        preprocess: Bands and dtype of the network.
        where: The photo's path, for the message.

    Raises:
        ImageError: Another number of bands, or another dtype.
    """
    wanted = preprocess.bands
    if image.dtype != preprocess.dtype:
        raise ImageError(
            "the network was trained on photos of another type",
            where=where,
            got=image.dtype,
            expected=preprocess.dtype,
            fix="convert the photo as the training photos were converted, or train on photos of this type",
        )
    if len(image.bands) == len(wanted):
        return image
    if image.bands[-1] == "alpha" and "alpha" not in wanted:
        return fit_bands(Image(image.pixels[..., :-1], image.bands[:-1]), preprocess, where=where)
    if image.bands == ("grey",) and wanted == ("red", "green", "blue"):
        repeated: Pixels = np.repeat(image.pixels, 3, axis=2)  # type: ignore[assignment]  # the dtype stays
        return Image(repeated, wanted)
    raise ImageError(
        "the network was trained on photos with other bands",
        where=where,
        got=f"{len(image.bands)} ({', '.join(image.bands)})",
        expected=f"{len(wanted)} ({', '.join(wanted)})",
        fix="give a photo with the same bands in the same order",
    )
