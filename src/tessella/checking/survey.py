"""The whole data set after every record was looked at: all that a rule about many photos may look at."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from tessella.checking.measures.borders import Runs
    from tessella.checking.measures.likeness import Pair
    from tessella.checking.measures.noise import Noise
    from tessella.core.classes import LabelCoding


NO_NAMES: Final[Mapping[str, int]] = MappingProxyType({})
"""What masks share: an empty dictionary for each of 100,000 would take 6 MB."""


class Dispute(NamedTuple):
    """The two of all who annotated a photo whose class ids differ most.

    Args:
        share: Of the pixels in which they agree, 0 up to below 1.
        names: What the file calls the two.
        annotators: How many people annotated the photo.
        first: Row and column of the first pixel that differs.
    """

    share: float
    names: tuple[str, str]
    annotators: int
    first: tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """What a record leaves behind for the rules about the whole set; about a kilobyte, whatever the photo's size.

    Args:
        position: Its place in the index.
        split: The split it belongs to, "" where there is none.
        photo_where: The photo relative to the data set; "" when there is no file.
        label_where: The label likewise: its file, and `#` and its key in a file of several photos.
        glance: A hash of the photo's small grey copy; b"" when it cannot be read or has a single colour.
        thumb: The photo in grey as 16 x 16 bytes; b"" when it cannot be read.
        hw: Height and width of the photo in pixels; None when it cannot be read.
        bands: Number and dtype of its bands, such as `3 x uint8`.
        crs: The coordinate system of a photo that says where on Earth it lies; "" for others.
        ground: Six float64, the transform of such a photo's pixels to coordinates (see `Ground`); else b"".
        missing: Whether the annotation names a photo that is not there.
        pixels: (K + 1,) int64: pixels by class, the last entry counts ignore; None when nothing could be counted.
        explained: Whether the class table explains every pixel of the label.
        stored: For masks of single values, the stored values that occur, ascending; else None.
        wide: Whether the mask has 16 bits.
        palette: For palette masks, red, green and blue of each of `stored`.
        rim: In a set of two classes, the share of the mask's outermost pixels that the class of id 1 has.
        names: For drawn shapes, the number of shapes by label name.
        turns: The bytes of (8,) float16: how well the mask's borders meet the photo's edges; see `measures.edges`.
        shifts: Likewise for the mask moved by some cells; of a few records.
        runs: The run lengths along some rows of the mask.
        photo_digest: Equal for identical photos; filled in where another photo has the same `glance`, else "".
        label_digest: Equal for identical annotations; filled in where another photo is identical, else "".
        agreement: Where another photo is identical and its label differs: the share of equal pixels, 0..1.
        dispute: Where several people annotated this photo in different ways, the two furthest apart.
    """

    position: int
    split: str
    photo_where: str
    label_where: str
    glance: bytes = b""
    thumb: bytes = b""
    hw: tuple[int, int] | None = None
    bands: str = ""
    crs: str = ""
    ground: bytes = b""
    missing: bool = False
    pixels: NDArray[np.int64] | None = None
    explained: bool = True
    stored: tuple[int, ...] | None = None
    wide: bool = False
    palette: bytes | None = None
    rim: float | None = None
    names: Mapping[str, int] = field(default_factory=lambda: NO_NAMES)
    turns: bytes = b""
    shifts: NDArray[np.float32] | None = None
    runs: Runs | None = None
    photo_digest: str = ""
    label_digest: str = ""
    agreement: float | None = None
    dispute: Dispute | None = None

    @property
    def where(self) -> str:
        """The photo, or the label where there is no photo file."""
        return self.photo_where or self.label_where


@dataclass(frozen=True, slots=True, eq=False)
class Survey:
    """The whole set.

    Args:
        traces: One per record, in the order of the index.
        coding: What stored values, colours and names mean.
        format: The data set's format.
        discovered: Whether the classes were read off the labels.
        orphan_labels: Label files whose photo is missing, relative to the data set.
        given_splits: Whether the splits come from the data set (else they were drawn by us).
        similar: Pairs of photos that show the same, as they are or changed.
        noise: What is tiny or ragged in the masks that were looked at a second time, by position.
        merged: Names that a file gives to several classes, which are read as one, and the ids they have there.
        boxed: How many boxes without outline there are by label name, where the format says it.
        published: Whether the class table is a published data set's, rather than stated with the data or by the caller.
        unread: Label files that cannot be read and that no record stands for, relative to the data set.
    """

    traces: tuple[Trace, ...]
    coding: LabelCoding
    format: str
    discovered: bool
    orphan_labels: tuple[str, ...]
    given_splits: bool
    similar: tuple[Pair, ...] = ()
    noise: dict[int, Noise] = field(default_factory=dict)
    merged: Mapping[str, Sequence[str]] = field(default_factory=dict)
    boxed: Mapping[str, int] = field(default_factory=dict)
    published: bool = False
    unread: tuple[str, ...] = ()

    @property
    def counted(self) -> tuple[Trace, ...]:
        """The traces whose pixels could be counted."""
        return tuple(trace for trace in self.traces if trace.pixels is not None)
