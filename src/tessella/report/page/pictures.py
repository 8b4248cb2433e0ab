"""The pictures on the page: photo, truth, prediction and error map as data URIs, within a budget of bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from tessella.core.classes import IGNORE
from tessella.core.labelmap import LabelMap
from tessella.report.html.parts import data_uri

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from PIL.Image import Image as PillowImage

    from tessella.core.classes import ClassTable
    from tessella.core.labelmap import Ids
    from tessella.evaluation.examples import Example

PICTURE_BUDGET: Final = 4_000_000
"""Most bytes that all pictures of a page take together, so that the page stays below 5 MB."""

WRONG: Final = (213, 94, 0)
ABSTAINED: Final = (0, 90, 181)
UNSCORED: Final = (112, 118, 124)
"""Colours of the error map (vermilion and blue of the Okabe-Ito set, which colour-blind people tell apart)."""

_SIDES_PX: Final = (640, 480, 360, 240, 160)


@dataclass(frozen=True, slots=True)
class Panels:
    """The pictures of one example as data URIs; the photo is "" where there is none."""

    width: int
    height: int
    photo: str
    truth: str
    guess: str
    errors: str

    @property
    def size(self) -> int:
        """Bytes on the page."""
        return sum(map(len, (self.photo, self.truth, self.guess, self.errors)))


def make_panels(examples: Sequence[Example], table: ClassTable) -> list[Panels]:
    """Encode the pictures of all examples, as large as the budget allows.

    Args:
        examples: What to show.
        table: The classes and their colours.

    Returns:
        Panels in the same order.
    """
    panels: list[Panels] = []
    for side in _SIDES_PX:
        panels = [_panels(example, table, side) for example in examples]
        if sum(panel.size for panel in panels) <= PICTURE_BUDGET:
            break
    return panels


def error_map(photo: NDArray[np.uint8] | None, truth: Ids, guess: Ids) -> NDArray[np.uint8]:
    """Paint what is wrong over a pale grey copy of the photo.

    Args:
        photo: (h, w, 3) uint8 RGB, or None for a plain ground.
        truth: (h, w) uint8 ids.
        guess: (h, w) uint8 ids.

    Returns:
        (h, w, 3) uint8 RGB: vermilion where the class is wrong, blue where the prediction abstains, grey where nothing
        is scored.
    """
    if photo is None:
        ground = np.full((*truth.shape, 3), 244, np.uint8)
    else:
        grey = photo.mean(axis=2, dtype=np.float32)
        ground = np.repeat((188 + grey * (62 / 255)).astype(np.uint8)[..., None], 3, axis=2)
    scored = truth != IGNORE
    ground[~scored] = UNSCORED
    ground[scored & (guess != truth)] = WRONG
    ground[scored & (guess == IGNORE)] = ABSTAINED
    return ground


def _panels(example: Example, table: ClassTable, side: int) -> Panels:
    from PIL import Image as Pillow

    height, width = example.truth.shape
    factor = min(1.0, side / max(height, width))
    size = max(1, round(width * factor)), max(1, round(height * factor))

    def smaller(picture: PillowImage, resample: Pillow.Resampling) -> PillowImage:
        return picture if picture.size == size else picture.resize(size, resample)

    def of_ids(ids: Ids) -> str:
        return data_uri(smaller(LabelMap(ids, table).to_pillow(), Pillow.Resampling.NEAREST), "PNG")

    photo = ""
    if example.photo is not None:
        photo = data_uri(smaller(Pillow.fromarray(example.photo), Pillow.Resampling.BOX), "JPEG")
    errors = Pillow.fromarray(error_map(example.photo, example.truth, example.guess))
    return Panels(
        *size,
        photo=photo,
        truth=of_ids(example.truth),
        guess=of_ids(example.guess),
        errors=data_uri(smaller(errors, Pillow.Resampling.NEAREST), "JPEG"),
    )
