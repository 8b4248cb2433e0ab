"""One record of a data set, read once: all that a rule about a single photo and its label may look at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tessella.core.annotation import Drawing, StoredMask

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tessella.checking.looking.peek import Peek
    from tessella.core.annotation import Annotation
    from tessella.core.classes import Colour, LabelCoding
    from tessella.files.geo.ground import Ground

StrayKind = Literal["stray", "blurred", "compressed"]


@dataclass(frozen=True, slots=True)
class Photo:
    """What is left of a photo once it was decoded.

    Args:
        hw: Height and width in pixels, upright.
        stored_hw: Height and width as stored, before EXIF orientation.
        orientation: EXIF orientation 1..8.
        glance: A hash of `small`, the size and the dtype: equal for the same picture in any lossless file, and hardly
            ever for another; b"" for a picture of a single colour.
        mode: Pillow's mode of the file; "" for TIFF and where there is no file.
        frames: Number of pictures in the file.
        bands: Number and dtype of the bands, such as `3 x uint8`.
        small: (64, 64) uint8: the upright photo in grey.
        grey: (h, w) uint8: every n-th pixel, the shorter side 256 to 511 px where the photo is as large; of a few.
        ground: Where on Earth an upright GeoTIFF of one picture lies; None where it does not say.
    """

    hw: tuple[int, int]
    stored_hw: tuple[int, int]
    orientation: int
    glance: bytes
    mode: str = ""
    frames: int = 1
    bands: str = "3 x uint8"
    small: NDArray[np.uint8] | None = None
    grey: NDArray[np.uint8] | None = None
    ground: Ground | None = None


@dataclass(frozen=True, slots=True)
class Strays:
    """The values or colours of a mask that the class table does not explain.

    Args:
        kind: `blurred`: the soft edge of an anti-aliased mask; `compressed`: the ringing of JPEG; else `stray`.
        counts: Pixels by value (or by colour, as `(r, g, b)`), ascending by value.
        first: Row and column of the first such pixel in reading order.
        gap: The smallest distance between two declared values or colours (largest channel difference): how far a
            value may be off before the nearest declared one is the wrong one.
    """

    kind: StrayKind
    counts: dict[int | tuple[int, int, int], int]
    first: tuple[int, int]
    gap: int

    @property
    def pixels(self) -> int:
        """How many pixels are concerned."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """One record: the photo's facts, the annotation as stored, and what the class table says.

    Args:
        position: Its place in the index; -1 for a label file that no record stands for.
        split: The split it belongs to, "" where there is none.
        photo_where: The photo relative to the data set with forward slashes; "" when there is no file.
        label_where: The label file likewise.
        photo: Facts of the decoded photo; None when it is missing or broken.
        photo_fault: Why the photo cannot be read; "" when it can.
        annotation: As stored; None when it is missing or broken.
        label_fault: Why the label cannot be read; "" when it can.
        fault_where: The place of that fault: `label_where` with the shape or row where the reader knows, or one of the
            further files that make up the label.
        coding: What stored values, colours and names mean.
        format: The data set's format.
        counts: For masks of single values, pixels by stored value: (256,) or (65536,) int64.
        colours: For masks of colours, pixels by colour.
        strays: What the class table does not explain; None when it explains everything.
        uncut: For formats that cut a mask of one class at half its range, the mask as it is stored; else None. `strays`
            then speaks of it: values other than 0 and 255.
        jpeg_label: Whether the mask file is a JPEG.
        declared_bytes: How large the annotation says that the photo's file is; None where it says nothing.
        photo_peek: What both ends of the photo file say; None without a file, or for one that is no picture.
        label_peek: The same of a mask file.
    """

    position: int
    split: str
    photo_where: str
    label_where: str
    photo: Photo | None
    photo_fault: str
    annotation: Annotation | None
    label_fault: str
    coding: LabelCoding
    format: str
    counts: NDArray[np.int64] | None = None
    colours: dict[Colour, int] | None = None
    strays: Strays | None = None
    uncut: StoredMask | None = None
    jpeg_label: bool = False
    declared_bytes: int | None = None
    fault_where: str = ""
    photo_peek: Peek | None = None
    label_peek: Peek | None = None

    @property
    def files(self) -> tuple[tuple[str, str, Peek | None], ...]:
        """The photo's and the label's place, why each cannot be read, and what its ends say."""
        return (
            (self.photo_where, self.photo_fault, self.photo_peek),
            (self.label_where, self.label_fault, self.label_peek),
        )

    @property
    def mask(self) -> StoredMask | None:
        """The annotation when it is a mask."""
        return self.annotation if isinstance(self.annotation, StoredMask) else None

    @property
    def drawing(self) -> Drawing | None:
        """The annotation when it is drawn shapes."""
        return self.annotation if isinstance(self.annotation, Drawing) else None
