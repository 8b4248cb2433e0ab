"""The pictures of a finding: the photo around the place, and the same with the label over it and the place marked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tessella.core.classes import IGNORE
from tessella.report.html.parts import data_uri

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tessella.core.classes import ClassTable
    from tessella.core.labelmap import Ids
    from tessella.report.check_page.marks import Marks

SIDE_PX: Final = 340
"""The longer side of a picture on the page."""

NEAREST_PX: Final = 72
"""No less than this is shown around a place: a single pixel without its surroundings says nothing."""

MARK: Final = (255, 0, 170)
"""The colour of marks: magenta is rare in photos and in palettes."""

_OPACITY: Final = 0.45
_EDGE: Final = 0.85
_SMALL_PX: Final = 9


@dataclass(frozen=True, slots=True)
class View:
    """One picture.

    Args:
        uri: A data URI.
        width: In pixels.
        height: In pixels.
        says: What it shows, for its caption and for those who cannot see it.
    """

    uri: str
    width: int
    height: int
    says: str


@dataclass(frozen=True, slots=True)
class Window:
    """A part of a photo: columns left to right, rows top to bottom, and how many pixels of the page one of its has."""

    left: int
    top: int
    right: int
    bottom: int
    scale: float

    @property
    def size(self) -> tuple[int, int]:
        """Width and height on the page."""
        width, height = (self.right - self.left) * self.scale, (self.bottom - self.top) * self.scale
        return max(1, round(width)), max(1, round(height))


def window_of(hw: tuple[int, int], marks: Marks | None) -> Window:
    """Choose what to show: all of the photo, or a part around the marks with a third of its size to each side.

    Args:
        hw: Height and width of the photo.
        marks: What is marked, or None.
    """
    box = None if marks is None else marks.box()
    left, top, right, bottom = 0.0, 0.0, float(hw[1]), float(hw[0])
    if box is not None:
        side = max(NEAREST_PX, 1.7 * max(box[2] - box[0], box[3] - box[1]))
        x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        x, y = (min(max(at, 0.0), float(end)) for at, end in ((x, hw[1]), (y, hw[0])))
        left, right = _inside(x - side / 2, x + side / 2, hw[1])
        top, bottom = _inside(y - side / 2, y + side / 2, hw[0])
    edges = int(left), int(top), max(int(left) + 1, round(right)), max(int(top) + 1, round(bottom))
    scale = SIDE_PX / max(edges[2] - edges[0], edges[3] - edges[1])
    return Window(*edges, scale=scale)


def photo_view(photo: NDArray[np.uint8], window: Window, *, says: str) -> View:
    """Return the photo in a window.

    Args:
        photo: (H, W, 3) uint8.
        window: What to show.
        says: What it shows.
    """
    return _view(_scaled(photo, window, soft=window.scale < 1), says)


def label_view(
    photo: NDArray[np.uint8], ids: Ids | None, table: ClassTable, window: Window, *, marks: Marks, says: str
) -> View:
    """Return the photo in a window with the label over it, its borders drawn, and the marks.

    Args:
        photo: (H, W, 3) uint8.
        ids: (H, W) uint8 class ids, or None where there are none.
        table: The classes.
        window: What to show.
        marks: What to mark.
        says: What it shows.
    """
    shown = _scaled(photo, window, soft=window.scale < 1).astype(np.float32)
    if ids is not None:
        cut = _scaled(ids, window, soft=False)
        colours = table.palette()[cut].astype(np.float32)
        border = np.zeros(cut.shape, bool)
        border[:, 1:] |= cut[:, 1:] != cut[:, :-1]
        border[1:] |= cut[1:] != cut[:-1]
        share = np.where(border, _EDGE, np.where(cut == IGNORE, _OPACITY / 2, _OPACITY))[..., None]
        shown = shown * (1 - share) + colours * share
    return _view(_marked(np.ascontiguousarray(shown.round().astype(np.uint8)), window, marks), says)


def _marked(shown: NDArray[np.uint8], window: Window, marks: Marks) -> NDArray[np.uint8]:
    import cv2

    if marks.pixels is not None:
        cut = marks.pixels[window.top : window.bottom, window.left : window.right].astype(np.uint8) * 255
        size = window.size
        way = cv2.INTER_AREA if window.scale < 1 else cv2.INTER_NEAREST
        here = np.asarray(cv2.resize(cut, size, interpolation=way)) > 0
        shown[here] = MARK
    origin = np.array([window.left, window.top])
    for ring in marks.outlines_xy:
        points = np.clip((ring - origin) * window.scale, -1e4, 1e4).round().astype(np.int32)
        cv2.polylines(shown, [points.reshape(-1, 1, 2)], isClosed=True, color=(255, 255, 255), thickness=4)
        cv2.polylines(shown, [points.reshape(-1, 1, 2)], isClosed=True, color=MARK, thickness=2)
    for point in marks.points_xy:
        x, y = np.clip((point - origin) * window.scale, -1e4, 1e4).round().astype(int).tolist()
        radius = max(_SMALL_PX, round(window.scale * 1.5))
        cv2.circle(shown, (x, y), radius + 2, (255, 255, 255), 2, cv2.LINE_AA)
        cv2.circle(shown, (x, y), radius, MARK, 2, cv2.LINE_AA)
    return shown


def _inside(low: float, high: float, end: int) -> tuple[float, float]:
    """Move a stretch into 0..end, and cut what does not fit."""
    if high - low >= end:
        return 0.0, float(end)
    moved = max(0.0, -low) - max(0.0, high - end)
    return low + moved, high + moved


def _scaled(pixels: NDArray[Any], window: Window, *, soft: bool) -> NDArray[Any]:
    import cv2

    cut = np.ascontiguousarray(pixels[window.top : window.bottom, window.left : window.right])
    return np.asarray(cv2.resize(cut, window.size, interpolation=cv2.INTER_AREA if soft else cv2.INTER_NEAREST))


def _view(pixels: NDArray[np.uint8], says: str) -> View:
    from PIL import Image as Pillow

    return View(data_uri(Pillow.fromarray(pixels), "WEBP"), pixels.shape[1], pixels.shape[0], says)
