"""Facts: what was measured on a data set, for the planner and the report; every number comes from decoded pixels."""

from __future__ import annotations

import random
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from tessella.core.classes import IGNORE
from tessella.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from tessella.core.image import Pixels
    from tessella.core.labelmap import LabelMap
    from tessella.core.sample import Sample
    from tessella.dataset.index import Index


@dataclass(frozen=True, slots=True)
class Facts:
    """What a data set is made of, measured on a seeded sample of its labelled photos.

    Args:
        samples: Labelled photos in the data set.
        measured: How many of them were decoded for these facts.
        broken: How many of those could not be read.
        hw_min: Smallest height and smallest width in pixels.
        hw_median: Median height and width.
        hw_max: Largest height and largest width.
        bands: Band names of most measured photos.
        dtype: `uint8`, `uint16` or `float32`, of the same photos.
        classes: Class names in id order.
        class_pixels: Pixels per class in the measured photos.
        ignore_pixels: IGNORE pixels in the measured photos.
        class_share: Share of each class of the pixels that are not IGNORE, 0..1.
        class_photos: In how many measured photos each class occurs.
        object_px: Per class the median of the typical extent (square root of the area) of its connected regions, in
            pixels; 0 where the class does not occur.
        mean: Per band, in raw units of the dtype, over the photos with these bands and this dtype.
        std: Likewise.
        decoded_bytes: Memory of all photos and ids when decoded, extrapolated from the measured ones.
        photo_decode_ms: Mean time to decode one photo, in milliseconds.
        label_decode_ms: Mean time to decode one label map, in milliseconds.
    """

    samples: int
    measured: int
    broken: int
    hw_min: tuple[int, int]
    hw_median: tuple[int, int]
    hw_max: tuple[int, int]
    bands: tuple[str, ...]
    dtype: str
    classes: tuple[str, ...]
    class_pixels: tuple[int, ...]
    ignore_pixels: int
    class_share: tuple[float, ...]
    class_photos: tuple[int, ...]
    object_px: tuple[float, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    decoded_bytes: int
    photo_decode_ms: float
    label_decode_ms: float

    def to_json(self) -> dict[str, object]:
        """Return the facts as plain JSON values."""
        return asdict(self)


Kind = tuple[tuple[str, ...], str]
"""Bands and dtype of a photo."""


class _Moments:
    """Running sums of the values of photos of one kind, in float64 so that the order does not matter."""

    def __init__(self, channels: int) -> None:
        self.photos = 0
        self.pixels = 0
        self.total = np.zeros(channels)
        self.squares = np.zeros(channels)

    def add(self, pixels: Pixels) -> None:
        flat = pixels.reshape(-1, pixels.shape[2])
        total, squares = _moments(flat)
        self.photos += 1
        self.pixels += len(flat)
        self.total += total
        self.squares += squares

    @property
    def mean(self) -> NDArray[np.float64]:
        return self.total / self.pixels

    @property
    def std(self) -> NDArray[np.float64]:
        spread: NDArray[np.float64] = np.sqrt(np.maximum(self.squares / self.pixels - self.mean**2, 0.0))
        return spread


class _Sums:
    """Running sums over the measured photos, in integers and float64 so that the order does not matter."""

    def __init__(self, classes: int) -> None:
        self.hw: list[tuple[int, int]] = []
        self.counts = np.zeros(256, np.int64)
        self.photos = np.zeros(classes, np.int64)
        self.extents: list[list[float]] = [[] for _ in range(classes)]
        self.bytes = 0
        self.kinds: dict[Kind, _Moments] = {}

    def add(self, sample: Sample, labels: LabelMap) -> None:
        image = sample.image
        self.hw.append(image.hw)
        counts = labels.counts()
        self.counts += counts
        self.photos += counts[: len(self.photos)] > 0
        for index in np.flatnonzero(counts[: len(self.photos)]):
            self.extents[index] += _extents(labels.ids == index)
        self.kinds.setdefault((image.bands, image.dtype), _Moments(image.channels)).add(image.pixels)
        self.bytes += image.pixels.nbytes + labels.ids.nbytes

    def usual(self) -> tuple[Kind, _Moments]:
        """Return the kind that most photos have; of equals the first one met."""
        return max(self.kinds.items(), key=lambda entry: entry[1].photos)


def measure(
    index: Index, *, sample_limit: int = 200, seed: int = 0, progress: Callable[[int, int], None] | None = None
) -> Facts:
    """Measure a data set.

    Args:
        index: The data set; photos without labels are left out.
        sample_limit: At most this many photos are decoded, drawn by `seed`.
        seed: Seed of the draw.
        progress: Called with (done, total).

    Returns:
        The facts.

    Raises:
        InputError: No labelled photo can be read.
    """
    labelled = index.labelled()
    chosen = sorted(random.Random(seed).sample(range(len(labelled)), min(sample_limit, len(labelled))))  # noqa: S311
    sums = _Sums(len(index.table))
    seconds = [0.0, 0.0]
    for done, position in enumerate(chosen, start=1):
        try:
            _add_one(labelled, position, sums, seconds)
        except InputError:
            continue  # counted below; `tessella check` names the file
        finally:
            if progress is not None:
                progress(done, len(chosen))
    if not sums.hw:
        raise InputError(
            "no labelled photo of the data set can be read", where=index.root, fix="run `tessella check` on it"
        )
    return _facts(index, sums, samples=len(labelled), tried=len(chosen), seconds=seconds)


def _add_one(index: Index, position: int, sums: _Sums, seconds: list[float]) -> None:
    start = time.perf_counter()
    image = index.image(position)
    middle = time.perf_counter()
    sample = index.with_image(position, image)
    end = time.perf_counter()
    if sample.labels is None:
        return
    sums.add(sample, sample.labels)
    seconds[0] += middle - start
    seconds[1] += end - middle


def _facts(index: Index, sums: _Sums, *, samples: int, tried: int, seconds: list[float]) -> Facts:
    measured = len(sums.hw)
    sizes = np.array(sums.hw)
    kept = sums.counts[: len(index.table)]
    known = max(1, int(kept.sum()))
    (bands, dtype), moments = sums.usual()
    return Facts(
        samples=samples,
        measured=measured,
        broken=tried - measured,
        hw_min=_pair(sizes.min(axis=0)),
        hw_median=_pair(np.median(sizes, axis=0)),
        hw_max=_pair(sizes.max(axis=0)),
        bands=bands,
        dtype=dtype,
        classes=index.table.names,
        class_pixels=tuple(int(count) for count in kept),
        ignore_pixels=int(sums.counts[IGNORE]),
        class_share=tuple(float(count) / known for count in kept),
        class_photos=tuple(int(count) for count in sums.photos),
        object_px=tuple(float(np.median(own)) if own else 0.0 for own in sums.extents),
        mean=tuple(float(value) for value in moments.mean),
        std=tuple(float(value) for value in moments.std),
        decoded_bytes=round(sums.bytes / measured * samples),
        photo_decode_ms=1000 * seconds[0] / measured,
        label_decode_ms=1000 * seconds[1] / measured,
    )


def _pair(values: NDArray[np.float64] | NDArray[np.int64]) -> tuple[int, int]:
    return round(float(values[0])), round(float(values[1]))


def _moments(flat: Pixels) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sum values and squares per band: flat (N, C) -> (C,) and (C,) float64."""
    if flat.dtype == np.uint8:
        # 256 counts per band say everything: ten times faster than squaring every pixel in float64
        levels = np.arange(256, dtype=np.float64)
        counts = np.stack([np.bincount(flat[:, band], minlength=256) for band in range(flat.shape[1])])
        return counts @ levels, counts @ levels**2
    wide = flat.astype(np.float64)
    return wide.sum(axis=0), (wide**2).sum(axis=0)


def _extents(mask: NDArray[np.bool_]) -> list[float]:
    """Return the square root of the area of every connected region, in pixels; specks below 4 pixels are left out."""
    import cv2

    _, _, stats, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=8)
    areas = stats[1:, cv2.CC_STAT_AREA]
    return [float(value) for value in np.sqrt(areas[areas >= 4].astype(np.float64))]
