"""The feed: which crop comes when, and batches of crops made ahead of time in threads.

Crop number n of a run (counted from 0 over all epochs) depends on the plan's seed, on n and on the data set, and on
nothing else: not on how many threads there are, nor on where a run was interrupted. So a run can go on from the number
of its next crop alone.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Protocol, cast

import numpy as np

from tessella.augment import Sampler, augment
from tessella.core.errors import InputError, TrainingError
from tessella.core.image import Image
from tessella.dataset.cache import DecodedCache
from tessella.predict.bands import fit_bands

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from numpy.typing import NDArray

    from tessella.core.image import Pixels
    from tessella.core.labelmap import Ids
    from tessella.dataset.index import Index
    from tessella.recipe.plan import Plan

SURVEYED: Final = 2000
"""Photos that are looked at before training for where their classes are."""

Focus = tuple[int, int]
"""Row and column of a pixel."""

_ORDER, _CROP = 0, 1
"""Streams of random numbers under one seed: the order of an epoch, and the draw of a crop."""


class Source(Protocol):
    """What crops are cut from."""

    def __len__(self) -> int:
        """Return the number of samples."""
        ...

    def choose(self, position: int, rng: np.random.Generator) -> tuple[int, Focus | None]:
        """Return the sample to crop when it is the turn of `position`, and a pixel that the crop shall contain."""
        ...

    def crop(
        self, position: int, rng: np.random.Generator, *, focus: Focus | None, progress: float
    ) -> tuple[Pixels, Ids]:
        """Return a crop of one sample: (h, w, C) pixels and (h, w) uint8 ids, of one size at one progress (0..1).

        Raises:
            InputError: The photo or its annotation cannot be read.
        """
        ...


class CropSource:
    """Augmented crops of an index, decoded photos kept in memory; some of them placed on a pixel of a rare class.

    Before training, photos are looked at for where their classes are (at most `SURVEYED`, evenly spread). With the
    probability `augment.rare_class` a crop is then taken from a photo that shows a class drawn with favour for rare
    ones, instead of from the photo whose turn it is.

    Args:
        index: Photos with labels.
        plan: Bands, dtype, classes and augmentation.
        max_bytes: How much memory the decoded photos may take.
        threads: Threads that decode during the survey.
    """

    def __init__(self, index: Index, plan: Plan, *, max_bytes: int, threads: int) -> None:
        self._cache = DecodedCache(index, max_bytes=max_bytes)
        self._names = [record.name for record in index.records]
        self._plan = plan
        self._sampler = Sampler(classes=len(plan.classes))
        if plan.augment.rare_class:
            self._survey(threads)

    def __len__(self) -> int:
        return len(self._cache)

    def choose(self, position: int, rng: np.random.Generator) -> tuple[int, Focus | None]:
        """Return the sample whose turn it is, or one that shows a rare class and where it does."""
        if rng.random() < self._plan.augment.rare_class and (picked := self._sampler.pick(rng)) is not None:
            return picked
        return position, None

    def crop(
        self, position: int, rng: np.random.Generator, *, focus: Focus | None, progress: float
    ) -> tuple[Pixels, Ids]:
        """Return one augmented crop, of the size of its stage of the run.

        Raises:
            InputError: The photo or its labels cannot be read, or it has bands that do not fit the plan.
        """
        pixels, ids = self._cache.read(position)
        if pixels.shape[2] != len(self._plan.preprocess.bands) or pixels.dtype != self._plan.preprocess.dtype:
            pixels = fit_bands(Image(pixels), self._plan.preprocess, where=self._names[position]).pixels
        return augment(pixels, ids, self._plan.augment.at(progress), rng, focus=focus)

    def _survey(self, threads: int) -> None:
        count = min(len(self), SURVEYED)
        positions = [number * len(self) // count for number in range(count)]
        with ThreadPoolExecutor(max(1, threads)) as pool:
            # learnt in order, whatever thread is faster: what is drawn later depends on it
            for position, ids in zip(positions, pool.map(self._ids_or_none, positions), strict=True):
                if ids is not None:
                    self._sampler.learn(position, ids)

    def _ids_or_none(self, position: int) -> Ids | None:
        try:
            return self._cache.read(position)[1]
        except InputError:  # the feed names it when its turn comes
            return None


@dataclass(frozen=True, slots=True)
class Broken:
    """A sample that could not be read: its position in the index, and why."""

    position: int
    why: str


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Crops of one forward pass.

    Args:
        pixels: (B, h, w, C) in the photos' own dtype, raw units.
        ids: (B, h, w) uint8 class ids or IGNORE.
        positions: B positions in the index, for messages.
        broken: Samples that had to be replaced by the next one in the order.
        next_crop: Number of the crop after the last one of this batch.
    """

    pixels: Pixels
    ids: NDArray[np.uint8]
    positions: tuple[int, ...]
    broken: tuple[Broken, ...]
    next_crop: int


class Feed:
    """Batches in their order, prepared ahead by threads (OpenCV and NumPy work outside the interpreter lock).

    Args:
        source: Where crops come from.
        seed: Of the plan.
        workers: Threads; 0 = batches are made when they are asked for.
        first_batch: Number of the first batch.
        first_crop: Number of its first crop.
        settle: From the number of a batch to its crops and to the progress of the run (0..1) when it is trained on;
            asked when the batch is begun, a few batches ahead.
    """

    def __init__(
        self,
        source: Source,
        *,
        seed: int,
        workers: int,
        first_batch: int,
        first_crop: int,
        settle: Callable[[int], tuple[int, float]],
    ) -> None:
        self._source = source
        self._seed = seed
        self._next_batch, self._next_crop = first_batch, first_crop
        self._settle = settle
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="tessella-feed") if workers else None
        self._ahead: deque[Future[Batch]] = deque()
        # twice as many batches as threads, so that no thread waits for the loop to take one
        self._depth = 2 * workers

    def next(self) -> Batch:
        """Return the next batch.

        Raises:
            TrainingError: No sample of the data set can be read.
        """
        if self._pool is None:
            return self._make(*self._begin())
        while len(self._ahead) < self._depth:
            self._ahead.append(self._pool.submit(self._make, *self._begin()))
        return self._ahead.popleft().result()

    def close(self) -> None:
        """Stop the threads; batches made ahead are dropped."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def _begin(self) -> tuple[range, float]:
        count, progress = self._settle(self._next_batch)
        numbers = range(self._next_crop, self._next_crop + count)
        self._next_batch, self._next_crop = self._next_batch + 1, numbers.stop
        return numbers, progress

    def _make(self, numbers: range, progress: float) -> Batch:
        crops, positions, broken = [], [], []
        for number in numbers:
            rng = np.random.default_rng([self._seed, _CROP, number])
            position, crop, failed = self._draw(number, rng, progress)
            crops.append(crop)
            positions.append(position)
            broken += failed
        pixels = cast("Pixels", np.stack([crop[0] for crop in crops]))
        ids = np.stack([crop[1] for crop in crops])
        return Batch(pixels, ids, tuple(positions), tuple(broken), numbers.stop)

    def _draw(
        self, number: int, rng: np.random.Generator, progress: float
    ) -> tuple[int, tuple[Pixels, Ids], list[Broken]]:
        count = len(self._source)
        epoch, place = divmod(number, count)
        order = epoch_order(self._seed, epoch, count)
        failed: list[Broken] = []
        for shift in range(count):
            position, focus = self._source.choose(int(order[(place + shift) % count]), rng)
            try:
                return position, self._source.crop(position, rng, focus=focus, progress=progress), failed
            except InputError as error:
                failed.append(Broken(position, str(error)))
        raise TrainingError(
            "no photo of the training split can be read", got=failed[0].why, fix="run `tessella check` on the data set"
        )


@lru_cache(maxsize=4)
def epoch_order(seed: int, epoch: int, count: int) -> NDArray[np.int64]:
    """Return the order of one epoch: (count,) int64, each position once."""
    return np.random.default_rng([seed, _ORDER, epoch]).permutation(count)
