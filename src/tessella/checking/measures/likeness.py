"""Photos that show the same, as they are or changed, found without comparing all with all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from tessella.checking.measures.thumbs import THUMB

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from tessella.checking.survey import Trace

NEAR_PX: Final = 2.0
"""Root mean square difference of two thumbnails in grey levels of 255 up to which photos are nearly the same."""

ALIKE: Final = 0.995
"""Correlation of two thumbnails from which one photo is the other, turned or brighter."""

FLAT: Final = 6.0
"""Thumbnails of a smaller spread, in grey levels, show too little to be compared."""

_CHANGES: Final = (
    "mirrored left to right", "flipped upside down", "turned by 180 degrees", "mirrored at its diagonal",
    "turned by 90 degrees", "turned by 270 degrees", "mirrored at its other diagonal",
)  # fmt: skip
_BANDS: Final = 4
_MOST_IN_BUCKET: Final = 64
_MOST_BITS: Final = 8
_ROWS: Final = 16_384


class Pair(NamedTuple):
    """Two photos that show the same.

    Args:
        one: The position of the earlier.
        other: The position of the later.
        change: What was done to one of the two; "" when nothing can be seen.
    """

    one: int
    other: int
    change: str


def similar(traces: Iterable[Trace]) -> tuple[Pair, ...]:
    """Find pairs of photos that show the same, as they are or changed.

    A hash of 64 bits says where each of 64 coarse waves of a thumbnail lies above the median; it does not depend on
    brightness and contrast. Photos that share a quarter of its bits are compared by their thumbnails: a join over
    sorted keys, which for 100,000 photos takes seconds where all pairs would take hours. Thumbnails that are flat, and
    photos that are identical (D101), are left out.

    Args:
        traces: One per record.
    """
    kept = [trace for trace in traces if trace.thumb]
    if len(kept) < 2:
        return ()
    kept = [trace for trace in kept if np.frombuffer(trace.thumb, np.uint8).std() >= FLAT]
    if len(kept) < 2:
        return ()
    table = np.frombuffer(b"".join(trace.thumb for trace in kept), np.uint8).reshape(-1, THUMB, THUMB)
    hashes = np.stack([_hashes(table, change) for change in range(8)])
    found: dict[tuple[int, int], str] = {}
    for change in range(8):
        for one, other in _candidates(hashes[0], hashes[change]):
            first, second = kept[one], kept[other]
            key = (min(first.position, second.position), max(first.position, second.position))
            if key in found or (first.photo_digest and first.photo_digest == second.photo_digest):
                continue
            left, right = (table[place].astype(np.float32) for place in (one, other))
            said = _compared(left, _changed(right[None], change)[0], change)
            if said is not None and not (change and _same(left, right)):
                found[key] = said
    return tuple(Pair(one, other, change) for (one, other), change in sorted(found.items()))


def _changed(table: NDArray[np.float32], change: int) -> NDArray[np.float32]:
    """Return thumbnails (N, T, T) as they look after one of _CHANGES, 1-based; 0 changes nothing."""
    changes: tuple[Callable[[NDArray[np.float32]], NDArray[np.float32]], ...] = (
        lambda t: t,
        lambda t: t[:, :, ::-1],
        lambda t: t[:, ::-1],
        lambda t: t[:, ::-1, ::-1],
        lambda t: t.transpose(0, 2, 1),
        lambda t: np.rot90(t, 1, axes=(1, 2)),
        lambda t: np.rot90(t, -1, axes=(1, 2)),
        lambda t: t[:, ::-1, ::-1].transpose(0, 2, 1),
    )
    return np.ascontiguousarray(changes[change](table))


def _hashes(table: NDArray[np.uint8], change: int) -> NDArray[np.uint64]:
    """Return (N,) uint64: one bit per coarse wave (the first 8 x 8 of a cosine transform, without the mean)."""
    cells = (2 * np.arange(THUMB) + 1)[None] * np.arange(8)[:, None]
    basis = np.cos(np.pi * cells / (2 * THUMB)).astype(np.float32)
    hashes = np.zeros(len(table), np.uint64)
    weights = np.uint64(1) << np.arange(64, dtype=np.uint64)
    for top in range(0, len(table), 4096):
        thumbs = _changed(table[top : top + 4096].astype(np.float32), change)
        waves = (basis @ thumbs @ basis.T).reshape(-1, 64)
        waves[:, 0] = 0
        above = waves > np.median(waves, axis=1, keepdims=True)
        hashes[top : top + 4096] = (above * weights).sum(axis=1, dtype=np.uint64)
    return hashes


def _candidates(own: NDArray[np.uint64], changed: NDArray[np.uint64]) -> list[tuple[int, int]]:
    """Return pairs (one, other), one < other, that share 16 of the 64 bits; of a still scene only neighbours."""
    found: set[tuple[int, int]] = set()
    places = np.arange(len(own), dtype=np.int64)
    for band in range(_BANDS):
        shift = np.uint64(16 * band)
        left, right = ((values >> shift & np.uint64(0xFFFF)).astype(np.int64) for values in (own, changed))
        # by bits first and place second, so that those of the same bits behind a place lie next to each other
        table = np.sort(right << 32 | places)
        start = np.searchsorted(table, left << 32 | places, side="right")
        end = np.searchsorted(table, left + 1 << 32, side="left")
        counts = np.minimum(end - start, _MOST_IN_BUCKET)
        for top in range(0, len(own), _ROWS):
            rows = counts[top : top + _ROWS]
            one = np.repeat(places[top : top + _ROWS], rows)
            step = np.arange(len(one)) - np.repeat(np.cumsum(rows) - rows, rows)
            other = table[start[one] + step] & 0xFFFFFFFF
            close = np.bitwise_count(own[one] ^ changed[other]) <= _MOST_BITS
            found.update(zip(one[close].tolist(), other[close].tolist(), strict=True))
    return sorted(found)


def _compared(one: NDArray[np.float32], other: NDArray[np.float32], change: int) -> str | None:
    """Say how a photo becomes another; "" when nothing need be done, None when they show different things."""
    apart = float(np.sqrt(np.mean((one - other) ** 2)))
    if change == 0 and apart <= NEAR_PX:
        return ""
    if apart <= 2 * NEAR_PX or _correlation(one, other) >= ALIKE:
        brighter = abs(float(one.mean() - other.mean())) > 4 or not 0.9 < float(one.std() / other.std()) < 1.1
        parts = [_CHANGES[change - 1]] if change else []
        parts += ["with other brightness or contrast"] if brighter else []
        return " and ".join(parts) or ""
    return None


def _same(one: NDArray[np.float32], other: NDArray[np.float32]) -> bool:
    """Whether two photos are alike without any change, so that a symmetrical scene is not called a mirrored one."""
    return _correlation(one, other) >= 0.98


def _correlation(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    first, second = one - one.mean(), other - other.mean()
    return float((first * second).sum() / np.sqrt((first**2).sum() * (second**2).sum()))
