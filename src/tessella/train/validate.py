"""The running score: whole photos of the validation split through the averaged network, within a share of the time."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np
import torch

from tessella.core.errors import InputError
from tessella.metrics import PixelCounts, Scores, count_pixels
from tessella.predict.tiling import blend_tiles, spans

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from numpy.typing import NDArray
    from torch import nn

    from tessella.core.image import Image
    from tessella.core.labelmap import Ids
    from tessella.core.sample import Sample
    from tessella.recipe.plan import Plan

SHARE: Final = 0.02
"""Largest share of a run's time that goes into its running score."""

LEAST_PHOTOS: Final = 4
PANELS: Final = 3


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
        device: Where the network lies.
        autocast: Makes the context of the plan's precision.
    """

    def __init__(
        self,
        photos: Photos,
        *,
        plan: Plan,
        device: torch.device,
        autocast: Callable[[], AbstractContextManager[object]],
    ) -> None:
        self._photos = photos
        self._plan = plan
        self._device = device
        self._autocast = autocast
        self.positions: Sequence[int] = range(len(photos))

    @property
    def total(self) -> int:
        """All validation photos, of which `positions` are scored while training."""
        return len(self._photos)

    def measure_seconds(self, network: nn.Module) -> float:
        """Return the seconds that one photo takes, read from the disk included; the first pass is not counted."""
        for attempt in range(len(self._photos)):
            try:
                sample = self._photos[attempt]
            except InputError:
                continue
            self.predict(network, sample.image)
            started = time.perf_counter()
            self.predict(network, self._photos[attempt].image)
            return time.perf_counter() - started
        return 0.0

    def fit(self, *, seconds: float, per_photo: float) -> None:
        """Choose as many photos, evenly spread, as one score may cost.

        Args:
            seconds: Allowance for one score; 0 = no limit.
            per_photo: From `measure_seconds`.
        """
        count = len(self._photos)
        if seconds and per_photo:
            count = min(count, max(LEAST_PHOTOS, int(seconds / per_photo)))
        self.positions = [round(index * len(self._photos) / count) for index in range(count)]

    def score(self, network: nn.Module, *, show: Callable[[str, NDArray[np.uint8]], None] | None = None) -> Validation:
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
            except InputError as error:
                broken.append((position, str(error)))
                continue
            if sample.labels is None:
                continue
            guess = self.predict(network, sample.image)
            counts += count_pixels(sample.labels.ids, guess, classes=len(table))
            if show is not None and number < PANELS:
                show(sample.name, panel(sample.image, [sample.labels.ids, guess], palette=table.palette()))
        images = len(self.positions) - len(broken)
        return Validation(Scores(table, counts, images), time.perf_counter() - started, tuple(broken))

    @torch.no_grad()
    def predict(self, network: nn.Module, image: Image) -> Ids:
        """Return the (H, W) uint8 ids of a photo, whole where the plan allows it and else by blended tiles."""
        settings = self._plan.prediction
        pixels = image.pixels
        height, width = image.hw
        if height * width <= settings.max_whole_pixels:
            return self._logits(network, pixels).argmax(0).to(torch.uint8).cpu().numpy()

        def run(rows: slice, columns: slice) -> NDArray[np.float32]:
            return self._logits(network, pixels[rows, columns]).float().cpu().numpy()

        stride, (tall, wide) = self._plan.preprocess.stride, settings.tile_hw
        ids = np.empty((height, width), np.uint8)
        tiles_y = spans(height, tall, settings.overlap, stride=stride)
        tiles_x = spans(width, wide, settings.overlap, stride=stride)
        for block in blend_tiles(tiles_y, tiles_x, run=run):
            ids[block.rows, block.columns] = block.logits.argmax(0)
        return ids

    def _logits(self, network: nn.Module, pixels: NDArray[np.generic]) -> torch.Tensor:
        # a copy, because torch takes no read-only memory; (H, W, C) is channels-last already
        x = torch.from_numpy(np.array(pixels)).to(self._device).permute(2, 0, 1)[None]
        with self._autocast():
            logits: torch.Tensor = network(x)
        return logits[0]


def panel(image: Image, grids: Sequence[Ids], *, palette: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Lay a photo and label grids side by side: (H, W * (1 + len(grids)), 3) uint8."""
    return np.concatenate([image.to_rgb8(), *(palette[grid] for grid in grids)], axis=1)
