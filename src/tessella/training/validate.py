"""The running score: whole photos of the validation split through the averaged network, within a share of the time."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from tessella.core.errors import InputError
from tessella.core.image import Image
from tessella.metrics import PixelCounts, Scores, count_pixels
from tessella.predict.load import wrap

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from numpy.typing import NDArray

    from tessella.core.labelmap import Ids
    from tessella.core.sample import Sample
    from tessella.models.network import Network
    from tessella.recipe.plan import Plan

SHARE: Final = 0.02
"""Share of a run's time for which photos are chosen for the running score."""

LIMIT: Final = 0.03
"""Share of the time so far above which a running score is left out: photos may cost more than the first one did."""

WARM_SECONDS: Final = 2.0
"""A first pass that takes longer is not repeated to measure without its start-up."""

LEAST_PHOTOS: Final = 4
PANELS: Final = 3
PANEL_SIDE_PX: Final = 512


class Photos(Protocol):
    """Labelled photos by position."""

    def __len__(self) -> int:
        """Return how many there are."""
        ...

    def __getitem__(self, position: int, /) -> Sample:
        """Return a photo with its labels.

        Raises:
            InputError: It cannot be read.
        """
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Validation:
    """One running score.

    Args:
        scores: Over the photos that were predicted.
        seconds: What it cost.
        broken: Positions that could not be read, with the reason.
    """

    scores: Scores
    seconds: float
    broken: tuple[tuple[int, str], ...]


class Validator:
    """Scores a network on a fixed subset of the validation photos, spread evenly over them.

    Args:
        photos: The labelled validation photos.
        plan: Class table and limits of whole-photo prediction.
        autocast: Makes the context of the plan's precision.
    """

    def __init__(
        self,
        photos: Photos,
        *,
        plan: Plan,
        autocast: Callable[[], AbstractContextManager[object]],
    ) -> None:
        self._photos = photos
        self._plan = plan
        self._autocast = autocast
        self.positions: Sequence[int] = range(len(photos))
        self._limited = False
        self._per_photo = 0.0
        self._spent = 0.0

    @property
    def total(self) -> int:
        """All validation photos, of which `positions` are scored while training."""
        return len(self._photos)

    def measure_seconds(self, network: Network) -> float:
        """Return the seconds that one photo takes, read from the disk included; a short first pass is not counted."""
        for sample in range(len(self._photos)):
            try:
                first = self._time(network, sample)
                return first if first > WARM_SECONDS else self._time(network, sample)
            except InputError:
                continue
        return 0.0

    def _time(self, network: Network, position: int) -> float:
        started = time.perf_counter()
        self.predict(network, self._photos[position].image)
        return time.perf_counter() - started

    def fit(self, *, seconds: float, per_photo: float) -> None:
        """Choose as many photos, evenly spread, as one score may cost.

        Args:
            seconds: Allowance for one score; 0 = no limit.
            per_photo: From `measure_seconds`.
        """
        count = len(self._photos)
        if seconds and per_photo:
            count = min(count, max(LEAST_PHOTOS, int(seconds / per_photo)))
            self._limited, self._per_photo = True, per_photo
        self.positions = [round(index * len(self._photos) / count) for index in range(count)]

    def is_affordable(self, elapsed_seconds: float) -> bool:
        """Whether one more score keeps all of them within `LIMIT` of the time so far."""
        cost = self._per_photo * len(self.positions)
        return not self._limited or self._spent + cost <= LIMIT * elapsed_seconds

    def score(self, network: Network, *, show: Callable[[str, NDArray[np.uint8]], None] | None = None) -> Validation:
        """Predict the chosen photos and score them with one confusion matrix.

        Args:
            network: In evaluation mode.
            show: Called with name and (H, W, 3) uint8 panel (photo, truth, prediction side by side) of a few photos.
        """
        started = time.perf_counter()
        table = self._plan.table
        counts = PixelCounts.zero(len(table))
        broken = []
        for number, position in enumerate(self.positions):
            try:
                sample = self._photos[position]
                guess = self.predict(network, sample.image)
            except InputError as error:
                broken.append((position, str(error)))
                continue
            if sample.labels is None:
                continue
            counts += count_pixels(sample.labels.ids, guess, classes=len(table))
            if show is not None and number < PANELS:
                show(sample.name, panel(sample.image, [sample.labels.ids, guess], palette=table.palette()))
        images = len(self.positions) - len(broken)
        seconds = time.perf_counter() - started
        self._spent += seconds
        self._per_photo = seconds / len(self.positions)
        return Validation(Scores(table, counts, images), seconds, tuple(broken))

    def predict(self, network: Network, image: Image) -> Ids:
        """Return the (H, W) uint8 ids of a photo, in the plan's precision, whole or by tiles as in any prediction.

        Raises:
            ImageError: The photo has other bands than the plan, or the answer is not finite.
        """
        with self._autocast():
            return wrap(network, self._plan).predict(image, confidence=False).labels.ids


def panel(image: Image, grids: Sequence[Ids], *, palette: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Lay a photo and label grids side by side: (h, w * (1 + len(grids)), 3) uint8, h and w at most `PANEL_SIDE_PX`.

    Of a larger photo every n-th pixel of every n-th row is shown.
    """
    step = math.ceil(max(image.hw) / PANEL_SIDE_PX)
    small = Image(image.pixels[::step, ::step], bands=image.bands)
    return np.concatenate([small.to_rgb8(), *(palette[grid[::step, ::step]] for grid in grids)], axis=1)
