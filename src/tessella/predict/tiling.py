"""Tiling geometry and blending: any photo from tiles, without seams, in memory that does not grow with its height.

Along each axis, tiles start at multiples of the network's stride (so that a tile is sampled on the same grid as the
whole photo) and overlap by at least the asked share. Where two tiles meet, the middle half of the asked overlap is a
smooth ramp from one to the other; what lies nearer to a tile's own border than a quarter of the overlap has weight 0,
because there the network saw padding instead of photo. A network that looks no further than that quarter therefore
answers exactly as on the whole photo. Weights are multiples of 1/256 and sum to 1 exactly: a constant stays constant.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

WEIGHT_STEPS: Final = 256


@dataclass(frozen=True, slots=True)
class Span:
    """One tile along one axis, in pixels.

    Args:
        start: First pixel that the network sees; a multiple of the stride.
        stop: One past the last.
        ramp_in: (first, one past last) pixel of the ramp shared with the tile before; empty at the photo's edge.
        ramp_out: The same for the tile after.
    """

    start: int
    stop: int
    ramp_in: tuple[int, int]
    ramp_out: tuple[int, int]

    def weights(self) -> NDArray[np.float32]:
        """Return the weights of the pixels from `ramp_in[0]` to `ramp_out[1]`: (n,) float32, multiples of 1/256."""
        rise = ramp(self.ramp_in[1] - self.ramp_in[0])
        fall = np.float32(1) - ramp(self.ramp_out[1] - self.ramp_out[0])
        flat = np.ones(self.ramp_out[0] - self.ramp_in[1], np.float32)
        return np.concatenate([rise, flat, fall])


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """A finished rectangle of the photo.

    Args:
        rows: Rows of the photo.
        columns: Columns of the photo.
        logits: (K, h, w) float32 of exactly these pixels.
    """

    rows: slice
    columns: slice
    logits: NDArray[np.float32]


def ramp(length: int) -> NDArray[np.float32]:
    """Return a smooth rise (raised cosine) from 0 to 1, ends excluded: (length,) float32, multiples of 1/256."""
    phase = (np.arange(length) + 0.5) / max(length, 1)
    rise = np.round((1 - np.cos(np.pi * phase)) / 2 * WEIGHT_STEPS) / WEIGHT_STEPS
    return rise.astype(np.float32)


def spans(length: int, tile: int, overlap: float, *, stride: int) -> list[Span]:
    """Cover one axis of a photo with tiles.

    Args:
        length: Pixels along this axis, >= 1.
        tile: Wanted tile length in pixels; rounded up to the stride, and to twice the overlap.
        overlap: Share of the tile that neighbours have in common at least, 0..0.5; rounded up to the stride.
        stride: Tiles start at multiples of it.

    Returns:
        Tiles in order, spread evenly; every pixel is in one of them with weight 1, or in the ramps of exactly two.
    """
    overlap_units = -(-round(overlap * tile) // stride)
    # twice the overlap at least: else three tiles would meet in one ramp
    tile_units = max(-(-tile // stride), 2 * overlap_units, 1)
    length_units = -(-length // stride)
    if length_units <= tile_units:
        return [Span(0, length, (0, 0), (length, length))]
    count = 1 - (-(length_units - tile_units) // (tile_units - overlap_units))
    starts = [index * (length_units - tile_units) // (count - 1) * stride for index in range(count)]
    stops = [min(start + tile_units * stride, length) for start in starts]
    width = overlap_units * stride // 2
    ramps = [(0, 0)]
    for stop, start in zip(stops[:-1], starts[1:], strict=True):
        first = (stop + start - width) // 2
        ramps.append((first, first + width))
    ramps.append((length, length))
    return [
        Span(start, stop, ramp_in, ramp_out)
        for start, stop, (ramp_in, ramp_out) in zip(starts, stops, pairwise(ramps), strict=True)
    ]


def blend_tiles(
    rows: list[Span],
    columns: list[Span],
    *,
    run: Callable[[slice, slice], NDArray[np.float32]],
) -> Iterator[Block]:
    """Run a network over tiles and give out blended logits as soon as they are final.

    What is kept between tiles is one ramp to the right and one ramp of full width below, never a whole photo of logits.

    Args:
        rows: Tiles along the height.
        columns: Tiles along the width.
        run: Called with the rows and columns of one tile; returns (K, h, w) float32 logits of that tile, in an array
            that is overwritten here.

    Yields:
        Blocks that cover the photo exactly once.
    """
    # (K, ramp, W): what the tiles above add to the ramp below them; each column reads its part, then writes its own
    carry: NDArray[np.float32] | None = None
    for row in rows:
        row_weights = row.weights()[:, None]
        height_in = row.ramp_in[1] - row.ramp_in[0]
        height_out = row.ramp_out[1] - row.ramp_out[0]
        left: NDArray[np.float32] | None = None
        for column in columns:
            logits = run(slice(row.start, row.stop), slice(column.start, column.stop))
            part = logits[:, _inside(row), _inside(column)]
            part *= row_weights * column.weights()
            if left is not None:
                part[:, :, : left.shape[2]] += left
            done_width = part.shape[2] - (column.ramp_out[1] - column.ramp_out[0])
            left = part[:, :, done_width:].copy()
            done = part[:, :, :done_width]
            here = slice(column.ramp_in[0], column.ramp_out[0])
            if carry is None and height_out:
                carry = np.zeros((part.shape[0], height_out, columns[-1].stop), np.float32)
            if carry is not None and height_in:
                done[:, :height_in] += carry[:, :, here]
            if carry is not None and height_out:
                carry[:, :, here] = done[:, done.shape[1] - height_out :]
            yield Block(slice(row.ramp_in[0], row.ramp_out[0]), here, done[:, : done.shape[1] - height_out])


def _inside(span: Span) -> slice:
    return slice(span.ramp_in[0] - span.start, span.ramp_out[1] - span.start)
