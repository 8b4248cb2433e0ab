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
        if self.labels is not None and self.labels.hw != self.image.hw:
            raise LabelError(
                "the labels have another size than the photo",
                where=self.source or self.name,
                got="labels {}x{}".format(*reversed(self.labels.hw)),
                expected="{}x{} (width x height) as the photo".format(*reversed(self.image.hw)),
                fix="run `tessella check` on the data set: it says which of the two was resized or turned",
            )
