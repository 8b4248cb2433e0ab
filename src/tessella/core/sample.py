"""The sample: a photo and its labels, which always have the same size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tessella.core.errors import LabelError

if TYPE_CHECKING:
    from tessella.core.image import Image
    from tessella.core.labelmap import LabelMap


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One photo of a data set with its labels.

    Args:
        image: The upright photo.
        labels: Its label map, or None where nothing is annotated.
        name: Unique in the data set; the photo's path without suffix, with forward slashes.
        group: Samples of one group (frames of a video, tiles of a scene) never straddle a split.
        source: The annotation file, for messages.

    Raises:
        LabelError: The labels have another size than the photo.
    """

    image: Image
    labels: LabelMap | None
    name: str
    group: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        if self.labels is not None:
            require_same_size(self.labels.hw, self.image.hw, where=self.source or self.name)


def require_same_size(labels_hw: tuple[int, int], photo_hw: tuple[int, int], *, where: object) -> None:
    """Refuse labels of another size than their photo; sizes are height and width in pixels.

    Raises:
        LabelError: They differ.
    """
    if labels_hw != photo_hw:
        raise LabelError(
            "the labels have another size than the photo",
            where=where,
            got="labels {}x{}".format(*reversed(labels_hw)),
            expected="{}x{} (width x height) as the photo".format(*reversed(photo_hw)),
            fix="run `tessella check` on the data set: it says which of the two was resized or turned",
        )
