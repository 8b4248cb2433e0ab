"""The prediction: what a model says of one image, always at that image's size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tessella.core.classes import IGNORE
from tessella.core.errors import LabelError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image as PillowImage

    from tessella.core.image import Image
    from tessella.core.labelmap import LabelMap


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """What a model says of one image.

    Args:
        labels: The most probable class of every pixel; never IGNORE.
        confidence: (H, W) float32, the softmax probability 0..1 of that class.
        image: The photo itself, for overlays.
        scores: (K, H, W) float16 class probabilities, or None when they were not asked for.

    Raises:
        LabelError: The parts do not have the size of the image.
    """

    labels: LabelMap
    confidence: NDArray[np.float32]
    image: Image
    scores: NDArray[np.float16] | None = None

    def __post_init__(self) -> None:
        sizes = {self.labels.hw, self.confidence.shape, self.image.hw}
        if self.scores is not None:
            sizes.add(self.scores.shape[1:])
        if len(sizes) != 1:
            raise LabelError("the parts of a prediction differ in size", got=sorted(sizes), expected=self.image.hw)

    def overlay(self, *, opacity: float = 0.5) -> PillowImage:
        """Blend the class colours over the photo.

        Args:
            opacity: 0 shows the photo alone, 1 the colours alone.

        Returns:
            A picture (mode RGB) of the image's size; save it with `.save(path)`.
        """
        return blend(self.image, self.labels, opacity=opacity)


def blend(image: Image, labels: LabelMap, *, opacity: float = 0.5) -> PillowImage:
    """Blend the colours of `labels` over `image`; IGNORE pixels show the photo as it is.

    Args:
        image: (H, W, C) photo.
        labels: (H, W) ids of the same size.
        opacity: 0..1.

    Returns:
        A picture (mode RGB) of the same size.
    """
    from PIL import Image as Pillow

    photo = image.to_rgb8()
    palette = labels.table.palette().astype(np.uint16)
    weight = round(opacity * 256)
    picture = Pillow.new("RGB", (photo.shape[1], photo.shape[0]))
    # integer arithmetic in row bands: a float copy of a 10,000 x 10,000 photo would take 1.2 GB, its colours 0.3
    for top in range(0, photo.shape[0], 512):
        rows = photo[top : top + 512]
        ids = labels.ids[top : top + 512]
        mixed = rows.astype(np.uint16) * np.uint16(256 - weight) + palette[ids] * np.uint16(weight) >> 8
        picture.paste(Pillow.fromarray(np.where((ids == IGNORE)[..., None], rows, mixed).astype(np.uint8)), (0, top))
    return picture
