"""What an annotation file says of one photo, before class ids are assigned: a stored mask or drawn shapes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ShapeKind = Literal["polygon", "rectangle", "circle", "line", "linestrip", "point", "points", "mask", "ellipse"]
Tool = Literal["labelme", "cvat", "coco", "centre"]
"""Whose raster rule a drawing was made with; `centre` where none is known, so that ours is used."""


@dataclass(frozen=True, slots=True, eq=False)
class StoredMask:
    """The pixels of a mask file exactly as stored.

    Args:
        pixels: (H, W) uint8 or uint16 stored values, or (H, W, 3 or 4) uint8 colours.
        mode: Pillow's mode of the file: `P`, `L`, `1`, `I;16`, `RGB`, `RGBA`.
        palette: (N, 3) uint8 colours of a palette file, else None.
        orientation: The EXIF orientation 1..8 of the mask file; NOT applied to the pixels.
        form: The format by content, as `PNG`; "" where it is no picture file of its own, or a PNG without its
            end mark.
    """

    pixels: NDArray[np.uint8] | NDArray[np.uint16]
    mode: str
    palette: NDArray[np.uint8] | None = None
    orientation: int = 1
    form: str = ""

    @property
    def hw(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return int(self.pixels.shape[0]), int(self.pixels.shape[1])

    @property
    def is_colour(self) -> bool:
        """Whether pixels are colours rather than single values."""
        return self.pixels.ndim == 3


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """One drawn shape.

    Args:
        label: The label name as in the file.
        kind: What was drawn.
        points_xy: (N, 2) float64 pixels, x right, y down, (0, 0) the outer corner of the first pixel. Of an ellipse its
            centre, the end of one half axis and the end of the other.
        group: The object: shapes of one non-empty group and label are parts of one; "" where the tool says nothing.
        mask: For kind "mask": (h, w) bool, whose top left pixel is at `points_xy[0]`.
        holes: For polygons, further rings to cut out: each (N, 2) float64.
        attributes: What else the tool says of it, as text: (name, value).
    """

    label: str
    kind: ShapeKind
    points_xy: NDArray[np.float64]
    group: str = ""
    mask: NDArray[np.bool_] | None = None
    holes: tuple[NDArray[np.float64], ...] = ()
    attributes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Drawing:
    """All shapes of one photo in drawing order (later shapes paint over earlier ones), with the size the file states.

    Args:
        shapes: In drawing order.
        declared_hw: Height and width that the annotation file states, or None when it states none.
        tool: Whose raster rule is meant when the tool's own pixels are asked for.
        short: Outlines of too few points, which the format leaves out: never painted, for `tessella check` to name.
    """

    shapes: tuple[Shape, ...]
    declared_hw: tuple[int, int] | None = None
    tool: Tool = "labelme"
    short: tuple[Shape, ...] = ()


Annotation = StoredMask | Drawing
