"""Class ids to polygons along pixel edges, exactly: painting the polygons again gives the same ids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tessella.core.labelmap import Ids

_LEFT, _RIGHT, _UP, _DOWN = 1, 2, 4, 8
"""Bits of a grid point: the edges between unlike pixels that leave it."""


class _Turn(NamedTuple):
    """A way in which the border of a region turns at a grid point.

    Args:
        needs: The edges that must be there.
        lacks: The edges that must not be there.
        inside: Row and column of a pixel of the region, seen from the grid point.
        goes_left: Whether the horizontal edge leaves to the left.
        above: Whether the region lies above the horizontal edge.
        goes_up: Whether the vertical edge leaves upwards.
        beside: Whether the region lies left of the vertical edge.
    """

    needs: int
    lacks: int
    inside: tuple[int, int]
    goes_left: bool
    above: bool
    goes_up: bool
    beside: bool


_TURNS: Final = (
    # the region is the pixel below right of the point, or all but that one: the only turns where a ring can begin
    _Turn(_RIGHT | _DOWN, 0, (0, 0), goes_left=False, above=False, goes_up=False, beside=False),
    _Turn(_RIGHT | _DOWN, _LEFT | _UP, (-1, -1), goes_left=False, above=True, goes_up=False, beside=True),
    _Turn(_LEFT | _UP, 0, (-1, -1), goes_left=True, above=True, goes_up=True, beside=True),
    _Turn(_LEFT | _UP, _RIGHT | _DOWN, (0, 0), goes_left=True, above=False, goes_up=True, beside=False),
    _Turn(_RIGHT | _UP, 0, (-1, 0), goes_left=False, above=True, goes_up=True, beside=False),
    _Turn(_RIGHT | _UP, _LEFT | _DOWN, (0, -1), goes_left=False, above=False, goes_up=True, beside=True),
    _Turn(_LEFT | _DOWN, 0, (0, -1), goes_left=True, above=False, goes_up=False, beside=True),
    _Turn(_LEFT | _DOWN, _RIGHT | _UP, (-1, 0), goes_left=True, above=True, goes_up=False, beside=False),
)
"""Where two pixels of a region touch by their tips only, each turns by itself: regions are 4-connected."""


class Region(NamedTuple):
    """One 4-connected region of equal ids.

    Args:
        value: The region's id.
        outer: (N, 2) float64 x, y of its corners in pixels, on pixel edges, clockwise on the screen.
        holes: A ring per hole, (M, 2) float64 each, counterclockwise.
        area_px: Its number of pixels.
    """

    value: int
    outer: NDArray[np.float64]
    holes: tuple[NDArray[np.float64], ...]
    area_px: int


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


class _Corners(NamedTuple):
    """Corners of all rings, and the orders in which they belong together; (N,) each but `starts`.

    Args:
        row: Grid line from the top.
        column: Grid line from the left.
        turn: Number of the turn.
        starts: Those at which a ring can begin, in raster order.
        along_row: All in the order in which every two are the ends of one horizontal stretch.
        along_column: Likewise for vertical stretches; those with the region on the right come first, by column and row.
    """

    row: NDArray[np.intp]
    column: NDArray[np.intp]
    turn: NDArray[np.uint8]
    starts: NDArray[np.intp]
    along_row: NDArray[np.intp]
    along_column: NDArray[np.intp]


class _Rings(NamedTuple):
    """Rings one after the other: their corners' numbers in walking order, where each begins, and twice their area."""

    corner: NDArray[np.intp]
    start: NDArray[np.intp]
    area: NDArray[np.int64]

    @property
    def length(self) -> NDArray[np.intp]:
        return np.diff(np.append(self.start, self.corner.size))


def regions(ids: NDArray[Any]) -> list[Region]:
    """Trace every region with its holes.

    Each pixel belongs to exactly one region, so the order of painting does not matter: `polygon_mask([r.outer,
    *r.holes], hw)` is the region.

    Args:
        ids: (H, W) whole numbers of any width, or bool.

    Returns:
        Regions by their topmost, then leftmost pixel.
    """
    if not ids.size:
        return []
    corners, rings, owner = _traced(ids)
    pieces = _pieces(corners, rings)
    pixels = np.bincount(owner, weights=rings.area // 2, minlength=owner.size).astype(np.int64)
    holes: dict[int, list[NDArray[np.float64]]] = {}
    for ring in np.flatnonzero(owner != np.arange(owner.size)).tolist():
        holes.setdefault(int(owner[ring]), []).append(pieces[ring])
    outer = np.flatnonzero(owner == np.arange(owner.size))
    values = _values(ids, corners, rings)[outer]
    return [
        Region(value, pieces[ring], tuple(holes.get(ring, ())), area)
        for value, ring, area in zip(values.tolist(), outer.tolist(), pixels[outer].tolist(), strict=True)
    ]


def outlines(ids: Ids, *, ground: int) -> list[Outline]:
    """Trace every region without holes, largest outline first.

    Holes need no rings: what lies in a hole is a region itself, has a smaller outline, and so is painted later.

    Args:
        ids: (H, W) uint8.
        ground: The id of pixels that no polygon covers; its regions are traced only where they lie in a hole.

    Returns:
        Outlines to paint in this order.
    """
    corners, rings, owner = _traced(ids)
    pieces, values = _pieces(corners, rings), _values(ids, corners, rings)
    around = _around(corners, rings, owner)
    # Ground in a hole of ground is covered by nothing, or by ground.
    kept = (values != ground) | ((around >= 0) & (values[around] != ground))
    kept &= owner == np.arange(owner.size)
    order = np.flatnonzero(kept)[np.argsort(-rings.area[kept], kind="stable")]
    return [Outline(int(values[ring]), pieces[ring], float(rings.area[ring]) / 2) for ring in order.tolist()]


def _traced(ids: NDArray[Any]) -> tuple[_Corners, _Rings, NDArray[np.intp]]:
    """Return corners, rings, and for each ring the outer ring of its region."""
    across, down = _edges(ids)
    corners = _corners(across, down)
    rings = _walk(corners)
    return corners, rings, _owners(corners, rings, down)


def _pieces(corners: _Corners, rings: _Rings) -> list[NDArray[np.float64]]:
    points = np.stack([corners.column, corners.row], axis=1)[rings.corner].astype(np.float64)
    return np.split(points, rings.start[1:])


def _values(ids: NDArray[Any], corners: _Corners, rings: _Rings) -> NDArray[Any]:
    """Return for each outer ring the id of its region; for a hole an id inside it."""
    first = rings.corner[rings.start]
    return np.asarray(ids[corners.row[first], corners.column[first]])


def _edges(ids: NDArray[Any]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return the edges between unlike pixels: horizontal ones (H + 1, W), vertical ones (H, W + 1)."""
    height, width = ids.shape
    across, down = np.ones((height + 1, width), bool), np.ones((height, width + 1), bool)
    np.not_equal(ids[1:], ids[:-1], out=across[1:-1])
    np.not_equal(ids[:, 1:], ids[:, :-1], out=down[:, 1:-1])
    return across, down


def _corners(across: NDArray[np.bool_], down: NDArray[np.bool_]) -> _Corners:
    """Find the corners and order them.

    Along one side of one grid line, the border of regions is a sequence of stretches, and corners are its ends: in
    order, the first and second belong together, the third and fourth, and so on. Where one stretch ends and another
    begins at one point, the end comes first. Tables by side and point give these orders without sorting.
    """
    row, column, code = _points(across, down)
    (height, width), points = (down.shape[0], across.shape[1]), np.arange(row.size)
    rank = np.empty_like(points)
    # 16 bits are sorted in linear time
    rank[np.argsort(column.astype(np.uint16 if width < 1 << 16 else np.intp), kind="stable")] = points
    begins = np.full((row.size, 2), -1)
    levels, plumbs = np.full((2, row.size, 2), -1), np.full((2, row.size, 2), -1)
    point: list[NDArray[np.intp]] = []
    sizes: list[int] = []
    for number, turn in enumerate(_TURNS):
        fits = (code & (turn.needs | turn.lacks)) == turn.needs
        fits &= (row > 0) if turn.inside[0] else (row < height)
        fits &= (column > 0) if turn.inside[1] else (column < width)
        found = np.flatnonzero(fits)
        corner = np.arange(found.size) + sum(sizes)
        levels[int(turn.above), found, int(not turn.goes_left)] = corner
        plumbs[int(turn.beside), rank[found], int(not turn.goes_up)] = corner
        if number < 2:
            begins[found, number] = corner
        point.append(found)
        sizes.append(found.size)
    at = np.concatenate(point)
    turn_of = np.repeat(np.arange(len(_TURNS), dtype=np.uint8), sizes)
    return _Corners(row[at], column[at], turn_of, *(table[table >= 0] for table in (begins, levels, plumbs)))


def _points(
    across: NDArray[np.bool_], down: NDArray[np.bool_]
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.uint8]]:
    """Return row, column and edges of the grid points where a horizontal and a vertical edge meet, in raster order."""
    height, width = down.shape[0], across.shape[1]
    code = np.zeros((height + 1, width + 1), np.uint8)
    code[:, 1:] = across.view(np.uint8)
    code[:, :-1] |= across.view(np.uint8) << 1
    level = code > 0
    code[1:] |= down.view(np.uint8) << 2
    code[:-1] |= down.view(np.uint8) << 3
    at = np.flatnonzero(level & (code > 3))
    row, column = np.divmod(at, width + 1)
    return row, column, code.reshape(-1)[at]


def _walk(corners: _Corners) -> _Rings:
    """Walk along horizontal and vertical stretches in turn, with the region on the right hand."""
    across, down = (_partner(order).tolist() for order in (corners.along_row, corners.along_column))
    is_hole = (corners.turn == 1).tolist()
    seen = bytearray(len(across))
    walk: list[int] = []
    starts = []
    for start in corners.starts.tolist():
        if seen[start]:
            continue
        starts.append(len(walk))
        first, second = (down, across) if is_hole[start] else (across, down)
        corner = start
        while True:
            other = first[corner]
            seen[corner] = seen[other] = 1
            walk += (corner, other)
            corner = second[other]
            if corner == start:
                break
    ordered, start_of = np.array(walk), np.array(starts)
    x, y = corners.column[ordered], corners.row[ordered]
    following = np.arange(1, ordered.size + 1)
    following[np.append(start_of[1:], ordered.size) - 1] = start_of
    return _Rings(ordered, start_of, np.add.reduceat(x * y[following] - x[following] * y, start_of))


def _partner(order: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return for each corner the other end of its stretch."""
    partner = np.empty_like(order)
    partner[order[0::2]], partner[order[1::2]] = order[1::2], order[0::2]
    return partner


def _owners(corners: _Corners, rings: _Rings, down: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return for each ring the outer ring of its region.

    The pixel left of a hole's first corner is of the region. Leftwards from there the next vertical edge is the
    region's as well, and lies on its outer ring, or on a hole that begins higher up or further left.
    """
    owner = np.arange(rings.start.size)
    holes = np.flatnonzero(rings.area < 0)
    if not holes.size:
        return owner
    height, width = down.shape[0], down.shape[1] - 1
    tops = corners.along_column[0::2]
    tops = tops[~np.array([turn.beside for turn in _TURNS])[corners.turn[tops]]]
    keys = corners.column[tops] * (height + 1) + corners.row[tops]
    first = rings.corner[rings.start[holes]]
    row, column = corners.row[first], corners.column[first] - 1
    begins = np.flatnonzero(down[:, :-1])
    run = begins[np.searchsorted(begins, row * width + column, side="right") - 1] - row * width
    found = tops[np.searchsorted(keys, run * (height + 1) + row, side="right") - 1]
    owner[holes] = _ring_of(rings)[found]
    while (owner[owner] != owner).any():
        owner = owner[owner]
    return owner


def _around(corners: _Corners, rings: _Rings, owner: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return for each outer ring that of the region in whose hole it lies, or -1.

    The region above a ring's first edge meets it with a hole, and lies around it; or with its outer ring, and lies in
    the same hole. That ring begins higher up.
    """
    lefts = corners.along_row[0::2]
    lefts = lefts[np.array([turn.above for turn in _TURNS])[corners.turn[lefts]]]
    wide = int(corners.column.max()) + 1
    keys = corners.row[lefts] * wide + corners.column[lefts]
    first = rings.corner[rings.start]
    found = np.searchsorted(keys, corners.row[first] * wide + corners.column[first], side="right") - 1
    above = _ring_of(rings)[lefts[found]]
    around = np.where(corners.row[first] == 0, -1, above)
    is_hole = rings.area < 0
    for ring in range(around.size):
        if around[ring] >= 0:
            around[ring] = owner[above[ring]] if is_hole[above[ring]] else around[above[ring]]
    return around


def _ring_of(rings: _Rings) -> NDArray[np.intp]:
    """Return for each corner its ring."""
    ring_of = np.empty(rings.corner.size, np.intp)
    ring_of[rings.corner] = np.repeat(np.arange(rings.start.size), rings.length)
    return ring_of
