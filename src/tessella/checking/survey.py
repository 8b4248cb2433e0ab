"""The whole data set after every record was looked at: all that a rule about many photos may look at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tessella.core.classes import LabelCoding


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """What a record leaves behind for the rules about the whole set; small, whatever the photo's size.

    Args:
        position: Its place in the index.
        split: The split it belongs to, "" where there is none.
        photo_where: The photo relative to the data set; "" when there is no file.
        label_where: The label file likewise.
        photo_digest: Equal for identical photos; "" when the photo cannot be read.
        pixels: (K + 1,) int64: pixels by class, the last entry counts ignore; None when nothing could be counted.
        explained: Whether the class table explains every pixel of the label.
        stored: For masks of single values, the stored values that occur; else None.
        names: For drawn shapes, the number of shapes by label name.
        label_digest: Equal for identical annotations; filled in where another photo is identical, else "".
    """

    position: int
    split: str
    photo_where: str
    label_where: str
    photo_digest: str
    pixels: NDArray[np.int64] | None
    explained: bool
    stored: frozenset[int] | None
    names: dict[str, int]
    label_digest: str = ""

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
    """

    traces: tuple[Trace, ...]
    coding: LabelCoding
    format: str
    discovered: bool
    orphan_labels: tuple[str, ...]
    given_splits: bool

    @property
    def counted(self) -> tuple[Trace, ...]:
        """The traces whose pixels could be counted."""
        return tuple(trace for trace in self.traces if trace.pixels is not None)
