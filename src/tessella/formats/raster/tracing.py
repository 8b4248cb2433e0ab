"""Class ids to polygons along pixel edges, exactly: painting the polygons again gives the same ids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tessella.core.labelmap import Ids


_TURNS: Final = np.array([0, 1, 2, 0, 4, 0, 2 | 4, 8, 8, 1 | 8, 0, 4, 0, 2, 1, 0], np.uint8)
"""The corners at a grid point, by which of its four pixels are in the region.

The index has bit 1 for the pixel above left, 2 above right, 4 below left, 8 below right. The entry has bit 1 for a
corner whose edges go left and up, 2 right and up, 4 left and down, 8 right and down. Where two pixels touch by their
tips only, the point is a corner of both.
"""


class Outline(NamedTuple):
    """The outer outline of one connected region.

    Args:
        value: The region's id.
        points_xy: (N, 2) float64 corners in pixels, on pixel edges, clockwise on the screen.
        area_px: The area inside the outline, holes included.
    """

    value: int
    points_xy: NDArray[np.float64]
    area_px: float


def outlines(ids: Ids, *, ground: int) -> list[Outline]:
    """Trace every region, largest outline first.

    Holes need no rings: what lies in a hole is a region itself, has a smaller outline, and so is painted later.

    Args:
        ids: (H, W) uint8.
        ground: The id of pixels that no polygon covers; its regions are traced only where they lie in a hole.

    Returns:
        Outlines to paint in this order.
    """
    found = [outline for value in np.unique(ids) for outline in _regions(ids, int(value))]
    found.sort(key=lambda outline: -outline.area_px)
    return _without_open_ground(found, ids.shape, ground)


def _regions(ids: Ids, value: int) -> list[Outline]:
    import cv2

    count, labels, stats, _ = cv2.connectedComponentsWithStats((ids == value).view(np.uint8), connectivity=4)
    result = []
    for number in range(1, count):
        left, top, width, height, _ = (int(v) for v in stats[number])
        part = labels[top : top + height, left : left + width] == number
        points = trace(part)
        result.append(Outline(value, points + np.array([left, top], np.float64), _area(points)))
    return result


def _area(points: NDArray[np.float64]) -> float:
    x, y = points[:, 0], points[:, 1]
    return abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2


def _without_open_ground(found: list[Outline], hw: tuple[int, ...], ground: int) -> list[Outline]:
    """Leave out regions of the ground whose pixels nothing painted before."""
    from tessella.formats.raster.rasterise import polygon_mask

    canvas = np.full(hw, ground, np.uint8)
    kept = []
    for outline in found:
        left, top = (int(v) for v in outline.points_xy.min(axis=0))
        right, bottom = (int(v) for v in outline.points_xy.max(axis=0))
        inside = polygon_mask([outline.points_xy - np.array([left, top])], (bottom - top, right - left))
        view = canvas[top:bottom, left:right]
        if outline.value == ground and (view[inside] == ground).all():
            continue
        view[inside] = outline.value
        kept.append(outline)
    return kept


def trace(region: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the outer outline of a 4-connected region.

    Every corner of the outline has one horizontal and one vertical neighbour: sorted by row, corners pair up along
    horizontal edges, sorted by column along vertical ones. Walking the two pairings in turn gives the outline.

    Args:
        region: (h, w) bool with at least one pixel.

    Returns:
        (N, 2) float64 x, y.
    """
    rows, columns, goes_left, goes_up = _corners(region)
    along_row = np.lexsort((~goes_left, columns, rows))
    along_column = np.lexsort((~goes_up, rows, columns))
    horizontal, vertical = np.empty_like(along_row), np.empty_like(along_column)
    for order, partner in ((along_row, horizontal), (along_column, vertical)):
        partner[order[0::2]], partner[order[1::2]] = order[1::2], order[0::2]
    across, down = horizontal.tolist(), vertical.tolist()
    start = int(along_row[0])  # the topmost, leftmost corner is on the outer outline, never on a hole
    walk, corner = [], start
    while True:
        other = across[corner]
        walk += [corner, other]
        corner = down[other]
        if corner == start:
            return np.stack([columns[walk], rows[walk]], axis=1).astype(np.float64)


def _corners(
    region: NDArray[np.bool_],
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.bool_], NDArray[np.bool_]]:
    """List the corners: row, column, whether the horizontal edge goes left, whether the vertical edge goes up."""
    height, width = region.shape
    padded = np.zeros((height + 2, width + 2), np.uint8)
    padded[1:-1, 1:-1] = region
    # bits: 1 above left, 2 above right, 4 below left, 8 below right of the grid point
    code = padded[:-1, :-1] | padded[:-1, 1:] << 1 | padded[1:, :-1] << 2 | padded[1:, 1:] << 3
    turns = _TURNS[code]
    rows, columns = np.nonzero(turns)
    turns = turns[rows, columns]
    found = [(rows[kept], columns[kept], bit) for bit in (1, 2, 4, 8) if (kept := (turns & bit) > 0).any()]
    left = np.concatenate([np.full(len(part), bit in (1, 4)) for part, _, bit in found])
    up = np.concatenate([np.full(len(part), bit in (1, 2)) for part, _, bit in found])
    return np.concatenate([part for part, _, _ in found]), np.concatenate([part for _, part, _ in found]), left, up
